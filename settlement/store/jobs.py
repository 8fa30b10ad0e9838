"""Scheduled jobs: where batches wait for the machine, and who has taken which job with what result."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from settlement import procedure
from settlement.store.batches import answer_by
from settlement.store.schema import (
    BATCH,
    BATCH_DUTY,
    DECISION,
    FINDING,
    JOB,
    NOTICE,
    PAY_RESULT,
    REPLY,
    STATEMENT_LINE,
)

WAITING, RUNNING, DONE, FAILED = "WAITING", "RUNNING", "DONE", "FAILED"
CHUNK = 500
# Who has a job at which try: as long as these are the same, nobody else has touched it.
HELD = ("id", "state", "holder", "attempts")


@dataclass(frozen=True)
class Waiting:
    """A batch that is not closed, and what it still lacks where it stands."""

    id: int
    region: str
    clr_ym: str
    fixmedins_code: str
    state: str
    sent_on: dt.date | None
    answer_by: dt.date | None
    unanswered: bool
    undecided: bool
    reviewed: bool
    unpaid: bool


def waiting(db: sa.Connection, region: str | None = None, clr_ym: str | None = None) -> list[Waiting]:
    """Return every batch that is neither closed nor refused, by region, month and number."""
    ended = (procedure.CLOSED, procedure.RETURNED)
    query = (
        sa.select(
            BATCH.c.id, BATCH.c.region, BATCH.c.clr_ym, BATCH.c.fixmedins_code, BATCH.c.state,
            NOTICE.c.sent_on, answer_by(), *_lacks(),
        )
        .outerjoin(NOTICE, NOTICE.c.batch_id == BATCH.c.id)
        .where(BATCH.c.state.not_in(ended))
        .order_by(BATCH.c.region, BATCH.c.clr_ym, BATCH.c.id)
    )  # fmt: skip
    return [Waiting(**row._mapping) for row in db.execute(_within(query, BATCH, region, clr_ym))]


def _lacks() -> list[sa.Label[bool]]:
    """What may be lacking in a state; false in every other."""
    ours = (FINDING.c.batch_id == BATCH.c.id) & (FINDING.c.run_id == BATCH.c.run_id)

    def without(later: sa.Table) -> sa.Exists:
        names = ("batch_id", "run_id", "finding_id")
        return sa.exists().where(ours, ~sa.exists().where(*(later.c[n] == FINDING.c[n] for n in names)))

    signed = sa.exists().where(
        BATCH_DUTY.c.batch_id == BATCH.c.id, BATCH_DUTY.c.duty == procedure.SECOND_REVIEW
    )
    line, result = STATEMENT_LINE.c, PAY_RESULT.c
    confirmed = sa.exists().where(
        result.batch_id == line.batch_id, result.fund_pay_type == line.fund_pay_type, result.result == "PAID"
    )
    unpaid = sa.exists().where(line.batch_id == BATCH.c.id, line.act_dfr_fen > 0, ~confirmed)
    state = BATCH.c.state
    return [
        sa.and_(state == procedure.FEEDBACK, without(REPLY)).label("unanswered"),
        sa.and_(state == procedure.REVIEW, without(DECISION)).label("undecided"),
        sa.and_(state == procedure.REVIEW, signed).label("reviewed"),
        sa.and_(state == procedure.PAID, unpaid).label("unpaid"),
    ]


def _within(query: Any, table: sa.Table, region: str | None, clr_ym: str | None) -> Any:  # noqa: ANN401 - any statement
    if region:
        query = query.where(table.c.region == region)
    return query.where(table.c.clr_ym == clr_ym) if clr_ym else query


def open_jobs(db: sa.Connection) -> list[dict[str, Any]]:
    """Return the jobs that are not done, oldest first."""
    query = sa.select(JOB).where(JOB.c.state != DONE).order_by(JOB.c.id)
    return [dict(row._mapping) for row in db.execute(query)]


def done_keys(db: sa.Connection, names: Sequence[str]) -> set[tuple[str, str]]:
    """Return name and key of the jobs of some names that are done."""
    query = sa.select(JOB.c.name, JOB.c.key).where(JOB.c.name.in_(names), JOB.c.state == DONE)
    return {(row.name, row.key) for row in db.execute(query)}


def known(db: sa.Connection, tasks: Sequence[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the jobs of some tasks by name and key."""
    keys, names = sorted({key for _, key in tasks}), {name for name, _ in tasks}
    rows = [
        dict(row._mapping)
        for start in range(0, len(keys), CHUNK)
        for row in db.execute(sa.select(JOB).where(JOB.c.key.in_(keys[start : start + CHUNK])))
        if row.name in names
    ]
    return {(row["name"], row["key"]): row for row in rows}


def add(db: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add jobs that wait: name, key, region, clr_ym, due_on."""
    empty = dict.fromkeys(("holder", "claimed_at", "next_try_at", "error", "done_at"), "")
    if rows:
        db.execute(JOB.insert(), [{**empty, "state": WAITING, "attempts": 0, **row} for row in rows])


def replace(db: sa.Connection, task: Mapping[str, Any], at: str) -> None:
    """Let a newer job stand for older ones of its name, region and month that nobody is working on."""
    same = [JOB.c[n] == task[n] for n in ("name", "region", "clr_ym")]
    older = JOB.update().where(*same, JOB.c.key != task["key"], JOB.c.state.in_((WAITING, FAILED)))
    db.execute(older.values(state=DONE, done_at=at, next_try_at=""))


def change(
    db: sa.Connection,
    seen: Mapping[str, Any],
    values: Mapping[str, Any],
    also: Sequence[str] = (),
    alone_among: Sequence[str] = (),
) -> bool:
    """Change a job in one statement if it is still as it was seen; returns whether it was.

    Args:
        db: the writing transaction.
        seen: the job as read.
        values: what to set.
        also: further columns that must not have changed.
        alone_among: names of jobs of which no other may be running for the same region and month.
    """
    same = [JOB.c[n] == seen[n] for n in (*HELD, *also)]
    if alone_among:
        other = JOB.alias()
        theirs = (other.c.region == seen["region"], other.c.clr_ym == seen["clr_ym"])
        running = (other.c.id != seen["id"], other.c.state == RUNNING, other.c.name.in_(alone_among))
        same.append(~sa.exists(sa.select(other.c.id).where(*theirs, *running)))
    return db.execute(JOB.update().where(*same).values(**values)).rowcount == 1


def try_again(
    db: sa.Connection, names: Sequence[str], region: str | None = None, clr_ym: str | None = None
) -> int:
    """Let failed jobs of some names wait anew, with all their tries; returns how many."""
    failed = JOB.update().where(JOB.c.state == FAILED, JOB.c.name.in_(names))
    values = {"state": WAITING, "attempts": 0, "next_try_at": ""}
    return int(db.execute(_within(failed, JOB, region, clr_ym).values(**values)).rowcount)
