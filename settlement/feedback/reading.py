"""Reading the files that came back: which cell holds which finding's answer, nothing judged yet."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
from xlsxwriter.utility import xl_col_to_name

from settlement.feedback.columns import ANSWERS, LOCKED, NO_FINDINGS, STATED, headers, keys, plain
from settlement.feedback.model import FILE, HEADING, PROBLEM, TEXT, Read
from settlement.feedback.opening import NotReadable, Sheet, open_file
from settlement.feedback.reasons import MERGED, UNREADABLE
from settlement.labels import EN, label

KEYS = [*keys(LOCKED), *keys(ANSWERS)]
ANSWER_SCHEMA = {
    "file": TEXT,
    "sheet": TEXT,
    "row_no": pl.Int64(),
    **dict.fromkeys([*KEYS, *STATED[:2]], TEXT),
}
# What makes a row a header, and how far down it is looked for.
NEEDED = ("finding_id", "answer")
HEADER_WITHIN = 30
# The sign for text that a CSV file needs where a spreadsheet would make a number or formula of it.
TEXT_SIGN = r"^'([=+\-@\d])"
NO_HEADER = "找不到表头(疑点号、机构意见)"
FINDING_SHEETS = frozenset(
    label(f"sheet.{kind}", lang) for kind in ("violation", "suspect") for lang in ("zh", EN)
)


@dataclass
class _Found:
    """What one file after the other adds."""

    answers: list[pl.DataFrame] = field(default_factory=list)
    files: list[tuple[object, ...]] = field(default_factory=list)
    headings: list[tuple[str, ...]] = field(default_factory=list)
    problems: list[tuple[str, ...]] = field(default_factory=list)


def read_replies(paths: list[Path]) -> Read:
    """Read workbooks (.xlsx) and CSV files (UTF-8 or GB18030) that institutions sent back.

    A file that cannot be read is a problem, never an exception, and harms no other. Only rows in which
    somebody wrote an answer, amount, reason or evidence are given.

    Args:
        paths: the files; one given twice is read once.
    """
    found = _Found()
    with tempfile.TemporaryDirectory() as work:
        for name, path in _named(paths).items():
            try:
                _read_file(name, path, Path(work), found)
            except NotReadable as error:
                found.problems.append((name, "", UNREADABLE, str(error)))
    return Read(
        answers=pl.concat([pl.DataFrame(schema=ANSWER_SCHEMA), *found.answers]),
        files=pl.DataFrame(found.files, schema=FILE, orient="row"),
        headings=pl.DataFrame(found.headings, schema=HEADING, orient="row"),
        problems=pl.DataFrame(found.problems, schema=PROBLEM, orient="row"),
    )


def _named(paths: list[Path]) -> dict[str, Path]:
    """Name each file by as little of its path as tells it from the others."""
    unique = list({path.resolve(): path for path in paths}.values())
    forms = [
        [path.name, f"{path.absolute().parent.name}/{path.name}", str(path.absolute())] for path in unique
    ]
    counts = Counter(form for three in forms for form in three)
    return {next(f for f in three if counts[f] == 1): p for three, p in zip(forms, unique, strict=True)}


def _read_file(name: str, path: Path, work: Path, found: _Found) -> None:
    tables: list[tuple[Sheet, int, dict[str, int]]] = []
    stated: dict[str, str] = {}
    for sheet in open_file(path, work):
        header = _header(sheet.cells)
        if header is None:
            stated |= _stated(sheet.cells)
            _missed(name, sheet, found)
        else:
            tables.append((sheet, *header))
    if not tables and stated.get("digest") != NO_FINDINGS:
        raise NotReadable(NO_HEADER)
    rows = answered = 0
    for sheet, at, places in tables:
        body = _body(sheet, at, places)
        rows += body["finding_id"].count()
        stated = {**_first(body), **stated}
        written = _without_merged(name, sheet, _written(body), at, found)
        answered += written.height
        by_file = [pl.col(n).fill_null(pl.lit(stated.get(n), TEXT)) for n in STATED[:2]]
        place = written.with_columns(*by_file, file=pl.lit(name), sheet=pl.lit(sheet.name))
        found.answers.append(place.select(list(ANSWER_SCHEMA)))
        found.headings += _headings(name, sheet, at, places)
    lang = _language(tables) or stated.get("lang", "zh")
    told = {**stated, "file": name, "path": str(path), "lang": lang, "rows": rows, "answered": answered}
    found.files.append(tuple(told.get(column) for column in FILE))


def _missed(name: str, sheet: Sheet, found: _Found) -> None:
    """Tell of a sheet of findings whose header is gone: its answers must not be taken for silence."""
    if not sheet.cells.is_empty() and sheet.name.split(" ")[0] in FINDING_SHEETS:
        found.problems.append((name, sheet.name, UNREADABLE, NO_HEADER))


def _header(cells: pl.DataFrame) -> tuple[int, dict[str, int]] | None:
    """Return the index of the header row and where each known column stands, None without one."""
    known = headers()
    for index, row in enumerate(cells.head(HEADER_WITHIN).iter_rows()):
        places: dict[str, int] = {}
        for place, text in enumerate(row):
            key = known.get(plain(text or ""))
            if key:
                places.setdefault(key, place)
        if all(name in places for name in NEEDED):
            return index, places
    return None


def _stated(cells: pl.DataFrame) -> dict[str, str]:
    """Return what a page of labels and values says: whose workbook, which notice, filled in by whom."""
    known = {**headers(), "lang": "lang"}
    found: dict[str, str] = {}
    for row in cells.head(1000).iter_rows():
        texts = [text.strip() for text in row if text and text.strip()]
        key = known.get(plain(texts[0])) if len(texts) > 1 else None
        if key in (*STATED, "lang"):
            found.setdefault(key, texts[1])
    return found


def _body(sheet: Sheet, at: int, places: dict[str, int]) -> pl.DataFrame:
    """Return the rows under the header by key, trimmed, empty cells null, with their row number."""
    names = sheet.cells.columns
    trimmed = [pl.col(names[place]).str.strip_chars().alias(key) for key, place in places.items()]
    absent = [pl.lit(None, TEXT).alias(key) for key in (*KEYS, *STATED) if key not in places]
    rows = sheet.cells.select(trimmed).with_columns(absent).with_row_index("row_no", offset=1)
    marked = [pl.col(key).str.replace(TEXT_SIGN, "${1}") for key in keys(LOCKED)]
    blank_to_null = [pl.when(pl.col(key) != "").then(pl.col(key)).alias(key) for key in (*KEYS, *STATED)]
    return (
        rows.slice(at + 1).with_columns(pl.col("row_no").cast(pl.Int64), *marked).with_columns(blank_to_null)
    )


def _first(body: pl.DataFrame) -> dict[str, str]:
    """Return the first of what every row of a CSV file states."""
    firsts = body.select(pl.col(name).drop_nulls().first() for name in STATED[2:]).row(0, named=True)
    return {name: value for name, value in firsts.items() if value}


def _written(body: pl.DataFrame) -> pl.DataFrame:
    return body.filter(pl.any_horizontal(pl.col(key).is_not_null() for key in keys(ANSWERS)))


def _without_merged(name: str, sheet: Sheet, rows: pl.DataFrame, at: int, found: _Found) -> pl.DataFrame:
    """Leave out rows that merged cells cover: what was meant for the rows below the first is not known."""
    for merge in sheet.merges:
        if merge.last > at + 1:
            found.problems.append((name, f"{sheet.name}!{merge.name}", MERGED, ""))
            rows = rows.filter(~pl.col("row_no").is_between(merge.first, merge.last))
    return rows


def _headings(name: str, sheet: Sheet, at: int, places: dict[str, int]) -> list[tuple[str, ...]]:
    """Say for each column what stands before and after the row number in the place of a cell."""
    if sheet.name:
        return [
            (name, sheet.name, key, f"{sheet.name}!{xl_col_to_name(sheet.column + place)}", "")
            for key, place in places.items()
        ]
    header = sheet.cells.row(at)
    return [(name, "", key, "第 ", f" 行 {header[place].strip()}") for key, place in places.items()]


def _language(tables: list[tuple[Sheet, int, dict[str, int]]]) -> str:
    """Return the language of a header, which is that of the words below it."""
    english = plain(label("reply.finding_id", EN))
    for sheet, at, places in tables:
        return EN if plain(sheet.cells.row(at)[places["finding_id"]] or "") == english else "zh"
    return ""
