"""Working days: the State Council's days off and make-up days, and the due dates reckoned from them.

The days come from `calendars/cn_<year>[_<year>].csv` (columns date, is_workday, name, notice), which hold
only days that differ from Monday to Friday. A file's name says which whole years it covers, because
a year's notice may name a day of the neighbouring year. A day outside the covered years is an error
that says which file to add; next year's days off are never guessed.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from pathlib import Path

from settlement.errors import PolicyError
from settlement.policy import Deadline

FOLDER = Path(__file__).parent / "calendars"
COLUMNS = ["date", "is_workday", "name", "notice"]
SATURDAY = 5
# Every year's notice frees at least the weekdays among the statutory days; fewer rows than this
# means the file was cut short, and a cut calendar would give wrong dates without a word.
MIN_ROWS_PER_YEAR = 8
ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Day:
    """One day that differs from Monday to Friday, and the notice that says so."""

    date: dt.date
    is_workday: bool
    name: str
    notice: str


@dataclass(frozen=True)
class Due:
    """A due date.

    Attributes:
        legal: last permitted day; a rest day moves to the next working day.
        cautious: the same, but a rest day moves to the working day before it.
        on: the one the region works by.
    """

    legal: dt.date
    cautious: dt.date
    on: dt.date


@dataclass(frozen=True)
class Calendar:
    """The working days of the covered years.

    Attributes:
        first: first covered day.
        last: last covered day.
        special: days that differ from Monday to Friday, by date.
    """

    first: dt.date
    last: dt.date
    special: dict[dt.date, Day]
    _workdays: list[dt.date] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        days = (self.first + ONE_DAY * i for i in range((self.last - self.first).days + 1))
        object.__setattr__(self, "_workdays", [day for day in days if self.is_workday(day)])

    def is_workday(self, day: dt.date) -> bool:
        """Return whether `day` is a working day; PolicyError outside the covered years."""
        self._covered(day)
        if day in self.special:
            return self.special[day].is_workday
        return day.weekday() < SATURDAY

    def add(self, start: dt.date, n: int) -> dt.date:
        """Return the n-th working day after `start`; the start day itself is not counted."""
        self._covered(start)
        if n < 1:
            raise PolicyError(f"工作日数应为正整数,收到 {n}。请检查政策档案的期限天数。")
        return self._at(bisect_right(self._workdays, start) + n - 1)

    def next_workday(self, day: dt.date) -> dt.date:
        """Return `day` when it is a working day, else the next one."""
        self._covered(day)
        return self._at(bisect_left(self._workdays, day))

    def previous_workday(self, day: dt.date) -> dt.date:
        """Return `day` when it is a working day, else the one before it."""
        self._covered(day)
        return self._at(bisect_right(self._workdays, day) - 1)

    def remaining(self, today: dt.date, due: dt.date) -> int:
        """Return the working days left after `today` up to and with `due`; negative when overdue."""
        self._covered(today)
        self._covered(due)
        return bisect_right(self._workdays, due) - bisect_right(self._workdays, today)

    def declare_cutoff(self, claim_month: dt.date, day: int) -> dt.date:
        """Return the last day to declare `claim_month`: `day` of the month after, or the next workday.

        Args:
            claim_month: any day of the month claimed.
            day: day of the following month; a short month ends earlier.
        """
        end = _end_of_next_month(claim_month)
        return self.next_workday(end.replace(day=min(day, end.day)))

    def deadline(self, deadline: Deadline, declared_on: dt.date, claim_month: dt.date) -> Due:
        """Return by when a month must be paid.

        Args:
            deadline: the region's rule.
            declared_on: day of the (last) declaration; not counted.
            claim_month: any day of the month claimed.

        Raises:
            PolicyError: a rule this module does not know, or a day outside the covered years.
        """
        if deadline.start != "declare":
            raise PolicyError(f"期限起算点 {deadline.start} 无法识别,可用:declare(申报日)")
        if deadline.kind == "workdays":
            day = self.add(declared_on, deadline.days)
        elif deadline.kind == "calendar_days":
            day = declared_on + ONE_DAY * deadline.days
        elif deadline.kind == "end_of_next_month":
            day = _end_of_next_month(claim_month)
        else:
            raise PolicyError(
                f"期限类型 {deadline.kind} 无法识别,可用:workdays、calendar_days、end_of_next_month"
            )
        return self._due(day, deadline.roll)

    def _due(self, day: dt.date, roll: str) -> Due:
        if roll not in ("cautious", "legal"):
            raise PolicyError(f"末日逢休息日的处理 {roll} 无法识别,可用:cautious、legal")
        legal, cautious = self.next_workday(day), self.previous_workday(day)
        return Due(legal=legal, cautious=cautious, on=legal if roll == "legal" else cautious)

    def _at(self, position: int) -> dt.date:
        if position < 0:
            raise _missing_year(self.first.year - 1)
        if position >= len(self._workdays):
            raise _missing_year(self.last.year + 1)
        return self._workdays[position]

    def _covered(self, day: dt.date) -> None:
        if day < self.first:
            raise _missing_year(self.first.year - 1)
        if day > self.last:
            raise _missing_year(self.last.year + 1)


def digest() -> str:
    """Digest of the shipped calendar files, for the record of a run."""
    files = sorted(FOLDER.glob("cn_*.csv"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def load(folder: Path | None = None) -> Calendar:
    """Read the calendar shipped here, and on top of it the `cn_*.csv` files of `folder` if given.

    Raises:
        PolicyError: a file is malformed, two files contradict each other, or a year between the
            first and the last is missing.
    """
    files = sorted(FOLDER.glob("cn_*.csv")) + (sorted(folder.glob("cn_*.csv")) if folder else [])
    years: set[int] = set()
    special: dict[dt.date, Day] = {}
    for path in files:
        covered = _years(path)
        years |= set(covered)
        for day in _read(path, covered):
            known = special.setdefault(day.date, day)
            if known.is_workday != day.is_workday:
                raise PolicyError(
                    f"工作日历对 {day.date} 说法不一:{known.notice} 与 {day.notice}({path.name})。"
                    "请只保留有效通知的一行。"
                )
    if not years:
        raise PolicyError(f"没有工作日历。请在 {FOLDER.name} 中放入 cn_<年>.csv。")
    for year in range(min(years), max(years)):
        if year not in years:
            raise _missing_year(year)
    return Calendar(dt.date(min(years), 1, 1), dt.date(max(years), 12, 31), special)


def _years(path: Path) -> range:
    named = re.fullmatch(r"cn_(\d{4})(?:_(\d{4}))?", path.stem)
    if named is None:
        raise PolicyError(f"工作日历文件名 {path.name} 应为 cn_2027.csv 或 cn_2027_2028.csv。")
    return range(int(named[1]), int(named[2] or named[1]) + 1)


def _read(path: Path, covered: range) -> list[Day]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if rows.fieldnames != COLUMNS:
            raise PolicyError(f"{path.name} 的列应为 {','.join(COLUMNS)},实为 {rows.fieldnames}。")
        days = [_day(path, number, row) for number, row in enumerate(rows, start=2)]
    for year in covered:
        if sum(day.date.year == year for day in days) < MIN_ROWS_PER_YEAR:
            raise PolicyError(f"{path.name} 中 {year} 年的行太少,请按国务院办公厅通知补全该年。")
    return days


def _day(path: Path, number: int, row: dict[str, str]) -> Day:
    try:
        date, flag = dt.date.fromisoformat(row["date"]), {"0": False, "1": True}[row["is_workday"]]
    except (KeyError, ValueError) as fault:
        raise PolicyError(
            f"{path.name} 第 {number} 行无法读取:date={row['date']},is_workday={row['is_workday']}。"
            "应为 2027-01-01 与 0(休)或 1(班)。"
        ) from fault
    return Day(date, flag, row["name"], row["notice"])


def _end_of_next_month(day: dt.date) -> dt.date:
    months = day.year * 12 + day.month + 1  # months since year 0, counting the month after next
    return dt.date(months // 12, months % 12 + 1, 1) - ONE_DAY


def _missing_year(year: int) -> PolicyError:
    return PolicyError(
        f"工作日历没有 {year} 年的数据。请按国务院办公厅该年节假日安排通知添加 "
        f"settlement/calendars/cn_{year}.csv(列:{','.join(COLUMNS)});未公布前不推算。"
        f" No working-day data for {year}: add settlement/calendars/cn_{year}.csv."
    )
