"""Commands for people who write rules, and the rule book."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import polars as pl

from jobs import auditing
from settlement.audit import rulebook, rules_file
from settlement.audit.cases import CASES
from tests.submissions import HEALTHY, Office
from tests.test_cli import settle
from tests.test_lookback import APRIL, MARCH, audited, month, office

__all__ = ["office"]  # a fixture
ROOT = Path(__file__).parent.parent


def test_the_rule_book_is_current() -> None:
    assert (ROOT / "docs" / "rules.md").read_text(encoding="utf-8") == rulebook.render(dt.date(2026, 4, 30))


def test_the_rule_book_says_all_there_is_to_say() -> None:
    page = rulebook.render(dt.date(2026, 4, 30))

    for rule in rules_file.load_all():
        for said in (rule.name, rule.purpose, rule.message, rule.misses, *rule.parameters, *rule.reads):
            assert said in page


def test_list_names_all_86_rules(capsys, monkeypatch) -> None:
    code, out, _ = settle(capsys, monkeypatch, "--json", "rules", "list")
    rows = json.loads(out)

    assert code == 0
    assert len(rows) == 86
    assert [sum(r["id"].startswith(letter) for r in rows) for letter in "ABCDE"] == [19, 20, 20, 15, 12]
    assert "重复结算" in settle(capsys, monkeypatch, "rules", "list")[1]
    assert "settled twice" in settle(capsys, monkeypatch, "--lang", "en", "rules", "list")[1]


def test_show_gives_parameters_with_their_source_and_the_sql(capsys, monkeypatch) -> None:
    code, out, _ = settle(
        capsys, monkeypatch, "--region", "daye", "--today", "2026-05-08", "rules", "show", "c03"
    )

    assert code == 0
    assert "child_max_age=14" in out
    assert "推定" in out
    assert "SELECT" in out
    assert settle(capsys, monkeypatch, "rules", "show", "Z99")[0] == 2


def test_the_cases_of_a_rule_of_ones_own_need_no_python(tmp_path, capsys, monkeypatch) -> None:
    """A copy of a rule under a new id, with its cases: they pass, and fail once the rule is broken."""
    rules, given = tmp_path / "rules", tmp_path / "cases"
    rules.mkdir()
    given.mkdir()
    source = next(rules_file.RULES.glob("A08_*.sql")).read_text(encoding="utf-8").replace('"A08"', '"A99"', 1)
    cases = (CASES / "A08.toml").read_text(encoding="utf-8").replace('"A08"', '"A99"', 1)
    (rules / "A99_own.sql").write_text(source, encoding="utf-8")
    (given / "A99.toml").write_text(cases, encoding="utf-8")
    words = ("--json", "rules", "test", "A99", "--rules", str(rules), "--cases", str(given))

    code, out, _ = settle(capsys, monkeypatch, *words)
    assert code == 0
    assert json.loads(out)["failed"] == []
    assert json.loads(out)["cases"] > 3

    broken = source.replace("s.sd < m.first_day", "s.sd <= m.first_day")
    assert broken != source
    (rules / "A99_own.sql").write_text(broken, encoding="utf-8")
    code, out, _ = settle(capsys, monkeypatch, *words)
    assert code == 1
    assert json.loads(out)["failed"]

    (given / "A99.toml").unlink()
    code, out, _ = settle(capsys, monkeypatch, *words)
    assert (code, json.loads(out)["without_cases"]) == (1, ["A99"])


def test_what_if_and_statistics_by_command(office: Office, tmp_path, capsys, monkeypatch) -> None:
    audited(office, MARCH, month(MARCH, 28), tmp_path)
    audited(office, APRIL, month(APRIL, 5), tmp_path)
    where = ("--home", str(office.home.home), "--region", office.region, "--month", "2026-04")
    folder = tmp_path / "rules"
    folder.mkdir()
    path = next(rules_file.RULES.glob("B07_*.sql"))
    (folder / path.name).write_text(
        path.read_text(encoding="utf-8").replace('"违规"', '"可疑"', 1), encoding="utf-8"
    )

    code, out, _ = settle(
        capsys, monkeypatch, *where, "--json", "whatif", "--rules", str(folder),
        "--months", "2026-03..2026-04", "--out", str(tmp_path / "differences.csv"),
    )  # fmt: skip
    told = json.loads(out)
    assert code == 0
    assert told["months"] == ["202603", "202604"]
    assert [r["rule_id"] for r in told["by_rule"]] == ["B07"]
    assert [r["fixmedins_code"] for r in told["by_institution"]] == [HEALTHY]
    listed = pl.read_csv(tmp_path / "differences.csv", infer_schema=False)
    assert listed["变化"].to_list() == ["变化"]

    words = (*where, "whatif", "--set", "course_gap_days=3", "--months", "2026-04")
    assert "没有差异" in settle(capsys, monkeypatch, *words)[1]
    assert settle(capsys, monkeypatch, *where, "whatif", "--months", "2026-04")[0] == 2
    assert (
        settle(capsys, monkeypatch, *where, "whatif", "--set", "course_gap_days", "--months", "2026-04")[0]
        == 2
    )
    assert settle(capsys, monkeypatch, *where, "whatif", "--set", "nothing=1", "--months", "2026-04")[0] == 3

    code, out, _ = settle(capsys, monkeypatch, *where, "rules", "stats")
    assert code == 0
    assert "B07" in out


def test_progress_is_told_rule_by_rule(office: Office, tmp_path) -> None:
    office.take(month(APRIL, 5).folder(tmp_path), month=APRIL)
    seen: list[tuple[str, int, int]] = []

    auditing.run_audit(office.desk(APRIL), lambda step, done, total: seen.append((step, done, total)))

    assert [s for s in seen if s[0] == "初审"] == [("初审", n, 86) for n in range(87)]
