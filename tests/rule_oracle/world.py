"""What the slow rules look at: a month as lists of dicts, and the few ideas that all rules share.

A rule is a function of a `World` that returns hits. Dates are `date`, moments `datetime`, amounts and
quantities `Decimal`, everything else text; a missing value is None.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests import oracle

Row = dict[str, Any]
STAY, VISIT, PURCHASE = "21", "11", "41"
FAR = dt.date(9999, 12, 31)
EFFECTIVE = dt.date(2021, 5, 1)
SIDE = (
    "psn_no", "fixmedins_code", "insutype", "med_type", "clr_type", "gend", "brdy", "begndate", "enddate",
    "sd", "setl_time", "hifp_pay", "fund_pay_sumamt", "acct_pay", "dise_no",
)  # fmt: skip


@dataclass(frozen=True)
class Hit:
    """One hit: whose, how much of its fund money, how grave, and of which funds (empty: all)."""

    setl_id: str
    bkkp_sn: str | None = None
    share: Fraction = Fraction(1)
    grade: str = ""
    funds: str = ""


@dataclass(frozen=True)
class World:
    """A claim month with what was loaded and what is stored of earlier months.

    Attributes:
        month: first day of the claim month.
        settlements: accepted settlements, setl_d columns; reversals and invalid ones too.
        lines: their lines as charged, fee_list_d columns.
        past_settlements: the same of all earlier claim months.
        past_lines: the same of all earlier claim months.
        diagnoses: setl_list_diag_d rows.
        operations: setl_list_oprn_d rows.
        declared: clr_sum rows.
        reference: reference and knowledge tables by name.
        parameter: value of a parameter by name and day.
        grade: grade of the rule's header, for a hit that says nothing else.
    """

    month: dt.date
    settlements: list[Row]
    lines: list[Row]
    parameter: Callable[[str, dt.date], Any]
    past_settlements: list[Row] = field(default_factory=list)
    past_lines: list[Row] = field(default_factory=list)
    diagnoses: list[Row] = field(default_factory=list)
    operations: list[Row] = field(default_factory=list)
    declared: list[Row] = field(default_factory=list)
    reference: dict[str, list[Row]] = field(default_factory=dict)

    @property
    def last_day(self) -> dt.date:
        """Last day of the claim month."""
        return (self.month.replace(day=28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(days=1)

    def number(self, name: str, day: dt.date) -> Decimal:
        """Value of a numeric parameter on a day."""
        return Decimal(self.parameter(name, day))

    def codes(self, name: str, day: dt.date) -> set[str]:
        """Value of a list parameter on a day; the empty text is the empty list."""
        return {code for code in str(self.parameter(name, day)).split("|") if code}


def claimed(world: World, *scope: str) -> list[Row]:
    """Return every accepted settlement in scope, with `sd`."""
    return [s | {"sd": s["setl_time"].date()} for s in world.settlements if s["clr_type"] in scope]


def settlements(world: World, *scope: str) -> list[Row]:
    """Return the valid settlements in scope, with `sd`."""
    valid = oracle.valid_ids([s for s in world.settlements if _reverses(s) or not _is_reversal(s)])
    return [s for s in claimed(world, *scope) if s["setl_id"] in valid]


def lines(world: World, *scope: str) -> list[Row]:
    """Return the net lines of the valid settlements in scope, with `d` and what `line` has of those."""
    owner = {s["setl_id"]: s for s in settlements(world, *scope)}
    return _with_owner(oracle.net_lines(world.lines), owner)


def charged(world: World, *scope: str) -> list[Row]:
    """Return the net lines in scope of which something is left."""
    return [line for line in lines(world, *scope) if line["cnt"] > 0]


def every_scope(world: World) -> set[str]:
    """Return all clearing types of the month, for a rule that looks at lines of all scopes."""
    return {s["clr_type"] for s in world.settlements}


def past_settlements(world: World) -> list[Row]:
    """Return the valid settlements of earlier months: not reversed there nor in this month."""
    everything = [
        s for s in world.past_settlements + world.settlements if _reverses(s) or not _is_reversal(s)
    ]
    valid = oracle.valid_ids(everything)
    return [s | {"sd": s["setl_time"].date()} for s in world.past_settlements if s["setl_id"] in valid]


def past_lines(world: World) -> list[Row]:
    """Return the net lines of the valid settlements of earlier months, with `setl_inscp_amt`."""
    owner = {s["setl_id"]: s for s in past_settlements(world)}
    found = _with_owner(oracle.net_lines(world.past_lines), owner)
    return [line | {"setl_inscp_amt": owner[line["setl_id"]]["inscp_amt"]} for line in found]


def past_charged(world: World, *scope: str) -> list[Row]:
    """Return the same of earlier months; without a scope those of all scopes."""
    return [p for p in past_lines(world) if p["cnt"] > 0 and (not scope or p["clr_type"] in scope)]


def diagnoses(world: World) -> dict[str, list[str]]:
    """Return the diagnosis codes of each settlement: its list and its main diagnosis, each once."""
    found: dict[str, list[str]] = {s["setl_id"]: [] for s in world.settlements}
    said = [(s["setl_id"], s["dscg_maindiag_code"]) for s in world.settlements if s["dscg_maindiag_code"]]
    for setl_id, code in [(d["setl_id"], d["diag_code"]) for d in world.diagnoses] + said:
        if setl_id in found and code not in found[setl_id]:
            found[setl_id].append(code)
    return found


def generic(world: World) -> Callable[[str], str]:
    """Return what gives the generic id of a code."""
    known: dict[str, str] = {}
    for row in in_force(world.reference.get("kb_generic", []), world.last_day):
        known[row["hilist_code"]] = row["generic_id"]

    def of(code: str) -> str:
        if code in known:
            return known[code]
        return code[:10] if code.startswith("X") else code[:11] if code.startswith("Z") else code

    return of


def known(world: World, table: str, day: dt.date, **columns: Any) -> list[Row]:
    """Return the rows of a dated table that are in force on a day and have these values."""
    rows = world.reference.get(table, [])
    return in_force([r for r in rows if all(r[name] == value for name, value in columns.items())], day)


def in_force(rows: Iterable[Row], day: dt.date) -> list[Row]:
    """Return the rows in force on a day, both ends included."""
    return [r for r in rows if r["begndate"] <= day <= (r["enddate"] or FAR)]


def effective(rows: Iterable[Row], dated_by: str, since: dt.date = EFFECTIVE) -> list[Row]:
    """Return the rows that a rule in effect since a day may judge."""
    return [r for r in rows if r[dated_by] >= since]


def age(brdy: dt.date, day: dt.date) -> int:
    """Full years on a day."""
    return day.year - brdy.year - ((day.month, day.day) < (brdy.month, brdy.day))


def judged_day(row: Row) -> dt.date:
    """Day on which a person's age counts: of admission for stays, else of the charge or settlement."""
    day: dt.date = row["begndate"] if row["clr_type"] == STAY else row.get("d", row["sd"])
    return day


def in_line_order(row: Row) -> tuple[Any, ...]:
    """Order of lines."""
    return row["fee_ocur_time"], row["bkkp_sn"], row["setl_id"]


def in_settlement_order(row: Row) -> tuple[Any, ...]:
    """Order of settlements."""
    return row["setl_time"], row["setl_id"]


def bed_days(row: Row) -> int:
    """Nights, at least one."""
    return max(1, (row["enddate"] - row["begndate"]).days)


def share(part: Decimal | int | Fraction, whole: Decimal | int | Fraction) -> Fraction:
    """Return part / whole exactly, never above 1."""
    return min(Fraction(1), Fraction(part) / Fraction(whole))


def four_places(value: Fraction) -> Fraction:
    """Round half up, away from zero, to four decimal places."""
    return Fraction(oracle.round_half_up(value * 10_000), 10_000)


def _is_reversal(settlement: Row) -> bool:
    return bool(settlement["refd_setl_flag"] == "1" and settlement["init_setl_id"])


def _reverses(settlement: Row) -> bool:
    """A row with the flag and a positive amount reverses nothing."""
    return _is_reversal(settlement) and settlement["medfee_sumamt"] <= 0


def _with_owner(net: dict[str, list[Row]], owner: dict[str, Row]) -> list[Row]:
    return [
        line | {"d": line["fee_ocur_time"].date()} | {name: owner[setl_id][name] for name in SIDE}
        for setl_id, own in net.items()
        if setl_id in owner
        for line in own
        if line["cnt"] > 0
    ]
