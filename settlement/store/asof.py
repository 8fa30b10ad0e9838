"""The workflow tables as they stood after a commit."""

from __future__ import annotations

import json

import polars as pl
import sqlalchemy as sa

from settlement.store.commits import rows_at
from settlement.store.schema import STAYING, TRACKED

SEEN = {table.name for table in TRACKED}
CHANGING = {table.name for table in STAYING}


def table(db: sa.Connection, of: sa.Table, commit: int) -> pl.DataFrame:
    """Return the rows of a table as they stood.

    Args:
        db: an open reading transaction.
        of: the table.
        commit: number of the commit after which.

    Returns:
        All columns but `commit_no`, in order of the key; JSON as text.
    """
    if of.name in CHANGING:
        rows = sorted(rows_at(db, of, commit), key=lambda row: [row[c.name] for c in of.primary_key.columns])
        return frame(of, [tuple(row.values()) for row in rows])
    own = [c for c in of.columns if c.name != "commit_no"]
    limit = (of.c.commit_no <= commit,) if of.name in SEEN else ()
    found = db.execute(sa.select(*own).where(*limit).order_by(*of.primary_key.columns))
    return frame(of, [tuple(row) for row in found])


def findings_of(db: sa.Connection, of: sa.Table, commit: int) -> pl.DataFrame:
    """Count the different findings that a table had of each batch and run: batch_id, run_id, findings."""
    by = (of.c.batch_id, of.c.run_id)
    count = sa.func.count(of.c.finding_id.distinct())
    rows = db.execute(sa.select(*by, count).where(of.c.commit_no <= commit).group_by(*by))
    names = ("batch_id", "run_id", "findings")
    return pl.DataFrame([tuple(r) for r in rows], schema=dict.fromkeys(names, pl.Int64), orient="row")


def frame(of: sa.Table, rows: list[tuple[object, ...]]) -> pl.DataFrame:
    """Make a frame of rows of a table, whatever there are."""
    own = [c for c in of.columns if c.name != "commit_no"]
    held = [isinstance(c.type, sa.JSON) for c in own]
    if any(held):
        rows = [tuple(_json(v) if h else v for v, h in zip(row, held, strict=True)) for row in rows]
    return pl.DataFrame(rows, schema={c.name: _kind(c) for c in own}, orient="row", strict=False)


def _json(value: object) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _kind(column: sa.Column[object]) -> pl.DataType | type[pl.DataType]:
    for known, kind in (
        (sa.Boolean, pl.Boolean), (sa.Integer, pl.Int64), (sa.Date, pl.Date),
    ):  # fmt: skip
        if isinstance(column.type, known):
            return kind
    return pl.String
