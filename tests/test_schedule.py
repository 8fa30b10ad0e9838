"""The scheduler: what is due, who does it, what becomes of it when a process fails or dies."""

import csv
import datetime as dt
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from jobs import cli, due, holder, monthly, paying, replying, scheduler, taking_in, work
from jobs.due import Scope
from jobs.office import Office
from jobs.progress import quiet
from settlement import policy, procedure, store
from settlement.errors import PolicyError
from settlement.store import batches, jobs, mail
from settlement.store.schema import JOB, META

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "sample_data" / "daye"
REGION, YM, MONTH = "daye", "202604", dt.date(2026, 4, 1)
H1, H2 = "H13100000001", "H13100000002"


def at(day: str, clock: str = "10:00") -> dt.datetime:
    return dt.datetime.fromisoformat(f"{day}T{clock}")


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with reference data only."""
    home = store.open_store(tmp_path_factory.mktemp("ready"))
    taking_in.load_reference(Office(home, REGION, MONTH, dt.date(2026, 5, 8)), SAMPLE / "reference")
    home.engine.dispose()
    return home.home


@pytest.fixture(scope="module")
def received(ready: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, with the month's submissions taken in from the inbox on 8 May."""
    folder = tmp_path_factory.mktemp("received") / "home"
    shutil.copytree(ready, folder)
    home = store.open_store(folder)
    shutil.copytree(SAMPLE / "submissions", tray(home, "submissions"))
    assert done(scheduler.sweep(home, at("2026-05-08"))) == ["intake", "deadline_watch", "verify", "backup"]
    home.engine.dispose()
    return folder


@pytest.fixture
def home(received: Path, tmp_path: Path) -> store.Store:
    """A copy of the month as it was received."""
    shutil.copytree(received, tmp_path / "home")
    return store.open_store(tmp_path / "home")


@pytest.fixture
def fresh(ready: Path, tmp_path: Path) -> store.Store:
    """A copy of the home with reference data only."""
    shutil.copytree(ready, tmp_path / "home")
    return store.open_store(tmp_path / "home")


def tray(home: store.Store, kind: str, region: str = REGION, month: str = "2026-04") -> Path:
    return home.home / "inbox" / region / month / kind


def done(did: list[scheduler.Did], state: str = jobs.DONE) -> list[str]:
    """Names of jobs by order, messages counted once."""
    return list(dict.fromkeys(d.name for d in did if d.state == state))


def states(home: store.Store) -> Counter[str]:
    with home.engine.connect() as db:
        return Counter(b.state for b in batches.find(db, REGION, YM))


def rows(home: store.Store, **where: Any) -> list[dict[str, Any]]:
    query = sa.select(JOB).where(*(JOB.c[n] == v for n, v in where.items())).order_by(JOB.c.id)
    with home.engine.connect() as db:
        return [dict(r._mapping) for r in db.execute(query)]


STEPS = Scope(due.STEPS)


# --- what is due ------------------------------------------------------------------------------


def test_nothing_is_audited_before_the_last_day_to_declare_is_over(home: store.Store) -> None:
    # 10 May 2026 is a Sunday, so the last day is Monday the 11th
    assert [t.name for t in due.tasks(home, at("2026-05-11", "23:59"), STEPS)] == []
    [task] = due.tasks(home, at("2026-05-12", "00:01"), STEPS)

    assert (task.name, task.due_on) == ("audit", dt.date(2026, 5, 12))


def test_asking_what_is_due_changes_nothing(home: store.Store) -> None:
    def seen() -> list[Any]:
        with home.engine.connect() as db:
            return [list(db.execute(sa.select(t))) for t in META.sorted_tables]

    before = (seen(), sorted(home.home.rglob("*")))
    assert due.tasks(home, at("2026-05-12")) == due.tasks(home, at("2026-05-12"))
    assert (seen(), sorted(home.home.rglob("*"))) == before


def test_a_month_goes_by_itself_as_far_as_it_needs_no_person(home: store.Store) -> None:
    def sweep(day: str) -> list[str]:
        did = scheduler.sweep(home, at(day))
        assert done(did, jobs.FAILED) == []
        return [n for n in done(did) if n not in due.DAILY]

    assert sweep("2026-05-11") == []
    assert sweep("2026-05-12") == ["audit", "notify", "close_feedback", "deliver"]
    # one institution has no finding: nothing to answer; the others answer until the 14th
    assert states(home) == {"RETURNED": 3, "REVIEW": 1, "FEEDBACK": 8}
    assert sweep("2026-05-12") == []
    assert sweep("2026-05-13") == ["remind", "deliver"]
    assert sweep("2026-05-14") == []
    assert sweep("2026-05-15") == ["close_feedback"]
    assert states(home) == {"RETURNED": 3, "REVIEW": 9}
    with home.engine.connect() as db:
        sent = Counter((m["kind"], m["state"]) for m in mail.waiting(db, mail.STATES))
    assert sent == {("notice", mail.SENT): 9, ("reminder", mail.SENT): 8}

    reviewer = Office(home, REGION, MONTH, dt.date(2026, 5, 18), "robot_second_review")
    monthly.reviewing.robot(reviewer)
    monthly.reviewing.finish(reviewer)
    assert sweep("2026-05-18") == ["calculate"]
    assert states(home) == {"RETURNED": 3, "SETTLED": 9}
    assert (home.month_folder(REGION, MONTH) / "01_拨付汇总表.xlsx").is_file()
    monthly.settling.approve(reviewer.by("robot_leader"))
    monthly.settling.approve(reviewer.by("robot_leader_2"))
    paying.disburse(reviewer.by("robot_finance"))
    assert sweep("2026-05-19") == ["close", "deliver"]  # the two that have nothing to be paid
    answer_as_the_bank(home)
    assert sweep("2026-05-20") == ["receipt", "close"]
    assert states(home) == {"RETURNED": 3, "CLOSED": 9}
    assert sweep("2026-05-21") == []


def test_nobody_is_reminded_on_the_day_the_findings_were_sent(
    home: store.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = policy.Profile.value
    monkeypatch.setattr(
        policy.Profile,
        "value",
        lambda self, name, day: 1 if name == "feedback_days" else value(self, name, day),
    )
    assert "remind" not in done(scheduler.sweep(home, at("2026-05-12"), STEPS))
    assert done(scheduler.sweep(home, at("2026-05-13"), STEPS)) == ["remind"]
    assert done(scheduler.sweep(home, at("2026-05-14"), STEPS)) == ["close_feedback"]


def answer_as_the_bank(home: store.Store) -> None:
    with home.engine.connect() as db:
        numbers = store.payments.orders(db, REGION, YM)["business_no"]
    folder = tray(home, "bank")
    folder.mkdir(parents=True)
    lines = ["业务号,结果", *(f"{n},成功" for n in numbers)]
    (folder / "回单.csv").write_text("\n".join(lines), encoding="utf-8")


def test_what_was_missed_in_three_weeks_is_made_up_for_at_once(received: Path, tmp_path: Path) -> None:
    shutil.copytree(received, tmp_path / "home")
    home = store.open_store(tmp_path / "home")

    did = scheduler.sweep(home, at("2026-05-29", "09:00"))

    assert done(did) == ["audit", "notify", "close_feedback", *due.AFTERWARDS, *due.NIGHTLY]
    # one check, one backup and one sheet, not one for every day that went by
    assert Counter(d.name for d in did if d.name in due.DAILY) == dict.fromkeys(due.DAILY, 1)
    did = scheduler.sweep(home, at("2026-06-23", "09:00"))
    # nobody is reminded of a window that is over
    assert done(did) == ["close_feedback", "deadline_watch", *due.NIGHTLY]
    assert states(home) == {"RETURNED": 3, "REVIEW": 9}


def test_who_comes_after_the_last_day_is_audited_under_a_key_of_its_own(
    home: store.Store, tmp_path: Path
) -> None:
    scheduler.sweep(home, at("2026-05-12"), STEPS)
    [late] = [p for p in (SAMPLE / "submissions").iterdir() if p.stem.startswith("H42028100012")]
    mended = tmp_path / f"{late.stem}_2.zip"
    shutil.copyfile(late, mended)
    tray(home, "submissions").mkdir(parents=True, exist_ok=True)
    mend(mended)
    shutil.copyfile(mended, tray(home, "submissions") / mended.name)

    assert {"intake", "audit", "notify"} <= set(done(scheduler.sweep(home, at("2026-05-13"), STEPS)))
    first, second = rows(home, name="audit")
    assert (first["key"] != second["key"], first["state"], second["state"]) == (True, jobs.DONE, jobs.DONE)


def mend(path: Path) -> None:
    """Put the totals right that made the sample's submission be refused."""
    import zipfile

    with zipfile.ZipFile(path) as packed:
        files = {n: packed.read(n) for n in packed.namelist()}
    name = next(n for n in files if "clr_sum" in n)
    files[name] = files[name].replace(b",0.01", b",0.00", 1)
    with zipfile.ZipFile(path, "w") as packed:
        for each, data in files.items():
            packed.writestr(each, data)


def test_a_missing_calendar_year_is_a_failed_job_that_says_which(
    home: store.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: Any) -> dt.date:
        raise PolicyError("没有 2026 年的工作日历,请放入 cn_2026.csv")

    with monkeypatch.context() as during:
        during.setattr(due, "_cutoff", missing)
        [did] = scheduler.sweep(home, at("2026-05-12"), STEPS)
        assert (did.name, did.state) == ("audit", jobs.FAILED)
        assert "cn_2026.csv" in did.words
    # once it is there the work has a key of its own, and the fault stands no longer
    assert "audit" in done(scheduler.sweep(home, at("2026-05-12", "10:01"), STEPS))
    assert [r["state"] for r in rows(home, name="audit")] == [jobs.DONE, jobs.DONE]


def test_only_the_region_and_month_asked_for(home: store.Store) -> None:
    other = Scope(region="langfang")
    assert scheduler.sweep(home, at("2026-05-12"), other) == []
    assert scheduler.sweep(home, at("2026-05-12"), Scope(month="202603")) == []
    mine = scheduler.sweep(home, at("2026-05-12"), Scope(region=REGION, month=YM))
    assert "audit" in done(mine)
    assert not set(done(mine)) & set(due.NIGHTLY)


def test_nights_begin_at_the_set_hour(home: store.Store) -> None:
    nightly = Scope(due.NIGHTLY)
    assert done(scheduler.sweep(home, at("2026-05-09", "01:59"), nightly)) == []
    assert done(scheduler.sweep(home, at("2026-05-09", "02:00"), nightly)) == ["verify", "backup"]
    assert done(scheduler.sweep(home, at("2026-05-09", "23:00"), nightly)) == []
    # down for two nights, up before the third: the last night that began is made up for
    assert [t.key for t in due.tasks(home, at("2026-05-12", "01:00"), nightly)] == ["2026-05-11"] * 2


# --- the inbox --------------------------------------------------------------------------------


def test_what_was_handled_lies_in_done_and_an_empty_inbox_asks_for_nothing(home: store.Store) -> None:
    handled = home.home / "inbox" / REGION / "2026-04" / "done" / "submissions"

    assert {p.name for p in handled.iterdir()} == {p.name for p in (SAMPLE / "submissions").iterdir()}
    assert list(tray(home, "submissions").iterdir()) == []
    assert due.tasks(home, at("2026-05-09"), Scope(due.PICK_UP)) == []


def test_a_file_that_is_still_being_written_waits(fresh: store.Store) -> None:
    folder = tray(fresh, "submissions")
    folder.mkdir(parents=True)
    shutil.copyfile(SAMPLE / "submissions" / "H42028100001_202604.zip", folder / "H42028100001_202604.zip")
    now = dt.datetime.now(tz=dt.UTC).astimezone().replace(tzinfo=None)
    pick_up = Scope(due.PICK_UP)

    assert due.tasks(fresh, now + dt.timedelta(seconds=5), pick_up) == []
    assert len(due.tasks(fresh, now + dt.timedelta(seconds=60), pick_up)) == 1


@pytest.mark.parametrize("name", [".H42028100001_202604.zip.part", "~$feedback.xlsx"])
def test_hidden_and_lock_files_are_left_alone(fresh: store.Store, name: str) -> None:
    tray(fresh, "submissions").mkdir(parents=True)
    (tray(fresh, "submissions") / name).write_bytes(b"half")

    assert due.tasks(fresh, at("2026-05-08"), Scope(due.PICK_UP)) == []


def test_a_link_leads_nowhere(fresh: store.Store) -> None:
    tray(fresh, "replies").mkdir(parents=True)
    (fresh.home / "settle.toml").write_text('contact = "secret"\n', encoding="utf-8")
    (tray(fresh, "replies") / "reply.csv").symlink_to(fresh.home / "settle.toml")

    assert due.tasks(fresh, at("2026-05-08"), Scope(due.PICK_UP)) == []


@pytest.mark.parametrize(("region", "month"), [("daye2", "2026-04"), (REGION, "april"), (REGION, "2026-4")])
def test_a_folder_nobody_knows_is_named(fresh: store.Store, region: str, month: str) -> None:
    folder = tray(fresh, "submissions", region, month)
    folder.mkdir(parents=True)
    (folder / "H42028100001_202604.zip").write_bytes(b"x")

    [did] = scheduler.sweep(fresh, at("2026-05-08"), STEPS)
    assert did.state == jobs.FAILED
    assert f"inbox/{region}/{month}" in did.words
    assert (folder / "H42028100001_202604.zip").is_file()
    shutil.rmtree(folder)
    scheduler.sweep(fresh, at("2026-05-08", "10:30"), STEPS)
    assert [r["state"] for r in rows(fresh)] == [jobs.DONE]


def test_the_same_file_dropped_again_is_handled_again_and_has_no_effect(fresh: store.Store) -> None:
    source = SAMPLE / "submissions" / "H42028100001_202604.zip"
    tray(fresh, "submissions").mkdir(parents=True)
    for hour in ("10:00", "11:00"):
        shutil.copy2(source, tray(fresh, "submissions"))
        assert done(scheduler.sweep(fresh, at("2026-05-08", hour), STEPS)) == ["intake"]

    assert len(store.submissions(fresh, REGION, MONTH)) == 1
    handled = fresh.home / "inbox" / REGION / "2026-04" / "done" / "submissions"
    assert sorted(p.name for p in handled.iterdir()) == [
        "H42028100001_202604(2).zip", "H42028100001_202604.zip",
    ]  # fmt: skip


def test_a_file_that_cannot_be_handled_stays_and_stops_no_other(
    fresh: store.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = replying.reply

    def picky(office: Office, paths: list[Path]) -> Any:
        if any(p.name == "bad.csv" for p in paths):
            raise ValueError("王某某 420281199001011234")
        return take(office, paths)

    monkeypatch.setattr(replying, "reply", picky)
    taking_in.take_in(Office(fresh, REGION, MONTH, dt.date(2026, 5, 8)), [SAMPLE / "submissions"], quiet)
    scheduler.sweep(fresh, at("2026-05-12"), STEPS)
    tray(fresh, "replies").mkdir(parents=True)
    for name in ("bad.csv", "good.csv"):
        (tray(fresh, "replies") / name).write_text("疑点号,机构意见\n", encoding="utf-8")

    did = scheduler.sweep(fresh, at("2026-05-12", "12:00"), Scope(("reply",)))

    assert {d.state for d in did} == {jobs.FAILED}
    assert all("bad.csv" in d.words and "420281" not in d.words for d in did)
    [left] = [r for r in rows(fresh, name="reply") if r["state"] != jobs.DONE]
    assert (left["state"], left["attempts"]) == (jobs.FAILED, 1)
    assert (tray(fresh, "replies").parent / "taking" / "replies" / "bad.csv").is_file()
    assert (tray(fresh, "replies").parent / "done" / "replies" / "good.csv").is_file()


def test_answers_in_the_inbox_are_on_record_before_the_window_closes(home: store.Store) -> None:
    scheduler.sweep(home, at("2026-05-12"), STEPS)
    with home.engine.connect() as db:
        code = next(b.fixmedins_code for b in batches.find(db, REGION, YM, ("FEEDBACK",)))
    sheet = home.month_folder(REGION, MONTH) / "institutions" / code / "05_申诉表.csv"
    with sheet.open(encoding="utf-8-sig", newline="") as reader:
        answers = [{**row, "机构意见": "认可"} for row in csv.DictReader(reader)]
    tray(home, "replies").mkdir(parents=True)
    with (tray(home, "replies") / sheet.name).open("w", encoding="utf-8-sig", newline="") as writer:
        filled = csv.DictWriter(writer, list(answers[0]))
        filled.writeheader()
        filled.writerows(answers)

    assert set(done(scheduler.sweep(home, at("2026-05-13"), STEPS))) == {"reply", "close_feedback", "remind"}
    with home.engine.connect() as db:
        [batch] = batches.find(db, REGION, YM, codes=(code,))
    assert batch.state == procedure.REVIEW


# --- failing ----------------------------------------------------------------------------------


@pytest.fixture
def only(tmp_path: Path) -> store.Store:
    """A home with messages to send, and no settings but the defaults."""
    home = store.open_store(tmp_path / "home")
    put(home, 3)
    return home


def put(home: store.Store, count: int) -> None:
    base = {"region": "langfang", "clr_ym": YM, "kind": "notice", "subject": "s", "body": "b", "paths": [],
            "digest": "", "day": dt.date(2026, 5, 8)}  # fmt: skip
    with store.writing(home) as db:
        mail.put(db, [{**base, "fixmedins_code": f"H{n:011d}"} for n in range(count)])


DELIVER = Scope(("deliver",))


def test_a_job_that_fails_stops_no_other_and_its_words_hold_no_value(
    only: store.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []

    def deliver(job: work.Assignment) -> str:
        if job.job["key"] == "2":
            raise ValueError("王某某 420281199001011234")
        sent.append(job.job["key"])
        with store.writing(only) as db:
            mail.mark(db, int(job.job["key"]), {"state": mail.SENT})
        return ""

    monkeypatch.setitem(work.ASSIGNMENTS, "deliver", deliver)
    did = scheduler.sweep(only, at("2026-05-08"), DELIVER)

    assert sent == ["1", "3"]
    assert [d.state for d in did] == [jobs.DONE, jobs.FAILED, jobs.DONE]
    [row] = rows(only, state=jobs.FAILED)
    assert "ValueError(test_schedule.py:" in row["error"]
    assert "420281" not in row["error"]


def test_a_job_that_keeps_failing_is_tried_as_often_as_set_and_again_when_asked(
    only: store.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[dt.datetime] = []

    def deliver(job: work.Assignment) -> str:
        tries.append(job.now.replace(second=0, microsecond=0))
        raise PolicyError("不行")

    monkeypatch.setitem(work.ASSIGNMENTS, "deliver", deliver)
    with store.writing(only) as db:
        for ident in (2, 3):
            mail.mark(db, ident, {"state": mail.SENT})
    begun = at("2026-05-08", "08:00")
    for minute in range(0, 600, 5):
        scheduler.sweep(only, begun + dt.timedelta(minutes=minute), DELIVER)

    assert [int((t - begun).total_seconds() // 60) for t in tries] == [0, 10, 30, 70, 150]
    [row] = rows(only)
    assert (row["state"], row["attempts"], row["next_try_at"], row["error"]) == (jobs.FAILED, 5, "", "不行")
    assert scheduler.retry(only) == 1
    scheduler.sweep(only, at("2026-05-09"), DELIVER)
    assert len(tries) == 6


def test_a_step_that_ran_and_left_the_work_is_not_taken_for_done(
    home: store.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(work.ASSIGNMENTS, "audit", lambda job: "nothing done")

    [did] = scheduler.sweep(home, at("2026-05-12"), STEPS)

    assert did.state == jobs.FAILED
    assert "仍然待办" in did.words


def test_old_backups_stay_while_the_check_finds_faults(
    only: store.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def make(home: store.Store, now: dt.datetime, prune: bool) -> Path:
        asked.append(prune)
        return home.home

    def broken(job: work.Assignment) -> str:
        raise PolicyError("日志被改写")

    monkeypatch.setattr(work.backup, "make", make)
    scheduler.sweep(only, at("2026-05-08"), Scope(due.NIGHTLY))
    monkeypatch.setitem(work.ASSIGNMENTS, "verify", broken)
    scheduler.sweep(only, at("2026-05-09"), Scope(due.NIGHTLY))

    assert asked == [True, False]


# --- more than one, and some that die ----------------------------------------------------------


def run(home: Path, code: str = "", *words: str, **more: Any) -> subprocess.Popen[str]:
    """Start `settle` in a process of its own, after some code that changes it."""
    script = f"{code}\nimport sys\nfrom jobs import cli\nsys.argv = ['settle', *sys.argv[1:]]\ncli.main()\n"
    command = [sys.executable, "-W", "error", "-c", script, "--home", str(home), *words]
    return subprocess.Popen(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more
    )


ONCE = ("--today", "2026-05-08", "schedule", "--once")
# So many doings, so many lines: what was done twice would be seen. They begin when both are there.
COUNTING = """
import os, pathlib, time
from jobs import cli, postman
pathlib.Path({place!r} + "." + str(os.getpid())).touch()
while len(list(pathlib.Path({place!r}).parent.glob("sent.txt.*"))) < 2:
    time.sleep(0.01)
send = postman._send
def slow(server, letter, address, now):
    with open({place!r}, "a") as file:
        file.write(letter.row["fixmedins_code"] + "\\n")
    time.sleep(0.01)
    return send(server, letter, address, now)
postman._send = slow
"""


def test_two_schedulers_do_each_job_once(home_on: Path, tmp_path: Path) -> None:
    opened = store.open_store(home_on)
    put(opened, 60)
    place = tmp_path / "sent.txt"

    workers = [run(home_on, COUNTING.format(place=str(place)), *ONCE) for _ in range(2)]
    said = [w.communicate(timeout=120)[0] for w in workers]

    assert [w.returncode for w in workers] == [0, 0], said
    assert sorted(place.read_text(encoding="utf-8").split()) == [f"H{n:011d}" for n in range(60)]
    delivered = [s.count("发送消息") for s in said]
    assert sum(delivered) == 60
    assert min(delivered) > 0, "one of them did everything: nothing was tried"
    assert {(r["state"], r["attempts"]) for r in rows(opened)} == {(jobs.DONE, 1)}
    with opened.engine.connect() as db:
        told = [e["subject"] for e in store.log.entries(db) if e["subject"].startswith("mail:")]
        assert len(told) == len(set(told)) == 60
        assert store.log.breaks(db) == []
    opened.engine.dispose()


@pytest.fixture
def home_on(tmp_path: Path, database: str) -> Path:
    """A home whose database is fresh, once on SQLite and once on PostgreSQL."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "settle.toml").write_text(f'[database]\nurl = "{database}"\n', encoding="utf-8")
    return folder


# Dies where the step is on record and its documents are not written yet.
DYING = """
import os, signal
from jobs import work
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
work.documents.write = die
"""


def test_a_step_whose_process_was_killed_is_finished_by_the_next_sweep(home: store.Store) -> None:
    worker = run(home.home, DYING, "--today", "2026-05-12", "schedule", "--once")
    worker.communicate(timeout=120)
    assert worker.returncode == -signal.SIGKILL
    [left] = rows(home, state=jobs.RUNNING)
    assert left["name"] == "notify"
    summary = home.month_folder(REGION, MONTH) / "01_拨付汇总表.xlsx"
    assert not summary.exists()

    did = scheduler.sweep(home, at("2026-05-12", "11:00"))

    assert done(did) == ["notify", "close_feedback", "deadline_watch", "deliver", "verify", "backup"]
    assert done(did, jobs.FAILED) == []
    assert summary.is_file()
    [row] = rows(home, name="notify")
    assert (row["state"], row["attempts"]) == (jobs.DONE, 2)
    with home.engine.connect() as db:
        assert len(mail.waiting(db, (mail.SENT,))) == 9


def test_a_file_whose_handling_was_cut_off_is_handled_and_put_away(fresh: store.Store) -> None:
    shutil.copytree(SAMPLE / "submissions", tray(fresh, "submissions"))
    dying = """
import os, signal
from jobs.inbox import Tray
Tray.put_away = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
"""
    worker = run(fresh.home, dying, *ONCE)
    worker.communicate(timeout=120)
    assert worker.returncode == -signal.SIGKILL
    taken = len(store.submissions(fresh, REGION, MONTH))
    assert len(list((tray(fresh, "submissions").parent / "taking" / "submissions").iterdir())) == 12

    assert done(scheduler.sweep(fresh, at("2026-05-08", "11:00"), STEPS)) == ["intake"]

    assert len(store.submissions(fresh, REGION, MONTH)) == taken == 12
    assert len(list((tray(fresh, "submissions").parent / "done" / "submissions").iterdir())) == 12
    assert due.tasks(fresh, at("2026-05-08", "12:00"), STEPS) == []


def test_a_job_that_kills_its_process_each_time_is_given_up(only: store.Store) -> None:
    (only.home / "settle.toml").write_text("[schedule]\nattempts = 2\n", encoding="utf-8")
    only = store.open_store(only.home)
    with store.writing(only) as db:
        for ident in (2, 3):
            mail.mark(db, ident, {"state": mail.SENT})
    dying = "import os, signal\nfrom jobs import postman\n" \
            "postman._send = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"  # fmt: skip
    for _ in range(2):
        worker = run(only.home, dying, *ONCE)
        worker.communicate(timeout=60)
        assert worker.returncode == -signal.SIGKILL

    [did] = scheduler.sweep(only, at("2026-05-08"), DELIVER)
    assert (did.state, "多次中途终止" in did.words) == (jobs.FAILED, True)
    assert scheduler.sweep(only, at("2026-06-08"), DELIVER) == []


def running(home: store.Store, who: str, since: dt.datetime) -> None:
    """Let somebody have the first message's job."""
    scheduler._record(shift(home, since), due.tasks(home, since, DELIVER), since.isoformat())
    [job, *_] = rows(home)
    taken = {"state": jobs.RUNNING, "holder": who, "claimed_at": since.isoformat(), "attempts": 1}
    with store.writing(home) as db:
        assert jobs.change(db, job, taken)


def shift(home: store.Store, now: dt.datetime) -> scheduler.Shift:
    return scheduler.Shift(home, lambda: now, "zh", lambda: False, lambda did: None)


@pytest.mark.parametrize(
    ("who", "minutes", "taken"),
    [
        ("elsewhere.1.4711.99", 29, False),
        ("elsewhere.1.4711.99", 30, True),
        ("me", 29, False),
        ("me", 30, True),
        ("gone", 0, True),
    ],
)
def test_a_job_is_taken_over_when_its_lease_ran_out_or_its_process_is_gone(
    only: store.Store, who: str, minutes: int, taken: bool
) -> None:
    now = at("2026-05-08", "12:00")
    holders = {"me": holder.me(), "gone": holder.me().rpartition(".")[0] + ".1"}
    running(only, holders.get(who, who), now - dt.timedelta(minutes=minutes))

    did = scheduler.sweep(only, now, DELIVER)

    assert [d.key for d in did] == (["1", "2", "3"] if taken else ["2", "3"])
    assert rows(only)[0]["attempts"] == (2 if taken else 1)


def test_the_lease_of_a_job_that_takes_long_is_renewed(
    only: store.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def deliver(job: work.Assignment) -> str:
        for _ in range(100):
            time.sleep(0.05)
            seen.append(rows(only, key=job.job["key"])[0]["claimed_at"])
            if len(set(seen)) > 1:
                return ""
        return ""

    monkeypatch.setitem(work.ASSIGNMENTS, "deliver", deliver)
    monkeypatch.setattr(scheduler, "BEATS_PER_LEASE", 30 * 60 * 20)
    with store.writing(only) as db:
        for ident in (2, 3):
            mail.mark(db, ident, {"state": mail.SENT})

    scheduler.sweep(only, at("2026-05-08"), DELIVER)
    assert len(set(seen)) > 1


def test_who_lost_a_job_meanwhile_does_not_write_over_the_new_holder(
    only: store.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deliver(job: work.Assignment) -> str:
        [row] = rows(only, key=job.job["key"])
        with store.writing(only) as db:
            jobs.change(db, row, {"holder": "elsewhere.1.4711.99", "attempts": 2})
        return ""

    monkeypatch.setitem(work.ASSIGNMENTS, "deliver", deliver)
    did = scheduler.sweep(only, at("2026-05-08"), DELIVER)

    assert {r["state"] for r in rows(only)} == {jobs.RUNNING}
    assert "另一进程接手" in did[0].words


def test_two_steps_of_a_month_are_not_done_at_the_same_time(home: store.Store) -> None:
    now = at("2026-05-12")
    scheduler._record(shift(home, now), [due.Task("remind", "x", REGION, YM, now.date())], now.isoformat())
    [other] = rows(home, name="remind")
    elsewhere = {"state": jobs.RUNNING, "holder": "elsewhere.1.1.1", "claimed_at": now.isoformat()}
    with store.writing(home) as db:
        assert jobs.change(db, other, elsewhere)

    assert scheduler.sweep(home, now, STEPS) == []
    assert done(scheduler.sweep(home, now + dt.timedelta(minutes=31), STEPS)) == [
        "remind", "audit", "notify", "close_feedback",
    ]  # fmt: skip


def test_a_process_is_known_by_its_start_and_not_by_its_number_alone() -> None:
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    place = holder.me().rsplit(".", 2)[0]
    name = f"{place}.{sleeper.pid}.{holder._started(sleeper.pid)}"

    assert not holder.gone(name)
    assert not holder.gone(holder.me())
    assert holder.gone(f"{place}.{sleeper.pid}.1")
    assert not holder.gone(f"other-host.1.{sleeper.pid}.1")
    assert not holder.gone("")
    sleeper.kill()
    sleeper.wait()
    assert holder.gone(name)


# --- the command ------------------------------------------------------------------------------


Settle = Callable[..., tuple[int, str]]


@pytest.fixture
def settle(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Settle:
    """Give a command; returns its exit code and what it said."""

    def command(home: Path, *words: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["settle", "--home", str(home), *words])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        said = capsys.readouterr()
        return int(stopped.value.code or 0), said.out + said.err

    return command


SLOW = """
import time
from jobs import postman
send = postman._send
def slow(*given):
    print("begun", flush=True)
    time.sleep(1.5)
    return send(*given)
postman._send = slow
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop_it_finishes_the_job_that_runs_and_begins_no_other(
    only: store.Store, number: signal.Signals
) -> None:
    worker = run(only.home, SLOW, "schedule")
    assert worker.stdout is not None
    for line in worker.stdout:
        if "begun" in line:
            break
    worker.send_signal(number)
    worker.send_signal(number)  # an impatient second one changes nothing

    said = worker.communicate(timeout=60)[0]

    assert worker.returncode == 0, said
    assert [r["state"] for r in rows(only)] == [jobs.DONE, jobs.WAITING, jobs.WAITING]
    with only.engine.connect() as db:
        assert len(mail.waiting(db, (mail.SENT,))) == 1


def test_it_keeps_on_sweeping(only: store.Store) -> None:
    worker = run(only.home, "", "schedule", env={**os.environ, "SETTLE_SCHEDULE__SWEEP_SECONDS": "1"})
    assert worker.stdout is not None
    try:
        for line in worker.stdout:
            if "夜间备份" in line:
                break
        put(only, 4)
        for line in worker.stdout:
            if "H00000000003" in line:
                break
    finally:
        worker.terminate()
        said = worker.communicate(timeout=60)[0]
    assert (worker.returncode, "Traceback" in said) == (0, False)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--today", "2026-05-08", "schedule"), 2, "--once"),
        (("--region", "nowhere", "schedule", "--once"), 2, "nowhere"),
        (("--month", "2026-13", "schedule", "--once"), 2, "YYYY-MM"),
        (("--today", "2026-05-08", "schedule", "--once"), 0, "夜间备份"),
        (("--today", "2026-05-08", "--json", "schedule", "--once"), 0, '"name": "backup"'),
        (("--today", "2026-05-08", "--lang", "en", "schedule", "--once"), 0, "done  nightly backup"),
    ],
)
def test_the_command_says_what_it_did(
    tmp_path: Path, settle: Settle, words: tuple[str, ...], code: int, said: str
) -> None:
    got, out = settle(tmp_path / "home", *words)

    assert (got, said in out) == (code, True), out


def test_the_command_ends_with_1_when_a_job_failed_and_status_names_it(
    fresh: store.Store, settle: Settle
) -> None:
    folder = tray(fresh, "bank", "nowhere")
    folder.mkdir(parents=True)
    (folder / "x.csv").write_bytes(b"x")

    code, out = settle(fresh.home, *ONCE)
    assert (code, "失败  收取银行回单" in out) == (1, True), out
    assert "inbox/nowhere/2026-04" in settle(fresh.home, "--today", "2026-05-08", "status")[1]
    assert "收取银行回单" not in settle(fresh.home, *ONCE)[1]
    assert "收取银行回单" in settle(fresh.home, *ONCE, "--retry")[1]
