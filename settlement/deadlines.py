"""时限监测: by when each batch must be paid, who has to act now, and which batches will not make it.

The clock of a batch runs in working days from the day of declaration, which is not counted, to the day it is
paid (or carried forward, or refused); what happens on one day costs no time. Feedback time is inside the
limit. Only HOLD stops the clock: the working days from the day of the hold up to the day before it is
resumed are added to the limit. The clock stops when the bank is ordered to pay and stays stopped once the
bank has paid, on that day; when a transfer failed, or the bank does not answer, it runs on. Everything is
reckoned on ordinals of working days, a join per date.
Source: the regions' lists (9, 25, 30 working days, 次月底前); 民法典 arts 201, 203; 国务院令第735号 art 30.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import polars as pl

from settlement import procedure as p
from settlement.errors import PolicyError
from settlement.policy import Deadline, Profile
from settlement.workdays import Calendar, Due

Profiles = Mapping[str, Profile]

# Day of the first entry into a state, by state.
ENTERED = {
    p.ACCEPTED: "accepted_on",
    p.PRELIM: "prelim_on",
    p.FEEDBACK: "feedback_on",
    p.REVIEW: "review_on",
    p.SETTLED: "settled_on",
    p.APPROVED: "approved_on",
    p.PAID: "paid_on",
    p.CARRIED: "carried_on",
    p.RETURNED: "returned_on",
    p.CLOSED: "closed_on",
}
FINISHED = (p.PAID, p.CARRIED, p.RETURNED, p.CLOSED)
# Stages in order: the latest day to be through with it, and the parameter with its working days.
STAGES = (
    ("accept_by", "stage_days_accept"),
    ("audit_by", "stage_days_audit"),
    ("feedback_by", "feedback_days"),
    ("review_by", "stage_days_review"),
    ("settle_by", "stage_days_settle"),
    ("approve_by", "stage_days_approve"),
    ("limit_on", "stage_days_pay"),
)
# By state: what is to be done, who does it, and the latest day for it.
ACTS = {
    p.DECLARED: ("intake", p.RECEPTION, "accept_by"),
    p.ACCEPTED: ("audit", p.FIRST_REVIEW, "audit_by"),
    p.PRELIM: ("notify", p.FIRST_REVIEW, "audit_by"),
    p.FEEDBACK: ("close_feedback", p.SECOND_REVIEW, "feedback_by"),
    p.REVIEW: ("review", p.SECOND_REVIEW, "review_by"),
    p.SETTLED: ("approve", p.LEADER, "approve_by"),
    p.APPROVED: ("disburse", p.FINANCE, "limit_on"),
    p.PAID: ("close", p.FINANCE, ""),
    p.CARRIED: ("close", p.FINANCE, ""),
    p.HOLD: ("resume", p.LEADER, ""),
}
# What the bank says of the newest orders of a batch: one has failed, one is not answered, all are paid.
FAILED, WAITING, ALL_PAID = "failed", "waiting", "paid"
BANK = {"bank": pl.String, "bank_day": pl.Date}
# What is to be done with a batch that was ordered to be paid.
BANK_DEEDS = {FAILED: "disburse", WAITING: "receipt"}
GREEN, YELLOW, RED, PAUSED, DONE, UNKNOWN = "green", "yellow", "red", "paused", "done", "unknown"
COLOURS = (RED, YELLOW, GREEN, PAUSED, UNKNOWN, DONE)

_START = ("region", "clr_ym", "declared_on", "stopped")
_TARGETS = tuple(name for name, _ in STAGES[:-1])
_LIMITS = {
    **dict.fromkeys(("limit_legal", "limit_cautious", "limit_on", *_TARGETS), pl.Date),
    **dict.fromkeys(("total", "red_at", "yellow_at", "bank_days"), pl.Int32),
    "fault": pl.String,
}
WATCH = (
    "region",
    "clr_ym",
    "fixmedins_code",
    "fixmedins_name",
    "batch_id",
    "state",
    "held",
    "declared_on",
    "accepted_on",
    "prelim_on",
    "feedback_on",
    "answer_by",
    *(name for state, name in ENTERED.items() if state not in (p.ACCEPTED, p.PRELIM, p.FEEDBACK)),
    "since",
    "stopped",
    *_TARGETS,
    "limit_legal",
    "limit_cautious",
    "limit_on",
    "total",
    "days_used",
    "days_left",
    "colour",
    "role",
    "deed",
    "act_by",
    "behind",
    "overdue",
    "finished",
    "finished_on",
    "bank",
    "bank_day",
    "unpaid",
    "on_time",
    "fault",
)


def due(
    deadline: Deadline, calendar: Calendar, declared_on: dt.date, claim_month: dt.date, stopped: int = 0
) -> Due:
    """Return by when a batch must be paid.

    Args:
        deadline: the region's rule.
        calendar: the working days.
        declared_on: day of the last declaration; not counted.
        claim_month: any day of the month claimed.
        stopped: working days on hold; the limit moves by exactly as many working days.

    Raises:
        PolicyError: the limit lies beyond the loaded calendar; the text names the file to add.
    """
    base = calendar.deadline(deadline, declared_on, claim_month)
    return Due(*(calendar.shift(day, stopped) for day in (base.legal, base.cautious, base.on)))


def window_after(calendar: Calendar, answer_by: dt.date, held_on: dt.date, resumed_on: dt.date) -> dt.date:
    """Return the last day of a feedback window after a hold.

    It moves by the working days on hold, counted as for the limit: from the day of the hold to the day
    before it ends. A window that was over before the hold stays over.

    Raises:
        PolicyError: the day lies beyond the loaded calendar; the text names the file to add.
    """
    stopped = calendar.remaining(held_on, resumed_on)
    stopped += calendar.is_workday(held_on) - calendar.is_workday(resumed_on)
    return calendar.shift(answer_by, stopped) if held_on <= answer_by and stopped > 0 else answer_by


def watch(
    batches: pl.DataFrame, stages: pl.DataFrame, profiles: Profiles, calendar: Calendar, today: dt.date
) -> pl.DataFrame:
    """Return the state of the clock of every batch, one row each.

    Args:
        batches: region, clr_ym (yyyyMM), fixmedins_code, fixmedins_name, batch_id, state, held (the state
            it was held from), declared_on, answer_by (null until the findings were sent); and, if known,
            undecided: findings still without a decision; bank (of the newest order of each fund: `failed`
            when one is, else `waiting` for an answer, else `paid`; null when nothing was ordered) and
            bank_day (the last transfer that failed or was paid; the oldest order that waits).
        stages: batch_id, seq, to_state, day; every move there ever was.
        profiles: the policy of each region.
        calendar: the working days.
        today: the day the sheet is made for.

    Returns:
        The columns `WATCH`, by region, month, institution and batch. Days (`stopped`, `total`, `days_used`,
        `days_left`) are working days. `total`: from declaration to limit, stopped days included. `days_left`:
        after today (the day of payment, the last day before a hold) until the limit. On hold no limit
        runs, so the limit and targets are empty. A target (`accept_by` … `approve_by`) is the latest day that
        still leaves the plan's days to all later stages. `act_by`: the target of what is due now, or
        `answer_by` while an institution may answer; `behind`: it is past. `finished`: paid by order, carried
        or refused. `unpaid`: ordered, but a transfer failed or the bank has been silent for more than
        `bank_answer_days`; light, `overdue` and the limit are then as before payment, and there is no
        `finished_on`, which is otherwise the last transfer the bank has paid, while it has not answered the
        order. `fault` says why a limit is not known; that batch's colour is `unknown`, the others are not
        touched.

    Raises:
        PolicyError: `today` itself is outside the calendar, or a region has no profile.
    """
    calendar.is_workday(today)
    days = calendar.ordinals()
    unknown = {name: pl.lit(None, dtype) for name, dtype in BANK.items() if name not in batches.columns}
    rows = (
        batches.with_columns(**unknown)
        .join(_entered(stages), on="batch_id", how="left")
        .join(_holds(batches, stages, days), on="batch_id", how="left")
        .with_columns(pl.col("stopped").fill_null(0))
    )
    rows = rows.join(_limits(rows, profiles, calendar), on=_START, how="left")
    rows = _colours(_clock(rows, days, today))
    return _acts(rows, today).select(WATCH).sort("region", "clr_ym", "fixmedins_code", "batch_id")


def _entered(stages: pl.DataFrame) -> pl.DataFrame:
    """Return the day each batch first entered each state, and the day it last moved."""
    days = (pl.when(pl.col("to_state") == state).then("day").alias(name) for state, name in ENTERED.items())
    wide = stages.select("batch_id", "day", *days)
    return wide.group_by("batch_id").agg(pl.col(ENTERED.values()).min(), since=pl.col("day").max())


def _holds(batches: pl.DataFrame, stages: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    """Return batches ever held: stopped (by ended holds), stopped_at (of an open one, on the clock)."""
    held = stages.filter(pl.col("to_state") == p.HOLD).select("batch_id").unique()
    begun = days.select(pl.col("date").alias("declared_on"), pl.col("upto").alias("begun"))
    spans = (
        stages.join(held, on="batch_id", how="semi")
        .sort("batch_id", "seq")
        .with_columns(resumed=pl.col("day").shift(-1).over("batch_id"))
        .filter(pl.col("to_state") == p.HOLD)
        .join(batches.select("batch_id", "declared_on"), on="batch_id")
        .join(begun, on="declared_on", how="left")
        .join(days.select(day="date", from_day="before"), on="day", how="left")
        .join(days.select(resumed="date", until="before"), on="resumed", how="left")
        # The day of declaration is not counted, so holding it stops nothing.
        .with_columns(at=pl.max_horizontal("from_day", "begun"))
    )
    lost = (pl.col("until") - pl.col("at")).clip(lower_bound=0)
    return spans.group_by("batch_id").agg(
        stopped=lost.sum().cast(pl.Int32),
        stopped_at=pl.col("at").filter(pl.col("resumed").is_null()).last(),
    )


def _limits(rows: pl.DataFrame, profiles: Profiles, calendar: Calendar) -> pl.DataFrame:
    """Return the limit of every distinct start: few, however many institutions declare on one day."""
    starts = rows.select(_START).unique().sort(_START)
    found = [{**start, **_limit(start, profiles, calendar)} for start in starts.iter_rows(named=True)]
    return pl.DataFrame(found, schema={**starts.schema, **_LIMITS})


def _limit(start: dict[str, Any], profiles: Profiles, calendar: Calendar) -> dict[str, Any]:
    if start["region"] not in profiles:
        raise PolicyError(f"没有统筹区 {start['region']} 的政策档案,无法计算时限。")
    profile, declared_on = profiles[start["region"]], start["declared_on"]
    month = dt.date(int(start["clr_ym"][:4]), int(start["clr_ym"][4:]), 1)
    try:
        limit = due(profile.deadline, calendar, declared_on, month, start["stopped"])
        targets = _targets(profile, calendar, declared_on, limit.on)
        total = calendar.remaining(declared_on, limit.on)
        share = int((total - start["stopped"]) * profile.ratio("deadline_yellow_ratio", declared_on))
        return {
            "limit_legal": limit.legal,
            "limit_cautious": limit.cautious,
            "limit_on": limit.on,
            **targets,
            "total": total,
            "red_at": int(profile.value("deadline_red_days", declared_on)),
            "yellow_at": max(int(profile.value("deadline_yellow_days", declared_on)), share),
            "bank_days": int(profile.value("bank_answer_days", declared_on)),
        }
    except PolicyError as fault:
        return {"fault": str(fault)}


def _targets(
    profile: Profile, calendar: Calendar, declared_on: dt.date, limit: dt.date
) -> dict[str, dt.date]:
    """Return the latest day of every stage: the limit less the days planned for the stages after it."""
    found, later = {}, 0
    for name, parameter in reversed(STAGES):
        found[name] = calendar.shift(limit, -later)
        later += int(profile.value(parameter, declared_on))
    return {name: found[name] for name in _TARGETS}


def _clock(rows: pl.DataFrame, days: pl.DataFrame, today: dt.date) -> pl.DataFrame:
    """Add the working days used and left; the clock stands still on hold and once finished."""
    now = days.filter(pl.col("date") == today)["upto"].item()
    paused = pl.col("state") == p.HOLD
    rows = _paid(rows, days, now)
    rows = rows.join(days.select(declared_on="date", begun="upto"), on="declared_on", how="left")
    rows = rows.join(days.select(finished_on="date", ended="upto"), on="finished_on", how="left")
    ended = pl.col("finished") & ~pl.col("unpaid")
    clock = pl.when(ended).then("ended").when(paused).then("stopped_at").otherwise(pl.lit(now))
    run = clock.cast(pl.Int32) - pl.col("begun")
    on_time = pl.when(pl.col("state") != p.RETURNED).then(pl.col("finished_on") <= pl.col("limit_on"))
    return rows.with_columns(
        days_used=(run - pl.col("stopped")).clip(lower_bound=0),
        days_left=pl.col("total") - run,
        overdue=~ended & ~paused & (pl.col("limit_on") < today).fill_null(value=False),
        on_time=on_time,
    )


def _paid(rows: pl.DataFrame, days: pl.DataFrame, now: int) -> pl.DataFrame:
    """Add finished, unpaid and finished_on: an order is a payment until the bank fails it or stays silent."""
    rows = rows.join(days.select(bank_day="date", asked="upto"), on="bank_day", how="left")
    silent = (pl.col("bank") == WAITING) & (now - pl.col("asked") > pl.col("bank_days"))
    unpaid = (pl.col("state") == p.PAID) & ((pl.col("bank") == FAILED) | silent)
    # A failed transfer ordered anew was not paid on the day of the first order.
    paid_on = pl.max_horizontal("paid_on", pl.when(pl.col("bank") != FAILED).then("bank_day"))
    ended_on = pl.when(pl.col("paid_on").is_not_null()).then(paid_on)
    return rows.with_columns(
        finished=pl.col("state").is_in(FINISHED), unpaid=unpaid.fill_null(value=False)
    ).with_columns(
        finished_on=pl.when(~pl.col("unpaid")).then(pl.coalesce(ended_on, "carried_on", "returned_on"))
    )


def _colours(rows: pl.DataFrame) -> pl.DataFrame:
    paused, left = pl.col("state") == p.HOLD, pl.col("days_left")
    colour = (
        pl.when(pl.col("finished") & ~pl.col("unpaid"))
        .then(pl.lit(DONE))
        .when(paused)
        .then(pl.lit(PAUSED))
        .when(left.is_null())
        .then(pl.lit(UNKNOWN))
        .when(left <= pl.col("red_at"))
        .then(pl.lit(RED))
        .when(left <= pl.col("yellow_at"))
        .then(pl.lit(YELLOW))
        .otherwise(pl.lit(GREEN))
    )
    limits = ("limit_legal", "limit_cautious", "limit_on", *_TARGETS)
    return rows.with_columns(pl.when(~paused).then(pl.col(limits)), colour=colour)


def _acts(rows: pl.DataFrame, today: dt.date) -> pl.DataFrame:
    """Add who must do what by when: by the state, except that a running window is the institution's."""
    acts = pl.DataFrame(
        [(state, deed, role, by) for state, (deed, role, by) in ACTS.items()],
        schema=["state", "deed", "role", "target"],
        orient="row",
    )
    undecided = pl.col("undecided") if "undecided" in rows.columns else pl.lit(None, pl.Int32)
    answering = (pl.col("state") == p.FEEDBACK) & (pl.col("answer_by") >= today)
    decided = (pl.col("state") == p.REVIEW) & (undecided == 0)
    ordered = pl.col("state") == p.PAID
    target = (
        pl.when(answering).then("answer_by").when(decided).then("settle_by").when("unpaid").then("limit_on")
    )
    for name in (*_TARGETS, "limit_on"):
        target = target.when(pl.col("target") == name).then(name)
    rows = rows.join(acts, on="state", how="left").with_columns(
        deed=pl.when(answering)
        .then(pl.lit("reply"))
        .when(decided)
        .then(pl.lit("calculate"))
        .when(ordered)
        .then(
            pl.coalesce(
                pl.col("bank").replace_strict(BANK_DEEDS, default=None, return_dtype=pl.String), "deed"
            )
        )
        .otherwise("deed"),
        role=pl.when(answering)
        .then(pl.lit(p.INSTITUTION))
        .when(decided)
        .then(pl.lit(p.SETTLEMENT))
        .otherwise("role"),
        act_by=target,
    )
    return rows.with_columns(behind=(pl.col("act_by") < today).fill_null(value=False))


def is_open() -> pl.Expr:
    """Whether a watched batch still needs somebody to make its payment happen."""
    return ~pl.col("finished") | pl.col("unpaid")


def summary(watched: pl.DataFrame) -> pl.DataFrame:
    """Return one row per region and month: how many batches are where, what is nearest, who waits longest.

    Columns: region, clr_ym, batches, one count per state (named as the state) and per colour, next_limit
    and least_left (of batches that run), on_time and late (of those paid or carried), behind (stage targets
    past), oldest_role, oldest_deed, oldest_since (of those unfinished or unpaid).
    """
    running = is_open() & (pl.col("state") != p.HOLD)
    unfinished = pl.col("role", "deed", "since").filter(is_open())
    return (
        watched.sort("since", "batch_id")
        .group_by("region", "clr_ym")
        .agg(
            pl.len().cast(pl.Int32).alias("batches"),
            unfinished.first().name.prefix("oldest_"),
            *((pl.col("state") == state).sum().cast(pl.Int32).alias(state) for state in p.STATES),
            *((pl.col("colour") == colour).sum().cast(pl.Int32).alias(colour) for colour in COLOURS),
            next_limit=pl.col("limit_on").filter(running).min(),
            least_left=pl.col("days_left").filter(running).min(),
            on_time=pl.col("on_time").sum().cast(pl.Int32),
            late=(~pl.col("on_time")).sum().cast(pl.Int32),
            behind=pl.col("behind").sum().cast(pl.Int32),
        )
        .sort("region", "clr_ym")
    )
