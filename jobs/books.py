"""A month's books: what it rests on, where its rows lie, what it found and pays."""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import duckdb
import polars as pl

from schemas.layout import table
from schemas.submission import FeeListD, SetlD
from settlement import policy, store
from settlement.audit import rules_file
from settlement.errors import SettlementError
from settlement.query import hold, open_engine

MEMORY = "2500MB"


@dataclass
class Month:
    """One region's month while it is worked on.

    Attributes:
        home: the store.
        region: profile name.
        first: first day of the claim month.
        today: the only clock.
        submissions: current submissions, by institution.
        reference: reference tables by name.
    """

    home: store.Store
    region: str
    first: dt.date
    today: dt.date
    profile: policy.Profile
    submissions: list[dict[str, Any]]
    reference: dict[str, pl.DataFrame]
    rules: tuple[rules_file.Rule, ...] = field(default_factory=rules_file.load_all)

    @property
    def last(self) -> dt.date:
        """Last day of the claim month."""
        return self.first.replace(day=calendar.monthrange(self.first.year, self.first.month)[1])

    @property
    def accepted(self) -> list[dict[str, Any]]:
        """Current submissions that were accepted."""
        return [s for s in self.submissions if s["status"] == store.ACCEPTED]


def open_month(home: store.Store, region: str, first: dt.date, today: dt.date) -> Month:
    """Gather what a month rests on.

    Raises:
        SettlementError: nothing was taken in for the month.
    """
    rows = store.submissions(home, region, first)
    current = sorted((r for r in rows if r["current"]), key=lambda r: (r["fixmedins_code"], r["name"]))
    if not current:
        raise SettlementError(f"{region} {first:%Y-%m} 还没有收到申报。请先运行 intake。")
    profile = policy.load(region)
    return Month(home, region, first, today, profile, current, store.read_reference(home, region))


def connect(month: Month) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB connection whose `accepted_setl` and `accepted_line` are the month's rows."""
    con = open_engine(MEMORY, month.home.home / "work" / "spill")
    con.execute(f"CREATE TEMP VIEW raw_setl AS {_settlement_sql(month)}")
    shared = "SELECT setl_id FROM raw_setl GROUP BY setl_id HAVING count(DISTINCT fixmedins_code) > 1"
    con.execute(f"CREATE TEMP TABLE shared_id AS {shared}")
    con.execute(
        f"CREATE TEMP VIEW accepted_setl AS SELECT {_own(con, SetlD, 'fixmedins_code')} FROM raw_setl"
    )
    con.execute(f"CREATE TEMP VIEW accepted_line AS {_line_sql(con, month)}")
    return con


def _own(con: duckdb.DuckDBPyConnection, model: type, owner: str) -> str:
    """Columns of a table; a settlement id that two institutions use gets its owner added.

    Ids come from the platform and are unique; where two institutions declare the same one, neither may
    touch the other's settlement, so from here on they are told apart.
    """
    names = list(table(model).schema)
    if con.execute("SELECT count(*) FROM shared_id").fetchall()[0][0] == 0:
        return ", ".join(names)
    told_apart = (
        "CASE WHEN {c} IN (SELECT setl_id FROM shared_id) THEN {c} || '@' || "
        + owner
        + " ELSE {c} END AS {c}"
    )
    return ", ".join(told_apart.format(c=n) if n in ("setl_id", "init_setl_id") else n for n in names)


def _settlement_sql(month: Month) -> str:
    paths = store.stored_files(month.home, {s["intake"] for s in month.accepted}, "accepted")
    parts = [
        f"SELECT * EXCLUDE (sub) FROM read_parquet({[str(p) for p in found]}) "
        f"WHERE sub IN ({_subs(month, intake)})"
        for intake, found in sorted(paths.items())
    ]
    if not parts:
        con = ", ".join(f"NULL::{_sql_type(t)} AS {n}" for n, t in table(SetlD).schema.items())
        return f"SELECT {con} WHERE false"
    return " UNION ALL ".join(parts)


def _subs(month: Month, intake: str) -> str:
    return ", ".join(str(s["sub"]) for s in month.accepted if s["intake"] == intake)


def _sql_type(dtype: Any) -> str:  # noqa: ANN401 - a polars type
    if isinstance(dtype, pl.Decimal):
        return f"DECIMAL({dtype.precision},{dtype.scale})"
    return {pl.Date: "DATE", pl.Datetime: "TIMESTAMP"}.get(dtype.base_type(), "VARCHAR")


def _line_sql(con: duckdb.DuckDBPyConnection, month: Month) -> str:
    """Lines of the accepted submissions; a part that also holds other submissions is filtered."""
    paths = store.stored_files(month.home, {s["intake"] for s in month.accepted}, "fee_list_d")
    shared = con.execute("SELECT count(*) FROM shared_id").fetchall()[0][0] > 0
    rows = [(src, s["fixmedins_code"]) for s in month.accepted for src in s["facts"]["src"]]
    schema = {"src": pl.String, "owner": pl.String}
    hold(con, "line_owner", pl.DataFrame(rows, schema=schema, orient="row"))
    parts = []
    for intake, found in sorted(paths.items()):
        reader = f"read_parquet({[str(p) for p in found]}, union_by_name=true)"
        accepted_here = sum(1 for s in month.accepted if s["intake"] == intake)
        mixed = accepted_here < _intake_size(month, intake)
        if shared:
            owned = _own(con, FeeListD, "o.owner")
            parts.append(f"SELECT {owned} FROM {reader} JOIN line_owner AS o USING (src)")
        elif mixed:
            parts.append(
                f"SELECT {', '.join(table(FeeListD).schema)} FROM {reader} SEMI JOIN line_owner USING (src)"
            )
        else:
            parts.append(f"SELECT {', '.join(table(FeeListD).schema)} FROM {reader}")
    if not parts:
        empty = ", ".join(f"NULL::{_sql_type(t)} AS {n}" for n, t in table(FeeListD).schema.items())
        return f"SELECT {empty} WHERE false"
    return " UNION ALL ".join(parts)


def _intake_size(month: Month, intake: str) -> int:
    rows = store.submissions(month.home, month.region, month.first)
    return sum(1 for r in rows if r["intake"] == intake)  # refused and replaced ones too


def prior_reversals(month: Month) -> pl.DataFrame:
    """Reversals that earlier months of this home cleared."""
    schema = pl.Schema({"setl_id": pl.String, "init_setl_id": pl.String, "clr_ym": pl.String})
    found = [pl.DataFrame(schema=schema)]
    for earlier in store.earlier_months(month.home, month.region, month.first):
        rows = store.read_table(month.home, month.region, earlier, "settlements")
        reversals = rows.filter((pl.col("refd_setl_flag") == "1") & pl.col("init_setl_id").is_not_null())
        found.append(reversals.select("setl_id", "init_setl_id", pl.lit(f"{earlier:%Y%m}").alias("clr_ym")))
    return pl.concat(found)


def balances(month: Month) -> pl.DataFrame:
    """What earlier months left to claw back: the carry of the last month that was calculated."""
    money = pl.Decimal(16, 2)
    schema = pl.Schema({"fixmedins_code": pl.String(), "fund_pay_type": pl.String(), "clawback_amt": money})
    for earlier in reversed(store.earlier_months(month.home, month.region, month.first)):
        if "payment" in store.read_run(month.home, month.region, earlier)["outputs"]:
            rows = store.read_table(month.home, month.region, earlier, "payment")
            carried = rows.filter(pl.col("carry_amt") > 0)
            return carried.select(
                "fixmedins_code", "fund_pay_type", pl.col("carry_amt").alias("clawback_amt")
            )
    return pl.DataFrame(schema=schema)


@dataclass(frozen=True)
class Audited:
    """What the audit of a month found."""

    findings: pl.DataFrame
    finding_funds: pl.DataFrame
    not_run: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Calculated:
    """What a month pays."""

    clearing: pl.DataFrame
    clearing_fund: pl.DataFrame
    payment: pl.DataFrame
