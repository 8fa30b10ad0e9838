"""A month's books: what it rests on, where its rows lie, what it found and pays."""

from __future__ import annotations

import calendar
import datetime as dt
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import duckdb
import polars as pl

from jobs.office import Office
from schemas.layout import table
from schemas.submission import ClrSum, FeeListD, SetlD, SetlListDiagD, SetlListOprnD
from settlement import policy, store, workdays
from settlement.audit import rules_file
from settlement.audit.engine import MonthRows, PastMonth
from settlement.errors import SettlementError
from settlement.query import hold, open_engine, sql_type

MEMORY = "3400MB"


@dataclass
class Month:
    """One region's month with everything it rests on.

    Attributes:
        office: the store, region, month, day, and who works on it.
        submissions: current submissions, by institution.
        reference: reference tables by name.
        reference_paths: where in the store they lie; the file's name is its digest.
        past: what was accepted in earlier months when a run was made (`past_inputs`); None means what is
            accepted now.
    """

    office: Office
    profile: policy.Profile
    submissions: list[dict[str, Any]]
    reference: dict[str, pl.DataFrame]
    reference_paths: dict[str, str]
    rules: tuple[rules_file.Rule, ...] = field(default_factory=rules_file.load_all)
    past: dict[str, dict[str, str]] | None = None

    @property
    def home(self) -> store.Store:
        """The store."""
        return self.office.home

    @property
    def region(self) -> str:
        """Profile name."""
        return self.office.region

    @property
    def first(self) -> dt.date:
        """First day of the claim month."""
        return self.office.first

    @property
    def last(self) -> dt.date:
        """Last day of the claim month."""
        return self.first.replace(day=calendar.monthrange(self.first.year, self.first.month)[1])

    @property
    def accepted(self) -> list[dict[str, Any]]:
        """Current submissions that were accepted."""
        return [s for s in self.submissions if s["status"] == store.ACCEPTED]

    def institutions(self) -> pl.DataFrame:
        """The institutions in force in the month; one row each, the one that began last."""
        rows = self.reference["institution"]
        late = pl.col("enddate").is_null() | (pl.col("enddate") >= self.first)
        held = rows.filter((pl.col("begndate") <= self.last) & late)
        return held.sort("fixmedins_code", "begndate").unique(
            "fixmedins_code", keep="last", maintain_order=True
        )

    def names(self) -> dict[str, str]:
        """Names of institutions by code."""
        return dict(self.institutions().select("fixmedins_code", "fixmedins_name").iter_rows())

    def deadline(self, code: str, days: workdays.Calendar) -> dt.date:
        """The day by which an institution must be paid, counted from its declaration."""
        declared = next(s["received_on"] for s in self.accepted if s["fixmedins_code"] == code)
        return days.deadline(self.profile.deadline, declared, self.first).on


def open_month(office: Office, pinned: dict[str, Any] | None = None) -> Month:
    """Gather what a month rests on.

    Args:
        office: whose month.
        pinned: a run whose reference tables are used instead of the newest.

    Raises:
        SettlementError: nothing was taken in for the month.
    """
    rows = store.submissions(office.home, office.region, office.first)
    current = sorted((r for r in rows if r["current"]), key=lambda r: (r["fixmedins_code"], r["name"]))
    if not current:
        raise SettlementError(f"{office.region} {office.first:%Y-%m} 还没有收到申报。请先运行 intake。")
    profile = policy.load(office.region)
    paths = (pinned or {"basis": {}})["basis"].get("reference") or {
        name: row["path"] for name, row in store.reference_versions(office.home, office.region).items()
    }
    tables = store.read_reference(office.home, office.region, paths)
    return Month(office, profile, current, tables, paths)


def connect(month: Month) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB connection whose `accepted_setl` and `accepted_line` are the month's rows."""
    con = open_engine(MEMORY, month.home.home / "work" / "spill")
    _open_rows(con, month, "accepted")
    return con


def month_rows(con: duckdb.DuckDBPyConnection, month: Month) -> MonthRows:
    """Name the relations of a connected month and of the stored months before it, for the rules."""
    earlier = []
    for first, current in _before(month):
        before = replace(month.office, first=first)
        name = f"past_{first:%Y%m}"
        _open_rows(con, Month(before, month.profile, current, {}, {}, month.rules), name)
        earlier.append(PastMonth(first, f"{name}_setl", f"{name}_line"))
    shared = con.execute("SELECT count(*) FROM accepted_shared").fetchall()[0][0] > 0
    for model in (SetlListDiagD, SetlListOprnD, ClrSum):
        rows = _rows_sql(con, month, model, "accepted", shared)
        con.execute(f"CREATE OR REPLACE VIEW accepted_{table(model).name} AS {rows}")
    return MonthRows(
        month.first,
        "accepted_setl",
        "accepted_line",
        "accepted_setl_list_diag_d",
        "accepted_setl_list_oprn_d",
        "accepted_clr_sum",
        tuple(earlier),
    )


def _open_rows(con: duckdb.DuckDBPyConnection, month: Month, name: str) -> None:
    """Create `<name>_setl` and `<name>_line` of a month's accepted submissions."""
    con.execute(f"CREATE VIEW {name}_raw AS {_settlement_sql(month)}")
    same_id = (
        f"SELECT setl_id FROM {name}_raw GROUP BY setl_id HAVING min(fixmedins_code) <> max(fixmedins_code)"
    )
    con.execute(f"CREATE TABLE {name}_shared AS {same_id}")
    shared = con.execute(f"SELECT count(*) FROM {name}_shared").fetchall()[0][0] > 0
    settlements = _own(SetlD, "fixmedins_code", f"{name}_shared" if shared else "")
    con.execute(f"CREATE VIEW {name}_setl AS SELECT {settlements} FROM {name}_raw")
    lines = _rows_sql(con, month, FeeListD, name, shared)
    con.execute(f"CREATE VIEW {name}_line AS {lines}")


def _own(model: type, owner: str, shared: str) -> str:
    """Columns of a table; a settlement id that two institutions use gets its owner added.

    Ids come from the platform and are unique; where two institutions declare the same one, neither may
    touch the other's settlement, so from here on they are told apart.
    """
    names = list(table(model).schema)
    if not shared:
        return ", ".join(names)
    is_shared = f"{{c}} IN (SELECT setl_id FROM {shared})"
    told_apart = f"CASE WHEN {is_shared} THEN {{c}} || '@' || {owner} ELSE {{c}} END AS {{c}}"
    return ", ".join(told_apart.format(c=n) if n in ("setl_id", "init_setl_id") else n for n in names)


def _settlement_sql(month: Month) -> str:
    paths = store.stored_files(month.home, {s["intake"] for s in month.accepted}, "accepted")
    parts = [
        f"SELECT * EXCLUDE (sub) FROM read_parquet({[str(p) for p in found]}) "
        f"WHERE sub IN ({_subs(month, intake)})"
        for intake, found in sorted(paths.items())
    ]
    if not parts:
        con = ", ".join(f"NULL::{sql_type(t)} AS {n}" for n, t in table(SetlD).schema.items())
        return f"SELECT {con} WHERE false"
    return " UNION ALL ".join(parts)


def _subs(month: Month, intake: str) -> str:
    return ", ".join(str(s["sub"]) for s in month.accepted if s["intake"] == intake)


def _rows_sql(
    con: duckdb.DuckDBPyConnection, month: Month, model: type, name: str, shared: bool
) -> str:  # fmt: skip
    """Rows of a table of the accepted submissions; a part that also holds other submissions is filtered."""
    about = table(model)
    paths = store.stored_files(month.home, {s["intake"] for s in month.accepted}, about.name)
    rows = [(s["intake"], src, s["fixmedins_code"]) for s in month.accepted for src in s["facts"]["src"]]
    schema = {"intake": pl.String, "src": pl.String, "owner": pl.String}
    hold(con, f"{name}_owner", pl.DataFrame(rows, schema=schema, orient="row"))
    parts = []
    sizes = _intake_sizes(month)
    for intake, found in sorted(paths.items()):
        reader = f"read_parquet({[str(p) for p in found]}, union_by_name=true)"
        accepted_here = sum(1 for s in month.accepted if s["intake"] == intake)
        # The same bytes may have been refused in one intake and accepted in another.
        owners = f"(SELECT src, owner FROM {name}_owner WHERE intake = '{intake}')"
        if shared:
            owned = _own(model, "o.owner", f"{name}_shared")
            parts.append(f"SELECT {owned} FROM {reader} JOIN {owners} AS o USING (src)")
        elif accepted_here < sizes[intake]:
            parts.append(f"SELECT {', '.join(about.schema)} FROM {reader} SEMI JOIN {owners} USING (src)")
        else:
            parts.append(f"SELECT {', '.join(about.schema)} FROM {reader}")
    if not parts:
        empty = ", ".join(f"NULL::{sql_type(t)} AS {n}" for n, t in about.schema.items())
        return f"SELECT {empty} WHERE false"
    return " UNION ALL ".join(parts)


def _intake_sizes(month: Month) -> Counter[str]:
    """How many submissions each intake of the month held, refused and replaced ones too."""
    return Counter(row["intake"] for row in store.submissions(month.home, month.region, month.first))


def past_inputs(month: Month) -> dict[str, dict[str, str]]:
    """What was accepted in the earlier months that rules may look back to: digests of content."""
    return {
        f"{first:%Y-%m}": {r["fixmedins_code"]: r["content"] for r in rows if r["status"] == store.ACCEPTED}
        for first, rows in _before(month)
    }


def _before(month: Month) -> list[tuple[dt.date, list[dict[str, Any]]]]:
    """The months before, each with its submissions: the current ones, or those that were on record."""
    home, region = month.home, month.region
    if month.past is None:
        return [
            (first, [r for r in store.submissions(home, region, first) if r["current"]])
            for first in store.earlier_months(home, region, month.first)
        ]
    return [
        (first, recorded(store.submissions(home, region, first), inputs, store.ACCEPTED))
        for name, inputs in sorted(month.past.items())
        for first in [dt.date.fromisoformat(f"{name}-01")]
    ]


def recorded(
    rows: list[dict[str, Any]], inputs: dict[str, str], status: str = "", day: dt.date | None = None
) -> list[dict[str, Any]]:
    """Return the submissions a run rested on: of each institution the last one with that content.

    Args:
        rows: every submission of the month, oldest first.
        inputs: content digest by institution, as the run recorded them.
        status: only such ones, empty for any.
        day: only those received by that day.
    """
    chosen = {
        row["fixmedins_code"]: row
        for row in rows
        if inputs.get(row["fixmedins_code"]) == row["content"]
        and status in ("", row["status"])
        and (day is None or row["received_on"] <= day)
    }
    return [chosen[code] for code in sorted(chosen)]


@dataclass(frozen=True)
class Audited:
    """What the audit of a month found: findings, their money by fund, and rules that did not run."""

    findings: pl.DataFrame
    risk_funds: pl.DataFrame
    not_run: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Calculated:
    """What a month pays: institutions that were settled, their clearing and payment, opening balances."""

    codes: list[str]
    clearing: pl.DataFrame
    clearing_fund: pl.DataFrame
    payment: pl.DataFrame
    opening: pl.DataFrame = field(default_factory=pl.DataFrame)
