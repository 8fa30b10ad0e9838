"""Versions of reference tables."""

from __future__ import annotations

from typing import Any

import polars as pl
import sqlalchemy as sa

from settlement.store.database import Store, writing
from settlement.store.files import keep_file, work_folder
from settlement.store.log import Act, Change, write
from settlement.store.schema import REFERENCE


def add_reference(store: Store, act: Act, name: str, frame: pl.DataFrame) -> bool:
    """Keep a new version of a region's reference table; False when it equals the present one."""
    region = act.region
    with work_folder(store) as work:
        made = work / f"{name}.parquet"
        frame.write_parquet(made)
        path, digest = keep_file(store, made)
    with writing(store) as db:
        present = _versions(db, region).get(name)
        if present and present["digest"] == digest:
            return False
        values = {"region": region, "name": name, "digest": digest, "rows": frame.height}
        db.execute(REFERENCE.insert().values(**values, loaded_on=act.day, path=path))
        former = {"digest": present["digest"]} if present else {}
        write(db, act, Change(f"reference:{name}", former, {"digest": digest, "rows": frame.height}))
    return True


def reference_versions(store: Store, region: str) -> dict[str, dict[str, Any]]:
    """Return the newest version of each reference table of a region: digest, rows, path."""
    with store.engine.connect() as db:
        return _versions(db, region)


def _versions(db: sa.Connection, region: str) -> dict[str, dict[str, Any]]:
    newest = sa.select(sa.func.max(REFERENCE.c.id)).group_by(REFERENCE.c.region, REFERENCE.c.name)
    query = sa.select(REFERENCE).where(REFERENCE.c.region == region, REFERENCE.c.id.in_(newest))
    return {row.name: dict(row._mapping) for row in db.execute(query.order_by(REFERENCE.c.name))}


def read_reference(
    store: Store, region: str, paths: dict[str, str] | None = None, only: tuple[str, ...] = ()
) -> dict[str, pl.DataFrame]:
    """Read reference tables of a region: the newest versions or those at given paths, all or only some."""
    newest = paths or {name: row["path"] for name, row in reference_versions(store, region).items()}
    wanted = {name: path for name, path in newest.items() if name in only} if only else newest
    return {name: pl.read_parquet(store.home / path) for name, path in wanted.items()}
