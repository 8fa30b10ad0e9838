"""Late batches: limit, day of payment, working days over it, and with whom each lay longest."""

from __future__ import annotations

import polars as pl

from jobs import status
from jobs.scope import Scope
from settlement import deadlines, store, workdays
from settlement import procedure as p
from settlement.labels import EN, label
from settlement.reports.pages import Page
from settlement.store import evidence

BANK = "bank"
# With whom a batch lies, by state; while an institution may answer it lies with the institution.
WITH = {state: role for state, (_, role, _) in deadlines.ACTS.items()} | {p.PAID: BANK}
KEY = ("region", "clr_ym", "fixmedins_code")
PLACE = (
    ("region", "centre", 10.0), ("clr_ym", "centre", 9.0), ("fixmedins_code", "text", 15.0),
    ("fixmedins_name", "wrap", 26.0),
)  # fmt: skip
LATE = (
    *PLACE, ("state", "centre", 10.0), ("declared_on", "date", 11.0), ("limit_on", "date", 11.0),
    ("finished_on", "date", 11.0), ("days_over", "count", 9.0), ("longest_state", "centre", 12.0),
    ("longest_role", "centre", 11.0), ("longest_days", "count", 9.0), ("ended_by", "text", 14.0),
    ("stopped", "count", 9.0),
)  # fmt: skip
STAYS = (
    *PLACE, ("seq", "centre", 6.0), ("state", "centre", 12.0), ("role", "centre", 11.0),
    ("since", "date", 11.0), ("until", "date", 11.0), ("workdays", "count", 9.0), ("ended_by", "text", 14.0),
)  # fmt: skip
SUMMARY = (
    ("region", "centre", 10.0), ("clr_ym", "centre", 9.0), ("batches", "count", 9.0),
    ("on_time", "count", 9.0), ("late", "count", 9.0), ("open", "count", 9.0),
    ("late_open", "count", 9.0), ("rate", "ratio", 9.0),
    ("worst", "count", 9.0),
)  # fmt: skip


def pages(scope: Scope) -> list[Page]:
    """Return the sheets: late batches, how long they lay where, on time and late by month."""
    days = workdays.load(scope.home.home / "calendars")
    watched = status.clock(scope.home, scope.region, scope.today, days).filter(scope.covers())
    late = watched.filter(_late() | pl.col("overdue")).with_columns(days_over=-pl.col("days_left"))
    with scope.home.engine.connect() as db:
        steps = evidence.actors_of_steps(db).join(late, on="batch_id", how="semi")
    stays = _stays(scope, steps, late, days.ordinals())
    return [
        Page("audit.sheet_late", _rows(scope, late, stays), LATE, (label("audit.note_late", scope.lang),),
             frozen=4),
        Page("audit.sheet_stays", _words(scope, stays).select(n for n, _, _ in STAYS), STAYS, frozen=4),
        Page("audit.sheet_on_time", _summary(watched), SUMMARY,
             summed=("batches", "on_time", "late", "open", "late_open")),
    ]  # fmt: skip


def _late() -> pl.Expr:
    return (~pl.col("on_time")).fill_null(value=False)


def _stays(scope: Scope, steps: pl.DataFrame, late: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    """How many working days each late batch lay in each state until it was paid, and with whom."""
    end = pl.coalesce("finished_on", pl.lit(scope.today)).alias("end")
    facts = late.select("batch_id", *KEY, "fixmedins_name", "answer_by", end)
    rows = steps.sort("batch_id", "seq").with_columns(
        pl.col("day").alias("since"),
        pl.col("day").shift(-1).over("batch_id").alias("until"),
        pl.col("actor").shift(-1).over("batch_id").alias("ended_by"),
        pl.col("to_state").alias("state"),
        pl.col("to_state").replace_strict(WITH, default="").alias("role"),
    )
    # What happens after the payment is late for nobody; a payment lies with the bank until it answers.
    rows = rows.join(facts, on="batch_id").filter(pl.col("since") <= pl.col("end"))
    paid = pl.col("state") == p.PAID
    until = (
        pl.when(paid).then("end").otherwise(pl.min_horizontal(pl.col("until").fill_null(scope.today), "end"))
    )
    rows = _halved(rows.with_columns(until.alias("until"))).filter(pl.col("role") != "")
    since = days.select(pl.col("date").alias("since"), pl.col("upto").alias("from_day"))
    to = days.select(pl.col("date").alias("until"), pl.col("upto").alias("to_day"))
    counted = rows.join(since, on="since", how="left").join(to, on="until", how="left")
    return counted.with_columns(workdays=(pl.col("to_day") - pl.col("from_day")).cast(pl.Int64)).sort(
        *KEY, "batch_id", "seq", "since"
    )


def _halved(rows: pl.DataFrame) -> pl.DataFrame:
    """Split the wait for answers: the institution's until its last day, the reviewer's after that."""
    feedback = pl.col("state") == p.FEEDBACK
    last = pl.min_horizontal("until", "answer_by")
    theirs = rows.filter(feedback).with_columns(pl.lit(p.INSTITUTION).alias("role"), until=last)
    ours = rows.filter(feedback & (pl.col("until") > pl.col("answer_by"))).with_columns(
        since=pl.col("answer_by")
    )
    return pl.concat([rows.filter(~feedback), theirs, ours])


def _rows(scope: Scope, late: pl.DataFrame, stays: pl.DataFrame) -> pl.DataFrame:
    first = stays.sort("workdays", "seq", descending=[True, False]).unique("batch_id", keep="first")
    longest = _words(scope, first).select(
        "batch_id",
        pl.col("state").alias("longest_state"),
        pl.col("role").alias("longest_role"),
        pl.col("workdays").alias("longest_days"),
        "ended_by",
    )
    rows = late.join(longest, on="batch_id", how="left").with_columns(_states(scope))
    return rows.sort("days_over", *KEY, descending=[True, False, False, False])


def _words(scope: Scope, stays: pl.DataFrame) -> pl.DataFrame:
    roles = {role: words[scope.lang == EN] for role, words in p.ROLES.items()}
    roles[BANK] = label("audit.bank", scope.lang)
    people = store.users.full_names(scope.home)
    return stays.with_columns(
        _states(scope), pl.col("role").replace(roles), pl.col("ended_by").replace(people).fill_null("")
    )


def _states(scope: Scope) -> pl.Expr:
    return pl.col("state").replace({state: words[scope.lang == EN] for state, words in p.STATES.items()})


def _summary(watched: pl.DataFrame) -> pl.DataFrame:
    ended = pl.col("on_time").is_not_null()
    sums = watched.group_by("region", "clr_ym").agg(
        pl.len().cast(pl.Int64).alias("batches"),
        pl.col("on_time").fill_null(value=False).sum().cast(pl.Int64),
        _late().sum().cast(pl.Int64).alias("late"),
        (~ended).sum().cast(pl.Int64).alias("open"),
        pl.col("overdue").sum().cast(pl.Int64).alias("late_open"),
        (-pl.col("days_left").min()).clip(lower_bound=0).cast(pl.Int64).alias("worst"),
    )
    done = pl.col("on_time") + pl.col("late")
    return sums.with_columns(rate=pl.when(done > 0).then(pl.col("on_time") / done)).sort("region", "clr_ym")
