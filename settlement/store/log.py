"""The log: who did what, when and why, before and after; each entry's hash covers the one before it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from settlement.store.schema import COMMIT, LOG


@dataclass(frozen=True)
class Act:
    """Somebody does something on a day, for a reason.

    Attributes:
        actor: user name.
        action: name of the deed (`settlement.procedure.DEEDS`).
        day: the day it counts for.
        reason: why, in the actor's words; may be empty where the deed explains itself.
        region: profile name, empty when it concerns none.
        clr_ym: claim month as yyyyMM, empty when it concerns none.
    """

    actor: str
    action: str
    day: dt.date
    reason: str = ""
    region: str = ""
    clr_ym: str = ""


@dataclass(frozen=True)
class Change:
    """What an act changed: the thing, and its facts before and after."""

    subject: str
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)


# Entries since commits are numbered also hash `record_hash`, at the end.
HASHED = ("seq", "day", "at", "actor", "action", "region", "clr_ym", "subject", "before", "after", "reason",
          "prev_hash")  # fmt: skip


def write(db: sa.Connection, act: Act, *changes: Change) -> list[int]:
    """Add one entry per change at the end of the chain; returns their numbers."""
    last = db.execute(sa.select(LOG.c.seq, LOG.c.hash).order_by(LOG.c.seq.desc()).limit(1)).first()
    seq, before = (last.seq, last.hash) if last else (0, None)
    record = db.execute(sa.select(COMMIT.c.hash).order_by(COMMIT.c.no.desc()).limit(1)).scalar() or ""
    # The day is the one the act counts for; the time of day is only a help for people.
    at = f"{act.day}T{dt.datetime.now(tz=dt.UTC).astimezone():%H:%M:%S}"
    rows: list[dict[str, Any]] = []
    for change in changes:
        row: dict[str, Any] = {
            "seq": seq + 1,
            "prev_seq": seq or None,
            "day": act.day,
            "at": at,
            "actor": act.actor,
            "action": act.action,
            "region": act.region,
            "clr_ym": act.clr_ym,
            "subject": change.subject,
            "before": _text(change.before),
            "after": _text(change.after),
            "reason": act.reason,
            "prev_hash": before,
            "record_hash": record,
        }
        before = row["hash"] = entry_hash(row)
        seq += 1
        rows.append(row)
    if rows:
        db.execute(LOG.insert(), rows)
    return [row["seq"] for row in rows]


def entry_hash(row: dict[str, Any]) -> str:
    """Hash of an entry: SHA-256 over its columns in order, the hash of the one before included."""
    said = [row[name] for name in HASHED]
    if row["record_hash"] is not None:
        said.append(row["record_hash"])
    return hashlib.sha256(_text(said).encode()).hexdigest()


def _text(value: Any) -> str:  # noqa: ANN401 - anything JSON can hold
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str, separators=(",", ":"))


def entries(db: sa.Connection, *where: sa.ColumnElement[bool]) -> list[dict[str, Any]]:
    """Return entries in order."""
    return [dict(r._mapping) for r in db.execute(sa.select(LOG).where(*where).order_by(LOG.c.seq))]


def told_of(db: sa.Connection, subject: str) -> list[dict[str, Any]]:
    """Return what entries about a subject say came after, oldest first."""
    return [json.loads(entry["after"]) for entry in entries(db, LOG.c.subject == subject)]


def last(db: sa.Connection, count: int, region: str | None = None) -> list[dict[str, Any]]:
    """Return the last entries, oldest first; of one region where it is named."""
    query = sa.select(LOG).order_by(LOG.c.seq.desc()).limit(count)
    if region:
        query = query.where(LOG.c.region == region)
    return [dict(r._mapping) for r in reversed(db.execute(query).fetchall())]


def of_month(act: Act) -> sa.ColumnElement[bool]:
    """The condition for entries of the same deed in the same region and month."""
    return (LOG.c.action == act.action) & (LOG.c.region == act.region) & (LOG.c.clr_ym == act.clr_ym)


def breaks(db: sa.Connection) -> list[str]:
    """Return what is wrong with the chain, in words; nothing when it is whole."""
    found, seq, before = [], 0, None
    for row in db.execute(sa.select(LOG).order_by(LOG.c.seq)):
        facts = dict(row._mapping)
        if facts["seq"] != seq + 1:
            found.append(f"日志第 {seq + 1} 条缺失,接着是第 {facts['seq']} 条")
        elif facts["prev_hash"] != before:
            found.append(f"日志第 {facts['seq']} 条与前一条不相接")
        if entry_hash(facts) != facts["hash"]:
            found.append(f"日志第 {facts['seq']} 条的内容与其摘要不符")
        seq, before = facts["seq"], facts["hash"]
    return found
