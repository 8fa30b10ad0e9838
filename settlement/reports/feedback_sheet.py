"""04_初审反馈单 and 05_申诉表: what an institution is told of the audit, and where it answers.

Every finding needs an answer, so every one is listed. Key columns are locked without a password: that
keeps honest people from slips, and what comes back is compared with what was sent anyway.
"""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
from xlsxwriter.utility import xl_col_to_name

from settlement.feedback.columns import (
    ANSWERS,
    CODE,
    LOCKED,
    NUMBERS,
    answer_words,
    csv_headers,
    findings,
    keys,
    sheet_columns,
)
from settlement.feedback.model import Letter
from settlement.labels import label
from settlement.reports import asking, pooled
from settlement.reports.asking import INPUT
from settlement.reports.frames import by_code, cells, csv_frame, write_csv
from settlement.reports.prepare import folder_name
from settlement.reports.tables import LINE, LINE_HEIGHT, Book, Column, Grid, Sheet, day_text, lines
from settlement.reports.vocabulary import code_label

FILE, CSV_FILE = "04_初审反馈单.xlsx", "05_申诉表.csv"
# The sheet that says in fixed words whose workbook this is; nobody needs to see it.
IDENTITY = "_settle"
GRADES = (("违规", "sheet.violation"), ("可疑", "sheet.suspect"))
ROWS_PER_SHEET = 1_000_000
INPUT_HEAD, LACKING = "#F6E3A1", "#F7B977"
WIDTHS = (18, 22, 22, 16, 62)
# Half-width characters of the larger letter type that fit across the page.
ROOM = 126
HEIGHT = "height"
Pair = tuple[Letter, pl.DataFrame]


def write_letters(
    letters: list[Letter],
    sent: pl.DataFrame,
    folder: Path,
    processes: int = 2,
    progress: pooled.Progress | None = None,
) -> list[Path]:
    """Write the feedback workbook of every institution, and the CSV form where there are findings.

    Args:
        letters: one per institution; one without findings gets a workbook that says so.
        sent: findings as sent, of all institutions, persons not yet masked.
        folder: the month's folder; an institution's own is `institutions/<fixmedins_code>/` in it.
        processes: worker processes for many institutions.
        progress: called with institutions done and institutions in all.

    Returns:
        The files written, in order. The same letters and findings give the same bytes.
    """
    write = partial(write_some, target=folder / "institutions")
    with pooled.workers(write, len(letters), processes) as pool:
        results = pooled.begin(pool, write, _paired(letters, sent))
        return sorted(pooled.collect(results, len(letters), progress))


def _paired(letters: list[Letter], sent: pl.DataFrame) -> list[Pair]:
    """Word, sort and divide the findings once; the largest institutions come first."""
    paired: list[Pair] = []
    for lang in sorted({letter.lang for letter in letters}):
        shown = _tall(_ordered(findings(sent, lang)), lang)
        mine = by_code(shown[CODE], shown)
        none = shown.clear()
        paired += [(one, mine.get(one.fixmedins_code, none)) for one in letters if one.lang == lang]
    return sorted(paired, key=lambda pair: (-pair[1].height, pair[0].fixmedins_code))


def _ordered(shown: pl.DataFrame) -> pl.DataFrame:
    order = [
        CODE,
        pl.col("grade") != GRADES[0][0],
        "rule_id",
        "limit_amt",
        "setl_id",
        "bkkp_sn",
        "finding_id",
    ]
    down = [False, False, False, True, False, False, False]
    return shown.sort(order, descending=down, nulls_last=True)


def _tall(shown: pl.DataFrame, lang: str) -> pl.DataFrame:
    """Add the height of each row: programs differ in fitting a row to its text, so it is written."""
    folds = [
        ((pl.col(c.key).str.len_bytes() + pl.col(c.key).str.len_chars()) / 2 / max(c.width - 1.5, 1)).ceil()
        for c in sheet_columns(lang)
        if c.kind == "wrap" and c.key in shown.columns
    ]
    count = pl.max_horizontal(*folds).fill_null(1).clip(1, 25)
    return shown.with_columns((count * LINE_HEIGHT + 4).alias(HEIGHT))


def write_some(pairs: list[Pair], target: Path) -> list[Path]:
    """Write the files of some institutions, each with its own findings, into folders in `target`."""
    written = []
    for letter, mine in pairs:
        folder = target / folder_name(letter.fixmedins_code)
        written.append(_workbook(letter, mine, folder))
        if mine.height:
            written.append(_csv(letter, mine, folder))
    return written


def _csv(letter: Letter, mine: pl.DataFrame, folder: Path) -> Path:
    headers = csv_headers(letter.lang)
    stated = {name: getattr(letter, name) for name in (CODE, "notice_no", "digest")}
    grades = {kind: code_label("grade", kind, letter.lang) for kind, _ in GRADES}
    blank = [pl.lit("").alias(name) for name in headers if name not in {*mine.columns, *stated}]
    filled = mine.with_columns(
        *blank,
        *(pl.lit(value).alias(name) for name, value in stated.items()),
        grade=pl.col("grade").replace(grades),
    )
    # An id of digits, or digits around an E, would come back from a spreadsheet rounded.
    number_like = pl.col("finding_id").str.contains(r"^\d+([eE]\d+)?$")
    safe = pl.when(number_like).then("'" + pl.col("finding_id")).otherwise("finding_id")
    return write_csv(csv_frame(filled.with_columns(finding_id=safe), headers), folder / CSV_FILE)


def _workbook(letter: Letter, mine: pl.DataFrame, folder: Path) -> Path:
    title = label("reply.doc", letter.lang)
    book = Book(folder / FILE, title, letter.month, mine.height)
    first = book.sheet(label("reply.sheet", letter.lang), lang=letter.lang)
    parts = [(kind, label(key, letter.lang), mine.filter(grade=kind)) for kind, key in GRADES]
    filled: dict[str, str] = {}
    for kind, name, rows in parts:
        for at in range(0, rows.height, ROWS_PER_SHEET):
            sheet_name = name if at == 0 else f"{name} {at // ROWS_PER_SHEET + 1}"
            span = _list(book, sheet_name, rows[at : at + ROWS_PER_SHEET], letter)
            filled[kind] = f"{filled[kind]}+COUNTA({span})" if kind in filled else f"=COUNTA({span})"
    totals = [(kind, *_sum(rows), filled.get(kind, "=0")) for kind, _, rows in parts]
    _read_me(book, first, letter, totals)
    _identity(book, letter)
    return book.close()


def _sum(rows: pl.DataFrame) -> tuple[int, Decimal]:
    return rows.height, Decimal(rows["limit_amt"].sum())


def _identity(book: Book, letter: Letter) -> None:
    sheet = book.book.add_worksheet(IDENTITY, Sheet)
    sheet.very_hidden()
    sheet.protect()
    known = {name: getattr(letter, name) for name in ("region", CODE, "notice_no", "digest", "lang")}
    for row, (name, value) in enumerate({**known, "month": f"{letter.month:%Y-%m}"}.items()):
        sheet.write_string(row, 0, name)
        sheet.write_string(row, 1, value)


# ---- a sheet of findings ----


def _list(book: Book, name: str, rows: pl.DataFrame, letter: Letter) -> str:
    """Write one sheet of findings; gives the range of its answers."""
    columns = sheet_columns(letter.lang)
    sheet = book.sheet(name, lang=letter.lang)
    sheet.set_margins(left=0.25, right=0.25, top=0.4, bottom=0.5)
    grid = Grid(book, sheet, columns)
    for i, column in enumerate(columns[len(LOCKED) :], start=len(LOCKED)):
        sheet.set_column(i, i, column.width, _input(book, column))
    grid.heading(f"{label('reply.doc', letter.lang)} · {name}", _subtitle(letter))
    count, amount = _sum(rows)
    values = {"count": f"{count:,}", "amount": f"{amount:,.2f}", "day": day_text(letter.answer_by)}
    grid.note(label("reply.top", letter.lang).format(**values))
    _header(book, grid)
    first = grid.row
    _body(book, sheet, first, rows)
    grid.row += rows.height
    _asked(book, sheet, (first, grid.row - 1), letter.lang)
    grid.finish()
    sheet.print_area(0, 0, grid.row - 1, len(columns) - 1)
    asking.lock(sheet)
    answer = xl_col_to_name(len(LOCKED))
    return f"'{name}'!{answer}{first + 1}:{answer}{grid.row}"


def _subtitle(letter: Letter) -> str:
    month = label("msg.month", letter.lang).format(year=letter.month.year, month=letter.month.month)
    name = f"{letter.fixmedins_name}({letter.fixmedins_code})"
    notice = f"{label('reply.notice_no', letter.lang)} {letter.notice_no}"
    return " · ".join((letter.label, name, month, notice, label("msg.unit", letter.lang)))


def _input(book: Book, column: Column) -> Any:  # noqa: ANN401 - xlsxwriter has no types
    """Return the format of a column to fill in: unlocked, and text stays as it is typed."""
    typed = {} if column.kind == "money" else {"num_format": "@"}
    return book.format(column.kind, locked=0, **typed)


def _header(book: Book, grid: Grid) -> None:
    at = grid.row
    grid.header(height=32, frozen_columns=1)
    for i, column in enumerate(grid.columns[len(LOCKED) :], start=len(LOCKED)):
        grid.sheet.write_string(at, i, column.header, book.format("header", bg_color=INPUT_HEAD))


def _body(book: Book, sheet: Any, first: int, rows: pl.DataFrame) -> None:  # noqa: ANN401
    """Write the locked cells, row by row; the cells to fill in take their column's format."""
    shown = cells(rows.select(HEIGHT, *keys(LOCKED)))
    writers = [
        (sheet.write_number if key in NUMBERS else sheet.write_string, i, book.format(kind))
        for i, (key, kind, _) in enumerate(LOCKED)
    ]
    tall = sheet.set_row
    for at, (height, *values) in enumerate(shown.iter_rows(), start=first):
        tall(at, height)
        for value, (write, i, style) in zip(values, writers, strict=True):
            if value is not None and value != "":
                write(at, i, value, style)


def _asked(book: Book, sheet: Any, span: tuple[int, int], lang: str) -> None:  # noqa: ANN401
    """Say what the cells to fill in accept, and colour them; orange where a reason is lacking."""
    first, last = span
    answer, agreed, reason, end = range(len(LOCKED), len(LOCKED) + len(ANSWERS))
    words = answer_words(lang)
    wrong = label("reply.bad_answer", lang).format(answers="、".join(words))
    asking.choice(sheet, (first, answer, last, answer), words, error_message=wrong)
    wrong = label("reply.bad_amount", lang)
    asking.amount(sheet, (first, agreed, last, agreed), len(LOCKED) - 1, error_message=wrong)
    chosen = f"${xl_col_to_name(answer)}{first + 1}"
    said = f"${xl_col_to_name(reason)}{first + 1}"
    lacking = f'=AND(OR({chosen}="{words[1]}",{chosen}="{words[2]}"),LEN(TRIM({said}))=0)'
    for area, formula, colour in (
        ((first, reason, last, reason), lacking, LACKING),
        ((first, answer, last, end), "=TRUE", INPUT),
    ):
        style = book.book.add_format({"bg_color": colour, "border": 1, "border_color": LINE})
        sheet.conditional_format(*area, {"type": "formula", "criteria": formula, "format": style})
    sheet.ignore_errors({"number_stored_as_text": f"A{first + 1}:{xl_col_to_name(end)}{last + 1}"})


# ---- the page that explains ----


def _read_me(book: Book, sheet: Any, letter: Letter, totals: list[tuple[str, int, Decimal, str]]) -> None:  # noqa: ANN401
    for i, width in enumerate(WIDTHS):
        sheet.set_column(i, i, width)
    lang = letter.lang
    count, amount = sum(t[1] for t in totals), sum((t[2] for t in totals), Decimal(0))
    _across(sheet, 0, f"{letter.label} · {label('reply.doc', lang)}", 34, book.format("centre_title"))
    to = label("msg.to", lang).format(name=letter.fixmedins_name, code=letter.fixmedins_code)
    _across(sheet, 1, to, 24, book.format("text", bold=True, font_size=12))
    month = label("msg.month", lang).format(year=letter.month.year, month=letter.month.month)
    values = {
        "month": month, "count": f"{count:,}", "amount": f"{amount:,.2f}",
        "day": day_text(letter.answer_by), "days": letter.answer_days,
    }  # fmt: skip
    row = _paragraphs(
        book, sheet, 2, [label("reply.what_found" if count else "reply.nothing_found", lang)], values
    )
    if count:
        row = _totals(book, sheet, row, totals, lang)
        row = _part(book, sheet, row, label("reply.how", lang))
        names = ("where", "answer", "reason", "grades", "send")
        texts = [*(label(f"reply.how_{name}", lang) for name in names), label("reply.silence", lang)]
        row = _paragraphs(book, sheet, row, texts, values)
        row = _fill_in(book, sheet, row, lang)
    _facts(book, sheet, row, letter, day_text(letter.answer_by) if count else "")
    sheet.fit_to_pages(1, 1)
    sheet.protect()


def _across(sheet: Any, row: int, text: str, height: float, style: Any) -> None:  # noqa: ANN401
    sheet.set_row(row, height)
    sheet.merge_range(row, 0, row, len(WIDTHS) - 1, "", style)
    sheet.write_string(row, 0, text, style)


def _part(book: Book, sheet: Any, row: int, text: str) -> int:  # noqa: ANN401
    _across(sheet, row, text, 24, book.format("part"))
    return row + 1


def _paragraphs(book: Book, sheet: Any, row: int, texts: list[str], values: dict[str, Any]) -> int:  # noqa: ANN401
    for at, text in enumerate((text.format(**values) for text in texts), start=row):
        _across(sheet, at, text, 17.0 * lines(text, ROOM) + 5, book.format("paragraph"))
    return row + len(texts)


def _totals(book: Book, sheet: Any, row: int, totals: list[tuple[str, int, Decimal, str]], lang: str) -> int:  # noqa: ANN401
    """Write findings and money by grade, and how many are filled in, which the workbook counts itself."""
    row = _part(book, sheet, row, label("reply.totals", lang))
    for i, key in enumerate(("grade", "count", "amount", "filled")):
        sheet.write_string(row, i, label(f"reply.{key}", lang), book.format("header"))
    first = row + 2
    total = (
        label("msg.total", lang), sum(t[1] for t in totals), sum((t[2] for t in totals), Decimal(0)),
        f"=SUM(D{first}:D{first + len(totals) - 1})",
    )  # fmt: skip
    for kind, count, amount, filled in (*totals, total):
        row += 1
        sheet.write_string(row, 0, code_label("grade", kind, lang), book.box("centre"))
        sheet.write_number(row, 1, count, book.box("count"))
        sheet.write_number(row, 2, amount, book.box("money"))
        sheet.write_formula(row, 3, filled, book.box("count"), 0)
    return row + 1


def _fill_in(book: Book, sheet: Any, row: int, lang: str) -> int:  # noqa: ANN401
    row = _part(book, sheet, row, label("reply.fill_in", lang))
    for name, form in (("filled_by", "@"), ("filled_on", "yyyy-mm-dd")):
        sheet.set_row(row, 22)
        sheet.write_string(row, 0, label(f"reply.{name}", lang), book.box("text", bold=True))
        style = book.box("text", locked=0, bg_color=INPUT, num_format=form)
        sheet.write_blank(row, 1, None, style)
        row += 1
    return row


def _facts(book: Book, sheet: Any, row: int, letter: Letter, answer_by: str) -> None:  # noqa: ANN401
    facts = {
        "sent_on": day_text(letter.sent_on), "answer_by": answer_by,
        "deadline_on": day_text(letter.deadline_on), "contact": letter.contact,
        "fixmedins_code": letter.fixmedins_code, "notice_no": letter.notice_no, "digest": letter.digest,
    }  # fmt: skip
    row += 1
    for name, value in facts.items():
        if value:
            sheet.write_string(row, 0, label(f"reply.{name}", letter.lang), book.format("text", bold=True))
            sheet.write_string(row, 1, value, book.format("text"))
            row += 1
    sheet.write_string(row, 0, label("reply.keep", letter.lang), book.format("subtitle"))
