"""Planted stories of rules A: who may settle, twice, when, and what the catalogue allows."""

from __future__ import annotations

from datetime import date

from sample_data.generator import catalogue as cat
from sample_data.generator.base import HOUR
from sample_data.generator.book import Book, L, Visit, april
from sample_data.generator.regions import AGREEMENT_END

BLOOD, URINE, ALT = "002501010150000", "002501020350000", "002503050070000"
CT, ECHO = "002103000010000", "002203010010000"
TABLET, STATIN = "XC08CAA129A001010199002", "XC10AAA102A001010199004"
VITAMIN = "XA11CCV076A001010199014"
INJECTION, SALINE = "XJ01DCT055B001010199008", "XB05BBL151B002010199010"
PLAIN = (L(BLOOD), L(URINE))
SINCE = date(2020, 1, 1)


def a01(book: Book) -> None:
    """A01: the same settlement twice and three times; three near misses."""
    day = 8 + book.region.shift
    twin = book.person()
    for hour, hit in ((10, False), (11, True)):
        found = book.settle("h2", twin, [L(BLOOD), L(CT)], Visit(day, clock=hour * HOUR))
        if hit:
            book.finding("A01", found)
    shop, basket = ("ph1" if book.has("ph1") else "h3"), [L(TABLET, 14), L(STATIN, 7)]
    triple = book.person()
    for hour in (9, 10, 11):
        found = book.settle(shop, triple, basket, Visit(day, clock=hour * HOUR))
        if hour > 9:
            book.finding("A01", found)
    other = book.person()  # same total, other quantity and price
    book.settle("h2", other, [L(TABLET, 1, price="2.00")], Visit(day, clock=10 * HOUR))
    book.settle("h2", other, [L(TABLET, 2, price="1.00")], Visit(day, clock=11 * HOUR))
    weekly = book.person()  # same content, next day
    book.settle("h2", weekly, PLAIN, Visit(day))
    book.settle("h2", weekly, PLAIN, Visit(day + 1))
    mended = book.person()  # the second one was reversed
    book.settle("h2", mended, PLAIN, Visit(day, clock=10 * HOUR))
    book.reverse(book.settle("h2", mended, PLAIN, Visit(day, clock=11 * HOUR)), day)


def a02(book: Book) -> None:
    """A02: marked as refunded without a reversal; near miss: the reversal is in the file."""
    found = book.settle("h3", book.person(), PLAIN, Visit(6, refd="1"))
    book.finding("A02", found)
    book.reverse(book.settle("h3", book.person(), PLAIN, Visit(6, refd="1")), 7)
    book.reverse(book.settle("h2", book.person("390"), [L(BLOOD), L(CT)], Visit(13)), 20)


def a03(book: Book) -> None:
    """A03: after the last day of the agreement; stays count by their last day."""
    end = AGREEMENT_END
    book.finding("A03", book.settle("end", book.person(), PLAIN, Visit(end + 1)))
    book.settle("end", book.person(), PLAIN, Visit(end))
    stay = [L(INJECTION, 2, day=end - 2), L(SALINE, 2, day=end - 1)]
    book.settle("end", book.person(), stay, Visit(end, beg=end - 3, settled=end + 1))
    late = Visit(end + 1, beg=end - 2, settled=end + 1)
    book.finding("A03", book.settle("end", book.person(), stay, late))


def a05(book: Book) -> None:
    """A05: a kind of care the agreement does not cover; the same care elsewhere is fine."""
    visit = Visit(12, med="14")
    book.finding("A05", book.settle("h1", book.person(), PLAIN, visit))
    book.settle("h2", book.person(), PLAIN, visit)
    if book.has("ph1"):
        special = Visit(12, med="18")
        book.finding("A05", book.settle("ph1", book.person(), [L(TABLET, 7)], special))
        book.settle("ph1", book.person(), [L(TABLET, 7)], Visit(12, med="14"))


def a06(book: Book) -> None:
    """A06: coverage stopped on the 10th, coverage of another kind, none at all."""
    for day, hit in ((9, False), (10, True)):
        psn = _stopped(book, 9)
        found = book.settle("h2", psn, PLAIN, Visit(day))
        if hit:
            book.finding("A06", found)
    psn = _stopped(book, 9)  # admitted while covered, discharged later
    book.settle("h2", psn, [L(INJECTION, 3), L(SALINE, 3)], Visit(15, beg=9))
    psn = _stopped(book, 9)
    found = book.settle("h3", psn, [L(INJECTION, 3), L(SALINE, 3)], Visit(15, beg=10))
    book.finding("A06", found)
    other = book.person("310")
    found = book.settle("h3", other, PLAIN, Visit(11, insutype="390"))
    book.finding("A06", found)


def _stopped(book: Book, last: int) -> int:
    psn = book.person("390")
    book.covered(psn, "390", "1", SINCE, april(last))
    book.covered(psn, "390", "2", april(last + 1), None)
    return psn


def a07(book: Book) -> None:
    """A07: visits and lines after the day of death; the day itself is fine."""
    died = 8 + book.region.shift
    for day in (died, died + 1):
        found = book.settle("h3", book.person(died=died), PLAIN, Visit(day))
        if day > died:
            book.finding("A07", found)
    stay = [L(INJECTION, 2, day=died - 2), L(SALINE, 2, day=died), L(INJECTION, 2, day=died + 1),
            L(SALINE, 1, day=died + 2)]  # fmt: skip
    visit = Visit(died + 2, beg=died - 4, died=died)
    found = book.settle("h2", book.person(died=died), stay, visit)
    book.finding("A07", found, "003")
    book.finding("A07", found, "004")
    in_time = Visit(died, beg=died - 4, settled=died + 3, died=died)  # settled after death: allowed
    book.settle("h2", book.person(died=died), stay[:2], in_time)


def a08(book: Book) -> None:
    """A08: settled one second before the month, on its first and last second, one day after."""
    last_second = 24 * HOUR - 1
    for day, clock, hit in ((0, last_second, True), (1, 0, False), (30, last_second, False),
                            (31, 5, True)):  # fmt: skip
        visit = Visit(day, clock=clock)
        found = book.settle("h2", book.person("390"), [L(BLOOD, hour=0), L(ALT, hour=0)], visit)
        if hit:
            book.finding("A08", found)


def a11(book: Book) -> None:
    """A11: unknown code, expired code; fully self-paid or still in force is fine."""
    found = book.settle("h2", book.person(), [L(BLOOD), L(cat.UNLISTED)], Visit(9))
    book.finding("A11", found, "002")
    book.settle("h2", book.person(), [L(BLOOD), L(cat.UNLISTED, treat="self")], Visit(9))
    lines = [L(SALINE, 2), L(cat.EXPIRED, day=0), L(cat.EXPIRED, day=1)]
    found = book.settle("h3", book.person("390"), lines, Visit(3, beg=-1))
    book.finding("A11", found, "003")


def a12(book: Book) -> None:
    """A12: 丙类 taken as in scope, and an item that became 丙类 in mid-month."""
    found = book.settle("h2", book.person(), [L(BLOOD), L(VITAMIN, treat="free")], Visit(14))
    book.finding("A12", found, "002")
    book.settle("h2", book.person(), [L(BLOOD), L(VITAMIN)], Visit(14))
    for day, hit in ((15, False), (16, True)):
        found = book.settle("h3", book.person(), [L(BLOOD), L(cat.CLASS_CHANGE)], Visit(day))
        if hit:
            book.finding("A12", found, "002")
    if book.has("ph1"):
        basket = [L(TABLET, 7), L(VITAMIN, treat="free")]
        book.finding("A12", book.settle("ph1", book.person(), basket, Visit(14)), "002")


def a13(book: Book) -> None:
    """A13: two 分 short is a finding, one 分 is not; the ratio rises on the 16th."""
    for short in (1, 2):
        found = book.settle("h2", book.person(), [L(BLOOD), L(CT, short=short)], Visit(17))
        if short > 1:
            book.finding("A13", found, "002", share=("0.02", None))
    item = cat.RATIO_CHANGE
    for day, hit in ((15, False), (16, True)):
        found = book.settle("h2", book.person(), [L(BLOOD), L(item)], Visit(day))
        if hit:
            book.finding("A13", found, "002", share=("2.50", None))
    lines = [L(STATIN, 14), L(STATIN, -7, back="001")]  # netted before the comparison
    book.settle("h2", book.person(), [*lines, L(BLOOD)], Visit(17))


STORIES = (a01, a02, a03, a05, a06, a07, a08, a11, a12, a13)
