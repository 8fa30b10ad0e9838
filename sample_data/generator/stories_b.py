"""Planted stories of rules B: prices, repeat charges, quantities a day, dates of a stay."""

from __future__ import annotations

from datetime import date

from sample_data.generator import catalogue as cat
from sample_data.generator.base import BED, MONITOR, NURSE
from sample_data.generator.book import Book, L, Visit
from sample_data.generator.stories_a import BLOOD, CT, INJECTION, PLAIN, SALINE, URINE

GLUCOSE, TOLERANCE = "002503020010000", "003102050010100"
RESCUE, LESSER_RESCUE = "001202000010000", "001202000020000"
STOMACH, SPLEEN = "003310010230000", "003309000180000"
INVASIVE = "003107020020000"
BIRTH, FETAL = "003314000020000", "003112010260000"
FRAME = "004200000100000"


def b01(book: Book) -> None:
    """B01: above the cap, above it but paid by the patient, half a 分 above, a cap that fell."""
    day = 10 + book.region.shift
    found = book.settle("h2", book.person(), [L(BLOOD, 2, price="23.00", treat="nocap")], Visit(day))
    book.finding("B01", found, "001", share=("6.00", None))
    book.settle("h2", book.person(), [L(BLOOD, 2, price="23.00")], Visit(day))
    book.settle("h2", book.person(), [L(BLOOD, 2, price="20.00")], Visit(day))
    half = L(BLOOD, 1, price="20.0050", treat="nocap")  # 0.005 is not above 0.005
    book.settle("h2", book.person(), [half, L(URINE)], Visit(day))
    for when, hit in ((15, False), (16, True)):
        found = book.settle("h2", book.person("390"), [L(BLOOD), L(cat.CAP_CHANGE, treat="nocap")],
                            Visit(when))  # fmt: skip
        if hit:
            book.finding("B01", found, "002", share=("10.00", None))
    lines = [L(BLOOD, 2, price="23.00", treat="nocap"), L(BLOOD, -2, price="23.00", treat="nocap",
             back="001"), L(URINE)]  # fmt: skip
    book.settle("h2", book.person(), lines, Visit(day))


def b03(book: Book) -> None:
    """B03: the four windows, across settlements, another hospital, a refunded main item."""
    day = 13 + book.region.shift
    found = book.settle("h3", book.person(), [L(TOLERANCE, hour=8), L(GLUCOSE, hour=16)], Visit(day))
    book.finding("B03", found, "002")
    split = book.person()  # two settlements of one day
    book.settle("h3", split, [L(TOLERANCE), L(URINE)], Visit(day, clock=36_000))
    found = book.settle("h3", split, [L(GLUCOSE), L(BLOOD)], Visit(day))
    book.finding("B03", found, "001")
    apart = book.person()  # the day after, and the same day elsewhere
    book.settle("h3", apart, [L(TOLERANCE), L(URINE)], Visit(day))
    book.settle("h3", apart, [L(GLUCOSE), L(URINE)], Visit(day + 1))
    book.settle("h2", apart, [L(GLUCOSE), L(BLOOD)], Visit(day))
    back = [L(TOLERANCE), L(GLUCOSE), L(TOLERANCE, -1, back="001")]
    book.settle("h3", book.person(), back, Visit(day))
    _b03_stay(book, day)
    _b03_hours(book, day)


def _b03_stay(book: Book, day: int) -> None:
    operated = [L(STOMACH, day=day - 4), L(SPLEEN, day=day - 2), L(INJECTION, 4, day=day - 1)]
    found = book.settle("h3", book.person(), operated, Visit(day, beg=day - 6))
    book.finding("B03", found, "002")
    twice = book.person()  # another visit
    book.settle("h3", twice, [L(STOMACH, day=day - 10)], Visit(day - 6, beg=day - 11, way="2"))
    book.settle("h3", twice, [L(SPLEEN, day=day)], Visit(day + 3, beg=day - 1))
    lines = [L(RESCUE, day=day), L(LESSER_RESCUE, day=day), L(LESSER_RESCUE, day=day + 1)]
    found = book.settle("h2", book.person("390"), lines, Visit(day + 2, beg=day - 1))
    book.finding("B03", found, "002")


def _b03_hours(book: Book, day: int) -> None:
    lines = [L(INVASIVE, hour=9, minute=10), L(MONITOR, hour=9, minute=59), L(MONITOR, hour=10)]
    found = book.settle("h3", book.person("390"), lines, Visit(day + 4, beg=day))
    book.finding("B03", found, "002")
    mother = book.person("510", "2", date(1996, 3, 8))
    lines = [L(BIRTH, hour=8), L(FETAL, hour=14), L(FETAL, hour=14, minute=1), L(FETAL, hour=2)]
    visit = Visit(day + 2, beg=day, med="52")
    found = book.settle("h3", mother, lines, visit)
    book.finding("B03", found, "002")
    book.finding("B03", found, "004")


def b05(book: Book) -> None:
    """B05: once a day; two lines, one line of three, netted, two days, before the list's date."""
    day = 11 + book.region.shift
    stay, care = Visit(day + 4, beg=day), L(SALINE, day=day + 2)
    found = book.settle("h2", book.person(), [L(NURSE), L(NURSE, hour=15), care], stay)
    for sn in ("001", "002"):
        book.finding("B05", found, sn, share=("1", "2"))
    found = book.settle("h2", book.person("390"), [L(NURSE, 3), care], stay)
    book.finding("B05", found, "001", share=("2", "3"))
    book.settle("h2", book.person(), [L(NURSE, day=day), L(NURSE, day=day + 1), care], stay)
    book.settle("h2", book.person(), [L(NURSE, 2), L(NURSE, -1, back="001"), care], stay)
    lines = [L(FRAME, 2, day=-85), L(FRAME, 2, day=-84), L(FRAME, 1, day=-83)]
    found = book.settle("h3", book.person(), lines, Visit(8, beg=-88))  # listed from 6 January
    book.finding("B05", found, "002", share=("1", "2"))


def b06(book: Book) -> None:
    """B06: thirty hours in one day; twenty-four are fine."""
    day = 18 + book.region.shift
    stay = Visit(day + 4, beg=day)
    found = book.settle("h2", book.person(), [L(MONITOR, 20), L(MONITOR, 10, hour=20)], stay)
    for sn in ("001", "002"):
        book.finding("B06", found, sn, share=("6", "30"))
    book.settle("h2", book.person(), [L(MONITOR, 20), L(MONITOR, 4, hour=20)], stay)
    lines = [L(MONITOR, 24, day=day), L(MONITOR, 24, day=day + 1)]
    book.settle("h3", book.person("390"), lines, stay)
    found = book.settle("h3", book.person("390"), [L(MONITOR, 24.5), L(SALINE)], stay)
    book.finding("B06", found, "001", share=("0.5", "24.5"))


def b08(book: Book) -> None:
    """B08: a bed on the day of discharge too; same-day stay; netted."""
    day = 16 + book.region.shift
    nights = 4
    beds = [L(BED, day=day - nights + night) for night in range(nights + 1)]
    care = L(SALINE, day=day - 2)
    found = book.settle("h2", book.person(), [*beds, care], Visit(day, beg=day - nights))
    for number in range(1, nights + 2):
        book.finding("B08", found, f"{number:03d}", share=("1", str(nights + 1)))
    book.settle("h2", book.person(), [*beds[:-1], care], Visit(day, beg=day - nights))
    book.settle("h2", book.person("390"), [L(BED), L(SALINE)], Visit(day, beg=day, way="2"))
    given_back = [*beds, L(BED, -1, day=day, back="005"), care]
    book.settle("h3", book.person("390"), given_back, Visit(day, beg=day - nights))


def b12(book: Book) -> None:
    """B12: the day before admission and the day after discharge; the two days themselves."""
    day = 20 + book.region.shift
    lines = [L(INJECTION, day=day - 4), L(INJECTION, day=day - 3), L(SALINE, day=day),
             L(SALINE, day=day + 1)]  # fmt: skip
    visit = Visit(day, beg=day - 3, settled=day + 2)
    found = book.settle("h2", book.person(), lines, visit)
    book.finding("B12", found, "001")
    book.finding("B12", found, "004")


def overlaps(book: Book) -> None:
    """One line hit by B03 and B01; a line and its whole settlement hit together."""
    day = 22 + book.region.shift
    lines = [L(TOLERANCE, hour=8), L(GLUCOSE, 4, hour=9, price="8.00", treat="nocap"), L(CT)]
    found = book.settle("h2", book.person(), lines, Visit(day))
    book.finding("B03", found, "002")
    book.finding("B01", found, "002", share=("12.00", None))
    psn = book.person("390")
    book.covered(psn, "390", "2", date(2026, 1, 1), None)
    found = book.settle("h2", psn, [L(BLOOD, 3, price="22.00", treat="nocap"), L(CT)], Visit(day))
    book.finding("A06", found)
    book.finding("B01", found, "001", share=("6.00", None))


def quiet(book: Book) -> None:
    """Nothing to find: a stay since January, refund lines in part and in full, refund pairs."""
    days = range(-70, 12, 1)
    beds = [L(BED, day=day) for day in days]
    drips = [L(SALINE, 2, day=day, hour=10) for day in days[::2]]
    book.settle("h3", book.person(), [*beds, *drips], Visit(12, beg=-70))
    lines = [L(INJECTION, 6), L(SALINE, 4), L(INJECTION, -2, back="001", hour=11),
             L(SALINE, -4, back="002", hour=11), L(CT)]  # fmt: skip
    book.settle("h3", book.person("390"), lines, Visit(11, beg=7))
    for insutype in ("310", "390"):
        book.reverse(book.settle("h3", book.person(insutype), PLAIN, Visit(21)), 23)


STORIES = (b01, b03, b05, b06, b08, b12, overlaps, quiet)
