"""Findings a reviewer withdrew or upheld in part: what was given up, by whom, and why."""

from __future__ import annotations

import polars as pl

from jobs import standing
from jobs.office import Office
from jobs.scope import Scope
from settlement import procedure
from settlement.labels import EN, label
from settlement.reports.pages import Page, in_words
from settlement.reports.persons import masked, without_persons

MONEY = pl.Decimal(16, 2)
OVERRULED = (procedure.WITHDRAWN, procedure.PARTLY_UPHELD)
TEXTS = ("vola_cont", "reply_reason", "decision_reason")
CODES = {"grade": "grade", "reply": "reply", "decision": "decision"}
AMOUNTS = ("limit_amt", "final_amt", "lost")
LIST = (
    ("region", "centre", 10.0), ("clr_ym", "centre", 9.0), ("fixmedins_code", "text", 15.0),
    ("fixmedins_name", "wrap", 22.0), ("finding_id", "text", 19.0), ("rule_id", "centre", 8.0),
    ("rule_name", "wrap", 22.0), ("grade", "centre", 7.0), ("psn_name", "text", 8.0),
    ("vola_cont", "wrap", 34.0), *((name, "money", 13.0) for name in AMOUNTS), ("reply", "centre", 10.0),
    ("reply_reason", "wrap", 24.0), ("decision", "centre", 9.0), ("decision_reason", "wrap", 24.0),
    ("reviewer", "centre", 10.0), ("decided_on", "date", 11.0), ("turn", "count", 7.0),
)  # fmt: skip
SUMS = (
    ("findings", "count", 10.0), ("withdrawn", "count", 10.0), ("partly", "count", 10.0),
    ("share", "ratio", 10.0), *((name, "money", 15.0) for name in AMOUNTS),
)  # fmt: skip
GROUPS = {
    "rule": (("rule_id", "centre", 8.0), ("rule_name", "wrap", 36.0)),
    "institution": (
        ("region", "centre", 10.0), ("fixmedins_code", "text", 15.0), ("fixmedins_name", "wrap", 28.0),
    ),
    "reviewer": (("region", "centre", 10.0), ("reviewer", "text", 18.0)),
}  # fmt: skip


def pages(scope: Scope) -> list[Page]:
    """Return the sheets: each overruled finding; sums by rule, institution and reviewer."""
    decided = pl.concat([_decided(office) for office in scope.offices])
    rows = decided.join(scope.names(), on=["region", "fixmedins_code"], how="left")
    mine = rows.filter(pl.col("decision").is_in(OVERRULED)).sort(
        "lost", "finding_id", descending=[True, False]
    )
    shown = without_persons(mine, TEXTS).with_columns(masked("psn_name", "psn_no"))
    note = label("audit.note_lost", scope.lang)
    listed = Page(
        "audit.sheet_overruled", in_words(shown, CODES, scope.lang).select(n for n, _, _ in LIST), LIST,
        (note,), AMOUNTS, 2,
    )  # fmt: skip
    groups = [
        Page(f"audit.sheet_by_{name}", _summed(rows, [n for n, _, _ in by]), (*by, *SUMS), (),
             ("findings", "withdrawn", "partly", *AMOUNTS))
        for name, by in GROUPS.items()
    ]  # fmt: skip
    return [listed, *groups]


def _decided(office: Office) -> pl.DataFrame:
    """Every finding of a month that was decided, with what could be deducted and what was decided."""
    now = standing.standing(office)
    rows = standing.identified(office, standing.details(office, now))
    rows = rows.filter(pl.col("final_amt").is_not_null())
    turns = now.decisions.select("finding_id", "turn")
    return rows.join(turns, on="finding_id", how="left").select(
        pl.lit(office.region).alias("region"),
        pl.lit(office.clr_ym).alias("clr_ym"),
        *("fixmedins_code", "finding_id", "rule_id", "rule_name", "grade", "psn_no", "psn_name", "certno"),
        pl.col("vola_cont_en" if office.lang == EN else "vola_cont").alias("vola_cont"),
        *("limit_amt", "final_amt", "reply"),
        pl.col("reply_reason").fill_null(""),
        *("decision", "decision_reason", "reviewer", "decided_on", "turn"),
        lost=(pl.col("limit_amt") - pl.col("final_amt")).cast(MONEY),
    )


def _summed(rows: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """How many of a group's decided findings were overruled, and what it cost."""
    withdrawn, partly = (pl.col("decision") == outcome for outcome in OVERRULED)
    sums = rows.group_by(by).agg(
        pl.len().cast(pl.Int64).alias("findings"),
        withdrawn.sum().cast(pl.Int64).alias("withdrawn"),
        partly.sum().cast(pl.Int64).alias("partly"),
        pl.col(AMOUNTS).filter(pl.col("decision").is_in(OVERRULED)).sum().cast(MONEY),
    )
    overruled = pl.col("withdrawn") + pl.col("partly")
    shared = sums.filter(overruled > 0).with_columns(share=overruled / pl.col("findings"))
    return shared.sort("lost", *by, descending=[True, *(False for _ in by)])
