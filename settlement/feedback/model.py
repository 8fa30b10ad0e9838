"""What passes between writing the workbook, reading it back and judging the answers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl

TEXT = pl.String()
PROBLEM = pl.Schema({"file": TEXT, "place": TEXT, "code": TEXT, "detail": TEXT})
FILE = pl.Schema({
    "file": TEXT, "path": TEXT, "lang": TEXT, "fixmedins_code": TEXT, "notice_no": TEXT, "digest": TEXT,
    "filled_by": TEXT, "filled_on": TEXT, "rows": pl.Int64(), "answered": pl.Int64(),
})  # fmt: skip
HEADING = pl.Schema({"file": TEXT, "sheet": TEXT, "key": TEXT, "before": TEXT, "after": TEXT})
TAKEN = pl.Schema({
    "finding_id": TEXT, "fixmedins_code": TEXT, "answer": TEXT, "agreed_amt": pl.Decimal(16, 2),
    "reason": TEXT, "attachments": TEXT, "filled_by": TEXT, "filled_on": TEXT, "file": TEXT, "place": TEXT,
})  # fmt: skip
REFUSED = pl.Schema({
    "file": TEXT, "place": TEXT, "fixmedins_code": TEXT, "finding_id": TEXT, "value": TEXT, "code": TEXT,
    "message_zh": TEXT, "message_en": TEXT, "action": TEXT, "action_en": TEXT,
})  # fmt: skip


@dataclass(frozen=True)
class Letter:
    """What one institution is told.

    Attributes:
        region: profile name.
        label: the region's Chinese name.
        month: first day of the claim month.
        fixmedins_code: institution.
        fixmedins_name: its name.
        notice_no: number of the notice.
        sent_on: day it is sent.
        answer_by: last day of the feedback window, that day included.
        answer_days: length of the window in working days.
        contact: whom to ask; may be empty.
        deadline_on: day by which the month must be paid.
        digest: what `digest_of` says of the institution's findings, `NO_FINDINGS` when it has none.
        lang: `zh` or `en`.
    """

    region: str
    label: str
    month: dt.date
    fixmedins_code: str
    fixmedins_name: str
    notice_no: str
    sent_on: dt.date
    answer_by: dt.date
    answer_days: int
    contact: str
    deadline_on: dt.date
    digest: str
    lang: str = "zh"


@dataclass(frozen=True)
class Read:
    """What stands in the files that came back, as text, nothing judged yet.

    Attributes:
        answers: one row per row somebody wrote in: file, sheet (empty for CSV), row_no, the keys of
            `columns.LOCKED` and `columns.ANSWERS`, filled_by, filled_on. Empty cells are null.
        files: one row per readable file: file, path, lang, fixmedins_code, notice_no, digest,
            filled_by, filled_on as stated in it, rows (findings listed), answered.
        headings: one row per known column of a sheet: file, sheet, key, and the text before and after
            the row number that make a cell's place (`违规!S` and ``, or `第 ` and ` 行 机构意见`).
        problems: what could not be read: file, place, code, detail.
    """

    answers: pl.DataFrame
    files: pl.DataFrame
    headings: pl.DataFrame
    problems: pl.DataFrame


@dataclass(frozen=True)
class Checked:
    """The answers judged.

    Attributes:
        taken: one row per finding answered: finding_id, fixmedins_code, answer, agreed_amt (元; the
            whole amount for 认可, 0 for 不认可), reason, attachments, filled_by, filled_on, file, place.
        refused: one row per fault: file, place, fixmedins_code, finding_id, value, code, message_zh,
            message_en, action, action_en. A row of a workbook with any fault is not taken.
    """

    taken: pl.DataFrame
    refused: pl.DataFrame
