"""What the record names: every file with its digest, and the sums that must hold. Nothing is changed here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from settlement import settings
from settlement.store import database, guards, migrating
from settlement.store.schema import (
    BATCH,
    LEDGER,
    LOG,
    MARK,
    PAY_FILE,
    PAY_ORDER,
    RECEIPT,
    REFERENCE,
    RUN,
    STATEMENT,
    STATEMENT_LINE,
    STORED,
    SUBMISSION,
    TRANSITION,
)

# How the log names an original.
ORIGINAL = "original:"


@dataclass(frozen=True)
class Named:
    """A file that a row names: what it is to the row, its path in the home, its digest."""

    what: str
    path: str
    digest: str


def files(db: sa.Connection) -> list[Named]:
    """Return every file of `store/` that the record names."""
    found = [
        Named(f"month_run {row.id} {name}", str(path), str(digest))
        for row in db.execute(sa.select(RUN.c.id, RUN.c.paths).order_by(RUN.c.id))
        for name, (path, digest) in sorted(row.paths.items())
    ]
    named = (
        (STORED, STORED.c.table),
        (REFERENCE, REFERENCE.c.name),
        (PAY_FILE, PAY_FILE.c.name),
        (RECEIPT, RECEIPT.c.name),
    )
    for table, name in named:
        query = sa.select(table.c.id, name.label("name"), table.c.path, table.c.digest).order_by(table.c.id)
        found += [Named(f"{table.name} {r.id} {r.name}", r.path, r.digest) for r in db.execute(query)]
    return [*found, *_papers(db)]


def _papers(db: sa.Connection) -> Iterator[Named]:
    """Replies and worklists as they came, which only the log names."""
    query = sa.select(LOG.c.seq, LOG.c.subject, LOG.c.after).where(LOG.c.after.contains('"kept":'))
    for row in db.execute(query.order_by(LOG.c.seq)):
        facts = json.loads(row.after)
        if "digest" in facts:
            yield Named(f"log {row.seq} {row.subject}", str(facts["kept"]), str(facts["digest"]))


def originals(db: sa.Connection) -> list[dict[str, Any]]:
    """Return where each submission is kept as it came: region, clr_ym, name, kept, digest, status."""
    names = ("region", "clr_ym", "name", "kept", "digest", "status")
    query = sa.select(*(SUBMISSION.c[name] for name in names))
    rows = db.execute(query.where(SUBMISSION.c.kept != "").order_by(SUBMISSION.c.id))
    return [dict(row._mapping) for row in rows]


def removed(db: sa.Connection) -> set[str]:
    """Return the originals that were removed on command, by where they were kept."""
    query = sa.select(LOG.c.subject).where(LOG.c.action == "retention", LOG.c.subject.startswith(ORIGINAL))
    return {subject.removeprefix(ORIGINAL) for subject in db.execute(query).scalars()}


def unfinished(db: sa.Connection, ends: tuple[str, ...]) -> set[tuple[str, str]]:
    """Return region and month of batches that stand elsewhere than at an end."""
    query = sa.select(BATCH.c.region, BATCH.c.clr_ym).where(BATCH.c.state.not_in(ends)).distinct()
    return {(row.region, row.clr_ym) for row in db.execute(query)}


def months(db: sa.Connection) -> list[tuple[str, str]]:
    """Return region and month (yyyyMM) of everything that was ever run."""
    query = sa.select(RUN.c.region, RUN.c.clr_ym).distinct().order_by(RUN.c.region, RUN.c.clr_ym)
    return [(row.region, row.clr_ym) for row in db.execute(query)]


def ledger_regions(db: sa.Connection) -> list[str]:
    """Return the regions that have a ledger."""
    return list(db.execute(sa.select(LEDGER.c.region).distinct().order_by(LEDGER.c.region)).scalars())


def bank_files(db: sa.Connection) -> list[dict[str, Any]]:
    """Return every bank file with the number and sum (分) of the orders that name it."""
    orders = (
        sa.select(
            PAY_ORDER.c.file_id,
            sa.func.count().label("orders"),
            sa.cast(sa.func.sum(PAY_ORDER.c.amount_fen), sa.BigInteger).label("order_fen"),
        )
        .group_by(PAY_ORDER.c.file_id)
        .subquery()
    )
    query = sa.select(PAY_FILE, orders.c.orders, orders.c.order_fen)
    query = query.outerjoin(orders, orders.c.file_id == PAY_FILE.c.id).order_by(PAY_FILE.c.id)
    return [dict(row._mapping) for row in db.execute(query)]


def unequal_lines(db: sa.Connection) -> list[tuple[str, str]]:
    """Return batch and fund of statement lines whose amounts do not satisfy the identity of a payment."""
    c = STATEMENT_LINE.c
    used = (
        c.det_fen - c.method_adjust_fen + c.deferred_fen + c.dpst_fen + c.advance_offset_fen
        - c.prior_adjust_fen + c.clawback_fen + c.act_dfr_fen - c.carry_fen
    )  # fmt: skip
    query = sa.select(_name(), c.fund_pay_type).join(BATCH, BATCH.c.id == c.batch_id)
    rows = db.execute(query.where(c.fund_appy_fen != used).order_by(c.batch_id, c.fund_pay_type))
    return [(row.batch, row.fund_pay_type) for row in rows]


def unequal_statements(db: sa.Connection) -> list[dict[str, Any]]:
    """Return statements that differ from the sum of their lines: batch and four amounts in 分."""
    c = STATEMENT_LINE.c
    sums = {
        name: sa.cast(sa.func.coalesce(sa.func.sum(c[column]), 0), sa.BigInteger).label(name)
        for name, column in (("paid_fen", "act_dfr_fen"), ("carried_fen", "carry_fen"))
    }
    query = (
        sa.select(_name(), STATEMENT.c.payable_fen, STATEMENT.c.carry_fen, *sums.values())
        .join(BATCH, BATCH.c.id == STATEMENT.c.batch_id)
        .outerjoin(STATEMENT_LINE, c.batch_id == STATEMENT.c.batch_id)
        .group_by(STATEMENT.c.batch_id, BATCH.c.region, BATCH.c.clr_ym, BATCH.c.fixmedins_code)
        .group_by(STATEMENT.c.payable_fen, STATEMENT.c.carry_fen)
        .order_by(STATEMENT.c.batch_id)
    )
    rows = [dict(row._mapping) for row in db.execute(query)]
    return [r for r in rows if (r["payable_fen"], r["carry_fen"]) != (r["paid_fen"], r["carried_fen"])]


def _name() -> sa.Label[str]:
    return (BATCH.c.region + "/" + BATCH.c.clr_ym + "/" + BATCH.c.fixmedins_code).label("batch")


def log_hash(db: sa.Connection, seq: int | None = None) -> tuple[int, str]:
    """Return number and hash of an entry of the log, or of the last one; (0, "") when there is none."""
    query = sa.select(LOG.c.seq, LOG.c.hash).order_by(LOG.c.seq.desc()).limit(1)
    row = db.execute(query if seq is None else query.where(LOG.c.seq == seq)).first()
    return (row.seq, row.hash) if row else (0, "")


def month_head(db: sa.Connection, region: str, clr_ym: str) -> tuple[int, str]:
    """Return number and hash of the log's last entry that moved a batch of a month; (0, "") before any.

    What is logged about a month later without moving it, such as a refusal or a message sent, leaves it.
    """
    mine = sa.select(BATCH.c.id).where(BATCH.c.region == region, BATCH.c.clr_ym == clr_ym)
    last = sa.select(sa.func.max(TRANSITION.c.log_seq)).where(TRANSITION.c.batch_id.in_(mine))
    seq = db.execute(last).scalar()
    return log_hash(db, seq) if seq else (0, "")


def altered_guards(folder: Path) -> list[str]:
    """Return the triggers that are not those of this program in a home that was not opened yet.

    Opening puts them right. A new home, or one of another version of the program, has nothing to tell.
    """
    address = settings.load(folder).database.url or f"sqlite:///{folder.absolute() / 'settlement.db'}"
    url = sa.make_url(address)
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).is_file():
        return []
    engine = database.engine_at(address)
    try:
        with engine.connect() as db:
            mark = sa.select(MARK.c.value).where(MARK.c.name == migrating.MARKED)
            same = db.execute(mark).scalar() == migrating.added_rules(db.dialect.name)[0]
            return guards.altered(db) if same else []
    except (sa.exc.OperationalError, sa.exc.ProgrammingError):
        return []  # no tables yet, or a server that opening tells about
    finally:
        engine.dispose()
