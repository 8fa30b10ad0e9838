"""Two people do something at the same moment: one of them does it, the other is told, nothing is done twice.

Every act that changes something is run twice: begun at one moment, and with one process stopped right before
it writes while the other goes through, which is the order that does harm if anything does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from settlement import store
from settlement.store.schema import APPROVAL, BATCH, DECISION, LOG, PAY_ORDER, PAY_RESULT, REPLY, TRANSITION
from tests.story import papers, running, world
from tests.story.acts import AGREED, Act, disputed
from tests.story.papers import Place
from tests.story.runner import Ended, Runner, runners
from tests.story.running import differing, state
from tests.story.telling import Telling
from tests.story.world import FEB, H1, H2, H3, H4, MARCH, P1, POOLED, REGION

# (how the command begins, month, which of several)
SAME = (
    ("user add leader", "", 0),
    ("reference load {reference}/first", "", 0),
    ("intake {sent}/2026-02", FEB, 0),
    (f"intake {{sent}}/{H2}", FEB, 0),
    ("ledger advance", FEB, 0),
    ("audit", FEB, 0),
    ("notify", FEB, 0),
    ("reply", FEB, 1),
    ("close-feedback", FEB, 0),
    ("review decide", FEB, 1),
    ("review finish", FEB, 0),
    ("calculate", FEB, 0),
    ("approve", FEB, 0),
    ("approve", FEB, 1),
    ("disburse", FEB, 0),
    ("accounts confirm", FEB, 0),
    ("disburse", FEB, 2),
    ("receipt", FEB, 0),
    ("close", FEB, 2),
    ("ledger adjust", "", 0),
    ("ledger confirm", "", 0),
    ("hold", MARCH, 0),
    ("resume", MARCH, 0),
    ("review import", world.APRIL, 0),
    ("calendar add", "", 0),
    ("ledger return-deposit", "", 0),
    ("month", world.NEXT_YEAR, 0),
    ("month", world.NEXT_YEAR, 1),
)
SOBER = (0, 1, 3)
# What only a program says.
RAW = re.compile(r"Traceback|constraint failed|(Integrity|Operational)Error|locked|sqlalchemy|sqlite", re.I)


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Runner, Runner]]:
    """Two processes."""
    with runners(2) as (one, other):
        yield one, other


@dataclass(frozen=True)
class Run:
    """A command on its way, by which process, stopped before its n-th writing transaction or not."""

    runner: Runner
    argv: list[str]
    stop_before: int = 0


def at_once(folder: Path, *runs: Run) -> list[Ended]:
    """Begin all at one moment and wait for their end."""
    start = folder / "start"
    with ThreadPoolExecutor(len(runs)) as pool:
        going = [pool.submit(run.runner.run, run.argv, start=str(start)) for run in runs]
        start.touch()
        return [one.result() for one in going]


def one_inside(folder: Path, slow: Run, fast: Run) -> tuple[Ended, Ended]:
    """Let one process come as far as its writing transaction, the other go through, then the first go on."""
    go = folder / "go"
    with ThreadPoolExecutor(1) as pool:
        going = pool.submit(slow.runner.run, slow.argv, stop_before=slow.stop_before, go=str(go))
        Runner.wait_for(Path(f"{go}.there"), going.done)
        ended = fast.runner.run(fast.argv)
        go.touch()
        return going.result(), ended


def spoken(*ended: Ended) -> None:
    """Nobody is shown an error page, and every refusal says what to do or how things stand."""
    for one in ended:
        assert one.code in SOBER, one.said
        assert not RAW.search(one.said), one.said
        assert one.said.strip()


@pytest.mark.parametrize("which", SAME, ids=lambda which: f"{which[0]} {which[1]} {which[2]}")
def test_the_same_act_twice_at_one_moment_happens_once(
    story: Telling, pair: tuple[Runner, Runner], which: tuple[str, str, int], tmp_path: Path
) -> None:
    number = story.at(*which)
    act, done = story.told[number]
    place = story.before(number, tmp_path)

    ended = at_once(tmp_path, *(Run(runner, act.argv(place)) for runner in pair))

    spoken(*ended)
    assert done.code in {one.code for one in ended}
    assert differing(state(place.home), story.states[number + 1]) == []


@pytest.mark.parametrize("turn", [1, *(pytest.param(n, marks=pytest.mark.heavy) for n in (2, 3))])
@pytest.mark.parametrize("which", SAME, ids=lambda which: f"{which[0]} {which[1]} {which[2]}")
def test_the_same_act_done_while_one_is_about_to_write_happens_once(
    story: Telling, pair: tuple[Runner, Runner], which: tuple[str, str, int], turn: int, tmp_path: Path
) -> None:
    number = story.at(*which)
    act, _ = story.told[number]
    place = story.before(number, tmp_path)
    slow, fast = (Run(runner, act.argv(place), turn) for runner in pair)

    late, first = one_inside(tmp_path, slow, fast)

    spoken(late, first)
    assert differing(state(place.home), story.states[number + 1]) == []


# ---- different acts ----


def acts(place: Place, day: str, *given: tuple[str, str]) -> list[list[str]]:
    """Command lines of (who, command) on one day."""
    return [Act(place.month, day, who, words).argv(place) for who, words in given]


def rows(home: Path, query: sa.Select) -> list[sa.Row]:
    opened = store.open_store(home)
    try:
        with opened.engine.connect() as db:
            assert store.log.breaks(db) == []
            return list(db.execute(query))
    finally:
        opened.engine.dispose()


def both_orders(
    pair: tuple[Runner, Runner], folder: Path, commands: list[list[str]], turned: bool
) -> tuple[Ended, Ended]:
    """One is stopped before it writes while the other goes through; `turned` says which."""
    runs = [Run(runner, argv, 1) for runner, argv in zip(pair, commands, strict=True)]
    if turned:
        late, first = one_inside(folder, runs[1], runs[0])
        return first, late
    return one_inside(folder, runs[0], runs[1])


ORDERS = pytest.mark.parametrize("turned", [False, True], ids=["first stopped", "second stopped"])


@ORDERS
def test_a_reply_against_the_close_of_the_window(
    story: Telling, pair: tuple[Runner, Runner], turned: bool, tmp_path: Path
) -> None:
    """An answer counts while the window is open; it is never entered behind the reviewer's back."""
    place = story.before(story.at("close-feedback", FEB), tmp_path)
    papers.reply_book("changed.xlsx", H1, {
        "[H1 S3/1 C02]": AGREED, "[H1 S5/1 C03]": disputed("另有说明"),
    })(place)  # fmt: skip
    commands = acts(
        place, "2026-03-12", ("hospital1", "reply {inbox}/changed.xlsx"), ("second", "close-feedback")
    )

    replied, closed = both_orders(pair, tmp_path, commands, turned)

    spoken(replied, closed)
    mine = sa.select(BATCH.c.id).where(BATCH.c.fixmedins_code == H1).scalar_subquery()
    second_turns = rows(place.home, sa.select(REPLY).where(REPLY.c.batch_id == mine, REPLY.c.turn == 2))
    [moved] = rows(place.home, sa.select(TRANSITION.c.log_seq).where(
        TRANSITION.c.batch_id == mine, TRANSITION.c.to_state == "REVIEW"))  # fmt: skip
    entered = rows(place.home, sa.select(LOG.c.seq).where(LOG.c.subject == "reply:changed.xlsx"))
    if replied.code == 0:
        assert len(second_turns) == 2
        assert entered[0].seq < moved.log_seq
    else:
        assert (len(second_turns), "F13" in replied.said) == (0, True)


@ORDERS
def test_a_hold_against_an_approval(
    story: Telling, pair: tuple[Runner, Runner], turned: bool, tmp_path: Path
) -> None:
    place = story.before(story.at("approve", FEB), tmp_path)
    commands = acts(
        place, "2026-03-19", ("deputy", f"hold --institution {H3} --reason 稽核"), ("leader", "approve")
    )

    held, approved = both_orders(pair, tmp_path, commands, turned)

    spoken(held, approved)
    found = rows(place.home, sa.select(BATCH).where(BATCH.c.clr_ym == "202602", BATCH.c.fixmedins_code == H3))
    signed = rows(place.home, sa.select(APPROVAL).where(APPROVAL.c.batch_id == found[0].id))
    # Whoever came second was told; run again it does what is left to do.
    assert {held.code, approved.code} & {3} or (found[0].state, found[0].held) == ("HOLD", "APPROVED")
    assert (found[0].state == "HOLD") == (held.code == 0)
    assert len(signed) == (found[0].held == "APPROVED" or found[0].state == "APPROVED")


@ORDERS
def test_two_leaders_at_once_sign_once_each_and_only_where_it_takes_two(
    story: Telling, pair: tuple[Runner, Runner], turned: bool, tmp_path: Path
) -> None:
    place = story.before(story.at("approve", FEB), tmp_path)
    commands = acts(place, "2026-03-19", ("leader", "approve"), ("deputy", "approve"))

    first, second = both_orders(pair, tmp_path, commands, turned)
    again = [running.settle(argv) for argv in commands]

    spoken(first, second)
    assert all(done.code in SOBER for done in again)
    query = sa.select(BATCH.c.fixmedins_code, BATCH.c.state, APPROVAL.c.actor).join(
        APPROVAL, APPROVAL.c.batch_id == BATCH.c.id
    )
    signed = [(row.fixmedins_code, row.actor) for row in rows(place.home, query)]
    assert {row.state for row in rows(place.home, query)} == {"APPROVED"}
    assert sorted(code for code, _ in signed) == sorted([*world.INSTITUTIONS, H4])
    assert {actor for code, actor in signed if code == H4} == {"leader", "deputy"}


@ORDERS
def test_two_cashiers_at_once_order_every_payment_once(
    story: Telling, pair: tuple[Runner, Runner], turned: bool, tmp_path: Path
) -> None:
    number = story.at("disburse", FEB, 1)
    place = story.before(number, tmp_path)
    [added] = acts(place, "2026-03-20", ("admin", "user add cashier2 --role finance"))
    assert running.settle(added).code == 0
    commands = acts(place, "2026-03-20", ("cashier", "disburse"), ("cashier2", "disburse"))

    spoken(*both_orders(pair, tmp_path, commands, turned))

    orders = rows(place.home, sa.select(PAY_ORDER.c.batch_id, PAY_ORDER.c.fund_pay_type))
    assert len(orders) == len(set(orders)) == 8


@ORDERS
def test_the_banks_answer_against_the_next_try(
    story: Telling, pair: tuple[Runner, Runner], turned: bool, tmp_path: Path
) -> None:
    """A transfer is tried again only after the bank has said that it failed."""
    place = story.before(story.at("receipt", FEB), tmp_path)
    commands = acts(place, "2026-03-23", ("cashier", "receipt {inbox}/bank-2.csv"), ("cashier", "disburse"))

    spoken(*both_orders(pair, tmp_path, commands, turned))

    tries = rows(place.home, sa.select(PAY_ORDER.c.attempt, PAY_RESULT.c.result).outerjoin(
        PAY_RESULT, PAY_RESULT.c.business_no == PAY_ORDER.c.business_no))  # fmt: skip
    again = [row for row in tries if row.attempt == 2]
    assert sorted(row.result for row in tries if row.attempt == 1) == ["FAILED", *["PAID"] * 7]
    assert [row.result for row in again] in ([], [None])


@ORDERS
def test_two_returns_of_the_bank_that_contradict_each_other(
    story: Telling, pair: tuple[Runner, Runner], turned: bool, tmp_path: Path
) -> None:
    place = story.before(story.at("receipt", FEB, 1), tmp_path)
    text = (place.inbox / "bank-3.csv").read_text(encoding="utf-8")
    (place.inbox / "bad-3.csv").write_text(text.replace("成功", "失败"), encoding="utf-8")
    commands = acts(
        place,
        "2026-03-25",
        ("cashier", "receipt {inbox}/bank-3.csv"),
        ("cashier", "receipt {inbox}/bad-3.csv"),
    )

    good, bad = both_orders(pair, tmp_path, commands, turned)

    spoken(good, bad)
    query = sa.select(PAY_RESULT.c.result).where(PAY_RESULT.c.attempt == 2)
    assert [row.result for row in rows(place.home, query)] == ["FAILED" if not turned else "PAID"]
    assert "矛盾 1" in (good.said if not turned else bad.said)


@ORDERS
def test_two_submissions_of_one_institution(
    story: Telling, pair: tuple[Runner, Runner], turned: bool, tmp_path: Path
) -> None:
    place = story.before(story.at(f"intake {{sent}}/{H2}", FEB), tmp_path)
    sent = world.submission(H2, FEB, "_3")
    sent.rows["setl_d"] = sent.rows["setl_d"][:-1]
    sent.rows["fee_list_d"] = sent.rows["fee_list_d"][:-1]
    other = sent.totals().zip(tmp_path)
    commands = acts(
        place,
        "2026-03-05",
        ("reception", f"intake {{sent}}/{H2}_202602_2.zip"),
        ("reception", f"intake {other}"),
    )

    spoken(*both_orders(pair, tmp_path, commands, turned))

    live = rows(place.home, sa.select(BATCH).where(BATCH.c.fixmedins_code == H2, BATCH.c.state == "ACCEPTED"))
    assert len(live) == 1


@ORDERS
def test_two_reviewers_decide_one_finding_differently(
    story: Telling, pair: tuple[Runner, Runner], turned: bool, tmp_path: Path
) -> None:
    """The later decision stands and the earlier one stays on record, or the later one is told."""
    place = story.before(story.at("review decide [H1 S3", FEB), tmp_path)
    [added] = acts(place, "2026-03-16", ("admin", "user add second2 --role second_review"))
    assert running.settle(added).code == 0
    commands = acts(
        place, "2026-03-16",
        ("second", "review decide [H1 S3/1 C02] 维持 --reason 属实"),
        ("second2", "review decide [H1 S3/1 C02] 撤销 --reason 不属实"),
    )  # fmt: skip

    ended = both_orders(pair, tmp_path, commands, turned)

    spoken(*ended)
    ident = papers.named("[H1 S3/1 C02]", FEB)
    query = sa.select(DECISION).where(DECISION.c.finding_id == ident).order_by(DECISION.c.turn)
    taken = [(row.turn, row.outcome) for row in rows(place.home, query)]
    assert [turn for turn, _ in taken] == list(range(1, 1 + sum(one.code == 0 for one in ended)))


@ORDERS
def test_an_account_confirmed_while_it_is_paid_to(
    story: Telling, pair: tuple[Runner, Runner], turned: bool, tmp_path: Path
) -> None:
    place = story.before(story.at("accounts confirm", FEB), tmp_path)
    commands = acts(
        place, "2026-03-20", ("clerk", f"accounts confirm {P1} --reason 核对"), ("cashier", "disburse")
    )

    spoken(*both_orders(pair, tmp_path, commands, turned))

    orders = rows(place.home, sa.select(PAY_ORDER.c.batch_id, PAY_ORDER.c.fund_pay_type))
    assert len(orders) == len(set(orders))
    assert len(orders) in (4, 6)


@ORDERS
def test_an_adjustment_confirmed_while_the_statement_is_made(
    story: Telling, pair: tuple[Runner, Runner], turned: bool, tmp_path: Path
) -> None:
    """What is confirmed comes with this statement or stays open for the next; never both, never neither."""
    place = story.before(story.at("calculate", MARCH), tmp_path)
    entered, *commands = acts(
        place, "2026-04-14",
        ("second", f"ledger adjust --institution {H1} --fund {POOLED} --amount 7.77 --about 2026-02 "
         "--reason 补付"),
        ("deputy", "ledger confirm 2"),
        ("clerk", "calculate"),
    )  # fmt: skip
    assert running.settle(entered).code == 0

    spoken(*both_orders(pair, tmp_path, commands, turned))

    opened = store.open_store(place.home)
    with opened.engine.connect() as db:
        lines = store.payments.statement_lines(db, REGION, "202603").filter(fixmedins_code=H1)
        books = store.books.balances(db, REGION).filter(fixmedins_code=H1, book="prior")
    opened.engine.dispose()
    paid = sum(lines["prior_adjust_amt"]) if lines.height else 0
    assert float(paid) + float(sum(books["closing_amt"])) == pytest.approx(66.66 + 7.77)
