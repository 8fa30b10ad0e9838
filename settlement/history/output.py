"""Writing an answer: csv, json, parquet, or a workbook."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import polars as pl

from settlement.errors import QueryError
from settlement.labels import label
from settlement.reports.frames import cells, csv_frame, write_csv
from settlement.reports.tables import Book, Column, Grid

FORMATS = ("table", "csv", "json", "parquet", "xlsx")
SHEET_ROWS, SHEET_COLUMNS = 1_048_000, 16_384
# Digits that the double of a workbook holds exactly.
EXACT_DIGITS = 15
MOMENT = "%Y-%m-%d %H:%M:%S"


def write(rows: pl.DataFrame, kind: str, path: Path, question: str, day: dt.date, lang: str) -> Path:
    """Write an answer to a file.

    Args:
        rows: the answer.
        kind: csv, json, parquet or xlsx.
        path: where to.
        question: the SQL, which stands in a workbook's heading.
        day: date in a workbook's properties.
        lang: zh or en.

    Raises:
        QueryError: it does not fit into a sheet.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "csv":
        return write_csv(_for_people(rows), path)
    if kind == "parquet":
        rows.write_parquet(path, compression="zstd")
    elif kind == "json":
        path.write_text(json_text(rows) + "\n", encoding="utf-8")
    else:
        _write_book(rows, path, question, day, lang)
    return path


def csv_text(rows: pl.DataFrame) -> str:
    """Return an answer as CSV for a pipe: no BOM, no cell that opens as a formula."""
    return _for_people(rows).write_csv(datetime_format=MOMENT)


def json_text(rows: pl.DataFrame) -> str:
    """Return an answer as a JSON list of objects; amounts and days are texts, so nothing is rounded."""
    return json.dumps(rows.to_dicts(), ensure_ascii=False, indent=1, default=str)


def texts(rows: pl.DataFrame) -> list[list[str]]:
    """Return the cells of an answer as they are shown on a terminal."""
    return [["" if v is None else str(v) for v in row] for row in flat(rows).iter_rows()]


def flat(rows: pl.DataFrame) -> pl.DataFrame:
    """Return an answer whose lists and structures are JSON text, as flat formats need."""
    nested = [
        pl.Series(name, [_text(value) for value in rows[name]], pl.String)
        for name, dtype in rows.schema.items()
        if dtype.is_nested() or dtype in (pl.Binary, pl.Duration, pl.Object)
    ]
    return rows.with_columns(nested)


def _text(value: Any) -> str | None:  # noqa: ANN401 - whatever a cell holds
    if value is None:
        return None
    plain = value.to_list() if isinstance(value, pl.Series) else value
    return (
        json.dumps(plain, ensure_ascii=False, default=str) if isinstance(plain, list | dict) else str(plain)
    )


def _for_people(rows: pl.DataFrame) -> pl.DataFrame:
    """An answer whose cells and headers open as text."""
    headers = csv_frame(pl.DataFrame({"name": rows.columns}), {"name": "name"})["name"].to_list()
    return csv_frame(flat(rows), dict(zip(rows.columns, headers, strict=True)))


def _write_book(rows: pl.DataFrame, path: Path, question: str, day: dt.date, lang: str) -> None:
    if rows.height > SHEET_ROWS or rows.width > SHEET_COLUMNS:
        raise QueryError(
            f"结果有 {rows.height} 行 {rows.width} 列,一张工作表最多 {SHEET_ROWS} 行 {SHEET_COLUMNS} 列。"
            "请加条件,或用 --format csv、parquet。"
        )
    shown = _exact(flat(rows))
    title = label("ask.result", lang)
    book = Book(path, title, day, rows.height)
    columns = [Column(name, name, _kind(dtype), _width(name, dtype)) for name, dtype in shown.schema.items()]
    grid = Grid(book, book.sheet(title, lang=lang), columns)
    grid.heading(title, " ".join(question.split()))
    grid.header()
    grid.body(cells(shown).iter_rows())
    grid.finish()
    book.close()


def _exact(rows: pl.DataFrame) -> pl.DataFrame:
    """Numbers that a workbook would round, or does not know, as text."""
    wanted = []
    for name, dtype in rows.schema.items():
        column = pl.col(name)
        if dtype.is_integer() or isinstance(dtype, pl.Decimal):
            scale = dtype.scale if isinstance(dtype, pl.Decimal) else 0
            largest = rows.select(column.cast(pl.Float64).abs().max()).item() or 0.0
            if largest >= 10.0 ** (EXACT_DIGITS - scale):
                wanted.append(column.cast(pl.String))
        elif dtype.is_float():
            wanted.append(pl.when(column.is_finite()).then(column))
        elif dtype in (pl.Boolean, pl.Time) or getattr(dtype, "time_zone", None):
            wanted.append(column.cast(pl.String))
    return rows.with_columns(wanted)


def _kind(dtype: pl.DataType) -> str:
    if isinstance(dtype, pl.Decimal):
        return "money" if dtype.scale == 2 else "price"
    kinds: dict[Any, str] = {pl.Date: "date", pl.Datetime: "moment"}
    if dtype.base_type() in kinds:
        return kinds[dtype.base_type()]
    return "count" if dtype.is_integer() else "price" if dtype.is_float() else "text"


def _width(name: str, dtype: pl.DataType) -> float:
    return max(len(name) + 4, 22 if dtype == pl.String else 14)


def default_kind(path: Path | None) -> str:
    """Return the format that a file's name says, `table` without a file."""
    if path is None:
        return "table"
    kind = path.suffix.lower().lstrip(".")
    if kind in FORMATS[1:]:
        return kind
    raise QueryError(f"由 {path.name} 看不出格式,请用 --format 指明:{'、'.join(FORMATS[1:])}。")


def printed(rows: pl.DataFrame, kind: str) -> str:
    """Return an answer as text of a format that can be printed."""
    if kind == "csv":
        return csv_text(rows).rstrip("\n")
    if kind == "json":
        return json_text(rows)
    raise QueryError(f"{kind} 格式须用 --out 写成文件。")
