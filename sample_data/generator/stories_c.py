"""Planted stories of rules C and D: limits of payment, visits during a stay, and odd institutions."""

from __future__ import annotations

from datetime import date

from sample_data.generator.book import DOUBT, Book, L, Visit, april
from sample_data.generator.stories_a import BLOOD, CT, INJECTION, PLAIN, SALINE, TABLET, URINE, VITAMIN

WOMEN, MEN = "ZD01BAY0318010100281", "ZA09DBW0347010100166"
SMEAR, MASSAGE = "002501040140000", "003111000150000"
CHILD = "XN02BEX085N001010100269"
SALVIA, LUCENTIS = "ZA12CAD0073010100142", "XS01LAK119B023010109681"
FAT, ANGONG = "XB05BAZ018B002010100273", "ZA07AAA0061010100166"
INJURY, MOTHERHOOD = "XL03AXX234B001010100568", "ZD01BAY0323010102065"


def c01(book: Book) -> None:
    """C01 and C02: drugs and items for one sex, given to the other and to the right one."""
    day = 5 + book.region.shift
    for gend, drug, item in (("1", WOMEN, SMEAR), ("2", MEN, MASSAGE)):
        psn = book.person(gend=gend)
        found = book.settle("h2", psn, [L(BLOOD), L(drug, 14), L(item)], Visit(day))
        book.finding("C01", found, "002")
        book.finding("C02", found, "003")
    for gend, drug, item in (("2", WOMEN, SMEAR), ("1", MEN, MASSAGE)):
        book.settle("h2", book.person(gend=gend), [L(drug, 14), L(item)], Visit(day))
    if book.has("ph1"):
        found = book.settle("ph1", book.person(gend="1"), [L(WOMEN, 7)], Visit(day))
        book.finding("C01", found, "001")


def c03(book: Book) -> None:
    """C03: a child's drug at 14, 15, 17 and 18; the birthday itself counts."""
    day = 19 + book.region.shift
    at = april(day)
    cases = (
        (date(at.year - 15, at.month, at.day + 1), ""),  # 14 until tomorrow
        (date(at.year - 15, at.month, at.day), DOUBT),
        (date(at.year - 18, at.month, at.day + 1), DOUBT),
        (date(at.year - 18, at.month, at.day), "违规"),
    )
    for role in ("h3", "ph1"):
        for born, grade in cases if book.has(role) else ():
            psn = book.person("390", born=born)
            found = book.settle(role, psn, [L(CHILD, 7), L(TABLET, 7)], Visit(day))
            if grade:
                book.finding("C03", found, "001", grade)


def c05(book: Book) -> None:
    """C05: drugs for level 2 and 3 hospitals; a hospital that rises to level 2 on the 16th."""
    day = 9 + book.region.shift
    lines, eye = [L(BLOOD), L(SALVIA, 2)], [L(BLOOD), L(LUCENTIS)]
    for role, basket, when, hit in (
        ("h1", lines, day, True), ("h2", lines, day, False), ("h2", eye, day, True),
        ("h3", eye, day, False), ("upg", lines, 15, True), ("upg", lines, 16, False),
    ):  # fmt: skip
        found = book.settle(role, book.person(), basket, Visit(when))
        if hit:
            book.finding("C05", found, "002")


def c06(book: Book) -> None:
    """C06: drugs paid only in hospital; emergency only where the list says so."""
    day = 7 + book.region.shift
    found = book.settle("h2", book.person(), [L(BLOOD), L(FAT)], Visit(day))
    book.finding("C06", found, "002")
    book.settle("h2", book.person(), [L(FAT), L(SALINE)], Visit(day + 3, beg=day))
    book.settle("h2", book.person(), [L(BLOOD), L(ANGONG)], Visit(day, med="13"))
    found = book.settle("h2", book.person(), [L(BLOOD), L(ANGONG)], Visit(day))
    book.finding("C06", found, "002")
    found = book.settle("h3", book.person(), [L(BLOOD), L(FAT)], Visit(day, med="13"))
    book.finding("C06", found, "002")
    if book.has("ph2"):
        found = book.settle("ph2", book.person(), [L(ANGONG), L(TABLET, 7)], Visit(day))
        book.finding("C06", found, "001")


def c07(book: Book) -> None:
    """C07: a work-injury drug paid by the basic fund; none of its money; a maternity drug."""
    day = 24 + book.region.shift
    found = book.settle("h3", book.person(), [L(BLOOD), L(INJURY)], Visit(day))
    book.finding("C07", found, "002")
    book.settle("h3", book.person(), [L(BLOOD), L(INJURY)], Visit(day, rate=0))
    mother = book.person("510", "2", date(1995, 5, 5))
    book.settle("h3", mother, [L(BLOOD), L(MOTHERHOOD)], Visit(day, med="51"))


def d02(book: Book) -> None:
    """D02: visits elsewhere strictly inside a stay; its first and last day; emergency; account."""
    first, last = 5 + book.region.shift, 12 + book.region.shift
    psn = book.person()
    book.settle("h2", psn, [L(INJECTION, 6), L(SALINE, 6)], Visit(last, beg=first))
    book.settle("h3", psn, PLAIN, Visit(first))
    book.settle("h3", psn, PLAIN, Visit(last))
    book.settle("h3", psn, PLAIN, Visit(first + 1, med="13"))
    book.finding("D02", book.settle("h3", psn, PLAIN, Visit(first + 2)))
    book.finding("D02", book.settle("h1", psn, PLAIN, Visit(last - 1)))
    account = Visit(first + 3, rate=0, account=100_000)
    shop = "ph1" if book.has("ph1") else "h1"
    found = book.settle(shop, psn, [L(TABLET, 7)], account)
    book.finding("D02", found, grade=DOUBT)


def d03(book: Book) -> None:
    """D03: stays that overlap in one hospital and in two; discharge and admission on one day."""
    day = 6 + book.region.shift
    drip = [L(INJECTION, 3), L(SALINE, 3)]
    same = book.person()
    book.settle("h2", same, drip, Visit(day + 5, beg=day))
    found = book.settle("h2", same, [L(CT), L(BLOOD)], Visit(day + 9, beg=day + 4))
    book.finding("D03", found)
    two = book.person("390")
    book.settle("h2", two, drip, Visit(day + 5, beg=day))
    found = book.settle("h3", two, [L(CT), L(URINE)], Visit(day + 9, beg=day + 4))
    book.finding("D03", found, grade=DOUBT)
    touching = book.person()
    book.settle("h2", touching, drip, Visit(day + 5, beg=day, way="2"))
    book.settle("h2", touching, [L(CT), L(BLOOD)], Visit(day + 9, beg=day + 5))


def nothing_payable(book: Book) -> None:
    """An institution with nothing to pay: all of it deducted, or all of it self-paid."""
    for number in range(4):
        if book.region.shift == 1:
            lines = [L(VITAMIN, 1 + number), L(BLOOD, treat="self")]
            book.settle("zero", book.person(), lines, Visit(8 + number))
            continue
        psn = book.person("390")
        book.covered(psn, "390", "2", date(2026, 1, 1), None)
        book.finding("A06", book.settle("zero", psn, [L(BLOOD), L(CT)], Visit(8 + number)))


def net_negative(book: Book) -> None:
    """An institution that gives back more (stays settled in March) than it claims."""
    for number, insutype in enumerate(("310", "390", "310")):
        lines = [L(CT, 3), L(INJECTION, 40 + 30 * number), L(SALINE, 60)]
        stay = Visit(-8 + number, beg=-20)
        old = book.settle("neg", book.person(insutype), lines, stay)
        book.ghosts.append(old)
        book.reverse(old, 9 + number)


STORIES = (c01, c03, c05, c06, c07, d02, d03, nothing_payable, net_negative)
