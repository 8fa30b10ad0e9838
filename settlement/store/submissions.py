"""Submissions and the files they came in."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from settlement.errors import ProcedureError
from settlement.procedure import ACCEPTED, RETURNED
from settlement.store import batches
from settlement.store.database import Store, writing
from settlement.store.files import keep_file
from settlement.store.log import Act, Change, write
from settlement.store.schema import BATCH, STORED, SUBMISSION

__all__ = ["ACCEPTED", "RETURNED", "record_intake", "stored_files", "submissions"]
OWNER = ("region", "clr_ym", "fixmedins_code")


def submissions(store: Store, region: str, month: dt.date) -> list[dict[str, Any]]:
    """Return all submissions of a month, oldest first."""
    query = sa.select(SUBMISSION).where(SUBMISSION.c.region == region, SUBMISSION.c.clr_ym == f"{month:%Y%m}")
    with store.engine.connect() as db:
        return [dict(row._mapping) for row in db.execute(query.order_by(SUBMISSION.c.id))]


def record_intake(
    store: Store, act: Act, intake: str, rows: list[dict[str, Any]], files: list[tuple[str, Path]]
) -> None:
    """Record an intake in one transaction: its files, its submissions, whom they replace, their batches.

    Args:
        store: the store.
        act: who takes in, and when.
        intake: name of this intake.
        rows: one dictionary per submission with the columns of the submission table.
        files: (table, finished file) pairs, moved into the store first.

    Raises:
        ProcedureError: another process took in one of the institutions meanwhile; nothing is recorded.
    """
    kept = [(table, *keep_file(store, path)) for table, path in files]
    with writing(store) as db:
        _still_free(db, rows)
        for table, path, digest in kept:
            db.execute(STORED.insert().values(intake=intake, table=table, path=path, digest=digest))
        for row in rows:
            if row["current"]:
                same = [SUBMISSION.c[n] == row[n] for n in OWNER]
                db.execute(SUBMISSION.update().where(*same).values(current=False))
            new = SUBMISSION.insert().values(intake=intake, **row).returning(SUBMISSION.c.id)
            ident = db.execute(new).scalar_one()
            if row["current"]:
                batches.declare(db, act, ident, row, row["status"])
            else:
                facts = {"submission": row["name"], "digest": row["digest"], "status": row["status"]}
                write(db, act, Change(f"submission:{row['fixmedins_code']}", {}, facts))


def _still_free(db: sa.Connection, rows: list[dict[str, Any]]) -> None:
    """Look again, inside the transaction: nobody else has taken in these meanwhile."""
    for row in rows:
        same = [BATCH.c[n] == row[n] for n in OWNER]
        live = db.execute(sa.select(BATCH.c.id).where(*same, BATCH.c.state != RETURNED)).first()
        known = [SUBMISSION.c[n] == row[n] for n in (*OWNER, "digest", "attempt")]
        twice = db.execute(sa.select(SUBMISSION.c.id).where(*known)).first()
        if twice or (live and row["current"]):
            raise ProcedureError(
                f"另一进程刚刚接收了 {row['fixmedins_code']} {row['clr_ym']} 的申报,本次未登记任何内容。"
                "请重新运行 intake。"
            )


def stored_files(store: Store, intakes: set[str], table: str) -> dict[str, list[Path]]:
    """Return the files of a table by intake."""
    query = sa.select(STORED).where(STORED.c.intake.in_(intakes), STORED.c.table == table)
    found: dict[str, list[Path]] = {}
    with store.engine.connect() as db:
        for row in db.execute(query.order_by(STORED.c.id)):
            found.setdefault(row.intake, []).append(store.home / row.path)
    return found
