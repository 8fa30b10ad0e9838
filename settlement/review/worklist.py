"""What a reviewer has to decide: one row per finding with the institution's answer beside it."""

from __future__ import annotations

import polars as pl

from settlement.procedure import AGREED, DISPUTED, PARTLY_AGREED, SILENT, UPHELD
from settlement.review.deciding import SUSPECT, VIOLATION

# So many other findings are named; a stay may have thousands of lines with findings.
NAMED = 10


def worklist(sent: pl.DataFrame, replies: pl.DataFrame, decisions: pl.DataFrame) -> pl.DataFrame:
    """Put findings, answers and earlier decisions side by side.

    A decision is required of every 可疑, and of a 违规 that the institution disputes or partly agrees to.

    Args:
        sent: findings as sent, with every column of the month's details and limit_amt (元).
        replies: the answers that stand, one row per finding answered: finding_id, answer, agreed_amt
            (元), reason, attachments.
        decisions: decisions taken so far, at most one per finding: finding_id, decision, final_amt
            (元), reason.

    Returns:
        The columns of `sent` with decision and the rest as decided (null where not), plus answer
        (逾期未反馈 without a reply), agreed_amt, appeal, attachments, required (bool), others (text:
        rule and id of other findings on the same line or settlement), proposed (维持 or empty) and
        proposed_amt; by institution, 违规 first, rule, largest limit.
    """
    answered = replies.select(
        "finding_id", "answer", "agreed_amt", pl.col("reason").alias("appeal"), "attachments"
    )
    taken = decisions.select("finding_id", "decision", "final_amt", "reason")
    contested = pl.col("answer").is_in([PARTLY_AGREED, DISPUTED])
    plain = (pl.col("grade") == VIOLATION) & pl.col("answer").is_in([AGREED, SILENT])
    return (
        sent.drop("decision", "reply", strict=False)
        .join(answered, on="finding_id", how="left")
        .join(taken, on="finding_id", how="left")
        .join(_others(sent), on="finding_id", how="left")
        .with_columns(pl.col("answer").fill_null(SILENT), pl.col("others").fill_null(""))
        .with_columns(
            required=(pl.col("grade") == SUSPECT) | contested,
            proposed=pl.when(plain).then(pl.lit(UPHELD)).otherwise(pl.lit("")),
            proposed_amt=pl.when(plain).then("limit_amt"),
        )
        .sort(
            "fixmedins_code",
            pl.col("grade") != VIOLATION,
            "rule_id",
            "limit_amt",
            "finding_id",
            descending=[False, False, False, True, False],
        )
    )


def _others(sent: pl.DataFrame) -> pl.DataFrame:
    """Return finding_id, others: who else claims the same money, a line's settlement included."""
    keys = ["setl_id", "bkkp_sn"]
    own = sent.lazy().select("finding_id", *keys)
    named = sent.lazy().select(
        *keys, pl.format("{} {}", "rule_id", "finding_id").alias("other"), other_id="finding_id"
    )
    whole, lines = pl.col("bkkp_sn").is_null(), pl.col("bkkp_sn").is_not_null()
    pairs = (
        own.join(named, on=keys, nulls_equal=True),
        own.filter(lines).join(named.filter(whole).drop("bkkp_sn"), on="setl_id"),
        own.filter(whole).join(named.filter(lines).drop("bkkp_sn"), on="setl_id"),
    )
    names = pl.col("other").sort()
    more = pl.when(pl.len() > NAMED).then(pl.format(" … {}", pl.len())).otherwise(pl.lit(""))
    return (
        pl.concat([pair.select("finding_id", "other_id", "other") for pair in pairs])
        .filter(pl.col("finding_id") != pl.col("other_id"))
        .group_by("finding_id")
        .agg(pl.concat_str(names.head(NAMED).str.join("\n"), more).alias("others"))
        .collect()
    )
