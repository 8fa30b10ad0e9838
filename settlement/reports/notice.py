"""受理通知书 and 不予受理通知书: what came of a submission, with every reason at once."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from settlement.reports.dossier import Context, Dossier, Notice
from settlement.reports.tables import Book, Column, Grid, day_text, lines

ACCEPTED = "ACCEPTED"
WIDTHS = (16, 40, 14, 14, 14, 34)
LAST = len(WIDTHS) - 1
# Half-width characters of the larger letter type that fit across the page.
ROOM = 110


def write_notice(notice: Notice, dossier: Dossier, month: Context, folder: Path) -> Path:
    """Write one submission's answer; a second one of the same kind gets `_2` in its name."""
    accepted = notice.submission["status"] == ACCEPTED
    stem = "受理通知书" if accepted else "不予受理通知书"
    suffix = "" if notice.number == 1 else f"_{notice.number}"
    title = month.say("doc.accepted" if accepted else "doc.refused")
    book = Book(folder / f"{stem}{suffix}.xlsx", title, month.month, len(notice.faults))
    _letter(book, title, notice, dossier, month)
    if notice.faults:
        _fault_list(book, notice, month)
    return book.close()


def _letter(book: Book, title: str, notice: Notice, dossier: Dossier, month: Context) -> None:
    sheet = book.sheet(month.say("sheet.notice"), landscape=False, lang=month.lang)
    for i, width in enumerate(WIDTHS):
        sheet.set_column(i, i, width)
    sent = notice.submission
    sheet.set_row(0, 36)
    sheet.merge_range(0, 0, 0, LAST, f"{month.region} · {title}", book.format("centre_title"))
    to = month.say("msg.to", name=dossier.facts["name"], code=dossier.code)
    _across(book, sheet, 1, to, 22, book.format("text", bold=True, font_size=12))
    row = 2
    for text, height in _paragraphs(notice, month):
        _across(book, sheet, row, text, height, book.format("paragraph"))
        row += 1
    row = _counts(book, sheet, row + 1, sent, month)
    if notice.reasons:
        row = _reasons(book, sheet, row + 1, notice, month)
        _across(book, sheet, row, month.say("msg.fault_list"), 20, book.format("subtitle"))
        row += 1
    for key, text in (("msg.ignored", sent["unknown_columns"]), ("msg.notes", sent["notes"])):
        if text:
            style = book.format("subtitle", text_wrap=True, valign="top")
            _across(book, sheet, row, month.say(key) + text, _height(text, 120), style)
            row += 1
    sheet.merge_range(row + 1, 3, row + 1, LAST, month.region, book.format("centre"))
    sheet.merge_range(row + 2, 3, row + 2, LAST, day_text(sent["received_on"]), book.format("centre"))


def _across(book: Book, sheet: Any, row: int, text: str, height: float, style: Any) -> None:  # noqa: ANN401
    """Write a text over the whole width; a merged cell does not find its height by itself."""
    sheet.set_row(row, height)
    sheet.merge_range(row, 0, row, LAST, "", style)
    sheet.write_string(row, 0, text, style)


def _height(text: str, room: int) -> float:
    return 16.0 * lines(text, room) + 6


def _paragraphs(notice: Notice, month: Context) -> list[tuple[str, float]]:
    sent = notice.submission
    values = {
        "month": month.month_text,
        "submission": sent["submission"],
        "received": day_text(sent["received_on"]),
        "deadline": day_text(sent["deadline_on"]),
    }
    if sent["status"] != ACCEPTED:
        text = month.say("msg.refused", **values)
        return [(text, _height(text, ROOM))]
    part = (
        month.say("msg.accepted_part", count=f"{sent['setl_returned']:,}")
        if sent["setl_returned"]
        else month.say("msg.accepted_whole")
    )
    texts = (month.say("msg.accepted", **values), part)
    return [(text, _height(text, ROOM)) for text in texts]


def _counts(book: Book, sheet: Any, row: int, sent: dict[str, Any], month: Context) -> int:  # noqa: ANN401
    """Write declared, accepted and returned: settlements, lines, charges, fund money."""
    sheet.merge_range(row, 0, row, LAST, month.say("msg.counts"), book.format("part"))
    row += 1
    sheet.merge_range(row, 0, row, 1, month.say("col.item"), book.format("header"))
    for i, key in enumerate(("col.in", "col.accepted", "col.returned")):
        sheet.write_string(row, 2 + i, month.say(key), book.format("header"))
    lines = (
        ("col.setl", "count", sent["setl_in"], sent["setl_accepted"], sent["setl_returned"]),
        ("col.lines", "count", sent["line_in"], sent["line_accepted"], sent["line_returned"]),
        ("col.medfee", "money", sent["medfee_in"], sent["medfee_accepted"], None),
        ("col.fund_money", "money", sent["fund_in"], sent["fund_accepted"], None),
    )
    for key, kind, declared, accepted, returned in lines:
        row += 1
        sheet.merge_range(row, 0, row, 1, month.say(key), book.box("text"))
        if returned is None and declared is not None and accepted is not None:
            returned = declared - accepted
        for i, value in enumerate((declared, accepted, returned)):
            if value is None:
                sheet.write_blank(row, 2 + i, None, book.box(kind))
            else:
                sheet.write_number(row, 2 + i, value, book.box(kind))
    return row + 1


def _reasons(book: Book, sheet: Any, row: int, notice: Notice, month: Context) -> int:  # noqa: ANN401
    sheet.merge_range(row, 0, row, LAST, month.say("msg.reasons"), book.format("part"))
    row += 1
    head, wrap = book.format("header"), book.box("wrap")
    column = {c.key: c.header for c in month.fault_columns}
    sheet.write_string(row, 0, column["reason"], head)
    sheet.merge_range(row, 1, row, 3, column["message"], head)
    sheet.write_string(row, 4, month.say("col.fault_count"), head)
    sheet.write_string(row, 5, column["action"], head)
    for code, message, count, action in notice.reasons:
        row += 1
        sheet.set_row(row, max(_height(message, 60), _height(action, 30)))
        sheet.write_string(row, 0, code, book.box("centre"))
        sheet.merge_range(row, 1, row, 3, "", wrap)
        sheet.write_string(row, 1, message, wrap)
        sheet.write_number(row, 4, count, book.box("count"))
        sheet.write_string(row, 5, action, wrap)
    return row + 1


def _fault_list(book: Book, notice: Notice, month: Context) -> None:
    sheet = book.sheet(month.say("sheet.faults"), lang=month.lang)
    columns: tuple[Column, ...] = month.fault_columns
    grid = Grid(book, sheet, columns)
    grid.heading(month.say("sheet.faults"), f"{notice.submission['submission']} · {month.month_text}")
    grid.header(frozen_columns=1)
    at = [column.key for column in columns].index("reason")
    for reason, rows in groupby(notice.faults, key=itemgetter(at)):
        grid.body(rows)
        if reason in notice.more:
            grid.note(month.say("msg.more_faults", reason=reason, more=f"{notice.more[reason]:,}"))
    grid.finish()
