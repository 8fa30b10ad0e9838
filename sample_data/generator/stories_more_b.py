"""Planted stories of the other rules B: standards, operations, cycles, nursing, what belongs together."""

from __future__ import annotations

from sample_data.generator.base import NURSE, OPERATION, ROUND
from sample_data.generator.book import DOUBT, Book, L, Visit
from sample_data.generator.evidence import METFORMIN, STENT
from sample_data.generator.faults import LINE, put
from sample_data.generator.stories_a import ALT, BLOOD, CT, ECHO, TABLET, URINE
from sample_data.generator.stories_b import GLUCOSE
from sample_data.generator.stories_more_a import NIGHTS, drip, shops

STENTING, STONE, POUCH = "003205000020000", "003311030010000", "003311030020000"
GLYCATED = "002503020030000"
CLOSE_CARE, MOUTH_CARE, CONSULT = "001201000030000", "001201000140100", "001110000020000"
POTASSIUM, SODIUM, CHLORIDE = "002503040010000", "002503040020000", "002503040030000"
THREE_IN_ONE = "002503040990000"
BEDSIDE = "002503020010001"
STAPLER, CATHETER, PLACING = "C0315010100000060006", "C0204010100000070007", "001204000110000"
BESIDE = {"h2": URINE, "ph1": METFORMIN}
PLAIN_ECHO, ECG, LONG_ECG = "002202010020000", "003107010010000", "003107010030000"


def b02(book: Book) -> None:
    """B02: above the lower of two standards, half a 分 above, a tender price that falls on the 16th."""
    day = 10 + book.region.shift
    for role in shops(book, "h2", "ph1"):
        found = book.settle(role, book.person(), [L(METFORMIN, 28, price="0.2000")], Visit(day))
        book.finding("B02", found, "001", share=("0.4620", None))
        half = L(METFORMIN, 1, price="0.1885")  # 0.005 above is not above 0.005
        book.settle(role, book.person(), [half, L(TABLET, 7)], Visit(day))
    for when, hit in ((15, False), (16, True)):
        lines = [L(STENTING, day=when), L(STENT, 2, day=when), *drip(when, when + NIGHTS)]
        found = book.settle("h3", book.person(), lines, Visit(when + NIGHTS, beg=when))
        if hit:
            book.finding("B02", found, "002", share=("200.0000", None))


def b04(book: Book) -> None:
    """B04: two operations of a group at full price; the second at half, and on another day."""
    day = 12 + book.region.shift
    for price, later, hit in ((None, 0, True), ("600.01", 0, True), ("600.00", 0, False), (None, 1, False)):
        first = day - NIGHTS
        lines = [L(STONE, day=first), L(POUCH, day=first + later, price=price), *drip(first, day)]
        found = book.settle("h2", book.person("390"), lines, Visit(day, beg=first))
        if hit:
            share = ("600.0000", "1200.0000") if price is None else ("0.0100", "600.0100")
            book.finding("B04", found, "002", DOUBT, share)


def b07(book: Book) -> None:
    """B07: again on the 14th day of a cycle of 15, on the 15th day after, and two at once."""
    first = 3 + book.region.shift
    for gap in (14, 15):
        psn = book.person()
        book.settle("h2", psn, [L(GLYCATED), L(URINE)], Visit(first))
        found = book.settle("h2", psn, [L(GLYCATED), L(URINE)], Visit(first + gap))
        if gap < 15:
            book.finding("B07", found, "001")
    found = book.settle("h2", book.person("390"), [L(GLYCATED, 2), L(URINE)], Visit(first))
    book.finding("B07", found, "001", share=("1", "2"))


def b09(book: Book) -> None:
    """B09 and B10: a day of nursing or examination more than the stay and the day of leaving."""
    day = 17 + book.region.shift
    first = day - NIGHTS
    for rule, daily, more in (("B09", NURSE, MOUTH_CARE), ("B10", ROUND, CONSULT)):
        for extra in (False, True):
            days = [L(daily, day=first + night) for night in range(NIGHTS + 1)]
            lines = [*days, *([L(more, day=first)] if extra else []), *drip(first, day)]
            found = book.settle("h2", book.person(), lines, Visit(day, beg=first))
            for number in range(1, NIGHTS + 3) if extra else ():
                book.finding(rule, found, f"{number:03d}", share=("1", str(NIGHTS + 2)))


def b11(book: Book) -> None:
    """B11: two levels of nursing on one day; on two days."""
    day = 15 + book.region.shift
    first = day - NIGHTS
    for later in (0, 1):
        lines = [L(CLOSE_CARE, day=first), L(NURSE, day=first + later, hour=15), *drip(first, day)]
        found = book.settle("h2", book.person("390"), lines, Visit(day, beg=first))
        if not later:
            book.finding("B11", found, "002")


def b13(book: Book) -> None:
    """B13: the same line twice and three times; a minute later, another price, another prescription."""
    day = 8 + book.region.shift
    found = book.settle("h2", book.person(), [L(ALT), L(ALT), L(BLOOD), L(ALT)], Visit(day))
    for sn in ("002", "004"):
        book.finding("B13", found, sn, DOUBT)
    book.settle("h2", book.person(), [L(ALT), L(ALT, minute=1), L(ALT, price="6.40")], Visit(day))
    found = book.settle("h2", book.person(), [L(ALT), L(ALT), L(BLOOD)], Visit(day))
    book.change(LINE, found, put(rx_drord_no="another"), "002")


def b14(book: Book) -> None:
    """B14: three tests dearer than the three in one; as dear; one of them missing."""
    day = 9 + book.region.shift
    three = (POTASSIUM, SODIUM, CHLORIDE)
    for price, codes, hit in (("5.00", three, True), ("4.00", three, False), ("5.00", three[:2], False),
                              ("5.00", (*three, THREE_IN_ONE), False)):  # fmt: skip
        lines = [L(code, price=None if code == THREE_IN_ONE else price) for code in codes]
        found = book.settle("h2", book.person(), [*lines, L(URINE)], Visit(day))
        for number in range(1, 4) if hit else ():
            book.finding("B14", found, f"{number:03d}", DOUBT, ("3.0000", "15.00"))


def b15(book: Book) -> None:
    """B15: a stent without its operation; with it, on another day of the stay."""
    day = 12 + book.region.shift
    first = day - NIGHTS
    for operated in (False, True):
        lines = [L(STENT, day=first), *([L(STENTING, day=first + 1)] if operated else []), *drip(first, day)]
        found = book.settle("h3", book.person("390"), lines, Visit(day, beg=first))
        if not operated:
            book.finding("B15", found, "001", DOUBT)


def b16(book: Book) -> None:
    """B16: a surcharge alone; with its main item that day; the day after; given back."""
    day = 11 + book.region.shift
    for main, hit in (([], True), ([L(GLUCOSE)], False), ([L(GLUCOSE), L(GLUCOSE, -1, back="002")], True)):
        found = book.settle("h2", book.person(), [L(BEDSIDE), *main, L(URINE)], Visit(day))
        if hit:
            book.finding("B16", found, "001")
    psn = book.person()
    book.settle("h2", psn, [L(GLUCOSE), L(URINE)], Visit(day))
    found = book.settle("h2", psn, [L(BEDSIDE), L(URINE)], Visit(day + 1))
    book.finding("B16", found, "001")


def b17(book: Book) -> None:
    """B17: four of three a piece of operation, three; doubtful where no operation is told."""
    day = 18 + book.region.shift
    first = day - NIGHTS
    for role, counts, grade in (
        ("h3", (3, 1), "违规"),
        ("h3", (2, 1), ""),
        ("h2", (4,), DOUBT),
        ("h2", (3,), ""),
    ):
        used = [L(STAPLER, count, day=first) for count in counts]
        lines = [*used, L(OPERATION, day=first), *drip(first, day)]
        found = book.settle(role, book.person("390"), lines, Visit(day, beg=first, diag="K35.800x001"))
        for number in range(1, len(counts) + 1) if grade else ():
            book.finding("B17", found, f"{number:03d}", grade, ("1", "4"))


def b18(book: Book) -> None:
    """B18: a catheter that its placing contains; without it; given back."""
    day = 16 + book.region.shift
    first = day - NIGHTS
    for more, hit in (([L(PLACING, day=first + 1)], True), ([], False),
                      ([L(CATHETER, -1, day=first, back="001"), L(PLACING, day=first)], False)):  # fmt: skip
        lines = [L(CATHETER, day=first), *more, *drip(first, day)]
        found = book.settle("h3", book.person(), lines, Visit(day, beg=first))
        if hit:
            book.finding("B18", found, "001")


def b19(book: Book) -> None:
    """B19: own codes that stand for something cheaper, for nothing, from the 16th for something else."""
    day = 13 + book.region.shift
    urine = f"F{book.index[URINE]:05d}"
    for role in shops(book, "h2", "ph1"):
        inst = book.member(role).inst
        other, item = f"Z{inst.kind}0001", BLOOD if role == "h2" else TABLET
        wrong = urine if role == "h2" else f"Y{book.index[METFORMIN]:05d}"
        for code, last, since in ((item, "2026-04-15", "2020-01-01"), (CT, None, "2026-04-16")):
            book.refer("catalogue_map", fixmedins_code=inst.code, medins_list_codg=other, hilist_code=code,
                       begndate=since, enddate=last)  # fmt: skip
        swapped = ("8.0000", None) if role == "h2" else ("1", "1")
        cases = (
            (day, {"medins_list_codg": wrong}, swapped), (day, {"medins_list_codg": "X99999"}, ("1", "1")),
            (15, {"medins_list_codg": other}, None), (16, {"medins_list_codg": other}, ("0.0000", None)),
            (day, {"medins_list_name": "其他商品"}, ("1", "1")), (day, {"medins_list_codg": ""}, None),
            (day, {"medins_list_name": "细胞平片"}, None), (day, {"medins_list_name": "药"}, None),
        )  # fmt: skip
        for when, cells, share in cases:
            part = share
            if share == ("0.0000", None) and role == "ph1":
                part = ("1", "1")  # no price limit in a pharmacy
            found = book.settle(role, book.person(), [L(item), L(BESIDE[role])], Visit(when))
            book.change(LINE, found, put(**cells), "001")
            if part:
                book.finding("B19", found, "001", DOUBT, part)


def b20(book: Book) -> None:
    """B20: two items that exclude each other, of the nation's list and of the region's; on two days."""
    day = 14 + book.region.shift
    for pair, sn, grade in (((ECHO, PLAIN_ECHO), "002", "违规"), ((ECG, LONG_ECG), "001", DOUBT)):
        found = book.settle("h2", book.person(), [L(code) for code in pair], Visit(day))
        book.finding("B20", found, sn, grade)
        psn = book.person()
        for later, code in enumerate(pair):
            book.settle("h2", psn, [L(code), L(URINE)], Visit(day + later))


STORIES = (b02, b04, b07, b09, b11, b13, b14, b15, b16, b17, b18, b19, b20)
