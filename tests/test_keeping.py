"""A backup becomes a home of its own, also one made while a month runs; nothing goes without an entry."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs import backup, monthly, nightly, restoring, retention
from jobs.office import Office
from settlement import store
from settlement.errors import ProcedureError, StoreError
from settlement.store import commits, kept
from tests import postgres
from tests.conftest import write_settings
from tests.test_nightly import MONTH, NOW, REGION, TODAY, accepted, closed, settle, taken_in

__all__ = ["accepted", "closed"]


def staffed(home: store.Store) -> None:
    """Register an administrator and a leader."""
    for name, full_name, role in (("admin", "管理员", "admin"), ("boss", "负责人", "leader")):
        store.users.add(home, store.Act("admin", "user", TODAY), store.users.User(name, full_name, (role,)))


@pytest.fixture
def home(closed: Path, tmp_path: Path) -> Iterator[store.Store]:
    """A closed month with a backup of its own."""
    shutil.copytree(closed, tmp_path / "home")
    opened = store.open_store(tmp_path / "home")
    staffed(opened)
    yield opened
    opened.engine.dispose()


def head(home: store.Store) -> tuple[int, str]:
    with home.engine.connect() as db:
        return commits.newest(db).no, commits.newest(db).hash


def test_a_backup_becomes_a_home_with_the_same_record(
    home: store.Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    made = backup.make(home, NOW)
    new = tmp_path / "new"
    said = ("--home", str(new), "--as", "admin", "--today", "2026-05-20")
    assert settle(monkeypatch, *said, "restore", str(made), "--reason", "演练") == 0

    again = store.open_store(new)
    with again.engine.connect() as db:
        entry = store.log.last(db, 1)[0]
        assert commits.at(db, f"#{head(home)[0]}").hash == head(home)[1]
    assert (entry["action"], entry["actor"], entry["reason"]) == ("restore", "admin", "演练")
    assert nightly.verify(again) == []
    again.engine.dispose()


def test_only_an_administrator_restores_and_leaves_nothing_otherwise(
    home: store.Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    made = backup.make(home, NOW)
    said = ("--home", str(tmp_path / "new"), "--as", "boss", "--today", "2026-05-20")
    assert settle(monkeypatch, *said, "restore", str(made)) == 3
    assert not (tmp_path / "new").exists()


def test_a_damaged_backup_a_used_home_and_a_folder_that_is_none_are_refused(
    home: store.Store, tmp_path: Path
):
    made = backup.make(home, NOW)
    with pytest.raises(StoreError, match="已有"):
        restoring.restore(made, home.home)
    with pytest.raises(StoreError, match="不是备份"):
        restoring.restore(tmp_path, tmp_path / "new")
    files = json.loads((made / backup.MANIFEST).read_text(encoding="utf-8"))["files"]
    name = next(path for path in files if path.startswith("store/"))
    (made / name).unlink()
    with pytest.raises(StoreError, match="与清单不符"):
        restoring.restore(made, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_backups_made_while_a_month_runs_are_each_a_consistent_point(accepted: Path, tmp_path: Path):
    """Every one opens, stands the check, and holds a commit of the running home with the same hash."""
    shutil.copytree(accepted, tmp_path / "home")
    office = Office(store.open_store(tmp_path / "home"), REGION, MONTH, TODAY)
    made: list[Path] = []
    over = threading.Event()

    def keep_backing_up() -> None:
        own = store.open_store(tmp_path / "home")
        while not over.is_set():
            made.append(backup.make(own, NOW + dt.timedelta(minutes=len(made))))
        own.engine.dispose()

    other = threading.Thread(target=keep_backing_up)
    other.start()
    monthly.unattended(office)
    over.set()
    other.join()

    with office.home.engine.connect() as db:
        known = {commit.no: commit.hash for commit in commits.every(db)}
    points = set()
    # Of backups with the same end of the log one is looked at.
    ends = {json.loads((f / backup.MANIFEST).read_text("utf-8"))["log"][1]: f for f in made}
    for folder in ends.values():
        again = restoring.restore(folder, tmp_path / f"of_{folder.name}")
        number, digest = head(again)
        assert known[number] == digest
        points.add(number)
        again.engine.dispose()
    assert len(points) > 2
    office.home.engine.dispose()


def test_a_postgresql_home_comes_back_from_its_dump(
    new_database, postgres_server: str, tmp_path: Path
):  # fmt: skip
    write_settings(tmp_path / "home", new_database("postgresql"))
    office = taken_in(tmp_path / "home")
    made = backup.make(office.home, NOW)
    empty = postgres.make(postgres_server, "restored_here")
    write_settings(tmp_path / "new", empty)
    again = restoring.restore(made, tmp_path / "new")
    assert head(again) == head(office.home)
    assert str(again.engine.url.database) == "restored_here"
    write_settings(tmp_path / "other", empty)
    with pytest.raises(StoreError, match="不是空的"):
        restoring.restore(made, tmp_path / "other")
    again.engine.dispose()
    office.home.engine.dispose()


# ---- retention ----


def office_of(home: store.Store, who: str) -> Office:
    return Office(home, "", MONTH, dt.date(2036, 1, 1), who)


def test_originals_go_on_command_with_a_reason_and_an_entry_first(home: store.Store):
    before = retention.held(home)[0]
    folders = [home.home / row["kept"] for row in originals(home)]
    assert before["finished"]
    assert before["bytes"] > 0

    gone = retention.remove(office_of(home, "boss"), dt.date(2026, 5, 1), "保管期满")

    assert [folder.exists() for folder in folders] == [False] * len(folders)
    assert len(gone) == len(folders) == retention.held(home)[0]["removed"]
    with home.engine.connect() as db:
        entries = store.log.last(db, len(gone))
    assert {(e["action"], e["actor"], e["reason"]) for e in entries} == {("retention", "boss", "保管期满")}
    assert nightly.verify(home) == []
    assert retention.remove(office_of(home, "boss"), dt.date(2026, 5, 1), "保管期满") == []


def originals(home: store.Store) -> list[dict[str, object]]:
    with home.engine.connect() as db:
        return kept.originals(db)


@pytest.mark.parametrize(
    ("who", "before", "reason", "words"),
    [
        ("boss", dt.date(2026, 5, 1), " ", "理由"),
        ("admin", dt.date(2026, 5, 1), "保管期满", "不能办理"),
        ("nobody", dt.date(2026, 5, 1), "保管期满", "没有用户"),
    ],
)
def test_nothing_goes_without_a_reason_or_the_right(
    home: store.Store, who: str, before: dt.date, reason: str, words: str
):
    with pytest.raises(ProcedureError, match=words):
        retention.remove(office_of(home, who), before, reason)
    assert all((home.home / str(row["kept"])).is_dir() for row in originals(home))


def test_a_month_that_is_not_finished_keeps_its_originals(accepted: Path, tmp_path: Path):
    shutil.copytree(accepted, tmp_path / "home")
    opened = store.open_store(tmp_path / "home")
    staffed(opened)
    with pytest.raises(ProcedureError, match="未办结"):
        retention.remove(office_of(opened, "boss"), dt.date(2026, 5, 1), "保管期满")
    assert retention.remove(office_of(opened, "boss"), MONTH, "保管期满") == []
    opened.engine.dispose()


def test_a_crash_after_the_entry_is_made_good_the_next_time(
    home: store.Store, monkeypatch: pytest.MonkeyPatch
):
    real = shutil.rmtree
    monkeypatch.setattr(shutil, "rmtree", fail)
    with pytest.raises(OSError, match="gone"):
        retention.remove(office_of(home, "boss"), dt.date(2026, 5, 1), "保管期满")
    monkeypatch.setattr(shutil, "rmtree", real)
    assert all((home.home / str(row["kept"])).is_dir() for row in originals(home))
    assert nightly.verify(home) == []
    retention.remove(office_of(home, "boss"), dt.date(2026, 5, 1), "保管期满")
    assert not any((home.home / str(row["kept"])).is_dir() for row in originals(home))


def fail(*_: object, **__: object) -> None:
    raise OSError("the power is gone")


def test_backups_that_are_pruned_are_in_the_log(home: store.Store):
    (home.home / "settle.toml").write_text("[schedule]\nkeep_backups = 1\n", encoding="utf-8")
    opened = store.open_store(home.home)
    former = backup.make(opened, NOW)
    backup.make(opened, NOW + dt.timedelta(days=1), prune=True)
    with opened.engine.connect() as db:
        told = [e for e in store.log.last(db, 5) if e["subject"] == f"backup:{former.name}"]
    assert [(e["actor"], e["action"]) for e in told] == [("system", "retention")]
    assert not former.exists()
    opened.engine.dispose()
