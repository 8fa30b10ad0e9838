"""Planted stories of the other rules C: ages, courses, first-line drugs, diagnoses, herbs, yearly caps."""

from __future__ import annotations

from datetime import date, timedelta

from sample_data.generator.book import DOUBT, VIOLATION, Book, L, Visit, april
from sample_data.generator.evidence import METFORMIN
from sample_data.generator.faults import LINE, put
from sample_data.generator.stories_a import BLOOD, PLAIN, TABLET, URINE
from sample_data.generator.stories_c import MOTHERHOOD
from sample_data.generator.stories_more_a import NIGHTS, drip, shops

NEWBORN_CARE, SCALP_DRIP, INFANT_CHECK = "001201000070000", "001204000070000", "001301000010000"
PUERARIN, BUTYLPHTHALIDE = "XC01EBG072B002010100151", "XN07XXD130E002010102774"
HAND_TEST, WEIGHT_TRAINING = "003402000050000", "003402000210000"
DAPAGLIFLOZIN, LINAGLIPTIN = "XA10BKD215A001010199030", "XA10BHL090A001010199032"
EDARAVONE = "XN07XXY100B002010199031"
GELATIN, BERRY, FLOWER, ASTRAGALUS = (
    "T001700499022", "T001700599023", "T001700699024", "T001700199019",
)  # fmt: skip
TALK, WORK_TRAINING, MANIPULATION = "003115020030000", "003402000320000", "004500000010000"
DIABETES = "M01600"


def ago(day: date, years: int = 0, months: int = 0, days: int = 0) -> date:
    """Return a day so many years and months (of a month that has the day) and days before."""
    turn = day.year * 12 + day.month - 1 - 12 * years - months
    return day.replace(year=turn // 12, month=turn % 12 + 1) - timedelta(days=days)


def c04(book: Book) -> None:
    """C04: a day over 28 days, 36 months, 14 years and 17; the days themselves."""
    day = 17 + book.region.shift
    at = april(day)
    cases = (
        (NEWBORN_CARE, ago(at, days=28), ""), (NEWBORN_CARE, ago(at, days=29), VIOLATION),
        (INFANT_CHECK, ago(at, months=36), ""), (INFANT_CHECK, ago(at, months=36, days=1), VIOLATION),
        (SCALP_DRIP, ago(at, years=15, days=-1), ""), (SCALP_DRIP, ago(at, years=15), DOUBT),
        (SCALP_DRIP, ago(at, years=18, days=-1), DOUBT), (SCALP_DRIP, ago(at, years=18), VIOLATION),
    )  # fmt: skip
    for item, born, grade in cases:
        psn = book.person("390", born=born)
        found = book.settle("h2", psn, [L(BLOOD), L(item)], Visit(day))
        if grade:
            book.finding("C04", found, "002", grade)


def c08(book: Book) -> None:
    """C08: a maternity drug in ordinary care, in maternity care, of who has maternity insurance."""
    day = 20 + book.region.shift
    for insutype, med, hit in (("310", "11", True), ("310", "51", False), ("510", "11", False)):
        psn = book.person(insutype, "2", date(1994, 2, 3))
        found = book.settle("h3", psn, [L(BLOOD), L(MOTHERHOOD)], Visit(day, med=med))
        if hit:
            book.finding("C08", found, "002")


def c09(book: Book) -> None:
    """C09: fifteen days of fourteen in a stay; 21 and 20 days of 20 in three visits."""
    first = 2 + book.region.shift
    for days in (14, 15):
        lines = [L(PUERARIN, 2, day=first + 1 + number) for number in range(days)]
        found = book.settle("h2", book.person("390"), lines, Visit(first + 17, beg=first))
        if days > 14:
            book.finding("C09", found, "015")
    for last, hit in ((7, True), (6, False)):
        psn = book.person()
        for turn, supply in enumerate((7, 7, last)):
            lines = [L(BLOOD), L(BUTYLPHTHALIDE, 4 * supply, supply=supply)]
            found = book.settle("h2", psn, lines, Visit(first + 7 * turn))
        if hit:
            book.finding("C09", found, "002", share=("1", "7"))


def c10(book: Book) -> None:
    """C10: again after 13 of 14 days; the 31st day of 30 in one course."""
    first = 4 + book.region.shift
    for gap in (13, 14):
        psn = book.person("390")
        book.settle("h2", psn, [L(HAND_TEST), L(BLOOD)], Visit(first))
        found = book.settle("h2", psn, [L(HAND_TEST), L(BLOOD)], Visit(first + gap))
        if gap < 14:
            book.finding("C10", found, "001")
    for days in (30, 31):
        lines = [L(WEIGHT_TRAINING, day=first - 15 + number) for number in range(days)]
        found = book.settle("h3", book.person(), lines, Visit(first + 17, beg=first - 15))
        if days > 30:
            book.finding("C10", found, "031")


def c11(book: Book) -> None:
    """C11: second line at once, in the same minute, after the first line an hour before, or elsewhere."""
    day = 16 + book.region.shift
    for first_line, hit in (([], True), ([L(METFORMIN, 28)], True), ([L(METFORMIN, 28, hour=8)], False)):
        found = book.settle("h2", book.person(), [L(DAPAGLIFLOZIN, 14), *first_line, L(URINE)], Visit(day))
        if hit:
            book.finding("C11", found, "001", DOUBT)
    psn = book.person()
    elsewhere = "ph1" if book.has("ph1") else "h3"
    book.settle(elsewhere, psn, [L(METFORMIN, 28)], Visit(day - 9))
    book.settle("h2", psn, [L(DAPAGLIFLOZIN, 14), L(URINE)], Visit(day))


def c12(book: Book) -> None:
    """C12: for a stroke, given for another illness, and for a stroke; a diabetes drug for another disease."""
    day = 19 + book.region.shift
    first = day - NIGHTS
    for diag, hit in (("K29.500", True), ("I63.900", False)):
        lines = [L(EDARAVONE, 2, day=first), *drip(first, day)]
        found = book.settle("h2", book.person(), lines, Visit(day, beg=first, diag=diag))
        if hit:
            book.finding("C12", found, "001", DOUBT)
    for role in shops(book, "h2", "ph1"):
        for dise, hit in (("M03900", True), (DIABETES, False)):
            lines = [L(METFORMIN, 28, hour=8), L(LINAGLIPTIN, 28)]
            found = book.settle(role, book.person(), lines, Visit(day, med="14", dise=dise))
            if hit:
                book.finding("C12", found, "002", DOUBT)
            for number in (1, 2) if hit and role == "ph1" else ():  # nor are they drugs of that disease
                book.finding("E11", found, f"{number:03d}", DOUBT)


def c13(book: Book) -> None:
    """C13 and C14: a herb never paid; two not paid alone, and beside one that is."""
    day = 21 + book.region.shift
    for role in shops(book, "h2", "ph1"):
        found = book.settle(role, book.person(), [L(ASTRAGALUS, 70), L(GELATIN, 10)], Visit(day))
        book.finding("C13", found, "002")
        book.settle(role, book.person(), [L(ASTRAGALUS, 70), L(GELATIN, 10, treat="self")], Visit(day))
        found = book.settle(role, book.person(), [L(BERRY, 70), L(FLOWER, 35)], Visit(day))
        for sn in ("001", "002"):
            book.finding("C14", found, sn)
        book.settle(role, book.person(), [L(BERRY, 70), L(FLOWER, 35), L(ASTRAGALUS, 70)], Visit(day))
        found = book.settle(role, book.person(), [L(BERRY, 70), L(GELATIN, 10), L(TABLET, 7)], Visit(day))
        book.finding("C13", found, "002")
        for sn in ("001", "002"):
            book.finding("C14", found, sn)


def c16(book: Book) -> None:
    """C16: ordered by another department, by the right one, by none that is told."""
    day = 22 + book.region.shift
    for department, hit in (("A11", True), ("A15", False), ("", False)):
        found = book.settle("h3", book.person(), [L(BLOOD), L(TALK)], Visit(day))
        book.change(LINE, found, put(bilg_dept_codg=department), "002")
        if hit:
            book.finding("C16", found, "002", DOUBT)


def c17(book: Book) -> None:
    """C17: at 15 and 64, a woman at 59; on the last day of the age before."""
    day = 23 + book.region.shift
    at = april(day)
    cases = (("1", 16, 0, False), ("1", 16, -1, True), ("1", 64, -1, False), ("1", 64, 0, True),
             ("2", 59, -1, False), ("2", 59, 0, True))  # fmt: skip
    for gend, years, days, hit in cases:
        psn = book.person("390", gend, ago(at, years=years, days=days))
        found = book.settle("h3", psn, [L(BLOOD), L(WORK_TRAINING)], Visit(day))
        if hit:
            book.finding("C17", found, "002")


def c18(book: Book) -> None:
    """C18: above 200 元 a year of one treatment; the 200th 元 itself; a settlement that crosses it."""
    first = 5 + book.region.shift
    for last, share in ((1, None), (2, ("50.00", "100.00"))):
        psn = book.person()
        for turn, count in enumerate((2, 1, last)):
            lines = [L(MANIPULATION, count), L(URINE)]
            found = book.settle("h2", psn, lines, Visit(first + 3 * turn, rate=1000))
        if share:
            book.finding("C18", found, "001", share=share)
            found = book.settle("h2", psn, [L(URINE), L(MANIPULATION)], Visit(first + 9, rate=1000))
            book.finding("C18", found, "002", share=("50.00", "50.00"))


def c19(book: Book) -> None:
    """C19: a woman's diagnosis in a man, a newborn's at one year, an old person's at 39."""
    day = 18 + book.region.shift
    first = day - NIGHTS
    begun = april(first)
    cases = (
        ("1", date(1980, 1, 1), "O80.900", True), ("2", date(1990, 1, 1), "O80.900", False),
        ("2", ago(begun, years=1), "P07.300", True), ("2", ago(begun, years=1, days=-1), "P07.300", False),
        ("1", ago(begun, years=40, days=-1), "F03.x00", True), ("1", ago(begun, years=40), "F03.x00", False),
    )  # fmt: skip
    for gend, born, code, hit in cases:
        psn = book.person("390", gend, born)
        found = book.settle("h2", psn, drip(first, day), Visit(day, beg=first, diag=code))
        if hit:
            book.finding("C19", found, grade=DOUBT)
    for gend in ("1", "2"):
        found = book.settle("h3", book.person(gend=gend), PLAIN, Visit(day))
        book.diagnose(found, "O20.000")
        if gend == "1":
            book.finding("C19", found, grade=DOUBT)


def c20(book: Book) -> None:
    """C20: an operation of a woman told of a man, and the right way round."""
    day = 16 + book.region.shift
    first = day - NIGHTS
    for gend in ("1", "2"):
        found = book.settle("h3", book.person(gend=gend), drip(first, day), Visit(day, beg=first))
        book.operate(found, "68.4900", first)
        if gend == "1":
            book.finding("C20", found, grade=DOUBT)


STORIES = (c04, c08, c09, c10, c11, c12, c13, c16, c17, c18, c19, c20)
