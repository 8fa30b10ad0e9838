"""What questions to history rest on: workflow rows of one moment, and the files they name.

Which run, submission or batch counts is decided on frames from `table` alone, so the same questions can
be asked of any earlier moment.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa

from settlement.errors import StoreError
from settlement.procedure import ACCEPTED
from settlement.store import asof
from settlement.store.database import Store
from settlement.store.findings import yuan
from settlement.store.schema import BATCH, DECISION, LEDGER, LOG, REPLY, RUN, STORED, SUBMISSION

MONTH = ("region", "clr_ym")
Bounds = Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True)
class Span:
    """Which regions and months are asked about.

    Attributes:
        region: one region, or None for all.
        first: first claim month as yyyyMM, empty for no bound.
        last: last claim month as yyyyMM, empty for no bound.
    """

    region: str | None = None
    first: str = ""
    last: str = ""

    def bounds(self) -> dict[str, tuple[str, str]]:
        """Return the smallest and largest value of each column that is bounded."""
        found = {"region": (self.region, self.region)} if self.region else {}
        if self.first or self.last:
            found["clr_ym"] = (self.first or "000000", self.last or "999999")
        return found


@dataclass(frozen=True)
class Intake:
    """What an intake left of a month's accepted submissions.

    Attributes:
        name: the intake.
        accepted: its files of accepted settlements.
        lines: its files of fee lines.
        subs: numbers of the submissions that count, as in the column `sub` of `accepted`.
        owners: institution by the text in the column `src` of `lines`.
    """

    name: str
    accepted: tuple[Path, ...]
    lines: tuple[Path, ...]
    subs: tuple[int, ...]
    owners: dict[str, str]


@dataclass(frozen=True)
class MonthFiles:
    """The files that hold a region's month.

    Attributes:
        settlements: all accepted settlements as the newest run published them; None when there is no run,
            or institutions came in since.
        intakes: the accepted submissions as they came in.
        findings: the findings as the newest run published them.
        payment: the payment table of the newest run that has one.
    """

    region: str
    clr_ym: str
    settlements: Path | None
    intakes: tuple[Intake, ...]
    findings: Path | None
    payment: Path | None


@contextmanager
def one_moment(store: Store) -> Iterator[sa.Connection]:
    """Open a reading transaction in which everything is as at its first SELECT; nobody waits for it."""
    with store.engine.connect() as db:
        if db.dialect.name == "postgresql":
            db = db.execution_options(isolation_level="REPEATABLE READ")
        with db.begin():
            yield db


def table(db: sa.Connection, rows_of: sa.Table, commit: int | None = None) -> pl.DataFrame:
    """Return the rows of a workflow table as they stood after a commit, None for now; JSON is text."""
    return _now(db, rows_of, {}) if commit is None else asof.table(db, rows_of, commit)


def within(
    db: sa.Connection, rows_of: sa.Table, commit: int | None, bounds: Bounds, names: Sequence[str] = ()
) -> pl.DataFrame:
    """Return the rows of a workflow table whose columns lie within bounds, both ends included.

    Args:
        db: a reading transaction.
        rows_of: the table.
        commit: number of the commit, None for now.
        bounds: smallest and largest value by column.
        names: columns to return, all when empty.
    """
    if commit is None:
        return _now(db, rows_of, bounds, names)
    inside = [pl.col(name).is_between(*ends) for name, ends in bounds.items()]
    rows = table(db, rows_of, commit)
    return (rows.filter(inside) if inside else rows).select(list(names) or pl.all())


def _now(db: sa.Connection, rows_of: sa.Table, bounds: Bounds, names: Sequence[str] = ()) -> pl.DataFrame:
    wanted = [rows_of.c[name] for name in names or rows_of.c.keys()]
    columns = [sa.cast(c, sa.Text).label(c.key) if isinstance(c.type, sa.JSON) else c for c in wanted]
    query = sa.select(*columns).where(*(rows_of.c[name].between(*ends) for name, ends in bounds.items()))
    fetched = list(zip(*db.execute(query).fetchall(), strict=True)) or [()] * len(columns)
    named = zip(wanted, fetched, strict=True)
    return pl.DataFrame([pl.Series(c.key, values, _dtype(c)) for c, values in named])


def _dtype(column: sa.Column[Any]) -> Any:  # noqa: ANN401 - a polars type
    kinds = ((sa.Boolean, pl.Boolean), (sa.Integer, pl.Int64), (sa.Date, pl.Date))
    return next((dtype for kind, dtype in kinds if isinstance(column.type, kind)), pl.String)


def months(
    store: Store, db: sa.Connection, span: Span, commit: int | None = None, submitted: bool = True
) -> list[MonthFiles]:
    """Return the files of every month in a span, by region and month.

    Args:
        store: the store.
        db: a reading transaction.
        span: regions and months.
        commit: number of the commit, None for now.
        submitted: whether settlements and lines are wanted; findings and payments need the runs only.

    Raises:
        StoreError: a file that the record names is not there.
    """
    bounds = span.bounds()
    facts = ("id", *MONTH, "paths", *(("basis",) if submitted else ()))
    runs = _by_month(within(db, RUN, commit, bounds, facts))
    current: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    stored: dict[tuple[str, str], tuple[str, ...]] = {}
    if submitted:
        rows = within(db, SUBMISSION, commit, bounds).filter(pl.col("current").cast(pl.Boolean))
        current, stored = _by_month(rows), _stored(db, commit, rows)
    return [
        _month(store, key, runs.get(key, []), current.get(key, []), stored)
        for key in sorted({*runs, *current})
    ]


def _by_month(rows: pl.DataFrame) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
    return {key: mine.to_dicts() for key, mine in rows.sort("id").group_by(MONTH, maintain_order=True)}


def _month(
    store: Store,
    key: tuple[Any, ...],
    runs: list[dict[str, Any]],
    submitted: list[dict[str, Any]],
    stored: dict[tuple[str, str], tuple[str, ...]],
) -> MonthFiles:
    kept = [{**run, "paths": _json(run["paths"])} for run in runs]
    kept = [run for run in kept if run["paths"]]  # those of 0.1.0 kept no tables
    last = kept[-1] if kept else {"paths": {}}
    covered = _json(last.get("basis")).get("inputs") == {s["fixmedins_code"]: s["content"] for s in submitted}
    paying = next((run for run in reversed(kept) if "payment" in run["paths"]), last)
    accepted = [s for s in submitted if s["status"] == ACCEPTED]
    intakes = []
    for name in sorted({s["intake"] for s in accepted}):
        own = [s for s in accepted if s["intake"] == name]
        owners = {src: s["fixmedins_code"] for s in own for src in _json(s["facts"])["src"]}
        accepted_in, lines_in = (
            _there(store, stored.get((name, kind), ())) for kind in ("accepted", "fee_list_d")
        )
        intakes.append(Intake(name, accepted_in, lines_in, tuple(sorted(s["sub"] for s in own)), owners))
    region, clr_ym = key
    return MonthFiles(
        region,
        clr_ym,
        settlements=_of_run(store, last, "settlements") if covered else None,
        intakes=tuple(intakes),
        findings=_of_run(store, last, "findings"),
        payment=_of_run(store, paying, "payment"),
    )


def _stored(
    db: sa.Connection, commit: int | None, submitted: pl.DataFrame
) -> dict[tuple[str, str], tuple[str, ...]]:
    """Paths of stored files by intake and table, of the submissions that count."""
    rows = table(db, STORED, commit).sort("id").filter(pl.col("table").is_in(["accepted", "fee_list_d"]))
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for row in rows.join(submitted, on="intake", how="semi", maintain_order="left").iter_rows(named=True):
        key = (row["intake"], row["table"])
        found[key] = (*found.get(key, ()), row["path"])
    return found


def _of_run(store: Store, run: dict[str, Any], name: str) -> Path | None:
    return _there(store, [run["paths"][name][0]])[0] if name in run["paths"] else None


def _there(store: Store, paths: Iterable[str]) -> tuple[Path, ...]:
    """Where kept files lie; their content is what `verify` looks at."""
    full = tuple(store.home / path for path in paths)
    for path in full:
        if not path.is_file():
            raise StoreError(f"{path} 缺失。请从备份恢复这个文件,再运行 settle verify。")
    return full


def _json(value: Any) -> Any:  # noqa: ANN401 - anything JSON can hold
    return json.loads(value) if isinstance(value, str) else value or {}


def decisions(db: sa.Connection, span: Span, commit: int | None = None) -> pl.DataFrame:
    """Return every answer and every decision on findings.

    Columns: region, clr_ym, fixmedins_code, finding_id, kind (reply or decision), turn, outcome, amount
    (元), reason, attachments, day, actor.
    """
    batches = within(db, BATCH, commit, span.bounds()).select(
        pl.col("id").alias("batch_id"), *MONTH, "fixmedins_code"
    )
    ids = (batches["batch_id"].min() or 0, batches["batch_id"].max() or 0)
    parts = []
    for rows_of, kind, outcome, amount in (
        (REPLY, "reply", "answer", "agreed_fen"),
        (DECISION, "decision", "outcome", "final_fen"),
    ):
        rows = within(db, rows_of, commit, {"batch_id": ids}).join(batches, on="batch_id")
        attached = pl.col("attachments") if kind == "reply" else pl.lit("").alias("attachments")
        parts.append(
            rows.select(
                *MONTH, "fixmedins_code", "finding_id", pl.lit(kind).alias("kind"), "turn",
                pl.col(outcome).alias("outcome"), yuan(amount, "amount"), "reason", attached, "day", "actor",
            )
        )  # fmt: skip
    return pl.concat(parts).sort(*MONTH, "finding_id", "kind", "turn", descending=[False] * 3 + [True, False])


def ledger(db: sa.Connection, span: Span, commit: int | None = None) -> pl.DataFrame:
    """Return every movement of the ledgers, amounts in 元, by account and number."""
    rows = within(db, LEDGER, commit, span.bounds())
    amounts = [yuan(f"{name}_fen", f"{name}_amt") for name in ("opening", "plus", "minus", "closing")]
    return rows.with_columns(amounts).sort("region", "fixmedins_code", "fund_pay_type", "book", "seq")


def log(db: sa.Connection, span: Span, commit: int | None = None) -> pl.DataFrame:
    """Return the log in order; within a span, only entries of its regions and months."""
    return within(db, LOG, commit, span.bounds()).sort("seq")
