"""A payment is traced down to its rows and a row up to the bank; sums hold, persons are masked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from jobs import books, cli, explain, trace, trace_page
from jobs.trace_sections import Section
from settlement import store
from settlement.disbursement.orders import business_no
from settlement.store import kept
from tests import closed_month
from tests.closed_month import MONTH, REGION, YM

PERSONAL = re.compile(r"(?<!\d)\d{6}(19|20)\d{9}[0-9Xx](?!\d)")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("closed") / "home"
    closed_month.make(home)
    return home


@pytest.fixture(scope="module")
def month(folder: Path) -> books.Month:
    return books.open_month(closed_month.office(folder))


@pytest.fixture(scope="module")
def lines(month: books.Month) -> pl.DataFrame:
    with month.home.engine.connect() as db:
        return store.payments.statement_lines(db, REGION, YM)


@pytest.fixture
def told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Run `explain` and give back the exit code and what it printed."""

    def run(*words: str) -> tuple[int, str]:
        head = ["--home", str(folder), "--region", REGION, "--month", "2026-04", "--today", "2026-06-30"]
        options = [w for w in words if w in ("--json", "--lang", "en")]
        rest = [w for w in words if w not in options]
        monkeypatch.setattr("sys.argv", ["settle", *head, *options, "explain", *rest])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        return int(stopped.value.code or 0), capsys.readouterr().out

    return run


def persons(month: books.Month) -> set[str]:
    """Numbers and names of everyone in the month."""
    run = store.newest(month.home, REGION, MONTH, "settlements")
    rows = store.read_kept(month.home, run, "settlements")
    return {*rows["psn_no"], *rows["psn_name"], *rows["certno"].drop_nulls()}


# --- down -------------------------------------------------------------------------------------


def test_every_line_of_every_statement_is_the_sum_of_what_is_shown_under_it(
    month: books.Month, lines: pl.DataFrame
) -> None:
    every = [
        trace.of_payment(month, code, fund)
        for code, fund in lines.select("fixmedins_code", "fund_pay_type").iter_rows()
    ]

    assert len(every) == lines.height > 20
    assert [
        (f["fixmedins_code"], f["fund_pay_type"]) for f in every if not all(c["ok"] for c in f["checks"])
    ] == []
    assert {c["check"] for f in every for c in f["checks"]} == {
        "settlements", "cleared_claimed", "cleared_deducted", "findings", "identity", "order",
    }  # fmt: skip
    for facts, row in zip(every, lines.iter_rows(named=True), strict=True):
        assert sum((s["fund_amt"] for s in facts["settlements"]), Decimal(0)) == row["fund_appy_sum"]
        assert sum((f["final_det_sumamt"] for f in facts["findings"]), Decimal(0)) == row["det_sumamt"]


def test_a_sum_that_does_not_hold_is_shown(month: books.Month, lines: pl.DataFrame) -> None:
    code, fund = lines.filter(pl.col("det_sumamt") > 0).select("fixmedins_code", "fund_pay_type").row(0)
    facts = trace.of_payment(month, code, fund)
    short = facts["findings"][1:]
    with_money = [f for f in facts["findings"] if f["final_det_sumamt"] > 0]

    checks = trace._checks(facts["line"], facts["clearing"], with_money[1:], facts["settlements"])

    assert [c["check"] for c in checks if not c["ok"]] == ["findings"]
    assert len(short) == len(facts["findings"]) - 1


def test_every_step_has_person_time_entry_rule_parameter_and_reference_version(
    month: books.Month, lines: pl.DataFrame
) -> None:
    code, fund = lines.sort("det_sumamt").select("fixmedins_code", "fund_pay_type").row(-1)
    facts = trace.of_payment(month, code, fund)
    run = json.loads(
        (month.home.home / store.runs(month.home, REGION, MONTH)[0]["paths"]["run"][0]).read_text(
            encoding="utf-8"
        )
    )
    with month.home.engine.connect() as db:
        head = kept.log_hash(db, facts["steps"][-1]["log"])

    assert [s["state"] for s in facts["steps"]] == [
        "DECLARED", "ACCEPTED", "PRELIM", "FEEDBACK", "REVIEW", "SETTLED", "APPROVED", "PAID", "CLOSED",
    ]  # fmt: skip
    assert head == (facts["steps"][-1]["log"], facts["steps"][-1]["hash"])
    assert all(s["actor"] and s["at"].startswith("2026-05-08T") for s in facts["steps"])
    assert {f["rule_id"]: f["rule_digest"] for f in facts["findings"]} == {
        r["rule_id"]: r["digest"] for r in facts["rules"]
    }
    assert all(
        r["digest"] == run["rules"][r["rule_id"]] and r["unchanged"] and r["basis"] for r in facts["rules"]
    )
    assert {p["name"] for p in facts["parameters"]} == {n for r in facts["rules"] for n in r["parameters"]}
    assert all(p["source"] and p["from"] for p in facts["parameters"])
    assert {r["name"]: r["digest"] for r in facts["references"]} == run["reference"]
    assert all(r["loaded"]["log"] and str(r["loaded_on"]) == "2026-05-08" for r in facts["references"])
    assert [r["stage"] for r in facts["runs"]] == ["audit", "calculate"]
    decided = [f for f in facts["findings"] if f["decision"]]
    assert decided
    assert all(f["reviewer"] == "复审岗" and f["decision_log"][0]["hash"] for f in decided)


def test_a_failed_order_and_the_one_that_followed_stand_under_their_line(month: books.Month) -> None:
    with month.home.engine.connect() as db:
        again = store.payments.orders(db, REGION, YM).filter(pl.col("attempt") == 2).row(0, named=True)

    facts = explain.find(month, again["business_no"])

    orders = facts["line"]["orders"]
    assert facts["asked"] == again["business_no"] == business_no(
        REGION, YM, again["fixmedins_code"], again["fund_pay_type"], 2
    )  # fmt: skip
    assert [(o["attempt"], o["result"], o["fail_reason"]) for o in orders] == [
        (1, "FAILED", "户名不符"),
        (2, "PAID", ""),
    ]
    assert all(o["bankacct"].startswith("****") for o in orders)
    assert all(o["file_digest"] and o["ordered"]["log"] < o["answered"]["log"] for o in orders)


# --- up ---------------------------------------------------------------------------------------


def test_a_fee_line_leads_up_to_the_bank(month: books.Month, lines: pl.DataFrame) -> None:
    run = store.newest(month.home, REGION, MONTH, "payment")
    found = store.read_kept(month.home, run, "findings")
    hit = found.filter((pl.col("final_det_sumamt") > 0) & pl.col("bkkp_sn").is_not_null()).row(0, named=True)

    facts = explain.find(month, f"{hit['setl_id']}/{hit['bkkp_sn']}")

    up = facts["trace"]
    assert facts["kind"] == "line"
    assert [line["bkkp_sn"] for line in facts["lines"]] == [hit["bkkp_sn"]]
    assert hit["finding_id"] in {f["finding_id"] for f in up["findings"]}
    assert {f["bkkp_sn"] for f in up["findings"]} <= {hit["bkkp_sn"], None}
    mine = lines.filter(pl.col("fixmedins_code") == hit["fixmedins_code"])
    for payment in up["payments"]:
        row = mine.filter(pl.col("fund_pay_type") == payment["fund_pay_type"]).row(0, named=True)
        assert payment["act_dfr_amt"] == row["act_dfr_amt"]
        assert not row["act_dfr_amt"] or payment["orders"][-1]["result"] == "PAID"
    assert up["payments"]
    # The settlement itself has the findings of all of its lines.
    whole = explain.find(month, hit["setl_id"])["trace"]["findings"]
    assert {f["finding_id"] for f in whole} == set(
        found.filter(pl.col("setl_id") == hit["setl_id"])["finding_id"]
    )


def test_an_unknown_payment_or_line_is_told(
    told: Callable[..., tuple[int, str]], month: books.Month, lines: pl.DataFrame
) -> None:
    code = lines.group_by("fixmedins_code").len().sort("len", "fixmedins_code")["fixmedins_code"][0]
    held = lines.filter(pl.col("fixmedins_code") == code)["fund_pay_type"]
    assert told(f"{code}/{min(trace.FUND_CODES - set(held))}")[0] == 2
    run = store.newest(month.home, REGION, MONTH, "settlements")
    setl_id = store.read_kept(month.home, run, "settlements")["setl_id"][0]
    assert told(f"{setl_id}/nothing")[0] == 2


# --- what people see --------------------------------------------------------------------------


def idents(month: books.Month, lines: pl.DataFrame) -> dict[str, str]:
    run = store.newest(month.home, REGION, MONTH, "payment")
    hit = (
        store.read_kept(month.home, run, "findings")
        .filter(pl.col("bkkp_sn").is_not_null())
        .row(0, named=True)
    )
    code, fund = lines.sort("det_sumamt").select("fixmedins_code", "fund_pay_type").row(-1)
    return {
        "payment": f"{code}/{fund}",
        "finding": hit["finding_id"],
        "line": f"{hit['setl_id']}/{hit['bkkp_sn']}",
        "settlement": hit["setl_id"],
        "institution": code,
    }


class Page(HTMLParser):
    """Reads a page: its texts, its tags, and whatever it would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [str(value) for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def read(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("kind", ["payment", "finding", "line", "settlement", "institution"])
def test_a_page_shows_the_trace_masked_and_needs_nothing_from_outside(
    told: Callable[..., tuple[int, str]],
    month: books.Month,
    lines: pl.DataFrame,
    tmp_path: Path,
    kind: str,
    lang: str,
) -> None:
    ident, path = idents(month, lines)[kind], tmp_path / "trace.html"

    code, said = told(*(["--lang", "en"] if lang == "en" else []), ident, "--page", str(path))

    page = read(path)
    shown = " ".join(page.texts)
    assert (code, said.strip()) == (0, str(path))
    assert page.fetched == []
    assert not {"script", "img", "link", "iframe"} & set(page.tags)
    assert ("Trace of" in shown) == (lang == "en")
    assert not [p for p in persons(month) if len(p) > 2 and p in shown]
    assert not PERSONAL.search(shown)
    assert page.tags.count("table") >= 3
    if kind == "payment":
        facts = trace.of_payment(month, *ident.split("/"))
        assert str(facts["line"]["act_dfr_amt"]) in shown
        assert all(r["digest"][:16] in shown for r in facts["references"])


def test_json_of_every_kind_is_masked_and_keeps_its_keys(
    told: Callable[..., tuple[int, str]], month: books.Month, lines: pl.DataFrame
) -> None:
    names = {p for p in persons(month) if len(p) > 2}
    for kind, ident in idents(month, lines).items():
        code, out = told("--json", ident)
        facts: dict[str, Any] = json.loads(out)
        assert (code, facts["kind"]) == (0, kind)
        assert not [name for name in names if name in out], kind
    payment = json.loads(told("--json", idents(month, lines)["payment"])[1])
    assert set(payment) == {
        "kind", "region", "month", "fixmedins_code", "fixmedins_name", "fund_pay_type", "line", "checks",
        "steps", "clearing", "findings", "settlements", "rules", "parameters", "references", "runs", "asked",
    }  # fmt: skip


def test_a_payment_in_words_has_its_sums_and_whole_ids(
    told: Callable[..., tuple[int, str]], month: books.Month, lines: pl.DataFrame
) -> None:
    ident = idents(month, lines)["payment"]
    facts = trace.of_payment(month, *ident.split("/"))

    _, out = told(ident)

    for each in facts["findings"][:5]:
        assert each["finding_id"] in out
    assert facts["line"]["orders"][0]["business_no"] in out
    assert "疑点复审扣款合计 = 结算单扣款" in out
    assert "合计" in out


def test_what_is_shown_is_escaped() -> None:
    bad = '<script>alert("x")</script>&'
    section = Section(bad, ((bad, ""),), ((bad,),))

    page = trace_page.page(bad, bad, [section], "zh")

    assert "<script>" not in page
    assert page.count("&lt;script&gt;") == 6
