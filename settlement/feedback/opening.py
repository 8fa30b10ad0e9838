"""Opening a file that came back: a workbook or CSV as sheets of text; nothing in it is trusted.

The same judgement as on submissions: archives are judged before they are read, text by its bytes.
"""

from __future__ import annotations

import csv
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from settlement.untrusted import archives, workbooks
from settlement.untrusted.archives import DAMAGED, OLE_HEADER, Limits
from settlement.untrusted.texts import as_utf8

LIMITS = Limits(members=500, member_bytes=2 << 30, total_bytes=4 << 30)
LARGEST_FILE = 1 << 30
MOST_ROWS = 1_048_576
MERGE = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*ref=\"([A-Z]+)([0-9]+):([A-Z]+)([0-9]+)\"")
# A cell with something in it; one that only has a format closes itself.
FILLED = re.compile(rb"<(?:\w+:)?c\s(?:[^>]*?\s)?r=\"([A-Z]+)[0-9]+\"(?:[^>]*[^>/])?>")
FEW_LINES = 50
DELIMITERS = ",\t;"


class NotReadable(Exception):
    """A file cannot be read; the text says why."""


@dataclass(frozen=True)
class Merge:
    """A merged range: its name, its first and last row."""

    name: str
    first: int
    last: int


@dataclass(frozen=True)
class Sheet:
    """A sheet as text.

    Attributes:
        name: its name, empty for a CSV file.
        cells: one text column per column; the first row is row 1. Empty cells are null.
        column: column of the first cell, 0 for A.
        merges: merged ranges.
    """

    name: str
    cells: pl.DataFrame
    column: int = 0
    merges: tuple[Merge, ...] = ()


def open_file(path: Path, work: Path) -> list[Sheet]:
    """Return the sheets of a file.

    Args:
        path: the file; never changed.
        work: folder for a UTF-8 copy of a GB18030 file.

    Raises:
        NotReadable: it is no workbook or CSV file, damaged, locked, unsafe, or too large.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise NotReadable(f"文件超过 {LARGEST_FILE >> 20} MB")
        if path.stat().st_size == 0:
            raise NotReadable("空文件")
        suffix = path.suffix.lower()
        if suffix in (".csv", ".txt", ".tsv"):
            return [_text(path, work)]
        if suffix != ".xlsx":
            raise NotReadable(f"不支持的文件类型 {suffix or '(无扩展名)'}")
        return _workbook(path)
    except DAMAGED as error:
        raise NotReadable(f"文件已损坏或不完整({type(error).__name__})") from error
    except OSError as error:
        raise NotReadable(f"无法打开({type(error).__name__})") from error


def _workbook(path: Path) -> list[Sheet]:
    with path.open("rb") as reader:
        if reader.read(8).startswith(OLE_HEADER):
            raise NotReadable("工作簿已加密或为旧版格式")
    with zipfile.ZipFile(path) as archive:
        _judge(archive, path.stat().st_size)
        shape = {name: _shape(archive, member) for name, member in workbooks.members(archive).items()}
    try:
        sheets = [Sheet(name, cells, *shape.get(name, ())) for name, cells in workbooks.frames(path)]
    except workbooks.Unreadable as error:
        raise NotReadable(f"工作簿无法读取({error})") from error
    if long := next((sheet.name for sheet in sheets if sheet.cells.height > MOST_ROWS), None):
        raise NotReadable(f"工作表 {long} 超过 {MOST_ROWS} 行")
    if all(sheet.cells.is_empty() for sheet in sheets):
        raise NotReadable("工作簿是空的")
    return sheets


def _judge(archive: zipfile.ZipFile, packed: int) -> None:
    if refused := archives.refused(archive, packed, LIMITS):
        raise NotReadable(refused.detail)
    if any(name.lower().endswith("vbaproject.bin") for name in archive.namelist()):
        raise NotReadable("工作簿含宏")
    # Reads every member to its end, so one longer than it says is found before the reader unpacks it.
    broken = archive.testzip()
    if broken:
        raise NotReadable(f"{broken} 已损坏")
    if workbooks.is_vast(archive):
        raise NotReadable("工作表行列过多")


def _shape(archive: zipfile.ZipFile, member: str) -> tuple[int, tuple[Merge, ...]]:
    """Return the column of a sheet's first cell, which the reader leaves out, and its merged ranges."""
    first: int | None = None
    merges: dict[bytes, Merge] = {}
    for block in workbooks.blocks(archive, member):
        if first != 0:
            found = {workbooks.place_of(letters.decode()) for letters in set(FILLED.findall(block))}
            first = min({*found, *([] if first is None else [first])}, default=None)
        for match in MERGE.finditer(block):
            left, top, right, bottom = (part.decode() for part in match.groups())
            merges[match[0]] = Merge(f"{left}{top}:{right}{bottom}", int(top), int(bottom))
    return first or 0, tuple(merges.values())


def _text(path: Path, work: Path) -> Sheet:
    readable, bad = as_utf8(path, work)
    if bad:
        raise NotReadable(f"第 {bad.row_no} 行{bad.detail}")
    delimiter, width = _layout(readable)
    try:
        frame = pl.read_csv(
            readable,
            has_header=False,
            separator=delimiter,
            schema={f"column_{i}": pl.String() for i in range(width)},
            truncate_ragged_lines=True,
            n_rows=MOST_ROWS + 1,
        )
    except pl.exceptions.NoDataError as error:
        raise NotReadable("空文件") from error
    except pl.exceptions.PolarsError as error:
        raise NotReadable("文件结构无法解析,请检查未闭合的引号") from error
    if frame.height > MOST_ROWS:
        raise NotReadable(f"文件超过 {MOST_ROWS} 行")
    return Sheet("", frame)


def _layout(path: Path) -> tuple[str, int]:
    """Return the delimiter and the number of columns, as the first lines have them."""
    with path.open(encoding="utf-8-sig", newline="") as reader:
        lines = [line for _, line in zip(range(FEW_LINES), reader, strict=False)]
    delimiter = max(DELIMITERS, key=lambda d: lines[0].count(d) if lines else 0)
    try:
        width = max((len(row) for row in csv.reader(lines, delimiter=delimiter)), default=0)
    except csv.Error as error:
        raise NotReadable("文件结构无法解析,请检查未闭合的引号") from error
    return delimiter, max(width, 1)
