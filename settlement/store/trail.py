"""Where in the log the steps of a payment stand: entry, time, person, reason, hash."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from settlement.store import history
from settlement.store.schema import (
    BATCH,
    LOG,
    PAY_FILE,
    PAY_ORDER,
    PAY_RESULT,
    RECEIPT,
    REFERENCE,
)

ENTRY = (LOG.c.seq.label("log"), LOG.c.at, LOG.c.actor, LOG.c.reason, LOG.c.hash)


def steps(db: sa.Connection, ids: Sequence[int]) -> list[dict[str, Any]]:
    """Return the steps of batches with their entries: state, held, day, log, at, actor, reason, hash."""
    names = ("day", "log", "at", "actor", "reason", "hash")
    return [
        {"state": row["to_state"], "held": row["to_held"], **{name: row[name] for name in names}}
        for row in history.steps(db, ids)
    ]


def decisions(db: sa.Connection, region: str, clr_ym: str) -> list[dict[str, Any]]:
    """Return the entries that recorded decisions of a month: actor, day, source, log, at, hash."""
    mine = (LOG.c.region == region) & (LOG.c.clr_ym == clr_ym) & (LOG.c.subject == "decisions")
    query = sa.select(*ENTRY, LOG.c.day, LOG.c.after).where(mine).order_by(LOG.c.seq)
    rows = [dict(row._mapping) for row in db.execute(query)]
    return [{**row, "source": json.loads(row.pop("after"))["source"]} for row in rows]


def orders(db: sa.Connection, region: str, clr_ym: str) -> dict[str, dict[str, Any]]:
    """Return, by business number, the bank file and the bank's return of each order of a month.

    Of the file: file, file_digest, actor, ordered (log, at, hash); of the return, when there is one:
    receipt, receipt_digest, answered (log, at, hash).
    """
    query = (
        sa.select(
            PAY_ORDER.c.business_no, PAY_ORDER.c.actor, PAY_FILE.c.name.label("file"),
            PAY_FILE.c.digest.label("file_digest"), RECEIPT.c.name.label("receipt"),
            RECEIPT.c.digest.label("receipt_digest"),
        )
        .join(BATCH, BATCH.c.id == PAY_ORDER.c.batch_id)
        .join(PAY_FILE, PAY_FILE.c.id == PAY_ORDER.c.file_id)
        .outerjoin(PAY_RESULT, PAY_RESULT.c.business_no == PAY_ORDER.c.business_no)
        .outerjoin(RECEIPT, RECEIPT.c.id == PAY_RESULT.c.receipt_id)
        .where(BATCH.c.region == region, BATCH.c.clr_ym == clr_ym)
    )  # fmt: skip
    entries = _by_digest(db, region)
    found = {}
    for row in db.execute(query):
        facts = dict(row._mapping)
        facts["ordered"] = entries.get(("bank_file", row.file_digest))
        facts["answered"] = entries.get(("receipt", row.receipt_digest))
        found[facts.pop("business_no")] = facts
    return found


def references(db: sa.Connection, region: str, paths: Iterable[str]) -> list[dict[str, Any]]:
    """Return the versions of reference tables at paths: name, digest, rows, loaded_on, and their entry."""
    wanted = set(paths)
    entries = _by_digest(db, region)
    query = (
        sa.select(REFERENCE).where(REFERENCE.c.region == region).order_by(REFERENCE.c.name, REFERENCE.c.id)
    )
    return [
        {
            "name": row.name,
            "digest": row.digest,
            "rows": row.rows,
            "loaded_on": row.loaded_on,
            "loaded": entries.get(("reference", row.digest)),
        }
        for row in db.execute(query)
        if row.path in wanted
    ]


def _by_digest(db: sa.Connection, region: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The last entry of a region about each digest, by kind of subject and digest."""
    kinds = ("bank_file", "receipt", "reference")
    told = sa.or_(*(LOG.c.subject.startswith(f"{kind}:") for kind in kinds))
    query = sa.select(*ENTRY, LOG.c.subject, LOG.c.after).where(told, LOG.c.region == region)
    found = {}
    for row in db.execute(query.order_by(LOG.c.seq)):
        entry = {"log": row.log, "at": row.at, "actor": row.actor, "hash": row.hash}
        found[row.subject.partition(":")[0], json.loads(row.after).get("digest", "")] = entry
    return found
