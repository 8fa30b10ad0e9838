"""The reviewer's workbook: what is contested, what is not, and the sample; yellow cells are filled in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from settlement.labels import label
from settlement.procedure import OUTCOMES
from settlement.reports import asking
from settlement.reports.asking import INPUT
from settlement.reports.deductions import finding_frame
from settlement.reports.fields import Shape, columns
from settlement.reports.frames import cells, translated, visit
from settlement.reports.persons import masked, without_persons
from settlement.reports.review_sheet import Heading
from settlement.reports.tables import A3, LINE_HEIGHT, LONGEST, Book, Column, Grid, lines
from settlement.reports.vocabulary import code_label

REQUIRED, PLAIN, SAMPLE = "review.required", "review.plain", "review.sample"
PASSED, FAULTY = "通过", "有问题"
# Title, subtitle, one line of advice; then the header.
HEADER_ROW = 3
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f]"

FACTS: tuple[Shape, ...] = (
    ("finding_id", "text", 18, ""),
    ("fixmedins_code", "text", 14, "col.code"),
    ("name", "wrap", 16, "review.name"),
    ("setl_id", "text", 20, ""),
    ("bkkp_sn", "text", 8, ""),
    ("psn_name", "text", 8, ""),
    ("med_type", "wrap", 10, ""),
    ("visit", "wrap", 13, "col.visit"),
    ("hilist_name", "wrap", 18, ""),
    ("cnt", "quantity", 7, ""),
    ("det_item_fee_sumamt", "money", 12, ""),
    ("rule_id", "centre", 7, "col.rule"),
    ("rule_name", "wrap", 16, "col.rule_name"),
    ("grade", "centre", 8, "col.grade"),
    ("vola_cont", "wrap", 34, ""),
    ("basis", "wrap", 22, "col.basis"),
    ("funds", "wrap", 30, "col.shares"),
    ("limit_amt", "money", 12, "review.limit_amt"),
    ("answer", "centre", 11, "review.answer"),
    ("agreed_amt", "money", 12, "review.agreed_amt"),
    ("appeal", "wrap", 32, "review.appeal"),
    ("attachments", "wrap", 16, "review.attachments"),
    ("others", "wrap", 24, "review.others"),
    ("proposed", "centre", 8, "review.proposed"),
)
ANSWERS: tuple[Shape, ...] = (
    ("decision", "centre", 12, "review.decision"),
    ("final_amt", "money", 13, "review.final_amt"),
    ("reason", "wrap", 34, "review.reason"),
)
SAMPLE_FACTS: tuple[Shape, ...] = (
    ("setl_id", "text", 22, ""),
    ("fixmedins_code", "text", 14, "col.code"),
    ("name", "wrap", 20, "review.name"),
    ("psn_name", "text", 8, ""),
    ("med_type", "wrap", 12, ""),
    ("visit", "wrap", 13, "col.visit"),
    ("medfee_sumamt", "money", 14, ""),
    ("fund_pay_sumamt", "money", 14, ""),
    ("pick", "text", 18, "review.pick"),
)
SAMPLE_ANSWERS: tuple[Shape, ...] = (
    ("outcome", "centre", 12, "review.outcome"),
    ("note", "wrap", 40, "review.note"),
)


def write_worklist(path: Path, frame: pl.DataFrame, picked: pl.DataFrame, heading: Heading) -> Path:
    """Write the reviewer's workbook: 待定, 无异议 and 抽查.

    Facts are locked, personal data masked; decisions taken so far are filled in.

    Args:
        path: where it goes.
        frame: what `worklist` returned.
        picked: what `sample` returned, over settlements with psn_name, med_type, begndate, enddate,
            medfee_sumamt, fund_pay_sumamt (元).
        heading: region, month, names, language.
    """
    lang = heading.lang
    book = Book(path, label("review.doc_worklist", lang), heading.month, frame.height + picked.height)
    shown = printed(frame, heading)
    for key, wanted in ((REQUIRED, frame["required"]), (PLAIN, ~frame["required"])):
        mine = frame.filter(wanted)["finding_id"]
        rows = shown.filter(pl.col("finding_id").is_in(mine.implode()))
        _decide_sheet(book, key, rows, heading)
    _sample_sheet(book, printed_sample(picked, heading), heading)
    return book.close()


def printed(frame: pl.DataFrame, heading: Heading) -> pl.DataFrame:
    """Return a worklist as its sheets show it: masked, worded, in the order of `FACTS` and `ANSWERS`."""
    lang = heading.lang
    frame = without_persons(frame, ("vola_cont", "appeal"))
    rules = frame.select("rule_id", name="rule_name", name_en="rule_name").unique("rule_id").sort("rule_id")
    worded = finding_frame(frame.with_columns(reply=pl.col("answer")), rules, lang)
    own = frame.select(
        "finding_id", "limit_amt", "agreed_amt", "appeal", "attachments", "others", "final_amt", "reason",
        proposed=translated("proposed", {word: code_label("decision", word, lang) for word in OUTCOMES}),
    )  # fmt: skip
    facts = worded.drop("agreed_amt").rename({"reply": "answer"})
    rows = facts.join(own, on="finding_id", maintain_order="left")
    return _clean(_named(rows, heading), (*FACTS, *ANSWERS))


def printed_sample(picked: pl.DataFrame, heading: Heading) -> pl.DataFrame:
    """Return a sample as its sheet shows it, in the order of `SAMPLE_FACTS`."""
    kinds = {v: code_label("med_type", v, heading.lang) for v in picked["med_type"].drop_nulls().unique()}
    rows = picked.with_columns(
        masked("psn_name"),
        translated("med_type", kinds),
        pl.col("pick").str.head(16),
        visit=visit(),
    )
    return _clean(_named(rows, heading), SAMPLE_FACTS)


def _named(rows: pl.DataFrame, heading: Heading) -> pl.DataFrame:
    code = pl.col("fixmedins_code")
    return rows.with_columns(name=code.replace_strict(heading.names, default="", return_dtype=pl.String))


def _clean(rows: pl.DataFrame, shapes: Sequence[Shape]) -> pl.DataFrame:
    """Leave out what a cell cannot hold, so that what is read back is what was written."""
    text = pl.selectors.string()
    whole = text.fill_null("").str.replace_all("\r\n", "\n").str.replace_all(_CONTROL, "").str.strip_chars()
    return cells(rows.select(shape[0] for shape in shapes).with_columns(whole.str.head(LONGEST)))


def _open(book: Book, key: str, shown: tuple[Column, ...], heading: Heading) -> Grid:
    lang = heading.lang
    sheet = book.sheet(label(key, lang), paper=A3, lang=lang)
    asking.lock(sheet)
    grid = Grid(book, sheet, shown)
    title = f"{label('review.doc_worklist', lang)} · {label(key, lang)}"
    grid.heading(title, f"{heading.region} · {heading.month_text} · {label('msg.unit', lang)}")
    grid.note(label(f"review.ask_{key.rpartition('.')[2]}", lang))
    grid.header(frozen_columns=1)
    return grid


def _decide_sheet(book: Book, key: str, rows: pl.DataFrame, heading: Heading) -> None:
    grid = _open(book, key, columns((*FACTS, *ANSWERS), heading.lang), heading)
    first = grid.row
    _fill(grid, rows.rows(), len(FACTS))
    if grid.row > first:
        _rule_inputs(grid, first, heading.lang)
    else:
        grid.note(label("msg.none", heading.lang))
    grid.finish()


def _rule_inputs(grid: Grid, first: int, lang: str) -> None:
    """Say what the yellow cells accept."""
    keys = [column.key for column in grid.columns]
    at, most, last = len(FACTS), keys.index("limit_amt"), grid.row - 1
    words = [code_label("decision", word, lang) for word in OUTCOMES]
    decision, amount, reason = ((first, at + i, last, at + i) for i in range(len(ANSWERS)))
    asking.choice(grid.sheet, decision, words, input_message=label("review.tip_decision", lang))
    asking.amount(grid.sheet, amount, most, input_message=label("review.tip_amount", lang))
    asking.remark(grid.sheet, reason, label("review.tip_reason", lang))


def _sample_sheet(book: Book, rows: pl.DataFrame, heading: Heading) -> None:
    lang, at = heading.lang, len(SAMPLE_FACTS)
    grid = _open(book, SAMPLE, columns((*SAMPLE_FACTS, *SAMPLE_ANSWERS), lang), heading)
    first = grid.row
    _fill(grid, ((*row, None, None) for row in rows.rows()), at)
    if grid.row > first:
        words = [label("review.passed", lang), label("review.faulty", lang)]
        asking.choice(grid.sheet, (first, at, grid.row - 1, at), words)
    else:
        grid.note(label("msg.none", lang))
    grid.finish()


def _fill(grid: Grid, rows: Iterable[Sequence[Any]], inputs_from: int) -> None:
    """Write rows; the columns from `inputs_from` on are open for writing, filled or not."""
    sheet, columns = grid.sheet, grid.columns
    styles = [
        grid.book.format(c.kind) if i < inputs_from else grid.book.box(c.kind, locked=False, bg_color=INPUT)
        for i, c in enumerate(columns)
    ]
    folds = [(i, int(c.width) - 2) for i, c in enumerate(columns) if c.kind == "wrap"]
    for row in rows:
        tallest = max(lines(row[i], room) for i, room in folds)
        sheet.set_row(grid.row, LINE_HEIGHT * tallest + 4)
        for i, (value, style) in enumerate(zip(row, styles, strict=True)):
            if value is None or value == "":
                if i >= inputs_from:
                    sheet.write_blank(grid.row, i, None, style)
            elif isinstance(value, str):
                sheet.write_string(grid.row, i, value, style)
            else:
                sheet.write_number(grid.row, i, value, style)
        grid.row += 1
