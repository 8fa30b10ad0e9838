"""Stored months computed again from what they were computed from, and held against what is on record.

Everything a run rested on is on record: submissions, reference versions, what was accepted in earlier
months, decisions, ledger entries. Rules, policy and code are those of this program; where they are not
those the run was made with, that is said, and the comparison is made all the same. Nothing is recorded.
"""

from __future__ import annotations

import datetime as dt
import json
import platform
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from jobs import auditing, proof, publishing, settling, standing
from jobs.books import Calculated, Month, connect, open_month, recorded
from jobs.due import first_day
from jobs.faults import returned_rows, without_positions
from jobs.office import Office
from jobs.progress import Progress, quiet
from settlement import ledger, store
from settlement.errors import SettlementError
from settlement.labels import label
from settlement.store import batches, books, kept, payments, told
from settlement.store.batches import Batch

EQUAL, SAME_ROWS, DIFFERENT, BROKEN = "equal", "same_rows", "different", "broken"
OF_FINDINGS = ("findings", "finding_funds")
Tables = dict[str, pl.DataFrame | Path]
# What a record that was altered can make of a computation.
BROKEN_BY = (SettlementError, KeyError, OSError, duckdb.Error, pl.exceptions.PolarsError)


@dataclass(frozen=True)
class Compared:
    """One table of a run against the same made anew.

    Attributes:
        run: number of the run.
        result: equal (the same bytes), same_rows (in other bytes), different, or broken (what is on record
            cannot be read, or computed with).
        rows: how many rows are only on one side.
        words: why it could not be compared, or empty.
    """

    region: str
    month: str
    run: int
    table: str
    result: str
    rows: int = 0
    words: str = ""


@dataclass(frozen=True)
class Rebuilt:
    """What came of it: every table compared, and by run what this program has otherwise than it had."""

    tables: list[Compared]
    otherwise: dict[int, list[str]]

    @property
    def different(self) -> list[Compared]:
        """The tables that are not what is on record."""
        return [each for each in self.tables if each.result in (DIFFERENT, BROKEN)]


@dataclass(frozen=True)
class _Stored:
    """A month on record: its runs by number, its audited batches, and which run was made for whom."""

    office: Office
    runs: dict[int, dict[str, Any]]
    live: list[Batch]
    audited: dict[int, list[str]]
    settled: dict[int, list[str]]


def rebuild(
    home: store.Store,
    region: str | None = None,
    month: dt.date | None = None,
    lang: str = "zh",
    progress: Progress = quiet,
) -> Rebuilt:
    """Compute stored months again and compare.

    Args:
        home: the store; only its scratch folder is written to.
        region: only this one.
        month: only this claim month.
        lang: language of the words.
        progress: called with step, done, total.
    """
    with home.engine.connect() as db:
        every = [(r, first_day(ym)) for r, ym in kept.months(db)]
    chosen = [(r, m) for r, m in every if region in (None, r) and month in (None, m)]
    tables: list[Compared] = []
    otherwise: dict[int, list[str]] = {}
    for done, (name, first) in enumerate(chosen):
        progress(label("rebuild.step", lang), done, len(chosen))
        stored = _stored(Office(home, name, first, first, lang=lang))
        tables += _compared(stored)
        otherwise |= {ident: _otherwise(stored, ident) for ident in {*stored.audited, *stored.settled}}
    progress(label("rebuild.step", lang), len(chosen), len(chosen))
    return Rebuilt(tables, {ident: words for ident, words in otherwise.items() if words})


def _stored(office: Office) -> _Stored:
    with office.home.engine.connect() as db:
        live = [b for b in batches.find(db, office.region, office.clr_ym) if b.run_id]
        audited = {b.run_id: told.audited(db, b.run_id) for b in live if b.run_id}
        statements = payments.statements(db, office.region, office.clr_ym).sort("run_id", "fixmedins_code")
    settled: dict[int, list[str]] = {}
    for run, code in statements.select("run_id", "fixmedins_code").iter_rows():
        settled.setdefault(run, []).append(code)
    runs = {run["id"]: run for run in store.runs(office.home, office.region, office.first)}
    return _Stored(office, runs, live, audited, settled)


def _compared(stored: _Stored) -> Iterator[Compared]:
    """Compare run by run; a calculation starts from the findings on record, so each difference is one."""
    former: Calculated | None = None
    for ident in [*sorted(stored.audited), *sorted(stored.settled)]:
        with store.work_folder(stored.office.home) as work:
            try:
                if ident in stored.audited:
                    tables = _audit(stored, ident, work)
                else:
                    tables, former = _calculation(stored, ident, former, work)
                yield from [_against(stored, ident, name, made, work) for name, made in tables.items()]
            except BROKEN_BY as fault:
                yield Compared(*_place(stored, ident), "*", BROKEN, 0, f"{type(fault).__name__}: {fault}")
                if ident in stored.settled:
                    return  # the calculations after it were made beside it


def _place(stored: _Stored, ident: int) -> tuple[str, str, int]:
    return stored.office.region, f"{stored.office.first:%Y-%m}", ident


def as_recorded(office: Office, run: dict[str, Any]) -> Month:
    """Return the month as a run saw it: its submissions, reference versions and earlier months."""
    described = json.loads(store.kept_path(office.home, run, "run").read_text(encoding="utf-8"))
    month = open_month(office, pinned=run)
    rows = store.submissions(office.home, office.region, office.first)
    submissions = recorded(rows, run["basis"]["inputs"], day=run["ran_on"])
    lacking = sorted(set(run["basis"]["inputs"]) - {row["fixmedins_code"] for row in submissions})
    if lacking:
        raise SettlementError(label("rebuild.no_input", office.lang).format(codes=", ".join(lacking)))
    return replace(month, submissions=submissions, past=described["past"])


def _audit(stored: _Stored, ident: int, work: Path) -> Tables:
    month = as_recorded(stored.office, stored.runs[ident])
    con, audited = auditing.audit(month)
    try:
        found = audited.findings.filter(pl.col("fixmedins_code").is_in(stored.audited[ident]))
        risk = audited.risk_funds.join(found, on="finding_id", how="semi")
        details = auditing.details(con, month, found)
        settlements = publishing.write_settlements(con, work / "settlements.parquet")
    finally:
        con.close()
    return {
        standing.FOUND: found,
        standing.RISK_FUNDS: risk,
        standing.DETAILS: details,
        "returned": without_positions(returned_rows(month)),
        "settlements": settlements,
    }


def _calculation(
    stored: _Stored, ident: int, former: Calculated | None, work: Path
) -> tuple[Tables, Calculated]:
    month, codes = as_recorded(stored.office, stored.runs[ident]), stored.settled[ident]
    stand = standing.standing(stored.office)
    con = connect(month)
    try:
        fresh = settling.calculated(con, month, stand, codes, opening(stored.office, codes))
        settlements = publishing.write_settlements(con, work / "settlements.parquet")
    finally:
        con.close()
    every = settling.with_former(former, fresh)
    # Of institutions that were not settled by then, answers and decisions may have changed since.
    mine = stand.findings.filter(pl.col("fixmedins_code").is_in(every.codes))
    tables: Tables = {
        **{name: getattr(every, name) for name in publishing.CALCULATED},
        "findings": mine,
        "finding_funds": stand.finding_funds.join(mine, on="finding_id", how="semi"),
        "returned": without_positions(returned_rows(month)),
        "settlements": settlements,
    }
    return tables, every


def opening(office: Office, codes: list[str]) -> pl.DataFrame:
    """Return what the ledgers brought into the statements of institutions when these were made.

    The log says what was booked before: a ledger entry names its source, and the log when that was entered.
    """
    with office.home.engine.connect() as db:
        booked, plans = books.entries(db, office.region), books.advances(db, office.region)
        at = told.booked_at(db, office.region)
    statement = pl.format("statement:{}:{}", pl.lit(office.clr_ym), pl.col("fixmedins_code"))

    def before(rows: pl.DataFrame, source: pl.Expr) -> pl.DataFrame:
        when = source.replace_strict(at, default=None, return_dtype=pl.Int64)
        settled = statement.replace_strict(at, default=None, return_dtype=pl.Int64)
        return rows.filter(pl.col("fixmedins_code").is_in(codes) & (when < settled))

    given = before(plans, pl.format("advance:{}", pl.col("id")))
    return ledger.opening(before(booked, pl.col("source")), given, office.first)


def _against(stored: _Stored, ident: int, name: str, made: pl.DataFrame | Path, work: Path) -> Compared:
    place, run = (*_place(stored, ident), name), stored.runs[ident]
    if name not in run["paths"]:
        return Compared(*place, DIFFERENT)
    path = made if isinstance(made, Path) else store.write_table(made, work / f"{name}.parquet")
    there = pl.read_parquet(store.kept_path(stored.office.home, run, name))
    if store.file_digest(path) == run["paths"][name][1]:
        return Compared(*place, EQUAL)
    if name in OF_FINDINGS:
        settled = [code for at, codes in stored.settled.items() if at <= ident for code in codes]
        owner = store.read_kept(stored.office.home, run, "findings")
        mine = owner.filter(pl.col("fixmedins_code").is_in(settled))
        there = there.join(mine, on="finding_id", how="semi")
    count = _differing(pl.read_parquet(path), there)
    return Compared(*place, DIFFERENT if count else SAME_ROWS, count)


def _differing(made: pl.DataFrame, there: pl.DataFrame) -> int:
    """How many rows are only on one side; columns that an earlier version did not have are left out."""
    names = [name for name in made.columns if name in there.columns]
    sides = ((made, there), (there, made))
    return max(one.join(other, on=names, how="anti", nulls_equal=True).height for one, other in sides)


def _otherwise(stored: _Stored, ident: int) -> list[str]:
    """What this program has otherwise than it was when a run was made: the likely cause of a difference."""
    office = stored.office
    try:
        text = store.kept_path(office.home, stored.runs[ident], "run").read_text(encoding="utf-8")
        month = open_month(office, pinned=stored.runs[ident])
    except SettlementError:
        return []  # told where it was to be computed with
    then = json.loads(text)
    now = {rule.rule_id: rule.digest for rule in month.rules}
    rules = sorted(r for r in {*now, *then["rules"]} if now.get(r) != then["rules"].get(r))
    versions = {"python": platform.python_version(), "polars": pl.__version__, "duckdb": duckdb.__version__}
    others = [f"{n} {then['versions'][n]} → {v}" for n, v in versions.items() if then["versions"][n] != v]
    differing = {
        "rules": ", ".join(rules),
        "policy": _change(then["policy"], month.profile.digest),
        "code": _change(then["code"]["digest"], proof.code_digest()),
        "versions": ", ".join(others),
    }
    return [
        label(f"rebuild.{what}", office.lang).format(what=said) for what, said in differing.items() if said
    ]


def _change(then: str, now: str) -> str:
    return "" if then == now else f"{then[:12]} → {now[:12]}"


def as_text(rebuilt: Rebuilt, lang: str) -> list[str]:
    """Lay out the comparison, a line per table, then what this program has otherwise."""
    lines = [
        label("rebuild.table", lang).format(**vars(each), said=_said(each, lang)) for each in rebuilt.tables
    ]
    return lines + [
        label("rebuild.otherwise", lang).format(run=ident, words=words)
        for ident, every in sorted(rebuilt.otherwise.items())
        for words in every
    ]


def faults(rebuilt: Rebuilt, lang: str) -> list[str]:
    """Say which tables are not what is on record, each with the likely cause."""
    found = []
    for each in rebuilt.different:
        why = "; ".join(rebuilt.otherwise.get(each.run, [])) or label("rebuild.altered", lang)
        said = _said(each, lang)
        found.append(label("rebuild.fault", lang).format(**vars(each), said=said, why=why))
    return found


def _said(each: Compared, lang: str) -> str:
    said = label(f"rebuild.{each.result}", lang).format(rows=each.rows)
    return f"{said} {each.words}".rstrip()
