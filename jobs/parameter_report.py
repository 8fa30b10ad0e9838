"""Parameters, rules and reference tables that months were worked out with, and what changed between runs."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import polars as pl

from jobs.scope import Scope
from settlement import policy, store
from settlement.audit import rules_file
from settlement.labels import EN, label
from settlement.reports.pages import Page
from settlement.store import evidence

TEXTS = ("kind", "name", "label", "value", "from", "source", "article", "assumed")
FACTS: dict[str, Any] = {
    "region": pl.String, "clr_ym": pl.String, "run": pl.Int64, "ran_on": pl.Date,
    **dict.fromkeys(TEXTS, pl.String),
}  # fmt: skip
PARAMETER, RULE, REFERENCE, PROGRAM = "parameter", "rule", "reference", "program"
MONTHS = (("used_from", "centre", 10.0), ("used_to", "centre", 10.0), ("months", "count", 8.0))
PARAMETERS = (
    ("region", "centre", 10.0), ("name", "text", 28.0), ("label", "wrap", 34.0), ("value", "right", 14.0),
    ("from", "centre", 12.0), ("source", "wrap", 36.0), ("article", "wrap", 18.0), ("assumed", "centre", 8.0),
    *MONTHS,
)  # fmt: skip
RULES = (
    ("name", "centre", 9.0), ("label", "wrap", 40.0), ("value", "text", 20.0), ("regions", "wrap", 30.0),
    *MONTHS,
)  # fmt: skip
TABLES = (
    ("region", "centre", 10.0), ("name", "text", 24.0), ("value", "text", 20.0), ("rows", "count", 11.0),
    ("loaded_on", "date", 11.0), *MONTHS,
)  # fmt: skip
CHANGES = (
    ("region", "centre", 10.0), ("clr_ym", "centre", 9.0), ("run", "centre", 8.0), ("ran_on", "date", 11.0),
    ("what", "centre", 12.0), ("name", "text", 28.0), ("label", "wrap", 34.0), ("before", "right", 20.0),
    ("after", "right", 20.0), ("source", "wrap", 36.0),
)  # fmt: skip
SHORT = 16


def pages(scope: Scope) -> list[Page]:
    """Return the sheets: changes between runs, parameters, rules, reference tables."""
    facts = pl.concat(
        [
            pl.DataFrame(schema=FACTS),
            *(_facts(scope, office.region, office.first) for office in scope.offices),
        ]
    )
    used = facts.filter(pl.col("run") == pl.col("run").max().over("region", "clr_ym"))
    note = label("audit.note_changes", scope.lang)
    return [
        Page("audit.sheet_changes", _changes(facts, scope), CHANGES, (note,)),
        Page("audit.sheet_parameters", _used(used, PARAMETER), PARAMETERS, frozen=2),
        Page("audit.sheet_rules", _rules(used), RULES, frozen=2),
        Page("audit.sheet_references", _tables(scope, used), TABLES, frozen=2),
    ]


def _facts(scope: Scope, region: str, first: dt.date) -> pl.DataFrame:
    """What each run of a month rested on, one row a fact."""
    en = scope.lang == EN
    names = {rule.rule_id: rule.name_en if en else rule.name for rule in rules_file.load_all()}
    parts = []
    for run in store.runs(scope.home, region, first):
        told = json.loads(store.kept_path(scope.home, run, "run").read_text(encoding="utf-8"))
        rows = [_parameter(row, label("audit.yes", scope.lang)) for row in told["parameters"]]
        rows += [_plain(RULE, name, digest, names.get(name, "")) for name, digest in told["rules"].items()]
        rows += [_plain(REFERENCE, name, digest) for name, digest in told["reference"].items()]
        code = told["code"]
        rows.append(_plain(PROGRAM, "settlement", code["digest"], str(code["version"])))
        parts.append(
            pl.DataFrame(rows, schema=dict.fromkeys(TEXTS, pl.String), orient="row").select(
                pl.lit(region).alias("region"), pl.lit(f"{first:%Y%m}").alias("clr_ym"),
                pl.lit(run["id"], pl.Int64).alias("run"), pl.lit(run["ran_on"]).alias("ran_on"), *TEXTS,
            )
        )  # fmt: skip
    return pl.concat([pl.DataFrame(schema=FACTS), *parts])


def _parameter(row: dict[str, Any], yes: str) -> tuple[str, ...]:
    kept = (row["name"], row["label"], row["value"], row["from"], row["source"], row["article"])
    return (PARAMETER, *kept, yes if row["assumed"] else "")


def _plain(kind: str, name: str, digest: str, words: str = "") -> tuple[str, ...]:
    return (kind, name, words, digest[:SHORT], "", "", "", "")


def _used(used: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Each value with the months whose newest run used it."""
    by = ["region", *TEXTS[1:]]
    months = used.filter(pl.col("kind") == kind).group_by(by).agg(
        pl.col("clr_ym").min().alias("used_from"),
        pl.col("clr_ym").max().alias("used_to"),
        pl.col("clr_ym").n_unique().cast(pl.Int64).alias("months"),
    )  # fmt: skip
    return months.sort("region", "name", "used_from", "from", "value")


def _rules(used: pl.DataFrame) -> pl.DataFrame:
    """Each version of a rule with the regions and months whose newest run had it."""
    names = {region: policy.load(region).label for region in used["region"].unique()}
    each = used.filter(pl.col("kind") == RULE).group_by("name", "label", "value").agg(
        pl.col("region").replace(names).unique().sort().str.join("、").alias("regions"),
        pl.col("clr_ym").min().alias("used_from"),
        pl.col("clr_ym").max().alias("used_to"),
        pl.col("clr_ym").n_unique().cast(pl.Int64).alias("months"),
    )  # fmt: skip
    return each.sort("name", "used_from", "value")


def _tables(scope: Scope, used: pl.DataFrame) -> pl.DataFrame:
    """Every version of the reference tables, also those that no month used."""
    parts = [
        pl.DataFrame(
            schema={
                "region": pl.String,
                "name": pl.String,
                "value": pl.String,
                "rows": pl.Int64,
                "loaded_on": pl.Date,
            }
        )
    ]
    with scope.home.engine.connect() as db:
        for region in scope.regions:
            rows = evidence.references(db, region)
            cut = pl.col("digest").str.head(SHORT).alias("value")
            parts.append(rows.select(pl.lit(region).alias("region"), "name", cut, "rows", "loaded_on"))
    months = _used(used, REFERENCE).select("region", "name", "value", *(n for n, _, _ in MONTHS))
    every = pl.concat(parts).join(months, on=["region", "name", "value"], how="left")
    return every.with_columns(pl.col("months").fill_null(0)).sort("region", "name", "loaded_on", "value")


def _changes(facts: pl.DataFrame, scope: Scope) -> pl.DataFrame:
    """What a run used that the region's run before it did not: month by month, run by run."""
    key = ["region", "kind", "name"]
    runs = facts.select("region", "clr_ym", "run", "ran_on").unique().sort("region", "clr_ym", "run")
    before = pl.col("run").shift(1).over("region").alias("former")
    pairs = runs.with_columns(before).drop_nulls("former")
    now = facts.join(pairs.select("region", "run", "former"), on=["region", "run"])
    then = facts.select(*key, pl.col("run").alias("former"), pl.col("value").alias("before"))
    both = now.join(then, on=[*key, "former"], how="left")
    gone = then.join(pairs, on=["region", "former"]).join(
        now.select(*key, "former"), on=[*key, "former"], how="anti"
    )
    shown = ["region", "clr_ym", "run", "ran_on", "kind", "name", "label", "before", "after", "source"]
    moved = both.with_columns(pl.col("value").alias("after")).filter(
        pl.col("after").ne_missing(pl.col("before"))
    )
    ended = gone.with_columns(after=pl.lit(None, pl.String), label=pl.lit(""), source=pl.lit(""))
    rows = pl.concat([moved.select(shown), ended.select(shown)]).sort(
        "region", "clr_ym", "run", "kind", "name"
    )
    words = {
        kind: label(f"audit.changed_{kind}", scope.lang) for kind in (PARAMETER, RULE, REFERENCE, PROGRAM)
    }
    return rows.with_columns(pl.col("kind").replace(words).alias("what"))
