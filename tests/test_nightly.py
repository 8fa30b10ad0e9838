"""The nightly check finds every kind of damage; a backup is a home that can be opened."""

import datetime as dt
import json
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from jobs import backup, cli, holder, monthly, nightly, paying, taking_in
from jobs.office import Office
from jobs.progress import quiet
from settlement import store
from settlement.errors import StoreError
from settlement.store import guards
from settlement.store.log import HASHED, entry_hash
from tests import postgres, submissions

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "sample_data" / "daye"
REGION, YM, MONTH, TODAY = "daye", "202604", dt.date(2026, 4, 1), dt.date(2026, 5, 8)
NOW = dt.datetime.fromisoformat("2026-05-09T02:00:00")


def taken_in(folder: Path) -> Office:
    office = Office(store.open_store(folder), REGION, MONTH, TODAY)
    taking_in.load_reference(office, SAMPLE / "reference")
    taking_in.take_in(office, [SAMPLE / "submissions"], quiet)
    return office


@pytest.fixture(scope="module")
def accepted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a month taken in."""
    office = taken_in(tmp_path_factory.mktemp("accepted"))
    office.home.engine.dispose()
    return office.home.home


@pytest.fixture(scope="module")
def closed(accepted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with the month closed and a backup made."""
    folder = tmp_path_factory.mktemp("closed") / "home"
    shutil.copytree(accepted, folder)
    office = Office(store.open_store(folder), REGION, MONTH, TODAY)
    monthly.unattended(office)
    with office.home.engine.connect() as db:
        numbers = store.payments.orders(db, REGION, YM)["business_no"]
    receipt = folder.parent / "回单.csv"
    receipt.write_text("\n".join(["业务号,结果", *(f"{n},成功" for n in numbers)]), encoding="utf-8")
    paying.take_receipt(office, receipt)
    paying.close(office)
    monthly.write_all(office)
    backup.make(office.home, NOW)
    assert nightly.verify(office.home) == []
    office.home.engine.dispose()
    return folder


@pytest.fixture
def home(closed: Path, tmp_path: Path) -> store.Store:
    shutil.copytree(closed, tmp_path / "home")
    return store.open_store(tmp_path / "home")


# --- damage -----------------------------------------------------------------------------------


def sql(*statements: str) -> Callable[[store.Store], None]:
    """Do to the database what no rule of it allows, and cover the tracks."""

    def damage(home: store.Store) -> None:
        home.engine.dispose()
        with closing(sqlite3.connect(home.home / "settlement.db")) as db:
            for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                db.execute(f"DROP TRIGGER {name}")
            db.execute("PRAGMA ignore_check_constraints = ON")
            assert [s for s in statements if db.execute(s).rowcount < 1] == []
            db.commit()
        with home.engine.connect().execution_options(writing=True) as again, again.begin():
            guards.install(again)

    return damage


def rewritten_log(home: store.Store) -> None:
    """Change an entry and make the chain anew from there, so that it is whole in itself."""
    home.engine.dispose()
    with closing(sqlite3.connect(home.home / "settlement.db")) as db:
        db.row_factory = sqlite3.Row
        rows = [dict(r) for r in db.execute("SELECT * FROM log ORDER BY seq")]
    before, statements = None, []
    for row in rows:
        row["prev_hash"] = before
        row["reason"] = "另有原因" if row["seq"] == 5 else row["reason"]
        day = dt.date.fromisoformat(row["day"])
        before = row["hash"] = entry_hash({**{n: row[n] for n in (*HASHED, "record_hash")}, "day": day})
        values = ", ".join(f"{n} = {_literal(row[n])}" for n in ("prev_hash", "reason", "hash"))
        statements.append(f"UPDATE log SET {values} WHERE seq = {row['seq']}")
    sql(*statements)(home)


def _literal(value: str | None) -> str:
    return "NULL" if value is None else f"'{value}'"


def named(table: str, column: str = "path", where: str = "true") -> Callable[[store.Store], Path]:
    """A file that a table names."""

    def find(home: store.Store) -> Path:
        with home.engine.connect() as db:
            query = f"SELECT {column} FROM {table} WHERE {where} ORDER BY id LIMIT 1"
            return home.home / str(db.exec_driver_sql(query).scalar())

    return find


def published(name: str) -> Callable[[store.Store], Path]:
    return lambda home: home.month_folder(REGION, MONTH) / "data" / name


def kept_table(name: str) -> Callable[[store.Store], Path]:
    def find(home: store.Store) -> Path:
        return home.home / store.newest(home, REGION, MONTH, name)["paths"][name][0]

    return find


def original(home: store.Store) -> Path:
    folder = named("submission", "kept", "status = 'ACCEPTED'")(home)
    return next(p for p in sorted(folder.rglob("*")) if p.is_file())


def changed(find: Callable[[store.Store], Path]) -> Callable[[store.Store], None]:
    def damage(home: store.Store) -> None:
        path = find(home)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)

    return damage


def missing(find: Callable[[store.Store], Path]) -> Callable[[store.Store], None]:
    return lambda home: find(home).unlink()


def bank_copy(home: store.Store) -> Path:
    return next(p for p in home.month_folder(REGION, MONTH).glob("07_*.csv") if "控制" not in p.name)


def stray(home: store.Store) -> None:
    (home.month_folder(REGION, MONTH) / "data" / "old.parquet").write_bytes(b"x")


def misnamed(home: store.Store) -> None:
    (home.home / "store" / "ab").mkdir(exist_ok=True)
    (home.home / "store" / "ab" / f"ab{'0' * 62}.csv").write_bytes(b"x")


def trigger(*statements: str) -> Callable[[store.Store], None]:
    def damage(home: store.Store) -> None:
        with home.engine.begin() as db:
            for statement in statements:
                db.exec_driver_sql(statement)

    return damage


LAST = "(SELECT max(seq) FROM log)"
A_LINE = "(SELECT rowid FROM statement_line WHERE act_dfr_fen > 100 LIMIT 1)"
PAID_LINES = "FROM statement_line WHERE act_dfr_fen > 100"
OF_TWO = f"(SELECT batch_id {PAID_LINES} GROUP BY 1 HAVING count(*) > 1 LIMIT 1)"
MOVED = [
    f"UPDATE statement_line SET act_dfr_fen = act_dfr_fen {sign} 9, fund_appy_fen = fund_appy_fen {sign} 9 "
    f"WHERE rowid = (SELECT {which}(rowid) {PAID_LINES} AND batch_id = {OF_TWO})"
    for sign, which in (("+", "min"), ("-", "max"))
]
FILE_CHANGED = r".* (store|received)/.* 已被改动.*"
FILE_MISSING = r".* (store|received)/.* 缺失"
DAMAGES = {
    "an entry of the log altered": (
        sql("UPDATE log SET reason = 'x' WHERE seq = 3"),
        {r"日志:日志第 3 条的内容与其摘要不符"},
    ),
    "an entry of the log taken out": (
        sql("DELETE FROM log WHERE seq = 3"),
        {r"日志:日志第 3 条缺失.*"},
    ),
    "the log cut short": (
        sql(f"DELETE FROM log WHERE seq = {LAST}"),
        {r"备份 .*日志曾被改写或截短", r"批次 daye/202604/.* 第 \d+ 步\(CLOSED\)与日志第 \d+ 条所记不符"},
    ),
    "the log written anew": (rewritten_log, {r"备份 .*日志曾被改写或截短"}),
    "a table of a run changed": (changed(kept_table("findings")), {FILE_CHANGED}),
    "a table of a run missing": (missing(kept_table("payment")), {FILE_MISSING}),
    "a stored file changed": (changed(named("stored_file")), {FILE_CHANGED}),
    "a stored file missing": (missing(named("stored_file")), {FILE_MISSING}),
    "a reference version changed": (changed(named("reference_version")), {FILE_CHANGED}),
    "a bank file changed": (changed(named("pay_file")), {FILE_CHANGED}),
    "a bank file missing": (missing(named("pay_file")), {FILE_MISSING}),
    "a receipt changed": (changed(named("receipt")), {FILE_CHANGED}),
    "a receipt missing": (missing(named("receipt")), {FILE_MISSING}),
    "an original changed": (changed(original), {FILE_CHANGED}),
    "an original missing": (
        lambda home: shutil.rmtree(named("submission", "kept")(home)),
        {FILE_MISSING},
    ),
    "a file whose name is not its digest": (misnamed, {r"文件 store/ab/ab0+\.csv 的内容与其名称.*不符"}),
    "a ledger's balance altered": (
        sql("UPDATE ledger SET closing_fen = closing_fen + 1 WHERE rowid = 1"),
        {r"台账 daye:.*"},
    ),
    "an entry of a ledger taken out": (
        sql("UPDATE ledger SET seq = seq + 1, prev_seq = seq WHERE rowid = 1"),
        {r"台账 daye:.*"},
    ),
    "an amount of a statement altered": (
        sql(f"UPDATE statement_line SET det_fen = det_fen + 1 WHERE rowid = {A_LINE}"),
        {
            r"结算单 daye/202604/.*恒等式",
            r"daye 2026-04:结算单各基金与运行结果 payment 不符",
            r"daye 2026-04 机构 .* 基金 .*:结算单扣款 .* 元,复审决定入账合计 .* 元",
            r"daye 2026-04 机构 .* 基金 .*:结算单扣款 .* 元,清算分项合计 .* 元",
        },
    ),
    "the payable of a statement altered": (
        sql("UPDATE statement SET payable_fen = payable_fen + 1 WHERE rowid = 1"),
        {r"结算单 daye/202604/.*:应付 .*不符"},
    ),
    "money moved between the funds of a statement": (
        sql(*MOVED),
        {
            r"daye 2026-04:结算单各基金与运行结果 payment 不符",
            r"daye 2026-04 机构 .* 基金 .*:结算单申报额 .* 元,清算分项合计 .* 元",
            r"daye 2026-04 拨付指令 .*:.*不一致",
        },
    ),
    "an order altered": (
        sql("UPDATE pay_order SET amount_fen = amount_fen + 1 WHERE rowid = 1"),
        {r"银行文件 07_.*:文件 \d+ 笔 .*指令 .*", r"daye 2026-04 拨付指令 .*:.*不一致"},
    ),
    "an order taken out": (
        sql("DELETE FROM pay_order WHERE rowid = 1"),
        {r"银行文件 07_.*:文件 \d+ 笔 .*指令 .*", r"daye 2026-04 拨付指令 .*:.*不一致"},
    ),
    "the sum of a bank file altered": (
        sql("UPDATE pay_file SET sum_fen = sum_fen + 1 WHERE id = 1"),
        {r"银行文件 07_.*"},
    ),
    "the count of a bank file altered": (
        sql("UPDATE pay_file SET count = count + 1 WHERE id = 1"),
        {r"银行文件 07_.*"},
    ),
    "a published table changed": (
        changed(published("findings.parquet")),
        {r"daye 2026-04 公布的 findings.parquet 与登记不符.*"},
    ),
    "a published table missing": (
        missing(published("payment.parquet")),
        {r"daye 2026-04 公布的 payment.parquet .*"},
    ),
    "the published run changed": (changed(published("run.json")), {r"daye 2026-04 公布的 run.json .*"}),
    "a table nobody published": (stray, {r"daye 2026-04 的 data 目录多出 old.parquet.*"}),
    "the bank file that lies ready changed": (changed(bank_copy), {r"daye 2026-04 .*请勿提交银行"}),
    "a trigger dropped": (
        trigger("DROP TRIGGER guard_log_update"),
        {r"数据库触发器 guard_log_update 缺失、停用或被改动"},
    ),
    "a trigger that refuses nothing": (
        trigger(
            "DROP TRIGGER guard_log_update",
            "CREATE TRIGGER guard_log_update BEFORE UPDATE ON log WHEN false BEGIN SELECT 1; END",
        ),
        {r"数据库触发器 guard_log_update 缺失、停用或被改动"},
    ),
    "a trigger too many": (
        trigger("CREATE TRIGGER guard_extra AFTER INSERT ON log BEGIN SELECT 1; END"),
        {r"数据库触发器 guard_extra 缺失、停用或被改动"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
def test_every_kind_of_damage_is_found_and_nothing_else(home: store.Store, name: str) -> None:
    damage, expected = DAMAGES[name]
    damage(home)

    found = nightly.verify(home)

    assert [p for p in expected if not any(re.fullmatch(p, f) for f in found)] == [], found
    others = [f for f in found if not any(re.fullmatch(p, f) for p in expected)]
    if damage is rewritten_log or damage.__qualname__.startswith("sql."):
        # A row that was touched is also named with the commit it came in.
        others = [f for f in others if not f.startswith("登记:")]
    assert others == []


def test_the_words_are_there_in_english_too(home: store.Store) -> None:
    changed(named("receipt"))(home)
    stray(home)

    assert all(fault.isascii() for fault in (f.replace("回单", "") for f in nightly.verify(home, "en")))


def test_nothing_is_changed_by_looking(home: store.Store) -> None:
    def seen() -> dict[Path, float]:
        return {
            p: p.stat().st_mtime
            for p in home.home.rglob("*")
            if p.is_file() and "settlement.db" not in p.name
        }

    before = seen()
    nightly.verify(home)
    assert seen() == before


def settle(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["settle", *words])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    return int(stopped.value.code or 0)


def test_the_command_ends_with_3_when_something_is_wrong(
    home: store.Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--home", str(home.home), "--today", "2026-05-09", "verify"]
    assert settle(monkeypatch, *options) == 0
    assert "没有发现问题" in capsys.readouterr().out
    changed(published("findings.parquet"))(home)
    assert settle(monkeypatch, *options) == 3
    assert "findings.parquet" in capsys.readouterr().out
    assert settle(monkeypatch, "--json", *options) == 3
    assert len(json.loads(capsys.readouterr().out)["faults"]) == 1
    assert settle(monkeypatch, *options, "--republish") == 0


def test_a_dropped_trigger_is_told_although_opening_puts_it_back(
    home: store.Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trigger("DROP TRIGGER guard_log_update")(home)

    assert settle(monkeypatch, "--home", str(home.home), "verify") == 3
    assert "guard_log_update" in capsys.readouterr().out
    assert settle(monkeypatch, "--home", str(home.home), "verify") == 0


def test_a_new_home_has_nothing_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert settle(monkeypatch, "--home", str(tmp_path / "new"), "verify") == 0


# --- backup -----------------------------------------------------------------------------------


def restored(made: Path, target: Path) -> store.Store:
    """Open a backup as a home, as the operations page says."""
    shutil.copytree(made, target)
    home = store.open_store(target)
    nightly.republish(home)
    return home


def test_a_backup_opened_as_a_home_is_whole_and_goes_on(home: store.Store, tmp_path: Path) -> None:
    made = backup.make(home, NOW + dt.timedelta(hours=1))
    again = restored(made, tmp_path / "restored")

    assert backup.broken(made) == []
    assert nightly.verify(again) == []
    office = Office(again, REGION, MONTH, dt.date(2026, 5, 20))
    before = {p.name: p.read_bytes() for p in home.month_folder(REGION, MONTH).glob("*.xlsx")}
    monthly.write_all(office)
    after = {p.name: p.read_bytes() for p in again.month_folder(REGION, MONTH).glob("*.xlsx")}
    assert after == before


def test_settings_do_not_lead_a_copy_to_the_database_of_the_original(
    home: store.Store, tmp_path: Path
) -> None:
    url = f"sqlite:///{home.home / 'settlement.db'}"
    (home.home / "settle.toml").write_text(f'[database]\nurl = "{url}"\n', encoding="utf-8")
    made = backup.make(store.open_store(home.home), NOW)

    assert restored(made, tmp_path / "restored").engine.url.database != str(home.home / "settlement.db")
    assert url in (made / "settle.toml.saved").read_text(encoding="utf-8")
    assert (made / "settle.toml.saved").stat().st_mode & 0o077 == 0


def test_backups_share_what_does_not_change_with_each_other_and_not_with_the_home(home: store.Store) -> None:
    first = backup.make(home, NOW + dt.timedelta(days=1))
    second = backup.make(home, NOW + dt.timedelta(days=2))
    name = kept_table("findings")(home).relative_to(home.home)

    assert (first / name).stat().st_ino == (second / name).stat().st_ino != (home.home / name).stat().st_ino
    changed(kept_table("findings"))(home)
    assert backup.broken(backup.make(home, NOW + dt.timedelta(days=3))) == []


def test_where_the_disk_has_no_links_files_are_copied(
    home: store.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(self: Path, target: Path) -> None:
        raise OSError(95, "not supported")

    monkeypatch.setattr(Path, "hardlink_to", cannot)
    backup.make(home, NOW)
    assert backup.broken(backup.make(home, NOW)) == []


def test_only_the_newest_are_kept_when_asked(home: store.Store) -> None:
    shutil.rmtree(home.home / "backups")
    (home.home / "settle.toml").write_text("[schedule]\nkeep_backups = 2\n", encoding="utf-8")
    home = store.open_store(home.home)
    days = [NOW + dt.timedelta(days=n) for n in range(4)]

    made = [backup.make(home, day) for day in days[:3]]
    assert all(folder.is_dir() for folder in made)
    made.append(backup.make(home, days[3], prune=True))
    assert [folder.is_dir() for folder in made] == [False, False, True, True]
    assert [backup.make(home, days[3], prune=True).name, backup.newest(home)] == [
        f"{days[3]:%Y%m%d-%H%M%S}-2", home.home / "backups" / f"{days[3]:%Y%m%d-%H%M%S}-2",
    ]  # fmt: skip


def test_backups_can_go_to_another_disk(home: store.Store, tmp_path: Path) -> None:
    text = f'[schedule]\nbackup_folder = "{tmp_path / "elsewhere"}"\n'
    (home.home / "settle.toml").write_text(text, encoding="utf-8")

    assert backup.make(store.open_store(home.home), NOW).parent == tmp_path / "elsewhere"


def start(home: Path, code: str, *words: str) -> subprocess.Popen[str]:
    script = f"{code}\nimport sys\nfrom jobs import cli\nsys.argv = ['settle', *sys.argv[1:]]\ncli.main()\n"
    command = [sys.executable, "-c", script, "--home", str(home), "--today", "2026-05-08", *words]
    return subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def test_a_backup_that_was_cut_off_is_none_and_leaves_nothing(home: store.Store) -> None:
    before = backup.newest(home)
    dying = "import os, signal\nfrom jobs import backup\n" \
            "backup._copy_files = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"  # fmt: skip
    worker = start(home.home, dying, "backup")
    worker.communicate(timeout=60)
    assert worker.returncode == -signal.SIGKILL

    assert backup.newest(home) == before
    assert len(list((home.home / "backups").glob(".making-*"))) == 1
    backup.make(home, NOW)
    assert list((home.home / "backups").glob(".making-*")) == []


def test_what_another_process_is_making_is_left_alone(home: store.Store) -> None:
    theirs = home.home / "backups" / ".making-elsewhere.1.4711.99"
    theirs.mkdir()
    backup.make(home, NOW)

    assert theirs.is_dir()
    assert not holder.gone("elsewhere.1.4711.99")


def test_a_month_may_go_on_while_it_is_copied(accepted: Path, tmp_path: Path) -> None:
    shutil.copytree(accepted, tmp_path / "home")
    home = store.open_store(tmp_path / "home")
    worker = start(home.home, "", "--region", REGION, "--month", "2026-04", "month", "--unattended")
    made = []
    while worker.poll() is None:
        made.append(backup.make(home, NOW + dt.timedelta(seconds=len(made))))
    said = worker.communicate()[0]
    assert worker.returncode == 1, said  # the sample holds returned settlements

    # every tenth, and at the end the month as it went on
    seen = set()
    for number, folder in enumerate([*made[:: max(len(made) // 6, 1)], backup.make(home, NOW)]):
        copy = restored(folder, tmp_path / f"copy{number}")
        assert (nightly.verify(copy), backup.broken(folder)) == ([], [])
        with copy.engine.connect() as db:
            seen |= set(db.exec_driver_sql("SELECT DISTINCT state FROM batch").scalars())
        copy.engine.dispose()
    assert {"ACCEPTED", "PAID"} <= seen
    assert nightly.verify(home) == []


def test_what_is_done_between_the_database_and_the_files_harms_neither(
    accepted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(accepted, tmp_path / "home")
    home = store.open_store(tmp_path / "home")
    begun: list[str] = []

    def between(name: str) -> Callable[..., Any]:
        copy = getattr(backup, name)

        def after_a_month(*given: Any) -> Any:
            if begun:
                monthly.unattended(Office(home, REGION, MONTH, TODAY))
            begun.append(name)
            return copy(*given)

        return after_a_month

    for name in ("_copy_database", "_copy_files"):
        monkeypatch.setattr(backup, name, between(name))

    assert nightly.verify(restored(backup.make(home, NOW), tmp_path / "copy")) == []
    assert len(begun) == 2


# --- PostgreSQL -------------------------------------------------------------------------------


@pytest.fixture
def on_postgres(tmp_path: Path, new_database: Callable[[str], str]) -> Iterator[store.Store]:
    """A small month that was paid, with its database on a server."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "settle.toml").write_text(
        f'[database]\nurl = "{new_database("postgresql")}"\n', encoding="utf-8"
    )
    office = submissions.Office(folder, [submissions.HEALTHY])
    office.take(submissions.valid().zip(tmp_path))
    office.paid()
    yield office.home
    office.home.engine.dispose()


def test_a_home_on_postgresql_is_checked_the_same_way(on_postgres: store.Store) -> None:
    assert nightly.verify(on_postgres) == []
    with on_postgres.engine.begin() as db:
        db.exec_driver_sql("ALTER TABLE log DISABLE TRIGGER USER")
        db.exec_driver_sql("UPDATE log SET reason = 'x' WHERE seq = 2")
        db.exec_driver_sql("ALTER TABLE log ENABLE TRIGGER USER")
        db.exec_driver_sql("DROP TRIGGER guard_log_update ON log")

    found = nightly.verify(on_postgres)
    assert any("第 2 条的内容与其摘要不符" in f for f in found)
    assert any("guard_log_update" in f for f in found)
    assert [f.partition(":")[0] for f in found if "guard" not in f] == ["日志", "登记"]


def test_a_dump_of_postgresql_is_a_home_again(
    on_postgres: store.Store, empty_database: Callable[[str], str], tmp_path: Path
) -> None:
    made = backup.make(on_postgres, NOW)
    assert json.loads((made / "manifest.json").read_text(encoding="utf-8"))["database"] == "settlement.dump"
    address = empty_database("postgresql")
    command = [
        postgres.programs() / "pg_restore",
        "--no-owner",
        f"--dbname={address}",
        made / "settlement.dump",
    ]
    subprocess.run(command, check=True, capture_output=True)
    target = tmp_path / "restored"
    shutil.copytree(made, target)
    (target / "settle.toml").write_text(f'[database]\nurl = "{address}"\n', encoding="utf-8")
    again = store.open_store(target)
    nightly.republish(again)

    assert nightly.verify(again) == []
    with again.engine.connect() as mine, on_postgres.engine.connect() as theirs:
        query = sa.text("SELECT state, count(*) FROM batch GROUP BY 1")
        assert mine.execute(query).all() == theirs.execute(query).all() != []
    again.engine.dispose()


def test_without_pg_dump_it_says_so_and_leaves_nothing(
    on_postgres: store.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup.shutil, "which", lambda name: None)

    with pytest.raises(StoreError, match="pg_dump"):
        backup.make(on_postgres, NOW)
    assert list((on_postgres.home / "backups").iterdir()) == []
