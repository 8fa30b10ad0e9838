"""What the log told, held against the rows: the log is a chain, so rows that say otherwise were altered."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from settlement.procedure import MACHINE, ROBOTS, SYSTEM
from settlement.store.schema import (
    ADJUSTMENT,
    ADVANCE,
    APPROVAL,
    BATCH,
    DECISION,
    LOG,
    PAY_FILE,
    RECEIPT,
    REFERENCE,
    STATEMENT,
    SUBMISSION,
    TRANSITION,
    USER_ROLE,
)

# What is logged with the digest of a file: the first word of the subject, and where the digest must stand.
DIGESTS = {"bank_file": PAY_FILE, "receipt": RECEIPT, "reference": REFERENCE, "batch": SUBMISSION}
AMOUNTS = {"adjustment": ADJUSTMENT, "advance": ADVANCE}
Fault = tuple[str, dict[str, Any]]


def faults(db: sa.Connection) -> Iterator[Fault]:
    """Yield what differs, as a label's key with what it is filled with."""
    told = [dict(row._mapping) for row in db.execute(sa.select(LOG).order_by(LOG.c.seq))]
    for entry in told:
        entry["before"], entry["after"] = json.loads(entry["before"]), json.loads(entry["after"])
    yield from _ends(db)
    yield from _steps(db, {entry["seq"]: entry for entry in told})
    yield from _runs(db, told)
    yield from _roles(db, told)
    yield from _digests(db, told)
    yield from _amounts(db, told)
    yield from _decisions(db, told)
    yield from _signed(db, told)


def audited(db: sa.Connection, run_id: int) -> list[str]:
    """Return the institutions an audit run was made for, as the log told it."""
    entries = db.execute(sa.select(LOG.c.subject, LOG.c.after).where(LOG.c.subject.startswith("batch:")))
    facts = [(row.subject, json.loads(row.after)) for row in entries]
    mine = [name for name, after in facts if after.get("run") == run_id and after.get("state") != "SETTLED"]
    return sorted(name.rpartition("/")[2] for name in mine)


def booked_at(db: sa.Connection, region: str) -> dict[str, int]:
    """Return when the sources of a region's ledger entries were booked: number in the log by source."""
    query = sa.select(LOG.c.seq, LOG.c.subject, LOG.c.after).where(LOG.c.region == region).order_by(LOG.c.seq)
    found: dict[str, int] = {}
    for row in db.execute(query):
        kind, _, rest = row.subject.partition(":")
        if kind in ("adjustment", "advance", "deposit"):
            found[row.subject] = row.seq
        elif kind == "batch" and json.loads(row.after).get("state") == "SETTLED":
            found["statement:{1}:{2}".format(*rest.split("/"))] = row.seq
    return found


def _name() -> sa.Label[str]:
    return (BATCH.c.region + "/" + BATCH.c.clr_ym + "/" + BATCH.c.fixmedins_code).label("name")


def _ends(db: sa.Connection) -> Iterator[Fault]:
    """Batches that are not where their last step took them."""
    way = TRANSITION.c
    steps = db.execute(
        sa.select(way.batch_id, way.seq, way.to_state, way.to_held).order_by(way.batch_id, way.seq)
    )
    last = {row.batch_id: (row.seq, row.to_state, row.to_held) for row in steps}
    query = sa.select(BATCH.c.id, _name(), BATCH.c.seq, BATCH.c.state, BATCH.c.held)
    for ident, name, *now in db.execute(query.order_by(BATCH.c.id)):
        end = last.get(ident, (0, None, None))
        if tuple(now) != end:
            yield "verify.batch", {"batch": name, "state": now[1], "last": end[1]}


def _steps(db: sa.Connection, told: dict[int, dict[str, Any]]) -> Iterator[Fault]:
    """Steps of batches that are not what their entry of the log says."""
    query = sa.select(TRANSITION, _name()).join(BATCH, BATCH.c.id == TRANSITION.c.batch_id)
    for row in db.execute(query.order_by(TRANSITION.c.batch_id, TRANSITION.c.seq)):
        entry = told.get(row.log_seq)
        facts = (f"batch:{row.name}", row.from_state, row.to_state, row.day, row.actor)
        if entry is None or facts != (
            entry["subject"], entry["before"].get("state", ""), entry["after"].get("state"), entry["day"],
            entry["actor"],
        ):  # fmt: skip
            yield (
                "verify.step",
                {"batch": row.name, "seq": row.seq, "state": row.to_state, "log": row.log_seq},
            )


def _runs(db: sa.Connection, told: list[dict[str, Any]]) -> Iterator[Fault]:
    """Batches and statements that rest on another run than the log says."""
    audited: dict[str, int] = {}
    settled: dict[str, int] = {}
    for entry in told:
        if entry["subject"].startswith("batch:") and "run" in entry["after"]:
            by = settled if entry["after"].get("state") == "SETTLED" else audited
            by[entry["subject"].removeprefix("batch:")] = entry["after"]["run"]
    query = sa.select(_name(), BATCH.c.run_id, STATEMENT.c.run_id.label("settled_by"))
    query = query.outerjoin(STATEMENT, STATEMENT.c.batch_id == BATCH.c.id).where(BATCH.c.state != "RETURNED")
    for name, audit, calculation in db.execute(query.order_by(BATCH.c.id)):
        for row, said in ((audit, audited.get(name)), (calculation, settled.get(name))):
            if row != said:
                yield "verify.run_of", {"batch": name, "run": row, "told": said}


def _roles(db: sa.Connection, told: list[dict[str, Any]]) -> Iterator[Fault]:
    """People whose roles are not those they were given and not taken."""
    wanted: dict[str, set[str]] = {MACHINE: {SYSTEM}, **{name: {role} for name, role in ROBOTS.items()}}
    for entry in told:
        kind, _, name = entry["subject"].partition(":")
        if kind != "user":
            continue
        if "roles" in entry["after"]:
            wanted[name] = set(entry["after"]["roles"])
        else:
            wanted.setdefault(name, set()).discard(entry["before"].get("role"))
    held: dict[str, set[str]] = defaultdict(set)
    for row in db.execute(sa.select(USER_ROLE).where(USER_ROLE.c.active)):
        held[row.name].add(row.role)
    for name in sorted({*wanted, *held}):
        has, given = held.get(name, set()), wanted.get(name, set())
        if has != given:
            facts = {"held": ", ".join(sorted(has)) or "-", "told": ", ".join(sorted(given)) or "-"}
            yield "verify.role", {"user": name, **facts}


def _digests(db: sa.Connection, told: list[dict[str, Any]]) -> Iterator[Fault]:
    """Digests the log told that no row has any more."""
    held = {kind: set(db.execute(sa.select(table.c.digest)).scalars()) for kind, table in DIGESTS.items()}
    for entry in told:
        kind = entry["subject"].partition(":")[0]
        if kind in held and (digest := entry["after"].get("digest")) and digest not in held[kind]:
            yield "verify.told", {"log": entry["seq"], "what": entry["subject"], "digest": digest[:16]}


def _amounts(db: sa.Connection, told: list[dict[str, Any]]) -> Iterator[Fault]:
    """Adjustments and advances that are not what was entered."""
    for kind, table in AMOUNTS.items():
        rows = {row.id: dict(row._mapping) for row in db.execute(sa.select(table))}
        for entry in told:
            name, _, ident = entry["subject"].partition(":")
            if name != kind or "amount_fen" not in entry["after"]:
                continue
            row = rows.get(int(ident), {})
            if any(row.get(column) != value for column, value in entry["after"].items()):
                yield "verify.entered", {"log": entry["seq"], "what": entry["subject"]}


def _decisions(db: sa.Connection, told: list[dict[str, Any]]) -> Iterator[Fault]:
    """Decisions that do not add up, by month, person and day, to what was logged of them."""
    count: Counter[tuple[Any, ...]] = Counter()
    unclear = set()
    for entry in told:
        if entry["subject"] != "decisions":
            continue
        key = (entry["region"], entry["clr_ym"], entry["actor"], entry["day"])
        outcomes = entry["after"]["outcomes"]
        if sum(each["count"] for each in outcomes.values()) != entry["after"]["recorded"]:
            unclear.add(key)  # some of them said nothing new, and the entry does not say which
        for outcome, each in outcomes.items():
            count[*key, outcome, "count"] += each["count"]
            count[*key, outcome, "fen"] += int(Decimal(each["amount"]) * 100)
    group = (BATCH.c.region, BATCH.c.clr_ym, DECISION.c.actor, DECISION.c.day, DECISION.c.outcome)
    fen = sa.cast(sa.func.sum(DECISION.c.final_fen), sa.BigInteger)
    query = sa.select(*group, sa.func.count(), fen).join(BATCH, BATCH.c.id == DECISION.c.batch_id)
    for *place, rows, amount in db.execute(query.group_by(*group)):
        count[*place, "count"] -= rows
        count[*place, "fen"] -= amount
    wrong = {key[:4] for key, left in count.items() if left} - unclear
    for region, clr_ym, actor, day in sorted(wrong):
        yield "verify.decided", {"region": region, "month": clr_ym, "actor": actor, "day": day}


def _signed(db: sa.Connection, told: list[dict[str, Any]]) -> Iterator[Fault]:
    """Signatures under another amount, or by somebody else, than the log says."""
    signed = {
        (entry["subject"].removeprefix("batch:"), entry["actor"], int(Decimal(amount) * 100))
        for entry in told
        if entry["action"] == "approve"
        and (amount := entry["after"].get("amount") or entry["after"].get("signed"))
    }
    query = sa.select(_name(), APPROVAL.c.actor, APPROVAL.c.amount_fen)
    held = {tuple(row) for row in db.execute(query.join(APPROVAL, APPROVAL.c.batch_id == BATCH.c.id))}
    for name, actor, fen in sorted(signed ^ held):
        facts = {"batch": name, "actor": actor, "amount": Decimal(fen).scaleb(-2)}
        yield ("verify.signed_untold" if (name, actor, fen) in held else "verify.signed_gone"), facts
