"""Acceptance of submissions: every fault listed once, whole submissions refused or settlements returned."""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal

import duckdb
import polars as pl

from schemas.layout import table
from schemas.submission import SUBMISSION
from settlement.acceptance import checks
from settlement.policy import Profile
from settlement.query import frame, hold

FAULTS = (
    "sub", "tab", "src", "rn", "setl_id", "bkkp_sn", "col", "val", "reason", "detail", "expected",
)  # fmt: skip
TABLES = {table(model).name: table(model) for model in SUBMISSION}
MANDATORY = [name for name, about in TABLES.items() if not about.optional]
PHARMACY_TYPE = "2"
# Reasons why a table, or with S01 and S02 a whole submission, was not read in full. What would only
# follow from that is no further fault.
UNREAD = ("S01", "S02", "S09", "S10", "S11", "S12", "S13", "S14", "S18", "S19", "S20")

# Reasons that rest on a reference table: once it is corrected, the very same bytes may be right.
RESTS_ON = {"S06": "institution", "S07": "agreement", "S08": "institution", "R05": "dict"}

KNOWN_UNREAD_SQL = "SELECT sub FROM unread WHERE tab = $1"
UNCOMPARED_SQL = "SELECT DISTINCT sub FROM unread WHERE tab IN ('clr_sum', 'setl_d')"


@dataclass(frozen=True)
class Claimant:
    """Whose submission it is, as its name says, and which tables it tried to send."""

    sub: int
    code: str
    clr_ym: str
    tables: frozenset[str]


@dataclass
class Verdict:
    """What acceptance found.

    Attributes:
        faults: one row per fault (FAULTS), those of whole submissions without a row.
        refused: submissions refused as a whole.
        notes: remarks that refuse nothing, by submission.
        counts: per submission: rows and 元 in, accepted and returned.
    """

    faults: pl.DataFrame
    refused: set[int] = field(default_factory=set)
    notes: dict[int, list[str]] = field(default_factory=dict)
    counts: pl.DataFrame = field(default_factory=pl.DataFrame)


def judge(
    con: duckdb.DuckDBPyConnection,
    claimants: list[Claimant],
    known_faults: pl.DataFrame,
    reference: dict[str, pl.DataFrame],
    profile: Profile,
    month: dt.date,
) -> Verdict:
    """Judge the submissions of one intake.

    Args:
        con: connection with a view `st_<table>` per submission table (sub, src, rn, columns, and
            faulty: a cell of the row is at fault).
        claimants: the submissions, by number.
        known_faults: faults already found (cells, files), columns FAULTS.
        reference: institution and agreement tables.
        profile: gives faulty_share_max and whether pharmacies are settled.
        month: first day of the claim month.

    Creates:
        accepted_key: sub, setl_id of accepted settlements.

    Returns:
        The verdict; `counts` covers every submission given.
    """
    con.execute(checks.LINE_TOTAL_SQL)
    _mark_unread(con, known_faults)
    whole = _submission_faults(con, claimants, reference, profile, month)
    _mark_unread(con, pl.concat([known_faults, whole]))
    totals, notes = _totals(con, known_faults)
    faults = pl.concat([known_faults, *_row_faults(con), whole, totals], how="vertical_relaxed")
    at_fault = faults.filter(pl.col("reason").str.starts_with("R") & pl.col("setl_id").is_not_null())
    hold(con, "faulty_key", at_fault.select("sub", "setl_id").unique())
    share = _faulty_share(con, profile, month)
    faults = pl.concat([faults, share], how="vertical_relaxed")
    refused = set(faults.filter(pl.col("reason").str.starts_with("S"))["sub"].to_list())
    con.execute(
        "CREATE OR REPLACE TEMP TABLE accepted_key AS SELECT sub, setl_id FROM st_setl_d "
        "ANTI JOIN faulty_key USING (sub, setl_id) "
        f"WHERE NOT faulty AND sub NOT IN (SELECT unnest({sorted(refused)}::INTEGER[]))"
    )
    return Verdict(faults, refused, notes, _counts(con, refused))


def _row_faults(con: duckdb.DuckDBPyConnection) -> list[pl.DataFrame]:
    """Faults between rows and tables: duplicates, orphans, identities, refund lines."""
    con.execute(checks.LINE_SUM_SQL)
    con.execute(checks.BROKEN_SQL)
    con.execute(checks.UNUSUAL_SQL)
    con.execute(checks.ORIGINAL_SQL)
    queries = [checks.duplicate_sql(n, TABLES[n].key) for n in TABLES if n != "clr_sum"]
    queries.append(checks.NO_LINES_SQL)
    queries.append(checks.orphan_sql("fee_list_d", "R07"))
    queries += [checks.orphan_sql(n, "R22") for n in ("setl_list_diag_d", "setl_list_oprn_d")]
    queries += [checks.IDENTITY_SQL, checks.NEGATIVE_SQL, *checks.UNUSUAL_CHECKS]
    return [frame(con, q).select(FAULTS).cast(_fault_types()) for q in queries]


def _mark_unread(con: duckdb.DuckDBPyConnection, faults: pl.DataFrame) -> None:
    """Note which tables of which submissions are not known in full, as table `unread`."""
    lost = faults.filter(pl.col("reason").is_in(UNREAD)).select("sub", "tab")
    everything = pl.DataFrame({"tab": list(TABLES)})
    packed = lost.filter(pl.col("tab").is_null()).select("sub").join(everything, how="cross")
    hold(con, "unread", pl.concat([lost.drop_nulls(), packed]).unique())


def _fault_types() -> pl.Schema:
    return pl.Schema({**dict.fromkeys(FAULTS, pl.String), "sub": pl.Int32, "rn": pl.Int64})


def fault_rows(rows: list[tuple[int, str | None, str, str, str]]) -> pl.DataFrame:
    """Build fault rows of whole submissions from (sub, table, reason, detail, expected)."""
    full = [(sub, tab, None, None, None, None, None, None, r, d, e) for sub, tab, r, d, e in rows]
    return pl.DataFrame(full, schema=_fault_types(), orient="row")


def _submission_faults(
    con: duckdb.DuckDBPyConnection,
    claimants: list[Claimant],
    reference: dict[str, pl.DataFrame],
    profile: Profile,
    month: dt.date,
) -> pl.DataFrame:
    rows: list[tuple[int, str | None, str, str, str]] = []
    clr_ym = f"{month:%Y%m}"
    for who in claimants:
        if who.clr_ym != clr_ym:
            rows.append((who.sub, None, "S04", who.clr_ym, clr_ym))
        rows += [(who.sub, n, "S09", f"{n} {TABLES[n].zh}", "") for n in MANDATORY if n not in who.tables]
        rows += [(who.sub, None, *r) for r in _standing(who.code, reference, profile, month)]
    rows += _blank_tables(con, claimants)
    named = pl.DataFrame({"sub": [c.sub for c in claimants], "code": [c.code for c in claimants]})
    hold(con, "claimant", named.cast({"sub": pl.Int32, "code": pl.String}))
    strange = (
        "SELECT sub, '{t}', string_agg(DISTINCT fixmedins_code, '、' ORDER BY fixmedins_code), "
        "any_value(code) FROM st_{t} JOIN claimant USING (sub) WHERE fixmedins_code <> code GROUP BY sub"
    )
    for name in ("clr_sum", "setl_d"):
        for sub, tab, codes, code in con.execute(strange.format(t=name)).fetchall():
            rows.append((sub, tab, "S05", codes[:60], code))
    wrong = "SELECT DISTINCT sub, clr_ym FROM st_clr_sum WHERE clr_ym <> $1 ORDER BY ALL"
    for sub, other in con.execute(wrong, [clr_ym]).fetchall():
        rows.append((sub, "clr_sum", "S04", other, clr_ym))
    return fault_rows(rows)


def _blank_tables(
    con: duckdb.DuckDBPyConnection, claimants: list[Claimant]
) -> list[tuple[int, str | None, str, str, str]]:
    """Tables that were read and hold nothing but blank rows."""
    rows: list[tuple[int, str | None, str, str, str]] = []
    for name in MANDATORY:
        held = "line_total" if name == "fee_list_d" else f"st_{name}"
        filled = {sub for (sub,) in con.execute(f"SELECT DISTINCT sub FROM {held}").fetchall()}
        filled |= {sub for (sub,) in con.execute(KNOWN_UNREAD_SQL, [name]).fetchall()}
        blank = [who.sub for who in claimants if name in who.tables and who.sub not in filled]
        rows += [(sub, name, "S14", f"{name} {TABLES[name].zh}", "") for sub in blank]
    return rows


def _standing(
    code: str, reference: dict[str, pl.DataFrame], profile: Profile, month: dt.date
) -> list[tuple[str, str, str]]:
    """Return why an institution may not claim in the month at all: not listed, no agreement."""
    last = month.replace(day=calendar.monthrange(month.year, month.month)[1])
    in_month = (pl.col("begndate") <= last) & (pl.col("enddate").is_null() | (pl.col("enddate") >= month))
    mine = (pl.col("fixmedins_code") == code) & in_month
    listed = reference["institution"].filter(mine)
    if listed.is_empty():
        return [("S06", "", "")]
    if PHARMACY_TYPE in listed["fixmedins_type"].to_list() and not profile.pharmacy_settled:
        return [("S08", "", "")]
    agreed = reference["agreement"].filter(mine & (pl.col("cntr_stas") == "1"))
    return [("S07", "", "")] if agreed.is_empty() else []


def _totals(
    con: duckdb.DuckDBPyConnection, known_faults: pl.DataFrame
) -> tuple[pl.DataFrame, dict[int, list[str]]]:
    """Compare the declared totals.

    A value of the summary itself that cannot be read refuses the submission: nothing vouches for it.
    What an unreadable cell of a settlement makes incomparable becomes a note.
    """
    summary, settlement = (known_faults.filter(pl.col("tab") == tab) for tab in ("clr_sum", "setl_d"))
    cells = pl.col("reason").str.starts_with("R")
    group = pl.col("col").is_in(["insutype", "clr_type"]) | (pl.col("reason") == "R09")
    doubtful = set(summary.filter(cells)["sub"].to_list())
    skipped = set(summary.filter(group)["sub"].to_list())
    skipped |= {sub for (sub,) in con.execute(UNCOMPARED_SQL).fetchall()}
    stray = set(settlement.filter(group)["sub"].to_list())
    rows: list[tuple[int, str | None, str, str, str]] = []
    rows += [(sub, "clr_sum", "S15", "汇总表有不合规的值,无法核对", "") for sub in sorted(doubtful)]
    notes: dict[int, list[str]] = {}
    for sub, insutype, clr_type, measure, declared, found, unreadable in con.execute(
        f"{checks.TOTALS_SQL} ORDER BY ALL"
    ).fetchall():
        if sub in skipped:
            continue
        text = f"险种 {insutype} 清算类别 {clr_type} {measure} 汇总 {declared} 明细 {found}"
        if unreadable or sub in stray:
            notes.setdefault(sub, []).append(f"有无法读取的值,未能核对:{text}")
        else:
            rows.append((sub, "clr_sum", "S15", text, ""))
    return fault_rows(rows), notes


def _faulty_share(con: duckdb.DuckDBPyConnection, profile: Profile, month: dt.date) -> pl.DataFrame:
    """Refuse a submission with more faulty settlements than the policy allows."""
    highest = profile.ratio("faulty_share_max", month)
    rows: list[tuple[int, str | None, str, str, str]] = []
    for sub, faulty, total in con.execute(
        "SELECT s.sub, count(*) FILTER (WHERE s.faulty OR k.setl_id IS NOT NULL), count(*) "
        "FROM st_setl_d AS s LEFT JOIN faulty_key AS k ON k.sub = s.sub AND k.setl_id = s.setl_id "
        "GROUP BY s.sub ORDER BY s.sub"
    ).fetchall():
        if Decimal(faulty) > highest * total:
            rows.append((sub, "setl_d", "S16", f"{faulty}/{total}", f"{highest:.0%}"))
    return fault_rows(rows)


RETURNED = "(k.setl_id IS NOT NULL OR {faulty} OR {sub} IN (SELECT unnest({refused}::INTEGER[])))"
COUNTS_SQL = """
WITH setl AS (
    SELECT s.sub, count(*) AS setl_in, count(a.setl_id) AS setl_accepted,
        count(*) FILTER (WHERE {setl_returned}) AS setl_returned,
        coalesce(sum(s.medfee_sumamt), 0)::DECIMAL(18,2) AS medfee_in,
        coalesce(sum(s.medfee_sumamt) FILTER (WHERE a.setl_id IS NOT NULL), 0)::DECIMAL(18,2)
            AS medfee_accepted,
        coalesce(sum(s.fund_pay_sumamt), 0)::DECIMAL(18,2) AS fund_in,
        coalesce(sum(s.fund_pay_sumamt) FILTER (WHERE a.setl_id IS NOT NULL), 0)::DECIMAL(18,2)
            AS fund_accepted
    FROM st_setl_d AS s
    LEFT JOIN accepted_key AS a ON a.sub = s.sub AND a.setl_id = s.setl_id AND NOT s.faulty
    LEFT JOIN faulty_key AS k ON k.sub = s.sub AND k.setl_id = s.setl_id
    GROUP BY s.sub
),
line AS (
    SELECT t.sub, sum(t.n)::BIGINT AS line_in,
        coalesce(sum(t.n) FILTER (WHERE a.setl_id IS NOT NULL), 0)::BIGINT AS line_accepted,
        coalesce(sum(t.n) FILTER (WHERE {line_returned}), 0)::BIGINT AS line_returned
    FROM line_total AS t
    LEFT JOIN accepted_key AS a ON a.sub = t.sub AND a.setl_id = t.setl_id
    LEFT JOIN faulty_key AS k ON k.sub = t.sub AND k.setl_id = t.setl_id
    GROUP BY t.sub
)
SELECT coalesce(setl.sub, line.sub) AS sub, setl.* EXCLUDE (sub), line.* EXCLUDE (sub)
FROM setl FULL JOIN line ON setl.sub = line.sub
ORDER BY 1
"""


def _counts(con: duckdb.DuckDBPyConnection, refused: set[int]) -> pl.DataFrame:
    """Rows and 元 in, accepted and returned, per submission; returned is counted from the faults."""
    listed = sorted(refused)
    query = COUNTS_SQL.format(
        setl_returned=RETURNED.format(faulty="s.faulty", sub="s.sub", refused=listed),
        line_returned=RETURNED.format(faulty="t.setl_id IS NULL", sub="t.sub", refused=listed),
    )
    return frame(con, query).fill_null(0)
