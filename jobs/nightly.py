"""The nightly check: everything on record is as it was recorded, and adds up."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa

from jobs import backup, crosschecks
from jobs.due import first_day
from settlement import ledger, store
from settlement.disbursement import bank_file
from settlement.errors import InvariantBroken, SettlementError, StoreError
from settlement.labels import label
from settlement.money import to_yuan
from settlement.store import books, commits, guards, kept, payments

KEY = ("fixmedins_code", "fund_pay_type")


def verify(home: store.Store, lang: str = "zh") -> list[str]:
    """Return what is wrong, in words; nothing when all is well.

    Looked at: the triggers of the database, the chain of the log and where it stood at the last backup,
    every row against the commit that added it, every file the record names, the originals, the published
    copies, the ledgers, the statements, the bank files against their orders, and one part of the record
    against the other (`crosschecks`).

    Args:
        home: the store; it is only read.
        lang: language of the words.
    """
    with home.engine.connect() as db:
        found = [
            *altered(guards.altered(db), lang),
            *_log(home, db, lang),
            *(label("verify.commit", lang).format(fault=fault) for fault in commits.breaks(db)),
            *_files(home, db, lang),
            *_originals(home, db, lang),
            *_ledgers(db, lang),
            *_statements(db, lang),
            *_payments(home, db, lang),
            *_bank_files(home, db, lang),
            *_copies(home, db, lang),
            *crosschecks.faults(home, db, lang),
        ]
    return list(dict.fromkeys(found))


def check(home: store.Store, lang: str = "zh") -> None:
    """Verify as a job.

    Raises:
        StoreError: something is wrong; the text holds the first faults.
    """
    found = verify(home, lang)
    if found:
        raise StoreError("\n".join([label("verify.found", lang).format(count=len(found)), *found[:10]]))


def altered(names: Iterable[str], lang: str = "zh") -> list[str]:
    """Say which triggers are not those of this program."""
    return [label("verify.guard", lang).format(name=name) for name in names]


def republish(home: store.Store) -> None:
    """Put the published copies of every month back from the record, as after a restore."""
    with home.engine.connect() as db:
        months = kept.months(db)
    for region, month in months:
        store.publish(home, region, first_day(month))


def _log(home: store.Store, db: sa.Connection, lang: str) -> Iterator[str]:
    for fault in store.log.breaks(db):
        yield label("verify.log", lang).format(fault=fault)
    last = backup.newest(home)
    if last:
        seq, digest = json.loads((last / backup.MANIFEST).read_text(encoding="utf-8"))["log"]
        if seq and kept.log_hash(db, seq)[1] != digest:
            yield label("verify.log_cut", lang).format(backup=last.name, seq=seq)


def _files(home: store.Store, db: sa.Connection, lang: str) -> Iterator[str]:
    """Files that are named, each read once, then those that nothing names."""
    named: dict[str, list[kept.Named]] = {}
    for file in kept.files(db):
        named.setdefault(file.path, []).append(file)
    for path, rows in named.items():
        there = home.home / path
        digest = store.file_digest(there) if there.is_file() else ""
        for row in rows:
            if digest != row.digest:
                key = "verify.changed" if digest else "verify.missing"
                yield label(key, lang).format(what=row.what, path=path)
    for there in sorted((home.home / backup.STORE).rglob("*")):
        path = there.relative_to(home.home).as_posix()
        if path not in named and there.is_file() and store.file_digest(there) != there.name.partition(".")[0]:
            yield label("verify.misnamed", lang).format(path=path)


def _originals(home: store.Store, db: sa.Connection, lang: str) -> Iterator[str]:
    gone = kept.removed(db)
    for row in kept.originals(db):
        if row["kept"] in gone:
            continue
        folder = home.home / row["kept"]
        facts = {"what": f"submission {row['name']}", "path": row["kept"]}
        if not folder.is_dir():
            yield label("verify.missing", lang).format(**facts)
        # A refused one may have held a link, which is part of the digest and was not kept.
        elif row["status"] == store.ACCEPTED and row["digest"] not in _digests(folder):
            yield label("verify.changed", lang).format(**facts)


def _digests(folder: Path) -> set[str]:
    """What the digest of a submission was, had it come as a folder or as a single file."""
    found = [(p, store.file_digest(p)) for p in sorted(folder.rglob("*")) if p.is_file()]
    ways: Iterable[list[str]] = (
        [f"{p.relative_to(folder).as_posix()}\0{d}\n" for p, d in found],
        [f"{p.suffix.lower()}\0{d}\n" for p, d in found[:1]],
    )
    return {hashlib.sha256("".join(lines).encode()).hexdigest() for lines in ways}


def _copies(home: store.Store, db: sa.Connection, lang: str) -> Iterator[str]:
    """The published copies of each month against its newest run."""
    for region, month in kept.months(db):
        first = first_day(month)
        run, folder = store.newest(home, region, first), home.month_folder(region, first) / "data"
        wanted = {"run.json" if n == "run" else f"{n}.parquet": d for n, d in run["files"].items()}
        facts = {"region": region, "month": f"{first:%Y-%m}"}
        for file, digest in sorted(wanted.items()):
            if not (folder / file).is_file() or store.file_digest(folder / file) != digest:
                yield label("verify.published", lang).format(**facts, file=file)
        for stray in sorted(p.name for p in folder.glob("[!.]*") if p.name not in wanted):
            yield label("verify.stray", lang).format(**facts, file=stray)


def _ledgers(db: sa.Connection, lang: str) -> Iterator[str]:
    for region in kept.ledger_regions(db):
        for fault in ledger.roll_forward(books.entries(db, region), lang):
            yield label("verify.ledger", lang).format(region=region, fault=fault)


def _statements(db: sa.Connection, lang: str) -> Iterator[str]:
    for batch, fund in kept.unequal_lines(db):
        yield label("verify.identity", lang).format(batch=batch, fund=fund)
    for row in kept.unequal_statements(db):
        names = {"payable": "payable_fen", "carry": "carry_fen", "paid": "paid_fen", "carried": "carried_fen"}
        amounts = {name: to_yuan(row[column]) for name, column in names.items()}
        yield label("verify.totals", lang).format(batch=row["batch"], **amounts)


def _bank_files(home: store.Store, db: sa.Connection, lang: str) -> Iterator[str]:
    """The bytes the bank was given against the record, and the copies that lie in the month's folder."""
    for row in kept.bank_files(db):
        yield from _bank_file(home, row, lang)
        month = first_day(row["clr_ym"])
        copy = home.month_folder(row["region"], month) / row["name"]
        if copy.is_file() and store.file_digest(copy) != row["digest"]:
            facts = {"region": row["region"], "month": f"{month:%Y-%m}", "name": row["name"]}
            yield label("verify.bank_copy", lang).format(**facts)


def _bank_file(home: store.Store, row: dict[str, Any], lang: str) -> Iterator[str]:
    path = home.home / row["path"]
    if not path.is_file():
        return  # told with the other files
    try:
        count, total = bank_file.read_back(path.read_bytes())
    except (InvariantBroken, UnicodeError, pl.exceptions.PolarsError) as fault:
        yield label("verify.unreadable", lang).format(what=row["name"], kind=type(fault).__name__)
        return
    ordered = (row["orders"] or 0, to_yuan(row["order_fen"] or 0))
    recorded: tuple[int, Decimal] = (row["count"], to_yuan(row["sum_fen"]))
    if not (count, total) == recorded == ordered:
        yield label("verify.bank", lang).format(
            name=row["name"], file_count=count, file_sum=total, count=recorded[0], sum=recorded[1],
            orders=ordered[0], order_sum=ordered[1],
        )  # fmt: skip


def _payments(home: store.Store, db: sa.Connection, lang: str) -> Iterator[str]:
    """The lines of the statements against the payment table of the run that made the last of them."""
    for region, month in kept.months(db):
        lines = payments.statement_lines(db, region, month).drop("batch_id")
        if lines.is_empty():
            continue
        first = first_day(month)
        try:
            table = store.read_kept(home, store.newest(home, region, first, "payment"), "payment")
        except SettlementError:
            continue  # told with the other files
        if not lines.sort(KEY).equals(table.select(lines.columns).sort(KEY)):
            yield label("verify.payment", lang).format(region=region, month=f"{first:%Y-%m}")
