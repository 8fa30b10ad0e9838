"""Looking at a text file before it is read as a table: bytes, encoding, delimiter, header."""

from __future__ import annotations

import codecs
import csv
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.layout import Table, table
from schemas.submission import SUBMISSION
from settlement.intake.model import Fault, TableFile

CHUNK = 1 << 20
LONGEST_LINE = CHUNK
BOM = codecs.BOM_UTF8
OTHER_DELIMITERS = {";": "分号", "|": "竖线", "^": "尖号", ":": "冒号", ",": "全角逗号", " ": "空格"}
# A whole line of ASCII and UTF-8 Chinese: ideographs, their punctuation, full-width forms.
UTF8_CHINESE = re.compile(
    rb"(?m)^[\x00-\x09\x0b-\x7f]*+(?:(?:\xe3[\x80-\x8f]|[\xe4-\xe9\xef][\x80-\xbf])[\x80-\xbf]"
    rb"[\x00-\x09\x0b-\x7f]*+)++$"
)


@dataclass(frozen=True)
class BadBytes:
    """Where a file stops being text: which fault, in which row (header is row 1)."""

    reason: str
    detail: str
    row_no: int


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
    path, bad = _as_utf8(path, work)
    if bad:
        where = f"{name} 第 {bad.row_no} 行{bad.detail}"
        return None, [Fault(bad.reason, detail=where, table=about, file=name, row_no=bad.row_no)]
    return _header(about, name, path)


def _as_utf8(path: Path, work: Path) -> tuple[Path, BadBytes | None]:
    """Return a UTF-8 file with the same text, or where and why that cannot be done."""
    bad = _scan(path)
    if bad is None or bad.reason != "S11":
        return path, bad
    mixed = _mixed(path)
    if mixed:
        return path, mixed
    # One name per file: files of the same name may lie in several folders of a submission.
    target = work / f"{hashlib.sha256(str(path).encode()).hexdigest()[:24]}.utf8.csv"
    return target, _transcode(path, target)


def _scan(path: Path) -> BadBytes | None:
    """Read the bytes once: NUL, over-long line, invalid UTF-8; a few megabytes in memory."""
    for offset, block in _blocks(path):
        if b"\0" in block:
            at = _row_at(path, offset + block.index(b"\0"))
            utf16 = "(可能是 UTF-16 编码)" if at == 1 else ""
            return BadBytes("S12", f"含空字节{utf16}", at)
        if len(block) > LONGEST_LINE and b"\n" not in block:
            return BadBytes("S13", f"超过 {LONGEST_LINE} 字节", _row_at(path, offset))
        invalid = _invalid(block)
        if invalid is not None:
            return BadBytes("S11", "不是 UTF-8", _row_at(path, offset + invalid))
    return None


def _blocks(path: Path) -> Iterator[tuple[int, bytes]]:
    """Read a file in blocks of whole lines, each with the place of its first byte.

    A line longer than the longest allowed comes in a block of its own, not in full.
    """
    offset, carry = 0, b""
    with path.open("rb") as reader:
        while chunk := reader.read(CHUNK):
            block = carry + chunk
            cut = block.rfind(b"\n") + 1
            if cut == 0 and len(block) <= LONGEST_LINE:
                carry = block
                continue
            whole, carry = (block[:cut], block[cut:]) if cut else (block, b"")
            yield offset, whole
            offset += len(whole)
    if carry:
        yield offset, carry


def _row_at(path: Path, offset: int) -> int:
    """Return the row a byte stands in; counted only when there is something to report."""
    row = 1
    with path.open("rb") as reader:
        while offset > 0 and (block := reader.read(min(CHUNK, offset))):
            row += block.count(b"\n")
            offset -= len(block)
    return row


def _invalid(block: bytes) -> int | None:
    """Return the place of the first byte that is not UTF-8, or None."""
    try:
        pa.array([block], pa.binary()).cast(pa.utf8())
    except pa.ArrowInvalid:
        try:
            block.decode("utf-8")
        except UnicodeDecodeError as error:
            return error.start
    return None


def _mixed(path: Path) -> BadBytes | None:
    """Find a row that is UTF-8 Chinese in a file that as a whole is not UTF-8.

    Some GB18030 names happen to be valid UTF-8 too. They are plain GB2312; what UTF-8 Chinese looks
    like when read as GB2312 is not.
    """
    for offset, block in _blocks(path):
        for line in UTF8_CHINESE.finditer(block):
            try:
                line[0].decode("gb2312")
            except UnicodeDecodeError:
                at = _row_at(path, offset + line.start())
                return BadBytes("S11", "是 UTF-8,而其他行不是:文件混用了两种编码", at)
    return None


def _transcode(path: Path, target: Path) -> BadBytes | None:
    """Write a GB18030 file as UTF-8; gb18030 and not gbk, because names hold rare characters."""
    decoder = codecs.getincrementaldecoder("gb18030")("strict")
    rows = 1
    with path.open("rb") as reader, target.open("w", encoding="utf-8", newline="") as writer:
        while True:
            chunk = reader.read(CHUNK)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                row = rows + error.object[: error.start].count(b"\n")
                return BadBytes("S11", "既不是 UTF-8 也不是 GB18030", row)
            writer.write(text)
            rows += text.count("\n")
            if not chunk:
                return None


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
