"""Batches: one institution's month on its way from declared to closed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
import sqlalchemy as sa

from settlement import procedure
from settlement.errors import ProcedureError
from settlement.store.database import Store
from settlement.store.log import Act, Change, write
from settlement.store.schema import BATCH, BATCH_DUTY, NOTICE, TRANSITION, WINDOW_EXTENSION


@dataclass(frozen=True)
class Batch:
    """A batch as it stands: what it is, where it is, since when it was declared, which audit counts."""

    id: int
    region: str
    clr_ym: str
    fixmedins_code: str
    submission_id: int
    declared_on: dt.date
    state: str
    held: str
    seq: int
    run_id: int | None

    @property
    def name(self) -> str:
        """How the log and messages call it."""
        return f"{self.region}/{self.clr_ym}/{self.fixmedins_code}"


def find(
    db: sa.Connection, region: str, clr_ym: str, states: Iterable[str] = (), codes: Sequence[str] = ()
) -> list[Batch]:
    """Return a month's batches by institution, refused ones included unless states are given."""
    query = sa.select(BATCH).where(BATCH.c.region == region, BATCH.c.clr_ym == clr_ym)
    if states:
        query = query.where(BATCH.c.state.in_(list(states)))
    if codes:
        query = query.where(BATCH.c.fixmedins_code.in_(list(codes)))
    rows = db.execute(query.order_by(BATCH.c.fixmedins_code, BATCH.c.id))
    return [Batch(**row._mapping) for row in rows]


def declare(db: sa.Connection, act: Act, submission_id: int, row: dict[str, Any], outcome: str) -> Batch:
    """Open the batch of a submission and take it to accepted or refused."""
    facts = {"region": row["region"], "clr_ym": row["clr_ym"], "fixmedins_code": row["fixmedins_code"]}
    values = {**facts, "submission_id": submission_id, "declared_on": row["received_on"]}
    ident = db.execute(BATCH.insert().values(**values).returning(BATCH.c.id)).scalar_one()
    batch = Batch(ident, **values, state="", held="", seq=0, run_id=None)
    (batch,) = move(
        db, act, [batch], procedure.DECLARED, {"submission": row["name"], "digest": row["digest"]}
    )
    (batch,) = move(db, act, [batch], outcome)
    return batch


def move(
    db: sa.Connection,
    act: Act,
    batches: Sequence[Batch],
    to_state: str,
    facts: dict[str, Any] | None = None,
    run_id: int | None = None,
) -> list[Batch]:
    """Take batches one edge further; each gets its entry in the log.

    Args:
        db: the writing transaction, in which the batches were read.
        act: who, what, when, why.
        batches: where they stand now.
        to_state: where they go.
        facts: further facts for the log.
        run_id: the audit run that counts from here on.

    Raises:
        ProcedureError: there is no such edge.
    """
    moved = []
    for batch in batches:
        to_held = batch.state if to_state == procedure.HOLD else ""
        if (batch.state, batch.held, to_state, to_held) not in procedure.EDGES:
            raise ProcedureError(f"{batch.name} {_place(batch)},不能转为{procedure.STATES[to_state][0]}。")
        run = run_id or batch.run_id
        moved.append(replace(batch, state=to_state, held=to_held, seq=batch.seq + 1, run_id=run))
    if not moved:
        return []
    changes = [
        Change(f"batch:{old.name}", {"state": old.state}, {"state": new.state, **(facts or {})})
        for old, new in zip(batches, moved, strict=True)
    ]
    numbers = write(db, act, *changes)
    db.execute(
        TRANSITION.insert(),
        [
            {
                "batch_id": old.id, "seq": new.seq, "prev_seq": old.seq or None, "from_state": old.state,
                "from_held": old.held, "to_state": new.state, "to_held": new.held, "day": act.day,
                "actor": act.actor, "log_seq": number,
            }
            for old, new, number in zip(batches, moved, numbers, strict=True)
        ],
    )  # fmt: skip
    new = {"state": "to", "held": "kept", "seq": "at", "run_id": "run"}
    change = BATCH.update().where(BATCH.c.id == sa.bindparam("batch"))
    change = change.values({column: sa.bindparam(name) for column, name in new.items()})
    rows = [{"batch": b.id, "to": b.state, "kept": b.held, "at": b.seq, "run": b.run_id} for b in moved]
    db.execute(change, rows)
    return moved


def unmoved(db: sa.Connection, seen: Sequence[Batch]) -> None:
    """Look again, inside the transaction: nobody else has moved these batches meanwhile.

    Raises:
        ProcedureError: naming the first one that was moved.
    """
    ids = [b.id for b in seen]
    now: dict[int, Batch] = {}
    for start in range(0, len(ids), 500):
        rows = db.execute(sa.select(BATCH).where(BATCH.c.id.in_(ids[start : start + 500])))
        now |= {row.id: Batch(**row._mapping) for row in rows}
    for batch in seen:
        if now[batch.id] != batch:
            raise ProcedureError(
                f"{batch.name} 刚刚由另一进程推进,{_place(now[batch.id])}。本次未登记任何内容,请重新运行。"
            )


def audit_again(
    db: sa.Connection, act: Act, batches: Sequence[Batch], run_id: int, facts: dict[str, Any]
) -> None:
    """Let another audit run count for audited batches that were not yet told to the institution."""
    if not batches:
        return
    changes = [Change(f"batch:{b.name}", {"run": b.run_id}, {"run": run_id, **facts}) for b in batches]
    write(db, act, *changes)
    db.execute(
        BATCH.update().where(BATCH.c.id == sa.bindparam("batch")).values(run_id=run_id),
        [{"batch": b.id} for b in batches],
    )


def _place(batch: Batch) -> str:
    now = procedure.STATES.get(batch.state, ("尚未申报", ""))[0]
    return f"现为{now}(暂停前 {procedure.STATES[batch.held][0]})" if batch.held else f"现为{now}"


def take_duty(db: sa.Connection, act: Act, batches: Sequence[Batch], duty: str) -> None:
    """Take up a duty in batches; the same person may do more of it, nobody a second duty.

    Raises:
        ProcedureError: the person has another duty in one of them; the message names it.
    """
    ids = [b.id for b in batches]
    held = {
        row.batch_id: row.duty
        for part in range(0, len(ids), 500)
        for row in db.execute(
            sa.select(BATCH_DUTY).where(
                BATCH_DUTY.c.actor == act.actor, BATCH_DUTY.c.batch_id.in_(ids[part : part + 500])
            )
        )
    }
    other = [b for b in batches if held.get(b.id, duty) != duty]
    if other:
        had = procedure.ROLES[held[other[0].id]][0]
        raise ProcedureError(
            f"{act.actor} 已在 {other[0].name} 等 {len(other)} 个批次中担任{had},"
            f"不能再任{procedure.ROLES[duty][0]}:初审、复审、核准、拨付须为四个不同的人。"
        )
    fresh = [{"batch_id": b.id, "actor": act.actor, "duty": duty} for b in batches if b.id not in held]
    if fresh:
        db.execute(BATCH_DUTY.insert(), fresh)


def duties(db: sa.Connection, ids: Sequence[int]) -> dict[int, dict[str, list[str]]]:
    """Return who holds which duty, by batch."""
    found: dict[int, dict[str, list[str]]] = {}
    wanted = set(ids)
    for row in db.execute(sa.select(BATCH_DUTY).order_by(BATCH_DUTY.c.actor)):
        if row.batch_id in wanted:
            found.setdefault(row.batch_id, {}).setdefault(row.duty, []).append(row.actor)
    return found


def answer_by() -> sa.Label[dt.date]:
    """The last day to answer a notice: what it says, or what a hold from feedback has moved it to."""
    moved = sa.select(sa.func.max(WINDOW_EXTENSION.c.answer_by)).where(
        WINDOW_EXTENSION.c.batch_id == NOTICE.c.batch_id
    )
    return sa.func.coalesce(moved.scalar_subquery(), NOTICE.c.answer_by).label("answer_by")


def watched(store: Store, region: str | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return what the deadline watch looks at.

    Returns:
        batches: batch_id, region, clr_ym, fixmedins_code, state, held, declared_on, answer_by;
        stages: batch_id, seq, to_state, day. Both sorted.
    """
    batches = (
        sa.select(
            BATCH.c.id.label("batch_id"), BATCH.c.region, BATCH.c.clr_ym, BATCH.c.fixmedins_code,
            BATCH.c.state, BATCH.c.held, BATCH.c.declared_on, answer_by(),
        )
        .outerjoin(NOTICE, NOTICE.c.batch_id == BATCH.c.id)
        .order_by(BATCH.c.id)
    )  # fmt: skip
    ways = sa.select(TRANSITION.c.batch_id, TRANSITION.c.seq, TRANSITION.c.to_state, TRANSITION.c.day)
    if region:
        batches = batches.where(BATCH.c.region == region)
        mine = sa.select(BATCH.c.id).where(BATCH.c.region == region)
        ways = ways.where(TRANSITION.c.batch_id.in_(mine))
    with store.engine.connect() as db:
        return (
            frame_of(db, batches, {"declared_on": pl.Date, "answer_by": pl.Date}),
            frame_of(db, ways.order_by(TRANSITION.c.batch_id, TRANSITION.c.seq), {"day": pl.Date}),
        )


def frame_of(db: sa.Connection, query: sa.Select[Any], types: dict[str, Any]) -> pl.DataFrame:
    """Return a query's rows as a frame; columns that `types` does not name are text, or numbers by nature."""
    chosen: dict[str, Any] = {}
    for column in query.selected_columns:
        number = isinstance(column.type, sa.Integer)
        chosen[str(column.key)] = types.get(str(column.key), pl.Int64 if number else pl.String)
    # Column by column: a frame made from rows looks at every value twice.
    columns = list(zip(*db.execute(query).fetchall(), strict=True)) or [()] * len(chosen)
    named = zip(chosen.items(), columns, strict=True)
    return pl.DataFrame([pl.Series(name, values, dtype) for (name, dtype), values in named])


def refused_now(db: sa.Connection, region: str | None) -> dict[tuple[str, str], int]:
    """Return how many institutions stand refused, with nothing accepted since, by region and month."""
    other = BATCH.alias()
    live = sa.exists().where(
        other.c.region == BATCH.c.region,
        other.c.clr_ym == BATCH.c.clr_ym,
        other.c.fixmedins_code == BATCH.c.fixmedins_code,
        other.c.state != procedure.RETURNED,
    )
    count = sa.func.count(sa.distinct(BATCH.c.fixmedins_code)).label("n")
    query = sa.select(BATCH.c.region, BATCH.c.clr_ym, count).where(BATCH.c.state == procedure.RETURNED, ~live)
    if region:
        query = query.where(BATCH.c.region == region)
    return {(r.region, r.clr_ym): r.n for r in db.execute(query.group_by(BATCH.c.region, BATCH.c.clr_ym))}
