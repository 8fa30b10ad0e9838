"""Planted faults of acceptance: returned settlements for every reason, and refused submissions."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from sample_data.generator.book import Book, L, Row, Visit
from sample_data.generator.stories_a import BLOOD, CT, TABLET, VITAMIN

ONE = Decimal("1.00")
SETL, LINE = "setl_d", "fee_list_d"


def put(**cells: str) -> Callable[[Row], Row]:
    """Return an edit that sets cells."""
    return lambda _: dict(cells)


def add(amount: Decimal, *columns: str) -> Callable[[Row], Row]:
    """Return an edit that adds an amount to money columns."""
    return lambda row: {c: str(Decimal(row[c]) + amount) for c in columns}


def plain(book: Book, role: str, insutype: str = "310") -> str:
    """Add a sound settlement with three lines, to be spoilt."""
    lines = [L(BLOOD), L(CT), L(TABLET, 14)]
    return book.settle(role, book.person(insutype), lines, Visit(18 + book.region.shift))


def cells(book: Book) -> None:
    """R01 to R05: one bad cell each, in settlements and lines, and three in one settlement."""
    cases = (
        ("R01", None, "certno", ""), ("R01", "002", "hilist_name", ""),
        ("R02", None, "psn_name", "长" * 51), ("R02", "003", "bilg_dept_codg", "A" * 31),
        ("R03", None, "hifp_pay", "1,234.50"), ("R03", None, "act_pay_dedc", "1e3"),
        ("R03", "003", "cnt", "两盒"), ("R03", "001", "det_item_fee_sumamt", "２０.００"),
        ("R04", None, "brdy", "1980-02-30"), ("R04", None, "begndate", "2026-04-31"),
        ("R04", "001", "fee_ocur_time", "2026-13-05 08:00:00"),
        ("R05", None, "mdtrt_cert_type", "09"), ("R05", "002", "list_type", "999"),
        ("R05", "003", "chrgitm_lv", "07"),
    )  # fmt: skip
    for number, (reason, sn, column, value) in enumerate(cases):
        found = plain(book, "h3" if number % 2 else "h2")
        table = LINE if sn else SETL
        book.change(table, found, put(**{column: value}), sn)
        book.returned(reason, table, found, sn, column)
    found = plain(book, "h3")
    book.change(SETL, found, put(brdy="无"))
    book.change(SETL, found, add(ONE, "cash_payamt"))
    book.change(LINE, found, put(cnt="1..5"), "001")
    book.returned("R04", SETL, found, None, "brdy")
    book.returned("R12", SETL, found, None, "psn_pay")
    book.returned("R03", LINE, found, "001", "cnt")


def expired_code(book: Book) -> None:
    """R05 by date: two kinds of care that left the region's list on 31 March and 15 April."""
    for code, day, hit in (("9903", 2, True), ("9901", 15, False), ("9901", 16, True)):
        visit = Visit(day, med=code)
        found = book.settle("h2", book.person("390"), [L(BLOOD), L(CT)], visit)
        if hit:
            book.returned("R05", SETL, found, None, "med_type")


def rows(book: Book) -> None:
    """R06 to R09 and R22: duplicate keys, rows without the other side, a row too long."""
    found = plain(book, "h3")
    book.special("repeat", SETL, found)
    book.returned("R06", SETL, found, None, "setl_id")
    found = plain(book, "h2")
    book.change(LINE, found, put(bkkp_sn="001"), "002")
    book.returned("R06", LINE, found, "001", "bkkp_sn")
    found = plain(book, "h3")
    lost = found[:-6] + "999999"
    book.special("orphan", LINE, found, new_id=lost)
    book.returned("R07", LINE, lost, "001", "setl_id")
    found = plain(book, "h2")
    book.special("drop", LINE, found)
    book.returned("R08", SETL, found, None, "setl_id")
    found = plain(book, "h3")
    book.special("long", LINE, found, sn="002")
    book.returned("R09", LINE, found, "002", None)
    found = plain(book, "h3")
    lost = found[:-6] + "999998"
    book.special("orphan", "setl_list_diag_d", found, new_id=lost)
    book.returned("R22", "setl_list_diag_d", lost, None, "setl_id")


def identities(book: Book) -> None:
    """R10 to R17: one identity broken at a time."""
    edits: tuple[tuple[str, str, str, Callable[[Row], Row]], ...] = (
        ("R10", "h2", "medfee_sumamt", add(ONE, "ownpay_hosp_part")),
        ("R11", "h3", "fund_pay_sumamt", add(ONE, "othfund_pay")),
        ("R12", "h2", "psn_pay", add(Decimal("0.01"), "cash_payamt")),
        ("R13", "h3", "acct_mulaid_pay",
         lambda row: {"acct_mulaid_pay": str(Decimal(row["acct_pay"]) + Decimal("0.01"))}),
    )  # fmt: skip
    for reason, role, column, edit in edits:
        found = plain(book, role)
        book.change(SETL, found, edit)
        book.returned(reason, SETL, found, None, column)
    found = plain(book, "h2")
    book.change(SETL, found, add(-ONE, "preselfpay_amt"))
    book.change(LINE, found, add(-ONE, "preselfpay_amt"), "002")
    book.returned("R14", SETL, found, None, "medfee_sumamt")
    found = plain(book, "h3")
    book.change(LINE, found, add(-ONE, "preselfpay_amt"), "002")
    book.change(LINE, found, add(ONE, "inscp_amt"), "002")
    for column in ("preselfpay_amt", "inscp_amt"):
        book.returned("R15", SETL, found, None, column)
    found = plain(book, "h2")
    book.change(LINE, found, add(Decimal("0.01"), "det_item_fee_sumamt"), "001")
    book.returned("R16", SETL, found, None, "medfee_sumamt")
    own = [L(BLOOD), L(VITAMIN, 3)]
    found = book.settle("h3", book.person("390"), own, Visit(18, account=0))
    book.change(SETL, found, _more_than_in_scope)
    book.returned("R17", SETL, found, None, "fund_pay_sumamt")


def _more_than_in_scope(row: Row) -> Row:
    gap = Decimal(row["inscp_amt"]) - Decimal(row["fund_pay_sumamt"]) + Decimal("0.01")
    up, down = ("hifp_pay", "fund_pay_sumamt"), ("psn_pay", "cash_payamt")
    return add(gap, *up)(row) | add(-gap, *down)(row)


def refunds(book: Book) -> None:
    """R18 to R21: negative without reversal, refunds without or above their line, no quantity."""
    found = book.reverse(plain(book, "h2"), 25)
    book.change(SETL, found, put(init_setl_id=""))
    book.returned("R18", SETL, found, None, "medfee_sumamt")
    role, day = "h3", 19
    lines = [L(BLOOD), L(CT), L(TABLET, 14), L(TABLET, -7, back="009")]
    found = book.settle(role, book.person(), lines, Visit(day))
    book.returned("R19", LINE, found, "004", "init_feedetl_sn")
    lines = [L(BLOOD), L(CT), L(TABLET, 14), L(TABLET, -7)]
    found = book.settle("h2", book.person(), lines, Visit(day))
    book.returned("R19", LINE, found, "004", "init_feedetl_sn")
    lines = [L(BLOOD), L(CT), L(TABLET, 7), L(TABLET, -14, back="003")]
    found = book.settle(role, book.person(), lines, Visit(day))
    book.returned("R20", LINE, found, "004", "cnt")
    found = book.settle("h2", book.person(), [L(BLOOD), L(CT), L(TABLET, 0)], Visit(day))
    five = Decimal("5.00")
    book.change(LINE, found, add(five, "det_item_fee_sumamt", "inscp_amt"), "003")
    book.change(SETL, found, add(five, "medfee_sumamt", "inscp_amt", "psn_pay", "cash_payamt"))
    book.returned("R21", LINE, found, "003", "cnt")


def refusals(book: Book) -> None:
    """Refused submissions; what is wrong with the files is done in `submission`."""
    for role, reason in book.region.refusals.items():
        book.refused(role, reason)
        if reason == "S16":
            for number in range(4):
                found = plain(book, role, "390")
                book.change(SETL, found, add(ONE + number, "ownpay_hosp_part"))
                book.returned("R10", SETL, found, None, "medfee_sumamt")


STORIES = (cells, expired_code, rows, identities, refunds, refusals)
