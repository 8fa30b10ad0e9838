"""The checks of acceptance that look at more than one cell, each as one piece of SQL.

Every query gives the same columns: sub, tab, src, rn, setl_id, bkkp_sn, col, val, reason, detail, expected.
A comparison with a value that could not be read is null and therefore no fault: the cell itself is.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas.funds import POOLED_COLUMNS

BUCKETS = ("fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_amt")
SIGNED = (
    "medfee_sumamt", *BUCKETS, *POOLED_COLUMNS, "fund_pay_sumamt", "psn_pay", "acct_pay", "cash_payamt",
    "acct_mulaid_pay", "ownpay_hosp_part", "act_pay_dedc",
)  # fmt: skip
LINE_SIGNED = ("det_item_fee_sumamt", *BUCKETS)


def _negative(alias: str, columns: tuple[str, ...]) -> tuple[str, str, str]:
    """Return SQL of: whether one of the columns is negative, the first such column, its value."""
    some = f"least({', '.join(f'{alias}.{c}' for c in columns)}) < 0"
    name = " ".join(f"WHEN {alias}.{c} < 0 THEN '{c}'" for c in columns)
    value = " ".join(f"WHEN {alias}.{c} < 0 THEN {alias}.{c}" for c in columns)
    return some, f"CASE {name} END", f"CASE {value} END"


@dataclass(frozen=True)
class Identity:
    """One identity of a settlement row: broken where `broken` is true.

    Attributes:
        reason: code of schemas.reasons.
        column: the column the message is about.
        broken: SQL condition.
        detail: SQL of the declared amount.
        expected: SQL of the amount it should be.
    """

    reason: str
    column: str
    broken: str
    detail: str
    expected: str


def _equal(reason: str, column: str, right: str) -> Identity:
    return Identity(reason, column, f"s.{column} <> {right}", f"s.{column}", right)


FUND_SUM = " + ".join(f"s.{c}" for c in POOLED_COLUMNS)
IDENTITIES: tuple[Identity, ...] = (
    _equal("R10", "medfee_sumamt", "(s.fund_pay_sumamt + s.psn_pay + s.ownpay_hosp_part)"),
    _equal("R11", "fund_pay_sumamt", f"({FUND_SUM})"),
    _equal("R12", "psn_pay", "(s.acct_pay + s.cash_payamt)"),
    Identity(
        "R13",
        "acct_mulaid_pay",
        "abs(s.acct_mulaid_pay) > abs(s.acct_pay)",
        "s.acct_mulaid_pay",
        "s.acct_pay",
    ),
    _equal("R14", "medfee_sumamt", "(" + " + ".join(f"s.{c}" for c in BUCKETS) + ")"),
    Identity(
        "R17",
        "fund_pay_sumamt",
        "abs(s.fund_pay_sumamt) > abs(s.inscp_amt)",
        "s.fund_pay_sumamt",
        "s.inscp_amt",
    ),
    *(_equal("R15", c, f"t.{c}") for c in BUCKETS),
    _equal("R16", "medfee_sumamt", "t.det_item_fee_sumamt"),
)

# Settlements with any broken identity, found in one pass; each identity then looks at those few.
BROKEN_SQL = (
    "CREATE OR REPLACE TEMP TABLE broken AS SELECT s.* FROM st_setl_d AS s "
    f"LEFT JOIN line_sum AS t USING (sub, setl_id) WHERE {' OR '.join(f'({i.broken})' for i in IDENTITIES)}"
)
IDENTITY_SQL = " UNION ALL ".join(
    f"SELECT s.sub, 'setl_d' AS tab, s.src, s.rn, s.setl_id, NULL AS bkkp_sn, '{i.column}' AS col, "
    f"s.{i.column}::VARCHAR AS val, '{i.reason}' AS reason, ({i.detail})::VARCHAR AS detail, "
    f"({i.expected})::VARCHAR AS expected FROM broken AS s LEFT JOIN line_sum AS t USING (sub, setl_id) "
    f"WHERE {i.broken}"
    for i in IDENTITIES
)
_SOME, _NAME, _VALUE = _negative("s", SIGNED)
NEGATIVE_SQL = (
    f"SELECT s.sub, 'setl_d' AS tab, s.src, s.rn, s.setl_id, NULL AS bkkp_sn, {_NAME} AS col, "
    f"({_VALUE})::VARCHAR AS val, 'R18' AS reason, '' AS detail, '' AS expected FROM st_setl_d AS s "
    f"WHERE {_SOME} AND (s.refd_setl_flag = '0' OR (s.refd_setl_flag = '1' AND s.init_setl_id IS NULL))"
)

LINE_TOTAL_SQL = (
    "CREATE OR REPLACE TEMP TABLE line_total AS SELECT sub, setl_id, count(*) AS n, "
    + ", ".join(
        f"CASE WHEN count({c}) = count(*) THEN sum({c}) END AS {c}" for c in (*BUCKETS, "det_item_fee_sumamt")
    )
    + " FROM st_fee_list_d GROUP BY sub, setl_id"
)
# Where a file of lines could not be read, nothing is known about sums, and no line is missing.
LINE_SUM_SQL = (
    "CREATE OR REPLACE TEMP VIEW line_sum AS SELECT * FROM line_total "
    "WHERE sub NOT IN (SELECT sub FROM unread WHERE tab = 'fee_list_d')"
)


def duplicate_sql(table: str, key: tuple[str, ...]) -> str:
    """Return SQL listing every row whose key stands twice in one submission.

    Keys are first grouped by a 64-bit digest, which is far cheaper than by their text; only rows
    of a repeated digest are then compared exactly.
    """
    columns = ", ".join(key)
    # A date may be empty; one that could not be read makes no duplicate.
    known = " AND ".join(
        "(oprn_oprt_date IS NOT NULL OR NOT faulty)" if c == "oprn_oprt_date" else f"{c} IS NOT NULL"
        for c in key
    )
    setl = "setl_id" if "setl_id" in key else "NULL"
    line = "bkkp_sn" if "bkkp_sn" in key else "NULL"
    return (
        f"WITH twice AS (SELECT hash(sub, {columns}) AS h FROM st_{table} WHERE {known} GROUP BY h "
        f"HAVING count(*) > 1), likely AS (SELECT * FROM st_{table} WHERE {known} "
        f"AND hash(sub, {columns}) IN (SELECT h FROM twice)) "
        f"SELECT sub, '{table}' AS tab, src, rn, {setl} AS setl_id, {line} AS bkkp_sn, "
        f"'{key[-1]}' AS col, {key[-1]}::VARCHAR AS val, 'R06' AS reason, '' AS detail, '' AS expected "
        f"FROM likely QUALIFY count(*) OVER (PARTITION BY sub, {columns}) > 1"
    )


def orphan_sql(table: str, reason: str) -> str:
    """Return SQL listing rows of a table whose settlement is not in the submission."""
    line = "l.bkkp_sn" if table == "fee_list_d" else "NULL"
    return (
        "WITH lost AS (SELECT DISTINCT sub, setl_id FROM "
        f"{'line_total' if table == 'fee_list_d' else 'st_' + table} "
        "ANTI JOIN st_setl_d USING (sub, setl_id) WHERE setl_id IS NOT NULL "
        "AND sub NOT IN (SELECT sub FROM unread WHERE tab = 'setl_d')) "
        f"SELECT l.sub, '{table}' AS tab, l.src, l.rn, l.setl_id, {line} AS bkkp_sn, 'setl_id' AS col, "
        f"l.setl_id AS val, '{reason}' AS reason, '' AS detail, '' AS expected "
        f"FROM st_{table} AS l SEMI JOIN lost USING (sub, setl_id)"
    )


NO_LINES_SQL = (
    "SELECT s.sub, 'setl_d' AS tab, s.src, s.rn, s.setl_id, NULL AS bkkp_sn, 'setl_id' AS col, "
    "s.setl_id AS val, 'R08' AS reason, '' AS detail, '' AS expected FROM st_setl_d AS s "
    "ANTI JOIN line_total USING (sub, setl_id) WHERE s.setl_id IS NOT NULL "
    "AND s.sub NOT IN (SELECT sub FROM unread WHERE tab = 'fee_list_d')"
)

# Refund lines are few; everything about them is judged on this small table.
_SOME, _NAME, _VALUE = _negative("l", LINE_SIGNED)
UNUSUAL_SQL = (
    "CREATE OR REPLACE TEMP TABLE unusual_line AS SELECT l.*, s.reversal FROM ("
    f"SELECT sub, src, rn, setl_id, bkkp_sn, init_feedetl_sn, cnt, {', '.join(LINE_SIGNED)} "
    f"FROM st_fee_list_d AS l WHERE cnt <= 0 OR {_SOME}) AS l "
    "JOIN (SELECT sub, setl_id, max(refd_setl_flag) = '1' AS reversal FROM st_setl_d "
    "WHERE refd_setl_flag IN ('0', '1') GROUP BY sub, setl_id) AS s USING (sub, setl_id)"
)
# The lines that refund lines can name; a quantity that could not be read makes the sum unknown.
ORIGINAL_SQL = (
    "CREATE OR REPLACE TEMP TABLE original AS SELECT sub, setl_id, bkkp_sn, "
    "CASE WHEN count(cnt) = count(*) THEN sum(cnt) END AS cnt FROM st_fee_list_d "
    "SEMI JOIN (SELECT sub, setl_id FROM unusual_line WHERE cnt < 0 AND NOT reversal) USING (sub, setl_id) "
    "WHERE cnt > 0 OR cnt IS NULL GROUP BY sub, setl_id, bkkp_sn"
)
_LINE = (
    "SELECT l.sub, 'fee_list_d' AS tab, l.src, l.rn, l.setl_id, l.bkkp_sn, {col} AS col, "
    "{val}::VARCHAR AS val, '{reason}' AS reason, '' AS detail, '' AS expected FROM unusual_line AS l "
)
UNUSUAL_CHECKS: tuple[str, ...] = (
    _LINE.format(col=_NAME, val=f"({_VALUE})", reason="R18") + f"WHERE l.cnt > 0 AND {_SOME}",
    _LINE.format(col="'cnt'", val="l.cnt", reason="R21") + "WHERE l.cnt = 0 AND l.det_item_fee_sumamt <> 0",
    _LINE.format(col="'init_feedetl_sn'", val="l.init_feedetl_sn", reason="R19")
    + "ANTI JOIN original AS o ON o.sub = l.sub AND o.setl_id = l.setl_id AND o.bkkp_sn = l.init_feedetl_sn "
    "WHERE l.cnt < 0 AND NOT l.reversal AND l.sub NOT IN (SELECT sub FROM unread WHERE tab = 'fee_list_d')",
    _LINE.format(col="'cnt'", val="l.cnt", reason="R20")
    + "JOIN (SELECT o.sub, o.setl_id, o.bkkp_sn FROM original AS o JOIN unusual_line AS r ON r.sub = o.sub "
    "AND r.setl_id = o.setl_id AND r.init_feedetl_sn = o.bkkp_sn WHERE r.cnt < 0 AND NOT r.reversal "
    "GROUP BY o.sub, o.setl_id, o.bkkp_sn, o.cnt HAVING o.cnt + sum(r.cnt) < 0) AS over "
    "ON over.sub = l.sub AND over.setl_id = l.setl_id AND over.bkkp_sn = l.init_feedetl_sn "
    "WHERE l.cnt < 0 AND NOT l.reversal",
)

MEASURES = {
    "fixmedins_setl_cnt": "结算笔数",
    "medfee_sumamt": "医疗费总额",
    "fund_pay_sumamt": "基金支付总额",
    "acct_pay": "个人账户支出",
    "cash_payamt": "现金支付金额",
}
_SUMS = {m: f"CASE WHEN count({m}) = count(*) THEN sum({m}) END AS {m}" for m in MEASURES}
_DECLARED = ", ".join(_SUMS.values())
_FOUND = ", ".join((_SUMS | {"fixmedins_setl_cnt": "count(*) AS fixmedins_setl_cnt"}).values())
# One row per group and measure that differs. A measure with an unreadable cell in its group cannot be
# compared (null).
TOTALS_SQL = (
    f"WITH declared AS (SELECT sub, insutype, clr_type, {_DECLARED} FROM st_clr_sum GROUP BY ALL), "
    f"found AS (SELECT sub, insutype, clr_type, {_FOUND} FROM st_setl_d GROUP BY ALL), "
    "both_sides AS (SELECT coalesce(d.sub, f.sub) AS sub, coalesce(d.insutype, f.insutype) AS insutype, "
    "coalesce(d.clr_type, f.clr_type) AS clr_type, "
    + ", ".join(
        f"CASE WHEN d.sub IS NULL THEN 0 ELSE d.{m} END AS d_{m}, "
        f"CASE WHEN f.sub IS NULL THEN 0 ELSE f.{m} END AS f_{m}"
        for m in MEASURES
    )
    + " FROM declared AS d FULL JOIN found AS f ON d.sub = f.sub "
    "AND d.insutype IS NOT DISTINCT FROM f.insutype AND d.clr_type IS NOT DISTINCT FROM f.clr_type) "
    + " UNION ALL ".join(
        f"SELECT sub, insutype, clr_type, '{zh}' AS measure, d_{m}::VARCHAR AS declared, "
        f"f_{m}::VARCHAR AS found, d_{m} IS NULL OR f_{m} IS NULL AS unreadable FROM both_sides "
        f"WHERE d_{m} IS DISTINCT FROM f_{m}"
        for m, zh in MEASURES.items()
    )
)
