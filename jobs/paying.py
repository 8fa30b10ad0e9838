"""Disbursement 拨付: bank files, the bank's returns, accounts that need a second look, closing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from jobs import documents
from jobs.books import Month, open_month
from jobs.office import Office, chosen, permit
from jobs.settling import Moved
from settlement import procedure, store
from settlement.disbursement import accounts, bank_file, orders, receipt
from settlement.errors import ProcedureError
from settlement.masking import mask_all
from settlement.store import batches, payments
from settlement.store.batches import Batch

BANK = "07_银行批量拨付"
CONTROL = "07_银行批量拨付_控制.csv"


@dataclass(frozen=True)
class Disbursed:
    """What a disbursement did: bank files written, batches moved, institutions blocked and why."""

    files: list[dict[str, Any]]
    moved: Moved


def disburse(
    office: Office, codes: Sequence[str] = (), encoding: bank_file.Encoding = "utf-8-sig"
) -> Disbursed:
    """Write the bank files for approved batches, and again for transfers that failed.

    Every order is recorded in the same transaction that makes its file part of the record; files
    written before are put back where they are missing, never made anew.

    Raises:
        ProcedureError: the actor may not disburse, or has another duty in one of the batches.
    """
    act = permit(office, "disburse")
    due = chosen(office, (procedure.APPROVED, procedure.PAID), codes)
    month = open_month(office)
    blocked: dict[str, str] = {}
    moved: list[str] = []
    if due:
        _check_accounts(office, month, due)
        rows, blocked = _due(office, month, due)
        made = _files(office, rows, encoding)
        approved = [b for b in due if b.state == procedure.APPROVED and b.fixmedins_code not in blocked]
        retried = set(rows["fixmedins_code"])
        acting = [b for b in due if b in approved or b.fixmedins_code in retried]
        if acting:
            with store.writing(office.home) as db:
                batches.unmoved(db, due)
                batches.take_duty(db, act, acting, procedure.FINANCE)
                _record(db, act, made, rows)
                moved = _move(db, act, office, approved)
    return Disbursed(put_back(office), Moved(moved, blocked))


def _due(office: Office, month: Month, due: list[Batch]) -> tuple[pl.DataFrame, dict[str, str]]:
    """Orders that may be written now, and institutions whose account stops theirs."""
    ids = {b.fixmedins_code: b.id for b in due}
    with office.home.engine.connect() as db:
        lines = payments.statement_lines(db, office.region, office.clr_ym)
        written = payments.orders(db, office.region, office.clr_ym)
        payees = payments.payees(db, office.region, office.clr_ym)
    lines = lines.filter(pl.col("fixmedins_code").is_in(list(ids)))
    results = written.filter(pl.col("result").is_not_null())
    free = orders.outstanding(lines, written, results)
    funds = month.reference.get("fund_account")
    on = orders.in_force(funds, office.today) if funds is not None else None
    now = _accounts_now(month, office)
    every = orders.payables(free, now, on, free, office.region, office.clr_ym)
    waiting = to_confirm(payees).join(now, on=["fixmedins_code", "bankacct"], how="semi")
    held = {
        row["fixmedins_code"]: f"收款账户待另一人确认:{row['warning']}"
        for row in waiting.iter_rows(named=True)
        if row["fixmedins_code"] in set(every["fixmedins_code"])
    }
    gaps = every.filter(~orders.ready())
    held |= {code: "机构名录中收款账户不完整,请补齐后重试" for code in gaps["fixmedins_code"]}
    rows = every.filter(~pl.col("fixmedins_code").is_in(list(held)))
    numbered = orders.in_files(rows).with_columns(
        batch_id=pl.col("fixmedins_code").replace_strict(ids, return_dtype=pl.Int64)
    )
    return numbered, held


def to_confirm(payees: pl.DataFrame) -> pl.DataFrame:
    """Accounts of a month that a second person must confirm: with a warning, or of two institutions."""
    account = pl.col("bankacct")
    shared = (pl.col("fixmedins_code").n_unique().over("bankacct") > 1) & (account != "")
    odd = (pl.col("warning") != "") | shared
    return payees.filter(odd & pl.col("confirmed_by").is_null())


def _accounts_now(month: Month, office: Office) -> pl.DataFrame:
    """One row per institution: the account in force today, else the last one in force in the month."""
    today = orders.in_force(month.reference["institution"], office.today)
    both = pl.concat([month.institutions(), today.sort("begndate")])
    return both.unique("fixmedins_code", keep="last", maintain_order=True).sort("fixmedins_code")


def _check_accounts(office: Office, month: Month, due: list[Batch]) -> None:
    """Record the account of each batch, with what makes a second look necessary."""
    ids = {b.fixmedins_code: b.id for b in due}
    now = _accounts_now(month, office)
    with store.writing(office.home) as db:
        last = payments.last_accounts(db, office.region, office.clr_ym)
        found = accounts.account_warnings(now, last, office.lang)
        # What is missing is looked at anew each time; only what needs a second person is recorded.
        found = found.filter(pl.col("kind") != accounts.MISSING)
        words = found.group_by("fixmedins_code").agg(pl.col("words").sort().str.join(";").alias("warning"))
        rows = (
            now.filter(pl.col("fixmedins_code").is_in(list(ids)))
            .join(words, on="fixmedins_code", how="left")
            .select(
                pl.col("fixmedins_code").replace_strict(ids, return_dtype=pl.Int64).alias("batch_id"),
                "fixmedins_code",
                *(pl.col(name).fill_null("") for name in ("acctname", "bankacct", "bank_name", "bankcode")),
                pl.col("warning").fill_null(""),
            )
        )
        payments.record_payees(db, office.act("disburse"), rows)


def _files(
    office: Office, rows: pl.DataFrame, encoding: bank_file.Encoding
) -> list[tuple[bank_file.BankFile, str]]:
    """Make the bank files and keep them; a name is never given twice in a month."""
    if rows.is_empty():
        return []
    with office.home.engine.connect() as db:
        before = len(payments.pay_files(db, office.region, office.clr_ym))
    made = []
    for number, file in enumerate(bank_file.files(rows, encoding, office.lang), start=before + 1):
        named = replace(file, name=f"{Path(file.name).stem}_{number:02d}.csv")
        made.append((named, store.keep_bytes(office.home, named.data, ".csv")[0]))
    return made


def _record(
    db: store.Connection, act: store.Act, made: list[tuple[bank_file.BankFile, str]], rows: pl.DataFrame
) -> None:
    keyed = rows.with_columns(part=orders.file_key()).partition_by("part", maintain_order=True)
    for (file, path), part in zip(made, keyed, strict=True):
        facts = {"name": file.name, "payer_acct": file.payer_acct, "count": file.count,
                 "sum_fen": int(file.total * 100), "digest": file.digest, "path": path}  # fmt: skip
        ident = payments.record_file(db, act, facts)
        payments.record_orders(db, act, ident, part.with_columns(pl.col("payer_acct").fill_null("")))
        told = {"count": file.count, "sum": str(file.total), "digest": file.digest}
        store.log.write(db, act, store.Change(f"bank_file:{file.name}", {}, told))


def _move(db: store.Connection, act: store.Act, office: Office, approved: list[Batch]) -> list[str]:
    """Paid where something was payable; carried where nothing was and something is owed."""
    frozen = payments.statements(db, office.region, office.clr_ym)
    facts = {row["batch_id"]: row for row in frozen.iter_rows(named=True)}
    owed = [b for b in approved if not facts[b.id]["payable_fen"] and facts[b.id]["carry_fen"]]
    batches.move(db, act, owed, procedure.CARRIED)
    batches.move(db, act, [b for b in approved if b not in owed], procedure.PAID)
    return [b.fixmedins_code for b in approved]


def put_back(office: Office) -> list[dict[str, Any]]:
    """Write the month's bank files and their control sheet from the record."""
    folder = office.home.month_folder(office.region, office.first)
    with office.home.engine.connect() as db:
        files = payments.pay_files(db, office.region, office.clr_ym)
    listed = []
    for row in files:
        data = store.read_bytes(office.home, row["path"], row["digest"])
        store.write_bytes(folder / row["name"], data)
        count, total = bank_file.read_back(data)
        shape = (row["name"], row["payer_acct"], "", count, total, row["digest"], data, "")
        listed.append(bank_file.BankFile(*shape))
    if listed:
        store.write_bytes(folder / CONTROL, bank_file.control(listed, lang=office.lang))
    return [{"file": f.name, "count": f.count, "sum": str(f.total), "sha256": f.digest} for f in listed]


def confirm_account(office: Office, code: str, reason: str) -> Moved:
    """Confirm, as a second person, the account a batch is paid to.

    Raises:
        ProcedureError: the actor may not, is the one who pays, gave no reason, or nothing is to confirm.
    """
    act = permit(office, "confirm_account", reason)
    if not reason.strip():
        raise ProcedureError("确认收款账户须用 --reason 写明核实方式。")
    with store.writing(office.home) as db:
        payees = payments.payees(db, office.region, office.clr_ym)
        waiting = to_confirm(payees).filter(pl.col("fixmedins_code") == code)
        if waiting.is_empty():
            raise ProcedureError(f"{office.region}/{office.clr_ym}/{code} 没有待确认的收款账户。")
        for row in waiting.iter_rows(named=True):
            payments.confirm_payee(db, act, row["batch_id"], row["bankacct"])
            told = store.Change(f"account:{code}", {"warning": row["warning"]}, {"confirmed_by": act.actor})
            store.log.write(db, act, told)
    return Moved([code], {})


@dataclass(frozen=True)
class Received:
    """What a bank return said: how many rows of each kind, and every row that needs a person."""

    counts: dict[str, int]
    noted: pl.DataFrame
    report: Path | None = None


def take_receipt(office: Office, path: Path) -> Received:
    """Match a bank's return with the orders: paid, failed, unknown, repeated, conflicting.

    Raises:
        ProcedureError: the actor may not enter bank returns.
    """
    act = permit(office, "receipt")
    place, digest = store.keep_copy(office.home, path)
    rows, problems = receipt.read_receipt(path, office.lang)
    with store.writing(office.home) as db:
        known = payments.receipt_of(db, digest)
        every = payments.orders(db, office.region)
        recorded = every.filter(pl.col("result").is_not_null())
        matched = receipt.match(rows, every, recorded, office.lang)
        kinds = ("paid", "failed", "unknown", "repeated", "conflicting")
        counts = {kind: getattr(matched, kind).height for kind in kinds} | {"unreadable": problems.height}
        fresh = pl.concat([matched.paid, matched.failed])
        # The same file may hold what another region ordered: what is new in it counts whenever it is read.
        if not known or fresh.height:
            facts = {"name": path.name, "digest": digest, "path": place, "facts": counts}
            ident = known or payments.record_receipt(db, act, facts)
            payments.record_results(db, ident, _results(office, fresh, every))
            store.log.write(db, act, store.Change(f"receipt:{path.name}", {}, {**counts, "digest": digest}))
    noted = pl.concat([matched.failed, matched.unknown, matched.conflicting]).select(
        "row", "business_no", "words"
    )
    noted = pl.concat([noted, problems.select("row", pl.lit("").alias("business_no"), "words")])
    report = None
    if noted.height:
        report = office.home.month_folder(office.region, office.first) / "07_银行回单_待处理.csv"
        report = documents.write_list(noted, report, office.lang)
    return Received(counts, noted, report)


def _results(office: Office, fresh: pl.DataFrame, every: pl.DataFrame) -> pl.DataFrame:
    """Rows of the result table; without a time of the bank's the day is the day of entry."""
    facts = fresh.join(every.select("business_no", "batch_id", "attempt"), on="business_no")
    day = pl.col("trade_time").cast(pl.Date).fill_null(office.today)
    return facts.with_columns(
        pl.col("reason").fill_null(""),
        bank_time=pl.col("trade_time").cast(pl.String).fill_null(""),
        bank_day=day,
    )


def close(office: Office, codes: Sequence[str] = ()) -> Moved:
    """Close batches whose every payment the bank has confirmed, and those carried forward."""
    act = permit(office, "close")
    ended = chosen(office, (procedure.PAID, procedure.CARRIED), codes)
    with office.home.engine.connect() as db:
        lines = payments.statement_lines(db, office.region, office.clr_ym)
        every = payments.orders(db, office.region, office.clr_ym)
    paid = every.filter(pl.col("result") == "PAID")
    open_lines = lines.filter(pl.col("act_dfr_amt") > 0).join(
        paid, on=["batch_id", "fund_pay_type"], how="anti"
    )
    still = dict(open_lines.group_by("fixmedins_code").len().iter_rows())
    waiting = {
        b.fixmedins_code: f"尚有 {still[b.fixmedins_code]} 笔没有银行成功回单"
        for b in ended
        if b.fixmedins_code in still and b.state == procedure.PAID
    }
    done = [b for b in ended if b.fixmedins_code not in waiting]
    if done:
        with store.writing(office.home) as db:
            batches.unmoved(db, done)
            batches.move(db, act, done, procedure.CLOSED)
    return Moved([b.fixmedins_code for b in done], waiting)


def listed(office: Office) -> list[dict[str, Any]]:
    """Return the accounts of the month's batches, masked, with what is odd and who confirmed them."""
    with office.home.engine.connect() as db:
        rows = payments.payees(db, office.region, office.clr_ym)
    shown = rows.with_columns(pl.Series("bankacct", mask_all("bankacct", rows["bankacct"]), pl.String))
    return shown.select("fixmedins_code", "bankacct", "warning", "confirmed_by", "confirm_reason").to_dicts()
