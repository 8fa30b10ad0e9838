"""Working days: vectors from the regions' limits, month and year counts, and the edge of the data."""

import datetime as dt

import pytest

from settlement import policy, workdays
from settlement.errors import PolicyError
from settlement.policy import Deadline

CALENDAR = workdays.load()

# start day -> {working days: last permitted day}
DEADLINES = {
    "2024-10-10": {5: "10-16", 9: "10-22", 10: "10-23", 20: "11-06", 25: "11-13", 30: "11-20"},
    "2025-01-10": {5: "01-17", 9: "01-23", 10: "01-24", 20: "02-13", 25: "02-20", 30: "02-27"},
    "2025-01-15": {25: "02-25", 30: "03-04"},
    "2025-04-10": {5: "04-17", 9: "04-23", 10: "04-24", 20: "05-12", 25: "05-19", 30: "05-26"},
    "2025-04-20": {25: "05-27", 30: "06-04"},
    "2025-09-10": {5: "09-17", 9: "09-23", 10: "09-24", 20: "10-14", 25: "10-21", 30: "10-28"},
    "2025-09-15": {25: "10-24", 30: "10-31"},
    "2025-10-10": {5: "10-16", 9: "10-22", 10: "10-23", 20: "11-06", 25: "11-13", 30: "11-20"},
    "2026-01-26": {25: "03-06", 30: "03-13"},
    "2026-02-10": {5: "02-24", 9: "02-28", 10: "03-02", 20: "03-16", 25: "03-23", 30: "03-30"},
    "2026-04-20": {25: "05-27", 30: "06-03"},
    "2026-05-08": {5: "05-14", 9: "05-20", 10: "05-21", 20: "06-04", 25: "06-11", 30: "06-18"},
    "2026-09-10": {5: "09-17", 9: "09-22", 10: "09-23", 20: "10-14", 25: "10-21", 30: "10-28"},
    "2026-10-10": {5: "10-16", 9: "10-22", 10: "10-23", 20: "11-06", 25: "11-13", 30: "11-20"},
    "2026-11-10": {9: "11-23", 20: "12-08", 25: "12-15", 30: "12-22"},
    "2026-12-10": {9: "12-23"},
}
MONTHS = {
    2024: [22, 18, 21, 22, 21, 19, 23, 22, 21, 19, 21, 22],
    2025: [19, 19, 21, 22, 19, 20, 23, 21, 23, 18, 20, 23],
    2026: [21, 16, 22, 21, 19, 21, 23, 21, 22, 18, 21, 23],
}
# What a count of Mondays to Fridays would answer: start day -> {days: the wrong day}.
NAIVE = {
    "2024-10-10": {30: "11-21"},
    "2025-01-10": {30: "02-21"},
    "2025-01-15": {25: "02-19", 30: "02-26"},
    "2025-04-10": {30: "05-22"},
    "2025-04-20": {25: "05-23", 30: "05-30"},
    "2025-09-10": {30: "10-22"},
    "2025-09-15": {25: "10-20", 30: "10-27"},
    "2025-10-10": {30: "11-21"},
    "2026-01-26": {25: "03-02", 30: "03-09"},
    "2026-02-10": {30: "03-24"},
    "2026-04-20": {25: "05-25", 30: "06-01"},
    "2026-05-08": {30: "06-19"},
    "2026-09-10": {25: "10-15", 30: "10-22"},
    "2026-10-10": {30: "11-20"},
}
OFF = {
    2024: "01-01 02-12 02-13 02-14 02-15 02-16 04-04 04-05 05-01 05-02 05-03 06-10 09-16 09-17 10-01 10-02"
    " 10-03 10-04 10-07",
    2025: "01-01 01-28 01-29 01-30 01-31 02-03 02-04 04-04 05-01 05-02 05-05 06-02 10-01 10-02 10-03 10-06"
    " 10-07 10-08",
    2026: "01-01 01-02 02-16 02-17 02-18 02-19 02-20 02-23 04-06 05-01 05-04 05-05 06-19 09-25 10-01 10-02"
    " 10-05 10-06 10-07",
}
MADE_UP = {
    2024: "02-04 02-18 04-07 04-28 05-11 09-14 09-29 10-12",
    2025: "01-26 02-08 04-27 09-28 10-11",
    2026: "01-04 02-14 02-28 05-09 09-20 10-10",
}
NOTICES = {
    2020: {"国办发明电〔2019〕16号", "国办发明电〔2020〕1号"},
    2021: {"国办发明电〔2020〕27号"},
    2022: {"国办发明电〔2021〕11号"},
    2023: {"国办发明电〔2022〕16号"},
    2024: {"国办发明电〔2023〕7号"},
    2025: {"国办发明电〔2024〕12号"},
    2026: {"国办发明电〔2025〕7号"},
}
YEARS = {2020: 249, 2021: 250, 2022: 249, 2023: 249, 2024: 251, 2025: 248, 2026: 248}
HEADER = "date,is_workday,name,notice\n"


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def rule(kind: str, days: int = 0, roll: str = "cautious", start: str = "declare") -> Deadline:
    return Deadline(kind=kind, days=days, start=start, roll=roll, source="list", article="")


def workdays_between(first: dt.date, last: dt.date) -> int:
    span = (first + dt.timedelta(days=i) for i in range((last - first).days + 1))
    return sum(CALENDAR.is_workday(each) for each in span)


@pytest.mark.parametrize(
    ("start", "n", "expected"),
    [(s, n, f"{s[:4]}-{e}") for s, row in DEADLINES.items() for n, e in row.items()],
)
def test_deadline_vectors(start, n, expected):
    assert CALENDAR.add(day(start), n) == day(expected)


@pytest.mark.parametrize(
    ("start", "n", "expected"),
    [(s, n, f"{s[:4]}-{e}") for s, row in NAIVE.items() for n, e in row.items()],
)
def test_a_count_of_mondays_to_fridays_would_say_otherwise(start, n, expected):
    naive = workdays.Calendar(CALENDAR.first, CALENDAR.last, {})
    assert naive.add(day(start), n) == day(expected)


@pytest.mark.parametrize("year", OFF)
def test_days_off_and_make_up_days_of_each_year(year):
    special = [one for one in CALENDAR.special.values() if one.date.year == year]
    assert " ".join(f"{one.date:%m-%d}" for one in special if not one.is_workday) == OFF[year]
    assert " ".join(f"{one.date:%m-%d}" for one in special if one.is_workday) == MADE_UP[year]


@pytest.mark.parametrize("year", NOTICES)
def test_every_shipped_year_names_its_notice_by_number(year):
    notices = {one.notice.split(" ")[0] for one in CALENDAR.special.values() if one.date.year == year}
    assert notices == NOTICES[year]


@pytest.mark.parametrize("year", MONTHS)
def test_workdays_of_each_month(year):
    ends = [dt.date(year, m + 1, 1) - dt.timedelta(days=1) for m in range(1, 12)]
    ends.append(dt.date(year, 12, 31))
    assert [workdays_between(end.replace(day=1), end) for end in ends] == MONTHS[year]


@pytest.mark.parametrize("year", YEARS)
def test_workdays_of_each_year(year):
    assert workdays_between(dt.date(year, 1, 1), dt.date(year, 12, 31)) == YEARS[year]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-02-13", True),  # Friday before the holiday
        ("2026-02-14", True),  # make-up Saturday
        ("2026-02-15", False),  # Sunday inside the holiday
        ("2026-02-16", False),  # Monday inside the holiday
        ("2026-02-24", True),
        ("2026-03-07", False),  # plain Saturday
        ("2020-01-31", False),  # freed by the later notice of 2020
        ("2020-02-01", False),  # make-up day withdrawn by that notice
        ("2022-12-31", False),
    ],
)
def test_kinds_of_day(text, expected):
    assert CALENDAR.is_workday(day(text)) is expected


def test_next_and_previous_workday():
    assert CALENDAR.next_workday(day("2026-02-14")) == day("2026-02-14")
    assert CALENDAR.previous_workday(day("2026-02-14")) == day("2026-02-14")
    assert CALENDAR.next_workday(day("2026-02-15")) == day("2026-02-24")
    assert CALENDAR.previous_workday(day("2026-02-23")) == day("2026-02-14")


@pytest.mark.parametrize(
    ("claim_month", "expected"),
    [
        ("2025-12-01", "2026-01-12"),  # the 10th is a Saturday
        ("2026-04-01", "2026-05-11"),  # the 10th is a Sunday
        ("2026-09-30", "2026-10-10"),  # the 10th is a make-up Saturday
        ("2026-03-01", "2026-04-10"),
    ],
)
def test_declaration_cutoff_rolls_forward(claim_month, expected):
    assert CALENDAR.declare_cutoff(day(claim_month), 10) == day(expected)


def test_declaration_cutoff_in_a_short_month():
    assert CALENDAR.declare_cutoff(day("2026-05-01"), 31) == day("2026-06-30")


def test_end_of_next_month_shows_both_dates():
    month, declared = day("2026-04-01"), day("2026-05-08")
    cautious = CALENDAR.deadline(rule("end_of_next_month"), declared, month)
    assert (cautious.legal, cautious.cautious) == (day("2026-06-01"), day("2026-05-29"))
    assert cautious.on == day("2026-05-29")
    legal = CALENDAR.deadline(rule("end_of_next_month", roll="legal"), declared, month)
    assert legal.on == day("2026-06-01")


@pytest.mark.parametrize(("month", "last"), [("2025-12-15", "2026-01-30"), ("2026-11-01", "2026-12-31")])
def test_end_of_next_month_across_the_year(month, last):
    due = CALENDAR.deadline(rule("end_of_next_month"), day(month), day(month))
    assert due.on == day(last)


def test_calendar_days_count_rest_days():
    due = CALENDAR.deadline(rule("calendar_days", 30), day("2026-09-06"), day("2026-08-01"))
    assert (due.legal, due.cautious) == (day("2026-10-08"), day("2026-09-30"))


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ("penglai", "2026-05-29"),
        ("langfang", "2026-06-18"),
        ("guide5", "2026-06-18"),
        ("qinghai", "2026-06-11"),
        ("daye", "2026-05-20"),
    ],
)
def test_the_five_regions(region, expected):
    profile = policy.load(region)
    due = CALENDAR.deadline(profile.deadline, day("2026-05-08"), day("2026-04-01"))
    assert due.on == day(expected)


@pytest.mark.parametrize(
    ("today", "due", "expected"),
    [
        ("2026-05-08", "2026-05-20", 9),
        ("2026-05-19", "2026-05-20", 1),
        ("2026-05-20", "2026-05-20", 0),
        ("2026-05-16", "2026-05-18", 1),  # Saturday to Monday
        ("2026-05-22", "2026-05-20", -2),
        ("2026-05-23", "2026-05-22", 0),  # Saturday after: the next working day is the first late one
    ],
)
def test_remaining(today, due, expected):
    assert CALENDAR.remaining(day(today), day(due)) == expected


@pytest.mark.parametrize("n", [20, 25, 30])
def test_a_limit_that_runs_into_an_unloaded_year_is_refused(n):
    with pytest.raises(PolicyError, match=r"cn_2027\.csv"):
        CALENDAR.add(day("2026-12-10"), n)


def test_a_missing_year_names_the_file_and_the_command():
    with pytest.raises(PolicyError) as fault:
        CALENDAR.add(day("2026-12-10"), 20)
    assert "cn_2027.csv" in str(fault.value)
    assert "settle calendar add cn_2027.csv" in str(fault.value)


@pytest.mark.parametrize(
    ("start", "n", "expected"),
    [
        ("2026-02-14", 0, "2026-02-14"),
        ("2026-02-15", 0, "2026-02-14"),  # a rest day counts as the working day before
        ("2026-02-14", 1, "2026-02-24"),
        ("2026-02-24", -1, "2026-02-14"),
        ("2026-02-23", 1, "2026-02-24"),
    ],
)
def test_shift_goes_by_working_days_both_ways(start, n, expected):
    assert CALENDAR.shift(day(start), n) == day(expected)


def test_ordinals_count_the_working_days_until_each_day():
    ordinals = CALENDAR.ordinals()
    assert ordinals["date"].to_list()[:: ordinals.height - 1] == [CALENDAR.first, CALENDAR.last]
    assert ordinals["upto"][-1] == sum(YEARS.values())
    rows = {row[0]: row[1:] for row in ordinals.iter_rows()}
    before, upto = rows[day("2026-05-08")][0], rows[day("2026-06-18")][0]
    assert upto - before == 30
    assert rows[day("2026-02-15")] == (rows[day("2026-02-14")][0],) * 2  # rest day: with and without it


def test_days_outside_the_loaded_years_are_refused():
    outside = {"2027-01-04": "cn_2027", "2019-12-31": "cn_2019"}
    for text, file in outside.items():
        for ask in (CALENDAR.is_workday, CALENDAR.next_workday, CALENDAR.previous_workday):
            with pytest.raises(PolicyError, match=file):
                ask(day(text))
        with pytest.raises(PolicyError, match=file):
            CALENDAR.remaining(day("2026-05-08"), day(text))
    with pytest.raises(PolicyError, match="cn_2027"):
        CALENDAR.deadline(rule("end_of_next_month"), day("2026-12-31"), day("2026-12-01"))
    with pytest.raises(PolicyError, match="cn_2019"):
        CALENDAR.previous_workday(day("2020-01-01"))


@pytest.mark.parametrize(
    "wrong", [rule("months", 1), rule("workdays", 9, roll="late"), rule("workdays", 9, start="accept")]
)
def test_unknown_rules_are_refused(wrong):
    with pytest.raises(PolicyError, match="无法识别"):
        CALENDAR.deadline(wrong, day("2026-05-08"), day("2026-04-01"))


def test_zero_days_are_refused():
    with pytest.raises(PolicyError, match="正整数"):
        CALENDAR.add(day("2026-05-08"), 0)


def write_year(folder, year, *more):
    """A made-up year: eight Wednesdays off, then the given lines."""
    first = dt.date(year, 1, 1)
    first += dt.timedelta(days=(2 - first.weekday()) % 7)
    off = [f"{first + dt.timedelta(weeks=i)},0,假,{year} 年通知" for i in range(8)]
    path = folder / f"cn_{year}.csv"
    path.write_text(HEADER + "\n".join([*off, *more]) + "\n", encoding="utf-8-sig")
    return path


def test_a_user_adds_the_next_year(tmp_path):
    write_year(tmp_path, 2027)
    longer = workdays.load(tmp_path)
    assert longer.last == day("2027-12-31")
    assert longer.add(day("2026-12-10"), 30) == day(
        "2027-01-26"
    )  # 15 days of December, then 15 without three Wednesdays
    assert longer.add(day("2026-11-10"), 30) == CALENDAR.add(day("2026-11-10"), 30)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2027-02-30,0,假,通知", "第 10 行"),
        ("2027-03-06,yes,班,通知", "第 10 行"),
        ("2026-02-16,1,春节,另一通知", "说法不一"),
    ],
)
def test_a_malformed_or_contradicting_file_is_refused(tmp_path, line, message):
    write_year(tmp_path, 2027, line)
    with pytest.raises(PolicyError, match=message):
        workdays.load(tmp_path)


def test_a_gap_a_short_file_a_bad_header_and_a_bad_name_are_refused(tmp_path):
    path = write_year(tmp_path, 2028)
    with pytest.raises(PolicyError, match="cn_2027"):
        workdays.load(tmp_path)
    path = path.rename(tmp_path / "cn_2027.csv")
    with pytest.raises(PolicyError, match="太少"):
        workdays.load(tmp_path)
    path.write_text("day,off\n2027-01-01,1\n", encoding="utf-8")
    with pytest.raises(PolicyError, match="列应为"):
        workdays.load(tmp_path)
    path.rename(tmp_path / "cn_next.csv")
    with pytest.raises(PolicyError, match="文件名"):
        workdays.load(tmp_path)


def test_every_shipped_day_differs_from_monday_to_friday_and_names_its_notice():
    for special in CALENDAR.special.values():
        assert special.is_workday == (special.date.weekday() >= 5)
        assert special.name
        assert "国办发明电" in special.notice
