"""What a finding costs: fund shares of lines, amounts of findings, and what counts once.

A fund's money on a settlement is spread over its net lines by largest remainder in 分, so that lines
sum exactly to the fund. Pooled funds follow `inscp_amt`; the personal account, in scope for pharmacy
purchases only, follows `det_item_fee_sumamt`. Several findings on one line each keep their row, and
the largest one is booked; a whole-settlement finding is booked instead of its lines'.
"""

from __future__ import annotations

import duckdb

from schemas.funds import ACCOUNT_FUND, FUNDS, PHARMACY
from settlement.audit.rules_file import VIOLATION
from settlement.money import fen_sql, share_sql


def price(con: duckdb.DuckDBPyConnection, hits: str) -> None:
    """Put a price on every hit, over the views that `engine.open_month` made.

    Args:
        con: connection with an opened month.
        hits: relation with rule_id, grade, deduction, status, setl_id, bkkp_sn, part, whole and
            funds (fund codes joined by `|`; null = all funds in scope).

    Creates:
        hit_fund: rule_id, setl_id, bkkp_sn, fund_pay_type, risk_fen, det_fen (分); one row per
            hit and fund with money at risk.
        hit_money: rule_id, setl_id, bkkp_sn, risk_fen, det_fen; one row per hit.
    """
    con.execute(f"CREATE OR REPLACE TEMP TABLE hit_settlement AS SELECT DISTINCT setl_id FROM {hits}")
    _funds(con)
    _line_shares(con, hits)
    _amounts(con, hits)
    _book(con, hits)


def _funds(con: duckdb.DuckDBPyConnection) -> None:
    """One row per hit settlement and fund in scope: fund_pay_type, amount in 分."""
    each = []
    for fund in FUNDS:
        rows = f"{fund.column} > 0"
        if fund.insutypes:
            kinds = ", ".join(f"'{i}'" for i in fund.insutypes)
            rows += f" AND insutype IN ({kinds})"
        if fund.code == ACCOUNT_FUND:
            rows += f" AND clr_type = '{PHARMACY}'"
        each.append(
            f"SELECT setl_id, '{fund.code}' AS fund_pay_type, {fen_sql(fund.column)} AS fen "
            f"FROM mine WHERE {rows}"
        )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE hit_settlement_fund AS WITH mine AS (SELECT s.* FROM "
        "every_settlement AS s SEMI JOIN hit_settlement USING (setl_id)) " + " UNION ALL ".join(each)
    )


def _line_shares(con: duckdb.DuckDBPyConnection, hits: str) -> None:
    """Largest remainder over all net lines of the settlements whose lines were hit."""
    weight = f"CASE WHEN f.fund_pay_type = '{ACCOUNT_FUND}' THEN l.amount_fen ELSE l.inscp_fen END"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE line_share AS
        WITH wanted AS (SELECT DISTINCT setl_id FROM {hits} WHERE bkkp_sn IS NOT NULL),
        net AS (
            SELECT l.setl_id, l.bkkp_sn,
                greatest({fen_sql("l.inscp_amt")}, 0) AS inscp_fen,
                greatest({fen_sql("l.det_item_fee_sumamt")}, 0) AS amount_fen
            FROM any_line AS l SEMI JOIN wanted USING (setl_id)
        ),
        weighed AS (
            SELECT l.setl_id, l.bkkp_sn, f.fund_pay_type, f.fen, {weight} AS weight,
                sum({weight}) OVER (PARTITION BY l.setl_id, f.fund_pay_type)::HUGEINT AS total
            FROM net AS l JOIN hit_settlement_fund AS f USING (setl_id)
        ),
        cut AS (
            SELECT setl_id, bkkp_sn, fund_pay_type, fen,
                (fen::HUGEINT * weight // total)::BIGINT AS base,
                (fen::HUGEINT * weight % total) AS rest
            FROM weighed WHERE total > 0
        ),
        ranked AS (
            SELECT setl_id, bkkp_sn, fund_pay_type, base,
                (fen - sum(base) OVER (PARTITION BY setl_id, fund_pay_type))::BIGINT AS left_over,
                row_number() OVER (
                    PARTITION BY setl_id, fund_pay_type ORDER BY rest DESC, bkkp_sn
                ) AS place
            FROM cut
        )
        SELECT setl_id, bkkp_sn, fund_pay_type,
            base + CASE WHEN place <= left_over THEN 1 ELSE 0 END AS fen
        FROM ranked"""
    )


def _amounts(con: duckdb.DuckDBPyConnection, hits: str) -> None:
    """Money at risk of each hit and fund: share x part / whole, HALF_UP in 分."""
    part, whole = "(h.part::DECIMAL(38,4) * 10000)::HUGEINT", "(h.whole::DECIMAL(38,4) * 10000)::HUGEINT"
    amount = share_sql("s.fen", part, whole)
    reached = "(h.funds IS NULL OR '|' || h.funds || '|' LIKE '%|' || s.fund_pay_type || '|%')"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE hit_risk AS
        SELECT h.rule_id, h.setl_id, h.bkkp_sn, s.fund_pay_type, {amount} AS risk_fen
        FROM {hits} AS h JOIN line_share AS s USING (setl_id, bkkp_sn)
        WHERE {reached}
        UNION ALL
        SELECT h.rule_id, h.setl_id, h.bkkp_sn, s.fund_pay_type, {amount} AS risk_fen
        FROM {hits} AS h JOIN hit_settlement_fund AS s USING (setl_id)
        WHERE h.bkkp_sn IS NULL AND {reached}"""
    )


def _book(con: duckdb.DuckDBPyConnection, hits: str) -> None:
    """Count each 分 once: settlement before lines, then the largest, then the rule's order."""
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE hit_booked AS
        WITH risk AS (
            SELECT h.rule_id, h.setl_id, h.bkkp_sn, coalesce(r.fen, 0) AS fen
            FROM {hits} AS h LEFT JOIN (
                SELECT rule_id, setl_id, bkkp_sn, sum(risk_fen)::BIGINT AS fen
                FROM hit_risk GROUP BY ALL
            ) AS r ON r.rule_id = h.rule_id AND r.setl_id = h.setl_id
                AND r.bkkp_sn IS NOT DISTINCT FROM h.bkkp_sn
            WHERE h.grade = '{VIOLATION}' AND h.status = 'active' AND h.deduction <> 'D0'
        ),
        placed AS (
            SELECT rule_id, setl_id, bkkp_sn,
                row_number() OVER (
                    PARTITION BY setl_id, bkkp_sn ORDER BY fen DESC, rule_id
                ) AS place,
                count(*) FILTER (WHERE bkkp_sn IS NULL) OVER (PARTITION BY setl_id) AS whole
            FROM risk
        )
        SELECT rule_id, setl_id, bkkp_sn FROM placed
        WHERE place = 1 AND (bkkp_sn IS NULL OR whole = 0)"""
    )
    same = "b.rule_id = r.rule_id AND b.setl_id = r.setl_id AND b.bkkp_sn IS NOT DISTINCT FROM r.bkkp_sn"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE hit_fund AS
        SELECT r.rule_id, r.setl_id, r.bkkp_sn, r.fund_pay_type, r.risk_fen,
            CASE WHEN b.rule_id IS NULL THEN 0 ELSE r.risk_fen END AS det_fen
        FROM hit_risk AS r LEFT JOIN hit_booked AS b ON {same}
        WHERE r.risk_fen > 0"""
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE hit_money AS
        SELECT r.rule_id, r.setl_id, r.bkkp_sn,
            coalesce(sum(b.risk_fen), 0)::BIGINT AS risk_fen,
            coalesce(sum(b.det_fen), 0)::BIGINT AS det_fen
        FROM {hits} AS r LEFT JOIN hit_fund AS b ON {same}
        GROUP BY ALL"""
    )
