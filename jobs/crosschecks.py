"""What one part of the record says held against another: findings, decisions, statements, ledgers, orders."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import polars as pl
import sqlalchemy as sa

from jobs import standing
from jobs.due import first_day
from jobs.office import Office
from settlement import ledger, store
from settlement.disbursement import bank_file
from settlement.errors import InvariantBroken, SettlementError, StoreError
from settlement.labels import label
from settlement.store import books, kept, payments, told
from settlement.store.findings import yuan

KEY = ("fixmedins_code", "fund_pay_type")
MONEY = pl.Decimal(18, 2)
Say = Callable[..., str]


def faults(home: store.Store, db: sa.Connection, lang: str = "zh") -> Iterator[str]:
    """Yield, in words, where two parts of the record differ.

    Args:
        home: the store; it is only read.
        db: a connection that reads.
        lang: language of the words.
    """
    for key, facts in told.faults(db):
        yield label(key, lang).format(**facts)
    for region, month in kept.months(db):
        office = Office(home, region, first_day(month), first_day(month), lang=lang)
        yield from _runs(office)
        yield from _month(office, db)


def _say(office: Office) -> Say:
    def say(key: str, **facts: object) -> str:
        return label(key, office.lang).format(region=office.region, month=f"{office.first:%Y-%m}", **facts)

    return say


def _runs(office: Office) -> Iterator[str]:
    """Runs whose own description names other tables than their row, or has another fingerprint."""
    for run in store.runs(office.home, office.region, office.first):
        try:
            text = store.kept_path(office.home, run, "run").read_text(encoding="utf-8")
        except StoreError:
            continue  # told with the other files
        described = json.loads(text)
        said = described["outputs"] | {"fingerprint": described["fingerprint"]}
        row = {name: place[1] for name, place in run["paths"].items() if name != "run"}
        row |= {"fingerprint": run["fingerprint"]}
        wrong = sorted(n for n in said if said[n] != row.get(n) or said[n] != run["files"].get(n, said[n]))
        if wrong:
            yield _say(office)("verify.run", run=run["id"], tables=", ".join(wrong))


def _month(office: Office, db: sa.Connection) -> Iterator[str]:
    lines = payments.statement_lines(db, office.region, office.clr_ym)
    try:
        now = standing.standing(office)
    except InvariantBroken as fault:
        yield _say(office)("verify.booking", fault=fault)
    except (SettlementError, KeyError):
        pass  # a file is missing or was changed, or a batch names no run: told elsewhere
    else:
        yield from _findings(office, db, now)
        yield from _deducted(office, lines, now)
    if not lines.is_empty():
        yield from _cleared(office, lines)
        yield from _booked(office, db, lines)
        yield from _ordered(office, db, lines)


def _findings(office: Office, db: sa.Connection, now: standing.Standing) -> Iterator[str]:
    """The rows of findings against the table the audit kept: what an institution was told, both ways."""
    names = ("fixmedins_code", "finding_id", "rule_id", "grade", "risk_amt", "det_sumamt")
    rows = store.findings.current(db, office.region, office.clr_ym)
    rows = rows.with_columns(yuan("risk_fen", "risk_amt"), yuan("det_fen", "det_sumamt")).select(names)
    # What a trial rule found can cost nothing, and is recorded so.
    trial = pl.col("rule_status") == "trial"
    risk = pl.when(trial).then(Decimal(0)).otherwise("risk_amt").cast(pl.Decimal(16, 2)).alias("risk_amt")
    table = now.findings.with_columns(risk).select(names)
    differing = pl.concat(
        [rows.join(table, on=names, how="anti"), table.join(rows, on=names, how="anti")]
    ).unique("finding_id")
    of_code = differing.group_by("fixmedins_code").agg(pl.len(), pl.col("finding_id").min())
    for code, count, first in of_code.sort("fixmedins_code").iter_rows():
        yield _say(office)("verify.finding", code=code, count=count, finding=first)


def _deducted(office: Office, lines: pl.DataFrame, now: standing.Standing) -> Iterator[str]:
    """What statements deduct against what was decided and booked, and against what was published."""
    owner = now.findings.select("finding_id", "fixmedins_code")
    settled = pl.col("fixmedins_code").is_in(lines["fixmedins_code"].unique().to_list())
    booked = now.finding_funds.join(owner, on="finding_id").filter(
        settled & (pl.col("final_det_sumamt") != 0)
    )
    sums = booked.group_by(KEY).agg(pl.col("final_det_sumamt").sum().cast(MONEY).alias("booked"))
    for row in _unequal(lines.select(*KEY, "det_sumamt"), sums, "det_sumamt", "booked"):
        yield _say(office)("verify.deducted", **row)
    try:
        run = store.newest(office.home, office.region, office.first, "payment")
        shown = store.read_kept(office.home, run, "findings")
        codes = store.read_kept(office.home, run, "payment")["fixmedins_code"].unique().to_list()
    except SettlementError:
        return  # nothing is settled yet, or told with the other files
    answers = ["finding_id", "decision", "final_det_sumamt"]
    mine = now.findings.filter(pl.col("fixmedins_code").is_in(codes))
    other = mine.join(shown, on=answers, how="anti")
    for code, count, first in (
        other.group_by("fixmedins_code").agg(pl.len(), pl.col("finding_id").min()).sort(KEY[0]).iter_rows()
    ):
        yield _say(office)("verify.decision", code=code, count=count, finding=first)


def _unequal(lines: pl.DataFrame, others: pl.DataFrame, mine: str, theirs: str) -> Iterator[dict[str, Any]]:
    """Institutions and funds whose two sums differ; what one side lacks counts as nil."""
    both = lines.join(others, on=KEY, how="full", coalesce=True).sort(KEY)
    zero = pl.col(mine, theirs).cast(MONEY).fill_null(0)
    for row in both.with_columns(zero).filter(pl.col(mine) != pl.col(theirs)).iter_rows(named=True):
        yield {"code": row[KEY[0]], "fund": row[KEY[1]], "line": row[mine], "other": row[theirs]}


def _cleared(office: Office, lines: pl.DataFrame) -> Iterator[str]:
    """What statements claim and deduct against the clearing they sum up."""
    try:
        run = store.newest(office.home, office.region, office.first, "clearing_fund")
        clearing = store.read_kept(office.home, run, "clearing_fund")
    except SettlementError:
        return  # told with the other files
    for name in ("fund_appy_sum", "det_sumamt"):
        sums = clearing.group_by(KEY).agg(pl.col(name).sum().alias("cleared"))
        for row in _unequal(lines.select(*KEY, name), sums, name, "cleared"):
            yield _say(office)("verify.cleared", what=label(f"trace.{name}", office.lang), **row)


def _booked(office: Office, db: sa.Connection, lines: pl.DataFrame) -> Iterator[str]:
    """What the ledgers hold of this month's statements against their lines."""
    entries = books.entries(db, office.region, office.clr_ym)
    mine = entries.filter(pl.col("source").str.starts_with(f"statement:{office.clr_ym}:"))
    names = [*ledger.CHAIN, "kind", "plus_amt", "minus_amt"]
    wanted = ledger.entries_of(lines).select(names)
    other = pl.concat(
        [mine.select(names).join(wanted, on=names, how="anti"), wanted.join(mine, on=names, how="anti")]
    ).unique(ledger.CHAIN)
    for row in other.sort(ledger.CHAIN).iter_rows(named=True):
        book = label(f"book.{row['book']}", office.lang)
        yield _say(office)("verify.entry", code=row[KEY[0]], fund=row[KEY[1]], book=book)


def _ordered(office: Office, db: sa.Connection, lines: pl.DataFrame) -> Iterator[str]:
    """Every order against its line of the statement, and against what the bank was told to pay to whom."""
    orders = payments.orders(db, office.region, office.clr_ym)
    told_bank = pl.concat([_file_rows(), *(_rows_of(office, row) for row in _files(office, db))])
    both = (
        orders.join(
            lines.select("batch_id", "fund_pay_type", "act_dfr_amt"), on=["batch_id", KEY[1]], how="left"
        )
        .join(told_bank, on=["business_no", "file"], how="full", coalesce=True)
        .with_columns(pl.col("amount", "act_dfr_amt", "bank_amount").cast(MONEY))
    )
    same = (
        (pl.col("amount") == pl.col("act_dfr_amt"))
        & (pl.col("amount") == pl.col("bank_amount"))
        & (pl.col("bankacct") == pl.col("bank_acct"))
    )
    # A file that cannot be read is told elsewhere; its orders have nothing to be held against.
    readable = pl.col("file").is_in(told_bank["file"].unique().to_list())
    for row in both.filter(readable & ~same.fill_null(False)).sort("business_no").iter_rows(named=True):
        facts = {"no": row["business_no"], "order": row["amount"], "line": row["act_dfr_amt"]}
        yield _say(office)("verify.order", **facts, bank=row["bank_amount"], file=row["file"])


def _files(office: Office, db: sa.Connection) -> list[dict[str, Any]]:
    return payments.pay_files(db, office.region, office.clr_ym)


def _file_rows() -> pl.DataFrame:
    names = dict.fromkeys(("business_no", "bank_acct", "file"), pl.String)
    return pl.DataFrame(schema={**names, "bank_amount": MONEY})


def _rows_of(office: Office, row: dict[str, Any]) -> pl.DataFrame:
    """The orders of a bank file as it is kept; none when it is missing, changed or cannot be read."""
    try:
        data = store.read_bytes(office.home, row["path"], row["digest"])
        rows = bank_file.orders_in(data)
    except (SettlementError, UnicodeError, pl.exceptions.PolarsError):
        return _file_rows()
    return rows.select(
        "business_no",
        pl.col("bankacct").alias("bank_acct"),
        pl.lit(row["name"]).alias("file"),
        pl.col("amount").cast(MONEY).alias("bank_amount"),
    )
