"""A calendar year of one's own: checked completely, then put into a home's `calendars/` folder.

A wrong calendar gives wrong due dates without a word, so a file with any fault is refused and every fault
is listed. `calendars/statutory.csv` says which days the law frees in every year.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from settlement import workdays
from settlement.errors import PolicyError
from settlement.workdays import COLUMNS, FOLDER, SATURDAY, Calendar, Day, listed, say

# Fewer or more working days in a year than any notice ever gave: the file is wrong, whatever else it says.
PLAUSIBLE = range(230, 263)
DECEMBER, JANUARY = 12, 1


@dataclass(frozen=True)
class Checked:
    """A calendar file's years and days, everything wrong with it, and what is only worth knowing."""

    years: list[int]
    days: list[Day]
    faults: list[str]
    notes: list[str]


def add_year(source: Path, folder: Path, *, replace: bool = False) -> list[int]:
    """Check a calendar file and put it into `folder`, from where `workdays.load(folder)` reads it.

    Args:
        source: `cn_<year>.csv`, as UTF-8 or GB18030; a spreadsheet's dates (2027/1/1) are understood.
        folder: the calendars of a home; made when there is none.
        replace: let it take the place of a year that is loaded and says something else.

    Returns:
        The years that were added or replaced; none when the same days are loaded already.

    Raises:
        PolicyError: the file has faults, all of them listed; or it differs from a loaded year and
            `replace` is not set.
    """
    checked = check_year(source, folder)
    if checked.faults:
        raise PolicyError("\n".join([say("cal.refused", file=source.name), *checked.faults]))
    target, content = folder / source.name, _written(checked.days)
    if target.is_file() and target.read_bytes() == content:
        return []
    if not replace and not _is_news(checked, source.name, folder):
        return []
    folder.mkdir(parents=True, exist_ok=True)
    waiting = folder / f".{source.name}.{os.getpid()}"
    waiting.write_bytes(content)
    waiting.replace(target)
    return checked.years


def _is_news(checked: Checked, name: str, folder: Path) -> bool:
    """Return whether a file adds a year; PolicyError when it says something else about a loaded one."""
    files = [*workdays.files(FOLDER), *workdays.files(folder)]
    loaded = {year for path in files for year in workdays.years_of(path)}
    known = sorted(loaded & set(checked.years))
    changed = _changed(workdays.load(folder), checked) if known else []
    if changed:
        raise PolicyError(
            say("cal.loaded", file=name, years=listed(known), days=listed(changed), count=len(changed))
        )
    return not loaded.issuperset(checked.years)


def check_year(source: Path, folder: Path) -> Checked:
    """Return everything wrong with a calendar file, as one would add it to the files of `folder`.

    Checked are its name, columns and cells; that days lie in its years or the month next to them, and
    stand there once; that the statutory days are off and make up at least their number (全国年节及
    纪念日放假办法 art. 2); that the year's working days are plausible; that no year is left out between
    it and the loaded ones, and that it contradicts none. Rows that change nothing are notes, not faults.
    """
    try:
        years, rows = workdays.years_of(source), workdays.rows_of(source)
    except PolicyError as fault:
        return Checked([], [], [str(fault)], [])
    days: list[Day] = []
    faults: list[str] = []
    notes: list[str] = []
    seen: dict[dt.date, int] = {}
    for number, row in rows:
        day, wrong = workdays.parsed(row)
        if day is not None:
            wrong += _misplaced(day, years, seen.setdefault(day.date, number), number)
            days.append(day)
            if day.is_workday == (day.date.weekday() < SATURDAY):
                notes.append(say("cal.idle", row=number, date=day.date, flag=int(day.is_workday)))
            elif day.date.year not in years:
                notes.append(say("cal.neighbour", row=number, date=day.date))
        faults += [say("cal.row", row=number, fault=fault) for fault in wrong]
    if not faults:
        faults = [fault for year in years for fault in _implausible(year, years, days)]
        faults += _against_others(source, years, days, folder)
    return Checked(list(years), sorted(days, key=lambda day: day.date), faults, notes)


def _misplaced(day: Day, years: range, first_seen: int, number: int) -> list[str]:
    """A notice may name days of the month before its year or after it, no others; and each once."""
    wrong = []
    edge = (day.date.year, day.date.month) in ((years[0] - 1, DECEMBER), (years[-1] + 1, JANUARY))
    if day.date.year not in years and not edge:
        wrong.append(say("cal.outside", date=day.date, years=listed(years)))
    if first_seen != number:
        wrong.append(say("cal.twice", date=day.date, first=first_seen))
    return wrong


def _implausible(year: int, years: range, days: list[Day]) -> list[str]:
    law = _statutory(year)
    if not law:
        return [say("cal.no_law", year=year)]
    own = [day for day in days if min(max(day.date.year, years[0]), years[-1]) == year]
    calendar = Calendar(dt.date(year, 1, 1), dt.date(year, 12, 31), {day.date: day for day in own})
    wrong = []
    for name, _, fixed in law:
        if not any(name in day.name for day in own):
            wrong.append(say("cal.unnamed", year=year, name=name))
        for date in (dt.date.fromisoformat(f"{year}-{each}") for each in fixed):
            if calendar.is_workday(date):
                wrong.append(say("cal.statutory", date=date, name=name))
    freed = sum(not day.is_workday and day.date.weekday() < SATURDAY for day in own)
    made_up = sum(day.is_workday and day.date.weekday() >= SATURDAY for day in own)
    needed = sum(count for _, count, _ in law)
    if freed - made_up < needed:
        wrong.append(say("cal.too_few", year=year, off=freed, up=made_up, net=freed - made_up, needed=needed))
    total = calendar.remaining(calendar.first, calendar.last) + calendar.is_workday(calendar.first)
    if total not in PLAUSIBLE:
        wrong.append(say("cal.total", year=year, total=total, low=PLAUSIBLE[0], high=PLAUSIBLE[-1]))
    return wrong


def _against_others(source: Path, years: range, days: list[Day], folder: Path) -> list[str]:
    others = [path for path in workdays.files(folder) if path.name != source.name]
    wrong = [
        say("cal.overlap", file=path.name, years=listed(sorted(set(workdays.years_of(path)) & set(years))))
        for path in others
        if set(workdays.years_of(path)) & set(years)
    ]
    if not wrong:
        try:
            workdays.assemble(others, (source, days))
        except PolicyError as fault:
            wrong.append(str(fault))
    return wrong


def _changed(calendar: Calendar, checked: Checked) -> list[dt.date]:
    """Return the days on which a loaded calendar and a file say something else."""
    special = {day.date: day for day in checked.days}
    named = {date for date in calendar.special if date.year in checked.years} | set(special)
    after = Calendar(calendar.first, calendar.last, special)
    covered = (date for date in sorted(named) if calendar.first <= date <= calendar.last)
    return [date for date in covered if calendar.is_workday(date) != after.is_workday(date)]


@cache
def _statutory(year: int) -> list[tuple[str, int, tuple[str, ...]]]:
    """Return the statutory days off of a year: name, number of days, fixed dates as MM-DD."""
    with (FOLDER / "statutory.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if int(row["from"]) <= year]
    newest = max((row["from"] for row in rows), default="")
    held = [row for row in rows if row["from"] == newest]
    return [(row["name"], int(row["days"]), tuple(filter(None, row["fixed"].split("|")))) for row in held]


def _written(days: list[Day]) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows((day.date.isoformat(), int(day.is_workday), day.name, day.notice) for day in days)
    return file.getvalue().encode()
