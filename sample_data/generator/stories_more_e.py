"""Planted stories of rules E: prescriptions, trace codes, purchases too many, till patterns, stock."""

from __future__ import annotations

from sample_data.generator.base import HOUR
from sample_data.generator.book import DOUBT, VIOLATION, Book, L, Visit, april
from sample_data.generator.evidence import MONTH
from sample_data.generator.faults import SETL, put
from sample_data.generator.stories_a import BLOOD, STATIN, TABLET, VITAMIN

DUAL, CAPSULE, SPRAY = "XL01EBA310A001010199033", "XJ01DDT061A001010199034", "XR03ACS035L001010199035"
ALBUMIN, DRINK, SWEETS = "XB05AAR020B002010199036", "ZA09FAS0500010199037", "XA11ABD050A001010199038"
AMOXICILLIN, METFORMIN = "XJ01CAA040E001010199001", "XA10BAJ023A001010199003"
SHOPS = ("ph1", "ph2")
MINUTE = 60


def e01(book: Book) -> None:
    """E01: no prescription, none that day, more than prescribed; a dual-channel drug is a violation."""
    day = 11 + book.region.shift
    number = 0

    def prescribed(psn: int, code: str, count: str, last: int) -> None:
        nonlocal number
        number += 1
        book.refer("erx", rx_no=f"RX9{number:07d}", psn_no=book.psn_no(psn), hilist_code=code, cnt=count,
                   begndate=april(day - 3), enddate=april(last))  # fmt: skip

    for code, grade in ((DUAL, VIOLATION), (CAPSULE, DOUBT)):
        found = book.settle("ph1", book.person(), [L(code, 2), L(TABLET, 7)], Visit(day))
        book.finding("E01", found, "001", grade)
        for count, last, share in (("2.00", day, None), ("1.00", day, ("1", "2")),
                                   ("2.00", day - 1, ("1", "1"))):  # fmt: skip
            psn = book.person()
            prescribed(psn, code, count, last)
            found = book.settle("ph1", psn, [L(code, 2), L(TABLET, 7)], Visit(day))
            if share:
                book.finding("E01", found, "001", grade, share)
    psn = book.person()  # two purchases share one prescription
    prescribed(psn, CAPSULE, "12.00", day + 2)
    book.settle("ph1", psn, [L(CAPSULE, 8)], Visit(day))
    found = book.settle("ph2", psn, [L(CAPSULE, 8)], Visit(day + 1))
    book.finding("E01", found, "001", DOUBT, ("4", "8"))


def e02(book: Book) -> None:
    """E02: three boxes with two codes, none; with three; out of an open box; of the list without codes."""
    day = 13 + book.region.shift
    for role in SHOPS:
        for codes, hit in ((2, True), (0, True), (3, False)):
            found = book.settle(role, book.person(), [L(SPRAY, 3), L(TABLET, 7)], Visit(day))
            book.trace(found, "001", *(f"82{found}{n}" for n in range(codes)))
            if hit:
                book.finding("E02", found, "001", share=(str(3 - codes), "3"))
        found = book.settle(role, book.person(), [L(SPRAY, 2), L(AMOXICILLIN, 14)], Visit(day))
        book.trace(found, "001", f"83{found}", split=True)
        book.trace(found, "002")


def e03(book: Book) -> None:
    """E03: a code sold before, here and in another pharmacy; an open box may be sold from again."""
    day = 16 + book.region.shift
    code = f"84{book.region.area}0001"
    first = book.settle("ph1", book.person(), [L(SPRAY)], Visit(day))
    book.trace(first, "001", code)
    again = book.settle("ph2", book.person(), [L(SPRAY, 2)], Visit(day + 1))
    book.trace(again, "001", code, f"{code}9")
    book.finding("E03", again, "001", DOUBT, ("1", "2"))
    for later in (1, 2):
        found = book.settle("ph1", book.person(), [L(SPRAY)], Visit(day + later))
        book.trace(found, "001", f"{code}8", split=True)
    back = book.settle("ph1", book.person(), [L(SPRAY)], Visit(day))  # given back: it was never sold
    book.trace(back, "001", f"{code}7")
    book.reverse(back, day + 1)
    found = book.settle("ph1", book.person(), [L(SPRAY)], Visit(day + 2))
    book.trace(found, "001", f"{code}7")


def e04(book: Book) -> None:
    """E04: the same drug in two pharmacies on one day; another drug; the next day."""
    day = 18 + book.region.shift
    for other, later, hit in ((TABLET, 0, True), (STATIN, 0, False), (TABLET, 1, False)):
        psn = book.person()
        book.settle("ph1", psn, [L(TABLET, 7)], Visit(day, clock=9 * HOUR))
        found = book.settle("ph2", psn, [L(other, 14)], Visit(day + later, clock=16 * HOUR))
        if hit:
            book.finding("E04", found, grade=DOUBT)


def e05(book: Book) -> None:
    """E05: the fifth purchase of a drug within 30 days; the fifth of two drugs. (Too early again: D07.)"""
    first = 3 + book.region.shift
    for last in (METFORMIN, STATIN):
        psn = book.person()
        for turn, code in enumerate((METFORMIN,) * 4 + (last,)):
            lines = [L(code, 7 + turn), L(AMOXICILLIN, 7)] if turn == 4 else [L(code, 7 + turn)]
            found = book.settle("ph1", psn, lines, Visit(first + 5 * turn))
        if last == METFORMIN:
            book.finding("E05", found, "001", DOUBT)


def e06(book: Book) -> None:
    """E06: an account overdrawn by 5 元; emptied; overdrawn without being used."""
    day = 8 + book.region.shift
    for role in SHOPS:
        for balance, account, hit in (("-5.00", 10_000, True), ("0.00", 10_000, False), ("-5.00", 0, False)):
            visit = Visit(day, rate=0, account=account)
            found = book.settle(role, book.person(), [L(TABLET, 28)], visit)
            book.change(SETL, found, put(balc=balance))
            if hit:
                book.finding("E06", found, share=("5.00", None))


def e07(book: Book) -> None:
    """E07: a test and a sweet paid by account; paid in cash; after the sweet left the list."""
    day = 10 + book.region.shift
    for code, when, account, hit in ((BLOOD, day, 50_000, True), (SWEETS, day, 50_000, True),
                                     (SWEETS, day, 0, False), (SWEETS, 20, 50_000, True),
                                     (SWEETS, 21, 50_000, False)):  # fmt: skip
        visit = Visit(when, rate=0, account=account)
        found = book.settle("ph1", book.person(), [L(TABLET, 7), L(code)], visit)
        if hit:
            book.finding("E07", found, "002")


def e08(book: Book) -> None:
    """E08: 1,000.02 元; 1,000.00 元."""
    day = 12 + book.region.shift
    for role in SHOPS:
        for price, hit in (("500.00", False), ("500.01", True)):
            if role == "ph2" and not hit:  # there round amounts are counted
                continue
            found = book.settle(role, book.person(), [L(ALBUMIN, 2, price=price)], Visit(day))
            if hit:
                book.finding("E08", found, grade=DOUBT)


def e09(book: Book) -> None:
    """E09: five persons within ten minutes with one basket, with one amount; a second too late, four."""
    day = 6 + book.region.shift

    def queue(role: str, when: int, baskets: list[L], ends: int) -> list[str]:
        step = 2 * MINUTE
        last = len(baskets) - 1
        return [
            book.settle(role, book.person(), [basket],
                        Visit(when, clock=20 * HOUR + (ends if turn == last else step * turn)))
            for turn, basket in enumerate(baskets)
        ]  # fmt: skip

    for role in SHOPS:
        same = [L(METFORMIN, 21)] * 5
        alike = [L(ALBUMIN, price="24.00"), L(STATIN, 12, price="2.00"), L(SPRAY, 4, price="6.00"),
                 L(METFORMIN, 240, price="0.1000"), L(TABLET, 48, price="0.5000")]  # fmt: skip
        for later, baskets in enumerate((same, alike)):
            for found in queue(role, day + later, baskets, 10 * MINUTE):
                book.finding("E09", found, grade=DOUBT)
        queue(role, day + 2, same, 10 * MINUTE + 1)
        queue(role, day + 3, same[:4], 10 * MINUTE)


def e11(book: Book) -> None:
    """E11: a drug that is not for the disease; for a disease without a list."""
    day = 17 + book.region.shift
    for role in SHOPS:
        for dise, hit in (("M03900", True), ("M00500", False)):
            lines = [L(TABLET, 28), L(AMOXICILLIN, 14)] if hit else [L(AMOXICILLIN, 14)]
            found = book.settle(role, book.person(), lines, Visit(day, med="14", dise=dise))
            if hit:
                book.finding("E11", found, "002", DOUBT)


def e12(book: Book) -> None:
    """E12: 26 sold of 25 there were; exactly 25."""
    day = 15 + book.region.shift
    for role, sold in zip(SHOPS, ((10, 16), (10, 15)), strict=True):
        book.refer("stock", fixmedins_code=book.member(role).inst.code, hilist_code=DRINK, clr_ym=MONTH,
                   opening_cnt="10.00", purchase_cnt="20.00", closing_cnt="5.00")  # fmt: skip
        for later, count in enumerate(sold):
            found = book.settle(role, book.person(), [L(DRINK, count)], Visit(day + later))
            if sum(sold) > 25:
                book.finding("E12", found, "001", DOUBT, ("1", "26"))


def e10(book: Book) -> None:
    """E10: in the second pharmacy three purchases in ten are of round amounts; one amount is not in five.

    Comes last, since it counts what there is.
    """
    inst = book.member("ph2")
    code = inst.inst.code[1:]
    gone = {r["setl_id"] for r in book.reversals}
    mine = [s for s in book.settlements if s["setl_id"].startswith(code) and s["setl_id"] not in gone]
    others, same = inst.visits + len(mine), 0
    while True:
        rounded = -(-3 * (others + same) // 7)  # 0.3 of all: 3 / 7 of the others
        total = others + same + rounded
        if 5 * (same + 1) >= total:
            break
        same += 1
    for number in range(rounded):
        amount = 100 * (1 + number % 9)
        visit = Visit(1 + number % 28, rate=0, account=0, clock=19 * HOUR + number // 28 * HOUR // 2)
        found = book.settle("ph2", book.person(), [L(VITAMIN, amount // 20, price="20.00")], visit)
        book.finding("E10", found, grade=DOUBT)
    for number in range(same):
        visit = Visit(1 + number % 28, rate=0, account=0, clock=18 * HOUR + number)
        book.settle("ph2", book.person(), [L(VITAMIN, 2, price="27.50")], visit)


def pharmacies(book: Book) -> None:
    """All stories of pharmacies, where there are any."""
    for story in (e01, e02, e03, e04, e05, e06, e07, e08, e09, e11, e12, e10) if book.has("ph1") else ():
        story(book)


STORIES = (pharmacies,)
