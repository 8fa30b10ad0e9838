"""Looking at a text file before it is read as a table: bytes, encoding, delimiter, header."""

from __future__ import annotations

import codecs
import csv
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.layout import Table, table
from schemas.submission import SUBMISSION
from settlement.intake.model import Fault, TableFile
from settlement.untrusted.texts import as_utf8

CHUNK = 1 << 20
BOM = codecs.BOM_UTF8
OTHER_DELIMITERS = {";": "分号", "|": "竖线", "^": "尖号", ":": "冒号", ",": "全角逗号", " ": "空格"}


@cache
def tables() -> dict[str, Table]:
    """Return the submission's tables by national name."""
    return {table(model).name: table(model) for model in SUBMISSION}


@cache
def _headers(name: str) -> dict[str, str]:
    """Map every accepted header of a table, lower case, to the national name."""
    found: dict[str, str] = {}
    for column in tables()[name].columns:
        for header in (column.name, column.zh, *column.aliases):
            found[header.lower()] = column.name
    return found


def table_of(name: str) -> str | None:
    """Return the national table a file or sheet name stands for, e.g. `fee_list_d_2.csv`."""
    stem = Path(name).stem if Path(name).suffix.lower() in (".csv", ".txt", ".tsv", ".parquet") else name
    for about in tables().values():
        for known in (about.name, about.zh, *about.aliases):
            rest = stem.lower().removeprefix(known.lower())
            if rest != stem.lower() and (not rest or rest.lstrip("_-").isdigit()):
                return about.name
    return None


def inspect(name: str, path: Path, work: Path) -> tuple[TableFile | None, list[Fault]]:
    """Find out how to read one file.

    Args:
        name: file or sheet name as the institution calls it.
        path: the file; never changed.
        work: folder for a UTF-8 copy when the file is GB18030.

    Returns:
        How to read it, or None with the faults that forbid it. A file that is no table of the
        submission gives neither.
    """
    about = table_of(name)
    if about is None:
        return None, []
    if path.suffix.lower() == ".parquet":
        return _parquet(about, name, path)
    if path.stat().st_size == 0:
        return None, [Fault("S14", detail=f"{name} 是空文件", table=about, file=name)]
    path, bad = as_utf8(path, work)
    if bad:
        where = f"{name} 第 {bad.row_no} 行{bad.detail}"
        return None, [Fault(bad.reason, detail=where, table=about, file=name, row_no=bad.row_no)]
    return _header(about, name, path)


def _header(about: str, name: str, path: Path) -> tuple[TableFile | None, list[Fault]]:
    with path.open("rb") as reader:
        first = reader.readline(CHUNK).removeprefix(BOM)
        empty = not any(line.strip() for line in reader)
    line = first.decode("utf-8", "replace").rstrip("\r\n")
    if empty and not line.strip():
        return None, [Fault("S14", detail=f"{name} 是空文件", table=about, file=name)]
    known = _headers(about)
    split = {d: _cells(line, d) for d in (",", "\t")}
    delimiter = max(split, key=lambda d: sum(c.lower() in known for c in split[d]))
    cells = split[delimiter]
    if not any(cell.lower() in known for cell in cells):
        return None, [Fault("S18", detail=_why_unknown(name, line, known), table=about, file=name, row_no=1)]
    header = tuple(known.get(cell.lower()) for cell in cells)
    faults = _header_faults(about, name, header)
    if empty and not tables()[about].optional:
        faults.append(Fault("S14", detail=f"{name} 只有表头", table=about, file=name))
    if faults or empty:
        return None, faults
    unknown = tuple(c for c, h in zip(cells, header, strict=True) if h is None and c)
    return TableFile(about, name, path, delimiter, header, unknown), []


def _cells(line: str, delimiter: str) -> list[str]:
    """Split a header; one that csv cannot split has no cell."""
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return []


def _why_unknown(name: str, line: str, known: dict[str, str]) -> str:
    for delimiter, zh in OTHER_DELIMITERS.items():
        if sum(cell.lower() in known for cell in _cells(line, delimiter)) > 1:
            return f"{name} 用{zh}分隔"
    if "\r" in line:
        return f"{name} 用回车(CR)换行,应为换行符"
    return f"{name} 首行没有一个规定的字段名"


def broken_row(file: TableFile) -> int | None:
    """Say in which row a file's quotes go wrong; None when that cannot be told.

    Only for a file that could not be read: rows are walked one by one.
    """
    with file.path.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.reader(lines, delimiter=file.delimiter, strict=True)
        good = 0
        try:
            for _ in rows:
                good += 1
        except csv.Error:
            return good + 1
    with file.path.open("rb") as reader:
        return next((n for n, line in enumerate(reader, start=1) if line.count(b'"') % 2), None)


def _header_faults(about: str, name: str, header: tuple[str | None, ...]) -> list[Fault]:
    given = [h for h in header if h]
    faults = [
        Fault("S19", detail=f"{name} 的 {column}", table=about, file=name, row_no=1)
        for column in sorted({h for h in given if given.count(h) > 1})
    ]
    missing = [c.name for c in tables()[about].columns if c.present and c.name not in given]
    if missing:
        zh = tables()[about].zh
        detail = f"{'、'.join(missing)}({name})"
        faults.append(Fault("S10", detail=detail, expected=zh, table=about, file=name, row_no=1))
    return faults


def _parquet(about: str, name: str, path: Path) -> tuple[TableFile | None, list[Fault]]:
    try:
        metadata = pq.read_metadata(path)
        schema = metadata.schema.to_arrow_schema()
    except (pa.ArrowException, OSError):
        return None, [Fault("S01", detail=f"{name} 不是完整的 Parquet 文件", table=about, file=name)]
    known = _headers(about)
    header = tuple(known.get(n.lower()) for n in schema.names)
    faults = _header_faults(about, name, header)
    empty = metadata.num_rows == 0
    if empty and not tables()[about].optional:
        faults.append(Fault("S14", detail=f"{name} 没有数据行", table=about, file=name))
    if faults or empty:
        return None, faults
    unknown = tuple(n for n, h in zip(schema.names, header, strict=True) if h is None)
    types = tuple(f"{field.name} {field.type}" for field in schema)
    return TableFile(about, name, path, "", header, unknown, types), []
