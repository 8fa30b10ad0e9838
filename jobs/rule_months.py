"""What each rule came to over the stored months: found, upheld, withdrawn."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from jobs import standing
from jobs.office import Office
from settlement import store
from settlement.audit import rules_file
from settlement.reports.facts import RULE_MONTHS

MONTHS = 24


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


def _month(office: Office, stands: standing.Standing) -> pl.DataFrame:
    names = {rule.rule_id: (rule.name, rule.name_en) for rule in rules_file.load_all()}
    sums = stands.findings.group_by("rule_id").agg(
        hits=pl.len(),
        institutions=pl.col("fixmedins_code").n_unique(),
        risk=pl.col("risk_amt").sum(),
        prelim=pl.col("det_sumamt").sum(),
        upheld=pl.col("final_det_sumamt").sum(),
    )
    base = pl.when(pl.col("prelim") > 0).then("prelim").otherwise("risk")
    rows = sums.with_columns(
        clr_ym=pl.lit(office.clr_ym),
        name=pl.col("rule_id").replace({ident: zh for ident, (zh, _) in names.items()}),
        name_en=pl.col("rule_id").replace({ident: en for ident, (_, en) in names.items()}),
        dropped=pl.max_horizontal(pl.col("prelim") - pl.col("upheld"), pl.lit(0)),
        rate=pl.when(base > 0).then(pl.col("upheld").cast(pl.Float64) / base.cast(pl.Float64)),
    )
    return rows.select(pl.col(n).cast(t) for n, t in RULE_MONTHS.items())
