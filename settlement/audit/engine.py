"""The audit engine: opens a month for the rules, runs them, collects their hits.

A rule sees only views: `settlement`, `line`, `any_settlement`, `claimed`, `prior_reversal`,
`claim_month` and the reference tables. What a valid settlement and a net line are is decided here,
once, so that no rule can decide it otherwise.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import duckdb
import polars as pl

from schemas.layout import table
from schemas.submission import FeeListD, SetlD
from settlement.audit.rules_file import Rule
from settlement.errors import RuleError
from settlement.policy import Profile
from settlement.query import frame, hold

BUILT_IN = {
    "settlement", "line", "any_settlement", "claimed", "prior_reversal", "claim_month",
}  # fmt: skip
FAR = "DATE '9999-12-31'"
NETTED = (
    "cnt", "det_item_fee_sumamt", "fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt",
    "inscp_amt",
)  # fmt: skip
OF_SETTLEMENT = (
    "psn_no", "fixmedins_code", "insutype", "med_type", "clr_type", "gend", "brdy", "begndate",
    "enddate", "sd", "hifp_pay",
)  # fmt: skip
HIT_COLUMNS = ("setl_id", "bkkp_sn", "part", "whole", "related", "evidence")


@dataclass(frozen=True)
class Span:
    """Days over which a rule's parameters keep their values."""

    first: dt.date
    last: dt.date
    covers_month: bool


def open_month(
    con: duckdb.DuckDBPyConnection,
    settlements: str,
    lines: str,
    month: dt.date,
    reference: dict[str, pl.DataFrame],
    prior_reversals: pl.DataFrame | None = None,
) -> None:
    """Create what rules read, over relations of accepted rows.

    Args:
        con: connection that holds the relations.
        settlements: relation of accepted settlements, setl_d columns.
        lines: relation of their lines, fee_list_d columns.
        month: first day of the claim month.
        reference: reference tables that are loaded, by name.
        prior_reversals: reversals cleared in earlier months (setl_id, init_setl_id, clr_ym).
    """
    con.execute(
        "CREATE OR REPLACE TEMP TABLE claim_month AS "
        "SELECT CAST($1 AS DATE) AS first_day, last_day(CAST($1 AS DATE)) AS last_day",
        [month],
    )
    empty = {"setl_id": pl.String, "init_setl_id": pl.String, "clr_ym": pl.String}
    before = pl.DataFrame(schema=empty) if prior_reversals is None else prior_reversals
    _table(con, "prior_reversal", before)
    for name, rows in reference.items():
        _table(con, name, rows)
    _settlements(con, settlements)
    _lines(con, lines)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE fact_range AS SELECT least(s.low, CAST(l.low AS DATE)) AS low, "
        "greatest(s.high, CAST(l.high AS DATE)) AS high FROM "
        "(SELECT least(min(begndate), min(sd)) AS low, greatest(max(enddate), max(sd)) AS high "
        "FROM every_settlement) AS s CROSS JOIN "
        f"(SELECT min(fee_ocur_time) AS low, max(fee_ocur_time) AS high FROM {lines}) AS l"
    )


def _table(con: duckdb.DuckDBPyConnection, name: str, rows: pl.DataFrame) -> None:
    """Hold a frame as a table, an empty enddate meaning for ever."""
    end = f"* REPLACE (coalesce(enddate, {FAR}) AS enddate)" if "enddate" in rows.columns else "*"
    hold(con, name, rows, end)


def _settlements(con: duckdb.DuckDBPyConnection, settlements: str) -> None:
    names = ", ".join(c.name for c in table(SetlD).columns)
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW every_settlement AS "
        f"SELECT {names}, CAST(setl_time AS DATE) AS sd FROM {settlements}"
    )
    # A row with the flag and a positive amount reverses nothing: it is what rule A02 looks for.
    con.execute(
        "CREATE OR REPLACE TEMP TABLE reversed_here AS SELECT DISTINCT fixmedins_code, "
        "init_setl_id AS setl_id FROM every_settlement "
        "WHERE refd_setl_flag = '1' AND medfee_sumamt <= 0 AND init_setl_id IS NOT NULL"
    )
    con.execute(
        "CREATE OR REPLACE TEMP VIEW any_settlement AS SELECT s.* FROM every_settlement AS s "
        "ANTI JOIN reversed_here USING (fixmedins_code, setl_id) "
        "WHERE s.vali_flag = '1' AND s.refd_setl_flag <> '1'"
    )


def _lines(con: duckdb.DuckDBPyConnection, lines: str) -> None:
    """Net refund lines into the line they name; only settlements that have any are rewritten."""
    own = [c.name for c in table(FeeListD).columns]
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE with_refund AS SELECT DISTINCT setl_id FROM {lines} WHERE cnt <= 0"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE valid_settlement AS SELECT setl_id, "
        f"{', '.join(OF_SETTLEMENT)}, setl_id IN (SELECT setl_id FROM with_refund) AS has_refund "
        "FROM any_settlement"
    )
    sums = ", ".join(f"CAST(sum({c}) AS {_decimal(c)}) AS {c}" for c in NETTED)
    replaced = ", ".join(f"n.{c} AS {c}" for c in NETTED)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE refunded_line AS SELECT {', '.join('l.' + c for c in own)} "
        f"FROM {lines} AS l SEMI JOIN with_refund USING (setl_id)"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE netted_line AS WITH net AS ("
        "SELECT setl_id, CASE WHEN cnt < 0 THEN coalesce(init_feedetl_sn, bkkp_sn) "
        f"ELSE bkkp_sn END AS bkkp_sn, {sums} FROM refunded_line GROUP BY ALL) "
        f"SELECT m.* REPLACE ({replaced}) FROM refunded_line AS m JOIN net AS n USING (setl_id, bkkp_sn) "
        "WHERE n.cnt <> 0"
    )
    # One join above the union, so that a rule's own small table can be joined to the lines first.
    side = ", ".join(f"v.{c}" for c in OF_SETTLEMENT)
    mine = ", ".join(own)
    con.execute(
        "CREATE OR REPLACE TEMP VIEW any_line AS "
        f"SELECT {', '.join('l.' + c for c in own)}, CAST(l.fee_ocur_time AS DATE) AS d, {side} "
        f"FROM (SELECT {mine}, false AS netted FROM {lines} UNION ALL "
        f"SELECT {mine}, true AS netted FROM netted_line) AS l "
        "JOIN valid_settlement AS v ON l.setl_id = v.setl_id AND l.netted = v.has_refund"
    )


def _decimal(column: str) -> str:
    dtype = table(FeeListD).column(column).dtype
    return f"DECIMAL({dtype.precision},{dtype.scale})"


def missing_tables(rule: Rule, loaded: set[str]) -> tuple[str, ...]:
    """Return the tables a rule reads that are not loaded, in order of name."""
    return tuple(sorted(set(rule.reads) - BUILT_IN - loaded))


def hits(con: duckdb.DuckDBPyConnection, rule: Rule, profile: Profile) -> pl.DataFrame:
    """Run one rule over the opened month.

    The rule runs once for every span of days over which its parameters keep their values; a hit
    counts in the span its own date falls in. Facts before `effective_from` are not judged.

    Returns:
        One row per hit: setl_id, bkkp_sn (null = whole settlement), part, whole, related,
        evidence, grade; sorted by setl_id and bkkp_sn.

    Raises:
        RuleError: other columns than the contract's, or two hits on one line.
    """
    _scope(con, rule)
    found = [_run(con, rule, profile, span) for span in _spans(con, rule, profile)]
    rows = pl.concat(found).sort("setl_id", "bkkp_sn", nulls_last=False)
    twice = rows.filter(pl.struct("setl_id", "bkkp_sn").is_duplicated())
    if twice.height:
        raise RuleError(
            f"规则 {rule.rule_id} 对同一记录命中多次(结算 {twice['setl_id'][0]}),"
            "每条明细或结算至多一条:请在 SQL 中合并"
        )
    return rows


def _scope(con: duckdb.DuckDBPyConnection, rule: Rule) -> None:
    types = ", ".join(f"'{t}'" for t in rule.clr_types)
    for view, source in (
        ("settlement", "any_settlement"),
        ("claimed", "every_settlement"),
        ("line", "any_line"),
    ):
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW {view} AS SELECT * FROM {source} WHERE clr_type IN ({types})"
        )


def _spans(con: duckdb.DuckDBPyConnection, rule: Rule, profile: Profile) -> list[Span]:
    """Cut the rule's time into spans of constant parameters that the month's facts fall in."""
    low, high = con.execute("SELECT low, high FROM fact_range").fetchall()[0]
    if low is None:
        low = high = rule.effective_from
    last = rule.effective_to or dt.date.max
    starts = {rule.effective_from}
    for name in rule.parameters:
        values = profile.parameter(name).values
        starts |= {v.start for v in values if rule.effective_from < v.start <= last}
    firsts = sorted(starts)
    ends = [first - dt.timedelta(days=1) for first in firsts[1:]] + [last]
    spans = [
        Span(first, end, first <= low and end >= high)
        for first, end in zip(firsts, ends, strict=True)
        if first <= high and end >= low
    ]
    return spans or [Span(firsts[-1], ends[-1], False)]


def _run(con: duckdb.DuckDBPyConnection, rule: Rule, profile: Profile, span: Span) -> pl.DataFrame:
    values = {name: profile.value(name, span.first) for name in rule.parameters}
    names = [column[0] for column in con.execute(f"DESCRIBE {rule.sql}", values).fetchall()]
    if tuple(names[:6]) != HIT_COLUMNS or names[6:] not in ([], ["grade"]):
        raise RuleError(f"规则 {rule.rule_id} 的输出列应为 {HIT_COLUMNS}[, grade],实为 {names}")
    grade = f"coalesce(h.grade, '{rule.grade}')" if "grade" in names else f"'{rule.grade}'"
    query = (
        f"WITH h AS ({rule.sql}) SELECT h.setl_id, h.bkkp_sn, h.part::DECIMAL(18,4) AS part, "
        "h.whole::DECIMAL(18,4) AS whole, h.related::VARCHAR AS related, "
        f"h.evidence::VARCHAR AS evidence, {grade} AS grade FROM h {_within(rule, span)}"
    )
    return frame(con, query, values)


def _within(rule: Rule, span: Span) -> str:
    """Return the SQL that keeps hits whose date is in the span; nothing when all facts are."""
    if span.covers_month:
        return ""
    join = "JOIN every_settlement AS s ON s.setl_id = h.setl_id "
    if rule.dated_by == "fee_ocur_time":
        join += "LEFT JOIN any_line AS l ON l.setl_id = h.setl_id AND l.bkkp_sn = h.bkkp_sn "
    day = {
        "fee_ocur_time": "coalesce(l.d, s.sd)",
        "setl_time": "s.sd",
        "begndate": "s.begndate",
        "enddate": "s.enddate",
    }[rule.dated_by]
    end = min(span.last, dt.date(9999, 12, 30))
    return f"{join}WHERE {day} BETWEEN DATE '{span.first}' AND DATE '{end}'"
