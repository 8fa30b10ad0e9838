"""Three months of one region through the commands: what was paid, when, to whom, by whom, and why.

Amounts are worked out here from the claims and the decisions alone, in plain decimals.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections import defaultdict
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pytest
import sqlalchemy as sa

from settlement import procedure, store
from settlement.store.schema import BATCH, BATCH_DUTY, LOG, PAY_ORDER, PAY_RESULT, TRANSITION
from tests.story import running, world
from tests.story.papers import finding_id, named
from tests.story.telling import Telling
from tests.story.world import (
    ACCOUNT,
    APRIL,
    CLAIMS,
    FEB,
    H1,
    H2,
    H3,
    H4,
    INSTITUTIONS,
    MARCH,
    NEXT_YEAR,
    P1,
    P2,
    POOLED,
    REGION,
)

MONTHS = (FEB, MARCH, APRIL, NEXT_YEAR)
NOTHING = Decimal("0.00")
ONE_FEN = Decimal("0.01")


def yuan(text: str) -> Decimal:
    return Decimal(text).quantize(ONE_FEN)


def rounded(amount: Decimal) -> Decimal:
    return amount.quantize(ONE_FEN, ROUND_HALF_UP)


# ---- what the story should come to ----


class Found(NamedTuple):
    """A finding: what it can cost, what was answered and decided, what it cost by fund."""

    grade: str
    limit: str
    answer: str
    decision: str
    cost: dict[str, str]


def upheld(limit: str, answer: str, grade: str = "违规", **funds: str) -> Found:
    return Found(grade, limit, answer, "维持", funds or {POOLED: limit})


def partly(limit: str, answer: str, cost: str, grade: str = "违规") -> Found:
    return Found(grade, limit, answer, "部分维持", {POOLED: cost})


def withdrawn(limit: str, answer: str, grade: str = "违规") -> Found:
    return Found(grade, limit, answer, "撤销", {})


FOUND: dict[str, dict[str, Found]] = {
    FEB: {
        # 12.00 for what may cost 10.00, five times
        "[H1 S1/1 B01]": withdrawn("10.00", "不认可"),
        "[H1 S2/1 C02]": partly("80.00", "部分认可", "45.50"),
        "[H1 S3/1 C02]": upheld("66.66", "不认可"),
        "[H1 S4/1 C03]": withdrawn("120.00", "不认可", "可疑"),
        "[H1 S5/1 C03]": upheld("90.09", "认可", "可疑"),
        "[H2 S2 A01]": upheld("150.00", "逾期未反馈"),
        # The fund's 120.03 over lines of 100.01 and 50.02: 80.01 and 40.02; of the latter 10.02 in 50.02.
        "[H2 S3/2 B01]": upheld(
            str(rounded(Decimal("40.02") * Decimal("10.02") / Decimal("50.02"))), "逾期未反馈"
        ),
        "[P1 S2/1 C03]": upheld("75.50", "认可", **{POOLED: "50.00", ACCOUNT: "25.50"}),
    },
    MARCH: {
        "[H1 S1/1 B01]": upheld("15.00", "认可"),
        "[H2 S1/1 C02]": upheld("50.00", "认可"),
        "[P2 S1/1 C03]": partly("88.88", "不认可", "44.44", "可疑"),
    },
    APRIL: {
        "[H1 S1/2 C02]": withdrawn("99.99", "不认可"),
        "[H2 S2/1 B01]": upheld("0.01", "认可"),
    },
    NEXT_YEAR: {},
}  # fmt: skip
# 10,000.00 advanced to H4 over three months; what was decided on months already closed.
ADVANCE = {(FEB, H4): "3333.33", (MARCH, H4): "3333.33", (APRIL, H4): "3333.34"}
PRIOR = {(MARCH, H1): "66.66", (APRIL, H2): "-50.00"}
DEPOSIT_RATIO = Decimal("0.05")
# Full from 90 on; 2 % less for each point below 90; 60 % from 70 on; nothing below.
RETURNED_SHARE = {H1: "0.94", H2: "0", H3: "0.60", H4: "1", P1: "1", P2: "0.80"}
# The same, worked out by hand: what each was paid in the end, by month and fund.
BY_HAND = {
    (FEB, H1, POOLED): "9893.77",
    (FEB, H2, POOLED): "4998.91",
    (FEB, H3, POOLED): "8550.00",
    (FEB, H4, POOLED): "1136666.67",
    (FEB, P1, POOLED): "171.00",
    (FEB, P1, ACCOUNT): "320.00",
    (FEB, P2, POOLED): "237.50",
    (FEB, P2, ACCOUNT): "150.00",
    (MARCH, H1, POOLED): "6811.66",
    (MARCH, H2, POOLED): "3800.00",
    (MARCH, H4, POOLED): "91666.67",
    (MARCH, P1, POOLED): "57.00",
    (MARCH, P1, ACCOUNT): "40.00",
    (MARCH, P2, POOLED): "422.22",
    (MARCH, P2, ACCOUNT): "100.00",
    (APRIL, H1, POOLED): "2944.99",
    (APRIL, H2, POOLED): "2334.50",
    (APRIL, H3, POOLED): "2550.10",
    (APRIL, H4, POOLED): "44166.66",
    (APRIL, P1, ACCOUNT): "60.60",
    (APRIL, P2, POOLED): "285.00",
    (APRIL, P2, ACCOUNT): "21.00",
    (NEXT_YEAR, H1, POOLED): "1918.89",
    (NEXT_YEAR, H4, POOLED): "67509.50",
}


class Line(NamedTuple):
    """A line of a statement, 元."""

    claimed: Decimal
    deducted: Decimal
    deposit: Decimal
    advance: Decimal
    prior: Decimal
    clawback: Decimal
    paid: Decimal
    carried: Decimal


def claimed(month: str, code: str, fund: str) -> Decimal:
    total = NOTHING
    for claim in CLAIMS[month][code].values():
        account = Decimal(claim.account)
        rest = Decimal(claim.fund) if claim.fund else sum(line.amount for line in claim.lines) - account
        total += account if fund == ACCOUNT else rest
    return yuan(str(total))


def deducted(month: str, code: str, fund: str) -> Decimal:
    mine = [found for place, found in FOUND[month].items() if getattr(world, place[1:3]) == code]
    return sum((Decimal(found.cost.get(fund, "0")) for found in mine), NOTHING)


def expected() -> dict[tuple[str, str, str], Line]:
    """Every line of every statement, month after month."""
    lines: dict[tuple[str, str, str], Line] = {}
    owed: dict[tuple[str, str], Decimal] = defaultdict(lambda: NOTHING)
    withheld: dict[str, Decimal] = defaultdict(lambda: NOTHING)
    for month in MONTHS:
        for code in CLAIMS[month]:
            for fund in (POOLED, ACCOUNT):
                claim, cut = claimed(month, code, fund), deducted(month, code, fund)
                if fund == ACCOUNT and not claim:
                    continue
                deposit = max(rounded((claim - cut) * DEPOSIT_RATIO), NOTHING) if fund == POOLED else NOTHING
                advance = yuan(ADVANCE.get((month, code), "0"))
                prior = yuan(PRIOR.get((month, code), "0"))
                if fund == ACCOUNT:
                    advance = prior = NOTHING
                elif month == NEXT_YEAR:
                    prior = rounded(withheld[code] * Decimal(RETURNED_SHARE[code]))
                back = owed.pop((code, fund), NOTHING)
                net = claim - cut - deposit - advance + prior - back
                owed[code, fund] = max(-net, NOTHING)
                if fund == POOLED:
                    withheld[code] += deposit
                lines[month, code, fund] = Line(
                    claim, cut, deposit, advance, prior, back, max(net, NOTHING), max(-net, NOTHING)
                )
    return lines


LINES = expected()


def test_the_amounts_worked_out_by_hand_are_those_worked_out_from_the_claims() -> None:
    assert {key: str(line.paid) for key, line in LINES.items() if line.paid} == BY_HAND
    assert LINES[MARCH, H3, POOLED].carried == Decimal("5999.90") == LINES[APRIL, H3, POOLED].clawback


# ---- the story itself ----


@pytest.fixture
def db(story: Telling) -> Iterator[sa.Connection]:
    """What the story left in the workflow database."""
    opened = store.open_store(story.place.home)
    with opened.engine.connect() as connection:
        yield connection
    opened.engine.dispose()


def data(story: Telling, month: str, name: str) -> pl.DataFrame:
    return pl.read_parquet(story.place.home / REGION / month / "data" / f"{name}.parquet")


def test_every_act_ends_and_speaks_as_told(story: Telling) -> None:
    assert len(story.told) > 80
    for act, done in story.told:
        where = f"{act.day} {act.who} {act.words}\n{done.said}"
        assert done.code == act.code, where
        assert named(act.says, act.month) in done.said, where
        assert "Traceback" not in done.said, where


@pytest.mark.parametrize("month", MONTHS)
def test_statements_pay_to_the_fen(story: Telling, month: str) -> None:
    columns = ("fund_appy_sum", "det_sumamt", "dpst_sumamt", "advance_offset_amt", "prior_adjust_amt",
               "clawback_amt", "act_dfr_amt", "carry_amt")  # fmt: skip
    rows = data(story, month, "payment")
    got = {(r["fixmedins_code"], r["fund_pay_type"]): Line(*(r[c] for c in columns)) for r in rows.to_dicts()}

    assert got == {(code, fund): line for (ym, code, fund), line in LINES.items() if ym == month}
    assert rows["method_adjust_amt"].sum() == rows["deferred_amt"].sum() == 0


@pytest.mark.parametrize("month", MONTHS)
def test_findings_were_answered_decided_and_booked_as_told(story: Telling, month: str) -> None:
    rows = data(story, month, "findings").to_dicts()
    most = {"违规": "det_sumamt", "可疑": "risk_amt"}
    got = {
        r["finding_id"]: (
            r["grade"], r[most[r["grade"]]], r["reply"], r["decision"], r["final_det_sumamt"]
        )
        for r in rows
    }  # fmt: skip
    wanted = {
        named(place, month): (
            f.grade, yuan(f.limit), f.answer, f.decision, sum(map(Decimal, f.cost.values()), NOTHING)
        )
        for place, f in FOUND[month].items()
    }  # fmt: skip

    assert got == wanted
    assert len(rows) == len(FOUND[month])


@pytest.mark.parametrize("month", MONTHS)
def test_money_is_conserved_by_institution_and_fund(story: Telling, month: str) -> None:
    run = json.loads((story.place.home / REGION / month / "data" / "run.json").read_text(encoding="utf-8"))

    assert all(check["ok"] for check in run["checks"])
    for (ym, *key), line in LINES.items():
        if ym == month:
            out = line.paid + line.deducted + line.deposit + line.advance + line.clawback
            assert line.claimed == out - line.prior - line.carried, key


# ---- money that left ----


def test_every_payable_is_paid_once_and_nothing_else(db: sa.Connection) -> None:
    query = (
        sa.select(BATCH.c.clr_ym, BATCH.c.fixmedins_code, PAY_ORDER, PAY_RESULT.c.result)
        .join(BATCH, BATCH.c.id == PAY_ORDER.c.batch_id)
        .join(PAY_RESULT, PAY_RESULT.c.business_no == PAY_ORDER.c.business_no)
    )
    orders = [row._mapping for row in db.execute(query)]
    paid = defaultdict(list)
    for row in orders:
        if row["result"] == "PAID":
            month = f"{row['clr_ym'][:4]}-{row['clr_ym'][4:]}"
            paid[month, row["fixmedins_code"], row["fund_pay_type"]].append(
                str(Decimal(row["amount_fen"]).scaleb(-2))
            )

    assert paid == {key: [amount] for key, amount in BY_HAND.items()}
    assert len(orders) == len(BY_HAND) + 1  # the one that failed


def test_the_failed_transfer_was_ordered_twice_and_paid_once(story: Telling, db: sa.Connection) -> None:
    tries = [r for r in store.payments.orders(db, REGION, "202602").to_dicts()
             if (r["fixmedins_code"], r["fund_pay_type"]) == (P1, ACCOUNT)]  # fmt: skip
    files = sorted((story.place.home / REGION / FEB).glob("07_银行批量拨付_[0-9]*.csv"))

    assert [(r["attempt"], r["result"], str(r["amount"])) for r in tries] == [
        (1, "FAILED", "320.00"), (2, "PAID", "320.00"),
    ]  # fmt: skip
    assert tries[0]["business_no"] != tries[1]["business_no"]
    assert files[-1].read_text(encoding="utf-8-sig").count(tries[1]["business_no"]) == 1
    assert len(files[-1].read_text(encoding="utf-8-sig").splitlines()) == 2


def test_money_went_to_the_account_in_force(db: sa.Connection) -> None:
    for month in MONTHS:
        for row in store.payments.orders(db, REGION, month.replace("-", "")).to_dicts():
            code = row["fixmedins_code"]
            moved = code in (H1, P2) and row["day"] >= world.CHANGED_ON
            assert row["bankacct"] == (world.new_account_of(code) if moved else world.account_of(code))


def test_the_large_amount_has_two_signatures_and_the_others_one(db: sa.Connection) -> None:
    signed = defaultdict(set)
    for row in store.payments.approvals(db, REGION, "202602").to_dicts():
        signed[row["fixmedins_code"]].add((row["actor"], row["amount_fen"]))

    assert signed[H4] == {("leader", 113666667), ("deputy", 113666667)}
    assert all(signed[code] == {("leader", int(sum(
        LINES[FEB, code, fund].paid for fund in (POOLED, ACCOUNT) if (FEB, code, fund) in LINES
    ) * 100))} for code in INSTITUTIONS if code != H4)  # fmt: skip


# ---- ledgers ----


def entries(db: sa.Connection) -> list[dict[str, Any]]:
    return store.books.entries(db, REGION).to_dicts()


def test_every_ledger_opens_where_it_closed(db: sa.Connection) -> None:
    closing: dict[tuple[str, ...], Decimal] = {}
    for row in entries(db):
        account = (row["fixmedins_code"], row["fund_pay_type"], row["book"])
        assert row["opening_amt"] == closing.get(account, NOTHING)
        assert row["closing_amt"] == row["opening_amt"] + row["plus_amt"] - row["minus_amt"]
        closing[account] = row["closing_amt"]

    assert {k: str(v) for k, v in closing.items() if v} == {
        # withheld for January of the next year, and what went back to those with no statement yet
        (H1, POOLED, "deposit"): "50.00",
        (H4, POOLED, "deposit"): "0.50",
        (H3, POOLED, "prior"): "540.00",
        (P1, POOLED, "prior"): "12.00",
        (P2, POOLED, "prior"): "39.78",
    }


def test_deposits_grow_for_three_months_and_go_back_by_score(db: sa.Connection) -> None:
    rows = [r for r in entries(db) if r["book"] == "deposit" and r["clr_ym"] != "202701"]
    withheld: dict[str, list[Decimal]] = defaultdict(list)
    for row in rows:
        withheld[row["fixmedins_code"]].append(row["plus_amt"])
    back = {
        (r["fixmedins_code"], r["kind"]): r["minus_amt"]
        for r in entries(db)
        if r["book"] == "deposit" and r["minus_amt"]
    }

    for code in INSTITUTIONS:
        months = [LINES[month, code, POOLED].deposit for month in (FEB, MARCH, APRIL)]
        held = sum(months, NOTHING)
        returned = rounded(held * Decimal(RETURNED_SHARE[code]))
        assert withheld[code] == [amount for amount in months if amount]
        assert back.get((code, "returned"), NOTHING) == returned
        assert back.get((code, "kept"), NOTHING) == held - returned


def test_the_advance_is_offset_in_three_parts_and_the_carry_once(db: sa.Connection) -> None:
    def moves(code: str, book: str) -> list[tuple[str, str, str]]:
        return [
            (r["clr_ym"], r["kind"], str(r["plus_amt"] - r["minus_amt"]))
            for r in entries(db)
            if (r["fixmedins_code"], r["book"]) == (code, book)
        ]

    assert moves(H4, "advance") == [
        ("202602", "granted", "10000.00"), ("202602", "offset", "-3333.33"),
        ("202603", "offset", "-3333.33"), ("202604", "offset", "-3333.34"),
    ]  # fmt: skip
    assert moves(H3, "carry") == [("202603", "carried", "5999.90"), ("202604", "clawed_back", "-5999.90")]
    assert [(kind, amount) for _, kind, amount in moves(H1, "prior")] == [
        ("confirmed", "66.66"), ("settled", "-66.66"), ("confirmed", "968.89"), ("settled", "-968.89"),
    ]  # fmt: skip
    assert [(kind, amount) for _, kind, amount in moves(H2, "prior")] == [
        ("confirmed", "-50.00"), ("settled", "50.00"),
    ]  # fmt: skip


# ---- the way ----


def way(db: sa.Connection, month: str, code: str) -> list[tuple[str, str]]:
    query = (
        sa.select(TRANSITION.c.to_state, TRANSITION.c.day)
        .join(BATCH, BATCH.c.id == TRANSITION.c.batch_id)
        .where(BATCH.c.clr_ym == month.replace("-", ""), BATCH.c.fixmedins_code == code)
        .order_by(BATCH.c.id, TRANSITION.c.seq)
    )
    return [(row.to_state, f"{row.day:%m-%d}") for row in db.execute(query)]


def test_every_batch_is_closed_and_its_four_duties_were_four_people(db: sa.Connection) -> None:
    people: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for row in db.execute(sa.select(BATCH_DUTY)):
        people[row.batch_id].append((row.duty, row.actor))
    batches = db.execute(sa.select(BATCH)).fetchall()

    assert sorted(b.state for b in batches) == ["CLOSED"] * 20 + ["RETURNED"]
    for batch in batches:
        held = people[batch.id]
        assert len({actor for _, actor in held}) == len(held)
        duties = {duty for duty, _ in held}
        machine = {"first_review"} if batch.clr_ym == "202701" else set()
        assert batch.state == "RETURNED" or duties == set(procedure.DUTIES) - machine


def test_batches_went_the_way_they_were_sent(db: sa.Connection) -> None:
    # refused first, then silent
    assert way(db, FEB, H2) == [
        ("DECLARED", "03-03"), ("RETURNED", "03-03"), ("DECLARED", "03-05"), ("ACCEPTED", "03-05"),
        ("PRELIM", "03-06"), ("FEEDBACK", "03-06"), ("REVIEW", "03-16"), ("SETTLED", "03-18"),
        ("APPROVED", "03-19"), ("PAID", "03-20"), ("CLOSED", "03-25"),
    ]  # fmt: skip
    assert way(db, MARCH, H2)[3:] == [
        ("FEEDBACK", "04-03"), ("REVIEW", "04-09"), ("HOLD", "04-10"), ("REVIEW", "04-20"),
        ("SETTLED", "04-21"), ("APPROVED", "04-22"), ("PAID", "04-22"), ("CLOSED", "04-23"),
    ]  # fmt: skip
    assert [state for state, _ in way(db, MARCH, H3)][-3:] == ["APPROVED", "CARRIED", "CLOSED"]


DAYS_OFF = {dt.date(2026, 4, 6), dt.date(2026, 5, 1), dt.date(2026, 5, 4), dt.date(2026, 5, 5),
            *(dt.date(2027, 2, day) for day in range(8, 13))}  # fmt: skip
WORKED = {dt.date(2026, 5, 9), dt.date(2027, 2, 20)}


def works(day: dt.date) -> bool:
    return day in WORKED or (day.weekday() < 5 and day not in DAYS_OFF)


def after(day: str, count: int) -> str:
    """The working day so many after a day, which is not counted."""
    at = dt.date.fromisoformat(day)
    while count:
        at += dt.timedelta(days=1)
        count -= works(at)
    return at.isoformat()


def test_deadlines_are_counted_from_declaration_and_moved_by_the_hold(story: Telling) -> None:
    head = ["--home", str(story.place.home), "--region", REGION, "--today", "2027-02-16", "--json"]
    rows = json.loads(running.settle([*head, "deadlines"]).out)["watch"]
    limits = {(r["clr_ym"], r["fixmedins_code"]): r["limit_on"] for r in rows}
    days = [dt.date(2026, 4, 10) + dt.timedelta(days=n) for n in range(10)]
    stopped = sum(map(works, days))  # from the day of the hold to the day before it ended

    declared = {FEB: "2026-03-03", MARCH: "2026-04-02", APRIL: "2026-05-06", NEXT_YEAR: "2027-02-03"}
    wanted = {(m.replace("-", ""), c): after(declared[m], 25) for m in MONTHS for c in CLAIMS[m]}
    wanted["202602", H2] = after("2026-03-05", 25)
    wanted["202603", H2] = after("2026-04-02", 25 + stopped)
    assert stopped == 6
    assert limits == wanted
    assert all(r["on_time"] for r in rows)


def test_on_hold_no_clock_runs(story: Telling, tmp_path: Path) -> None:
    there = story.before(story.at("resume"), tmp_path)
    head = ["--home", str(there.home), "--region", REGION, "--today", "2026-04-17", "--json"]
    rows = {r["fixmedins_code"]: r for r in json.loads(running.settle([*head, "deadlines"]).out)["watch"]
            if r["clr_ym"] == "202603"}  # fmt: skip

    assert (rows[H2]["colour"], rows[H2]["limit_on"], rows[H2]["deed"]) == ("paused", None, "resume")
    # declared on 04-02, held on 04-10: 04-03, 04-07, 04-08 and 04-09 were used
    assert rows[H2]["days_used"] == 4


# ---- the record ----


def test_the_log_is_whole_and_names_everyone(db: sa.Connection) -> None:
    log = db.execute(sa.select(LOG).order_by(LOG.c.seq)).fetchall()

    assert store.log.breaks(db) == []
    assert [row.seq for row in log] == list(range(1, len(log) + 1))
    assert [row.prev_hash for row in log] == [None, *(row.hash for row in log[:-1])]
    assert {row.actor for row in log} >= {
        "admin", "reception", "first", "second", "clerk", "leader", "deputy", "cashier",
        "hospital1", "pharmacy1",
    }  # fmt: skip
    held = [row for row in log if row.action == "hold"]
    assert [(row.actor, row.reason) for row in held] == [("leader", "稽核立案")]


@pytest.mark.parametrize("month", MONTHS)
def test_a_month_written_again_at_the_end_has_the_same_bytes(
    story: Telling, month: str, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(story.place.home, home)
    head = ["--home", str(home), "--region", REGION, "--month", month, "--today", "2027-03-01"]
    assert running.files(home, f"{REGION}/{month}") == story.closed[month]

    # in place, and from nothing but the record
    assert running.settle([*head, "documents"]).code == 0
    assert running.files(home, f"{REGION}/{month}") == story.closed[month]
    shutil.rmtree(home / REGION / month)
    assert running.settle([*head, "documents"]).code == 0
    again = running.files(home, f"{REGION}/{month}")
    gone = {path.rpartition("/")[2][:8] for path in set(story.closed[month]) - set(again)}
    assert again == {path: digest for path, digest in story.closed[month].items() if path in again}
    # Lists of what was not taken and the reviewers' worklist are of their day, not of the record.
    assert gone <= {"06_复审工作表", "07_银行回单_"}


@pytest.mark.heavy
@pytest.mark.parametrize("month", MONTHS)
def test_the_same_story_on_postgresql_leaves_the_same_bytes(
    story: Telling, on_postgresql: Telling, month: str
) -> None:
    assert on_postgresql.closed[month] == story.closed[month]


@pytest.mark.heavy
def test_the_same_story_on_postgresql_leaves_the_same_rows(story: Telling, on_postgresql: Telling) -> None:
    assert [done.code for _, done in on_postgresql.told] == [done.code for _, done in story.told]
    there, here = running.rows(on_postgresql.place.home), running.rows(story.place.home)
    # Triggers are written differently there.
    assert there.pop("schema_mark") != here.pop("schema_mark")
    assert there == here


def test_ids_in_the_story_are_those_of_the_findings(story: Telling) -> None:
    found = set(data(story, FEB, "findings")["finding_id"])

    assert finding_id(FEB, H1, "S1", "1", "B01") in found
