"""Payment orders, the bank's files, and what the bank answers: nothing is lost, nothing is paid twice."""

import csv
import datetime as dt
import hashlib
import io
import re
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.banking import BankOrder
from schemas.funds import FUNDS
from schemas.layout import table
from schemas.reference import FundAccount, Institution
from settlement import reference
from settlement.disbursement import accounts, bank_file, orders
from settlement.errors import InvariantBroken
from settlement.labels import LABELS

REGION, CLR_YM = "langfang", "202604"
MONEY = pl.Decimal(16, 2)
LINE = {"fixmedins_code": pl.String, "fund_pay_type": pl.String, "act_dfr_amt": MONEY}
ATTEMPT = {"fixmedins_code": pl.String, "fund_pay_type": pl.String, "attempt": pl.Int64}
ORDERED = {**ATTEMPT, "business_no": pl.String, "amount": MONEY}
RESULT = {"business_no": pl.String, "result": pl.String}
LAST = {"fixmedins_code": pl.String, "bankacct": pl.String}
SAMPLE = Path(__file__).parent.parent / "sample_data" / "langfang" / "reference"
OPEN = dt.date(2024, 1, 1)
H1, H2, P1 = "H13100000001", "H13100000002", "P13100000006"


def yuan(text: str) -> Decimal:
    return Decimal(text)


def lines(*rows: tuple[str, str, str]) -> pl.DataFrame:
    return pl.DataFrame([(c, f, yuan(a)) for c, f, a in rows], schema=LINE, orient="row")


def institution(code: str, **cells: str | None) -> dict:
    usual = {
        "fixmedins_code": code, "fixmedins_name": f"{code}医院", "fixmedins_type": "1", "hosp_lv": None,
        "lmtpric_hosp_lv": None, "uscc": None, "acctname": f"{code}医院", "bankacct": f"0099{code[1:]}",
        "bank_name": "示例银行", "bankcode": "001131000001", "begndate": OPEN, "enddate": None,
    }  # fmt: skip
    return usual | cells


def institutions(*rows: dict) -> pl.DataFrame:
    return pl.DataFrame(rows or [institution(c) for c in (H1, H2, P1)], schema=table(Institution).schema)


def fund_accounts(**by_fund: str) -> pl.DataFrame:
    rows = [
        {"fund_pay_type": fund[1:], "payer_acct": acct, "payer_name": f"医保{acct}户", "payer_bank": None,
         "begndate": OPEN, "enddate": None}
        for fund, acct in by_fund.items()
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=table(FundAccount).schema)


ACCOUNTS = fund_accounts(f310100="00811", f390100="00812", f310200="00811")
NO_ATTEMPTS = pl.DataFrame(schema=ATTEMPT)
DUE = lines(
    (H1, "310100", "797716.06"), (H1, "390100", "20000.00"), (H2, "310100", "0.00"), (P1, "310200", "0.01"),
    (P1, "310100", "6697.02"),
)  # fmt: skip


def payables(
    due: pl.DataFrame = DUE,
    known: pl.DataFrame | None = None,
    payers: pl.DataFrame | None = ACCOUNTS,
    attempts: pl.DataFrame = NO_ATTEMPTS,
) -> pl.DataFrame:
    known = institutions() if known is None else known
    return orders.payables(due, known, payers, attempts, REGION, CLR_YM)


# business numbers


def test_a_business_number_says_month_fund_and_attempt() -> None:
    made = orders.business_no(REGION, CLR_YM, H1, "310100", 1)

    assert (
        made
        == "YB20260431010001"
        + hashlib.sha256(b"langfang|202604|H13100000001|310100|1").hexdigest()[:16].upper()
    )
    assert re.fullmatch("[0-9A-Z]{32}", made)


def test_whatever_differs_gives_another_number() -> None:
    asked = [
        (REGION, CLR_YM, H1, "310100", 1),
        ("daye", CLR_YM, H1, "310100", 1),
        (REGION, "202605", H1, "310100", 1),
        (REGION, CLR_YM, H2, "310100", 1),
        (REGION, CLR_YM, H1, "390100", 1),
        (REGION, CLR_YM, H1, "310100", 2),
    ]

    assert len({orders.business_no(*one) for one in asked}) == len(asked)


CODES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(CODES, st.sampled_from([f.code for f in FUNDS]), st.integers(1, 99)),
        min_size=1, max_size=20, unique=True,
    )
)  # fmt: skip
def test_the_number_of_a_row_and_of_a_frame_agree(rows: list[tuple[str, str, int]]) -> None:
    made = orders.numbered(pl.DataFrame(rows, schema=ATTEMPT, orient="row"), REGION, CLR_YM)

    assert made["business_no"].to_list() == [orders.business_no(REGION, CLR_YM, *row) for row in rows]


@pytest.mark.parametrize(
    ("month", "fund", "attempt"),
    [("202604", "310100", 0), ("202604", "310100", 100), ("202613", "310100", 1), ("202604", "基金", 1)],
)
def test_what_cannot_be_numbered_is_refused(month: str, fund: str, attempt: int) -> None:
    rows = pl.DataFrame([(H1, fund, attempt)], schema=ATTEMPT, orient="row")

    with pytest.raises(InvariantBroken, match="业务号"):
        orders.business_no(REGION, month, H1, fund, attempt)
    with pytest.raises(InvariantBroken, match="业务号"):
        orders.numbered(rows, REGION, month)


# orders


def test_only_what_is_above_zero_is_paid_and_counted_by_paying_account() -> None:
    made = payables()

    assert made.select("no", "payer_acct", "fixmedins_code", "fund_pay_type", "amount", "purpose").rows() == [
        (1, "00811", H1, "310100", yuan("797716.06"), "医保202604职工统筹"),
        (2, "00811", P1, "310100", yuan("6697.02"), "医保202604职工统筹"),
        (3, "00811", P1, "310200", yuan("0.01"), "医保202604个人账户"),
        (1, "00812", H1, "390100", yuan("20000.00"), "医保202604居民统筹"),
    ]
    assert set(made["public_flag"]) == {"1"}
    assert made["business_no"][0] == orders.business_no(REGION, CLR_YM, H1, "310100", 1)
    BankOrder.validate(made.select(orders.FIELDS))


def test_the_order_of_the_lines_does_not_matter() -> None:
    assert payables(DUE.reverse()).equals(payables())


def test_every_fund_has_a_purpose_of_at_most_twenty_characters() -> None:
    made = payables(lines(*((H1, fund.code, "1.00") for fund in FUNDS)), payers=None)

    assert made["purpose"].str.len_chars().max() <= 20
    assert made["purpose"].n_unique() == len(FUNDS)
    assert {f"fund_short.{fund.code}" for fund in FUNDS} <= LABELS.keys()


@pytest.mark.parametrize(
    ("what", "kwargs"),
    [
        ("月结算行", {"due": lines((H1, "310100", "1.00"), (H1, "310100", "2.00"))}),
        ("机构名录", {"known": institutions(institution(H1), institution(H1, bankacct="1"))}),
        ("付款账户", {"payers": pl.concat([ACCOUNTS, ACCOUNTS])}),
    ],
)
def test_what_stands_twice_is_not_paid_twice(what: str, kwargs: dict) -> None:
    with pytest.raises(InvariantBroken, match=what):
        payables(**kwargs)


def test_rows_in_force_include_both_ends() -> None:
    rows = institutions(
        institution(H1, enddate=dt.date(2026, 4, 15)), institution(H2, begndate=dt.date(2026, 4, 15)),
        institution(P1, begndate=dt.date(2026, 4, 16)),
    )  # fmt: skip

    assert orders.in_force(rows, dt.date(2026, 4, 15))["fixmedins_code"].to_list() == [H1, H2]


def test_the_sample_pays_every_listed_institution_from_the_funds_accounts() -> None:
    known = reference.read_folder(SAMPLE)
    today = dt.date(2026, 5, 20)
    now, payers = orders.in_force(known["institution"], today), orders.in_force(known["fund_account"], today)
    due = lines(*((code, fund.code, "10.00") for code in now["fixmedins_code"] for fund in FUNDS))

    made = payables(due, now, payers)
    files = bank_file.files(made)

    assert made.filter(~orders.ready()).is_empty()
    assert (len(files), sum(f.total for f in files)) == (len(FUNDS), due["act_dfr_amt"].sum())
    assert {f.warning for f in files} == {""}
    assert known["contact"]["fixmedins_code"].sort().equals(now["fixmedins_code"].unique().sort())
    assert known["assessment"].group_by("fixmedins_code").len()["len"].unique().to_list() == [2]


def test_only_a_failed_order_is_written_again_under_the_next_number() -> None:
    due = lines((H1, "310100", "1.00"), (H2, "310100", "2.00"), (P1, "310100", "3.00"))
    written = payables(due)
    numbers = dict(written.select("fixmedins_code", "business_no").rows())
    said = pl.DataFrame([(numbers[H1], "FAILED"), (numbers[H2], "PAID")], schema=RESULT, orient="row")

    free = orders.outstanding(due, written, said)

    assert free.select("fixmedins_code", "attempt").rows() == [(H1, 2)]
    again = payables(free, attempts=free)
    assert again["business_no"].to_list() == [orders.business_no(REGION, CLR_YM, H1, "310100", 2)]
    assert orders.outstanding(due, pl.concat([written, again]), said).is_empty()


# accounts to look at


def warned(rows: pl.DataFrame, *last: tuple[str, str | None], lang: str = "zh") -> list[tuple[str, str, str]]:
    return accounts.account_warnings(rows, pl.DataFrame(last, schema=LAST, orient="row"), lang).rows()


def test_sound_accounts_are_not_warned_of() -> None:
    assert warned(institutions(), (H1, f"0099{H1[1:]}"), (P1, None)) == []


def test_an_account_of_two_institutions_is_shared_however_it_is_written() -> None:
    rows = institutions(
        institution(H1, bankacct="6222 0000-1234"), institution(H2, bankacct="622200001234"), institution(P1)
    )
    got = warned(rows)

    assert [(code, kind) for code, kind, _ in got] == [(H1, "SHARED"), (H2, "SHARED")]
    assert all("****1234" in words and f"{H1}、{H2}" in words for _, _, words in got)


def test_an_account_unlike_that_of_the_last_payment_is_changed() -> None:
    got = warned(institutions(institution(H1, bankacct="622200005678")), (H1, "622200001234"), (H2, "1"))

    assert [row[:2] for row in got] == [(H1, "CHANGED")]
    assert "****5678" in got[0][2]
    assert "****1234" in got[0][2]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"bankacct": None}, "缺收款账号"),
        ({"bankacct": " "}, "缺收款账号"),
        ({"acctname": None}, "缺收款户名"),
        ({"bank_name": None}, "缺开户行"),
        ({"bankcode": None}, "缺联行号"),
        ({"bankcode": "12345678901"}, "联行号“12345678901”不是 12 位数字"),
        ({"bankcode": "1234567890123"}, "不是 12 位数字"),
        ({"bankcode": "12345678901X"}, "不是 12 位数字"),
        ({"bankcode": None, "acctname": None}, "缺收款户名、缺联行号"),
    ],
)
def test_an_incomplete_account_is_missing_and_not_paid(cells: dict, said: str) -> None:
    rows = institutions(institution(H1, **cells), institution(H2), institution(P1))
    got = warned(rows)

    assert [row[:2] for row in got] == [(H1, "MISSING")]
    assert said in got[0][2]
    made = payables(known=rows)
    assert made.filter(~orders.ready())["fixmedins_code"].unique().to_list() == [H1]
    with pytest.raises(InvariantBroken, match=H1):
        bank_file.files(made)


def test_no_warning_shows_an_account_in_full() -> None:
    rows = institutions(institution(H1, bankacct="622200001234"), institution(H2, bankacct="622200001234"))

    for lang in ("zh", "en"):
        for _, _, words in warned(rows, (H1, "622200009999"), (H2, "6222"), lang=lang):
            assert not re.search(r"\d{5}(?<!\d{11})", words.replace(H1, "").replace(H2, ""))


# files for the bank


def read(data: bytes, encoding: str = "utf-8-sig") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(encoding), newline="")))


def test_a_file_has_the_columns_of_the_form_and_keeps_leading_zeros() -> None:
    first = bank_file.files(payables())[0]
    rows = read(first.data)

    head = "序号,付款账号,付款户名,收款账号,收款户名,收款行名,联行号,对公标志,金额,用途,业务号"
    assert list(rows[0]) == head.split(",")
    assert rows[0] | {"业务号": ""} == {
        "序号": "1", "付款账号": "00811", "付款户名": "医保00811户", "收款账号": f"0099{H1[1:]}",
        "收款户名": f"{H1}医院", "收款行名": "示例银行", "联行号": "001131000001", "对公标志": "1",
        "金额": "797716.06", "用途": "医保202604职工统筹", "业务号": "",
    }  # fmt: skip
    assert first.data.count(b"\r\n") == first.data.count(b"\n") == 4
    assert first.data.startswith(b"\xef\xbb\xbf")


def test_one_file_per_paying_account_with_its_own_control() -> None:
    made = bank_file.files(payables())

    assert [(f.name, f.payer_acct, f.count, f.total) for f in made] == [
        ("07_银行批量拨付_00811.csv", "00811", 3, yuan("804413.09")),
        ("07_银行批量拨付_00812.csv", "00812", 1, yuan("20000.00")),
    ]
    sheet = read(bank_file.control(made))
    assert [(r["文件"], r["笔数"], r["合计"]) for r in sheet] == [
        ("07_银行批量拨付_00811.csv", "3", "804413.09"),
        ("07_银行批量拨付_00812.csv", "1", "20000.00"),
        ("", "4", "824413.09"),
    ]
    assert [r["文件校验(SHA-256)"] for r in sheet[:2]] == [hashlib.sha256(f.data).hexdigest() for f in made]
    assert sheet[2]["序号"] == "合计"


@pytest.mark.parametrize("payers", [None, fund_accounts(f390100="00812")])
def test_without_a_paying_account_each_fund_has_a_file_and_a_warning(payers: pl.DataFrame | None) -> None:
    made = {f.name: f for f in bank_file.files(payables(payers=payers))}
    named = "00812" if payers is not None else "基金390100"

    assert sorted(made) == [f"07_银行批量拨付_{n}.csv" for n in sorted((named, "基金310100", "基金310200"))]
    pooled = made["07_银行批量拨付_基金310100.csv"]
    assert (pooled.payer_acct, pooled.count) == ("", 2)
    assert "310100" in pooled.warning
    assert {row["付款账号"] for row in read(pooled.data)} == {""}
    assert bool(made[f"07_银行批量拨付_{named}.csv"].warning) is (payers is None)


def test_an_account_number_never_becomes_a_path() -> None:
    made = bank_file.files(payables(payers=fund_accounts(f310100="../../etc/1", f390100="2", f310200="3")))

    assert made[0].name == "07_银行批量拨付_etc1.csv"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_rare_characters_survive_in_either_encoding(encoding: bank_file.Encoding) -> None:
    names = '𠮷氏䶮医院,“分院”"\n二部'
    made = bank_file.files(
        payables(known=institutions(institution(H1, acctname=names), institution(P1))), encoding
    )

    assert read(made[0].data, encoding)[0]["收款户名"] == names
    if encoding == "gb18030":
        assert len("𠮷".encode(encoding)) == 4


@pytest.mark.parametrize("sign", list("=+-@\t\r"))
def test_a_name_never_opens_as_a_formula(sign: str) -> None:
    known = institutions(
        institution(H1, acctname=f"{sign}HYPERLINK(1)", bank_name=f"{sign}x"), institution(P1)
    )
    row = read(bank_file.files(payables(known=known))[0].data)[0]

    assert (row["收款户名"], row["收款行名"]) == (f"'{sign}HYPERLINK(1)", f"'{sign}x")


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(NAMES.filter(str.strip), st.integers(1, 10**15 - 1)), min_size=1, max_size=8),
    st.sampled_from(["utf-8-sig", "gb18030"]),
)
def test_what_is_written_is_what_is_read_back(
    rows: list[tuple[str, int]], encoding: bank_file.Encoding
) -> None:
    codes = [f"H{n:011d}" for n in range(len(rows))]
    due = lines(
        *((c, "310100", f"{fen // 100}.{fen % 100:02d}") for c, (_, fen) in zip(codes, rows, strict=True))
    )
    known = institutions(*(institution(c, acctname=n) for c, (n, _) in zip(codes, rows, strict=True)))
    (made,) = bank_file.files(payables(due, known), encoding)

    assert bank_file.read_back(made.data) == (made.count, made.total) == (len(rows), due["act_dfr_amt"].sum())
    assert [row["金额"] for row in read(made.data, encoding)] == [str(a) for a in due["act_dfr_amt"]]
    assert bank_file.files(payables(due.reverse(), known), encoding) == [made]


@pytest.mark.parametrize("damage", ["20000.001", "-20000.00", ""])
def test_a_damaged_amount_is_noticed_when_read_back(damage: str) -> None:
    data = bank_file.files(payables())[1].data.replace(b"20000.00", damage.encode())

    with pytest.raises(InvariantBroken, match="金额"):
        bank_file.read_back(data)


def test_no_orders_make_no_file() -> None:
    assert bank_file.files(payables(lines((H1, "310100", "0.00")))) == []
    assert [r["合计"] for r in read(bank_file.control([]))] == ["0.00"]


def test_one_number_twice_makes_no_file() -> None:
    made = payables()

    with pytest.raises(InvariantBroken, match="业务号"):
        bank_file.files(pl.concat([made, made.head(1)]))


def test_two_accounts_that_would_share_a_file_name_make_no_file() -> None:
    with pytest.raises(InvariantBroken, match="payer_acct"):
        bank_file.files(payables(payers=fund_accounts(f310100="00-811", f390100="00811", f310200="1")))
