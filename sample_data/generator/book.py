"""Collects planted stories: persons, settlements and lines of their own, and what must be found.

Days are counted in April 2026: 1 is 1 April, 0 is 31 March, -30 is 1 March.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sample_data.generator import people
from sample_data.generator.base import DAY, FIRST, HOUR
from sample_data.generator.regions import Member, Region

Row = dict[str, Any]
TURN = 660  # seconds between two customers of a pharmacy
VIOLATION, DOUBT = "违规", "可疑"


@dataclass(frozen=True)
class L:
    """One line of a story.

    Attributes:
        code: item.
        cnt: quantity, at most two decimals.
        day: day it was charged; None = first day of the visit.
        hour: hour of the day.
        minute: minute of the hour.
        treat: see `money.charge`.
        price: unit price in 元 if not the usual one.
        short: 分 of own payment missing.
        back: line number this line refunds.
        supply: days it lasts.
    """

    code: str
    cnt: float = 1
    day: int | None = None
    hour: int = 9
    minute: int = 0
    treat: str = ""
    price: str | None = None
    short: int = 0
    back: str | None = None
    supply: int | None = None


@dataclass(frozen=True)
class Visit:
    """When and how a settlement of a story took place; what is None follows from the rest.

    Attributes:
        day: last day.
        beg: first day of a stay.
        clr: clearing type.
        med: kind of care.
        settled: day of settlement.
        clock: second of that day; by default 17:00, in pharmacies one customer after the other.
        rate: fund share in 1/1000.
        account: what the account holds, in 分.
        insutype: insurance if not the person's.
        refd: refunded.
        died: day of death.
        diag: main diagnosis of a stay.
        way: way of discharge.
        dise: chronic disease.
    """

    day: int = 10
    beg: int | None = None
    clr: str | None = None
    med: str | None = None
    settled: int | None = None
    clock: int | None = None
    rate: int | None = None
    account: int | None = None
    insutype: str | None = None
    refd: str = "0"
    died: int | None = None
    diag: str = "K29.500"
    way: str = "1"
    dise: str | None = None


@dataclass
class Book:
    """The stories of one region.

    Attributes:
        reference: rows of reference tables the stories bring, by table.
        diagnoses: rows of setl_list_diag_d beside the main diagnoses.
        operations: rows of setl_list_oprn_d beside what follows from operation fees.
        traced: (setl_id, bkkp_sn) whose trace codes the stories bring, or that have none.
        centre: what the centre's totals say otherwise; see `evidence.centre_sum`.
    """

    region: Region
    index: dict[str, int]
    first_psn: int
    people: list[Row] = field(default_factory=list)
    coverage: list[Row] = field(default_factory=list)
    settlements: list[Row] = field(default_factory=list)
    lines: list[Row] = field(default_factory=list)
    reversals: list[Row] = field(default_factory=list)
    ghosts: list[str] = field(default_factory=list)
    changes: list[Row] = field(default_factory=list)
    expected: list[Row] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)
    reference: dict[str, list[Row]] = field(default_factory=dict)
    diagnoses: list[Row] = field(default_factory=list)
    operations: list[Row] = field(default_factory=list)
    traced: set[tuple[str, str]] = field(default_factory=set)
    centre: list[Row] = field(default_factory=list)

    def member(self, role: str) -> Member:
        """Return the member with a role; KeyError when the region has none."""
        found = self.region.role(role)
        if found is None:
            raise KeyError(role)
        return found

    def has(self, role: str) -> bool:
        """True when the region has a member with this role."""
        return self.region.role(role) is not None

    def person(
        self, insutype: str = "310", gend: str = "1", born: date = date(1975, 6, 15),
        died: int | None = None,
    ) -> int:  # fmt: skip
        """Add a person and return the row number."""
        psn = self.first_psn + len(self.people)
        self.people.append({"psn": psn, "gend": gend, "brdy": born, "insutype": insutype,
                            "die_date": april(died) if died is not None else None})  # fmt: skip
        return psn

    def covered(self, psn: int, insutype: str, status: str, first: date, last: date | None) -> None:
        """Give a person a coverage row instead of the usual open one."""
        self.coverage.append({"psn": psn, "insutype": insutype, "status": status,
                              "begndate": first, "enddate": last})  # fmt: skip

    def settle(self, role: str, psn: int, lines: Sequence[L], visit: Visit) -> str:
        """Add a settlement with its lines and return its setl_id."""
        inst = self.member(role).inst
        clr = visit.clr or ("41" if inst.kind == 2 else "21" if visit.beg is not None else "11")
        setl_id = self._next(inst.code)
        beg = visit.day if visit.beg is None else visit.beg
        person = self.people[psn - self.first_psn]
        settled = visit.day if visit.settled is None else visit.settled
        base = {"setl_id": setl_id, "seq": int(setl_id[-6:]), "kind": inst.kind, "level": inst.level,
                "insutype": visit.insutype or person["insutype"]}  # fmt: skip
        stay = clr == "21"
        clock = 17 * HOUR if inst.kind == 1 else 9 * HOUR + int(setl_id[-6:]) % 60 * TURN
        self.settlements.append(base | {
            "mdtrt_id": "M" + setl_id, "inst": inst.code, "psn": psn, "clr_type": clr,
            "med_type": visit.med or {"11": "11", "21": "21", "41": "41"}[clr],
            "beg": FIRST + beg - 1, "end": FIRST + visit.day - 1,
            "at": (FIRST + settled - 1) * DAY + (clock if visit.clock is None else visit.clock),
            "dise": visit.dise or ("M03900" if visit.med == "14" else None),
            "diag": visit.diag if stay else None,
            "dscg_way": None if not stay else "5" if visit.died is not None else visit.way,
            "die": april(visit.died) if visit.died is not None else None,
            "refd": visit.refd, "init_setl_id": None,
            "rate_set": visit.rate, "account_set": visit.account,
        })  # fmt: skip
        for number, line in enumerate(lines, start=1):
            self.lines.append(base | self._line(number, line, beg))
        return setl_id

    def _next(self, code: str) -> str:
        number = self.counters.get(code, 900_000) + 1
        self.counters[code] = number
        return f"{code[1:]}{number:06d}"

    def _line(self, number: int, line: L, beg: int) -> Row:
        day = beg if line.day is None else line.day
        price = None if line.price is None else int(Decimal(line.price) * 10_000)
        return {"sn": number, "init": line.back, "item": self.index[line.code],
                "at": (FIRST + day - 1) * DAY + line.hour * HOUR + line.minute * 60,
                "cnt": round(line.cnt * 100), "treat": line.treat, "price_set": price,
                "short": line.short, "supply": line.supply}  # fmt: skip

    def reverse(self, setl_id: str, day: int) -> str:
        """Add the reversal of a settlement, made on a day at 18:00, and return its setl_id."""
        source = next(s for s in self.settlements if s["setl_id"] == setl_id)
        new_id = self._next(source["inst"])
        self.reversals.append({"setl_id": setl_id, "new_id": new_id,
                               "at": (FIRST + day - 1) * DAY + 18 * HOUR})  # fmt: skip
        return new_id

    def finding(
        self, rule: str, setl_id: str, sn: str | None = None, grade: str = VIOLATION,
        share: tuple[str | None, str | None] = ("1", "1"),
    ) -> None:  # fmt: skip
        """Expect a finding; a share of (part, None) is of the line's in-scope amount."""
        self.expected.append({"kind": "finding", "rule_or_reason": rule, "grade": grade,
                              "setl_id": setl_id, "bkkp_sn": sn, "part": share[0],
                              "whole": share[1]})  # fmt: skip

    def refer(self, table: str, **cells: object) -> None:
        """Add a row to a reference table."""
        self.reference.setdefault(table, []).append(cells)

    def psn_no(self, psn: int) -> str:
        """Return the number of a person of the stories."""
        return people.number(self.region.area, psn)

    def diagnose(self, setl_id: str, *codes: str) -> None:
        """Add diagnoses to a settlement of an institution that sends them."""
        for code in codes:
            self.diagnoses.append({"setl_id": setl_id, "diag_code": code, "maindiag_flag": "0"})

    def operate(self, setl_id: str, code: str, day: int) -> None:
        """Add an operation to a stay of an institution that sends them."""
        self.operations.append({"setl_id": setl_id, "oprn_oprt_code": code,
                                "oprn_oprt_date": str(april(day))})  # fmt: skip

    def trace(self, setl_id: str, sn: str, *codes: str, split: bool = False) -> None:
        """Give a line its trace codes: none, or those named."""
        self.traced.add((setl_id, sn))
        for code in codes:
            self.refer("trace", trace_code=code, setl_id=setl_id, bkkp_sn=sn,
                       split_flag="1" if split else "0")  # fmt: skip

    def returned(
        self, reason: str, table: str, setl_id: str | None, sn: str | None, column: str | None
    ) -> None:
        """Expect a returned settlement's fault."""
        self.expected.append({"kind": "return", "rule_or_reason": reason, "table": table,
                              "setl_id": setl_id, "bkkp_sn": sn, "column": column})  # fmt: skip

    def refused(self, role: str, reason: str) -> None:
        """Expect the refusal of a submission."""
        self.expected.append({"kind": "refusal", "rule_or_reason": reason,
                              "fixmedins_code": self.member(role).inst.code})  # fmt: skip

    def change(self, table: str, setl_id: str, edit: Callable[[Row], Row], sn: str | None = None) -> None:
        """Edit a row of text before it is written: `edit` gets the row and returns new cells."""
        self.changes.append({"op": "edit", "table": table, "setl_id": setl_id, "sn": sn,
                             "edit": edit})  # fmt: skip

    def special(self, op: str, table: str, setl_id: str, **more: object) -> None:
        """Repeat, orphan, drop or lengthen rows; see `texts.apply`."""
        self.changes.append({"op": op, "table": table, "setl_id": setl_id, **more})


def april(day: int) -> date:
    """Return the date of a day counted in April 2026."""
    return date(2026, 3, 31) + timedelta(days=day)
