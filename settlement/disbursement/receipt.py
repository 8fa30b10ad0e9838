"""The bank's return file: read whatever form it comes in, then match it with the orders.

Nothing is recorded here. A row that says again what is recorded has no effect; a row that contradicts
the order or what is recorded is set apart for a person to settle with the bank.
"""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import polars as pl

from schemas.banking import BankReceipt
from schemas.layout import Column, table
from settlement.disbursement.words import sentence
from settlement.labels import label
from settlement.untrusted import workbooks
from settlement.untrusted.archives import DAMAGED

PAID, FAILED = "PAID", "FAILED"
# How banks say it, in lower case. What is not here (processing, a code of the bank's own) is a problem.
SAID: dict[str, str] = {
    **dict.fromkeys(("成功", "交易成功", "支付成功", "付款成功", "处理成功", "已入账"), PAID),
    **dict.fromkeys(("success", "succeeded", "successful", "ok", "s", "y", "00", "0000", "000000"), PAID),
    **dict.fromkeys(("失败", "交易失败", "支付失败", "付款失败", "处理失败", "退票", "退汇"), FAILED),
    **dict.fromkeys(("failed", "failure", "fail", "f", "n", "rejected", "returned"), FAILED),
}
BOM = b"\xef\xbb\xbf"
MOST_BYTES = 64 << 20
TITLE_LINES, SEPARATORS = 20, (",", "\t", "|", ";")
TIMES = ("%Y-%m-%d %H:%M:%S%.f", "%Y/%m/%d %H:%M:%S", "%Y%m%d %H:%M:%S", "%Y%m%d%H%M%S", "%Y-%m-%d %H:%M")
DATES = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d")
RECEIPT = table(BankReceipt)
NUMBER = RECEIPT.column("business_no").zh
ROWS = {"row": pl.Int64, **RECEIPT.schema}
PROBLEMS = {"row": pl.Int64, "column": pl.String, "value": pl.String, "words": pl.String}
ORDER_SIDE = {"fixmedins_code": pl.String, "fund_pay_type": pl.String, "order_amount": pl.Decimal(16, 2)}


class _Unreadable(Exception):
    """The file cannot be read; the text is a catalogue key."""


@dataclass(frozen=True)
class Matched:
    """The rows of a return file, each in exactly one frame.

    Every frame has row, business_no, result (PAID or FAILED), reason, trade_time, amount (元, as the bank
    says), fixmedins_code, fund_pay_type, order_amount (元; null when the order is unknown), words.

    Attributes:
        paid: to be recorded as paid.
        failed: to be recorded as failed; another attempt may follow.
        unknown: no such order.
        repeated: says again what is recorded, or what another row of the file says.
        conflicting: another amount than the order, or another result than is recorded or in the file.
    """

    paid: pl.DataFrame
    failed: pl.DataFrame
    unknown: pl.DataFrame
    repeated: pl.DataFrame
    conflicting: pl.DataFrame


def read_receipt(path: Path, lang: str = "zh") -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read a bank's return file: CSV or TAB-separated text in UTF-8 or GB18030, or xlsx.

    Title lines above the header are skipped. 业务号 and 结果 are needed; 失败原因, 交易时间 and 金额 are
    taken when they are there.

    Returns:
        Rows (row number in the file, columns of `schemas.banking.BankReceipt`, result PAID or FAILED)
        and problems (row, column, value, words). A row with a problem is not among the rows; row 0
        is the file itself.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise _Unreadable("bank.too_large")
        text = _named(_sheet(path) if _is_workbook(path) else _text(path))
    except _Unreadable as error:
        words = label(str(error), lang).format(name=path.name)
        problem = pl.DataFrame([(0, "", "", words)], schema=PROBLEMS, orient="row")
        return pl.DataFrame(schema=ROWS), problem
    read = text.select("row", *(_parsed(column).alias(column.name) for column in RECEIPT.columns))
    problems = _problems(text, read, lang)
    good = read.join(problems.select("row").unique(), on="row", how="anti").sort("row")
    return good.with_columns(pl.col("reason").fill_null("")), problems


def match(rows: pl.DataFrame, orders: pl.DataFrame, results: pl.DataFrame, lang: str = "zh") -> Matched:
    """Set the rows of a return file against the orders and what is recorded of them.

    What is found of an order does not depend on the order of the rows.

    Args:
        rows: of `read_receipt`.
        orders: business_no, fixmedins_code, fund_pay_type, amount (元) of every order written.
        results: business_no, result (PAID or FAILED) recorded before.
        lang: language of the words.
    """
    known = orders.select("business_no", "fixmedins_code", "fund_pay_type", order_amount=pl.col("amount"))
    held = results.select("business_no", recorded=pl.col("result"))
    found = rows.join(known, on="business_no", how="left").join(held, on="business_no", how="left")
    fresh = pl.col("recorded").is_null()
    off = (pl.col("amount") != pl.col("order_amount")).fill_null(False)
    split = pl.col("result").n_unique().over("business_no") > 1
    clash = pl.when(fresh).then(off.any().over("business_no") | split)
    found = found.with_columns(
        off=off, clash=clash.otherwise(off | (pl.col("result") != pl.col("recorded")))
    ).sort("business_no", "trade_time", "reason", "amount", "row", nulls_last=True)
    again = ~fresh | (pl.int_range(pl.len()).over("business_no") > 0)
    kind = (
        pl.when(pl.col("order_amount").is_null())
        .then(pl.lit("unknown"))
        .when(pl.col("clash"))
        .then(pl.lit("conflicting"))
        .when(again)
        .then(pl.lit("repeated"))
        .otherwise(pl.col("result").str.to_lowercase())
    )
    told = found.with_columns(kind=kind).with_columns(words=_said(lang)).sort("row")
    parts = {
        name: told.filter(pl.col("kind") == name).select(*ROWS, *ORDER_SIDE, "words")
        for name in ("paid", "failed", "unknown", "repeated", "conflicting")
    }
    return Matched(**parts)


def _said(lang: str) -> pl.Expr:
    """Return what is to be said of a row, by its kind."""
    names = {PAID: label("bank.paid", lang), FAILED: label("bank.failed", lang)}
    parts = {name: pl.col(name) for name in ("row", "business_no", "amount", "order_amount", "reason")}
    parts |= {name: pl.col(name).replace(names) for name in ("result", "recorded")}
    why = (
        pl.when(pl.col("kind") != "conflicting")
        .then("kind")
        .when(pl.col("off"))
        .then(pl.lit("amount"))
        .when(pl.col("recorded").is_null())
        .then(pl.lit("split"))
        .otherwise(pl.lit("conflicting"))
    )
    said = [
        pl.when(why == name).then(sentence(f"bank.row_{name}", lang, **parts))
        for name in ("paid", "failed", "unknown", "repeated", "amount", "split", "conflicting")
    ]
    return pl.coalesce(said)


def _is_workbook(path: Path) -> bool:
    return path.suffix.lower() in (".xlsx", ".xlsm") or zipfile.is_zipfile(path)


def _sheet(path: Path) -> pl.DataFrame:
    """Return the first sheet as text, header and titles included."""
    try:
        if refused := workbooks.refused(path):
            raise _Unreadable("bank.too_large" if refused.reason == "S02" else "bank.unreadable")
        return next((cells for _, cells in workbooks.frames(path)), pl.DataFrame())
    except (workbooks.Unreadable, OSError, *DAMAGED) as error:
        raise _Unreadable("bank.unreadable") from error


def _text(path: Path) -> pl.DataFrame:
    """Return a text file as columns of text, header and titles included."""
    data = path.read_bytes()
    try:
        text = data.removeprefix(BOM).decode("utf-8")
    except UnicodeDecodeError:
        try:
            text = data.decode("gb18030")
        except UnicodeDecodeError as error:
            raise _Unreadable("bank.unreadable") from error
    head = next((line for line in text.split("\n", TITLE_LINES) if NUMBER in line), "")
    separator = max(SEPARATORS, key=head.count)
    try:
        # titles are narrower than the table, and the reader takes the width of the first line
        top = islice(csv.reader(io.StringIO(text), delimiter=separator), TITLE_LINES)
        widest = separator * max((len(row) - 1 for row in top), default=0)
        return pl.read_csv(
            f"{widest}\n{text}".encode(),
            separator=separator,
            has_header=False,
            infer_schema=False,
            truncate_ragged_lines=True,
        ).slice(1)
    except (csv.Error, pl.exceptions.PolarsError) as error:
        raise _Unreadable("bank.unreadable") from error


def _named(cells: pl.DataFrame) -> pl.DataFrame:
    """Find the header among the first lines; return its columns by national name, with row numbers."""
    cells = cells.select(pl.all().str.strip_chars())
    tops = [_places(header) for header in cells.head(TITLE_LINES).rows()]
    at = next((n for n, places in enumerate(tops) if "business_no" in places), None)
    if at is None:
        raise _Unreadable("bank.no_header")
    places = tops[at]
    if any(column.present and column.name not in places for column in RECEIPT.columns):
        raise _Unreadable("bank.no_result")
    body = cells.with_row_index("row", offset=1).slice(at + 1)
    filled = body.filter(~pl.all_horizontal(pl.exclude("row").fill_null("") == ""))
    names = [
        pl.col(cells.columns[places[c.name]]).alias(c.name)
        if c.name in places
        else pl.lit(None, pl.String).alias(c.name)
        for c in RECEIPT.columns
    ]
    blank = pl.selectors.string()
    return filled.select(pl.col("row").cast(pl.Int64), *names).with_columns(
        pl.when(blank != "").then(blank).name.keep()
    )


def _places(header: tuple[str | None, ...]) -> dict[str, int]:
    """Return where each column stands; a column's own name goes before its other names."""
    cells = [(cell or "").lower() for cell in header]
    found: dict[str, int] = {}
    for column in RECEIPT.columns:
        for name in (column.zh, column.name, *column.aliases):
            if name in cells:
                found[column.name] = cells.index(name)
                break
    return found


def _parsed(column: Column) -> pl.Expr:
    """Return a column of text as what it means; null where it cannot be read."""
    text = pl.col(column.name)
    if column.name == "business_no":
        return text.str.strip_chars_start("'").str.to_uppercase()
    if column.name == "result":
        return text.str.to_lowercase().replace_strict(SAID, default=None, return_dtype=pl.String)
    if column.name == "trade_time":
        text = text.str.replace("T", " ")
        times = [text.str.to_datetime(form, time_unit="us", strict=False) for form in TIMES]
        days = [text.str.to_date(form, strict=False).cast(pl.Datetime("us")) for form in DATES]
        return pl.coalesce(*times, *days)
    if column.name == "amount":
        plain = text.str.replace_all(r"[,¥¥\s]", "")
        return pl.when(plain.str.contains(r"^[0-9]{1,13}(\.[0-9]{1,2}0*)?$")).then(
            plain.str.extract(r"^([0-9]+(?:\.[0-9]{1,2})?)").cast(column.dtype, strict=False)
        )
    return text


def _problems(text: pl.DataFrame, read: pl.DataFrame, lang: str) -> pl.DataFrame:
    """List the cells that are missing or cannot be read."""
    found = []
    for column in RECEIPT.columns:
        both = text.select("row", value=column.name).with_columns(read[column.name].alias("read"))
        lost = both.filter(
            pl.col("read").is_null() & (pl.col("value").is_not_null() | pl.lit(column.required))
        )
        parts = {"row": pl.col("row"), "value": pl.col("value")}
        words = sentence(f"bank.bad_{column.name}", lang, **parts)
        found.append(lost.select("row", pl.lit(column.zh).alias("column"), "value", words.alias("words")))
    return pl.concat(found).with_columns(pl.col("value").fill_null("")).sort("row", "column").cast(PROBLEMS)  # type: ignore[arg-type]
