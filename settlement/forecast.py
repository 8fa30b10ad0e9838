"""Which batches will not be paid in time at the present pace.

The pace of a state is the median of the working days that batches of the same region stayed in it, among
those that left it in the last three months and were never held; with fewer than three of them it is the plan
of the policy. A batch still needs the pace of the states ahead of it and what is left of the one it is in; a
running feedback window counts to its last day.
"""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import Any

import polars as pl

from settlement import procedure as p
from settlement.deadlines import ENTERED, Profiles
from settlement.workdays import Calendar, missing_year

# By state, in order: the parameters that hold the working days planned for it.
PLAN = {
    p.DECLARED: ("stage_days_accept",),
    p.ACCEPTED: ("stage_days_audit",),
    p.PRELIM: (),
    p.FEEDBACK: ("feedback_days",),
    p.REVIEW: ("stage_days_review", "stage_days_settle"),
    p.SETTLED: ("stage_days_approve",),
    p.APPROVED: ("stage_days_pay",),
}
PACE_DAYS = 92
FEWEST = 3
FORECAST = (
    "region",
    "clr_ym",
    "fixmedins_code",
    "fixmedins_name",
    "batch_id",
    "state",
    "held",
    "role",
    "deed",
    "answer_by",
    "overdue",
    "need",
    "days_left",
    "expected_on",
    "limit_on",
    "late",
    "slowest",
    "slowest_pace",
    "slowest_plan",
    "measured",
    "fault",
)


def forecast(watched: pl.DataFrame, profiles: Profiles, calendar: Calendar, today: dt.date) -> pl.DataFrame:
    """Return when each unfinished batch will be paid at the present pace, the latest against its limit first.

    Args:
        watched: what `deadlines.watch` gave; the pace is taken from the same batches.
        profiles: the policy of each region.
        calendar: the working days.
        today: the day of the forecast.

    Returns:
        The columns `FORECAST`. need: working days still needed (for a held batch, once it is resumed).
        expected_on: empty on hold and beyond the calendar, then `fault` says so. late: need > days_left;
        null when the limit is not known. slowest: the state ahead that takes longest, with its pace and
        plan in working days; measured: how many batches its pace is the median of, 0 when it is the plan.
    """
    days = calendar.ordinals()
    now = days.filter(pl.col("date") == today)["upto"].item()
    paused = pl.col("state") == p.HOLD
    rows = (
        watched.filter(~pl.col("finished"))
        .with_columns(at=pl.when(paused).then("held").otherwise("state"))
        .join(_pace(watched, profiles, days, today), left_on=["region", "at"], right_on=["region", "state"])
        .join(days.select(since="date", came="upto"), on="since", how="left")
        .join(days.select(answer_by="date", closes="upto"), on="answer_by", how="left")
    )
    answering = (pl.col("state") == p.FEEDBACK) & (pl.col("answer_by") >= today)
    rest = (
        pl.when(answering)
        .then(pl.coalesce(pl.col("closes") - now, "pace"))
        .when(paused)
        .then("pace")
        .otherwise((pl.col("pace") - (now - pl.col("came")).clip(lower_bound=0)).clip(lower_bound=0))
    )
    rows = rows.with_columns(need=(rest + pl.col("after")).cast(pl.Int32))
    rows = _expected(rows, days, now, today).with_columns(
        late=pl.col("overdue") | (pl.col("need") > pl.col("days_left"))
    )
    unknown = pl.when(~paused & pl.col("expected_on").is_null()).then(
        pl.lit(str(missing_year(calendar.last.year + 1)))
    )
    spare = (pl.col("days_left") - pl.col("need")).alias("spare")
    return (
        rows.with_columns(spare, fault=pl.coalesce("fault", unknown))
        .sort("spare", "region", "clr_ym", "fixmedins_code", "batch_id", nulls_last=True)
        .select(FORECAST)
    )


def _expected(rows: pl.DataFrame, days: pl.DataFrame, now: int, today: dt.date) -> pl.DataFrame:
    """Add the working day on which what is needed is done; today when nothing is."""
    work = days.filter(pl.col("upto") > pl.col("before")).select(reached="upto", then="date")
    rows = rows.with_columns(reached=pl.col("need") + now).join(work, on="reached", how="left")
    then = pl.when(pl.col("need") == 0).then(pl.lit(today)).otherwise("then")
    return rows.with_columns(expected_on=pl.when(pl.col("state") != p.HOLD).then(then))


def _pace(watched: pl.DataFrame, profiles: Profiles, days: pl.DataFrame, today: dt.date) -> pl.DataFrame:
    """Return per region and state: pace, after (pace of the states behind it), and the slowest ahead."""
    medians = {(row[0], row[1]): row[2:] for row in _medians(watched, days, today).iter_rows()}
    found: list[dict[str, Any]] = []
    for region in watched["region"].unique().sort():
        plans = [sum(int(profiles[region].value(name, today)) for name in names) for names in PLAN.values()]
        known = [medians.get((region, state), (plan, 0)) for state, plan in zip(PLAN, plans, strict=True)]
        ahead = [
            (int(pace), plan, measured, state)
            for state, plan, (pace, measured) in zip(PLAN, plans, known, strict=True)
        ]
        for i, (pace, _, _, state) in enumerate(ahead):
            slowest = max(ahead[i:], key=lambda stage: stage[0])
            found.append(
                {
                    "region": region,
                    "state": state,
                    "pace": pace,
                    "after": sum(stage[0] for stage in ahead[i + 1 :]),
                    **dict(
                        zip(("slowest_pace", "slowest_plan", "measured", "slowest"), slowest, strict=True)
                    ),
                }
            )
    numbers = dict.fromkeys(("pace", "after", "slowest_pace", "slowest_plan", "measured"), pl.Int32)
    schema = {"region": pl.String, "state": pl.String, **numbers, "slowest": pl.String}
    return pl.DataFrame(found, schema=schema)


def _medians(watched: pl.DataFrame, days: pl.DataFrame, today: dt.date) -> pl.DataFrame:
    """Return the median stay per region and state, in whole working days, half a day counted as one."""
    entered = ["declared_on", *(ENTERED[state] for state in list(PLAN)[1:]), "finished_on"]
    free = watched.filter((pl.col("stopped") == 0) & (pl.col("state") != p.HOLD))
    stays = pl.concat(
        free.select("region", pl.lit(state).alias("state"), came=came, left=left)
        for state, (came, left) in zip(PLAN, pairwise(entered), strict=True)
    )
    return (
        stays.filter(pl.col("left").is_between(today - dt.timedelta(PACE_DAYS), today))
        .join(days.select(came="date", first="upto"), on="came")
        .join(days.select(left="date", last="upto"), on="left")
        .group_by("region", "state")
        .agg(pace=(pl.col("last") - pl.col("first")).median().ceil(), measured=pl.len())
        .filter(pl.col("measured") >= FEWEST)
    )
