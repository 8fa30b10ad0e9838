"""Documents after the payment: summary with states, statement with ledgers, voucher, ledgers."""

import dataclasses
import datetime as dt
from decimal import Decimal

import openpyxl
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import results
from schemas.layout import table
from settlement import ledger
from settlement.errors import InvariantBroken
from settlement.labels import LABELS
from settlement.reports.facts import BOOKS, ORDERS
from settlement.reports.month import write_month
from settlement.reports.prepare import balances
from settlement.reports.summary import payments
from settlement.reports.voucher import BOOKED, voucher
from tests.report_facts import month_after_payment

MONEY = pl.Decimal(16, 2)
PAID, CARRIED, PHARMACY, HELD, APPROVED = (
    "H370700000000", "H370700000001", "P370700000002", "H370700000003", "H370700000004",
)  # fmt: skip
# By the order of the codes: another month, in which two batches are not settled yet.
EARLY = ("PAID", "FEEDBACK", "HOLD", "REVIEW", "CLOSED")


def d(amount):
    return Decimal(amount).quantize(Decimal("0.01"))


def payment(*rows):
    """`payment` rows: code, fund and the amounts in the order of the table."""
    return pl.DataFrame(rows, schema=table(results.Payment).schema, orient="row")


def paid_row(code="H1", fund="310100", **amounts):
    """A payment whose paid and carry follow from the rest."""
    names = ("claimed", "det", "method", "deferred", "deposit", "advance", "prior", "clawback")
    c, det, method, deferred, deposit, advance, prior, clawback = (d(amounts.get(n, 0)) for n in names)
    net = c - det + method - deferred - deposit - advance + prior - clawback
    steps = (c, det, method, deferred, deposit, advance, prior, clawback)
    return code, fund, *steps, max(net, d(0)), max(-net, d(0))


NO_BOOKS = pl.DataFrame(schema=BOOKS)


def orders(*rows):
    """Bank orders: code, fund, amount, result."""
    full = [
        (code, fund, n, f"{code}{n}", d(amount), f"6200{fund}", result, None, dt.date(2026, 6, 2), "f.csv")
        for n, (code, fund, amount, result) in enumerate(rows)
    ]
    return pl.DataFrame(full, schema=ORDERS, orient="row")


def entries(lines):
    """Voucher lines by fund and entry: (side, amount)."""
    return {
        (row["fund_pay_type"], row["entry"]): ("借", row["debit"]) if row["debit"] else ("贷", row["credit"])
        for row in lines.to_dicts()
    }


def rows_of(path, sheet=0):
    book = openpyxl.load_workbook(path)
    found = book.worksheets[sheet] if isinstance(sheet, int) else book[sheet]
    return [list(row) for row in found.iter_rows(values_only=True)]


def table_of(path, sheet, first="序号"):
    rows = rows_of(path, sheet)
    at = next(i for i, row in enumerate(rows) if row[0] == first)
    return [dict(zip(rows[at], row, strict=True)) for row in rows[at + 1 :]]


def text_of(path):
    return "\n".join(str(value) for row in rows_of(path) for value in row if value is not None)


def statement(folder, code):
    return folder / "institutions" / code / "02_月结算单.xlsx"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("after")
    facts = month_after_payment()
    return facts, folder, write_month(facts, folder)


@pytest.fixture(scope="module")
def early(tmp_path_factory):
    folder = tmp_path_factory.mktemp("early")
    facts = month_after_payment(states=EARLY)
    write_month(facts, folder)
    return facts, folder


# voucher


def test_vector_n1_of_the_reference_as_a_voucher():
    row = paid_row(
        claimed="1000000.00", det="23456.78", deposit="48827.16", advance="100000.00", clawback="30000.00"
    )

    found = entries(voucher(payment(row), orders(("H1", "310100", "797716.06", "PAID")), NO_BOOKS))

    assert found == {
        ("310100", "expense"): ("借", d("976543.22")),
        ("310100", "deposit"): ("贷", d("48827.16")),
        ("310100", "advance"): ("贷", d("100000.00")),
        ("310100", "clawback"): ("贷", d("30000.00")),
        ("310100", "bank"): ("贷", d("797716.06")),
    }


def test_vector_n3_each_fund_balances_by_itself():
    rows = (paid_row(fund="310100", claimed="-5000.00"), paid_row(fund="390100", claimed="20000.00"))

    found = entries(voucher(payment(*rows), orders(), NO_BOOKS))

    assert found == {
        # A month of refunds: the expenditure is taken back on the credit side.
        ("310100", "expense"): ("贷", d("5000.00")),
        ("310100", "carry"): ("借", d("5000.00")),
        ("390100", "expense"): ("借", d("20000.00")),
        ("390100", "open"): ("贷", d("20000.00")),
    }


def test_what_the_quota_defers_is_no_expenditure_yet():
    row = paid_row(claimed="1130000.00", deferred="130000.00", deposit="100000.00", prior="-12.34")

    found = entries(voucher(payment(row), orders(), NO_BOOKS))

    assert found["310100", "expense"] == ("借", d("1000000.00"))
    assert found["310100", "prior"] == ("贷", d("12.34"))
    assert found["310100", "open"] == ("贷", d("899987.66"))


def test_only_what_the_bank_paid_is_taken_from_the_account():
    both = payment(paid_row("H1", claimed="100.00"), paid_row("H2", claimed="50.00"))
    sent = orders(
        ("H1", "310100", "100.00", "FAILED"),
        ("H1", "310100", "100.00", "PAID"),
        ("H2", "310100", "50.00", None),
    )

    lines = voucher(both, sent, NO_BOOKS)

    assert entries(lines)["310100", "bank"] == ("贷", d("100.00"))
    assert entries(lines)["310100", "open"] == ("贷", d("50.00"))
    assert lines.filter(pl.col("entry") == "bank").select("payer_acct", "batches").row(0) == ("6200310100", 1)
    assert lines.filter(pl.col("entry") == "expense")["batches"].item() == 2


def test_a_payment_that_lost_a_cent_does_not_become_a_voucher():
    good = payment(paid_row(claimed="100.00"))
    bad = good.with_columns(pl.col("act_dfr_amt") - pl.lit(d("0.01"), MONEY))

    with pytest.raises(InvariantBroken, match=r"基金 310100,借方 100.00 元,贷方 99.99 元"):
        voucher(bad, orders(), NO_BOOKS)


def test_paying_twice_is_found():
    twice = orders(("H1", "310100", "100.00", "PAID"), ("H1", "310100", "100.00", "PAID"))

    with pytest.raises(InvariantBroken, match=r"机构 H1 基金 310100,应付 100.00 元,已付 200.00 元"):
        voucher(payment(paid_row(claimed="100.00")), twice, NO_BOOKS)


def test_a_deposit_that_goes_back_is_no_second_expenditure():
    # 58,000.00 held, score 87: 54,520.00 back, 3,480.00 kept; another adjustment of 100.00 is confirmed.
    moved = book(
        ("H1", "deposit", "returned", 13, 58000, 0, 54520, 3480, "202604"),
        ("H1", "deposit", "kept", 14, 3480, 0, 3480, 0, "202604"),
        ("H1", "prior", "confirmed", 1, 0, 54520, 0, 54520, "202604"),
        ("H1", "prior", "confirmed", 2, 54520, 100, 0, 54620, "202604"),
        ("H1", "advance", "granted", 1, 0, 1000, 0, 1000, "202604"),
    )

    found = entries(voucher(payment(paid_row(claimed="10.00", prior="54620.00")), orders(), moved))

    assert found == {
        ("310100", "expense"): ("借", d("10.00")),
        ("310100", "prior"): ("借", d("54620.00")),
        ("310100", "adjust"): ("借", d("100.00")),
        ("310100", "deposit_back"): ("借", d("58000.00")),
        ("310100", "granted"): ("借", d("1000.00")),
        ("310100", "owed"): ("贷", d("54620.00")),
        ("310100", "kept"): ("贷", d("3480.00")),
        ("310100", "granted_bank"): ("贷", d("1000.00")),
        ("310100", "open"): ("贷", d("54630.00")),
    }


def test_what_ledger_entries_book_names_kinds_the_ledger_knows():
    known = {(book, kind) for book, kind, *_ in ledger.BOOKINGS}

    assert {book for book, _ in BOOKED} <= {*ledger.BOOKS}
    assert {kind for _, kind in BOOKED} <= {ledger.RETURNED, ledger.KEPT, ledger.CONFIRMED, ledger.GRANTED}
    assert not known & {*BOOKED}


AMOUNT = st.integers(-(10**11), 10**11).map(lambda fen: Decimal(fen).scaleb(-2))
GAIN = st.integers(0, 10**9).map(lambda fen: Decimal(fen).scaleb(-2))
STEPS = st.fixed_dictionaries(
    {
        **dict.fromkeys(("claimed", "method", "prior"), AMOUNT),
        **dict.fromkeys(("det", "deferred", "deposit", "advance", "clawback"), GAIN),
    }
)


@given(
    st.lists(st.tuples(st.sampled_from(["310100", "390100"]), STEPS, st.booleans()), min_size=1, max_size=6)
)
def test_any_payment_balances_per_fund(cases):
    rows = [paid_row(f"H{n}", fund, **steps) for n, (fund, steps, _) in enumerate(cases)]
    sent = [
        (row[0], row[1], row[10], "PAID")
        for row, (*_, paid) in zip(rows, cases, strict=True)
        if paid and row[10]
    ]

    lines = voucher(payment(*rows), orders(*sent), NO_BOOKS)

    for _, part in lines.group_by("fund_pay_type"):
        assert part["debit"].sum() == part["credit"].sum()
        assert min(part["debit"].min(), part["credit"].min()) >= 0
    bank = lines.filter(pl.col("entry") == "bank")["credit"].sum()
    assert bank == sum((amount for *_, amount, _ in sent), d(0))


def test_voucher_sheet_shows_what_was_paid_per_account(written):
    facts, folder, _ = written
    rows = table_of(folder / "08_基金拨付凭证摘要.xlsx", "凭证摘要")
    total = next(row for row in rows if row["序号"] == "合计")
    bank = [row for row in rows if row["付款账户"]]
    done = facts.orders.filter(pl.col("result") == "PAID")

    assert total["借方金额"] == total["贷方金额"] > 0
    assert sum(d(row["贷方金额"]) for row in bank) == done["amount"].sum()
    assert {row["付款账户"] for row in bank} == {*done["payer_acct"]}
    assert {row["借方金额"] for row in bank} == {None}
    assert {row["结算年月"] for row in bank} == {"2026-04"}


# ledgers


def book(*rows):
    """Entries of a fund: code, book, kind, seq, opening, plus, minus, closing, claim month."""
    full = [
        (code, "310100", name, kind, seq, *map(d, amounts), ym, "")
        for code, name, kind, seq, *amounts, ym in rows
    ]
    return pl.DataFrame(full, schema=BOOKS, orient="row")


def said(found):
    return found.select("fixmedins_code", "book", "opening", "plus", "minus", "closing").rows()


def test_balances_join_the_entries_of_a_month():
    found = book(
        ("H1", "advance", "granted", None, 0, 100, 0, 100, "202604"),
        ("H2", "deposit", "withheld", None, 5, 1, 0, 6, "202604"),
        ("H1", "advance", "offset", None, 100, 0, 30, 70, "202604"),
    )

    assert said(balances(found, "202604")) == [
        ("H2", "deposit", d(5), d(1), d(0), d(6)),
        ("H1", "advance", d(0), d(100), d(30), d(70)),
    ]


def test_a_months_closing_is_the_next_months_opening_whenever_it_was_booked():
    # April's second entry was booked after May's; H2 has no entry in either month.
    found = book(
        ("H1", "prior", "confirmed", 1, 0, 5, 0, 5, "202604"),
        ("H1", "prior", "confirmed", 2, 5, 7, 0, 12, "202605"),
        ("H1", "prior", "confirmed", 3, 12, 1, 0, 13, "202604"),
        ("H2", "deposit", "withheld", 1, 0, 9, 0, 9, "202603"),
    )

    assert said(balances(found, "202604")) == [
        ("H2", "deposit", d(9), d(0), d(0), d(9)),
        ("H1", "prior", d(0), d(6), d(0), d(6)),
    ]
    assert said(balances(found, "202605"))[1] == ("H1", "prior", d(6), d(7), d(0), d(13))
    april = found.filter(pl.col("clr_ym") == "202604")
    assert said(balances(april, "202604")) == [("H1", "prior", d(0), d(6), d(0), d(6))]


@pytest.mark.parametrize(
    ("entries", "named"),
    [
        ([("deposit", "withheld", 1, 5, 1, 0, "6.01")], r"期初 5.00 \+ 1.00 - 0.00,期末 6.01"),
        ([("carry", "carried", 1, 0, 9, 0, 9), ("carry", "clawed_back", 2, 8, 0, 8, 0)], "上笔期末 9.00 元"),
        ([("carry", "carried", None, 0, 9, 0, 9), ("carry", "carried", None, 8, 0, 8, 0)], "本笔期初 8.00"),
        ([("advance", "granted", 1, 0, 9, 3, 9)], "机构 H1 基金 310100 台账 advance"),
    ],
)
def test_an_entry_that_does_not_roll_forward_stops_the_run(entries, named, tmp_path):
    facts = dataclasses.replace(
        month_after_payment(), books=book(*(("H1", *entry, "202604") for entry in entries))
    )

    with pytest.raises(InvariantBroken, match=named):
        write_month(facts, tmp_path)


def test_ledgers_list_balances_by_fund_and_every_entry(written):
    facts, folder, _ = written
    deposits = facts.books.filter(pl.col("book") == "deposit")

    rows = table_of(folder / "10_保证金台账.xlsx", "质量保证金余额")
    moves = table_of(folder / "10_保证金台账.xlsx", "逐笔")
    total = next(row for row in rows if row["序号"] == "合计")
    funds = [row for row in rows if row["序号"] == "小计"]

    assert d(total["期末余额"]) == deposits["closing_amt"].sum()
    assert d(total["期初余额"]) + d(total["本期增加"]) - d(total["本期减少"]) == d(total["期末余额"])
    assert len(funds) == deposits["fund_pay_type"].n_unique()
    assert sum(d(row["期末余额"]) for row in funds) == d(total["期末余额"])
    assert len(moves) == deposits.height
    advance = table_of(folder / "11_周转金台账.xlsx", "周转金余额")[0]
    assert [advance[key] for key in ("期初余额", "本期增加", "本期减少", "期末余额")] == [
        0,
        10000,
        3000,
        7000,
    ]
    carry = table_of(folder / "09_追回与结转台账.xlsx", "逐笔")
    assert [(row["事项"], row["期末余额"]) for row in carry] == [("追回", 0), ("结转下期", 500)]
    assert carry[0]["备注"] == "=上月结转"


def test_only_ledgers_with_entries_are_written(tmp_path):
    facts = dataclasses.replace(
        month_after_payment(), books=book((PAID, "deferred", "deferred", 1, 0, 7, 0, 7, "202604"))
    )

    names = {path.name for path in write_month(facts, tmp_path)}

    assert "09_追回与结转台账.xlsx" in names
    assert not {"10_保证金台账.xlsx", "11_周转金台账.xlsx"} & names
    assert openpyxl.load_workbook(tmp_path / "09_追回与结转台账.xlsx").sheetnames == ["暂缓额余额", "逐笔"]


# summary


def test_institutions_in_are_institutions_out(early):
    facts, folder = early
    rows = table_of(folder / "01_拨付汇总表.xlsx", "拨付汇总")
    listed = {row["机构编码"]: row["状态"] for row in rows if isinstance(row["序号"], int)}

    assert {*listed} == {*facts.submissions["fixmedins_code"]}
    assert listed == {
        PAID: "已拨付",
        CARRIED: "待反馈",
        HELD: "暂停",
        APPROVED: "复审中",
        PHARMACY: "已办结",
        "P370700000005": "不予受理",
    }
    assert "机构数:共 6 家 = " in text_of(folder / "01_拨付汇总表.xlsx")


def test_unsettled_batches_have_no_amounts_and_held_ones_are_not_paid(early):
    facts, _ = early
    rows = payments(facts)
    at = dict(facts.procedure.select("fixmedins_code", "state").rows())
    unsettled = [code for code, state in at.items() if state in ("FEEDBACK", "REVIEW", "RETURNED")]
    held = rows.filter(pl.col("at") == "HOLD")

    blank = rows.filter(pl.col("fixmedins_code").is_in(unsettled))
    assert blank.height == 3
    assert blank.select(pl.col("claimed", "held", "paid").is_null().all()).row(0) == (True, True, True)
    assert held["paid"].sum() == 0
    assert held["held"].sum() > 0
    assert rows["paid"].sum() + rows["held"].sum() == facts.payment["act_dfr_amt"].sum()


def test_every_row_of_the_summary_adds_up(written):
    rows = payments(written[0]).drop_nulls("fund_pay_type")
    review = pl.col("prelim") - pl.col("withdrawn") + pl.col("confirmed") - pl.col("final")
    way = (
        pl.col("by_method") - pl.col("deferred") - pl.col("deposit") - pl.col("advance")
        + pl.col("prior") - pl.col("clawback") + pl.col("carry") - pl.col("paid") - pl.col("held")
    )  # fmt: skip

    assert rows.select(review.abs().sum(), way.abs().sum()).row(0) == (0, 0)
    assert rows["withdrawn"].sum() > 0
    assert rows["confirmed"].sum() > 0


def test_summary_says_who_approved_and_whether_it_was_late(tmp_path):
    write_month(month_after_payment(states=("PAID", "PAID", "PAID", "PAID", "PAID")), tmp_path)

    rows = table_of(tmp_path / "01_拨付汇总表.xlsx", "拨付汇总")
    listed = {row["机构编码"]: row for row in rows if isinstance(row["序号"], int)}

    assert listed[PAID]["核准人"] == "周局长、吴局长"
    assert listed[PAID]["支付方式"] == "按项目"
    assert [listed[PAID][key].isoformat()[:10] for key in ("核准日期", "拨付时限日", "实际拨付日")] == [
        "2026-05-27", "2026-06-18", "2026-06-02",
    ]  # fmt: skip
    assert {code: row["是否超期"] for code, row in listed.items()} == {
        PAID: "否", CARRIED: "否", PHARMACY: "否", HELD: "否", APPROVED: "是", "P370700000005": None,
    }  # fmt: skip
    assert "已拨付(超期)" in text_of(statement(tmp_path, APPROVED))


def test_summary_prints_on_one_page_width_of_a3(written):
    sheet = openpyxl.load_workbook(written[1] / "01_拨付汇总表.xlsx").worksheets[0]

    assert int(sheet.page_setup.paperSize) == 8
    assert sheet.page_setup.orientation == "landscape"
    assert (sheet.page_setup.fitToWidth or 1, sheet.page_setup.fitToHeight) == (1, 0)


# statement


def states_of(facts):
    return dict(facts.procedure.select("state", "fixmedins_code").rows())


def test_statement_has_ledgers_appeal_and_names(written):
    facts, folder, _ = written
    mine = facts.books.filter((pl.col("fixmedins_code") == PAID) & (pl.col("book") == "deposit"))

    rows = rows_of(statement(folder, PAID))
    text = text_of(statement(folder, PAID))

    deposits = [row for row in rows if row[0] == "质量保证金余额"]
    assert [d(row[7]) for row in deposits] == mine["closing_amt"].to_list()
    assert [row[4:8] for row in rows if row[0] == "周转金余额"] == [[0, 10000, 3000, 7000]]
    assert "审核结果:初审扣款 225.12 元,申诉撤销 54.80 元,可疑确认 11.11 元,复审扣款 181.43 元" in text
    for name in ("结算岗: 孙结算", "复审岗: 钱复审", "负责人核准: 周局长、吴局长", "日期: 2026-05-27"):
        assert name in text
    assert "已于 2026-06-02 到账" in text
    assert "不予支付的主要原因:B03 重复收费 4 条 60.72 元" in text


def test_statement_of_a_held_batch_says_it_is_not_paid(written):
    facts, folder, _ = written

    text = text_of(statement(folder, states_of(facts)["HOLD"]))

    assert "因暂停结算尚未拨付" in text
    assert "应拨合计(大写,暂停未拨)" in text
    assert "到账" not in text


def test_statement_of_a_month_below_zero_says_what_is_carried(tmp_path):
    facts = month_after_payment(states=("CARRIED",), funds=("310100",))
    code = facts.payment["fixmedins_code"].item()
    # Vector N-2 of the reference: a pharmacy's month after a large clawback.
    row = paid_row(code, claimed="8200.00", det="1150.50", deposit="352.48", clawback="9000.00")

    write_month(dataclasses.replace(facts, payment=payment(row)), tmp_path)

    text = text_of(statement(tmp_path, code))
    assert "本期无应拨款。另有 2,302.98 元结转下期" in text
    assert "零元整" in text


def test_only_settled_batches_get_a_statement(early):
    facts, folder = early

    with_statement = {path.parent.name for path in folder.glob("institutions/*/02_*.xlsx")}

    assert with_statement == {*facts.payment["fixmedins_code"]}


# the month


def test_a_month_before_settlement_has_no_voucher_and_no_ledgers(tmp_path):
    facts = month_after_payment()
    write_month(facts, tmp_path)
    foreign = tmp_path / "institutions" / PAID / "04_初审反馈单.xlsx"
    foreign.write_bytes(b"x")
    nothing = {
        name: getattr(facts, name).clear() for name in ("payment", "clearing", "clearing_fund", "orders")
    }
    waiting = facts.procedure.with_columns(state=pl.lit("FEEDBACK"))

    write_month(dataclasses.replace(facts, procedure=waiting, **nothing), tmp_path)

    names = {path.name for path in tmp_path.rglob("*.xlsx")}
    assert not {name for name in names if name[:2] in ("02", "08", "09", "10", "11")}
    assert foreign.exists()


def test_same_facts_give_the_same_bytes_whatever_the_order(written, tmp_path):
    facts, _, first = written
    mixed = {
        name: getattr(facts, name).sample(fraction=1, shuffle=True, seed=3)
        for name in ("procedure", "books", "orders", "payment", "details", "finding_funds")
    }

    second = write_month(dataclasses.replace(facts, **mixed), tmp_path)

    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one


def test_no_text_becomes_a_formula(written):
    for path in written[2]:
        if path.suffix == ".xlsx" and path.parent == written[1]:
            for sheet in openpyxl.load_workbook(path).worksheets:
                assert not [c for row in sheet.iter_rows() for c in row if c.data_type == "f"]


def test_english_month_has_english_labels(tmp_path):
    chinese = {zh for zh, en in LABELS.values() if zh != en and len(zh) > 1}

    paths = write_month(month_after_payment(lang="en"), tmp_path)

    for path in paths:
        if path.name[:2] in ("01", "02", "08", "09", "10", "11"):
            book = openpyxl.load_workbook(path)
            cells = {v for sheet in book for row in sheet.iter_rows(values_only=True) for v in row}
            assert not cells & chinese, path
            assert not [name for name in book.sheetnames if not name.isascii()]
