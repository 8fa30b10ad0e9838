"""Reading a workbook as text, once it is known to be harmless."""

from __future__ import annotations

import html
import re
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import fastexcel
import polars as pl

from settlement.untrusted import archives
from settlement.untrusted.archives import LIMITS, Limits, Refused

CHUNK = 1 << 20
OVERLAP = 4096
# A reader lays a sheet out from its first to its last cell, so one stray cell far out would take all
# memory. Either few rows or few columns: beyond 702 columns, or beyond 104 with 100,000 rows or more.
REF = rb"\sr\s*=\s*[\"']"
WIDEST = re.compile(REF + rb"[A-Za-z]{3}")
WIDE = re.compile(REF + rb"[D-Zd-z][A-Za-z][0-9]")
TALL = re.compile(REF + rb"[A-Za-z]*[0-9]{6}")
SHEET = re.compile(r"<(?:\w+:)?sheet\s[^>]*>")
RELATION = re.compile(r"<(?:\w+:)?Relationship\s[^>]*>")
ERROR_CELL = re.compile(
    rb"<(?:\w+:)?c(?=[^>]*\st=\"e\")[^>]*\sr=[\"']([A-Z]+)([0-9]+)[\"'][^>]*>"
    rb"(?:<(?:\w+:)?f[^<]*(?:</(?:\w+:)?f>)?)?<(?:\w+:)?v>([^<]*)"
)
MIDNIGHT = r"^([0-9]{4}-[0-9]{2}-[0-9]{2}) 00:00:00$"


class Unreadable(Exception):
    """A workbook cannot be read; the text says what the reader called it."""


def refused(path: Path, limits: Limits = LIMITS) -> Refused | None:
    """Return why a workbook must not be read, or None.

    Raises:
        OSError, or one of `archives.DAMAGED`: it is no archive, or broken.
    """
    with zipfile.ZipFile(path) as archive:
        found = archives.refused(archive, path.stat().st_size, limits)
        if found is None and is_vast(archive):
            return Refused("S02", "工作表行列过多,请改用 CSV")
    return found


def is_vast(archive: zipfile.ZipFile) -> bool:
    """True when a sheet spans more cells than can safely be laid out."""
    for name in archive.namelist():
        if name.endswith("sharedStrings.xml"):
            continue
        wide = tall = False
        for block in blocks(archive, name):
            wide = wide or WIDE.search(block) is not None
            tall = tall or TALL.search(block) is not None
            if (wide and tall) or WIDEST.search(block):
                return True
    return False


def blocks(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """Read a member in blocks that overlap, so that no cell is only seen in two halves."""
    tail = b""
    with archive.open(name) as reader:
        while chunk := reader.read(CHUNK):
            yield tail + chunk
            tail = chunk[-OVERLAP:]


def frames(path: Path) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield (sheet name, cells) per sheet: text as it is shown, dates without a time as dates.

    The first row of a frame is row 1 of the sheet; an error value such as #N/A is text like any other.

    Raises:
        Unreadable: the workbook, or one of its sheets, is damaged.
    """
    try:
        book = fastexcel.read_excel(path)
        errors = _error_cells(path)
        for sheet in book.sheet_names:
            frame = book.load_sheet(sheet, header_row=None, skip_rows=0, dtypes="string").to_polars()
            whole = _with_errors(frame, errors.get(sheet, {}))
            yield sheet, whole.with_columns(pl.all().str.replace(MIDNIGHT, "${1}"))
    except fastexcel.FastExcelError as error:
        raise Unreadable(type(error).__name__) from error


def sheets(path: Path, work: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    """Yield (sheet name, text file in `work`) per sheet, blank rows above the header left out.

    Raises:
        Unreadable: as `frames`.
    """
    for order, (sheet, frame) in enumerate(frames(path)):
        target = work / f"{prefix}_{order:03d}.csv"
        _from_first_row(frame).write_csv(target, include_header=False)
        yield sheet, target


def _from_first_row(frame: pl.DataFrame) -> pl.DataFrame:
    filled = frame.select(pl.any_horizontal(pl.all().is_not_null()).arg_max()).item() if frame.height else 0
    return frame.slice(filled or 0)


def _error_cells(path: Path) -> dict[str, dict[str, dict[int, str]]]:
    """Find cells that hold an error value such as #N/A, which the reader would take for empty.

    Returns:
        By sheet name and column letters: row index to error value.
    """
    found: dict[str, dict[str, dict[int, str]]] = {}
    with zipfile.ZipFile(path) as archive:
        for sheet, member in members(archive).items():
            cells: dict[str, dict[int, str]] = defaultdict(dict)
            for block in blocks(archive, member):
                if b't="e"' not in block:
                    continue
                for letters, row, value in ERROR_CELL.findall(block):
                    cells[letters.decode()][int(row) - 1] = html.unescape(value.decode("utf-8", "replace"))
            found[sheet] = cells
    return found


def members(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return the archive member of each sheet by the sheet's name."""
    names = set(archive.namelist())
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
        return {}
    relations = archive.read("xl/_rels/workbook.xml.rels").decode("utf-8", "replace")
    targets = {_value(r, "Id"): _value(r, "Target") for r in RELATION.findall(relations)}
    listed = SHEET.findall(archive.read("xl/workbook.xml").decode("utf-8", "replace"))
    places = {_value(s, "name"): targets.get(_value(s, r"\w+:id"), "") for s in listed}
    whole = {n: t.removeprefix("/") if t.startswith("/") else f"xl/{t}" for n, t in places.items()}
    return {name: member for name, member in whole.items() if member in names}


def _value(tag: str, attribute: str) -> str:
    match = re.search(rf"\s{attribute}\s*=\s*[\"']([^\"']*)[\"']", tag)
    return html.unescape(match[1]) if match else ""


def _with_errors(frame: pl.DataFrame, cells: dict[str, dict[int, str]]) -> pl.DataFrame:
    """Put error values where the reader left cells empty; the frame starts at A1."""
    for letters, values in cells.items():
        place = place_of(letters)
        if place >= frame.width or max(values) >= frame.height:
            continue
        column = frame.to_series(place)
        rows = [row for row in values if column[row] is None]
        frame = frame.with_columns(column.scatter(rows, [values[row] for row in rows]))
    return frame


def place_of(letters: str) -> int:
    """Return the index of a column: 0 for A, 27 for AB."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
