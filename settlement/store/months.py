"""What a month has come to: the tables of each run under their content hash, and the copy in `data/`."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa

from settlement.errors import StoreError
from settlement.store.database import Store
from settlement.store.files import file_digest, keep_file, work_folder
from settlement.store.log import Act
from settlement.store.schema import RUN

Kept = dict[str, tuple[str, str]]
# Tables that a run keeps for later stages and does not publish begin so.
INNER = "_"


def keep_tables(store: Store, tables: Mapping[str, pl.DataFrame | Path]) -> Kept:
    """Keep tables under their content hash; returns (path in the home, digest) by name."""
    kept: Kept = {}
    with work_folder(store) as work:
        for name, content in tables.items():
            made = content
            if isinstance(content, pl.DataFrame):
                made = write_table(content, work / f"{name}.parquet")
            kept[name] = keep_file(store, Path(str(made)))
    return kept


def write_table(rows: pl.DataFrame, target: Path) -> Path:
    """Write a table as every run writes it: the same rows give the same bytes."""
    rows.write_parquet(target, compression="zstd", statistics=True)
    return target


def keep_text(store: Store, text: str, suffix: str = ".json") -> tuple[str, str]:
    """Keep a text under its content hash."""
    return keep_bytes(store, text.encode("utf-8"), suffix)


def keep_bytes(store: Store, content: bytes, suffix: str) -> tuple[str, str]:
    """Keep bytes under their content hash; returns (path in the home, digest)."""
    with work_folder(store) as work:
        made = work / f"made{suffix}"
        made.write_bytes(content)
        return keep_file(store, made)


def record_run(
    db: sa.Connection, act: Act, stage: str, fingerprint: str, kept: Kept, basis: dict[str, Any] | None = None
) -> int:
    """Make kept tables part of the record; returns the run's number."""
    values = {
        "region": act.region,
        "clr_ym": act.clr_ym,
        "stage": stage,
        "fingerprint": fingerprint,
        "ran_on": act.day,
        "files": {n: digest for n, (_, digest) in sorted(kept.items()) if not n.startswith(INNER)},
        "paths": {n: list(place) for n, place in sorted(kept.items())},
        "basis": basis or {},
    }
    return int(db.execute(RUN.insert().values(**values).returning(RUN.c.id)).scalar_one())


def runs(store: Store, region: str, month: dt.date) -> list[dict[str, Any]]:
    """Return the runs of a month, oldest first; those of 0.1.0 kept no tables and are left out."""
    query = sa.select(RUN).where(RUN.c.region == region, RUN.c.clr_ym == f"{month:%Y%m}").order_by(RUN.c.id)
    with store.engine.connect() as db:
        return [dict(row._mapping) for row in db.execute(query) if row.paths]


def last_run_id(db: sa.Connection, region: str, month: dt.date) -> int:
    """Return the number of a month's newest run, 0 when it has none."""
    query = sa.select(sa.func.max(RUN.c.id)).where(RUN.c.region == region, RUN.c.clr_ym == f"{month:%Y%m}")
    return int(db.execute(query).scalar() or 0)


def newest(store: Store, region: str, month: dt.date, table: str = "run") -> dict[str, Any]:
    """Return the newest run that has a table; StoreError when there is none."""
    found = [run for run in runs(store, region, month) if table in run["paths"]]
    if found:
        return found[-1]
    raise StoreError(f"{region} {month:%Y-%m} 还没有运行结果。请先运行 audit 或 month。")


def read_kept(store: Store, run: dict[str, Any], table: str) -> pl.DataFrame:
    """Read a table of a run, checking that its bytes are those that were recorded."""
    return pl.read_parquet(kept_path(store, run, table))


def kept_path(store: Store, run: dict[str, Any], table: str) -> Path:
    """Return where a table of a run lies, after checking that its bytes are those recorded."""
    if table not in run["paths"]:
        raise StoreError(f"第 {run['id']} 次运行({run['stage']})没有 {table}。请用 verify 检查登记。")
    path, digest = run["paths"][table]
    full = store.home / str(path)
    if not full.is_file() or file_digest(full) != digest:
        raise StoreError(f"{full} 缺失或已被改动,与登记的摘要不符。请从备份恢复这个文件。")
    return full


def publish(store: Store, region: str, month: dt.date) -> Path:
    """Bring a month's `data` folder to its newest run, each file whole or not at all."""
    run = newest(store, region, month)
    folder = store.month_folder(region, month) / "data"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {f"{n}.parquet": n for n in run["files"] if n != "run"}
    for stale in set(folder.glob("*.parquet")) - {folder / name for name in wanted}:
        stale.unlink()  # of a stage that no longer stands
    for file, name in [*wanted.items(), ("run.json", "run")]:
        digest = run["paths"][name][1]
        target = folder / file
        if not target.is_file() or file_digest(target) != digest:
            made = folder / f".{os.getpid()}.{file}"
            shutil.copyfile(kept_path(store, run, name), made)
            made.replace(target)
    return folder


def read_run(store: Store, region: str, month: dt.date) -> dict[str, Any]:
    """Read what the newest run of a month says of itself; StoreError when the month was not run."""
    run = newest(store, region, month)
    described: dict[str, Any] = json.loads(kept_path(store, run, "run").read_text(encoding="utf-8"))
    return described


def read_table(store: Store, region: str, month: dt.date, name: str) -> pl.DataFrame:
    """Read a published table of a month, checking it and the copy in `data` against the record.

    Raises:
        StoreError: a file is missing or its bytes are not those of the run.
    """
    run = newest(store, region, month)
    if name not in run["paths"]:
        raise StoreError(f"{region} {month:%Y-%m} 还没有 {name},该月尚未到这一步。")
    copy = table_path(store, region, month, name)
    if not copy.is_file() or file_digest(copy) != run["paths"][name][1]:
        raise StoreError(f"{copy} 缺失或已被改动,与 run.json 的摘要不符。请重新运行该月。")
    return read_kept(store, run, name)


def table_path(store: Store, region: str, month: dt.date, name: str) -> Path:
    """Return the path of a published table of a month."""
    return store.month_folder(region, month) / "data" / f"{name}.parquet"


def earlier_months(store: Store, region: str, month: dt.date) -> list[dt.date]:
    """Return the months before `month` that have results, in order."""
    query = sa.select(RUN.c.clr_ym, RUN.c.paths).where(RUN.c.region == region, RUN.c.clr_ym < f"{month:%Y%m}")
    with store.engine.connect() as db:
        found = sorted({row.clr_ym for row in db.execute(query) if row.paths})
    return [dt.date(int(ym[:4]), int(ym[4:]), 1) for ym in found]
