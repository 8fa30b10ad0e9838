"""From text files to typed rows: every cell is read as text, checked, then cast.

Files of one table that look alike (delimiter, order of columns) are read by one streaming scan. A row
is written typed; a row with any doubt is marked and its text is kept beside the part, where `cell_faults`
later names every fault of it. Nothing raises on a bad cell, so no fault hides another.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from schemas.layout import Column, Table
from settlement.cells import NULLS, CodeLists, cast
from settlement.intake.model import FAULT_SCHEMA, Fault, Submission, TableFile
from settlement.intake.textfile import broken_row, tables

EXTRA = "_extra"
EXTRA_FIELDS = 4
TYPED = "_typed_"
ROW, PATH = "_row_in_all_files", "_path_of_file"
MOMENT = "%Y-%m-%d %H:%M:%S"
LONGEST_SHOWN = 1000
ROWS_AT_ONCE = 200_000
FACT_DATE = {"setl_d": "setl_time", "fee_list_d": "fee_ocur_time"}


@dataclass(frozen=True)
class Part:
    """Typed rows of one table from any number of files: src, rn, columns, doubtful.

    Attributes:
        table: national table name.
        path: Parquet file of the typed rows.
        doubts: Parquet file of the doubtful rows' text: src, rn, columns, the field too many.
    """

    table: str
    path: Path
    doubts: Path


@dataclass(frozen=True)
class Source:
    """One file of a part: the text in its `src` column, whose it is, and what it was called."""

    src: str
    sub: int
    table: str
    label: str


Bases = tuple[Path, ...]
Files = list[tuple[Submission, TableFile]]


def stage(
    files: Files, codes: CodeLists, work: Path, home: Path | None = None
) -> tuple[list[Part], list[Source]]:
    """Read all files of an intake into typed parts.

    A file that cannot be parsed at all (an unclosed quote) is set aside with a fault on its
    submission; the others are read without it.
    """
    groups: dict[tuple[object, ...], Files] = defaultdict(list)
    for submission, file in files:
        groups[file.table, file.delimiter, file.header, file.types].append((submission, file))
    parts: list[Part] = []
    sources: list[Source] = []
    bases = (work, home) if home else (work,)
    for order, (_, members) in enumerate(sorted(groups.items(), key=lambda g: str(g[0]))):
        for part, good in _write(members, codes, work / f"{order:03d}", bases):
            parts.append(part)
            sources += [Source(_inside(f.path, bases), s.number, f.table, f.label) for s, f in good]
    return parts, sources


def _inside(path: Path, bases: Bases) -> str:
    """A file's place without the folders it lies in now: what is recorded must not name them."""
    base = next((base for base in bases if path.is_relative_to(base)), None)
    return path.relative_to(base).as_posix() if base else str(path)


def _write(members: Files, codes: CodeLists, target: Path, bases: Bases) -> list[tuple[Part, Files]]:
    """Write files of one shape as one part; halve them on an error until the file at fault is alone."""
    one = members[0][1]
    path = target.with_name(f"{target.name}_{one.table}.parquet")
    part = Part(one.table, path, path.with_suffix(".doubts.parquet"))
    try:
        _sink([file for _, file in members], codes, part, bases)
        return [(part, members)]
    except pl.exceptions.PolarsError:
        if len(members) == 1:
            _set_aside(*members[0])
            return []
    half = len(members) // 2
    left = _write(members[:half], codes, target.with_name(f"{target.name}a"), bases)
    return left + _write(members[half:], codes, target.with_name(f"{target.name}b"), bases)


def _set_aside(submission: Submission, file: TableFile) -> None:
    row = broken_row(file) if file.delimiter else None
    where = f"{file.label} 第 {row} 行起" if row else file.label
    submission.faults.append(Fault("S20", detail=where, table=file.table, file=file.label, row_no=row))


def _sink(files: list[TableFile], codes: CodeLists, part: Part, bases: Bases) -> None:
    """Write the typed rows and, from the same reading, the text of the doubtful ones."""
    about = tables()[files[0].table]
    # Every cell is cast once; whether it passes is read off the result.
    cast_once = [cast(c).alias(TYPED + c.name) for c in about.columns if not c.is_text]
    typed = [pl.col(c.name if c.is_text else TYPED + c.name).alias(c.name) for c in about.columns]
    good = pl.all_horizontal(passes(column, codes) for column in about.columns) & pl.col(EXTRA).is_null()
    fact = FACT_DATE.get(about.name)
    if fact:
        good = good & pl.col(fact).is_between(pl.lit(str(codes.first)), pl.lit(f"{codes.last} 99"))
    text = [column.name for column in about.columns]
    own = pl.col("src")
    for base in bases:
        own = own.str.strip_prefix(f"{base}/")
    rows = _scan(files).with_columns(own, *cast_once).with_columns((~good.fill_null(False)).alias("doubtful"))
    kept = rows.select("src", "rn", *typed, "doubtful").sink_parquet(
        part.path, compression="snappy", maintain_order=False, lazy=True
    )
    doubts = rows.filter("doubtful").select("src", "rn", *text, EXTRA)
    pl.collect_all([kept, doubts.sink_parquet(part.doubts, lazy=True)], engine="streaming")


def _scan(files: list[TableFile]) -> pl.LazyFrame:
    """Read files of one shape as text, with the row number over all of them and the file's path."""
    one = files[0]
    paths = [file.path for file in files]
    rows = _scan_text(paths, one) if one.delimiter else _scan_parquet(paths, one.header)
    about = tables()[one.table]
    absent = [c.name for c in about.columns if c.name not in one.header]
    return rows.with_columns(pl.lit(None, pl.String).alias(name) for name in absent)


def _scan_text(paths: list[Path], one: TableFile) -> pl.LazyFrame:
    names = {h or f"_unknown{i}": pl.String() for i, h in enumerate(one.header)}
    extra = [f"_extra{i}" for i in range(EXTRA_FIELDS)]
    rows = pl.scan_csv(
        paths,
        separator=one.delimiter,
        has_header=False,
        skip_rows=1,
        schema={**names, **{name: pl.String() for name in extra}},
        row_index_name="rn",
        include_file_paths="src",
        truncate_ragged_lines=True,
        missing_columns="insert",
        extra_columns="ignore",
        null_values=NULLS,
        infer_schema=False,
        glob=False,
    )
    return rows.with_columns(pl.coalesce(extra).alias(EXTRA)).drop(extra)


def _scan_parquet(paths: list[Path], header: tuple[str | None, ...]) -> pl.LazyFrame:
    """Read Parquet as text. Its own columns are renamed first: one may be called `rn` or `src`."""
    scan = pl.scan_parquet(
        paths, row_index_name=ROW, include_file_paths=PATH, glob=False, hive_partitioning=False
    )
    schema = {n: t for n, t in scan.collect_schema().items() if n not in (ROW, PATH)}
    picked = [
        _as_text(name, dtype).alias(national)
        for (name, dtype), national in zip(schema.items(), header, strict=True)
        if national
    ]
    extra = pl.lit(None, pl.String).alias(EXTRA)
    return scan.select(pl.col(ROW).alias("rn"), pl.col(PATH).alias("src"), *picked, extra)


def _as_text(name: str, dtype: pl.DataType) -> pl.Expr:
    """Write a typed value as an institution would: a date without a time, no zeros without meaning."""
    value = pl.col(name)
    if isinstance(dtype, pl.Datetime):
        midnight = value.dt.time() == dt.time()
        return pl.when(midnight).then(value.dt.strftime("%Y-%m-%d")).otherwise(value.dt.strftime(MOMENT))
    text = value.cast(pl.String)
    if isinstance(dtype, pl.Decimal) and dtype.scale:
        return text.str.strip_chars_end("0").str.strip_chars_end(".")
    return pl.when(text.is_in(NULLS)).then(None).otherwise(text)


def passes(column: Column, codes: CodeLists) -> pl.Expr:
    """True where the cell has no fault, over text columns and their `TYPED` casts.

    A dated code may still be good when this is not true.
    """
    text = pl.col(column.name)
    if not column.is_text:
        good = pl.col(TYPED + column.name).is_not_null()
    elif column.codes:
        good = text.is_in(codes.always[column.codes])
    else:
        good = text.str.len_bytes() <= (column.length or 0)
    return good.fill_null(False) if column.required else (good | text.is_null()).fill_null(False)


def blank_rows(part: Part) -> pl.DataFrame:
    """Return src and rn of rows that are blank throughout: they are no data and no fault."""
    names = [*(column.name for column in tables()[part.table].columns), EXTRA]
    rows = pl.scan_parquet(part.doubts, glob=False)
    return rows.filter(pl.all_horizontal(pl.col(n).is_null() for n in names)).select("src", "rn").collect()


def cell_faults(part: Part, codes: CodeLists) -> pl.DataFrame:
    """List every fault of every cell in a part.

    Returns:
        src, rn, and the columns of FAULT_SCHEMA from setl_id on; rows that are blank throughout
        are not data and give none.
    """
    kept = pl.scan_parquet(part.doubts, glob=False)
    total = kept.select(pl.len()).collect().item()
    # A whole month may be wrong in one column: the text of that many rows is looked at bit by bit.
    batches = [kept.slice(start, ROWS_AT_ONCE) for start in range(0, max(total, 1), ROWS_AT_ONCE)]
    return pl.concat([_faults_in(rows.collect(), tables()[part.table], codes) for rows in batches])


def _faults_in(rows: pl.DataFrame, about: Table, codes: CodeLists) -> pl.DataFrame:
    names = [*(column.name for column in about.columns), EXTRA]
    rows = rows.filter(~pl.all_horizontal(pl.col(n).is_null() for n in names))
    found = [_faults_of(rows, column, about, codes) for column in about.columns]
    ragged = rows.filter(pl.col(EXTRA).is_not_null())
    found.append(_as_faults(ragged, about, None, pl.lit("R09"), pl.lit("")))
    return pl.concat(found)


def _faults_of(rows: pl.DataFrame, column: Column, about: Table, codes: CodeLists) -> pl.DataFrame:
    text = pl.col(column.name)
    reason: Any = pl.when(text.is_null()).then(pl.lit("R01") if column.required else None)
    detail = pl.lit("")
    if column.is_text:
        if column.codes:
            rows = _judge_code(rows, column, about, codes)
            reason = reason.when(~pl.col("_good_code")).then(pl.lit("R05"))
        elif column.length:
            reason = reason.when(text.str.len_chars() > column.length).then(pl.lit("R02"))
    elif column.is_decimal or column.dtype == pl.Int64:
        reason = reason.when(cast(column).is_null()).then(pl.lit("R03"))
        detail = _why_no_number(text, column)
    else:
        reason = reason.when(cast(column).is_null()).then(pl.lit("R04"))
        detail = text.str.slice(0, 30)
    bad = rows.with_columns(reason.otherwise(None).alias("_reason")).filter(pl.col("_reason").is_not_null())
    return _as_faults(bad, about, column, pl.col("_reason"), detail)


def _judge_code(rows: pl.DataFrame, column: Column, about: Table, codes: CodeLists) -> pl.DataFrame:
    """Add `_good_code`: in the list on the day of the fact (the month's last day without one)."""
    fact = FACT_DATE.get(about.name)
    day = cast(about.column(fact)).cast(pl.Date) if fact else pl.lit(codes.last)
    mine = codes.dated.filter(pl.col("type") == column.codes).select(
        "value", pl.col("begndate").alias("_from"), pl.col("enddate").alias("_until")
    )
    rows = rows.with_columns(day.fill_null(codes.last).alias("_day")).with_row_index("_row")
    if mine.is_empty():
        good = pl.col(column.name).is_in(codes.always[column.codes])
        return rows.with_columns(good.fill_null(True).alias("_good_code"))
    held = rows.join(mine, left_on=column.name, right_on="value").filter(
        (pl.col("_from") <= pl.col("_day"))
        & (pl.col("_until").is_null() | (pl.col("_until") >= pl.col("_day")))
    )
    good = pl.col("_row").is_in(held["_row"].implode()) | pl.col(column.name).is_null()
    return rows.with_columns(good.alias("_good_code"))


def _why_no_number(text: pl.Expr, column: Column) -> pl.Expr:
    scale = column.dtype.scale if isinstance(column.dtype, pl.Decimal) else 0
    return (
        pl.when(text.str.contains("[０-９．，－＋]"))
        .then(pl.lit("含全角字符"))
        .when(text.str.contains(r"^-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?$"))
        .then(pl.lit("含千分位逗号"))
        .when(text.str.contains(r"^[-+]?[0-9.]+[eE][-+]?[0-9]+$"))
        .then(pl.lit("是科学计数法"))
        .when(text.str.contains(r"\s"))
        .then(pl.lit("含空格"))
        .when(text.str.contains(rf"^-?[0-9]+\.[0-9]{{{scale + 1},}}$"))
        .then(pl.lit(f"小数超过 {scale} 位"))
        .when(text.str.contains(r"^-?[0-9]+(\.[0-9]+)?$"))
        .then(pl.lit("整数位数超过规定"))
        .otherwise(pl.lit("不是数字"))
    )


def _as_faults(
    rows: pl.DataFrame, about: Table, column: Column | None, reason: pl.Expr, detail: pl.Expr
) -> pl.DataFrame:
    names = [c.name for c in about.columns]
    key = [(pl.col(n) if n in names else pl.lit(None, pl.String)).alias(n) for n in ("setl_id", "bkkp_sn")]
    expected = ""
    if column is not None:
        expected = column.codes or (str(column.length) if column.length else "")
    return rows.select(
        "src",
        "rn",
        pl.lit(about.name).alias("table"),
        *key,
        pl.lit(column.name if column is not None else None, pl.String).alias("column"),
        _shortened(pl.col(column.name if column is not None else EXTRA)).alias("value"),
        reason.alias("reason"),
        detail.cast(pl.String).alias("detail"),
        pl.lit(expected).alias("expected"),
    ).cast({n: t for n, t in FAULT_SCHEMA.items() if n not in ("sub", "file", "row_no")})


def _shortened(text: pl.Expr) -> pl.Expr:
    """Cut a value to what a person can look at: behind an unclosed quote a cell may hold a whole file."""
    cut = text.str.slice(0, LONGEST_SHOWN) + pl.format("…(共 {} 字)", text.str.len_chars())
    return pl.when(text.str.len_chars() > LONGEST_SHOWN).then(cut).otherwise(text)
