"""On hold nothing runs: neither the limit nor the window in which an institution may answer."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import openpyxl
import polars as pl
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from jobs import auditing, documents, due, holding, replying, status
from jobs.office import Office
from settlement import deadlines, policy, procedure, store, workdays
from settlement.errors import PolicyError, ProcedureError
from settlement.store import findings
from settlement.store.schema import LOG, WINDOW_EXTENSION
from tests import submissions
from tests.submissions import HEALTHY, MONTH, REGION, valid

OTHER = "H13100000002"
BOOK = "04_初审反馈单.xlsx"
CALENDAR = workdays.load()
# Told on Monday: five working days end on the next one. Held on Wednesday, for 13 working days.
TOLD, UNTIL = dt.date(2026, 5, 11), dt.date(2026, 5, 18)
HELD, RESUMED, LONGER = dt.date(2026, 5, 13), dt.date(2026, 6, 1), dt.date(2026, 6, 4)
Desk = Callable[[dt.date, str], Office]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home where two institutions were told of a settlement that they declared twice."""
    base = tmp_path_factory.mktemp("told")
    office = submissions.Office(base / "home", [HEALTHY, OTHER])
    for code in (HEALTHY, OTHER):
        sent = valid(code)
        sent.change("setl_d", 1, psn_no=sent.rows["setl_d"][0]["psn_no"]).folder(base / "in")
    office.take(base / "in")
    desk = Office(office.home, REGION, MONTH, TOLD)
    auditing.run_audit(desk.by("robot_first_review"))
    assert len(replying.notify(desk.by("robot_first_review")).done) == 2
    documents.write(desk)
    office.home.engine.dispose()
    return base / "home"


@pytest.fixture
def home(told: Path, tmp_path: Path) -> store.Store:
    """A copy of it."""
    shutil.copytree(told, tmp_path / "home")
    return store.open_store(tmp_path / "home")


@pytest.fixture
def desk(home: store.Store) -> Desk:
    """Somebody's office on a day."""
    return lambda day, who: Office(home, REGION, MONTH, day, f"robot_{who}" if who else procedure.MACHINE)


@pytest.fixture
def resumed(desk: Desk) -> Desk:
    """One of the two was held and resumed."""
    holding.hold_back(desk(HELD, "leader"), [HEALTHY], "立案调查")
    holding.resume(desk(RESUMED, "leader"), [HEALTHY], "调查结束")
    return desk


def book(home: store.Store, code: str = HEALTHY) -> Path:
    (found,) = (home.home / REGION / "2026-04" / "institutions").glob(f"{code}*/{BOOK}")
    return found


def filled(source: Path, target: Path) -> Path:
    """Dispute every finding of a workbook."""
    opened = openpyxl.load_workbook(source)
    for sheet in opened:
        header: list[str] = []
        for row in sheet.iter_rows():
            if str(row[0].value or "").replace("*", "") == "疑点号":
                header = [str(cell.value or "").replace("*", "") for cell in row]
            elif header and row[0].value:
                for name, value in (("机构意见", "不认可"), ("申诉理由", "系两次就诊")):
                    row[next(i for i, h in enumerate(header) if h.startswith(name))].value = value
    opened.save(target)
    return target


def windows(office: Office) -> dict[str, dt.date]:
    with office.home.engine.connect() as db:
        return {code: n.answer_by for code, n in findings.notices(db, REGION, office.clr_ym).items()}


def test_the_window_is_longer_by_the_working_days_on_hold(resumed: Desk) -> None:
    office = resumed(RESUMED, "")
    with office.home.engine.connect() as db:
        rows = [tuple(row) for row in db.execute(sa.select(WINDOW_EXTENSION))]
        steps = db.execute(sa.select(LOG.c.after).where(LOG.c.action == "resume")).scalars().all()

    assert windows(office) == {HEALTHY: LONGER, OTHER: UNTIL}
    assert [row[2:5] for row in rows] == [(LONGER, RESUMED, "robot_leader")]
    assert [json.loads(after) for after in steps] == [{"answer_by": str(LONGER), "state": "FEEDBACK"}]


def test_nobody_answers_on_hold_and_the_first_workbook_is_good_to_the_last_day(
    desk: Desk, home: store.Store, tmp_path: Path
) -> None:
    sent = filled(book(home), tmp_path / "answer.xlsx")
    holding.hold_back(desk(HELD, "leader"), [HEALTHY], "立案调查")
    on_hold = replying.reply(desk(HELD, "reception"), [sent])
    holding.resume(desk(RESUMED, "leader"), [HEALTHY], "调查结束")
    late = replying.reply(desk(LONGER + dt.timedelta(1), "reception"), [sent])
    in_time = replying.reply(desk(LONGER, "reception"), [sent])

    assert (on_hold.recorded, late.recorded, in_time.recorded) == (0, 0, 1)
    assert late.refused["message_zh"].str.contains(str(LONGER)).all()
    assert in_time.refused.is_empty()


def test_the_workbook_written_after_the_hold_names_the_new_day_and_is_good_too(
    desk: Desk, home: store.Store, tmp_path: Path
) -> None:
    before, others = book(home).read_bytes(), book(home, OTHER).read_bytes()
    holding.hold_back(desk(HELD, "leader"), [HEALTHY], "立案调查")
    holding.resume(desk(RESUMED, "leader"), [HEALTHY], "调查结束")
    cells = [str(c) for sheet in openpyxl.load_workbook(book(home)) for row in sheet.values for c in row if c]
    answered = replying.reply(desk(LONGER, "reception"), [filled(book(home), tmp_path / "answer.xlsx")])

    assert any("6月4日" in text or str(LONGER) in text for text in cells)
    assert (book(home).read_bytes() != before, book(home, OTHER).read_bytes() == others) == (True, True)
    assert answered.recorded == 1


def test_a_workbook_that_was_not_written_is_written_by_a_second_resume(
    desk: Desk, home: store.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    holding.hold_back(desk(HELD, "leader"), [HEALTHY], "立案调查")
    with monkeypatch.context() as patched:
        patched.setattr(replying, "write_notices", cut)
        with pytest.raises(KeyboardInterrupt):
            holding.resume(desk(RESUMED, "leader"), [HEALTHY], "调查结束")
    before = book(home).read_bytes()
    with pytest.raises(ProcedureError, match="没有暂停"):
        holding.resume(desk(RESUMED, "leader"), [HEALTHY], "调查结束")

    assert book(home).read_bytes() != before


def test_the_longer_window_is_not_closed_early_and_is_reminded_of(resumed: Desk) -> None:
    home = resumed(LONGER, "").home
    assert replying.close_feedback(resumed(UNTIL + dt.timedelta(1), "")).done == [OTHER]
    last = replying.close_feedback(resumed(LONGER, ""))
    assert (last.done, last.waiting) == ([], {HEALTHY: f"反馈期至 {LONGER},尚有未答复的疑点"})
    late = [
        due.reminders(home, dt.datetime.combine(day, dt.time(9)), REGION, "202604")
        for day in (RESUMED, LONGER - dt.timedelta(1), LONGER)
    ]
    assert late == [{}, {LONGER: [HEALTHY]}, {LONGER: [HEALTHY]}]
    over = LONGER + dt.timedelta(1)
    scope = due.Scope(("close_feedback",))
    found = [len(due.tasks(home, dt.datetime.combine(day, dt.time(9)), scope)) for day in (LONGER, over)]
    assert found == [0, 1]
    assert replying.close_feedback(resumed(over, "")).done == [HEALTHY]


def test_the_watch_waits_for_the_institution_until_the_new_day(resumed: Desk) -> None:
    office = resumed(LONGER, "")
    rows = {
        r["fixmedins_code"]: r
        for r in status.clock(office.home, REGION, LONGER, office.calendar()).iter_rows(named=True)
    }

    mine, other = rows[HEALTHY], rows[OTHER]
    assert (mine["answer_by"], mine["act_by"], mine["role"]) == (LONGER, LONGER, procedure.INSTITUTION)
    assert (mine["stopped"], mine["limit_on"]) == (13, CALENDAR.shift(other["limit_on"], 13))
    assert (other["answer_by"], other["deed"]) == (UNTIL, "close_feedback")


def test_holds_add_up_and_one_after_the_last_day_gives_nothing_back(resumed: Desk) -> None:
    second, third = dt.date(2026, 6, 4), dt.date(2026, 6, 9)
    holding.hold_back(resumed(second, "leader"), [HEALTHY], "再次调查")
    holding.resume(resumed(dt.date(2026, 6, 8), "leader"), [HEALTHY], "调查结束")
    assert windows(resumed(third, ""))[HEALTHY] == dt.date(2026, 6, 8)
    holding.hold_back(resumed(third, "leader"), [HEALTHY], "三次调查")
    holding.resume(resumed(dt.date(2026, 6, 16), "leader"), [HEALTHY], "调查结束")
    assert windows(resumed(third, ""))[HEALTHY] == dt.date(2026, 6, 8)


def test_a_hold_without_a_working_day_changes_nothing(desk: Desk) -> None:
    before = book(desk(HELD, "").home).read_bytes()
    for day in (HELD, dt.date(2026, 5, 16)):  # resumed on the same day; held over a weekend
        holding.hold_back(desk(day, "leader"), [HEALTHY], "立案调查")
        holding.resume(desk(day if day == HELD else dt.date(2026, 5, 18), "leader"), [HEALTHY], "调查结束")

    assert windows(desk(HELD, "")) == {HEALTHY: UNTIL, OTHER: UNTIL}
    assert book(desk(HELD, "").home).read_bytes() == before


def test_what_lies_beyond_the_calendar_is_not_guessed_and_the_batch_stays_on_hold(desk: Desk) -> None:
    holding.hold_back(desk(HELD, "leader"), [HEALTHY], "立案调查")
    with pytest.raises(PolicyError, match="cn_2027"):
        holding.resume(desk(dt.date(2026, 12, 30), "leader"), [HEALTHY], "调查结束")
    with desk(HELD, "").home.engine.connect() as db:
        [batch] = store.batches.find(db, REGION, "202604", (procedure.HOLD,))
    assert batch.fixmedins_code == HEALTHY


DAYS = st.dates(dt.date(2025, 1, 1), dt.date(2026, 8, 31))


@given(DAYS, st.integers(0, 12), st.integers(0, 60))
def test_as_many_working_days_are_left_after_a_hold_as_before(sent: dt.date, after: int, held: int) -> None:
    until = CALENDAR.add(sent, 5)
    start, ended = sent + dt.timedelta(after), sent + dt.timedelta(after + held)
    longer = deadlines.window_after(CALENDAR, until, start, ended)

    def left(today: dt.date, last: dt.date) -> int:
        every = (today + dt.timedelta(n) for n in range((last - today).days + 1))
        return sum(map(CALENDAR.is_workday, every))

    if start <= until:
        assert left(ended, longer) == left(start, until)
    else:
        assert longer == until


def test_the_window_and_the_limit_move_by_the_same_days() -> None:
    rows = {
        "batch_id": "B", "region": REGION, "clr_ym": "202604", "fixmedins_code": HEALTHY,
        "fixmedins_name": "", "state": procedure.FEEDBACK, "held": "", "declared_on": dt.date(2026, 5, 8),
        "answer_by": UNTIL,
    }  # fmt: skip
    way = [("DECLARED", dt.date(2026, 5, 8)), ("FEEDBACK", TOLD), ("HOLD", HELD), ("FEEDBACK", RESUMED)]
    stages = pl.DataFrame(
        [("B", seq, state, day) for seq, (state, day) in enumerate(way, 1)],
        schema=["batch_id", "seq", "to_state", "day"],
        orient="row",
    )
    profiles = {REGION: policy.load(REGION)}
    row = deadlines.watch(pl.DataFrame([rows]), stages, profiles, CALENDAR, RESUMED).row(0, named=True)

    assert CALENDAR.remaining(UNTIL, deadlines.window_after(CALENDAR, UNTIL, HELD, RESUMED)) == row["stopped"]
