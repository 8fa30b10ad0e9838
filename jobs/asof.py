"""The record as it stood at a moment: what it came to, and every table written out."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa

from jobs import text
from settlement import store
from settlement.labels import label
from settlement.procedure import STATES
from settlement.store import asof, commits
from settlement.store.commits import Commit
from settlement.store.schema import (
    BATCH,
    DECISION,
    EDGE,
    FINDING,
    LOG,
    PAY_ORDER,
    PAY_RESULT,
    RUN,
    STATEMENT,
    STAYING,
    TRACKED,
    VERSION,
)

MANIFEST = "manifest.json"
# Where the command line keeps the moment that is asked about.
MOMENT = "settlement.as_of"


def chosen(home: store.Store, moment: str | None) -> int | None:
    """Return the number of the commit that a moment means; None for now."""
    if not moment:
        return None
    with home.engine.connect() as db:
        return commits.at(db, moment).no


def months(home: store.Store, commit: Commit, region: str | None, month: dt.date | None) -> pl.DataFrame:
    """What each month had come to by a commit.

    Args:
        home: the store.
        commit: the last commit that counts.
        region: only this one; None for all.
        month: only this one; None for all.

    Returns:
        region, clr_ym; one column per state with its batches; findings of the audits that count; decisions
        taken; payable of the statements and paid by the bank (分); run (number of the newest run).
    """
    with home.engine.connect() as db:
        batch = _of(asof.table(db, BATCH, commit.no), region, month).rename({"id": "batch_id"})
        counts = {
            name: asof.findings_of(db, of, commit.no).join(batch, on=["batch_id", "run_id"], how="semi")
            for name, of in (("findings", FINDING), ("decisions", DECISION))
        }
        parts = {
            **counts,
            "payable": asof.table(db, STATEMENT, commit.no),
            "paid": asof.table(db, PAY_ORDER, commit.no).join(
                asof.table(db, PAY_RESULT, commit.no).filter(pl.col("result") == "PAID"),
                on="business_no", how="semi",
            ),
        }  # fmt: skip
        runs = _of(asof.table(db, RUN, commit.no), region, month)
    keys = ("region", "clr_ym")
    rows = batch.group_by(keys).agg(
        (pl.col("state") == state).sum().alias(state) for state in STATES if state in set(batch["state"])
    )
    for name, of in parts.items():
        mine = of.join(batch.select("batch_id", *keys), on="batch_id")
        amount = {"payable": "payable_fen", "paid": "amount_fen"}.get(name, "findings")
        rows = rows.join(mine.group_by(keys).agg(pl.col(amount).sum().alias(name)), on=keys, how="left")
    newest = runs.group_by(keys).agg(pl.col("id").max().alias("run"))
    return rows.join(newest, on=keys, how="left").with_columns(pl.col(*parts).fill_null(0)).sort(keys)


def _of(rows: pl.DataFrame, region: str | None, month: dt.date | None) -> pl.DataFrame:
    wanted = [pl.lit(value=True)]
    wanted += [pl.col("region") == region] if region else []
    wanted += [pl.col("clr_ym") == f"{month:%Y%m}"] if month else []
    return rows.filter(wanted)


def as_text(commit: Commit, rows: pl.DataFrame, lang: str) -> str:
    """Lay the months out for a terminal."""
    head = label("asof.head", lang).format(no=commit.no, at=commit.at.replace("T", " "), seq=commit.log_seq)
    states = [name for name in rows.columns if name in STATES]
    columns = [(label(f"asof.{name}", lang), True) for name in ("region", "month")]
    columns += [(STATES[name][lang == "en"], True) for name in states]
    columns += [
        (label(f"asof.{name}", lang), True) for name in ("findings", "decisions", "payable", "paid", "run")
    ]
    body = [
        [
            row["region"], row["clr_ym"], *(str(row[s]) for s in states), str(row["findings"]),
            str(row["decisions"]), _yuan(row["payable"]), _yuan(row["paid"]), str(row["run"] or ""),
        ]
        for row in rows.iter_rows(named=True)
    ]  # fmt: skip
    return text.table(head, columns, body)


def _yuan(fen: int) -> str:
    return f"{fen // 100:,}.{fen % 100:02d}"


def write(
    home: store.Store, commit: Commit, out: Path, region: str | None, month: dt.date | None
) -> list[str]:
    """Write every table as it stood: the workflow's, and those of each month's newest run then.

    Args:
        home: the store.
        commit: the last commit that counts.
        out: folder; made when there is none.
        region: months of this region only; the workflow's tables are whole.
        month: this month only.

    Returns:
        The files, as paths in `out`.

    Raises:
        StoreError: a file of a month is missing or was changed.
    """
    out.mkdir(parents=True, exist_ok=True)
    written: dict[str, int] = {}
    with home.engine.connect() as db:
        for of in (*TRACKED, *STAYING, EDGE):
            if of is not VERSION:
                rows = asof.table(db, of, commit.no)
                target = out / "record" / f"{of.name}.parquet"
                target.parent.mkdir(exist_ok=True)
                rows.write_parquet(target)
                written[target.relative_to(out).as_posix()] = rows.height
        runs = _of(asof.table(db, RUN, commit.no), region, month)
    for run in _newest(runs):
        folder = out / run["region"] / f"{run['clr_ym'][:4]}-{run['clr_ym'][4:]}"
        folder.mkdir(parents=True, exist_ok=True)
        for name in sorted(run["files"]):
            source = store.kept_path(home, run, name)
            target = folder / f"{name}{source.suffix}"
            shutil.copyfile(source, target)
            written[target.relative_to(out).as_posix()] = -1
    facts = {"commit": commit.no, "at": commit.at, "log_seq": commit.log_seq, "hash": commit.hash}
    digests = {name: store.file_digest(out / name) for name in sorted(written)}
    said = json.dumps({**facts, "files": digests}, ensure_ascii=False, indent=1)
    (out / MANIFEST).write_text(f"{said}\n", encoding="utf-8")
    return sorted(written)


def _newest(runs: pl.DataFrame) -> list[dict[str, Any]]:
    """The newest run of each month that kept tables."""
    read = [
        {**row, "paths": json.loads(row["paths"]), "files": json.loads(row["files"])}
        for row in runs.sort("id").to_dicts()
    ]
    found = {(row["region"], row["clr_ym"]): row for row in read if row["paths"]}
    return list(found.values())


def list_commits(
    home: store.Store, count: int, region: str | None, month: dt.date | None
) -> list[dict[str, Any]]:
    """Return the last commits, oldest first: no, at, entries (first and last of the log), who did what."""
    with home.engine.connect() as db:
        every = {commit.no: commit for commit in commits.every(db)}
        where = [LOG.c.region == region] if region else []
        where += [LOG.c.clr_ym == f"{month:%Y%m}"] if month else []
        mine = sa.select(LOG.c.commit_no).where(LOG.c.commit_no.is_not(None), *where).distinct()
        numbers = sorted(db.execute(mine).scalars())[-count:]
        told = sa.select(LOG).where(LOG.c.commit_no.in_(numbers)).order_by(LOG.c.seq)
        entries: dict[int, list[Any]] = {}
        for row in db.execute(told):
            entries.setdefault(row.commit_no, []).append(row)
    return [
        {
            "no": number,
            "at": every[number].at,
            "log": [mine[0].seq, mine[-1].seq],
            "actor": mine[0].actor,
            "action": mine[0].action,
            "region": mine[0].region,
            "clr_ym": mine[0].clr_ym,
            "subject": mine[0].subject,
            "entries": len(mine),
        }
        for number, mine in entries.items()
    ]
