"""How a table is declared, and how the rest of the project reads the declaration.

A table is one pandera model. Each field says its type and whether a value may be missing through
pandera itself; what pandera does not know (labels, other header names, code list, whether the
column may be absent from a file) stands in the field's metadata. `columns` turns a model into
plain records; header mapping, data dictionary, casting and validation all start from those.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

import pandera.polars as pa
import polars as pl

Money = Annotated[pl.Decimal, 16, 2]
Quantity = Annotated[pl.Decimal, 16, 4]
Price = Annotated[pl.Decimal, 16, 6]
Ratio = Annotated[pl.Decimal, 5, 4]
Days = Annotated[pl.Decimal, 4, 2]
Timestamp = Annotated[pl.Datetime, "us", None]


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: national field name.
        zh: Chinese label, also accepted as a header.
        en: English label.
        dtype: polars type of the typed column.
        length: most characters a text may have, None for other types.
        required: a value must be there in every row.
        present: the column must be in the file.
        codes: name of the code list, empty when free.
        aliases: other accepted headers (interface names, other labels).
        personal: the value names or identifies a person and is masked outside the fund.
    """

    name: str
    zh: str
    en: str
    dtype: Any
    length: int | None
    required: bool
    present: bool
    codes: str
    aliases: tuple[str, ...]
    personal: bool

    @property
    def is_text(self) -> bool:
        """True when the column is kept as text."""
        return bool(self.dtype == pl.String)

    @property
    def is_decimal(self) -> bool:
        """True when the column is an exact decimal."""
        return isinstance(self.dtype, pl.Decimal)

    @property
    def type_label(self) -> str:
        """Type as printed in the data dictionary: C30, N16,2, D, DT or N."""
        if self.is_text:
            return f"C{self.length or ''}"
        if isinstance(self.dtype, pl.Decimal):
            return f"N{self.dtype.precision},{self.dtype.scale}"
        return {pl.Date: "D", pl.Datetime: "DT"}.get(self.dtype.base_type(), "N")


@dataclass(frozen=True)
class Table:
    """One table: its national name, labels, key and columns."""

    name: str
    zh: str
    en: str
    key: tuple[str, ...]
    dated: bool
    optional: bool
    aliases: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def schema(self) -> dict[str, Any]:
        """Column names with their polars types, in order."""
        return {column.name: column.dtype for column in self.columns}

    def column(self, name: str) -> Column:
        """Return the column called `name`; KeyError when the table has none."""
        return {column.name: column for column in self.columns}[name]


def field(  # noqa: PLR0913 - one keyword per fact about a column
    zh: str,
    en: str,
    *,
    length: int | None = None,
    required: bool = True,
    present: bool = True,
    codes: str = "",
    alias: tuple[str, ...] = (),
    personal: bool = False,
) -> Any:  # noqa: ANN401 - pandera's field marker has no public type
    """Declare one column; see `Column` for the meaning of each keyword."""
    checks: dict[str, Any] = {"str_length": {"max_value": length}} if length else {}
    metadata = {
        "zh": zh,
        "en": en,
        "present": present,
        "codes": codes,
        "aliases": alias,
        "personal": personal,
    }
    return pa.Field(nullable=not required, metadata=metadata, **checks)


@cache
def table(model: type[pa.DataFrameModel]) -> Table:
    """Read a model's declaration into plain records."""
    schema = model.to_schema()
    about: dict[str, Any] = dict(getattr(model.Config, "metadata", None) or {})
    found = tuple(_column(name, column) for name, column in schema.columns.items())
    return Table(
        name=str(schema.name),
        zh=about["zh"],
        en=about["en"],
        key=tuple(about.get("key", ())),
        dated=bool(about.get("dated", False)),
        optional=bool(about.get("optional", False)),
        aliases=tuple(about.get("aliases", ())),
        columns=found,
    )


def columns(model: type[pa.DataFrameModel]) -> tuple[Column, ...]:
    """Return the columns of a model in order."""
    return table(model).columns


def _column(name: str, column: Any) -> Column:  # noqa: ANN401 - pandera's column class is private
    about = column.metadata
    limits = [c.statistics.get("max_value") for c in column.checks if c.name == "str_length"]
    return Column(
        name=name,
        zh=about["zh"],
        en=about["en"],
        dtype=_polars_type(column.dtype.type),
        length=limits[0] if limits else None,
        required=not column.nullable,
        present=about["present"],
        codes=about["codes"],
        aliases=tuple(about["aliases"]),
        personal=about["personal"],
    )


def _polars_type(dtype: Any) -> Any:  # noqa: ANN401 - a class or an instance of a polars type
    """Return a polars type instance, so that 16,2 and 16,4 stay different types."""
    return dtype() if isinstance(dtype, type) else dtype
