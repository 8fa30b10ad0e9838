"""Taking in submissions: keep, open, stage, judge, record. A fault in one harms no other."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from jobs.office import Office, permit
from jobs.recording import Batch, Taken, record
from schemas.layout import table
from schemas.submission import SUBMISSION
from settlement import policy, reference, store
from settlement.acceptance import accept
from settlement.errors import ReferenceError
from settlement.intake import package, staging, textfile
from settlement.intake.model import Fault, Submission, TableFile
from settlement.query import hold, open_engine

TABLES = {table(model).name: table(model) for model in SUBMISSION}
NEEDED = ("institution", "agreement")
UNOPENED = ("S01", "S02")
Progress = Callable[[str, int, int], None]


def take_in(office: Office, paths: list[Path], progress: Progress) -> list[Taken]:
    """Take in submissions of one region and month.

    Args:
        office: the store, region, month, day of receipt, and who takes them in.
        paths: submissions, or folders of them.
        progress: called with step, done, total.

    Returns:
        One outcome per submission found: 已受理, 不予受理, 重复提交 or 已被替换.

    Raises:
        ReferenceError: institutions or agreements are not loaded.
        ProcedureError: the actor may not take in, or another process has just done so.
    """
    permit(office, "intake")
    home, region, month = office.home, office.region, office.first
    profile = policy.load(region)
    newest = store.reference_versions(home, region)
    versions = {name: row["digest"] for name, row in newest.items()}
    facts = store.read_reference(home, region, {name: row["path"] for name, row in newest.items()})
    lacking = [name for name in NEEDED if name not in facts]
    if lacking:
        raise ReferenceError(f"{region} 还没有载入 {'、'.join(lacking)}。请先运行 reference load。")
    found = package.find(paths)
    with store.work_folder(home) as work:
        _keep_all(found, home.home / "received" / region / f"{month:%Y-%m}", progress)
        before = store.submissions(home, region, month)
        fresh, taken = _sort_out(found, before, month, versions)
        files = _inspect_all(fresh, work, progress)
        last = month.replace(day=calendar.monthrange(month.year, month.month)[1])
        codes = reference.code_lists(facts, month, last)
        progress("读取并检查", 0, len(files))
        parts, sources = staging.stage(files, codes, work, home.home)
        con = open_engine("2GB", work / "spill")
        try:
            cells = [staging.cell_faults(part, codes) for part in parts]
            batch = Batch(fresh, parts, sources, versions)
            _open_stage(con, batch, cells)
            progress("受理", 0, len(fresh))
            verdict = accept.judge(con, _claimants(fresh), _known_faults(batch, cells), facts, profile, month)
            recorded = record(con, office, batch, verdict, work)
            taken += _telling_replaced(recorded, before)
        finally:
            con.close()
    return sorted(taken, key=lambda t: (t.fixmedins_code, t.name))


def load_reference(office: Office, folder: Path) -> list[dict[str, Any]]:
    """Load the reference tables of a folder; each that differs becomes a new version.

    Returns:
        One row per table: table, rows, new_version.
    """
    act = permit(office, "reference")
    return [
        {"table": name, "rows": rows.height, "new_version": store.add_reference(office.home, act, name, rows)}
        for name, rows in reference.read_folder(folder).items()
    ]


def _keep_all(found: list[Submission], folder: Path, progress: Progress) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(2) as pool:
        for done, _ in enumerate(pool.map(lambda s: package.keep(s, folder), found), start=1):
            progress("收件", done, len(found))


def _sort_out(
    found: list[Submission], before: list[dict[str, Any]], month: dt.date, versions: dict[str, str]
) -> tuple[list[Submission], list[Taken]]:
    """Set aside what was sent before, what a later turn replaces, and months already accepted."""
    again = _to_judge_again(before, versions)
    known = {(row["fixmedins_code"], row["digest"]) for row in before} - set(again)
    accepted = {r["fixmedins_code"] for r in before if r["status"] == store.ACCEPTED and r["current"]}
    newest = _newest(found, month, known)
    fresh, taken = [], []
    for submission in found:
        who = _recorded_as(submission)
        if not submission.digest:
            # Nothing was received, so nothing is recorded and nothing former replaced.
            reasons = tuple(f"{f.reason} {f.detail}" for f in submission.faults)
            taken.append(Taken(submission.name, submission.code, "不予受理", reasons))
        elif (who, submission.digest) in known:
            text = "与已收文件完全相同,不产生影响"
            taken.append(Taken(submission.name, submission.code, "重复提交", (text,)))
        elif newest[who] is not submission:
            text = f"由同批的 {newest[who].source.name} 替换"
            taken.append(Taken(submission.name, submission.code, "已被替换", (text,)))
        else:
            if submission.code in accepted:
                submission.faults.append(Fault("S17"))
            known.add((who, submission.digest))
            submission.attempt = again.get((who, submission.digest), 1)
            fresh.append(submission)
    return fresh, taken


def _to_judge_again(before: list[dict[str, Any]], versions: dict[str, str]) -> dict[tuple[str, str], int]:
    """What was refused by reference tables that have changed since: institution, digest -> which time it is.

    The same bytes are judged anew then, unless the month has been accepted meanwhile.
    """
    accepted = {r["fixmedins_code"] for r in before if r["status"] == store.ACCEPTED and r["current"]}
    last = {(r["fixmedins_code"], r["digest"]): r for r in before if r["fixmedins_code"] not in accepted}
    return {
        key: row["attempt"] + 1
        for key, row in last.items()
        if any(versions.get(name, "") != was for name, was in row["facts"].get("rests_on", {}).items())
    }


def _recorded_as(submission: Submission) -> str:
    """The institution, or the name as it came when that names none."""
    return submission.code or submission.name[:30]


def _newest(found: list[Submission], month: dt.date, known: set[tuple[str, str]]) -> dict[str, Submission]:
    """The one that counts of each institution's: of the month asked for, latest turn, not sent before."""

    def rank(s: Submission) -> tuple[bool, str, int, bool]:
        return s.clr_ym == f"{month:%Y%m}", s.clr_ym, s.turn, (_recorded_as(s), s.digest) not in known

    return {_recorded_as(s): s for s in sorted((s for s in found if s.digest), key=rank)}


def _telling_replaced(taken: list[Taken], before: list[dict[str, Any]]) -> list[Taken]:
    """Say of each submission which former one it takes the place of."""
    former = {
        r["fixmedins_code"]: r["name"] for r in before if r["current"] and r["status"] == store.RETURNED
    }
    told = {code: f"替换先前未受理的 {name}" for code, name in former.items()}
    return [
        replace(t, reasons=(told[c], *t.reasons)) if (c := t.fixmedins_code) in told else t for t in taken
    ]


def _inspect_all(
    fresh: list[Submission], work: Path, progress: Progress
) -> list[tuple[Submission, TableFile]]:
    def look(submission: Submission) -> None:
        # The digest keeps the names of two intakes apart, so a line always finds its own submission.
        folder = work / f"{submission.number:06d}_{submission.digest[:12]}"
        folder.mkdir()
        for name, path in package.unpack(submission, folder):
            file, faults = textfile.inspect(name, path, folder)
            submission.faults += faults
            if file:
                submission.files.append(file)
            elif textfile.table_of(name) is None:
                submission.ignored.append(name)

    with ThreadPoolExecutor(2) as pool:
        for done, _ in enumerate(pool.map(look, fresh), start=1):
            progress("检查文件", done, len(fresh))
    return [(s, f) for s in fresh for f in s.files]


def _open_stage(con: duckdb.DuckDBPyConnection, batch: Batch, cells: list[pl.DataFrame]) -> None:
    """Give acceptance its views over the staged parts.

    Creates:
        part_<table>: the rows as staged; doubt_<table>: the text of the doubtful ones.
        st_<table>: rows with their submission and whether a cell is at fault, blank ones left out.
    """
    rows = [(s.src, s.sub, s.table, s.label) for s in batch.sources]
    schema = {"src": pl.String, "sub": pl.Int32, "tab": pl.String, "label": pl.String}
    hold(con, "source", pl.DataFrame(rows, schema=schema, orient="row"))
    _hold_places(con, "at_fault", cells)
    _hold_places(con, "blank", [staging.blank_rows(part) for part in batch.parts])
    # Only a doubtful row can be at fault or blank, so the look-ups touch no clean row.
    place = "(p.src || ':' || p.rn)"
    faulty = f"CASE WHEN p.doubtful THEN {place} IN (SELECT place FROM at_fault) ELSE false END"
    for name, about in TABLES.items():
        empty = {"src": pl.String(), "rn": pl.Int64(), **about.schema, "doubtful": pl.Boolean()}
        mine = [part for part in batch.parts if part.table == name]
        _open_parts(con, f"part_{name}", [part.path for part in mine], empty)
        text = {"src": pl.String(), **{n: pl.String() for n in about.schema}, staging.EXTRA: pl.String()}
        _open_parts(con, f"doubt_{name}", [part.doubts for part in mine], text)
        con.execute(
            f"CREATE TEMP VIEW st_{name} AS SELECT source.sub, p.*, {faulty} AS faulty "
            f"FROM part_{name} AS p JOIN source USING (src) "
            f"WHERE NOT p.doubtful OR {place} NOT IN (SELECT place FROM blank)"
        )


def _hold_places(con: duckdb.DuckDBPyConnection, name: str, rows: list[pl.DataFrame]) -> None:
    places = [pl.DataFrame(schema={"src": pl.String, "rn": pl.Int64})]
    places += [r.select("src", pl.col("rn").cast(pl.Int64)) for r in rows]
    hold(con, name, pl.concat(places).unique(), "src || ':' || rn AS place")


def _open_parts(
    con: duckdb.DuckDBPyConnection, view: str, paths: list[Path], schema: Mapping[str, pl.DataType]
) -> None:
    hold(con, f"no_{view}", pl.DataFrame(schema=schema))
    files = [str(path) for path in paths]
    rows_of = f"read_parquet({files}, union_by_name=true)" if files else f"no_{view}"
    con.execute(f"CREATE TEMP VIEW {view} AS SELECT * FROM {rows_of}")


def _known_faults(batch: Batch, cells: list[pl.DataFrame]) -> pl.DataFrame:
    """Faults that are known before rows are compared: of whole submissions, and of cells."""
    by_src = pl.DataFrame(
        [(s.src, s.sub) for s in batch.sources], schema={"src": pl.String, "sub": pl.Int32}, orient="row"
    )
    whole = accept.fault_rows(
        [(s.number, f.table, f.reason, f.detail, f.expected) for s in batch.fresh for f in s.faults]
    )
    names = {"table": "tab", "column": "col", "value": "val"}
    owned = [found.join(by_src, on="src").rename(names) for found in cells]
    return pl.concat([whole, *(c.select(accept.FAULTS).cast(whole.schema) for c in owned)])


def _claimants(fresh: list[Submission]) -> list[accept.Claimant]:
    """Submissions of a known institution, with the tables they tried to send."""
    return [accept.Claimant(s.number, s.code, s.clr_ym, _sent(s)) for s in fresh if s.code]


def _sent(submission: Submission) -> frozenset[str]:
    """Tables a submission tried to send: all, as far as anyone can tell, where it could not be opened."""
    if any(f.reason in UNOPENED and not f.table for f in submission.faults):
        return frozenset(TABLES)
    return frozenset({f.table for f in submission.files} | {f.table for f in submission.faults if f.table})
