"""Judging answers against what was sent: all files at once, every fault of every row.

Each check gives faults as rows: which row, which column, code, and the texts its message quotes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import polars as pl

from settlement.feedback import reasons
from settlement.feedback.columns import ANSWERS, CODE, LOCKED, NUMBERS, findings, keys
from settlement.feedback.model import REFUSED, TAKEN, TEXT, Checked, Read
from settlement.labels import EN, label
from settlement.procedure import AGREED, DISPUTED, FEEDBACK, PARTLY_AGREED, STATES
from settlement.procedure import ANSWERS as ANSWER_WORDS
from settlement.reports.vocabulary import code_label

ROW = "row"
FAULT = pl.Schema({ROW: pl.UInt32(), **dict.fromkeys(("key", "code", "value", "was", "detail"), TEXT)})
MONEY = pl.Decimal(16, 2)
LONGEST_SHOWN = 100
NOTHING = "(空)"
HIDDEN = "****"
# Who is meant is not repeated in a message.
PERSONAL = ("person",)
SENT = "sent_"
AMOUNT = r"^[+-]?[0-9]{1,14}(\.[0-9]{0,2}0*)?$"
GROUPED = r"^[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?$"
FULL_WIDTH = {chr(0xFF10 + digit): str(digit) for digit in range(10)} | {"\uff0e": ".", "\uff0c": ","}
NUMBER = r"^[+-]?[0-9]+(\.[0-9]+)?$"
SCIENTIFIC = r"^[0-9](\.[0-9]+)?[eE]\+?[0-9]{1,3}$"
DAY = r"^([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})"


def check(
    read: Read, sent: pl.DataFrame, open_batches: pl.DataFrame, today: dt.date, only: str | None = None
) -> Checked:
    """Judge what was read.

    Args:
        read: what stands in the files.
        sent: findings as sent, persons not yet masked, `limit_amt` in 元.
        open_batches: fixmedins_code, state, answer_by, digest, notice_no of the batches of the month.
        today: the day the answers arrive.
        only: the one institution that may answer; None for the fund's own staff.

    Returns:
        Answers taken, and every fault. A row with a fault is not taken; the rest of its file is.
    """
    files = _matched(read.files, open_batches, only)
    rows = (
        read.answers.with_row_index(ROW)
        .join(files.filter(pl.col("code").is_null()), on="file", maintain_order="left")
        .with_columns(_answer(), amount=_amount(), limit=pl.lit(None, MONEY))
    )
    closed = _closed(rows, today)
    waiting = rows.join(closed, on=ROW, how="anti", maintain_order="left")
    known = _known(waiting, sent)
    strange = _strange(known)
    mine = known.join(strange, on=ROW, how="anti", maintain_order="left")
    twice, repeated = _twice(mine)
    faults = pl.concat([closed, strange, twice, _altered(mine, read.headings), *_answers(mine)])
    good = mine.join(faults, on=ROW, how="anti", maintain_order="left")
    good = good.join(repeated, on=ROW, how="anti", maintain_order="left")
    whole = pl.concat([_problems(read), _file_faults(files)])
    refused = pl.concat([whole, _placed(faults, rows, read.headings)])
    return Checked(_taken(good, read.headings), refused)


# ---- whole files ----


def _matched(files: pl.DataFrame, batches: pl.DataFrame, only: str | None) -> pl.DataFrame:
    """Find the batch each file answers; `code` says why a file answers none."""
    keyed = batches.select(CODE, "digest", "state", "answer_by", found=pl.lit(True)).unique([CODE, "digest"])
    notices = batches.select(CODE, "notice_no", same_notice=pl.lit(True)).unique()
    other = ~pl.col(CODE).is_in(batches[CODE].implode()) | (pl.lit(only, TEXT) != pl.col(CODE))
    named = pl.col(CODE).is_not_null() & pl.col("digest").is_not_null()
    code = (
        pl.when(~named)
        .then(pl.lit(reasons.UNKNOWN_BOOK))
        .when(other.fill_null(False))
        .then(pl.lit(reasons.OTHER_BOOK))
        .when(pl.col("found"))
        .then(pl.lit(None, TEXT))
        .when(pl.col("same_notice"))
        .then(pl.lit(reasons.UNKNOWN_BOOK))
        .otherwise(pl.lit(reasons.OTHER_BOOK))
    )
    return (
        files.join(keyed, on=[CODE, "digest"], how="left", maintain_order="left")
        .join(notices, on=[CODE, "notice_no"], how="left", maintain_order="left")
        .select("file", "lang", CODE, "notice_no", "digest", "answered", "state", "answer_by", code=code)
    )


def _file_faults(files: pl.DataFrame) -> pl.DataFrame:
    wrong = files.filter(pl.col("code").is_not_null())
    unknown = pl.col("code") == reasons.UNKNOWN_BOOK
    return _worded(
        wrong.select(
            "file",
            CODE,
            "code",
            place=pl.lit(""),
            finding_id=pl.lit(None, TEXT),
            value=_shown(pl.when(unknown).then("digest").otherwise(CODE)),
            was=_shown(pl.col("notice_no")),
            detail=pl.col("answered").cast(TEXT),
            column_zh=pl.lit(""),
            column_en=pl.lit(""),
        )
    )


def _problems(read: Read) -> pl.DataFrame:
    told = read.problems.join(read.files.select("file", CODE), on="file", how="left", maintain_order="left")
    blank = {name: pl.lit("") for name in ("value", "was", "column_zh", "column_en")}
    return _worded(told.with_columns(finding_id=pl.lit(None, TEXT), **blank))


# ---- rows ----


def _closed(rows: pl.DataFrame, today: dt.date) -> pl.DataFrame:
    """Rows of a batch that is not waiting, or whose window has ended; the last day itself is in time."""
    named = {state: f"{zh} {en}" for state, (zh, en) in STATES.items()}
    late = (pl.col("state") == FEEDBACK) & (pl.lit(today) > pl.col("answer_by"))
    not_waiting = pl.col("state") != FEEDBACK
    return pl.concat(
        [
            _faults(rows, not_waiting, "answer", reasons.NOT_WAITING, detail=pl.col("state").replace(named)),
            _faults(rows, late, "answer", reasons.LATE, was=pl.col("answer_by").dt.to_string("%Y-%m-%d")),
        ]
    )


def _known(rows: pl.DataFrame, sent: pl.DataFrame) -> pl.DataFrame:
    """Add to each row the finding as it was sent, in its language, as `sent_…`, and whose it is: `owner`."""
    asked = sent.join(rows.select("finding_id").unique(), on="finding_id", how="semi")
    shown = pl.concat(
        findings(asked, lang).with_columns(lang=pl.lit(lang), owner=pl.col(CODE))
        for lang in rows["lang"].unique().sort().to_list() or ["zh"]
    )
    facts = shown.select("lang", "finding_id", "owner", *(pl.col(k).alias(SENT + k) for k in keys(LOCKED)))
    return rows.join(facts, on=["lang", "finding_id"], how="left", maintain_order="left").with_columns(
        limit=pl.col(f"{SENT}limit_amt")
    )


def _strange(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows about a finding that was not sent, or was sent to another institution."""
    unknown, others = pl.col("owner").is_null(), pl.col("owner") != pl.col(CODE)
    value = _shown(pl.col("finding_id"))
    return pl.concat(
        [
            _faults(rows, unknown, "finding_id", reasons.UNKNOWN_FINDING, value=value),
            _faults(rows, others, "finding_id", reasons.OTHERS_FINDING, value=value),
        ]
    )


def _twice(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Find findings answered more than once.

    Returns:
        Faults: twice in one file, or differently in two. And the rows that say in another file what an
        earlier row says, which are left out quietly.
    """
    one = ["file", "finding_id"]
    said = pl.struct("answer", "amount", "agreed_amt", "reason", "attachments")
    counted = rows.with_columns(
        in_file=pl.len().over(one),
        versions=said.n_unique().over("finding_id"),
        turn=pl.int_range(pl.len()).over("finding_id"),
        files=pl.col("file").unique().sort().str.join("、").over("finding_id"),
    )
    wrong = (pl.col("in_file") > 1) | (pl.col("versions") > 1)
    again = counted.filter(~wrong & (pl.col("turn") > 0)).select(ROW)
    value, files = pl.col("finding_id"), pl.col("files")
    return _faults(counted, wrong, "finding_id", reasons.TWICE, value=value, detail=files), again


def _altered(rows: pl.DataFrame, headings: pl.DataFrame) -> pl.DataFrame:
    """Compare every locked cell with what was sent; a column that a CSV file leaves out is not missed."""
    faults = []
    for key in keys(LOCKED):
        now, was = pl.col(key), pl.col(SENT + key).cast(TEXT)
        same = _same_number(now, was) if key in NUMBERS else _same_text(now, was)
        value = pl.lit(HIDDEN) if key in PERSONAL else _shown(now)
        # Nearly all are the same to the letter; only the others are looked at closely.
        differing = rows.filter(now.ne_missing(was))
        faults.append(_faults(differing, ~same, key, reasons.ALTERED, value=value, was=_shown(was)))
    where = pl.concat(faults).join(rows.select(ROW, "file", "sheet"), on=ROW, maintain_order="left")
    present = where.join(headings, on=["file", "sheet", "key"], how="semi", maintain_order="left")
    return present.select(list(FAULT))


def _same_number(now: pl.Expr, was: pl.Expr) -> pl.Expr:
    """True for 425 and 425.00; a workbook holds doubles, so the last digits may differ."""
    plain = now.str.replace_all(r"[,\s]", "")
    left, right = plain.cast(pl.Float64, strict=False), was.cast(pl.Float64)
    both_empty = now.is_null() & was.is_null()
    near = (left - right).abs() <= 1e-9 * right.abs().clip(lower_bound=1)
    return both_empty | near.fill_null(False)


def _same_text(now: pl.Expr, was: pl.Expr) -> pl.Expr:
    """True for the same text as spreadsheets rewrite it: blanks, days, leading zeros, ids as 4.2E+18."""
    left, right = _settled(now), _settled(was)
    unpadded = left.str.contains(r"^[0-9]+$") & (
        left.str.strip_chars_start("0") == right.str.strip_chars_start("0")
    )
    rounded = left.str.contains(SCIENTIFIC) & (
        (left.cast(pl.Float64, strict=False) / right.cast(pl.Float64, strict=False) - 1).abs() <= 1e-4
    )
    return (left == right) | unpadded.fill_null(False) | rounded.fill_null(False)


def _settled(text: pl.Expr) -> pl.Expr:
    """Return a text with one blank where there are several, days as 2026-04-03 and times as 08:05."""
    return (
        text.fill_null("")
        .str.replace_all(r"[\s\p{Cc}]+", " ")
        .str.strip_chars()
        .str.strip_prefix("'")
        .str.replace(DAY, "${1}-0${2}-0${3}")
        .str.replace(r"^([0-9]{4})-0*([0-9]{2})-0*([0-9]{2})", "${1}-${2}-${3}")
        .str.replace(r" ([0-9]):([0-9]{2})", " 0${1}:${2}")
        .str.replace(r"( [0-9]{2}:[0-9]{2}):00$", "${1}")
        .str.replace(r" 00:00$", "")
    )


# ---- the answers themselves ----


def _answer() -> pl.Expr:
    """The answer in Chinese where it is one of the three in either language, else as it stands."""
    words = {code_label("reply", word, lang).lower(): word for word in ANSWER_WORDS for lang in ("zh", EN)}
    text = pl.col("answer")
    return text.str.to_lowercase().replace_strict(words, default=text, return_dtype=TEXT).alias("answer")


def _amount() -> pl.Expr:
    """The amount agreed in 元; null when there is none or it is no number of at most two decimals."""
    text = pl.col("agreed_amt").str.replace_many(FULL_WIDTH).str.replace_all(r"[\s¥\uffe5]|元$", "")
    bare = (
        pl.when(text.str.contains(GROUPED)).then(text.str.replace_all(",", "", literal=True)).otherwise(text)
    )
    return pl.when(bare.str.contains(AMOUNT)).then(bare.cast(MONEY, strict=False))


def _answers(rows: pl.DataFrame) -> Iterable[pl.DataFrame]:
    answer, amount, limit = pl.col("answer"), pl.col("amount"), pl.col("limit")
    written = pl.col("agreed_amt").is_not_null()
    valid = answer.is_in(ANSWER_WORDS).fill_null(False)
    above = (amount > limit).fill_null(False)
    fits = (
        pl.when(answer == AGREED)
        .then(~written | (amount == limit))
        .when(answer == PARTLY_AGREED)
        .then(written & (amount > 0) & (amount < limit))
        .when(answer == DISPUTED)
        .then(~written | (amount == 0))
    )
    value, was = _shown(pl.col("agreed_amt")), limit.cast(TEXT)
    no_number = written & amount.is_null()
    unreasoned = answer.is_in([PARTLY_AGREED, DISPUTED]) & pl.col("reason").is_null()
    yield _faults(rows, ~valid, "answer", reasons.BAD_ANSWER, value=_shown(pl.col("answer")))
    yield _faults(rows, no_number, "agreed_amt", reasons.BAD_AMOUNT, value=value)
    yield _faults(rows, above, "agreed_amt", reasons.ABOVE_LIMIT, value=value, was=was)
    unfit = valid & ~no_number & ~above & ~fits
    yield _faults(rows, unfit, "agreed_amt", reasons.UNFITTING, value=value, was=was, detail=answer)
    yield _faults(rows, unreasoned, "reason", reasons.NO_REASON, detail=answer)


def _taken(rows: pl.DataFrame, headings: pl.DataFrame) -> pl.DataFrame:
    agreed = (
        pl.when(pl.col("answer") == AGREED)
        .then("limit")
        .when(pl.col("answer") == DISPUTED)
        .then(pl.lit(0, MONEY))
        .otherwise("amount")
    )
    placed = _with_place(rows.with_columns(key=pl.lit("answer")), headings)
    return placed.with_columns(agreed_amt=agreed.cast(MONEY)).select(list(TAKEN)).sort("finding_id")


# ---- faults in words ----


def _faults(rows: pl.DataFrame, wrong: pl.Expr, key: str, code: str, **texts: pl.Expr) -> pl.DataFrame:
    """Return the rows where `wrong` is true as faults of one column."""
    quoted = {name: texts.get(name, pl.lit("")).alias(name) for name in ("value", "was", "detail")}
    return rows.filter(wrong).select(
        pl.col(ROW), pl.lit(key).alias("key"), pl.lit(code).alias("code"), *quoted.values()
    ).cast(FAULT)  # fmt: skip


def _shown(text: pl.Expr) -> pl.Expr:
    """A value as a message quotes it."""
    return (
        pl.when(text.is_null() | (text == ""))
        .then(pl.lit(NOTHING))
        .otherwise(text.str.slice(0, LONGEST_SHOWN))
    )


def _placed(faults: pl.DataFrame, rows: pl.DataFrame, headings: pl.DataFrame) -> pl.DataFrame:
    """Give each fault its cell and its words."""
    where = rows.select(ROW, "file", "sheet", "row_no", "finding_id", CODE)
    told = _with_place(faults.join(where, on=ROW, maintain_order="left"), headings)
    order = {key: n for n, key in enumerate([*keys(LOCKED), *keys(ANSWERS)])}
    zh, en = ({key: label(f"reply.{key}", lang) for key in order} for lang in ("zh", EN))
    ordered = told.sort(ROW, pl.col("key").replace_strict(order, return_dtype=pl.Int32), "code")
    return _worded(
        ordered.with_columns(column_zh=pl.col("key").replace(zh), column_en=pl.col("key").replace(en))
    )


def _with_place(rows: pl.DataFrame, headings: pl.DataFrame) -> pl.DataFrame:
    """Add the place of the cell in column `key`: its row where the sheet has no such column."""
    cell = pl.concat_str("before", pl.col("row_no").cast(TEXT), "after")
    line = pl.concat_str("sheet", pl.lit("!"), pl.col("row_no").cast(TEXT))
    joined = rows.join(headings, on=["file", "sheet", "key"], how="left", maintain_order="left")
    return joined.with_columns(place=pl.coalesce(cell, line))


def _worded(faults: pl.DataFrame) -> pl.DataFrame:
    """Put codes into words; needs value, was, detail, column_zh and column_en."""

    def text(part: str, column: str = "") -> pl.Expr:
        said = pl.col("code").replace({code: getattr(r, part) for code, r in reasons.REASONS.items()})
        for name in ("value", "was", "detail"):
            said = said.str.replace(f"{{{name}}}", pl.col(name), literal=True)
        return said.str.replace("{column}", pl.col(column), literal=True) if column else said

    return faults.with_columns(
        message_zh=text("zh", "column_zh"),
        message_en=text("en", "column_en"),
        action=text("action"),
        action_en=text("action_en"),
    ).select(list(REFUSED)).cast(REFUSED)  # fmt: skip
