"""The region of the story: its institutions, what they claim month by month, its reference data.

Everything is small and made up. A claim says only what matters; the fund pays what is in scope less what
the personal account pays, unless `fund` says otherwise.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import polars as pl

from settlement.audit import cases as rule_cases
from tests.submissions import TABLES, Sent

REGION = "qinghai"
H1, H2, H3, H4 = (f"H6300000010{n}" for n in range(1, 5))
P1, P2 = (f"P6300000020{n}" for n in range(1, 3))
INSTITUTIONS = (H1, H2, H3, H4, P1, P2)
FEB, MARCH, APRIL, NEXT_YEAR = "2026-02", "2026-03", "2026-04", "2027-01"
POOLED, ACCOUNT = "310100", "310200"
# What rules look at: an item with a price limit of 10.00, one for women, a drug for children, the rest.
DEAR, WOMEN, CHILD, PLAIN = "DEAR", "WOMEN", "CHILD", "PLAIN"
PRICE_LIMIT = "10.00"
MAN, ADULT = "1", dt.date(1980, 1, 1)
YOUTH = dt.date(2009, 1, 15)  # 17 in the spring of 2026: too old for a child's drug, not yet grown up


@dataclass(frozen=True)
class Line:
    """One charge: price x count, all of it in scope."""

    price: str
    count: int = 1
    item: str = PLAIN

    @property
    def amount(self) -> Decimal:
        return Decimal(self.price) * self.count


@dataclass(frozen=True)
class Claim:
    """One settlement of a person of its own.

    Attributes:
        lines: what was charged.
        account: paid from the personal account, 元.
        fund: paid by the pooled fund where it is not all the rest, 元.
        born: date of birth.
        person: who, where it matters.
        takes_back: the settlement of an earlier month that this one reverses.
    """

    lines: tuple[Line, ...]
    account: str = "0.00"
    fund: str = ""
    born: dt.date = ADULT
    person: str = ""
    takes_back: str = ""


def plain(price: str, account: str = "0.00", **more: str) -> Claim:
    """A claim in which nobody finds anything."""
    return Claim((Line(price),), account, **more)


def of(item: str, price: str, count: int = 1, born: dt.date = ADULT, account: str = "0.00") -> Claim:
    """A claim with one line a rule looks at."""
    return Claim((Line(price, count, item),), account, born=born)


CLAIMS: Mapping[str, Mapping[str, Mapping[str, Claim]]] = {
    FEB: {
        H1: {
            "S1": of(DEAR, "12.00", 5),
            "S2": Claim((Line("80.00", 1, WOMEN), Line("200.00"))),
            "S3": of(WOMEN, "66.66"),
            "S4": of(CHILD, "120.00", born=YOUTH),
            "S5": of(CHILD, "90.09", born=YOUTH),
            "S6": plain("10000.00"),
        },
        H2: {
            "S1": plain("150.00", person="TWICE"),
            "S2": plain("150.00", person="TWICE"),
            # The person pays 30.00, so the fund's 120.03 is spread over the lines.
            "S3": Claim((Line("100.01"), Line("25.01", 2, "DEAR_20")), fund="120.03"),
            "S4": plain("5000.00"),
        },
        H3: {"S1": plain("8000.00"), "S2": plain("1000.00")},
        H4: {"S1": plain("900000.00"), "S2": plain("300000.00")},
        P1: {
            "S1": plain("300.00", "120.00"),
            "S2": of(CHILD, "75.50", account="25.50"),
            "S3": plain("200.00", "200.00"),
        },
        P2: {"S1": plain("400.00", "150.00")},
    },
    MARCH: {
        H1: {"S1": of(DEAR, "11.50", 10), "S2": plain("7000.00")},
        H2: {"S1": of(WOMEN, "50.00"), "S2": plain("4000.00")},
        H3: {"S1": plain("-8000.00", takes_back="S1"), "S2": plain("2000.10")},
        H4: {"S1": plain("100000.00")},
        P1: {"S1": plain("100.00", "40.00")},
        P2: {"S1": of(CHILD, "88.88", born=YOUTH), "S2": plain("500.00", "100.00")},
    },
    APRIL: {
        H1: {"S1": Claim((Line("3000.00"), Line("99.99", 1, WOMEN)))},
        H2: {"S1": plain("2500.00"), "S2": of(DEAR, "10.01")},
        H3: {"S1": plain("9000.00")},
        H4: {"S1": plain("50000.00")},
        P1: {"S1": plain("60.60", "60.60")},
        P2: {"S1": plain("321.00", "21.00")},
    },
    NEXT_YEAR: {H1: {"S1": plain("1000.00")}, H4: {"S1": plain("10.00")}},
}
SCORES = {H1: "87", H2: "65", H3: "75", H4: "96", P1: "90", P2: "80"}


def setl_id(code: str, month: str, name: str) -> str:
    """The id of a claim, as the platform would give it."""
    return f"{code[-3:]}-{month.replace('-', '')}-{name}"


# ---- submissions ----


def submission(code: str, month: str, turn: str = "") -> Sent:
    """What an institution sends for a month."""
    given, charged = [], []
    for number, (name, claim) in enumerate(CLAIMS[month][code].items()):
        given.append(_settlement(code, month, name, number, claim))
        charged += list(_lines(code, month, name, claim))
    kind = "41" if code.startswith("P") else "11"
    setl_d, fee_list_d = rule_cases.submission(given, charged, kind)
    sent = Sent(code, month.replace("-", ""), turn)
    for tab, frame in (("setl_d", setl_d), ("fee_list_d", fee_list_d)):
        kept = [c.name for c in TABLES[tab].columns if c.present or frame[c.name].count()]
        text = frame.select(kept).write_csv(datetime_format="%Y-%m-%d %H:%M:%S")
        sent.rows[tab] = list(csv.DictReader(io.StringIO(text)))
    return sent.totals()


def _settlement(code: str, month: str, name: str, number: int, claim: Claim) -> rule_cases.Row:
    row: rule_cases.Row = {
        "setl_id": setl_id(code, month, name),
        "fixmedins_code": code,
        "psn_no": claim.person or f"N{setl_id(code, month, name)}",
        "gend": MAN,
        "brdy": claim.born,
        # Two settlements of one person on one day are a second apart.
        "setl_time": dt.datetime.fromisoformat(f"{month}-05 10:00:{number:02d}"),
        "acct_pay": claim.account,
    }
    if claim.fund:
        row["fund_pay_sumamt"] = claim.fund
    if claim.takes_back:
        row |= {"refd_setl_flag": "1", "init_setl_id": setl_id(code, FEB, claim.takes_back)}
    return row


def _lines(code: str, month: str, name: str, claim: Claim) -> Iterator[rule_cases.Row]:
    for number, line in enumerate(claim.lines, start=1):
        back = line.amount < 0
        row: rule_cases.Row = {
            "setl_id": setl_id(code, month, name),
            "bkkp_sn": str(number),
            "hilist_code": line.item,
            "cnt": -line.count if back else line.count,
            "pric": line.price.removeprefix("-"),
            "list_type": "101" if code.startswith("P") else "201",  # pharmacies sell drugs
        }
        yield row | ({"init_feedetl_sn": str(number)} if back else {})


def send(folder: Path) -> Path:
    """Write every submission of the story: `<folder>/<month>`, and beside them the one sent again."""
    for month, institutions in CLAIMS.items():
        (folder / month).mkdir(parents=True)
        for code in institutions:
            submission(code, month, "_2" if (month, code) == (FEB, H2) else "").zip(folder / month)
    # The first attempt of one institution does not add up; its second one comes two days later.
    wrong = submission(H2, FEB)
    (folder / FEB / f"{wrong.name}_2.zip").rename(folder / f"{wrong.name}_2.zip")
    wrong.change("clr_sum", 0, medfee_sumamt="1.00").zip(folder / FEB)
    return folder


# ---- reference data ----


def _institution(code: str, account: str, **dated: dt.date) -> rule_cases.Row:
    return {
        "fixmedins_code": code,
        "fixmedins_name": f"{'药店' if code.startswith('P') else '医院'}{code[-3:]}",
        "fixmedins_type": "2" if code.startswith("P") else "1",
        "acctname": f"户名{code[-3:]}",
        "bankacct": account,
        "bank_name": "示例银行",
        "bankcode": "990630000000",
        **dated,
    }


def account_of(code: str) -> str:
    """The account an institution is paid to at first; the two pharmacies share theirs."""
    return f"99006300000000{P1[-3:] if code == P2 else code[-3:]}"


def new_account_of(code: str) -> str:
    """The account of one that has changed it."""
    return f"99006399999999{code[-3:]}"


CHANGED_ON = dt.date(2026, 4, 1)


def reference(folder: Path) -> Path:
    """Write what is loaded: `first` at the beginning, `accounts` when two change theirs, `scores` later."""
    first = [_institution(code, account_of(code)) for code in INSTITUTIONS]
    until = {"enddate": CHANGED_ON - dt.timedelta(days=1)}
    later = [
        row
        for code in INSTITUTIONS
        for row in (
            (
                _institution(code, account_of(code), **until),
                _institution(code, new_account_of(code), begndate=CHANGED_ON),
            )
            if code in (H1, P2)
            else (_institution(code, account_of(code)),)
        )
    ]
    fund_accounts = [
        {"fund_pay_type": fund, "payer_acct": f"9900630000{fund}", "payer_name": "医保基金支出户"}
        for fund in (POOLED, ACCOUNT)
    ]
    limits = [
        {"hilist_code": item, "hilist_lmtpric_type": "3", "hilist_pric_uplmt_amt": amount}
        for item, amount in ((DEAR, PRICE_LIMIT), ("DEAR_20", "20.00"))
    ]
    _write(
        folder / "first",
        institution=first,
        agreement=[{"fixmedins_code": code} for code in INSTITUTIONS],
        price_limit=limits,
        kb_sex=[{"hilist_code": WOMEN, "part": "item", "gend": "2"}],
        kb_age=[{"hilist_code": CHILD, "part": "drug", "age_group": "儿童"}],
        fund_account=fund_accounts,
    )
    _write(folder / "accounts", institution=later)
    scores = [{"fixmedins_code": code, "year": 2026, "score": score} for code, score in SCORES.items()]
    _write(folder / "scores", assessment=scores)
    (folder / "cn_2027.csv").write_text(calendar_2027(), encoding="utf-8")
    return folder


def _write(folder: Path, **tables: list[rule_cases.Row]) -> None:
    folder.mkdir(parents=True)
    for name, rows in tables.items():
        _frame(name, rows).write_csv(folder / f"{name}.csv")


def _frame(name: str, rows: list[rule_cases.Row]) -> pl.DataFrame:
    if name == "assessment":
        return pl.DataFrame(rows)
    return rule_cases.reference(name, rows)


# Made up, in the shape of a State Council notice.
DAYS_OFF_2027 = {
    "元旦": ("01-01",),
    "春节": ("02-08", "02-09", "02-10", "02-11", "02-12"),
    "清明节": ("04-05",),
    "劳动节": ("05-03", "05-04"),
    "端午节": ("06-09",),
    "中秋节": ("09-15",),
    "国庆节": ("10-01", "10-04", "10-05", "10-06", "10-07"),
}
MADE_UP_2027 = {"春节": ("02-20",), "国庆节": ("09-26", "10-09")}


def calendar_2027() -> str:
    """The working days of the year after the story's months, as a file to load."""
    rows = ["date,is_workday,name,notice"]
    for flag, days in (("0", DAYS_OFF_2027), ("1", MADE_UP_2027)):
        rows += [f"2027-{day},{flag},{name},测试用日历" for name, each in days.items() for day in each]
    return "\n".join([rows[0], *sorted(rows[1:])]) + "\n"
