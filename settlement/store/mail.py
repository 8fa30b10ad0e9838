"""The outbox: messages to institutions, recorded with the step that causes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from settlement.store.findings import insert_rows
from settlement.store.schema import OUTBOX

READY, SENT, FAILED, NO_ADDRESS = "READY", "SENT", "FAILED", "NO_ADDRESS"
STATES = (READY, SENT, FAILED, NO_ADDRESS)
KEY = ("region", "clr_ym", "fixmedins_code", "kind", "digest")


def put(db: sa.Connection, rows: list[dict[str, Any]]) -> int:
    """Record messages; one that is there already is left as it is. Returns how many are new."""
    if not rows:
        return 0
    same = [OUTBOX.c[n] == rows[0][n] for n in ("region", "clr_ym", "kind", "digest")]
    known = {tuple(r) for r in db.execute(sa.select(*(OUTBOX.c[n] for n in KEY)).where(*same))}
    fresh = [row for row in rows if tuple(row[n] for n in KEY) not in known]
    insert_rows(db, OUTBOX, [{**r, "state": READY, "attempts": 0, "error": "", "sent_at": ""} for r in fresh])
    return len(fresh)


def waiting(
    db: sa.Connection,
    states: Sequence[str] = (READY, FAILED),
    region: str | None = None,
    clr_ym: str | None = None,
) -> list[dict[str, Any]]:
    """Return messages in some states, of a region and month or all, oldest first."""
    query = sa.select(OUTBOX).where(OUTBOX.c.state.in_(states)).order_by(OUTBOX.c.id)
    if region:
        query = query.where(OUTBOX.c.region == region)
    if clr_ym:
        query = query.where(OUTBOX.c.clr_ym == clr_ym)
    return [dict(row._mapping) for row in db.execute(query)]


def find(db: sa.Connection, ident: int) -> dict[str, Any]:
    """Return a message by its number."""
    return dict(db.execute(sa.select(OUTBOX).where(OUTBOX.c.id == ident)).one()._mapping)


def told(db: sa.Connection, kind: str) -> set[tuple[str, str, str, str]]:
    """Return who was sent messages of a kind: region, month, institution, mark."""
    query = sa.select(*(OUTBOX.c[n] for n in KEY if n != "kind")).where(OUTBOX.c.kind == kind)
    return {(r.region, r.clr_ym, r.fixmedins_code, r.digest) for r in db.execute(query)}


def mark(db: sa.Connection, ident: int, values: dict[str, Any]) -> bool:
    """Set what became of a message that is not sent: state, attempts, error, sent_at; False when it is."""
    unsent = (OUTBOX.c.id == ident) & (OUTBOX.c.state != SENT)
    return db.execute(OUTBOX.update().where(unsent).values(**values)).rowcount == 1


def counts(db: sa.Connection) -> dict[str, int]:
    """Return how many messages are in each state."""
    query = sa.select(OUTBOX.c.state, sa.func.count().label("n")).group_by(OUTBOX.c.state)
    return {row.state: row.n for row in db.execute(query)}
