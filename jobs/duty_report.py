"""Separation of duties: who audited, reviewed, approved and paid each batch, and what was refused.

What people did is read from the work itself (steps, decisions, signatures, orders), not from the list of
duties that keeps them apart; so the report would show a conflict even if that list were wrong.
"""

from __future__ import annotations

import polars as pl

from jobs.scope import Scope
from settlement import procedure as p
from settlement import store
from settlement.labels import EN, label
from settlement.reports.pages import Page
from settlement.store import evidence

AUDITED = (p.PRELIM, p.FEEDBACK)
COLUMNS = dict(zip(p.DUTIES, ("first", "second", "leader", "finance"), strict=True))
PLACE = (
    ("region", "centre", 10.0), ("clr_ym", "centre", 9.0), ("fixmedins_code", "text", 15.0),
    ("fixmedins_name", "wrap", 26.0), ("state", "centre", 10.0),
)  # fmt: skip
BATCHES = (
    *PLACE,
    *((f"{name}_{what}", kind, width) for name in COLUMNS.values()
      for what, kind, width in (("by", "wrap", 14.0), ("on", "date", 11.0))),
    ("conflict", "wrap", 14.0),
)  # fmt: skip
PEOPLE = (
    ("actor", "text", 20.0), ("full_name", "text", 14.0), ("roles", "wrap", 26.0),
    *((f"{name}_cnt", "count", 10.0) for name in COLUMNS.values()), ("duties", "count", 10.0),
    ("batches", "count", 10.0), ("since_on", "date", 11.0), ("last_on", "date", 11.0),
    ("automatic", "centre", 10.0),
)  # fmt: skip
CONFLICTS = (*PLACE, ("actor", "text", 20.0), ("duties_held", "wrap", 30.0))
REFUSED = (
    ("seq", "centre", 8.0), ("day", "date", 11.0), ("actor", "text", 16.0), ("action", "centre", 18.0),
    ("region", "centre", 10.0), ("clr_ym", "centre", 9.0), ("words", "wrap", 80.0),
)  # fmt: skip


def pages(scope: Scope) -> list[Page]:
    """Return the sheets: batches, people, conflicts (there are none), acts refused."""
    with scope.home.engine.connect() as db:
        batches = evidence.batches_of(db, scope.region).filter(scope.covers())
        done = evidence.duties_done(db, AUDITED, "review").join(batches, on="batch_id", how="semi")
        entered = evidence.duties_held(db).join(batches, on="batch_id", how="semi")
        refused = evidence.refused(db, scope.region)
    states = {state: words[scope.lang == EN] for state, words in p.STATES.items()}
    named = batches.join(scope.names(), on=["region", "fixmedins_code"], how="left").with_columns(
        pl.col("state").replace(states)
    )
    # The machine audits in nobody's name; robots of a trial are people here.
    people = done.filter(pl.col("actor") != p.MACHINE)
    every = pl.concat([people.drop("day"), entered.select("batch_id", "duty", "actor")]).unique()
    several = every.group_by("batch_id", "actor").agg(pl.col("duty").unique().sort())
    conflicts = several.filter(pl.col("duty").list.len() > 1)
    return [
        Page("audit.sheet_duty_batches", _batches(scope, named, done, conflicts), BATCHES, frozen=4,
             alarm="conflict"),
        Page("audit.sheet_people", _people(scope, people), PEOPLE, (label("audit.note_people", scope.lang),)),
        Page("audit.sheet_conflicts", _conflicts(scope, named, conflicts), CONFLICTS,
             (label("audit.note_conflicts", scope.lang).format(count=batches.height),), alarm="actor"),
        Page("audit.sheet_refused", _refused(scope, refused), REFUSED),
    ]  # fmt: skip


def _batches(
    scope: Scope, named: pl.DataFrame, done: pl.DataFrame, conflicts: pl.DataFrame
) -> pl.DataFrame:  # fmt: skip
    people = store.users.full_names(scope.home)
    rows = named
    for duty, name in COLUMNS.items():
        of = done.filter(pl.col("duty") == duty).sort("batch_id", "actor").group_by("batch_id").agg(
            pl.col("actor").replace(people).unique(maintain_order=True).str.join("、").alias(f"{name}_by"),
            pl.col("day").max().alias(f"{name}_on"),
        )  # fmt: skip
        rows = rows.join(of, on="batch_id", how="left")
    both = conflicts.group_by("batch_id").agg(pl.col("actor").sort().str.join("、").alias("conflict"))
    rows = rows.join(both, on="batch_id", how="left").with_columns(pl.col("conflict").fill_null(""))
    return rows.select(n for n, _, _ in BATCHES).sort("region", "clr_ym", "fixmedins_code")


def _people(scope: Scope, done: pl.DataFrame) -> pl.DataFrame:
    """Everybody with a duty: in how many batches which; several duties in different batches are lawful."""
    users = {user.name: user for user in store.users.users(scope.home)}
    roles = {n: "、".join(p.ROLES[r][scope.lang == EN] for r in user.roles) for n, user in users.items()}
    robots = list(p.ROBOTS)
    counts = (
        pl.col("batch_id").filter(pl.col("duty") == duty).n_unique().cast(pl.Int64).alias(f"{name}_cnt")
        for duty, name in COLUMNS.items()
    )
    rows = done.group_by("actor").agg(
        *counts,
        pl.col("duty").n_unique().cast(pl.Int64).alias("duties"),
        pl.col("batch_id").n_unique().cast(pl.Int64).alias("batches"),
        pl.col("day").min().alias("since_on"),
        pl.col("day").max().alias("last_on"),
    )
    yes = pl.lit(label("audit.yes", scope.lang))
    return rows.with_columns(
        pl.col("actor").replace(store.users.full_names(scope.home)).alias("full_name"),
        pl.col("actor").replace_strict(roles, default="").alias("roles"),
        pl.when(pl.col("actor").is_in(robots)).then(yes).otherwise(pl.lit("")).alias("automatic"),
    ).sort("duties", "actor", descending=[True, False])


def _conflicts(scope: Scope, named: pl.DataFrame, conflicts: pl.DataFrame) -> pl.DataFrame:
    words = {role: words[scope.lang == EN] for role, words in p.ROLES.items()}
    rows = conflicts.with_columns(
        pl.col("duty").list.eval(pl.element().replace(words)).list.join("、").alias("duties_held")
    )
    return (
        named.join(rows, on="batch_id").select(n for n, _, _ in CONFLICTS).sort("region", "clr_ym", "actor")
    )


def _refused(scope: Scope, refused: pl.DataFrame) -> pl.DataFrame:
    """Acts refused in the months covered, and those that concern no month."""
    deeds = {deed.name: deed.en if scope.lang == EN else deed.zh for deed in p.DEEDS.values()}
    mine = refused.filter(scope.covers() | (pl.col("clr_ym") == "") | (pl.col("region") == ""))
    return mine.select(
        "seq", "day", "actor", pl.col("action").replace(deeds), "region", "clr_ym",
        pl.col("after").str.json_path_match("$.words").alias("words"),
    )  # fmt: skip
