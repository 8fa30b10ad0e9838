"""Recording an intake: what was accepted, why the rest was not, and what exactly came."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from jobs.office import Office
from schemas.layout import table
from schemas.reasons import REASONS
from schemas.submission import SUBMISSION
from settlement import store
from settlement.acceptance.accept import RESTS_ON, Verdict
from settlement.intake.model import Submission
from settlement.intake.staging import Part, Source
from settlement.query import frame, hold

TABLES = {table(model).name: table(model) for model in SUBMISSION}


@dataclass(frozen=True)
class Taken:
    """What an intake did with one submission."""

    name: str
    fixmedins_code: str
    outcome: str
    reasons: tuple[str, ...]
    setl_in: int = 0
    setl_accepted: int = 0


@dataclass(frozen=True)
class Batch:
    """The submissions of one intake as they were read, and the digests of the reference tables they meet."""

    fresh: list[Submission]
    parts: list[Part]
    sources: list[Source]
    versions: dict[str, str]


def record(
    con: duckdb.DuckDBPyConnection, office: Office, batch: Batch, verdict: Verdict, work: Path
) -> list[Taken]:
    """Keep the tables of an intake and record its submissions in one transaction."""
    if not batch.fresh:
        return []
    content = _content(con)
    returned, accepted = work / "returned.parquet", work / "accepted.parquet"
    place_faults(con, verdict.faults, batch.fresh).write_parquet(returned)
    columns = ", ".join(f"s.{c}" for c in ["sub", *TABLES["setl_d"].schema])
    con.execute(
        f"COPY (SELECT {columns} FROM st_setl_d AS s SEMI JOIN accepted_key USING (sub, setl_id) "
        f"WHERE NOT s.faulty) TO '{accepted}' (FORMAT parquet, COMPRESSION snappy)"
    )
    rows = [_row(s, office, batch, verdict, content) for s in batch.fresh]
    files = [(part.table, part.path) for part in batch.parts if part.table != "setl_d"]
    what = [office.region, f"{office.first:%Y%m}", *sorted(_once(s) for s in batch.fresh)]
    intake = hashlib.sha256("|".join(what).encode()).hexdigest()[:16]
    files += [("accepted", accepted), ("returned", returned)]
    store.record_intake(office.home, office.act("intake"), intake, rows, files)
    return [_taken(s, row, verdict) for s, row in zip(batch.fresh, rows, strict=True)]


def _once(submission: Submission) -> str:
    """What tells a submission from every other, the same bytes at another time included."""
    return f"{submission.digest}#{submission.attempt}" if submission.attempt > 1 else submission.digest


def _rests_on(verdict: Verdict, number: int, versions: dict[str, str]) -> dict[str, str]:
    """Digests of the reference tables that a submission was refused by, by table."""
    if number not in verdict.refused:
        return {}
    reasons = set(verdict.faults.filter(pl.col("sub") == number)["reason"])
    return {name: versions.get(name, "") for reason, name in RESTS_ON.items() if reason in reasons}


def _row(
    submission: Submission, office: Office, batch: Batch, verdict: Verdict, content: dict[int, str]
) -> dict[str, Any]:
    """One row of the submission table."""
    number, home = submission.number, office.home.home
    counted = verdict.counts.filter(pl.col("sub") == number).drop("sub").to_dicts() or [{}]
    counts = {k: str(v) if k.startswith(("medfee", "fund")) else v for k, v in counted[0].items()}
    known = content.get(number, "" if submission.files else submission.digest)
    faults = sorted({f"{f.reason}:{f.table or ''}" for f in submission.faults})
    return {
        "region": office.region,
        "clr_ym": f"{office.first:%Y%m}",
        "fixmedins_code": submission.code or submission.name[:30],
        "name": submission.name,
        "digest": submission.digest,
        "content": hashlib.sha256("\n".join([known, *faults]).encode()).hexdigest(),
        "status": store.RETURNED if number in verdict.refused else store.ACCEPTED,
        "current": not any(f.reason == "S17" for f in submission.faults),
        "received_on": office.today,
        "kept": submission.kept.relative_to(home).as_posix() if submission.kept else "",
        "sub": number,
        "facts": {
            "counts": counts,
            "notes": verdict.notes.get(number, []),
            "unknown": sorted(
                {f"{f.label}:{u}" for f in submission.files for u in f.unknown} | set(submission.ignored)
            ),
            "src": [source.src for source in batch.sources if source.sub == number],
            "rests_on": _rests_on(verdict, number, batch.versions),
        },
        "attempt": submission.attempt,
    }


def _taken(submission: Submission, row: dict[str, Any], verdict: Verdict) -> Taken:
    counts = row["facts"]["counts"]
    again = ("重新受理:参考数据已更新",) if submission.attempt > 1 else ()
    return Taken(
        name=submission.name,
        fixmedins_code=submission.code,
        outcome="已受理" if row["status"] == store.ACCEPTED else "不予受理",
        reasons=(*again, *_reasons(verdict.faults, submission.number)),
        setl_in=counts.get("setl_in", 0),
        setl_accepted=counts.get("setl_accepted", 0),
    )


def _reasons(faults: pl.DataFrame, sub: int) -> tuple[str, ...]:
    """One line per reason with its count, submission-level ones first and in full."""
    mine = faults.filter(pl.col("sub") == sub)
    whole = mine.filter(pl.col("reason").str.starts_with("S"))
    lines = [f"{r['reason']} {worded(r)}" for r in whole.sort("reason", "detail").iter_rows(named=True)]
    rest = mine.filter(~pl.col("reason").str.starts_with("S")).group_by("reason").len().sort("reason")
    lines += [f"{code} ×{n}" for code, n in rest.iter_rows()]
    return tuple(lines)


def worded(row: dict[str, Any]) -> str:
    """Fill a reason's Chinese words with a fault's values."""
    column = TABLES.get(row["tab"] or "", TABLES["setl_d"]).schema
    zh = TABLES[row["tab"]].column(row["col"]).zh if row["tab"] and row["col"] in column else ""
    return REASONS[row["reason"]].zh.format(
        detail=row["detail"] or "", expected=row["expected"] or "", table=row["expected"] or "", column_zh=zh
    )


def _content(con: duckdb.DuckDBPyConnection) -> dict[int, str]:
    """Digest of each submission's rows whatever their order, the same for the same content.

    Sums of 64-bit row hashes over typed columns, and over the text of doubtful rows; the bytes as
    they came have their own SHA-256 beside it.
    """
    sums: dict[int, list[str]] = {}
    for name, about in TABLES.items():
        columns = ", ".join(about.schema)
        for view in (f"part_{name}", f"doubt_{name}"):
            query = (
                "SELECT sub, sum(n)::BIGINT, sum(total)::VARCHAR FROM (SELECT src, count(*) AS n, "
                f"sum(hash({columns})::HUGEINT) AS total FROM {view} GROUP BY src) "
                "JOIN source USING (src) GROUP BY sub ORDER BY sub"
            )
            for sub, count, total in con.execute(query).fetchall():
                sums.setdefault(sub, []).append(f"{view}:{count}:{total}")
    return {sub: hashlib.sha256("\n".join(text).encode()).hexdigest() for sub, text in sums.items()}


def place_faults(
    con: duckdb.DuckDBPyConnection, faults: pl.DataFrame, fresh: list[Submission]
) -> pl.DataFrame:
    """Add to each fault the file it is in and the row number there (the header is row 1)."""
    hold(con, "fault_rows", faults)
    firsts = [
        f"SELECT src, min(rn) AS first FROM part_{name} SEMI JOIN (SELECT src FROM fault_rows "
        f"WHERE tab = '{name}' AND src IS NOT NULL) USING (src) GROUP BY src"
        for name in TABLES
    ]
    con.execute(f"CREATE OR REPLACE TEMP TABLE first_row AS {' UNION ALL '.join(firsts)}")
    placed = frame(
        con,
        "SELECT f.*, s.label AS file, (f.rn - r.first + 2)::BIGINT AS row_no FROM fault_rows AS f "
        "LEFT JOIN source AS s USING (src) LEFT JOIN first_row AS r USING (src)",
    )
    whole = pl.DataFrame(
        [(s.number, f.reason, f.detail, f.file, f.row_no) for s in fresh for f in s.faults if f.file],
        schema={
            "sub": pl.Int32,
            "reason": pl.String,
            "detail": pl.String,
            "w_file": pl.String,
            "w_row": pl.Int64,
        },
        orient="row",
    ).unique(["sub", "reason", "detail"], maintain_order=True)
    placed = placed.join(whole, on=["sub", "reason", "detail"], how="left")
    return (
        placed.with_columns(file=pl.coalesce("file", "w_file"), row_no=pl.coalesce("row_no", "w_row"))
        .drop("w_file", "w_row", "src", "rn")
        .sort(pl.all(), nulls_last=False)
    )
