"""What passes between the steps of intake."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

FAULT_SCHEMA = {
    "sub": pl.Int32,
    "table": pl.String,
    "file": pl.String,
    "row_no": pl.Int64,
    "setl_id": pl.String,
    "bkkp_sn": pl.String,
    "column": pl.String,
    "value": pl.String,
    "reason": pl.String,
    "detail": pl.String,
    "expected": pl.String,
}


@dataclass(frozen=True)
class Fault:
    """One fault of a submission as a whole; see `FAULT_SCHEMA` for the row form."""

    reason: str
    detail: str = ""
    expected: str = ""
    table: str | None = None
    file: str | None = None
    row_no: int | None = None


@dataclass(frozen=True)
class TableFile:
    """One table's file, ready to read: UTF-8 text or Parquet.

    Attributes:
        table: national table name.
        label: how the institution calls it (file or sheet name).
        path: file to read.
        delimiter: `,` or TAB; empty for Parquet.
        header: national column name per position, None where the column is unknown.
        unknown: headers that were not recognised.
        types: names and types of a Parquet file's columns; files are read together when all is alike.
    """

    table: str
    label: str
    path: Path
    delimiter: str
    header: tuple[str | None, ...]
    unknown: tuple[str, ...] = ()
    types: tuple[str, ...] = ()


@dataclass
class Submission:
    """One institution's month as it arrived.

    Attributes:
        number: position in this intake, in order of name.
        name: name of the folder or file without extension.
        code: institution code in the name, empty when the name is not of the agreed form.
        clr_ym: month in the name.
        turn: number of the submission in the month (`_2`), 1 when not given.
        digest: SHA-256 over the names and bytes of its files.
        attempt: how often the same bytes have been judged, this time included.
        kept: where the original is kept.
        files: tables that can be read.
        faults: what is wrong with it as a whole.
        ignored: files and sheets in it that are no table of a submission.
    """

    number: int
    name: str
    code: str
    clr_ym: str
    turn: int
    source: Path
    digest: str = ""
    attempt: int = 1
    kept: Path | None = None
    files: list[TableFile] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


def fault_frame(submissions: list[Submission]) -> pl.DataFrame:
    """Return the faults of submissions as rows of `FAULT_SCHEMA`."""
    rows = [
        (s.number, f.table, f.file, f.row_no, None, None, None, None, f.reason, f.detail, f.expected)
        for s in submissions
        for f in s.faults
    ]
    return pl.DataFrame(rows, schema=FAULT_SCHEMA, orient="row")
