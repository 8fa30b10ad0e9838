"""The audit engine: runs rules over an opened month and collects their hits.

`opening` makes what rules read, `past` what they read of earlier months; here a rule runs once for every
span of days over which its parameters and its switches in the region stay the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import duckdb
import polars as pl

from settlement.audit import opening, past
from settlement.audit.opening import BUILT_IN, MonthRows
from settlement.audit.past import PastMonth
from settlement.audit.rules_file import RETIRED, SUSPICION, Rule
from settlement.errors import RuleError
from settlement.policy import Profile, Switch
from settlement.query import frame

__all__ = [
    "BUILT_IN", "HIT_COLUMNS", "HIT_SCHEMA", "MonthRows", "PastMonth", "hits", "missing_tables", "open_month",
]  # fmt: skip
HIT_COLUMNS = ("setl_id", "bkkp_sn", "part", "whole", "related", "evidence")
MAY_GIVE = ("grade", "funds")
HIT_SCHEMA = pl.Schema(
    {
        "setl_id": pl.String(),
        "bkkp_sn": pl.String(),
        "part": pl.Decimal(18, 4),
        "whole": pl.Decimal(18, 4),
        "related": pl.String(),
        "evidence": pl.String(),
        "grade": pl.String(),
        "funds": pl.String(),
        "status": pl.String(),
        "parameters": pl.String(),
    }
)
MISSING_AS = {opening.OPERATIONS: "setl_list_oprn_d"}


@dataclass(frozen=True)
class Span:
    """Days over which a rule's parameters and switches keep their values."""

    first: dt.date
    last: dt.date
    covers_month: bool


def open_month(
    con: duckdb.DuckDBPyConnection,
    rows: MonthRows,
    reference: dict[str, pl.DataFrame],
    rules: Iterable[Rule] = (),
) -> set[str]:
    """Create what rules read: the month, and of earlier months what the rules that can run ask for.

    Args:
        con: connection that holds the relations.
        rows: the month's relations.
        reference: reference tables that are loaded, by name.
        rules: the rules that are going to run.

    Returns:
        Names of the tables that are loaded, for `missing_tables`.
    """
    running = tuple(rules)
    loaded = opening.open_views(con, rows, reference, running)
    able = [rule for rule in running if not missing_tables(rule, loaded)]
    past.open_past(con, rows.earlier, rows.first, able)
    opening.open_generic(con)
    return loaded


def missing_tables(rule: Rule, loaded: set[str]) -> tuple[str, ...]:
    """Return the tables a rule reads that are not loaded, in order of name."""
    lacking = set(rule.reads) - BUILT_IN - loaded
    return tuple(sorted(MISSING_AS.get(name, name) for name in lacking))


def hits(con: duckdb.DuckDBPyConnection, rule: Rule, profile: Profile) -> pl.DataFrame | None:
    """Run one rule over the opened month.

    The rule runs once for every span of days over which its parameters, status and grade keep their
    values; a hit counts in the span its own date falls in. Facts before `effective_from` are not judged.

    Returns:
        One row per hit, `HIT_SCHEMA`; sorted by setl_id and bkkp_sn. None when the region has retired the
        rule for all of the month.

    Raises:
        RuleError: other columns than the contract's, or two hits on one line.
    """
    opening.scope(con, rule)
    past.open_rule(con, rule)
    found = [_run(con, rule, profile, span) for span in _spans(con, rule, profile)]
    ran = [rows for rows in found if rows is not None]
    if not ran:
        return None
    rows = pl.concat(ran).sort("setl_id", "bkkp_sn", nulls_last=False)
    twice = rows.filter(pl.struct("setl_id", "bkkp_sn").is_duplicated())
    if twice.height:
        raise RuleError(
            f"规则 {rule.rule_id} 对同一记录命中多次(结算 {twice['setl_id'][0]}),"
            "每条明细或结算至多一条:请在 SQL 中合并"
        )
    return rows


def _spans(con: duckdb.DuckDBPyConnection, rule: Rule, profile: Profile) -> list[Span]:
    """Cut the rule's time into spans of constant values that the month's facts fall in."""
    low, high = opening.fact_days(con) or (rule.effective_from, rule.effective_from)
    last = rule.effective_to or dt.date.max
    dated = [v.start for name in rule.parameters for v in profile.parameter(name).values]
    dated += [switch.start for switch in profile.switches(rule.rule_id)]
    firsts = sorted({rule.effective_from} | {start for start in dated if rule.effective_from < start <= last})
    ends = [first - dt.timedelta(days=1) for first in firsts[1:]] + [last]
    spans = [
        Span(first, end, first <= low and end >= high)
        for first, end in zip(firsts, ends, strict=True)
        if first <= high and end >= low
    ]
    return spans or [Span(firsts[-1], ends[-1], False)]


def _run(
    con: duckdb.DuckDBPyConnection, rule: Rule, profile: Profile, span: Span
) -> pl.DataFrame | None:  # fmt: skip
    switch = profile.switch(rule.rule_id, span.first)
    status = (switch and switch.status) or rule.status
    if status == RETIRED:
        return None
    values = {name: profile.value(name, span.first) for name in rule.parameters}
    exact = ", ".join(f"h.{name}::DECIMAL(18,4) AS {name}" for name in ("part", "whole"))
    query = f"SELECT h.* REPLACE ({exact}) FROM ({rule.sql}) AS h {_within(rule, span)}"
    try:
        rows = frame(con, query, values)
    except duckdb.BinderException:
        _check_columns(rule, [c[0] for c in con.execute(f"DESCRIBE {rule.sql}", values).fetchall()])
        raise
    _check_columns(rule, rows.columns)
    said = {
        "grade": _grade(rule, switch, "grade" in rows.columns),
        "funds": pl.col("funds") if "funds" in rows.columns else pl.lit(None),
        "status": pl.lit(status),
        "parameters": pl.lit(profile.cited(tuple(rule.parameters), span.first)),
    }
    return rows.with_columns(**said).select(*HIT_SCHEMA).cast(HIT_SCHEMA)


def _check_columns(rule: Rule, names: list[str]) -> None:
    more = names[len(HIT_COLUMNS) :]
    if tuple(names[: len(HIT_COLUMNS)]) != HIT_COLUMNS or more != [n for n in MAY_GIVE if n in more]:
        raise RuleError(f"规则 {rule.rule_id} 的输出列应为 {HIT_COLUMNS}[, grade][, funds],实为 {names}")


def _grade(rule: Rule, switch: Switch | None, given: bool) -> pl.Expr:
    """A hit's grade: the region may soften any, and sets it where the rule's row says nothing."""
    usual = (switch and switch.grade) or rule.grade
    if usual == SUSPICION and switch and switch.grade:
        return pl.lit(SUSPICION)
    return pl.coalesce("grade", pl.lit(usual)) if given else pl.lit(usual)


def _within(rule: Rule, span: Span) -> str:
    """Return the SQL that keeps hits whose date is in the span; nothing when all facts are."""
    if span.covers_month:
        return ""
    join = "JOIN every_settlement AS s ON s.setl_id = h.setl_id "
    if rule.dated_by == "fee_ocur_time":
        join += "LEFT JOIN every_line AS l ON l.setl_id = h.setl_id AND l.bkkp_sn = h.bkkp_sn "
    day = {
        "fee_ocur_time": "coalesce(l.d, s.sd)",
        "setl_time": "s.sd",
        "begndate": "s.begndate",
        "enddate": "s.enddate",
    }[rule.dated_by]
    end = min(span.last, dt.date(9999, 12, 30))
    return f"{join}WHERE {day} BETWEEN DATE '{span.first}' AND DATE '{end}'"
