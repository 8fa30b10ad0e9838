"""The store: the only module that puts tables on disk and takes them off.

Workflow facts (submissions, reference versions, runs) are rows of a transactional database through
SQLAlchemy; tables are immutable Parquet files named by the hash of their content. A file becomes part
of the record by the row that names it, written in one transaction with the change of state, so a crash
in between leaves at most a file nobody refers to.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa

from settlement.errors import StoreError

META = sa.MetaData()
REFERENCE = sa.Table(
    "reference_version",
    META,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("region", sa.String, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("digest", sa.String, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("loaded_on", sa.Date, nullable=False),
    sa.Column("path", sa.String, nullable=False),
)
SUBMISSION = sa.Table(
    "submission",
    META,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("region", sa.String, nullable=False),
    sa.Column("clr_ym", sa.String, nullable=False),
    sa.Column("fixmedins_code", sa.String, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("digest", sa.String, nullable=False),
    sa.Column("content", sa.String, nullable=False),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("current", sa.Boolean, nullable=False),
    sa.Column("received_on", sa.Date, nullable=False),
    sa.Column("kept", sa.String, nullable=False),
    sa.Column("intake", sa.String, nullable=False),
    sa.Column("sub", sa.Integer, nullable=False),
    sa.Column("facts", sa.JSON, nullable=False),
    sa.CheckConstraint("status IN ('ACCEPTED', 'RETURNED')"),
    sa.UniqueConstraint("region", "clr_ym", "fixmedins_code", "digest"),
)
# At most one current submission per institution and month, whatever program writes here.
sa.Index(
    "one_current_submission",
    SUBMISSION.c.region,
    SUBMISSION.c.clr_ym,
    SUBMISSION.c.fixmedins_code,
    unique=True,
    sqlite_where=SUBMISSION.c.current,
    postgresql_where=SUBMISSION.c.current,
)
STORED = sa.Table(
    "stored_file",
    META,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("intake", sa.String, nullable=False),
    sa.Column("table", sa.String, nullable=False),
    sa.Column("path", sa.String, nullable=False),
    sa.Column("digest", sa.String, nullable=False),
)
RUN = sa.Table(
    "month_run",
    META,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("region", sa.String, nullable=False),
    sa.Column("clr_ym", sa.String, nullable=False),
    sa.Column("stage", sa.String, nullable=False),
    sa.Column("fingerprint", sa.String, nullable=False),
    sa.Column("ran_on", sa.Date, nullable=False),
    sa.Column("files", sa.JSON, nullable=False),
)
ACCEPTED, RETURNED = "ACCEPTED", "RETURNED"


@dataclass(frozen=True)
class Store:
    """A home folder with its database."""

    home: Path
    engine: sa.Engine

    def month_folder(self, region: str, month: dt.date) -> Path:
        """Return the folder of a region's month, e.g. `outputs/langfang/2026-04`."""
        return self.home / region / f"{month:%Y-%m}"


def open_store(home: Path) -> Store:
    """Open a home folder, making it and its database when they are not there."""
    home = home.absolute()
    home.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(f"sqlite:///{home / 'settlement.db'}")

    @sa.event.listens_for(engine, "connect")
    def _safe(connection: Any, _: Any) -> None:  # noqa: ANN401 - the driver's own classes
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
            connection.execute(f"PRAGMA {pragma}")

    META.create_all(engine)
    return Store(home, engine)


@contextmanager
def work_folder(store: Store) -> Iterator[Path]:
    """Give a folder for files in the making; it is gone afterwards."""
    folder = store.home / "work" / str(os.getpid())
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as reader:
        return hashlib.file_digest(reader, "sha256").hexdigest()


def keep_file(store: Store, made: Path) -> tuple[str, str]:
    """Move a finished file into the store under its content hash; return (relative path, digest)."""
    digest = file_digest(made)
    target = store.home / "store" / digest[:2] / f"{digest}{made.suffix}"
    target.parent.mkdir(parents=True, exist_ok=True)
    made.replace(target)
    return target.relative_to(store.home).as_posix(), digest


# --- reference data ---------------------------------------------------------------------------


def add_reference(store: Store, region: str, name: str, frame: pl.DataFrame, today: dt.date) -> bool:
    """Keep a new version of a reference table; False when it equals the present one."""
    with work_folder(store) as work:
        made = work / f"{name}.parquet"
        frame.write_parquet(made)
        path, digest = keep_file(store, made)
    present = reference_versions(store, region).get(name)
    if present and present["digest"] == digest:
        return False
    with store.engine.begin() as db:
        values = {"region": region, "name": name, "digest": digest, "rows": frame.height}
        db.execute(REFERENCE.insert().values(**values, loaded_on=today, path=path))
    return True


def reference_versions(store: Store, region: str) -> dict[str, dict[str, Any]]:
    """Return the newest version of each reference table of a region: digest, rows, path."""
    newest = sa.select(sa.func.max(REFERENCE.c.id)).group_by(REFERENCE.c.region, REFERENCE.c.name)
    query = sa.select(REFERENCE).where(REFERENCE.c.region == region, REFERENCE.c.id.in_(newest))
    with store.engine.connect() as db:
        return {row.name: dict(row._mapping) for row in db.execute(query.order_by(REFERENCE.c.name))}


def read_reference(store: Store, region: str) -> dict[str, pl.DataFrame]:
    """Read the newest version of every reference table of a region."""
    found = reference_versions(store, region)
    return {name: pl.read_parquet(store.home / row["path"]) for name, row in found.items()}


# --- submissions ------------------------------------------------------------------------------


def submissions(store: Store, region: str, month: dt.date) -> list[dict[str, Any]]:
    """Return all submissions of a month, oldest first."""
    query = sa.select(SUBMISSION).where(SUBMISSION.c.region == region, SUBMISSION.c.clr_ym == f"{month:%Y%m}")
    with store.engine.connect() as db:
        return [dict(row._mapping) for row in db.execute(query.order_by(SUBMISSION.c.id))]


def record_intake(
    store: Store, intake: str, rows: list[dict[str, Any]], files: list[tuple[str, Path]]
) -> None:
    """Record an intake in one transaction: its files, its submissions, and whom they replace.

    Args:
        store: the store.
        intake: name of this intake.
        rows: one dictionary per submission with the columns of the submission table.
        files: (table, finished file) pairs, moved into the store first.
    """
    kept = [(table, *keep_file(store, path)) for table, path in files]
    with store.engine.begin() as db:
        for table, path, digest in kept:
            db.execute(STORED.insert().values(intake=intake, table=table, path=path, digest=digest))
        for row in rows:
            if row["current"]:
                same = [SUBMISSION.c[n] == row[n] for n in ("region", "clr_ym", "fixmedins_code")]
                db.execute(SUBMISSION.update().where(*same).values(current=False))
            db.execute(SUBMISSION.insert().values(intake=intake, **row))


def stored_files(store: Store, intakes: set[str], table: str) -> dict[str, list[Path]]:
    """Return the files of a table by intake."""
    query = sa.select(STORED).where(STORED.c.intake.in_(intakes), STORED.c.table == table)
    found: dict[str, list[Path]] = {}
    with store.engine.connect() as db:
        for row in db.execute(query.order_by(STORED.c.id)):
            found.setdefault(row.intake, []).append(store.home / row.path)
    return found


# --- what a month publishes -------------------------------------------------------------------


def publish(
    store: Store,
    region: str,
    month: dt.date,
    tables: dict[str, pl.DataFrame | Path],
    run: dict[str, Any],
    today: dt.date,
) -> Path:
    """Write the data files of a month and its `run.json`, each whole or not at all.

    Args:
        store: the store.
        region: profile name.
        month: first day of the claim month.
        tables: file stem to frame, or to a finished Parquet file that is moved.
        run: what `run.json` says; digests of the files are added under `outputs`.
        today: day the run is recorded under, in the database only.

    Returns:
        The month's `data` folder.
    """
    folder = store.month_folder(region, month) / "data"
    folder.mkdir(parents=True, exist_ok=True)
    for stale in set(folder.glob("*.parquet")) - {folder / f"{name}.parquet" for name in tables}:
        stale.unlink()  # of a later stage that this run has not reached
    outputs = {}
    for name, content in tables.items():
        made = folder / f".{name}.parquet"
        if isinstance(content, pl.DataFrame):
            content.write_parquet(made, compression="zstd", statistics=True)
        else:
            content.replace(made)
        outputs[name] = file_digest(made)
        made.replace(folder / f"{name}.parquet")
    run = {**run, "outputs": dict(sorted(outputs.items()))}
    text = json.dumps(run, ensure_ascii=False, indent=1, sort_keys=True, default=str)
    made = folder / ".run.json"
    made.write_text(text + "\n", encoding="utf-8")
    made.replace(folder / "run.json")
    with store.engine.begin() as db:
        values = {"region": region, "clr_ym": f"{month:%Y%m}", "stage": run["stage"]}
        db.execute(
            RUN.insert().values(**values, fingerprint=run["fingerprint"], ran_on=today, files=run["outputs"])
        )
    return folder


def read_run(store: Store, region: str, month: dt.date) -> dict[str, Any]:
    """Read a month's `run.json`; StoreError when the month was not run."""
    path = store.month_folder(region, month) / "data" / "run.json"
    if not path.is_file():
        raise StoreError(f"{region} {month:%Y-%m} 还没有运行结果({path})。请先运行 audit 或 month。")
    return dict(json.loads(path.read_text(encoding="utf-8")))


def read_table(store: Store, region: str, month: dt.date, name: str) -> pl.DataFrame:
    """Read a published table of a month, checking that it is what the run wrote.

    Raises:
        StoreError: the file is missing or its bytes are not those of the run.
    """
    run = read_run(store, region, month)
    path = store.month_folder(region, month) / "data" / f"{name}.parquet"
    if not path.is_file() or run["outputs"].get(name) != file_digest(path):
        raise StoreError(f"{path} 缺失或已被改动,与 run.json 的摘要不符。请重新运行该月。")
    return pl.read_parquet(path)


def table_path(store: Store, region: str, month: dt.date, name: str) -> Path:
    """Return the path of a published table of a month."""
    return store.month_folder(region, month) / "data" / f"{name}.parquet"


def earlier_months(store: Store, region: str, month: dt.date) -> list[dt.date]:
    """Return the months before `month` that have results, in order."""
    found = []
    for folder in sorted((store.home / region).glob("[0-9][0-9][0-9][0-9]-[0-9][0-9]")):
        first = dt.date(int(folder.name[:4]), int(folder.name[5:]), 1)
        if first < month and (folder / "data" / "run.json").is_file():
            found.append(first)
    return found
