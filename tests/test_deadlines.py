"""The clock of a batch: limits, holds, stage targets, lights, who acts, the forecast and the sheet.

The clock is held against one that walks day by day.
"""

import datetime as dt
import time

import openpyxl
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from settlement import deadlines, policy, workdays
from settlement import procedure as p
from settlement.errors import PolicyError
from settlement.forecast import PLAN, forecast
from settlement.labels import label
from settlement.reports import deadline_sheet

CALENDAR = workdays.load()
PROFILES = {region: policy.load(region) for region in policy.regions()}
BATCH = {
    **dict.fromkeys(("region", "clr_ym", "fixmedins_code", "fixmedins_name", "batch_id", "state"), pl.String),
    "held": pl.String,
    "declared_on": pl.Date,
    "answer_by": pl.Date,
}
STAGE = {"batch_id": pl.String, "seq": pl.Int64, "to_state": pl.String, "day": pl.Date}
ORDER = (p.DECLARED, p.ACCEPTED, p.PRELIM, p.FEEDBACK, p.REVIEW, p.SETTLED, p.APPROVED, p.PAID, p.CLOSED)
RELAXED = settings(deadline=None, max_examples=60)
DAYS = st.dates(dt.date(2025, 1, 1), dt.date(2026, 8, 31))


def day(text):
    return dt.date.fromisoformat(text)


class Case:
    """One batch: its moves as (state, day) in order."""

    def __init__(self, *moves, region="langfang", month="202604", name="B1", answer_by=None, code="H1"):
        self.moves = [(state, day(on) if isinstance(on, str) else on) for state, on in moves]
        self.region, self.month, self.name, self.code = region, month, name, code
        self.answer_by = day(answer_by) if isinstance(answer_by, str) else answer_by

    def batch(self):
        state = self.moves[-1][0]
        held = self.moves[-2][0] if state == p.HOLD else None
        start = self.moves[0][1]
        return (self.region, self.month, self.code, "某医院", self.name, state, held, start, self.answer_by)

    def stages(self):
        return [(self.name, seq, state, on) for seq, (state, on) in enumerate(self.moves, start=1)]


def frames(*cases):
    batches = pl.DataFrame([case.batch() for case in cases], schema=BATCH, orient="row")
    stages = pl.DataFrame([row for case in cases for row in case.stages()], schema=STAGE, orient="row")
    return batches, stages


def watch(*cases, today):
    on = day(today) if isinstance(today, str) else today
    return deadlines.watch(*frames(*cases), PROFILES, CALENDAR, on)


def one(case, today):
    return watch(case, today=today).row(0, named=True)


def forecasts(*cases, today):
    return forecast(watch(*cases, today=today), PROFILES, CALENDAR, day(today))


def through(*days, states=ORDER, **about):
    """A batch that goes from state to state on the given days."""
    return Case(*zip(states, days, strict=False), **about)


# --- limit and hold ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("region", "on", "legal", "total"),
    [
        ("penglai", "2026-05-29", "2026-06-01", 16),
        ("langfang", "2026-06-18", "2026-06-18", 30),
        ("guide5", "2026-06-18", "2026-06-18", 30),
        ("qinghai", "2026-06-11", "2026-06-11", 25),
        ("daye", "2026-05-20", "2026-05-20", 9),
    ],
)
def test_the_limit_of_each_region_in_both_readings(region, on, legal, total):
    row = one(through("2026-05-08", region=region), "2026-05-08")
    assert (row["limit_on"], row["limit_cautious"], row["limit_legal"]) == (day(on), day(on), day(legal))
    assert (row["total"], row["days_used"], row["days_left"]) == (total, 0, total)


@pytest.mark.parametrize(
    ("held", "resumed", "stopped", "limit"),
    [
        ("2026-05-14", "2026-05-14", 0, "2026-05-20"),  # the same day costs nothing
        ("2026-05-14", "2026-05-15", 1, "2026-05-21"),  # the day of the hold counts as stopped
        ("2026-05-15", "2026-05-18", 1, "2026-05-21"),  # over a weekend: Friday alone
        ("2026-05-16", "2026-05-18", 0, "2026-05-20"),  # a weekend costs nothing
        ("2026-05-16", "2026-05-19", 1, "2026-05-21"),
        ("2026-05-08", "2026-05-11", 1, "2026-05-21"),  # Saturday 9 May is worked; the 8th is not counted
        ("2026-05-08", "2026-05-09", 0, "2026-05-20"),  # the day of declaration is not counted anyway
        ("2026-05-20", "2026-05-21", 1, "2026-05-21"),  # on the last day
        ("2026-05-14", "2026-06-15", 22, "2026-06-22"),
    ],
)
def test_a_hold_adds_the_working_days_from_its_day_to_the_day_before_it_ends(held, resumed, stopped, limit):
    moves = (
        (p.DECLARED, "2026-05-08"),
        (p.ACCEPTED, "2026-05-08"),
        (p.HOLD, held),
        (p.ACCEPTED, resumed),
    )
    row = one(Case(*moves, region="daye"), resumed)
    assert (row["stopped"], row["limit_on"]) == (stopped, day(limit))
    used = CALENDAR.remaining(day("2026-05-08"), day(resumed)) - stopped
    assert (row["days_used"], row["days_left"]) == (used, 9 - used)


def test_on_hold_no_limit_runs_and_what_is_left_stands_still():
    case = Case((p.DECLARED, "2026-05-08"), (p.ACCEPTED, "2026-05-09"), (p.HOLD, "2026-05-14"), region="daye")
    rows = [one(case, today) for today in ("2026-05-14", "2026-05-15", "2026-07-01")]
    for row in rows:
        assert (row["limit_on"], row["limit_legal"], row["limit_cautious"], row["act_by"]) == (None,) * 4
        assert (row["days_used"], row["days_left"], row["colour"]) == (4, 5, "paused")
        assert (row["role"], row["deed"], row["overdue"]) == (p.LEADER, "resume", False)


def test_several_holds_add_up_and_move_both_readings():
    moves = (
        (p.DECLARED, "2026-05-08"),
        (p.ACCEPTED, "2026-05-08"),
        (p.HOLD, "2026-05-12"),
        (p.ACCEPTED, "2026-05-13"),
        (p.HOLD, "2026-05-13"),
        (p.ACCEPTED, "2026-05-15"),
    )
    row = one(Case(*moves, region="penglai"), "2026-05-15")
    assert row["stopped"] == 3
    assert (row["limit_cautious"], row["limit_legal"]) == (day("2026-06-03"), day("2026-06-04"))
    assert row["limit_on"] == row["limit_cautious"]


def test_due_moves_with_the_days_on_hold():
    profile = PROFILES["daye"]
    due = deadlines.due(profile.deadline, CALENDAR, day("2026-05-08"), day("2026-04-01"), stopped=2)
    assert due.on == day("2026-05-22")


def walk(declared, moves, today):
    """The clock, day by day: working days used until today, and those held."""
    used = held = 0
    for ordinal in range(declared.toordinal() + 1, today.toordinal() + 1):
        now = dt.date.fromordinal(ordinal)
        state = [state for state, on in moves if on <= now][-1]
        if CALENDAR.is_workday(now):
            used, held = (used, held + 1) if state == p.HOLD else (used + 1, held)
    return used, held


@st.composite
def held_cases(draw):
    """A batch with up to three holds, on sorted days, and a day to look at it."""
    declared = draw(DAYS)
    offsets = sorted(draw(st.lists(st.integers(0, 45), min_size=2, max_size=7)))
    region = draw(st.sampled_from(sorted(PROFILES)))
    days = [declared + dt.timedelta(offset) for offset in offsets]
    moves = [(p.DECLARED, declared), (p.ACCEPTED, declared)]
    states = (p.HOLD, p.ACCEPTED) * 4
    moves += list(zip(states, days[:-1], strict=False))
    month = (declared.replace(day=1) - dt.timedelta(1)).strftime("%Y%m")
    return Case(*moves, region=region, month=month), days[-1]


@RELAXED
@given(held_cases())
def test_the_clock_agrees_with_one_that_walks_day_by_day(drawn):
    case, today = drawn
    row = one(case, today)
    used, held = walk(case.moves[0][1], case.moves, today)
    assert row["days_used"] == used
    if row["state"] != p.HOLD:
        assert row["stopped"] == held
    running = row["total"] - row["stopped"]
    assert row["days_left"] == running - used
    if PROFILES[case.region].deadline.kind == "workdays":
        assert running == PROFILES[case.region].deadline.days


@RELAXED
@given(DAYS, st.sampled_from(sorted(PROFILES)), st.integers(0, 20), st.integers(0, 15))
def test_a_hold_of_n_working_days_moves_the_limit_by_exactly_n(declared, region, after, n):
    held = CALENDAR.add(declared, after + 1)
    resumed = CALENDAR.shift(held, n)
    month = (declared.replace(day=1) - dt.timedelta(1)).strftime("%Y%m")
    moves = [(p.DECLARED, declared), (p.ACCEPTED, declared)]
    free = one(Case(*moves, region=region, month=month), resumed)
    moves += [(p.HOLD, held), (p.ACCEPTED, resumed)]
    row = one(Case(*moves, region=region, month=month), resumed)
    assert row["stopped"] == n
    for name in ("limit_legal", "limit_cautious", "limit_on"):
        assert row[name] == CALENDAR.shift(free[name], n)
    assert row["days_left"] == free["days_left"] + n


@settings(RELAXED, max_examples=25)
@given(st.lists(held_cases(), min_size=2, max_size=6), st.randoms(use_true_random=False), DAYS)
def test_the_order_of_rows_makes_no_difference(drawn, chance, today):
    cases = [case for case, _ in drawn]
    for i, case in enumerate(cases):
        case.name = f"B{i}"
    batches, stages = frames(*cases)
    mixed = [frame[chance.sample(range(frame.height), frame.height)] for frame in (batches, stages)]
    watched = deadlines.watch(batches, stages, PROFILES, CALENDAR, today)
    again = deadlines.watch(*mixed, PROFILES, CALENDAR, today)
    assert watched.equals(again)
    shuffled = watched[chance.sample(range(watched.height), watched.height)]
    assert forecast(watched, PROFILES, CALENDAR, today).equals(forecast(shuffled, PROFILES, CALENDAR, today))
    assert deadlines.summary(watched).equals(deadlines.summary(shuffled))


# --- a limit beyond the calendar -----------------------------------------------------------------------


def test_a_limit_in_a_year_not_loaded_is_said_in_its_row_and_breaks_no_other():
    late = through("2026-12-10", region="langfang", month="202611", name="late")
    fine = through("2026-12-10", region="daye", month="202611", name="fine")
    rows = {row["batch_id"]: row for row in watch(late, fine, today="2026-12-14").iter_rows(named=True)}
    assert (rows["fine"]["limit_on"], rows["fine"]["fault"]) == (day("2026-12-23"), None)
    row = rows["late"]
    assert (row["limit_on"], row["days_left"], row["colour"], row["overdue"]) == (
        None,
        None,
        "unknown",
        False,
    )
    assert "cn_2027.csv" in row["fault"]
    assert "settle calendar add" in row["fault"]
    found = forecasts(late, fine, today="2026-12-14")
    assert dict(zip(found["batch_id"], found["late"], strict=True)) == {"fine": False, "late": None}


def test_a_hold_that_moves_the_limit_out_of_the_calendar_is_said_too():
    moves = (
        (p.DECLARED, "2026-12-10"),
        (p.ACCEPTED, "2026-12-10"),
        (p.HOLD, "2026-12-11"),
        (p.ACCEPTED, "2026-12-24"),
    )
    row = one(Case(*moves, region="daye", month="202611"), "2026-12-24")
    assert (row["limit_on"], row["colour"]) == (None, "unknown")
    assert "cn_2027.csv" in row["fault"]


def test_a_day_outside_the_calendar_or_a_region_without_profile_is_an_error():
    with pytest.raises(PolicyError, match="cn_2027"):
        watch(through("2026-12-10"), today="2027-01-04")
    with pytest.raises(PolicyError, match="nowhere"):
        watch(through("2026-05-08", region="nowhere"), today="2026-05-08")


# --- stage targets, lights, who acts -------------------------------------------------------------------


def test_targets_leave_the_planned_days_to_the_later_stages():
    row = one(through("2026-05-08"), "2026-05-08")  # limit 2026-06-18: pay 2, approve 2, settle 2, review 4 …
    assert {name: str(row[name]) for name in ("approve_by", "settle_by", "review_by")} == {
        "approve_by": "2026-06-16",
        "settle_by": "2026-06-12",
        "review_by": "2026-06-10",
    }
    assert [str(row[name]) for name in ("feedback_by", "audit_by", "accept_by")] == [
        "2026-06-04",
        "2026-05-28",
        "2026-05-25",
    ]


@pytest.mark.parametrize("region", sorted(PROFILES))
@pytest.mark.parametrize("month", [dt.date(y, m, 1) for y in (2025, 2026) for m in range(1, 13)][:-2])
def test_the_plan_of_each_region_fits_its_limit_even_in_the_shortest_month(region, month):
    profile = PROFILES[region]
    declared = CALENDAR.declare_cutoff(month, int(profile.value("declare_cutoff_day", month)))
    plan = sum(int(profile.value(name, declared)) for _, name in deadlines.STAGES)
    limit = deadlines.due(profile.deadline, CALENDAR, declared, month).on
    assert plan <= CALENDAR.remaining(declared, limit)


@pytest.mark.parametrize(
    ("today", "left", "colour"),
    [
        ("2026-06-08", 8, "green"),
        ("2026-06-09", 7, "green"),
        ("2026-06-10", 6, "yellow"),  # 20 % of 30 days
        ("2026-06-16", 2, "yellow"),
        ("2026-06-17", 1, "red"),
        ("2026-06-18", 0, "red"),
        ("2026-06-20", 0, "red"),  # Saturday after: overdue though no working day has passed
        ("2026-06-22", -1, "red"),
    ],
)
def test_lights_at_their_edges(today, left, colour):
    row = one(through("2026-05-08", "2026-05-09"), today)
    assert (row["days_left"], row["colour"]) == (left, colour)
    assert row["overdue"] == (day(today) > day("2026-06-18"))


@settings(RELAXED, max_examples=15)
@given(st.sampled_from(sorted(PROFILES)), DAYS)
def test_lights_only_get_worse_as_days_run_out(region, declared):
    month = (declared.replace(day=1) - dt.timedelta(1)).strftime("%Y%m")
    case = Case((p.DECLARED, declared), region=region, month=month)
    rows = [one(case, declared + dt.timedelta(i)) for i in range(0, 60, 4)]
    left = [row["days_left"] for row in rows]
    rank = [["green", "yellow", "red"].index(row["colour"]) for row in rows]
    assert left == sorted(left, reverse=True)
    assert rank == sorted(rank)


@pytest.mark.parametrize(
    ("states", "role", "deed", "target"),
    [
        (1, p.RECEPTION, "intake", "accept_by"),
        (2, p.FIRST_REVIEW, "audit", "audit_by"),
        (3, p.FIRST_REVIEW, "notify", "audit_by"),
        (4, p.INSTITUTION, "reply", "answer_by"),
        (5, p.SECOND_REVIEW, "review", "review_by"),
        (6, p.LEADER, "approve", "approve_by"),
        (7, p.FINANCE, "disburse", "limit_on"),
        (8, p.FINANCE, "close", None),
        (9, None, None, None),
    ],
)
def test_who_must_do_what_by_when(states, role, deed, target):
    row = one(through(*["2026-05-08"] * states, answer_by="2026-05-14"), "2026-05-13")
    assert (row["role"], row["deed"]) == (role, deed)
    assert row["act_by"] == (row[target] if target else None)
    if deed:
        assert role in p.DEEDS[deed].roles


def test_when_the_window_is_over_the_reviewer_closes_it():
    case = through(*["2026-05-08"] * 4, answer_by="2026-05-14")
    last, after = one(case, "2026-05-14"), one(case, "2026-05-15")
    assert (last["role"], last["act_by"]) == (p.INSTITUTION, day("2026-05-14"))
    assert (after["role"], after["deed"]) == (p.SECOND_REVIEW, "close_feedback")
    assert after["act_by"] == after["feedback_by"]


def test_with_every_finding_decided_the_settlement_post_acts():
    batches, stages = frames(through(*["2026-05-08"] * 5))
    for undecided, deed in ((3, "review"), (0, "calculate")):
        known = batches.with_columns(undecided=pl.lit(undecided))
        row = deadlines.watch(known, stages, PROFILES, CALENDAR, day("2026-05-13")).row(0, named=True)
        assert row["deed"] == deed
        assert row["role"] in p.DEEDS[deed].roles


def test_a_stage_past_its_target_is_behind_though_the_limit_is_far():
    case = through("2026-05-08", "2026-05-09")
    assert not one(case, "2026-05-28")["behind"]
    late = one(case, "2026-05-29")
    assert (late["behind"], late["colour"]) == (True, "green")


@pytest.mark.parametrize(
    ("states", "finished_on", "on_time", "left"),
    [
        ((p.DECLARED, p.ACCEPTED, p.PAID, p.CLOSED), "2026-05-20", True, 0),
        ((p.DECLARED, p.ACCEPTED, p.PAID), "2026-05-21", False, -1),
        ((p.DECLARED, p.ACCEPTED, p.CARRIED), "2026-05-19", True, 1),
        ((p.DECLARED, p.ACCEPTED, p.CARRIED, p.CLOSED), "2026-05-19", True, 1),
        ((p.DECLARED, p.ACCEPTED, p.RETURNED), "2026-05-11", None, 8 - 1),
    ],
)
def test_finished_batches_stand_still_and_say_whether_in_time(states, finished_on, on_time, left):
    days = ["2026-05-08", "2026-05-08", finished_on, "2026-06-30"][: len(states)]
    for today in ("2026-06-30", "2026-09-30"):
        row = one(through(*days, states=states, region="daye"), today)
        assert (row["finished"], row["finished_on"], row["on_time"]) == (True, day(finished_on), on_time)
        assert (row["days_left"], row["colour"], row["overdue"]) == (left, "done", False)


def test_stage_days_are_those_of_the_first_entry():
    moves = (
        (p.DECLARED, "2026-05-08"),
        (p.ACCEPTED, "2026-05-09"),
        (p.HOLD, "2026-05-12"),
        (p.ACCEPTED, "2026-05-14"),
        (p.PRELIM, "2026-05-18"),
    )
    row = one(Case(*moves), "2026-05-20")
    assert (row["accepted_on"], row["prelim_on"]) == (day("2026-05-09"), day("2026-05-18"))
    assert (row["since"], row["review_on"]) == (day("2026-05-18"), None)


# --- what the bank says --------------------------------------------------------------------------------


def banked(bank, since, today, paid_on="2026-05-19", states=ORDER[:8], name="B1"):
    """A batch of the region with nine working days (limit 2026-05-20), ordered to be paid, and the bank."""
    days = ["2026-05-08"] * 7 + [paid_on, "2026-05-25"]
    batches, stages = frames(through(*days[: len(states)], states=states, region="daye", name=name))
    known = batches.with_columns(bank=pl.lit(bank), bank_day=pl.lit(day(since) if since else None, pl.Date))
    return deadlines.watch(known, stages, PROFILES, CALENDAR, day(today)).row(0, named=True)


@pytest.mark.parametrize(
    ("today", "left", "colour", "overdue"),
    [
        ("2026-05-19", 1, "red", False),
        ("2026-05-20", 0, "red", False),
        ("2026-05-21", -1, "red", True),
        ("2026-06-01", -8, "red", True),
    ],
)
def test_after_a_failed_transfer_the_clock_runs_on(today, left, colour, overdue):
    row = banked("failed", "2026-05-19", today)
    assert (row["finished"], row["unpaid"], row["finished_on"], row["on_time"]) == (True, True, None, None)
    assert (row["days_left"], row["days_used"], row["colour"], row["overdue"]) == (
        left,
        9 - left,
        colour,
        overdue,
    )
    assert (row["role"], row["deed"], row["act_by"]) == (p.FINANCE, "disburse", day("2026-05-20"))
    assert row["behind"] == overdue
    assert p.FINANCE in p.DEEDS["disburse"].roles


@pytest.mark.parametrize(
    ("today", "unpaid", "colour", "act_by"),
    [
        ("2026-05-19", False, "done", None),
        ("2026-05-22", False, "done", None),  # 20, 21 and 22 May: three working days
        ("2026-05-24", False, "done", None),  # a Sunday
        ("2026-05-25", True, "red", "2026-05-20"),
    ],
)
def test_the_bank_has_three_working_days_to_answer(today, unpaid, colour, act_by):
    row = banked("waiting", "2026-05-19", today)
    assert (row["finished"], row["unpaid"], row["colour"], row["overdue"]) == (True, unpaid, colour, unpaid)
    assert (row["role"], row["deed"]) == (p.FINANCE, "receipt")
    assert row["act_by"] == (day(act_by) if act_by else None)
    assert (row["finished_on"], row["on_time"]) == ((None, None) if unpaid else (day("2026-05-19"), True))
    assert p.FINANCE in p.DEEDS["receipt"].roles


def test_a_silent_bank_is_yellow_or_green_while_the_limit_is_far():
    batches, stages = frames(through(*["2026-05-08"] * 8))  # langfang: until 2026-06-18
    known = batches.with_columns(bank=pl.lit("waiting"), bank_day=pl.lit(day("2026-05-08")))
    lights = [
        deadlines.watch(known, stages, PROFILES, CALENDAR, day(today))["colour"].item()
        for today in ("2026-05-12", "2026-05-13", "2026-06-10", "2026-06-17")
    ]
    assert lights == ["done", "green", "yellow", "red"]


@pytest.mark.parametrize("states", [ORDER[:8], ORDER])
@pytest.mark.parametrize(
    ("bank_day", "finished_on", "on_time", "left"),
    [
        ("2026-05-19", "2026-05-19", True, 1),
        ("2026-05-20", "2026-05-20", True, 0),
        ("2026-05-21", "2026-05-21", False, -1),
        ("2026-05-18", "2026-05-19", True, 1),  # no bank pays before it is asked to
    ],
)
def test_once_all_is_paid_the_day_of_the_last_transfer_counts(states, bank_day, finished_on, on_time, left):
    row = banked("paid", bank_day, "2026-06-01", states=states)
    assert (row["finished_on"], row["on_time"], row["days_left"]) == (day(finished_on), on_time, left)
    assert (row["unpaid"], row["colour"], row["overdue"], row["paid_on"]) == (
        False,
        "done",
        False,
        day("2026-05-19"),
    )
    assert row["deed"] == ("close" if states == ORDER[:8] else None)


def test_an_order_written_anew_after_the_limit_is_not_in_time():
    row = banked("waiting", "2026-05-21", "2026-05-22")
    assert (row["unpaid"], row["finished_on"], row["on_time"]) == (False, day("2026-05-21"), False)


@pytest.mark.parametrize("state", [p.APPROVED, p.CARRIED, p.HOLD])
def test_what_the_bank_says_matters_only_once_paying_was_ordered(state):
    moves = [*zip(ORDER[:7], ["2026-05-08"] * 7, strict=True)] + (
        [(state, "2026-05-11")] if state != p.APPROVED else []
    )
    batches, stages = frames(Case(*moves, region="daye"))
    plain = deadlines.watch(batches, stages, PROFILES, CALENDAR, day("2026-06-01"))
    for bank in ("failed", "waiting"):
        known = batches.with_columns(bank=pl.lit(bank), bank_day=pl.lit(day("2026-05-11")))
        row = deadlines.watch(known, stages, PROFILES, CALENDAR, day("2026-06-01")).drop("bank", "bank_day")
        assert row.equals(plain.drop("bank", "bank_day"))


def test_a_limit_that_is_not_known_leaves_a_failed_transfer_in_sight():
    moves = [*zip(ORDER[:8], ["2026-12-10"] * 8, strict=True)]
    batches, stages = frames(Case(*moves, month="202611"))
    known = batches.with_columns(bank=pl.lit("failed"), bank_day=pl.lit(day("2026-12-11")))
    row = deadlines.watch(known, stages, PROFILES, CALENDAR, day("2026-12-14")).row(0, named=True)
    assert (row["unpaid"], row["colour"], row["overdue"], row["deed"]) == (True, "unknown", False, "disburse")
    assert "cn_2027.csv" in row["fault"]


def test_a_month_with_a_failed_transfer_is_not_told_as_paid():
    cases = [through(*["2026-05-08"] * 8, name=name, region="daye") for name in ("failed", "paid")]
    batches, stages = frames(*cases)
    known = batches.with_columns(bank="batch_id", bank_day=pl.lit(day("2026-05-11")))
    watched = deadlines.watch(known, stages, PROFILES, CALENDAR, day("2026-05-20"))
    row = deadlines.summary(watched).row(0, named=True)
    assert (row["red"], row["done"], row["on_time"], row["late"]) == (1, 1, 1, 0)
    assert (row["next_limit"], row["least_left"]) == (day("2026-05-20"), 0)
    assert (row["oldest_role"], row["oldest_deed"]) == (p.FINANCE, "disburse")
    assert forecast(watched, PROFILES, CALENDAR, day("2026-05-20")).is_empty()


@pytest.mark.parametrize(("lang", "words"), [("zh", "已拨付(转账失败)"), ("en", "paid (transfer failed)")])
def test_the_sheet_says_what_the_bank_said(tmp_path, lang, words):
    batches, stages = frames(
        *(through(*["2026-05-08"] * 8, name=n, region="daye") for n in ("failed", "paid"))
    )
    known = batches.with_columns(bank="batch_id", bank_day=pl.lit(day("2026-05-11")))
    watched = deadlines.watch(known, stages, PROFILES, CALENDAR, day("2026-05-22"))
    shown = deadline_sheet.watch_words(watched, lang)
    assert shown["state"].to_list() == [words, p.STATES[p.PAID][lang == "en"]]
    assert shown["colour"].to_list() == [label("due.red", lang), label("due.done", lang)]


# --- forecast and summary ------------------------------------------------------------------------------


def history(count, stay, region="langfang"):
    """Batches paid lately that stayed `stay` working days in every state."""
    days = [day("2026-03-09")]
    for _ in range(7):
        days.append(CALENDAR.shift(days[-1], stay))
    return [
        through(*days, region=region, month="202602", name=f"past{i}", code=f"P{i}") for i in range(count)
    ]


def test_without_history_the_plan_is_the_pace():
    row = forecasts(through("2026-05-08", "2026-05-09"), today="2026-05-09").row(0, named=True)
    assert (row["need"], row["measured"]) == (3 + 0 + 5 + 6 + 2 + 2, 0)
    assert (row["slowest"], row["slowest_pace"], row["slowest_plan"]) == (p.REVIEW, 6, 6)
    assert row["expected_on"] == CALENDAR.add(day("2026-05-09"), 18)
    assert row["late"] is False


def test_the_pace_is_the_median_of_what_lately_left_each_state():
    past = [*history(3, 4), *history(2, 1)]
    for i, case in enumerate(past):
        case.name = f"past{i}"
    row = forecasts(*past, through("2026-05-08", "2026-05-09"), today="2026-05-09").row(0, named=True)
    assert (row["need"], row["measured"]) == (6 * 4, 5)


def test_three_batches_make_a_pace_and_held_ones_do_not_count():
    fresh, past = through("2026-05-08", "2026-05-09"), history(3, 4)
    assert forecasts(*past, fresh, today="2026-05-09")["measured"].item() == 3
    past[0].moves[2:2] = [(p.HOLD, past[0].moves[1][1]), (p.ACCEPTED, past[0].moves[2][1])]
    assert forecasts(*past, fresh, today="2026-05-09")["measured"].item() == 0


def test_two_batches_an_older_past_and_another_region_are_no_pace():
    fresh = through("2026-05-08", "2026-05-09")
    for past, today in (
        (history(2, 9), "2026-05-09"),
        (history(5, 1), "2026-09-30"),
        (history(5, 9, "qinghai"), "2026-05-09"),
    ):
        assert forecasts(*past, fresh, today=today)["measured"].to_list()[-1] == 0


def test_days_already_spent_in_the_state_count_and_waiting_longer_is_not_negative():
    case = through("2026-05-08", "2026-05-08")
    needs = [
        forecasts(case, today=today)["need"].item() for today in ("2026-05-08", "2026-05-11", "2026-06-01")
    ]
    assert needs == [18, 16, 15]


def test_a_running_window_counts_to_its_last_day():
    case = through(*["2026-05-08"] * 4, answer_by="2026-05-22")
    row = forecasts(case, today="2026-05-11").row(0, named=True)
    assert row["need"] == CALENDAR.remaining(day("2026-05-11"), day("2026-05-22")) + 10
    assert forecasts(case, today="2026-05-25")["need"].item() == 10


def test_a_batch_is_late_when_it_needs_more_than_is_left():
    case = through(
        "2026-05-08", "2026-05-08", region="daye"
    )  # audit 1, feedback 2, review and settle 2, 1, 1
    found = {today: forecasts(case, today=today).row(0, named=True) for today in ("2026-05-12", "2026-05-13")}
    assert [found[t]["need"] for t in found] == [6, 6]
    assert [found[t]["days_left"] for t in found] == [6, 5]
    assert [found[t]["late"] for t in found] == [False, True]
    assert found["2026-05-13"]["expected_on"] == day("2026-05-21")


def test_a_held_batch_has_no_expected_day_but_may_be_late_already():
    moves = [(p.DECLARED, "2026-05-08"), (p.ACCEPTED, "2026-05-08"), (p.HOLD, "2026-05-15")]
    row = forecasts(Case(*moves, region="daye"), today="2026-06-01").row(0, named=True)
    assert (row["expected_on"], row["need"], row["days_left"], row["late"]) == (None, 7, 4, True)


def test_an_expected_day_beyond_the_calendar_is_said():
    case = through("2026-12-21", region="penglai", month="202611")
    row = forecasts(case, today="2026-12-28").row(0, named=True)
    assert (row["expected_on"], row["late"]) == (None, True)
    assert "cn_2027.csv" in row["fault"]


def test_finished_batches_are_not_forecast():
    assert forecasts(*history(3, 1), today="2026-05-09").is_empty()


def test_every_state_before_payment_has_a_plan_and_an_act():
    running = set(p.OPEN) - {p.PAID, p.CARRIED, p.HOLD}
    assert set(PLAN) == running
    assert set(deadlines.ACTS) == set(p.OPEN)


def test_a_month_in_one_line():
    cases = (
        through("2026-05-08", name="a"),
        through("2026-05-06", "2026-05-07", name="b"),
        through(*["2026-05-08"] * 8, name="c"),
        Case((p.DECLARED, "2026-05-08"), (p.ACCEPTED, "2026-05-09"), (p.HOLD, "2026-05-12"), name="d"),
        through("2026-06-08", name="e", month="202605"),
    )
    months = deadlines.summary(watch(*cases, today="2026-06-12"))
    april, may = months.iter_rows(named=True)
    assert (april["batches"], april["DECLARED"], april["ACCEPTED"], april["PAID"], april["HOLD"]) == (
        4,
        1,
        1,
        1,
        1,
    )
    assert (april["red"], april["yellow"], april["paused"], april["done"]) == (0, 2, 1, 1)
    assert (april["next_limit"], april["least_left"]) == (day("2026-06-16"), 2)
    assert (april["on_time"], april["late"], april["behind"]) == (1, 0, 2)
    assert (april["oldest_role"], april["oldest_deed"]) == (p.FIRST_REVIEW, "audit")
    assert april["oldest_since"] == day("2026-05-07")
    assert (may["clr_ym"], may["batches"], may["green"]) == ("202605", 1, 1)


def test_nothing_to_watch_gives_empty_frames():
    empty = deadlines.watch(*frames(), PROFILES, CALENDAR, day("2026-05-08"))
    assert empty.columns == list(deadlines.WATCH)
    assert forecast(empty, PROFILES, CALENDAR, day("2026-05-08")).is_empty()
    assert deadlines.summary(empty).is_empty()


@pytest.mark.heavy
def test_a_year_of_five_regions_with_a_thousand_institutions_each_takes_under_a_second():
    months = [f"2025{m:02d}" for m in range(10, 13)] + [f"2026{m:02d}" for m in range(1, 10)]
    starts = [CALENDAR.declare_cutoff(dt.date(int(m[:4]), int(m[4:]), 1), 10) for m in months]
    cases = [
        through(*(CALENDAR.shift(start, k * (1 + i % 3)) for k in range(9)), region=region, month=month,
                name=f"{region}-{month}-{i}", code=f"H{i}")
        for region in PROFILES for month, start in zip(months, starts, strict=True) for i in range(1000)
    ]  # fmt: skip
    batches, stages = frames(*cases)
    paid = pl.col("declared_on").alias("bank_day")
    batches = batches.with_columns(paid, bank=pl.Series(["paid", "failed", "waiting"] * 20_000))
    begun = time.perf_counter()
    watched = deadlines.watch(batches, stages, PROFILES, CALENDAR, day("2026-11-20"))
    forecast(watched, PROFILES, CALENDAR, day("2026-11-20"))
    assert time.perf_counter() - begun < 1
    assert (watched.height, stages.height) == (60_000, 540_000)


# --- the sheet -----------------------------------------------------------------------------------------


def sheet(tmp_path, lang="zh", name="a.xlsx"):
    cases = [
        through("2026-05-08", "2026-05-09", name="red", region="daye"),
        through("2026-06-08", name="green", region="daye", month="202605", code="=H2"),
        through(*["2026-05-08"] * 8, name="paid", region="daye"),
        Case(
            (p.DECLARED, "2026-05-08"),
            (p.ACCEPTED, "2026-05-09"),
            (p.HOLD, "2026-05-12"),
            name="held",
            region="daye",
        ),
        through("2026-12-21", name="unknown", region="daye", month="202611"),
    ]
    today = day("2026-06-12")
    watched = watch(*cases, today="2026-06-12")
    found = forecast(watched, PROFILES, CALENDAR, today)
    shown = deadline_sheet.Deadlines(
        "大冶市", day("2026-05-01"), today, watched, found, deadlines.summary(watched)
    )
    return deadline_sheet.write_deadlines(tmp_path / name, shown, lang)


def rows_of(page):
    header, *body = page.iter_rows(min_row=3, values_only=True)
    return [dict(zip(header, row, strict=True)) for row in body if row[1] is not None]


def test_the_sheet_lists_batches_by_urgency_what_will_be_late_and_the_months(tmp_path):
    book = openpyxl.load_workbook(sheet(tmp_path))
    assert book.sheetnames == ["批次", "预测", "汇总"]
    batches = rows_of(book["批次"])
    assert [row["预警"] for row in batches] == ["红", "绿", "暂停", "未知", "完成"]
    assert batches[0]["剩余工作日"] == -17
    assert batches[0]["当前责任人"] == "初审岗"
    assert batches[1]["机构编码"] == "=H2"
    assert batches[2]["状态"] == "暂停(已受理)"
    assert batches[2]["拨付时限日"] is None
    assert "cn_2027.csv" in batches[3]["说明"]
    assert batches[4]["按期"] == "是"
    late = rows_of(book["预测"])
    assert late[0]["原因"].startswith("已过时限 17 个工作日")
    assert [row["批次数"] for row in rows_of(book["汇总"])] == [3, 1, 1]


def test_every_light_has_its_fill(tmp_path):
    page = openpyxl.load_workbook(sheet(tmp_path))["批次"]
    rules = [rule for found in page.conditional_formatting for rule in found.rules]
    fills = {rule.formula[0]: rule.dxf.fill.bgColor.rgb for rule in rules if rule.dxf and rule.dxf.fill}
    for colour, fill in deadline_sheet.FILLS.items():
        assert fills[f'$E4="{label(f"due.{colour}", "zh")}"'] == "FF" + fill[1:]


def test_the_sheet_is_the_same_bytes_again_and_speaks_english(tmp_path):
    assert sheet(tmp_path).read_bytes() == sheet(tmp_path, name="b.xlsx").read_bytes()
    book = openpyxl.load_workbook(sheet(tmp_path, "en"))
    assert book.sheetnames == ["Batches", "Forecast", "Months"]
    assert rows_of(book["Batches"])[0]["who acts"] == "first review"
    headers = [cell.value for page in book for cell in page[3] if cell.value]
    assert all(text.isascii() for text in headers)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_reason_of_the_forecast_has_its_sentence(lang):
    cases = [
        through("2026-05-08", "2026-05-09", name="overdue", region="daye"),
        through("2026-06-03", "2026-06-03", name="late", region="daye", month="202605"),
        through("2026-06-11", name="in time", region="langfang", month="202605"),
        Case(
            (p.DECLARED, "2026-06-08"),
            (p.ACCEPTED, "2026-06-08"),
            (p.HOLD, "2026-06-09"),
            name="held",
            region="daye",
        ),
        Case(
            (p.DECLARED, "2026-05-28"),
            (p.ACCEPTED, "2026-05-28"),
            (p.HOLD, "2026-06-09"),
            name="held late",
            region="daye",
        ),
        through("2026-12-21", name="unknown", region="daye", month="202611"),
    ]
    words = deadline_sheet.forecast_words(forecasts(*cases, today="2026-06-12"), lang)
    why = dict(zip(words["batch_id"], words["why"], strict=True))
    for name, key in {
        "overdue": "why_overdue",
        "late": "why_late",
        "in time": "why_in_time",
        "held": "why_paused",
        "held late": "why_paused_late",
    }.items():
        assert why[name].startswith(label(f"due.{key}", lang).split("{")[0])
        assert "{" not in why[name]
    assert "cn_2027.csv" in why["unknown"]
