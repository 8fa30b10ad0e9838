"""Opening a month for the rules: the views they read, over relations of accepted rows.

What a valid settlement and a net line are is decided here, once, so that no rule can decide it otherwise.
A rule sees only the views of `BUILT_IN`, the reference tables, and what `past` shows it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import duckdb
import polars as pl

from schemas.layout import table
from schemas.reference import REFERENCE
from schemas.submission import ClrSum, FeeListD, SetlD, SetlListDiagD, SetlListOprnD
from settlement.audit.past import PastMonth
from settlement.audit.rules_file import Rule
from settlement.query import empty_sql, frame, hold

# Views every rule may read; `operation` needs operations that somebody sent.
BUILT_IN = {
    "settlement", "line", "any_settlement", "any_line", "claimed", "claimed_line", "diagnosis", "declared",
    "past_settlement", "past_line", "generic", "prior_reversal", "claim_month",
}  # fmt: skip
# What a rule sees of its clearing types only, and what of.
SCOPED = {
    "settlement": "any_settlement", "line": "any_line",
    "claimed": "every_settlement", "claimed_line": "every_line",
}  # fmt: skip
OPERATIONS = "operation"
OPTIONAL = (SetlListDiagD, SetlListOprnD, ClrSum)
OWN_READS = {"kb_generic", "erx"}  # by `open_generic`
FAR = "DATE '9999-12-31'"
NETTED = (
    "cnt", "det_item_fee_sumamt", "fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt",
    "inscp_amt",
)  # fmt: skip
FEE_LIST = tuple(table(FeeListD).schema)
# Columns of lines that are held whatever the rules name: money is shared out by them.
ALWAYS = {
    "setl_id", "mdtrt_id", "bkkp_sn", "fee_ocur_time", "hilist_code", "cnt", "det_item_fee_sumamt",
    "inscp_amt",
}  # fmt: skip
# What was charged: the same words on many lines.
CHARGE = (
    "hilist_code", "hilist_name", "list_type", "med_list_codg", "medins_list_codg", "medins_list_name",
    "med_chrgitm_type", "chrgitm_lv", "lmt_used_flag", "hosp_appr_flag", "dscg_tkdrug_flag", "spec",
    "prodname", "dosform_name",
)  # fmt: skip
OF_SETTLEMENT = (
    "psn_no", "fixmedins_code", "insutype", "med_type", "clr_type", "gend", "brdy", "begndate",
    "enddate", "sd", "setl_time", "hifp_pay", "fund_pay_sumamt", "acct_pay", "dise_no",
)  # fmt: skip


@dataclass(frozen=True)
class MonthRows:
    """A claim month as relations of a connection.

    Attributes:
        first: first day of the claim month.
        settlements: relation of accepted settlements, setl_d columns.
        lines: relation of their lines, fee_list_d columns.
        diagnoses: relation of setl_list_diag_d rows of accepted submissions; empty when nobody sent any.
        operations: relation of setl_list_oprn_d rows, the same.
        declared: relation of clr_sum rows, the same.
        earlier: earlier claim months that are stored.
    """

    first: dt.date
    settlements: str
    lines: str
    diagnoses: str = ""
    operations: str = ""
    declared: str = ""
    earlier: tuple[PastMonth, ...] = ()


def open_views(
    con: duckdb.DuckDBPyConnection,
    rows: MonthRows,
    reference: dict[str, pl.DataFrame],
    rules: tuple[Rule, ...],
) -> set[str]:
    """Create what rules read of the month itself and of the reference tables.

    Args:
        con: connection that holds the month's relations.
        rows: the month's relations.
        reference: reference tables that are loaded, by name.
        rules: the rules that are going to run. Empty tables stand for those they read and nobody loaded;
            lines have the columns they name.

    Returns:
        Names of what is there to be read beside `BUILT_IN`.
    """
    con.execute(
        "CREATE OR REPLACE TABLE claim_month AS "
        "SELECT CAST($1 AS DATE) AS first_day, last_day(CAST($1 AS DATE)) AS last_day",
        [rows.first],
    )
    con.execute(_no_rows(frozenset().union(*(rule.named for rule in rules))))
    for name, given in reference.items():
        _table(con, name, given)
    _settlements(con, rows.settlements)
    _lines(con, rows.lines, _held(rules))
    _sent(con, rows)
    con.execute(
        "CREATE OR REPLACE TABLE fact_range AS SELECT least(s.low, CAST(l.low AS DATE)) AS low, "
        "greatest(s.high, CAST(l.high AS DATE)) AS high FROM "
        "(SELECT least(min(begndate), min(sd)) AS low, greatest(max(enddate), max(sd)) AS high "
        "FROM every_settlement) AS s CROSS JOIN "
        f"(SELECT min(fee_ocur_time) AS low, max(fee_ocur_time) AS high FROM {rows.lines}) AS l"
    )
    held = con.execute("SELECT count(*) FROM (SELECT 1 FROM operation LIMIT 1)").fetchall()[0][0]
    return set(reference) | ({OPERATIONS} if held else set())


@cache
def _no_rows(needed: frozenset[str]) -> str:
    """Statements that create reference tables, and what institutions may leave out, without rows."""
    tables = [table(model) for model in REFERENCE]
    named = [(about.name, about.schema) for about in tables if about.name in needed | OWN_READS]
    named += [(f"no_{table(model).name}", table(model).schema) for model in OPTIONAL]
    return "".join(empty_sql(name, schema) for name, schema in named)


def _table(con: duckdb.DuckDBPyConnection, name: str, rows: pl.DataFrame) -> None:
    """Hold a frame as a table, an empty enddate meaning for ever."""
    end = f"* REPLACE (coalesce(enddate, {FAR}) AS enddate)" if "enddate" in rows.columns else "*"
    hold(con, name, rows, end)


def _settlements(con: duckdb.DuckDBPyConnection, settlements: str) -> None:
    names = ", ".join(c.name for c in table(SetlD).columns)
    con.execute(
        f"CREATE OR REPLACE VIEW every_settlement AS "
        f"SELECT {names}, CAST(setl_time AS DATE) AS sd FROM {settlements}"
    )
    # A row with the flag and a positive amount reverses nothing: it is what rule A02 looks for.
    con.execute(
        "CREATE OR REPLACE TABLE reversed_here AS SELECT DISTINCT fixmedins_code, "
        "init_setl_id AS setl_id FROM every_settlement "
        "WHERE refd_setl_flag = '1' AND medfee_sumamt <= 0 AND init_setl_id IS NOT NULL"
    )
    con.execute(
        "CREATE OR REPLACE VIEW any_settlement AS SELECT s.* FROM every_settlement AS s "
        "ANTI JOIN reversed_here USING (fixmedins_code, setl_id) "
        "WHERE s.vali_flag = '1' AND s.refd_setl_flag <> '1'"
    )


def _lines(con: duckdb.DuckDBPyConnection, lines: str, held: tuple[str, ...]) -> None:
    """Create `any_line`, the net lines of valid settlements, and `every_line`, the lines as they came.

    A month's lines are what rules read again and again, so they are held as numbers: what was charged and
    on which visit stand once each, in `charge` and `visit`, and a line of `net_line` refers to them. Refund
    lines are netted into the line they name; what is left below nothing is no line any more, and only
    rule A14 looks for it.
    """
    described = [c for c in held if c in CHARGE]
    con.execute(
        "CREATE OR REPLACE TABLE charge AS SELECT row_number() OVER ()::INTEGER AS charge_no, "
        f"dense_rank() OVER (ORDER BY hilist_code)::INTEGER AS hilist_key, {', '.join(described)} "
        f"FROM (SELECT DISTINCT {', '.join(described)} FROM {lines})"
    )
    _visits(con, lines)
    facts = ", ".join(f"l.{c}" for c in held if c not in ("setl_id", "mdtrt_id", *CHARGE))
    same = " AND ".join(f"l.{c} IS NOT DISTINCT FROM c.{c}" for c in described)
    con.execute(
        "CREATE OR REPLACE TABLE net_line AS SELECT "
        "CASE WHEN v.has_refund THEN -v.visit_no ELSE v.visit_no END AS visit_no, c.charge_no, "
        f"{facts}, CAST(l.fee_ocur_time AS DATE) AS d FROM {lines} AS l "
        f"JOIN charge AS c ON {same} JOIN visit AS v ON l.setl_id = v.setl_id AND l.mdtrt_id = v.mdtrt_id "
        "WHERE l.cnt > 0"
    )
    _net(con, lines, [c for c in NETTED if c in held])
    con.execute(
        "CREATE OR REPLACE VIEW any_line AS SELECT l.* EXCLUDE (visit_no, charge_no), "
        "c.* EXCLUDE (charge_no), v.* EXCLUDE (visit_no, has_refund), v.visit_no AS visit_key "
        "FROM net_line AS l JOIN charge AS c ON l.charge_no = c.charge_no "
        "JOIN visit AS v ON l.visit_no = v.visit_no"
    )
    con.execute(
        f"CREATE OR REPLACE VIEW every_line AS SELECT {', '.join('l.' + c for c in FEE_LIST)}, "
        "CAST(l.fee_ocur_time AS DATE) AS d, s.psn_no, s.fixmedins_code, s.clr_type, s.sd, s.setl_time "
        f"FROM {lines} AS l JOIN every_settlement AS s ON l.setl_id = s.setl_id"
    )


def _net(con: duckdb.DuckDBPyConnection, lines: str, netted: list[str]) -> None:
    """Add the net lines of settlements with refunds; as charged they belong to no visit (number below 0)."""
    sums = ", ".join(f"sum({c}) AS {c}" for c in netted)
    added = ", ".join(f"CAST(l.{c} + coalesce(r.{c}, 0) AS {_decimal(c)}) AS {c}" for c in netted)
    con.execute(
        f"INSERT INTO net_line WITH refund AS (SELECT -v.visit_no AS visit_no, b.bkkp_sn, {sums} FROM ("
        f"SELECT setl_id, coalesce(init_feedetl_sn, bkkp_sn) AS bkkp_sn, {', '.join(netted)} "
        f"FROM {lines} WHERE cnt < 0) AS b JOIN visit AS v ON b.setl_id = v.setl_id GROUP BY ALL) "
        f"SELECT l.* REPLACE (-l.visit_no AS visit_no, {added}) FROM net_line AS l LEFT JOIN refund AS r "
        "ON l.visit_no = r.visit_no AND l.bkkp_sn = r.bkkp_sn "
        "WHERE l.visit_no < 0 AND l.cnt + coalesce(r.cnt, 0) > 0"
    )


def _visits(con: duckdb.DuckDBPyConnection, lines: str) -> None:
    """Create `visit`, valid settlements with the visits their lines name, and `person_key`."""
    con.execute(
        "CREATE OR REPLACE TABLE person_key AS SELECT psn_no, row_number() OVER ()::INTEGER AS psn_key "
        "FROM (SELECT DISTINCT psn_no FROM every_settlement)"
    )
    con.execute(
        "CREATE OR REPLACE TABLE visit AS WITH named AS (SELECT DISTINCT setl_id, mdtrt_id "
        f"FROM {lines}), known AS (SELECT mdtrt_id, row_number() OVER ()::INTEGER AS mdtrt_key "
        "FROM (SELECT DISTINCT mdtrt_id FROM named)) "
        "SELECT row_number() OVER ()::INTEGER AS visit_no, "
        f"s.setl_id IN (SELECT setl_id FROM {lines} WHERE cnt < 0) AS has_refund, "
        "s.setl_id, n.mdtrt_id, k.mdtrt_key, p.psn_key, "
        f"{', '.join('s.' + c for c in OF_SETTLEMENT)} FROM any_settlement AS s "
        "JOIN named AS n ON s.setl_id = n.setl_id JOIN known AS k ON n.mdtrt_id = k.mdtrt_id "
        "JOIN person_key AS p ON s.psn_no = p.psn_no"
    )


def _held(rules: Iterable[Rule]) -> tuple[str, ...]:
    """Columns of lines that the rules name; all of them when there are no rules."""
    reading = [rule.words for rule in rules if {"line", "any_line"} & rule.named]
    named = ALWAYS.union(*reading) if rules else FEE_LIST
    return tuple(c for c in FEE_LIST if c in named)


def _decimal(column: str) -> str:
    dtype = table(FeeListD).column(column).dtype
    return f"DECIMAL({dtype.precision},{dtype.scale})"


def _sent(con: duckdb.DuckDBPyConnection, sent: MonthRows) -> None:
    """Create `diagnosis`, `operation` and `declared`; of settlements that were accepted only."""
    ours = "SEMI JOIN every_settlement USING (setl_id)"
    con.execute(
        "CREATE OR REPLACE VIEW diagnosis AS "
        "SELECT setl_id, diag_code, max(maindiag_flag) AS maindiag_flag FROM ("
        f"SELECT setl_id, diag_code, maindiag_flag FROM {sent.diagnoses or 'no_setl_list_diag_d'} {ours} "
        "UNION ALL SELECT setl_id, dscg_maindiag_code, '1' FROM every_settlement "
        "WHERE dscg_maindiag_code IS NOT NULL) GROUP BY setl_id, diag_code"
    )
    con.execute(
        "CREATE OR REPLACE VIEW operation AS SELECT setl_id, oprn_oprt_code, oprn_oprt_date "
        f"FROM {sent.operations or 'no_setl_list_oprn_d'} {ours}"
    )
    columns = ", ".join(table(ClrSum).schema)
    con.execute(f"CREATE OR REPLACE VIEW declared AS SELECT {columns} FROM {sent.declared or 'no_clr_sum'}")


def open_generic(con: duckdb.DuckDBPyConnection) -> None:
    """Create `generic`, the generic id of every code among lines and past lines."""
    con.execute(
        """CREATE OR REPLACE TABLE generic AS
        WITH known AS (
            SELECT hilist_code, min(generic_id) AS generic_id FROM kb_generic, claim_month
            WHERE last_day BETWEEN begndate AND enddate GROUP BY hilist_code
        ),
        seen AS (
            SELECT hilist_code FROM charge UNION SELECT hilist_code FROM past_net_line
            UNION SELECT hilist_code FROM kb_generic UNION SELECT hilist_code FROM erx
        )
        SELECT hilist_code, generic_id, dense_rank() OVER (ORDER BY generic_id)::INTEGER AS generic_key
        FROM (
            SELECT seen.hilist_code, coalesce(
                known.generic_id,
                CASE left(seen.hilist_code, 1) WHEN 'X' THEN left(seen.hilist_code, 10)
                    WHEN 'Z' THEN left(seen.hilist_code, 11) ELSE seen.hilist_code END
            ) AS generic_id
            FROM seen LEFT JOIN known ON seen.hilist_code = known.hilist_code
        )"""
    )


def scope(con: duckdb.DuckDBPyConnection, rule: Rule) -> None:
    """Show a rule the settlements and lines of its clearing types."""
    types = ", ".join(f"'{t}'" for t in rule.clr_types)
    for view, source in SCOPED.items():
        if view in rule.named:
            con.execute(
                f"CREATE OR REPLACE TEMP VIEW {view} AS SELECT * FROM {source} WHERE clr_type IN ({types})"
            )


def fact_days(con: duckdb.DuckDBPyConnection) -> tuple[dt.date, dt.date] | None:
    """Return the first and last day of the opened month's facts; None when it has none."""
    low, high = frame(con, "SELECT low, high FROM fact_range").row(0)
    return None if low is None else (low, high)
