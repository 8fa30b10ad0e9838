"""Which published workbook feeds which knowledge table, and what its columns may be called."""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("nhsa.toml")
BRACKETS = str.maketrans({"（": "(", "）": ")", "［": "[", "］": "]", "－": "-"})


@dataclass(frozen=True)
class Layout:
    """One published list.

    Attributes:
        batch: batch as in the file name, such as `第八批-1`.
        title: rest of the file name, with half-width brackets.
        table: knowledge table it feeds.
        part: `drug` or `item`.
        limit: what its column 限定类型 says, empty when it has none.
        published: publication date, from which its rows are in force.
    """

    batch: str
    title: str
    table: str
    part: str
    limit: str
    published: dt.date

    @property
    def file_name(self) -> str:
        """File name the list is published under, with half-width brackets."""
        return f"【{self.batch}】{self.title}.xlsx"

    @property
    def source(self) -> str:
        """Where the rows come from, as written in the tables."""
        return f"国家两库{_batch(self.batch)}({self.published})"


@dataclass(frozen=True)
class Layouts:
    """All known lists in order of publication, and the role of every known header."""

    lists: tuple[Layout, ...]
    roles: tuple[str, ...]
    role_of: dict[str, str]

    def find(self, path: Path) -> Layout | None:
        """Return the list a file holds, by its name; None when it is not known."""
        wanted = plain(path.name)
        return next((layout for layout in self.lists if layout.file_name == wanted), None)


def plain(text: str) -> str:
    """Return a file name or header without white space and with half-width brackets."""
    return "".join(text.split()).translate(BRACKETS)


def load() -> Layouts:
    """Read the layouts."""
    raw = tomllib.loads(FILE.read_text(encoding="utf-8"))
    published: dict[str, dt.date] = raw["published"]
    return Layouts(
        lists=tuple(Layout(**body, published=published[_batch(body["batch"])]) for body in raw["list"]),
        roles=tuple(raw["headers"]),
        role_of={header: role for role, names in raw["headers"].items() for header in names},
    )


def _batch(text: str) -> str:
    return text.partition("-")[0]
