"""From hits to findings: ids, words and money, ready to be published."""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Callable

import duckdb
import polars as pl

from schemas.layout import table
from schemas.results import Finding
from settlement.audit import engine, shares
from settlement.audit.rules_file import TRIAL, Rule
from settlement.policy import Profile
from settlement.query import at_once, frame, hold

WHOLE, LINE = "DS", "DL"
TRIAL_MARK = {"zh": "【试行,不扣款】", "en": "[trial, not deducted] "}


def collect(
    con: duckdb.DuckDBPyConnection,
    rules: tuple[Rule, ...],
    profile: Profile,
    loaded: set[str],
    ran: Callable[[str, float], None] = lambda *_: None,
) -> tuple[pl.DataFrame, dict[str, tuple[str, ...]]]:
    """Run every rule whose tables are loaded, over an opened month.

    Args:
        con: connection with an opened month.
        rules: rules in order of id.
        profile: the region's parameters and switches.
        loaded: tables that are there, as `engine.open_month` names them.
        ran: called with the id of each rule that is through, in order, and the seconds it took.

    Returns:
        All hits with rule_id, deduction and status; and per rule that did not run what it lacks.
    """
    found = [pl.DataFrame(schema=pl.Schema({**engine.HIT_SCHEMA, "rule_id": pl.String()}))]
    missing = {rule.rule_id: engine.missing_tables(rule, loaded) for rule in rules}

    def run(rule: Rule, own: duckdb.DuckDBPyConnection) -> tuple[pl.DataFrame | None, float]:
        begin = time.perf_counter()
        with own:
            hits = None if missing[rule.rule_id] else engine.hits(own, rule, profile)
        return hits, time.perf_counter() - begin

    not_run: dict[str, tuple[str, ...]] = {}
    with at_once(con) as pool:
        each = pool.map(run, rules, [con.cursor() for _ in rules])
        for rule, (hits, seconds) in zip(rules, each, strict=True):
            ran(rule.rule_id, seconds)
            if hits is None:
                not_run[rule.rule_id] = missing[rule.rule_id]
            else:
                found.append(hits.with_columns(pl.lit(rule.rule_id).alias("rule_id")))
    facts = pl.DataFrame(
        [(r.rule_id, r.deduction, r.digest) for r in rules],
        schema=["rule_id", "deduction", "rule_digest"],
        orient="row",
    )
    return pl.concat(found).join(facts, on="rule_id", how="left", maintain_order="left"), not_run


def build(
    con: duckdb.DuckDBPyConnection, hits: pl.DataFrame, rules: tuple[Rule, ...], region: str, month: dt.date
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Price the hits and word them.

    Returns:
        `findings` (schemas.results) as the first audit leaves them: no reply, no decision, the final
        deduction equal to the preliminary one; and by fund: finding_id, fund_pay_type, risk_amt,
        det_sumamt (元).
    """
    hold(con, "hit", hits)
    shares.price(con, "hit")
    ident = (
        f"left(sha256('{region}|{month:%Y%m}|' || h.rule_id || '|' || h.setl_id || '|' "
        "|| coalesce(h.bkkp_sn, '')), 16) AS finding_id"
    )
    same = "m.rule_id = h.rule_id AND m.setl_id = h.setl_id AND m.bkkp_sn IS NOT DISTINCT FROM h.bkkp_sn"
    findings = frame(
        con,
        f"SELECT {ident}, h.*, s.fixmedins_code, m.risk_fen, m.det_fen FROM hit AS h "
        f"JOIN hit_money AS m ON {same} JOIN every_settlement AS s ON s.setl_id = h.setl_id",
    )
    funds = frame(con, f"SELECT {ident}, h.fund_pay_type, h.risk_fen, h.det_fen FROM hit_fund AS h")
    return _findings(findings, rules), _funds(funds)


def _yuan(column: str) -> pl.Expr:
    hundredth = pl.lit("0.01").cast(pl.Decimal(3, 2))
    return (pl.col(column).cast(pl.Decimal(16, 0)) * hundredth).cast(pl.Decimal(16, 2))


def _findings(rows: pl.DataFrame, rules: tuple[Rule, ...]) -> pl.DataFrame:
    worded = [
        worded_by(rows.filter(pl.col("rule_id") == rule.rule_id), rule).with_columns(
            pl.col("status").alias("rule_status"),
            pl.lit("").alias("reply"),
            pl.lit("").alias("decision"),
            _yuan("risk_fen").alias("risk_amt"),
            _yuan("det_fen").alias("det_sumamt"),
            _yuan("det_fen").alias("final_det_sumamt"),
            # A rule for whole settlements may name lines of a stay; a line is deducted as a line.
            deduction=pl.when(pl.col("bkkp_sn").is_not_null() & (pl.col("deduction") == WHOLE))
            .then(pl.lit(LINE))
            .otherwise(pl.col("deduction")),
        )
        for rule in rules
    ]
    return _typed(pl.concat(worded), Finding)


def worded_by(rows: pl.DataFrame, rule: Rule) -> pl.DataFrame:
    """Add the rule's sentence in both languages; a trial rule's says that nothing is deducted."""
    both = word(word(rows, rule.message), rule.message_en, "vola_cont_en")
    trial = pl.col("status") == TRIAL
    marks = {"vola_cont": TRIAL_MARK["zh"], "vola_cont_en": TRIAL_MARK["en"]}
    return both.with_columns(
        pl.concat_str(pl.when(trial).then(pl.lit(mark)).otherwise(pl.lit("")), name).alias(name)
        for name, mark in marks.items()
    )


def word(rows: pl.DataFrame, message: str, name: str = "vola_cont") -> pl.DataFrame:
    """Fill a message's {placeholders} with the values of the same name in the evidence."""
    pieces = []
    for order, piece in enumerate(re.split(r"{(\w+)}", message)):
        named = pl.col("evidence").str.extract(rf"(?:^| ){piece}=([^ ]*)", 1).fill_null("")
        pieces.append(named if order % 2 else pl.lit(piece))
    return rows.with_columns(pl.concat_str(pieces).alias(name))


def _funds(rows: pl.DataFrame) -> pl.DataFrame:
    amounts = (_yuan("risk_fen").alias("risk_amt"), _yuan("det_fen").alias("det_sumamt"))
    return rows.select("finding_id", "fund_pay_type", *amounts).sort("finding_id", "fund_pay_type")


def _typed(rows: pl.DataFrame, model: type) -> pl.DataFrame:
    about = table(model)
    return rows.select(pl.col(n).cast(t) for n, t in about.schema.items()).sort(about.key)
