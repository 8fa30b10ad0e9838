"""Opening a month for the rules: the views they read, over relations of accepted rows.

What a valid settlement and a net line are is decided here, once, so that no rule can decide it otherwise.
A rule sees only the views of `BUILT_IN`, the reference tables, and what `past` shows it.
"""

from __future__ import annotations

import datetime as dt
import re
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
OPERATIONS = "operation"
OPTIONAL = (SetlListDiagD, SetlListOprnD, ClrSum)
OWN_READS = {"kb_generic", "erx"}  # by `open_generic`
FAR = "DATE '9999-12-31'"
NETTED = (
    "cnt", "det_item_fee_sumamt", "fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt",
    "inscp_amt",
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
    needed: frozenset[str],
) -> set[str]:
    """Create what rules read of the month itself and of the reference tables.

    Args:
        con: connection that holds the month's relations.
        rows: the month's relations.
        reference: reference tables that are loaded, by name.
        needed: names that rules read; empty tables stand for those not loaded.

    Returns:
        Names of what is there to be read beside `BUILT_IN`.
    """
    con.execute(
        "CREATE OR REPLACE TEMP TABLE claim_month AS "
        "SELECT CAST($1 AS DATE) AS first_day, last_day(CAST($1 AS DATE)) AS last_day",
        [rows.first],
    )
    con.execute(_no_rows(needed))
    for name, given in reference.items():
        _table(con, name, given)
    _settlements(con, rows.settlements)
    _lines(con, rows.lines)
    _sent(con, rows)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE fact_range AS SELECT least(s.low, CAST(l.low AS DATE)) AS low, "
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
    """Net refund lines into the line they name; only settlements that have any are rewritten.

    What is left below nothing is no line any more: only rule A14 looks for it.
    """
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
        "WHERE n.cnt > 0 AND m.cnt > 0"
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
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW every_line AS SELECT {', '.join('l.' + c for c in own)}, "
        "CAST(l.fee_ocur_time AS DATE) AS d, s.psn_no, s.fixmedins_code, s.clr_type, s.sd, s.setl_time "
        f"FROM {lines} AS l JOIN every_settlement AS s ON l.setl_id = s.setl_id"
    )


def _decimal(column: str) -> str:
    dtype = table(FeeListD).column(column).dtype
    return f"DECIMAL({dtype.precision},{dtype.scale})"


def _sent(con: duckdb.DuckDBPyConnection, sent: MonthRows) -> None:
    """Create `diagnosis`, `operation` and `declared`; of settlements that were accepted only."""
    ours = "SEMI JOIN every_settlement USING (setl_id)"
    con.execute(
        "CREATE OR REPLACE TEMP VIEW diagnosis AS "
        "SELECT setl_id, diag_code, max(maindiag_flag) AS maindiag_flag FROM ("
        f"SELECT setl_id, diag_code, maindiag_flag FROM {sent.diagnoses or 'no_setl_list_diag_d'} {ours} "
        "UNION ALL SELECT setl_id, dscg_maindiag_code, '1' FROM every_settlement "
        "WHERE dscg_maindiag_code IS NOT NULL) GROUP BY setl_id, diag_code"
    )
    con.execute(
        "CREATE OR REPLACE TEMP VIEW operation AS SELECT setl_id, oprn_oprt_code, oprn_oprt_date "
        f"FROM {sent.operations or 'no_setl_list_oprn_d'} {ours}"
    )
    columns = ", ".join(table(ClrSum).schema)
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW declared AS SELECT {columns} FROM {sent.declared or 'no_clr_sum'}"
    )


def open_listed(con: duckdb.DuckDBPyConnection, rules: Iterable[Rule]) -> None:
    """Take the lines of listed codes out once, for all rules that need no others; see `scope`.

    Only the columns are held that one of these rules names.
    """
    asking = [rule for rule in rules if rule.codes]
    if not asking:
        return
    named = set(re.findall(r"\w+", " ".join(rule.sql for rule in asking)))
    columns = con.execute("SELECT column_name FROM (DESCRIBE any_line)").fetchall()
    held = ", ".join(c for (c,) in columns if c in named | {"hilist_code", "clr_type"})
    codes = " UNION ".join(dict.fromkeys(rule.codes for rule in asking))
    con.execute(f"CREATE OR REPLACE TEMP TABLE listed_code AS {codes}")
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE listed_line AS SELECT {held} FROM any_line "
        "WHERE hilist_code IN (SELECT hilist_code FROM listed_code)"
    )


def open_generic(con: duckdb.DuckDBPyConnection) -> None:
    """Create `generic`, the generic id of every code among lines and past lines."""
    con.execute(
        """CREATE OR REPLACE TEMP TABLE generic AS
        WITH known AS (
            SELECT hilist_code, min(generic_id) AS generic_id FROM kb_generic, claim_month
            WHERE last_day BETWEEN begndate AND enddate GROUP BY hilist_code
        ),
        seen AS (
            SELECT hilist_code FROM any_line UNION SELECT hilist_code FROM all_past_line
            UNION SELECT hilist_code FROM kb_generic UNION SELECT hilist_code FROM erx
        )
        SELECT seen.hilist_code, coalesce(
            known.generic_id,
            CASE left(seen.hilist_code, 1) WHEN 'X' THEN left(seen.hilist_code, 10)
                WHEN 'Z' THEN left(seen.hilist_code, 11) ELSE seen.hilist_code END
        ) AS generic_id
        FROM seen LEFT JOIN known ON seen.hilist_code = known.hilist_code"""
    )


def scope(con: duckdb.DuckDBPyConnection, clr_types: tuple[str, ...], codes: str = "") -> None:
    """Show a rule the settlements and lines of its clearing types, and of its codes where it names them."""
    types = ", ".join(f"'{t}'" for t in clr_types)
    for view, source in (
        ("settlement", "any_settlement"),
        ("claimed", "every_settlement"),
        ("line", "any_line"),
        ("claimed_line", "every_line"),
    ):
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW {view} AS SELECT * FROM {source} WHERE clr_type IN ({types})"
        )
    if codes:
        con.execute(
            "CREATE OR REPLACE TEMP VIEW line AS SELECT * FROM listed_line "
            f"WHERE clr_type IN ({types}) AND hilist_code IN ({codes})"
        )


def fact_days(con: duckdb.DuckDBPyConnection) -> tuple[dt.date, dt.date] | None:
    """Return the first and last day of the opened month's facts; None when it has none."""
    low, high = frame(con, "SELECT low, high FROM fact_range").row(0)
    return None if low is None else (low, high)
