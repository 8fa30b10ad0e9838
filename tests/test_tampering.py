"""What somebody with every right on the disk and the database may alter, and the check that names it.

An attacker drops the triggers, alters, and puts them back, so that guards alone do not tell. Each case says
what is altered and what the check must name; what nothing else repeats, the digest of its commit tells.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa

from jobs import anchors, backup, books, cli, documents, nightly, proof, rebuild
from settlement import policy, store
from settlement.audit import rules_file
from settlement.errors import SettlementError
from settlement.reports.proof import FILE
from settlement.store import commits, guards
from settlement.store.log import entry_hash
from settlement.store.schema import BATCH, COMMIT, LOG, TRACKED
from tests import closed_month
from tests.closed_month import MONTH, REGION, YM
from tests.test_nightly import sql

Alter = Callable[[store.Store], None]


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("closed") / "home"
    closed_month.make(folder)
    shutil.rmtree(folder / backup.FOLDER)
    return folder


@pytest.fixture
def home(closed: Path, tmp_path: Path) -> Iterator[store.Store]:
    shutil.copytree(closed, tmp_path / "home")
    opened = store.open_store(tmp_path / "home")
    yield opened
    opened.engine.dispose()


def value(home: store.Store, query: str) -> Any:
    with home.engine.connect() as db:
        return db.exec_driver_sql(query).scalar()


def verified(home: store.Store) -> list[str]:
    return nightly.verify(home)


# --- rows of the database ---------------------------------------------------------------------

FINAL = "(SELECT rowid FROM decision WHERE outcome = '维持' ORDER BY final_fen DESC LIMIT 1)"
WITHDRAWN = "(SELECT rowid FROM decision WHERE outcome = '撤销' AND limit_fen > 0 LIMIT 1)"
A_FINDING = "(SELECT rowid FROM finding WHERE det_fen > 100 LIMIT 1)"
LINE = "(SELECT rowid FROM statement_line WHERE act_dfr_fen > 100 LIMIT 1)"
CLOSED = "(SELECT min(id) FROM batch WHERE state = 'CLOSED')"
CARRIED = "(SELECT id FROM batch WHERE state = 'CARRIED')"
DEPOSIT = "(SELECT min(rowid) FROM ledger WHERE book = 'deposit')"
TWO = "(SELECT business_no FROM pay_order WHERE file_id = 1 ORDER BY business_no LIMIT 2)"
ROWS: dict[str, tuple[Alter, tuple[str, ...]]] = {
    "a decision lowered": (
        sql(f"UPDATE decision SET outcome = '部分维持', final_fen = final_fen - 100 WHERE rowid = {FINAL}"),
        ("的复审决定合计与日志所记不符", "复审决定入账合计", "复审结论或扣款与结算所用不符"),
    ),
    "a decision turned round": (
        sql(f"UPDATE decision SET outcome = '撤销', final_fen = 0 WHERE rowid = {FINAL}"),
        ("的复审决定合计与日志所记不符", "复审决定入账合计", "复审结论或扣款与结算所用不符"),
    ),
    "a withdrawn finding upheld": (
        sql(f"UPDATE decision SET outcome = '维持', final_fen = limit_fen WHERE rowid = {WITHDRAWN}"),
        ("的复审决定合计与日志所记不符",),
    ),
    "a decision that does not fit its amount": (
        sql(f"UPDATE decision SET final_fen = final_fen - 1 WHERE rowid = {FINAL}"),
        ("的复审决定合计与日志所记不符", "复审决定无法入账"),
    ),
    "a finding's amount": (
        sql(
            "UPDATE finding SET det_fen = det_fen - 1, risk_fen = risk_fen - 1, limit_fen = limit_fen - 1 "
            f"WHERE rowid = {A_FINDING}"
        ),
        ("1 条疑点的登记与初审结果表不符",),
    ),
    "a finding taken out": (
        sql(f"DELETE FROM finding WHERE rowid = {A_FINDING}"),
        ("1 条疑点的登记与初审结果表不符",),
    ),
    "a finding added": (
        sql(
            "INSERT INTO finding SELECT batch_id, run_id, 'feedfeedfeedfeed', rule_id, grade, risk_fen, "
            f"det_fen, limit_fen, commit_no FROM finding WHERE rowid = {A_FINDING}"
        ),
        ("1 条疑点的登记与初审结果表不符,如 feedfeedfeedfeed",),
    ),
    "a ledger entry that still rolls forward": (
        sql(
            "UPDATE ledger SET plus_fen = plus_fen + 500, closing_fen = closing_fen + 500 "
            f"WHERE rowid = {DEPOSIT}"
        ),
        ("质量保证金余额台账的登记与结算单不符",),
    ),
    "a ledger entry added": (
        sql(
            "INSERT INTO ledger (region, fixmedins_code, fund_pay_type, book, seq, prev_seq, kind, clr_ym, "
            "opening_fen, plus_fen, minus_fen, closing_fen, source, note, day, actor) "
            "SELECT region, fixmedins_code, fund_pay_type, book, seq + 1, seq, kind, clr_ym, closing_fen, "
            "900, 0, closing_fen + 900, source || '2', note, day, actor FROM ledger "
            f"WHERE rowid = {DEPOSIT}"
        ),
        ("质量保证金余额台账的登记与结算单不符",),
    ),
    "a statement line with its identity kept": (
        sql(f"UPDATE statement_line SET det_fen = det_fen + 9, dpst_fen = dpst_fen - 9 WHERE rowid = {LINE}"),
        ("结算单各基金与运行结果 payment 不符", "复审决定入账合计", "台账的登记与结算单不符", "清算分项合计"),
    ),
    "two orders' amounts exchanged": (
        sql(
            "UPDATE pay_order SET amount_fen = (SELECT sum(amount_fen) FROM pay_order "
            f"WHERE business_no IN {TWO}) - amount_fen WHERE business_no IN {TWO}"
        ),
        ("金额或收款账号不一致",),
    ),
    "an order's account": (
        sql("UPDATE pay_order SET bankacct = '6222000000000000' WHERE rowid = 1"),
        ("金额或收款账号不一致",),
    ),
    "the reason of a log entry": (
        sql("UPDATE log SET reason = '另有原因' WHERE seq = 40"),
        ("日志第 40 条的内容与其摘要不符",),
    ),
    "a log entry taken out": (sql("DELETE FROM log WHERE seq = 40"), ("日志第 40 条缺失",)),
    "a batch's state": (
        sql(f"UPDATE batch SET state = 'PAID' WHERE id = {CLOSED}"),
        ("登记的状态 PAID 与其最后一步 CLOSED 不符",),
    ),
    "a batch's state with its last step": (
        sql(
            f"UPDATE batch SET state = 'CARRIED' WHERE id = {CLOSED}",
            f"UPDATE transition SET to_state = 'CARRIED' WHERE to_state = 'CLOSED' AND batch_id = {CARRIED}",
        ),
        ("(CARRIED)与日志第",),
    ),
    "who took a step": (
        sql("UPDATE transition SET actor = 'robot_leader_2' WHERE to_state = 'SETTLED'"),
        ("(SETTLED)与日志第",),
    ),
    "the audit a batch rests on": (
        sql(f"UPDATE batch SET run_id = run_id + 1 WHERE id = {CLOSED}"),
        ("登记依据第 2 次运行,日志所记为第 1 次",),
    ),
    "a user's role added": (
        sql("INSERT INTO user_role VALUES ('robot_leader', 'finance', 1)"),
        ("用户 robot_leader:现有岗位 finance, leader,日志所记为 leader",),
    ),
    "a user's role taken": (
        sql("UPDATE user_role SET active = 0 WHERE name = 'robot_leader_2'"),
        ("用户 robot_leader_2:现有岗位 -,日志所记为 leader",),
    ),
    "a signature under another name": (
        sql("UPDATE approval SET actor = 'robot_leader_2' WHERE rowid = (SELECT min(rowid) FROM approval)"),
        ("robot_leader_2 核准", "日志所记 robot_leader 核准"),
    ),
    "a run's fingerprint": (
        sql("UPDATE month_run SET fingerprint = upper(fingerprint) WHERE id = 1"),
        ("第 1 次运行的 fingerprint 与其 run.json 所记不符",),
    ),
}
ONLY_BY_DIGEST_OF_ROWS = {
    "an institution's answer": "UPDATE reply SET reason = 'x' WHERE rowid = 1",
    "the reason of a decision": f"UPDATE decision SET reason = 'x' WHERE rowid = {FINAL}",
    "the last day to answer": "UPDATE notice SET answer_by = '2026-12-31' WHERE rowid = 1",
    "the day the bank paid": "UPDATE pay_result SET bank_day = '2026-06-30' WHERE rowid = 1",
    "the note of a ledger entry": "UPDATE ledger SET note = 'x' WHERE rowid = 1",
    "how many must sign": "UPDATE statement SET signatures = signatures + 1 WHERE rowid = 1",
    "the day a submission came": "UPDATE submission SET received_on = '2026-05-01' WHERE id = 1",
    "who audited": "UPDATE batch_duty SET actor = 'robot_leader_2' WHERE rowid = "
    "(SELECT min(rowid) FROM batch_duty WHERE duty = 'first_review')",
}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_altered_is_named(home: store.Store, name: str) -> None:
    alter, words = ROWS[name]
    alter(home)

    found = verified(home)

    assert [w for w in words if not any(w in f for f in found)] == [], found


@pytest.mark.parametrize("name", ONLY_BY_DIGEST_OF_ROWS)
def test_a_row_that_nothing_else_repeats_is_named(home: store.Store, name: str) -> None:
    """Nothing else says what such a row should be; the digest of its commit names its table and author."""
    sql(ONLY_BY_DIGEST_OF_ROWS[name])(home)

    found = verified(home)
    table = ONLY_BY_DIGEST_OF_ROWS[name].split()[1]
    assert [f for f in found if f.startswith(f"登记:表 {table} ")] == found, found
    assert found


def test_what_is_not_altered_is_not_told(home: store.Store) -> None:
    assert verified(home) == []
    assert rebuild.rebuild(home).different == []


# --- files ------------------------------------------------------------------------------------


def kept_file(home: store.Store, table: str) -> Path:
    return home.home / store.newest(home, REGION, MONTH, table)["paths"][table][0]


def other_cell(path: Path, column: str) -> bytes:
    """A table with one amount a 分 larger, as bytes."""
    rows = pl.read_parquet(path)
    first = pl.int_range(pl.len()) == 0
    more = pl.when(first).then(pl.col(column) + pl.lit("0.01").cast(pl.Decimal(16, 2))).otherwise(column)
    target = path.with_name("made")
    rows.with_columns(more.cast(rows.schema[column]).alias(column)).write_parquet(target, compression="zstd")
    data = target.read_bytes()
    target.unlink()
    return data


def renamed(home: store.Store, path: Path, data: bytes) -> tuple[str, str, str, str]:
    """Put other bytes in a file's place under the name of their own digest; old and new path and digest."""
    path.write_bytes(data)
    digest = store.file_digest(path)
    target = path.parent.parent / digest[:2] / f"{digest}{path.suffix}"
    target.parent.mkdir(exist_ok=True)
    path.rename(target)
    return (
        path.relative_to(home.home).as_posix(), target.relative_to(home.home).as_posix(), path.stem, digest,
    )  # fmt: skip


@pytest.mark.parametrize(("table", "column"), [("payment", "act_dfr_amt"), ("findings", "risk_amt")])
def test_a_cell_of_a_kept_table_is_named_by_its_file(home: store.Store, table: str, column: str) -> None:
    path = kept_file(home, table)
    path.write_bytes(other_cell(path, column))

    assert any(f"month_run 2 {table}" in f and path.name in f and "已被改动" in f for f in verified(home))


def test_the_same_under_the_name_of_its_digest_is_missing_under_the_recorded_one(
    home: store.Store,
) -> None:
    path = kept_file(home, "payment")
    renamed(home, path, other_cell(path, "act_dfr_amt"))

    assert any("month_run 2 payment" in f and path.name in f and "缺失" in f for f in verified(home))


def test_the_same_with_the_row_that_names_it_is_told_by_the_runs_own_description(home: store.Store) -> None:
    path = kept_file(home, "payment")
    old, new, before, after = renamed(home, path, other_cell(path, "act_dfr_amt"))
    sql(f"UPDATE month_run SET paths = replace(replace(paths, '{old}', '{new}'), '{before}', '{after}'), "
        f"files = replace(files, '{before}', '{after}')")(home)  # fmt: skip

    found = verified(home)

    assert any("第 2 次运行的 payment 与其 run.json 所记不符" in f for f in found)
    assert any("结算单各基金与运行结果 payment 不符" in f for f in found)
    tables = [(t.run, t.table) for t in rebuild.rebuild(home).different]
    assert tables == [(2, "payment")]


def test_what_the_audit_found_altered_everywhere_is_told_by_computing_it_again(home: store.Store) -> None:
    path = kept_file(home, "_found")
    rows = pl.read_parquet(path).slice(1)  # the first finding never was
    gone = pl.read_parquet(path)["finding_id"][0]
    target = path.with_name("made")
    rows.write_parquet(target, compression="zstd", statistics=True)
    old, new, before, after = renamed(home, path, target.read_bytes())
    target.unlink()
    paths = f"replace(replace(paths, '{old}', '{new}'), '{before}', '{after}')"
    sql(f"UPDATE month_run SET paths = {paths}")(home)

    different = rebuild.rebuild(home).different

    assert (1, "_found", 1) in [(t.run, t.table, t.rows) for t in different]
    assert any(gone in f for f in verified(home))


def test_rows_of_a_submission_altered_everywhere_are_told_by_computing_again(home: store.Store) -> None:
    path = home.home / value(
        home, "SELECT path FROM stored_file WHERE \"table\" = 'accepted' ORDER BY id LIMIT 1"
    )
    old, new, before, after = renamed(home, path, other_cell(path, "medfee_sumamt"))
    sql(f"UPDATE stored_file SET path = '{new}', digest = '{after}' WHERE path = '{old}'")(home)
    assert before != after

    different = rebuild.rebuild(home).different

    assert {(1, "settlements"), (2, "settlements"), (2, "clearing")} <= {(t.run, t.table) for t in different}
    assert "登记的数据曾被改动" in rebuild.faults(rebuild.Rebuilt(different, {}), "zh")[0]


def test_a_reference_table_altered_everywhere_is_told_by_the_log(home: store.Store) -> None:
    path = home.home / value(home, "SELECT path FROM reference_version WHERE name = 'price_limit'")
    old, new, before, after = renamed(home, path, other_cell(path, "hilist_pric_uplmt_amt"))
    sql(f"UPDATE reference_version SET path = '{new}', digest = '{after}' WHERE path = '{old}'",
        f"UPDATE month_run SET basis = replace(basis, '{old}', '{new}')")(home)  # fmt: skip

    assert any("reference:price_limit 的摘要" in f and before[:16] in f for f in verified(home))


def test_two_files_exchanged_are_both_named(home: store.Store) -> None:
    one, other = kept_file(home, "clearing"), kept_file(home, "payment")
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)

    found = verified(home)

    for table, path in (("clearing", one), ("payment", other)):
        assert any(f"month_run 2 {table}" in f and path.name in f and "已被改动" in f for f in found)


@pytest.mark.parametrize("table", ["settlements", "_details", "run"])
def test_a_file_deleted_is_named(home: store.Store, table: str) -> None:
    path = kept_file(home, table)
    path.unlink()

    assert any(f"{table}:" in f and path.name in f and "缺失" in f for f in verified(home))


# --- the log's tail ---------------------------------------------------------------------------


def log_cut(home: store.Store) -> None:
    """Take the last commit away whole, so that what is left agrees."""
    with by_hand(home) as db:
        last = commits.newest(db).no
        for table in TRACKED:
            db.execute(sa.delete(table).where(table.c.commit_no == last))
        for row in commits.rows_at(db, BATCH, last - 1):
            db.execute(BATCH.update().where(BATCH.c.id == row["id"]).values(**row))
        db.execute(COMMIT.delete().where(COMMIT.c.no == last))


def log_written_anew(home: store.Store) -> None:
    """Another reason in an old entry, and every hash from there on made to fit, those of commits too."""
    with by_hand(home) as db:
        entry_before, commit_before = None, ""
        for commit in db.execute(sa.select(COMMIT).order_by(COMMIT.c.no)).fetchall():
            mine = sa.select(LOG).where(LOG.c.commit_no == commit.no).order_by(LOG.c.seq)
            for row in db.execute(mine).fetchall():
                facts = dict(row._mapping) | {"prev_hash": entry_before, "record_hash": commit_before}
                facts["reason"] = "另有原因" if row.seq == 5 else row.reason
                facts["hash"] = entry_before = entry_hash(facts)
                db.execute(LOG.update().where(LOG.c.seq == row.seq).values(**facts))
            added = json.loads(commit.added)
            if "log" in added:
                found = commits._rows(db, LOG, LOG.c.commit_no == commit.no)
                added["log"] = commits._digest(values for _, values in found)
            facts = dict(commit._mapping) | {
                "added": json.dumps(added, sort_keys=True),
                "prev_hash": commit_before,
            }
            facts["hash"] = commit_before = commits._hash(facts)
            db.execute(COMMIT.update().where(COMMIT.c.no == commit.no).values(**facts))


@contextmanager
def by_hand(home: store.Store) -> Iterator[sa.Connection]:
    """The database without its triggers and foreign keys, which are put back."""
    home.engine.dispose()
    engine = sa.create_engine(f"sqlite:///{home.home / 'settlement.db'}")
    with engine.begin() as db:
        guards.drop(db)
        yield db
        guards.install(db)
    engine.dispose()


def outside(home: store.Store, folder: Path) -> Path:
    """The month's proof, put aside before anything is altered."""
    return Path(shutil.copy(home.month_folder(REGION, MONTH) / FILE, folder / "证明.xlsx"))


TAILS = {"cut": (log_cut, "日志尾部曾被截去"), "written anew": (log_written_anew, "曾被改写")}


@pytest.mark.parametrize("name", TAILS)
def test_a_tail_that_agrees_with_itself_is_told_by_a_proof_kept_outside(
    home: store.Store, tmp_path: Path, name: str
) -> None:
    alter, words = TAILS[name]
    kept_outside = outside(home, tmp_path)
    ((seq, digest),) = anchors.heads(str(kept_outside))
    assert anchors.check(home, [str(kept_outside), f"{seq}:{digest}"]) == []
    alter(home)

    assert verified(home) == []
    found = anchors.check(home, [str(kept_outside)])

    assert len(found) == 1
    assert "证明.xlsx" in found[0]
    assert words in found[0]
    assert len(anchors.check(home, [f"{seq}:{digest}"])) == 1


@pytest.mark.parametrize("name", TAILS)
def test_the_newest_backup_tells_it_too(home: store.Store, name: str) -> None:
    backup.make(home, closed_month.NOW)
    TAILS[name][0](home)

    assert any("日志曾被改写或截短" in f for f in verified(home))


def test_the_command_takes_proofs_and_names_what_they_tell(
    home: store.Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept_outside = outside(home, tmp_path)

    def settle(*words: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["settle", "--home", str(home.home), *words])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        return int(stopped.value.code or 0), capsys.readouterr().out

    assert settle("verify", "--proof", str(kept_outside))[0] == 0
    code, said = settle("--json", "verify", "--rebuild")
    tables = json.loads(said)["rebuilt"]
    assert code == 0
    assert {t["result"] for t in tables} == {"equal"}
    assert {t["table"] for t in tables if t["run"] == 2} >= {"findings", "payment", "clearing", "settlements"}
    log_cut(home)
    code, said = settle("--lang", "en", "verify", "--proof", str(kept_outside), "--proof", f"5:{'0' * 64}")
    assert code == 3
    assert "the log's tail was cut off" in said
    assert "the log was rewritten at or before it" in said
    assert settle("verify", "--proof", "nothing.xlsx")[0] == 2


def test_the_proof_has_the_same_bytes_until_the_month_moves(home: store.Store) -> None:
    desk = closed_month.office(home.home)
    path = home.month_folder(REGION, MONTH) / FILE
    before = path.read_bytes()
    with store.writing(home) as db:
        store.log.write(db, desk.act("review"), store.Change("refused", {}, {"words": "x"}))
    documents.write(desk, papers=documents.FUND_ONLY)

    assert path.read_bytes() == before
    assert anchors.heads(str(path))[0][0] == value(home, "SELECT max(log_seq) FROM transition")


@pytest.mark.parametrize(
    "content",
    [b"", b"no head here", b"12:abc", b"PK\x03\x04 broken"],
    ids=["empty", "without", "short", "broken"],
)
@pytest.mark.parametrize("suffix", [".txt", ".xlsx"])
def test_a_proof_that_holds_no_head_is_refused(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"proof{suffix}"
    path.write_bytes(content)

    with pytest.raises(SettlementError, match="proof"):
        anchors.heads(str(path))


# --- rules, parameters, code ------------------------------------------------------------------


def test_an_edited_parameter_is_told_with_the_profile_as_the_likely_cause(
    home: store.Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "policies"
    shutil.copytree(policy.FOLDER, folder)
    profile = folder / "national.toml"
    text = profile.read_text(encoding="utf-8")
    at = text.index("parameters.deposit_ratio")
    profile.write_text(text[:at] + text[at:].replace("0.05", "0.06", 1), encoding="utf-8")
    real = policy.load
    monkeypatch.setattr(policy, "load", lambda region: real(region, folder))

    rebuilt = rebuild.rebuild(home)

    assert [(t.run, t.table) for t in rebuilt.different] == [(2, "payment")]
    assert all("政策参数文件" in fault for fault in rebuild.faults(rebuilt, "zh"))


def test_an_edited_rule_is_told_by_its_id(home: store.Store, monkeypatch: pytest.MonkeyPatch) -> None:
    real = {rule.rule_id: rule for rule in rules_file.load_all()}
    nothing = f"SELECT * FROM ({real['B08'].sql.rstrip().rstrip(';')}) WHERE false"
    edited = {**real, "B08": replace(real["B08"], sql=nothing, digest="1" * 64)}

    def opened(*args: Any, **kept: Any) -> books.Month:
        return replace(books.open_month(*args, **kept), rules=tuple(edited.values()))

    monkeypatch.setattr(rebuild, "open_month", opened)

    rebuilt = rebuild.rebuild(home)

    assert {(t.run, t.table) for t in rebuilt.different} == {
        (1, "_found"),
        (1, "_risk_funds"),
        (1, "_details"),
    }
    assert all("规则 B08" in fault for fault in rebuild.faults(rebuilt, "zh"))


def test_other_code_that_computes_the_same_is_told_and_is_no_fault(
    home: store.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "code_digest", lambda: "2" * 64)

    rebuilt = rebuild.rebuild(home)

    assert rebuilt.different == []
    assert all("程序代码" in words[0] and "222222222222" in words[0] for words in rebuilt.otherwise.values())
    assert sorted(rebuilt.otherwise) == [1, 2]


def test_a_rebuild_changes_nothing(home: store.Store) -> None:
    def seen() -> dict[Path, tuple[int, int]]:
        files = (p for p in home.home.rglob("*") if p.is_file() and "settlement.db" not in p.name)
        return {p: (p.stat().st_size, p.stat().st_mtime_ns) for p in files}

    rows = value(home, "SELECT count(*) || ' ' || max(hash) FROM log")
    before = seen()

    rebuild.rebuild(home, REGION, MONTH)

    assert seen() == before
    assert value(home, "SELECT count(*) || ' ' || max(hash) FROM log") == rows
    assert value(home, f"SELECT count(*) FROM month_run WHERE clr_ym = '{YM}'") == 2
