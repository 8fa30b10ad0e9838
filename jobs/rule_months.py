"""What each rule came to over the stored months: found, upheld, withdrawn."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from jobs import standing
from jobs.office import Office
from settlement import store
from settlement.audit import rules_file
from settlement.reports.facts import RULE_MONTHS
from settlement.review.booking import limit

MONTHS = 24
RULE_AMOUNTS = ("risk_amt", "det_sumamt", "final_det_sumamt", "limit_amt", "dropped")


def rule_months(office: Office, now: standing.Standing | None = None) -> pl.DataFrame:
    """Return one row per month and rule that found something, up to the office's month.

    Args:
        office: the store, region and last month.
        now: how that month stands, if known.

    Returns:
        `RULE_MONTHS`, the last 24 months, sorted by rule and month.
    """
    earlier = store.earlier_months(office.home, office.region, office.first)[1 - MONTHS :]
    parts = [pl.DataFrame(schema=RULE_MONTHS)]
    for first in earlier:
        its = replace(office, first=first)
        parts.append(_month(its, standing.standing(its)))
    parts.append(_month(office, now or standing.standing(office)))
    return pl.concat(parts).sort("rule_id", "clr_ym")


def came_to(findings: pl.DataFrame) -> pl.DataFrame:
    """What each rule came to.

    Returns:
        rule_id; hits, institutions; and in 元 risk_amt, det_sumamt, final_det_sumamt, limit_amt (what its
        findings could cost at most), dropped (preliminary deduction that was withdrawn).
    """
    withdrawn = pl.max_horizontal(pl.col("det_sumamt") - pl.col("final_det_sumamt"), pl.lit(0))
    counted = findings.with_columns(limit(), withdrawn.alias("dropped")).group_by("rule_id")
    return counted.agg(
        pl.len().cast(pl.Int64).alias("hits"),
        pl.col("fixmedins_code").n_unique().cast(pl.Int64).alias("institutions"),
        pl.col(*RULE_AMOUNTS).sum().cast(pl.Decimal(16, 2)),
    )


def _month(office: Office, stands: standing.Standing) -> pl.DataFrame:
    names = {rule.rule_id: (rule.name, rule.name_en) for rule in rules_file.load_all()}
    sums = came_to(stands.findings).rename(
        {"risk_amt": "risk", "det_sumamt": "prelim", "final_det_sumamt": "upheld"}
    )
    limit = pl.col("limit_amt").cast(pl.Float64)
    rows = sums.with_columns(
        clr_ym=pl.lit(office.clr_ym),
        name=pl.col("rule_id").replace({ident: zh for ident, (zh, _) in names.items()}),
        name_en=pl.col("rule_id").replace({ident: en for ident, (_, en) in names.items()}),
        rate=pl.when(limit > 0).then(pl.col("upheld").cast(pl.Float64) / limit),
    )
    return rows.select(pl.col(n).cast(t) for n, t in RULE_MONTHS.items())
