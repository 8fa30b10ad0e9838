"""A calendar year of one's own: what is taken, what is refused, and that every fault is listed.

The year 2027 here is made up: no notice for it is known.
"""

import datetime as dt
import shutil

import pytest

from settlement import workdays
from settlement.calendar_year import add_year, check_year
from settlement.errors import PolicyError

HEADER = "date,is_workday,name,notice"
NOTICE = "虚构通知〔2026〕0号"
YEAR = {
    "2027-01-01": (0, "元旦"),
    "2027-02-05": (0, "春节"),
    "2027-02-08": (0, "春节"),
    "2027-02-09": (0, "春节"),
    "2027-02-10": (0, "春节"),
    "2027-02-11": (0, "春节"),
    "2027-02-14": (1, "春节"),
    "2027-04-05": (0, "清明节"),
    "2027-05-03": (0, "劳动节"),
    "2027-05-04": (0, "劳动节"),
    "2027-06-09": (0, "端午节"),
    "2027-09-15": (0, "中秋节"),
    "2027-09-26": (1, "国庆节"),
    "2027-10-01": (0, "国庆节"),
    "2027-10-04": (0, "国庆节"),
    "2027-10-05": (0, "国庆节"),
    "2027-10-06": (0, "国庆节"),
    "2027-10-07": (0, "国庆节"),
    "2027-10-09": (1, "国庆节"),
}


def lines(changes=None):
    rows = {date: f"{date},{flag},{name},{NOTICE}" for date, (flag, name) in YEAR.items()}
    rows |= changes or {}
    return [line for line in rows.values() if line is not None]


def write(folder, rows, name="cn_2027.csv", encoding="utf-8", header=HEADER):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(("\n".join([header, *rows]) + "\n").encode(encoding))
    return path


@pytest.fixture
def home(tmp_path):
    return tmp_path / "calendars"


def faults(tmp_path, home, rows, **how):
    return check_year(write(tmp_path / "in", rows, **how), home).faults


def test_a_sound_year_is_added_and_reckoned_with(tmp_path, home):
    source = write(tmp_path, lines())
    assert add_year(source, home) == [2027]
    calendar = workdays.load(home)
    assert calendar.last == dt.date(2027, 12, 31)
    assert calendar.add(dt.date(2026, 12, 10), 30) == dt.date(2027, 1, 22)
    assert [path.name for path in home.iterdir()] == ["cn_2027.csv"]  # nothing half-written beside it


def test_the_same_file_again_is_no_change(tmp_path, home):
    add_year(write(tmp_path, lines()), home)
    before = (home / "cn_2027.csv").stat().st_mtime_ns
    assert add_year(write(tmp_path, lines()), home) == []
    assert add_year(write(tmp_path, reversed(lines())), home) == []  # the order of rows is no difference
    assert (home / "cn_2027.csv").stat().st_mtime_ns == before


def test_a_different_file_needs_replace(tmp_path, home):
    add_year(write(tmp_path, lines()), home)
    other = write(tmp_path, lines({"2027-10-08": f"2027-10-08,0,国庆节,{NOTICE}"}))
    with pytest.raises(PolicyError, match="--replace") as fault:
        add_year(other, home)
    assert "2027-10-08" in str(fault.value)
    assert workdays.load(home).is_workday(dt.date(2027, 10, 8))
    assert add_year(other, home, replace=True) == [2027]
    assert not workdays.load(home).is_workday(dt.date(2027, 10, 8))


def shipped_2026(change=None):
    text = (workdays.FOLDER / "cn_2020_2026.csv").read_text(encoding="utf-8")
    rows = {line[:10]: line for line in text.splitlines() if line.startswith("2026")}
    return [line for line in (rows | (change or {})).values() if line is not None]


def test_a_shipped_year_is_replaced_by_a_later_notice_only_on_demand(tmp_path, home):
    same = write(tmp_path, shipped_2026(), name="cn_2026.csv")
    assert add_year(same, home) == []
    assert not home.exists()
    longer = {"2026-10-08": f"2026-10-08,0,国庆节,{NOTICE}", "2026-10-10": None}
    later = write(tmp_path, shipped_2026(longer), name="cn_2026.csv")
    with pytest.raises(PolicyError, match="2026-10-08、2026-10-10"):
        add_year(later, home)
    assert add_year(later, home, replace=True) == [2026]
    calendar = workdays.load(home)
    assert not calendar.is_workday(dt.date(2026, 10, 8))
    assert not calendar.is_workday(dt.date(2026, 10, 10))  # the shipped make-up day is gone as well
    assert calendar.is_workday(dt.date(2026, 9, 20))
    assert workdays.load().is_workday(dt.date(2026, 10, 10))


def test_a_file_of_a_known_and_a_new_year_is_added(tmp_path, home):
    both = write(tmp_path, [*shipped_2026(), *lines()], name="cn_2026_2027.csv")
    assert add_year(both, home) == [2026, 2027]
    assert workdays.load(home).last == dt.date(2027, 12, 31)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_what_a_spreadsheet_saves_is_understood_and_written_in_one_form(tmp_path, home, encoding):
    slashed = [line.replace("2027-0", "2027/").replace("-0", "/").replace("-", "/", 2) for line in lines()]
    add_year(write(tmp_path, slashed, encoding=encoding), home)
    plain = write(tmp_path / "plain", lines())
    assert (home / "cn_2027.csv").read_bytes() == plain.read_bytes()


def test_every_fault_is_listed_once_with_its_row(tmp_path, home):
    found = faults(
        tmp_path,
        home,
        [
            *lines(),
            f"2027-02-30,0,假,{NOTICE}",
            f"2027-03-01,是,,{NOTICE}",
            f"2027-10-01,0,国庆节,{NOTICE}",
            f"2026-05-04,0,劳动节,{NOTICE}",
            "2027-06-10,0",
            f"2027-06-11,0,端午节,{NOTICE},多",
        ],
    )
    wanted = [
        (21, "2027-02-30"),
        (22, "is_workday"),
        (22, "name"),
        (23, "第 15 行已有"),
        (24, "2026-05-04"),
        (25, "2 个单元格"),
        (26, "5 个单元格"),
    ]
    assert len(found) == len(wanted)
    for text, (row, words) in zip(found, wanted, strict=True):
        assert text.startswith(f"第 {row} 行")
        assert words in text
    with pytest.raises(PolicyError) as fault:
        add_year(tmp_path / "in" / "cn_2027.csv", home)
    assert str(fault.value).count("\n") == len(wanted)
    assert not home.exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"2027-04-05": None}, ["名称含“清明”", "得 12 天"]),
        ({"2027-10-01": None}, ["2027-10-01(国庆)", "得 12 天"]),
        (
            {"2027-02-14": f"2027-02-14,1,春节,{NOTICE}", "2027-02-20": f"2027-02-20,1,春节,{NOTICE}"},
            ["得 12 天"],
        ),
        ({"2027-05-01": f"2027-05-01,1,劳动节,{NOTICE}"}, ["2027-05-01(劳动)", "得 12 天"]),
        (
            {(d := f"{dt.date(2027, 7, 1) + dt.timedelta(i)}"): f"{d},0,假,{NOTICE}" for i in range(30)},
            ["226 个工作日"],
        ),
    ],
)
def test_a_year_short_of_the_statutory_days_or_implausible_is_refused(tmp_path, home, changes, words):
    found = faults(tmp_path, home, lines(changes))
    assert len(found) == len(words)
    for text, word in zip(found, words, strict=True):
        assert word in text


def test_rows_that_change_nothing_are_told_and_taken(tmp_path, home):
    idle = {"2027-10-02": f"2027-10-02,0,国庆节,{NOTICE}", "2027-10-11": f"2027-10-11,1,国庆节,{NOTICE}"}
    checked = check_year(write(tmp_path, lines(idle)), home)
    assert checked.faults == []
    assert [note.split(" 填")[0] for note in checked.notes] == ["第 21 行:2027-10-02", "第 22 行:2027-10-11"]


def test_a_notice_may_name_days_of_the_neighbouring_month(tmp_path, home):
    edge = {"2026-12-31": f"2026-12-31,0,元旦,{NOTICE}", "2026-12-27": f"2026-12-27,1,元旦,{NOTICE}"}
    source = write(tmp_path, lines(edge))
    assert [note.split(" 属")[0] for note in check_year(source, home).notes] == [
        "第 21 行:2026-12-31",
        "第 22 行:2026-12-27",
    ]
    add_year(source, home)
    calendar = workdays.load(home)
    assert not calendar.is_workday(dt.date(2026, 12, 31))
    assert calendar.is_workday(dt.date(2026, 12, 27))


def test_gaps_contradictions_and_overlaps_with_other_files_are_faults(tmp_path, home):
    later = [line.replace("2027", "2028") for line in lines()]
    assert any("2027" in text for text in faults(tmp_path, home, later, name="cn_2028.csv"))
    add_year(write(tmp_path, lines({"2026-12-31": f"2026-12-31,0,元旦,{NOTICE}"})), home)
    overlap = faults(tmp_path, home, [*shipped_2026(), *lines()], name="cn_2026_2027.csv")
    assert len(overlap) == 1
    assert "cn_2027.csv" in overlap[0]
    against = shipped_2026({"2026-12-31": f"2026-12-31,1,元旦,{NOTICE}"})
    assert "说法不一" in faults(tmp_path, home, against, name="cn_2026.csv")[0]


@pytest.mark.parametrize("name", ["2027.csv", "cn_27.csv", "cn_2028_2027.csv", "cn_2027.xlsx"])
def test_a_wrong_name_is_refused(tmp_path, home, name):
    assert "文件名" in faults(tmp_path, home, lines(), name=name)[0]


def test_a_missing_file_wrong_columns_and_years_before_the_law_are_refused(tmp_path, home):
    assert "找不到" in check_year(tmp_path / "cn_2027.csv", home).faults[0]
    assert "列应为" in faults(tmp_path, home, lines(), header="day,off")[0]
    assert "列应为" in faults(tmp_path, home, [], header="")[0]
    old = [line.replace("2027", "2013") for line in lines()]
    assert any("statutory.csv" in text for text in faults(tmp_path, home, old, name="cn_2013.csv"))


@pytest.mark.parametrize("year", range(2020, 2027))
def test_every_shipped_year_passes_the_same_checks(tmp_path, year):
    rows = (workdays.FOLDER / "cn_2020_2026.csv").read_text(encoding="utf-8").splitlines()[1:]
    source = write(tmp_path, [row for row in rows if row.startswith(str(year))], name=f"cn_{year}.csv")
    checked = check_year(source, tmp_path / "home")
    assert (checked.faults, checked.notes) == ([], [])


def test_the_digest_covers_the_files_of_a_home(tmp_path, home):
    assert workdays.digest(home) == workdays.digest()
    add_year(write(tmp_path, lines()), home)
    first = workdays.digest(home)
    assert first != workdays.digest()
    shutil.rmtree(home)
    add_year(write(tmp_path, lines()), home)
    assert workdays.digest(home) == first
