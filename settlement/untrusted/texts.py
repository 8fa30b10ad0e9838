"""Judging a text file by its bytes, and making UTF-8 of it where it is GB18030."""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

CHUNK = 1 << 20
LONGEST_LINE = CHUNK
# A whole line of ASCII and UTF-8 Chinese: ideographs, their punctuation, full-width forms.
UTF8_CHINESE = re.compile(
    rb"(?m)^[\x00-\x09\x0b-\x7f]*+(?:(?:\xe3[\x80-\x8f]|[\xe4-\xe9\xef][\x80-\xbf])[\x80-\xbf]"
    rb"[\x00-\x09\x0b-\x7f]*+)++$"
)


@dataclass(frozen=True)
class BadBytes:
    """Where a file stops being text: S11 to S13 of `schemas.reasons`, in which row (the first is row 1)."""

    reason: str
    detail: str
    row_no: int


def as_utf8(path: Path, work: Path) -> tuple[Path, BadBytes | None]:
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
