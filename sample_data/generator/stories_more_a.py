"""Planted stories of the other rules A: paused agreements, sums, funds, other pools, injuries."""

from __future__ import annotations

from decimal import Decimal

from sample_data.generator.book import DOUBT, Book, L, Row, Visit, april
from sample_data.generator.evidence import LATER_FUND, LEFT_AREA
from sample_data.generator.faults import LINE, SETL, add, put
from sample_data.generator.regions import SUSPENDED
from sample_data.generator.stories_a import BLOOD, INJECTION, PLAIN, SALINE, TABLET, URINE, VITAMIN

NIGHTS = 4
MADE_OF = ("medfee_sumamt", "psn_pay", "cash_payamt")


def drip(first: int, last: int) -> list[L]:
    """Return lines of an ordinary stay: an infusion every other day."""
    return [L(INJECTION, 2, day=day, hour=16) for day in range(first, max(last, first + 1), 2)]


def shops(book: Book, *roles: str) -> list[str]:
    """Return the roles that the region has."""
    return [role for role in roles if book.has(role)]


def a04(book: Book) -> None:
    """A04: while the agreement is paused, on its days only; a stay begun before is doubtful."""
    for role in shops(book, "end", "ph2"):
        first, last = SUSPENDED[role]
        for day in range(first - 1, min(last + 1, 30) + 1):
            lines = list(PLAIN) if role == "end" else [L(TABLET, 7)]
            found = book.settle(role, book.person("390"), lines, Visit(day))
            if first <= day <= last:
                book.finding("A04", found)
    first, last = SUSPENDED["end"]
    visit = Visit(first, beg=first - NIGHTS)
    found = book.settle("end", book.person("390"), drip(first - NIGHTS, first), visit)
    book.finding("A04", found, grade=DOUBT)
    moved_on = Visit(last, beg=first, way="2")
    book.finding("A04", book.settle("end", book.person("390"), drip(first, last), moved_on))


def restate(book: Book, setl_id: str, sn: str, amount: str, part: str = "inscp_amt") -> None:
    """Charge a line more, or less, than its price times quantity, paid in cash."""
    more = Decimal(amount)
    book.change(LINE, setl_id, add(more, "det_item_fee_sumamt", part), sn)
    book.change(SETL, setl_id, add(more, *MADE_OF, part))


def a10(book: Book) -> None:
    """A10: a 分 a unit is not too much, one more is; too little is found and costs nothing."""
    day = 6 + book.region.shift
    for amount, share in (("0.01", None), ("0.02", ("0.02", "20.02")), ("-0.01", None),
                          ("-0.02", ("0.00", "19.98"))):  # fmt: skip
        found = book.settle("h2", book.person("390"), [L(BLOOD), L(URINE)], Visit(day))
        restate(book, found, "001", amount)
        if share:
            book.finding("A10", found, "001", share=share)
    for role, amount, share in (("h2", "0.14", None), ("h2", "0.15", "9.69"), ("ph1", "0.14", None),
                                ("ph1", "0.15", "9.69")):  # fmt: skip
        for here in shops(book, role):
            found = book.settle(here, book.person("390"), [L(TABLET, 14)], Visit(day))
            restate(book, found, "001", amount)
            if share:
                book.finding("A10", found, "001", share=(amount, share))
    found = book.settle("h2", book.person("390"), [L(BLOOD), L(VITAMIN)], Visit(day))
    restate(book, found, "002", "0.02", "fulamt_ownpay_amt")
    book.finding("A10", found, "002", share=("0", "1"))


def a14(book: Book) -> None:
    """A14: all given back, but not for what it was charged; near miss: for the same price."""
    day = 7 + book.region.shift
    for role in shops(book, "h2", "ph1"):
        for price in ("0.6000", None):
            lines = [L(SALINE), L(TABLET, 14), L(TABLET, -14, back="002", price=price)]
            found = book.settle(role, book.person(), lines, Visit(day))
            if price:
                book.finding("A14", found, "002", share=("0", "1"))


def a15(book: Book) -> None:
    """A15: other totals at the centre: cash, number, none at all; another month is not compared."""
    changes = [("h2", "310", "11", "cash_payamt", "0.01"), ("h2", "390", "21", "", None)]
    if book.has("ph1"):
        changes.append(("ph1", "390", "41", "fixmedins_setl_cnt", "1"))
    for role, insutype, clr_type, column, by in changes:
        book.centre.append({"fixmedins_code": book.member(role).inst.code, "insutype": insutype,
                            "clr_type": clr_type, "column": column, "by": by})  # fmt: skip


def _paid_by(*columns: str) -> tuple[str, ...]:
    return tuple(f"{name}_pay" for name in columns)


def a16(book: Book) -> None:
    """A16: a fund that may not pay for the insurance; one that may from the 16th; 离休 is not judged."""
    one = Decimal("1.00")

    def pays(setl_id: str, *funds: str) -> None:
        for fund in funds:
            book.change(SETL, setl_id, add(one, fund))
            book.change(SETL, setl_id, add(-one, "hifp_pay"))

    _, _, since = LATER_FUND
    begins = int(since[-2:])
    cases = (
        ("310", 9, _paid_by("maf"), True), ("310", 9, _paid_by("maf", "hifmi"), True),
        ("310", 9, _paid_by("cvlserv"), False), ("340", 9, _paid_by("maf"), False),
        ("390", begins - 1, _paid_by("hifes"), True), ("390", begins, _paid_by("hifes"), False),
    )  # fmt: skip
    for insutype, day, funds, hit in cases:
        found = book.settle("h2", book.person(insutype), PLAIN, Visit(day))
        pays(found, *funds)
        if hit:
            book.finding("A16", found)
    for role in shops(book, "ph1"):
        found = book.settle(role, book.person(), [L(TABLET, 14)], Visit(9))
        pays(found, "maf_pay")
        book.finding("A16", found)


def a17(book: Book) -> None:
    """A17: insured elsewhere; a county that left the pool on the 15th; no area given."""
    area, last = LEFT_AREA
    leaves = int(last[-2:])
    cases = (("h2", "110101", 10, True), ("h2", "", 10, False), ("h2", area, leaves, False),
             ("h2", area, leaves + 1, True), ("ph1", "110101", 10, True))  # fmt: skip
    for role, insured, day, hit in cases:
        local = area.startswith(book.region.area.rstrip("0"))
        for here in shops(book, role):
            lines = list(PLAIN) if here == "h2" else [L(TABLET, 7)]
            found = book.settle(here, book.person(), lines, Visit(day))
            book.change(SETL, found, put(insu_admdvs=insured))
            if hit and not (insured == area and local):
                book.finding("A17", found)


def a18(book: Book) -> None:
    """A18: reimbursed by hand: the same visit, the same invoice; another amount, another day."""
    day = 12 + book.region.shift
    number = 0

    def by_hand(role: str, **other: str) -> str:
        nonlocal number
        number += 1
        psn = book.person("390")
        lines = list(PLAIN) if role == "h2" else [L(TABLET, 100)]
        found = book.settle(role, psn, lines, Visit(day))
        row: Row = {"psn_no": book.psn_no(psn), "fixmedins_code": book.member(role).inst.code,
                    "begndate": april(day), "enddate": april(day),
                    "medfee_sumamt": "32.00" if role == "h2" else "68.17"}  # fmt: skip
        book.refer("manual_reimbursement", **(row | {"reimb_no": f"LX1{number:05d}"} | other))
        return found

    for role in shops(book, "h2", "ph1"):
        book.finding("A18", by_hand(role))
        by_hand(role, medfee_sumamt="32.01")
        by_hand(role, enddate=str(april(day + 1)))
        found = by_hand(role, medfee_sumamt="1.00", invono=f"99{role}0001")
        book.change(SETL, found, put(invono=f"99{role}0001"))
        book.finding("A18", found)
        found = by_hand(role, medfee_sumamt="1.00", invono=f"99{role}0002")
        book.change(SETL, found, put(invono=f"99{role}0003"))


def a19(book: Book) -> None:
    """A19: an injury without a pledge; with one; at the end of the chapter; told of a visit."""
    day = 14 + book.region.shift
    first = day - NIGHTS
    for code, pledged, hit in (("S82.101", False, True), ("T98.300", False, True), ("T99.000", False, False),
                               ("S82.101", True, False)):  # fmt: skip
        visit = Visit(day, beg=first, diag=code)
        found = book.settle("h2", book.person("390"), drip(first, day), visit)
        if pledged:
            book.refer("injury_pledge", setl_id=found)
        if hit:
            book.finding("A19", found, grade=DOUBT)
    for role in shops(book, "h3", "ph1"):
        for code in ("S93.400", "R52.900"):
            lines = list(PLAIN) if role == "h3" else [L(TABLET, 7)]
            found = book.settle(role, book.person("390"), lines, Visit(day))
            book.diagnose(found, code)
            if code.startswith("S"):
                book.finding("A19", found, grade=DOUBT)


STORIES = (a04, a10, a14, a15, a16, a17, a18, a19)
