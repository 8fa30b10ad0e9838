"""Working days: the State Council's days off and make-up days, and the due dates reckoned from them.

The days come from `calendars/cn_<year>[_<year>].csv` (columns date, is_workday, name, notice), which hold
only days that differ from Monday to Friday. A file's name says which whole years it covers, because
a year's notice may name a day of the neighbouring year. A day outside the covered years is an error
that says which file to add; next year's days off are never guessed. A year of one's own is checked and
put beside them by `settlement.calendar_year`.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from settlement.errors import PolicyError
from settlement.labels import LABELS
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
        return self.shift(start, n)

    def shift(self, day: dt.date, n: int) -> dt.date:
        """Return the working day `n` after `day`, or before it when negative; 0 keeps a working day.

        A rest day counts as the working day before it.
        """
        self._covered(day)
        return self._at(bisect_right(self._workdays, day) - 1 + n)

    def ordinals(self) -> pl.DataFrame:
        """Return every covered day as date, upto and before: the working days until it, with and without it.

        The working days after `a` up to and with `b` are upto(b) - upto(a), so a deadline is one join.
        """
        days = pl.date_range(self.first, self.last, eager=True).alias("date")
        work = days.is_in(pl.Series(self._workdays, dtype=pl.Date).implode()).cast(pl.Int32)
        upto = work.cum_sum()
        return pl.DataFrame({"date": days, "upto": upto, "before": upto - work})

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
            raise missing_year(self.first.year - 1)
        if position >= len(self._workdays):
            raise missing_year(self.last.year + 1)
        return self._workdays[position]

    def _covered(self, day: dt.date) -> None:
        if day < self.first:
            raise missing_year(self.first.year - 1)
        if day > self.last:
            raise missing_year(self.last.year + 1)


def digest(folder: Path | None = None) -> str:
    """Digest of the calendar files that `load(folder)` reads, for the record of a run."""
    return hashlib.sha256(
        b"".join(path.read_bytes() for path in [*files(FOLDER), *files(folder)])
    ).hexdigest()


def load(folder: Path | None = None) -> Calendar:
    """Read the calendar shipped here, and on top of it the `cn_*.csv` files of `folder` if given.

    A year that a file of `folder` covers is taken from there alone, so a later notice can replace it.

    Raises:
        PolicyError: a file is malformed, two files contradict each other, or a year between the
            first and the last is missing.
    """
    return assemble(files(folder))


def assemble(own: list[Path], candidate: tuple[Path, list[Day]] | None = None) -> Calendar:
    """Put the shipped files, those of a home and a file that is to be added together."""
    names = [*own, candidate[0]] if candidate else own
    replaced = {year for path in names for year in years_of(path)}
    parts = [(path, _read(path)) for path in own] + ([candidate] if candidate else [])
    shipped = [(path, _read(path)) for path in files(FOLDER)]
    kept = [
        (path, [day for day in days if day.date.year not in replaced or day.date.year not in years_of(path)])
        for path, days in shipped
    ]
    special: dict[dt.date, Day] = {}
    for path, days in [*kept, *parts]:
        for day in days:
            known = special.setdefault(day.date, day)
            if known.is_workday != day.is_workday:
                raise PolicyError(
                    f"工作日历对 {day.date} 说法不一:{known.notice} 与 {day.notice}({path.name})。"
                    "请只保留有效通知的一行。"
                )
    years = replaced | {year for path, _ in shipped for year in years_of(path)}
    if not years:
        raise PolicyError(f"没有工作日历。请在 {FOLDER.name} 中放入 cn_<年>.csv。")
    for year in range(min(years), max(years)):
        if year not in years:
            raise missing_year(year)
    return Calendar(dt.date(min(years), 1, 1), dt.date(max(years), 12, 31), special)


def files(folder: Path | None) -> list[Path]:
    """Return the calendar files of a folder, in order of name."""
    return sorted(folder.glob("cn_*.csv")) if folder else []


def years_of(path: Path) -> range:
    """Return the whole years a file covers, as its name says; PolicyError for any other name."""
    named = re.fullmatch(r"cn_(\d{4})(?:_(\d{4}))?", path.stem)
    if named is None or path.suffix != ".csv" or int(named[2] or named[1]) < int(named[1]):
        raise PolicyError(f"工作日历文件名 {path.name} 应为 cn_2027.csv 或 cn_2027_2028.csv。")
    return range(int(named[1]), int(named[2] or named[1]) + 1)


def _read(path: Path) -> list[Day]:
    days = []
    for number, row in rows_of(path):
        day, wrong = parsed(row)
        if day is None:
            raise PolicyError(f"{path.name} {say('cal.row', row=number, fault=wrong[0])}")
        days.append(day)
    for year in years_of(path):
        if sum(day.date.year == year for day in days) < MIN_ROWS_PER_YEAR:
            raise PolicyError(f"{path.name} 中 {year} 年的行太少,请按国务院办公厅通知补全该年。")
    return days


def rows_of(path: Path) -> list[tuple[int, list[str]]]:
    """Return the rows of a file with their numbers, blank ones left out; its columns must be right."""
    if not path.is_file():
        raise PolicyError(say("cal.no_file", file=path))
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030", "replace")
    lines = list(enumerate(csv.reader(io.StringIO(text, newline="")), start=1))
    header = [cell.strip() for cell in lines[0][1]] if lines else []
    if header != COLUMNS:
        raise PolicyError(f"{path.name} 的列应为 {','.join(COLUMNS)},实为 {','.join(header)[:80]}。")
    return [(number, cells) for number, cells in lines[1:] if any(cell.strip() for cell in cells)]


def parsed(row: list[str]) -> tuple[Day | None, list[str]]:
    """Return a row as a day, or none, with everything that is wrong with its cells."""
    if len(row) != len(COLUMNS):
        return None, [say("cal.cells", count=len(row), wanted=len(COLUMNS))]
    date_text, flag, name, notice = (cell.strip() for cell in row)
    wrong = []
    date = _date(date_text)
    if date is None:
        wrong.append(say("cal.date", value=date_text))
    if flag not in ("0", "1"):
        wrong.append(say("cal.flag", value=flag))
    wrong += [
        say("cal.empty", column=column) for column, cell in (("name", name), ("notice", notice)) if not cell
    ]
    return (
        (None, wrong)
        if date is None or flag not in ("0", "1")
        else (Day(date, flag == "1", name, notice), wrong)
    )


def _date(text: str) -> dt.date | None:
    parts = re.fullmatch(r"(\d{4})([-/])(\d{1,2})\2(\d{1,2})", text)
    try:
        return dt.date(int(parts[1]), int(parts[3]), int(parts[4])) if parts else None
    except ValueError:
        return None


def _end_of_next_month(day: dt.date) -> dt.date:
    months = day.year * 12 + day.month + 1  # months since year 0, counting the month after next
    return dt.date(months // 12, months % 12 + 1, 1) - ONE_DAY


def missing_year(year: int) -> PolicyError:
    """Return the error that names the file a year needs, and the command that loads it."""
    return PolicyError(say("cal.missing", year=year, columns=",".join(COLUMNS)))


def say(key: str, **values: object) -> str:
    """Return a message in both languages: an error is read by whoever meets it."""
    return " ".join(text.format(**values) for text in LABELS[key])


def listed(values: Iterable[object], most: int = 5) -> str:
    """Return the first values as words, with a sign that there are more."""
    words = [str(value) for value in values]
    return "、".join(words[:most]) + (" …" if len(words) > most else "")
