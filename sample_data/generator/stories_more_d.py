"""Planted stories of the other rules D: stays again and again, visits, prescriptions, idle or short stays."""

from __future__ import annotations

from sample_data.generator.base import BED, HOUR, NURSE, OPERATION
from sample_data.generator.book import DOUBT, Book, L, Visit
from sample_data.generator.faults import LINE, put
from sample_data.generator.reference import DOCTOR_SINCE, SUSPENDED_DOCTOR
from sample_data.generator.stories_a import ALT, BLOOD, CT, SALINE, STATIN, TABLET, URINE
from sample_data.generator.stories_c import SALVIA
from sample_data.generator.stories_more_a import NIGHTS, drip, shops

AMOXICILLIN, METFORMIN, OMEPRAZOLE = (
    "XJ01CAA040E001010199001", "XA10BAJ023A001010199003", "XA02BCA236E002010199005",
)  # fmt: skip
ASPIRIN, COUGH = "XB01ACA096A012010199006", "XR05CBA142A001010199007"


def stay(book: Book, psn: int, first: int, last: int, **more: object) -> str:
    """Add an ordinary stay in the second hospital."""
    visit = Visit(last, beg=first, **more)
    return book.settle("h2", psn, drip(first, last), visit)


def d01(book: Book) -> None:
    """D01 and D15: back after 15, 16, 31 and 32 days; for something else, from elsewhere, as planned."""
    out = 6

    def back(after: int, *, again: bool, before: dict[str, object], then: dict[str, object]) -> None:
        psn = book.person()
        stay(book, psn, out - NIGHTS, out, **before)
        found = stay(book, psn, out + after, out + after + NIGHTS, **then)
        if again:
            book.finding("D15", found, grade=DOUBT)
            if after <= 15 and not then:
                book.finding("D01", found, grade=DOUBT)

    same: dict[str, object] = {}
    for after in (0, 15, 16):
        back(after, again=True, before=same, then=same)
    back(5, again=True, before=same, then={"diag": "J18.900"})
    back(5, again=True, before=same, then={"med": "24"})
    back(5, again=False, before={"way": "2"}, then=same)
    back(5, again=False, before={"diag": "Z51.100"}, then=same)
    back(5, again=False, before=same, then={"diag": "Z49.100"})
    for earlier in (0, 1):
        psn, left = book.person("390"), -5 - earlier
        stay(book, psn, left - NIGHTS, left, settled=1)
        found = stay(book, psn, 26, 26 + NIGHTS)
        if not earlier:
            book.finding("D15", found, grade=DOUBT)


def d04(book: Book) -> None:
    """D04: the fourth visit of a day, the sixteenth of a month."""
    day = 9 + book.region.shift
    psn = book.person()
    for hour, item in enumerate((BLOOD, URINE, ALT, CT), start=9):
        found = book.settle("h3", psn, [L(item)], Visit(day, clock=hour * HOUR))
        if item == CT:
            book.finding("D04", found, grade=DOUBT)
    psn = book.person("390")
    for hour, item in enumerate((BLOOD, URINE, ALT), start=9):
        book.settle("h3", psn, [L(item)], Visit(day, clock=hour * HOUR))
    for last in (15, 16):
        psn = book.person()
        for number in range(1, last + 1):
            found = book.settle("h3", psn, [L(URINE)], Visit(number + 10))
        if last > 15:
            book.finding("D04", found, grade=DOUBT)


def d05(book: Book) -> None:
    """D05: five stays within 90 days, in five places; four; one of five for chemotherapy."""
    where = (("h1", 1), ("h2", 7), ("neg", 13), ("h3", 19), ("upg", 25))
    for kind, places in enumerate((where, where[:-1], where)):
        psn = book.person("390")
        for role, first in places:
            planned = kind == 2 and role == "h2"
            visit = Visit(first + 3, beg=first, diag="Z51.100" if planned else "K29.500")
            found = book.settle(role, psn, drip(first, first + 3), visit)
        if kind == 0:
            book.finding("D05", found, grade=DOUBT)


def d06(book: Book) -> None:
    """D06: a day more than 7, 3 in emergency, 30 for a chronic disease; in a stay it is not asked."""
    day = 14 + book.region.shift
    for role in shops(book, "h2", "ph1"):
        for med, limit in ((None, 7), ("13", 3), ("14", 30)):
            for days in (limit, limit + 1):
                if med == "13" and role == "ph1":
                    continue
                lines = [L(BLOOD) if role == "h2" else L(STATIN, 7), L(TABLET, days, supply=days)]
                found = book.settle(role, book.person(), lines, Visit(day, med=med))
                if days > limit:
                    book.finding("D06", found, "002", share=("1", str(days)))
    book.settle("h2", book.person(), [*drip(day, day + NIGHTS), L(TABLET, 40, supply=40)],
                Visit(day + NIGHTS, beg=day))  # fmt: skip


def d07(book: Book) -> None:
    """D07: eight and seven days before the last supply ends; in pharmacies that is E05, too."""
    first = 2 + book.region.shift
    for role in shops(book, "h2", "ph1"):
        for early, hit in ((8, True), (7, False)):
            psn = book.person()
            for day in (first, first + 30 - early):
                lines = [L(TABLET, 30, supply=30), L(STATIN, 7 + early)]
                found = book.settle(role, psn, lines, Visit(day, med="14"))
            if hit:
                for rule in ("D07", "E05") if role == "ph1" else ("D07",):
                    book.finding(rule, found, "001", DOUBT, (str(early), "30"))


def d08(book: Book) -> None:
    """D08: nothing but a bed; three nights with nothing else, and two."""
    day = 20 + book.region.shift
    first = day - 7
    beds = [L(BED, day=first + night) for night in range(7)]
    nursing = [L(NURSE, day=first + night) for night in range(7)]
    found = book.settle("h2", book.person(), [*beds, *nursing], Visit(day, beg=first))
    book.finding("D08", found, grade=DOUBT)
    for gap in (4, 3):
        busy = [L(SALINE, 2, day=first + night) for night in (0, gap, 6)]
        found = book.settle("h2", book.person("390"), [*beds, *nursing, *busy], Visit(day, beg=first))
        for number in (2, 3, 4, 9, 10, 11) if gap > 3 else ():
            book.finding("D08", found, f"{number:03d}", DOUBT)


def d09(book: Book) -> None:
    """D09: three days, tests 70 %, or drugs 15 %; a 分 less, or more; a 感冒 that needs no stay."""
    day = 12 + book.region.shift
    first = day - 3
    beds = [L(BED, day=first + night) for night in range(3)]
    for price, hit in (("224.00", True), ("223.99", False)):
        lines = [L(CT, day=first, price=price), *beds]
        found = book.settle("h2", book.person(), lines, Visit(day, beg=first))
        if hit:
            book.finding("D09", found, grade=DOUBT)
    for price, hit in (("144.00", True), ("144.01", False)):
        lines = [L(CT, 3, day=first), *beds, L(SALVIA, day=first + 1, price=price)]
        found = book.settle("h2", book.person("390"), lines, Visit(day, beg=first))
        if hit:
            book.finding("D09", found, grade=DOUBT)
    for diag, hit in (("J00.x00", True), ("J01.900", False)):
        found = stay(book, book.person(), first, day + 2, diag=diag)
        if hit:
            book.finding("D09", found, grade=DOUBT)


def d10(book: Book) -> None:
    """D10: two nights without an operation; three; with one; moved on; died."""
    day = 14 + book.region.shift
    short, two = drip(day - 2, day), day - 2
    book.finding("D10", book.settle("h2", book.person(), short, Visit(day, beg=two)), grade=DOUBT)
    book.settle("h2", book.person(), drip(day - 3, day), Visit(day, beg=day - 3))
    operated = [L(OPERATION, day=day - 1), *short]
    book.settle("h2", book.person(), operated, Visit(day, beg=two, diag="K35.800x001"))
    book.settle("h2", book.person(), short, Visit(day, beg=two, way="3"))
    book.settle("h2", book.person(died=day), short, Visit(day, beg=two, died=day))
    found = book.settle("h3", book.person(), short, Visit(day, beg=two))
    book.operate(found, "45.2300", two)


def d11(book: Book) -> None:
    """D11: a sixth drug on one prescription; a sixth one on the next."""
    day = 15 + book.region.shift
    six = (AMOXICILLIN, METFORMIN, OMEPRAZOLE, ASPIRIN, COUGH, TABLET)
    for together in (True, False):
        lines = [L(code, 7, minute=place) for place, code in enumerate(six)]
        found = book.settle("h2", book.person(), lines, Visit(day))
        if together:
            book.change(LINE, found, put(rx_drord_no=f"{int(found[-6:])}-1"), "006")
            book.finding("D11", found, "006")


def d12(book: Book) -> None:
    """D12: taken home for eight days of seven, sixteen of fifteen; a fifth drug."""
    day = 18 + book.region.shift
    first = day - NIGHTS
    five = (AMOXICILLIN, METFORMIN, OMEPRAZOLE, ASPIRIN, COUGH)
    cases = ((None, 7, 1, False), (None, 8, 1, True), ("M03900", 15, 1, False), ("M03900", 16, 1, True),
             (None, 7, 4, False), (None, 7, 5, True))  # fmt: skip
    for dise, days, kinds, hit in cases:
        home = [L(code, days, day=day, supply=days, minute=n) for n, code in enumerate(five[:kinds])]
        visit = Visit(day, beg=first, dise=dise)
        found = book.settle("h2", book.person(), [*home, *drip(first, day)], visit)
        for number in range(1, kinds + 1):
            book.change(LINE, found, put(dscg_tkdrug_flag="1"), f"{number:03d}")
        if hit:
            share = ("1", str(days)) if kinds == 1 else ("1", "1")
            book.finding("D12", found, f"{kinds:03d}", share=share)


def d13(book: Book) -> None:
    """D13: ordered by a doctor suspended from the 16th; the day before; in emergency."""
    since = DOCTOR_SINCE.day
    for day, med, hit in ((since - 1, "11", False), (since, "11", True), (since, "13", False)):
        found = book.settle("h2", book.person(), [L(BLOOD), L(CT)], Visit(day, med=med))
        code = book.member("h2").inst.code
        book.change(LINE, found, put(bilg_dr_code=f"D{code[1:]}{SUSPENDED_DOCTOR}"), "002")
        if hit:
            book.finding("D13", found, "002")


def d14(book: Book) -> None:
    """D14: a dearer group than the audit's, a cheaper one, the same one; a diagnosis that groups nowhere."""
    day = 21 + book.region.shift
    groups = (
        ("FM31", "6000.00", ("1.00", None)),
        ("FM41", "5998.00", ("0.00", None)),
        ("FM39", "5999.00", None),
    )
    for group, standard, share in groups:
        found = stay(book, book.person(), day - NIGHTS, day)
        book.refer("drg_result", setl_id=found, billed_group=group, audited_group="FM39",
                   billed_std_amt=standard, audited_std_amt="5999.00")  # fmt: skip
        if share:
            book.finding("D14", found, None, DOUBT, share)
    for diag, hit in (("Z03.900", True), ("Z04.900", False)):
        found = stay(book, book.person(), day - NIGHTS, day, diag=diag)
        if hit:
            book.finding("D14", found, None, DOUBT, ("0", "1"))


STORIES = (d01, d04, d05, d06, d07, d08, d09, d10, d11, d12, d13, d14)
