"""Short declarations of plain tables: one call a table, one keyword a column.

A table of `schemas.layout` is a pandera model. Most lists a rule needs are three or four columns with a
validity; written as classes they would be twenty lines each that say nothing. `listing` makes the same
model from a row of columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandera.polars as pa
import polars as pl

from schemas.layout import Money, Price, Quantity, field


@dataclass(frozen=True)
class Cell:
    """One column before it has a name: its type and the facts of `schemas.layout.field`."""

    kind: Any
    zh: str
    en: str
    facts: dict[str, Any]


def text(zh: str, en: str, length: int = 50, **facts: Any) -> Cell:  # noqa: ANN401
    """A text column; `facts` as in `schemas.layout.field`."""
    return Cell(str, zh, en, {"length": length, **facts})


def whole(zh: str, en: str, **facts: Any) -> Cell:  # noqa: ANN401
    """A column of whole numbers."""
    return Cell(int, zh, en, facts)


def money(zh: str, en: str, **facts: Any) -> Cell:  # noqa: ANN401
    """An amount in 元."""
    return Cell(Money, zh, en, facts)


def price(zh: str, en: str, **facts: Any) -> Cell:  # noqa: ANN401
    """A unit price in 元."""
    return Cell(Price, zh, en, facts)


def quantity(zh: str, en: str, **facts: Any) -> Cell:  # noqa: ANN401
    """A quantity in units of sale."""
    return Cell(Quantity, zh, en, facts)


def day(zh: str, en: str, **facts: Any) -> Cell:  # noqa: ANN401
    """A date."""
    return Cell(pl.Date, zh, en, facts)


ITEM = text("医保目录编码", "catalogue code")
ITEM_NAME = text("医保目录名称", "catalogue name", 200, required=False)
INSTITUTION = text("定点医药机构编号", "institution code", 12)
PERSON = text("人员编号", "person number", 30, personal=True)
SOURCE = text("出处", "source", 200)
VALIDITY = {
    "begndate": day("开始日期", "in force from"),
    "enddate": day("结束日期", "in force until", required=False),
}


def listing(
    name: str,
    zh: str,
    en: str,
    *,
    key: tuple[str, ...],
    dated: bool = True,
    optional: bool = True,
    **columns: Cell,
) -> type[pa.DataFrameModel]:
    """Make the model of a table.

    Args:
        name: table name, also of its CSV file.
        zh: Chinese label.
        en: English label.
        key: columns that name one row; of a dated table one row at a time.
        dated: the table ends with begndate and enddate.
        optional: a region may do without it.
        columns: columns in order.
    """
    cells = {**columns, **(VALIDITY if dated else {})}
    about = {"zh": zh, "en": en, "key": key, "dated": dated, "optional": optional}
    config = type("Config", (), {"name": name, "strict": True, "metadata": about, "__doc__": "Table facts."})
    body: dict[str, Any] = {n: field(c.zh, c.en, **c.facts) for n, c in cells.items()}
    body |= {
        "__annotations__": {n: c.kind for n, c in cells.items()},
        "__doc__": f"{zh}: {en}.",
        "__module__": __name__,
        "Config": config,
    }
    title = "".join(part.capitalize() for part in name.split("_"))
    return type(title, (pa.DataFrameModel,), body)
