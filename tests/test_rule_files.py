"""Every rule file keeps the rule contract, whatever its subject."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import duckdb
import pytest

from settlement import policy
from settlement.audit import cases as rule_cases
from settlement.audit import engine, findings, rules_file
from settlement.audit.rules_file import RULES, Rule
from settlement.errors import RuleError

FILES = sorted(RULES.glob("*.sql"))
CASE_FILES = sorted(rule_cases.CASES.glob("*.toml"))
DATES = "begndate|enddate|sd|d|brdy|die_date|first_day|last_day|fee_ocur_time|setl_time"
PAGE = 95  # lines of SQL, blank ones and comments left out
# What another engine does not know or answers differently, what is not repeatable, what is not exact.
FORBIDDEN = {
    "every column": r"\bselect\s+\*|\w\.\*|\bdistinct\s+\*",
    "asof join": r"\basof\b",
    "hash": r"\b(hash|md5|sha\w*)\s*\(",
    "list": r"\b(list|array_agg|len|array_length|list_\w+|unnest)\s*\(",
    "pivot": r"\b(un)?pivot\b",
    "lambda": r"->|\blambda\b",
    "other statements": r"\b(create|insert|update|delete|drop|alter|copy|attach|install|pragma|call)\b",
    "files": r"\b(read_\w+|glob|parquet_scan|sniff_csv)\s*\(",
    "clock or chance": r"\b(now|today|current_\w+|random|uuid|get_current_\w+)\b",
    "float": r"\b(double|float|real)\b",
    "division": r"(?<!/)/(?!/)",
    "subtraction of dates": rf"\b({DATES})\s*-\s*(?!interval\b)[a-z(]",
    "alias days": r"\bas\s+days\b",
    # Numbers of the run: another run gives others, so they are neither shown nor put in order.
    "number shown": r"\w_key\s*\|\||\|\|\s*(\w+\.)?\w+_key\b|\b(\w+\.)?\w+_key\s+as\s+varchar\b",
    "order of numbers": r"\border\s+by\b[^()]*\w_key\b",
}


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture
def rule(path: Path) -> Rule:
    return rules_file.read(path)


def test_rules_load_and_have_unique_ids() -> None:
    ids = [rule.rule_id for rule in rules_file.load_all()]

    assert ids == sorted(set(ids))


def test_file_is_named_after_id_and_english_name(path: Path, rule: Rule) -> None:
    assert re.fullmatch(r"[A-E]\d{2}_[a-z0-9]+(_[a-z0-9]+)*", path.stem)
    assert path.stem[:3] == rule.rule_id


def test_header_says_something(rule: Rule) -> None:
    texts = (
        rule.name, rule.name_en, rule.purpose, rule.purpose_en, rule.message, rule.message_en, rule.misses,
    )  # fmt: skip

    assert all(text.strip() for text in texts)
    assert rule.clr_types
    assert rule.reads
    assert rule.effective_to is None or rule.effective_to >= rule.effective_from
    assert re.fullmatch(r"|(GZ|ZB)\d{14}", rule.national_ref)


def test_basis_is_a_known_source_in_force(rule: Rule) -> None:
    assert rule.basis
    for region in policy.regions():
        sources = policy.load(region).sources
        for source, article in rule.basis:
            assert source in sources
            assert article.strip()
            assert sources[source]["from"] <= rule.effective_from or _later(rule)


def _later(rule: Rule) -> bool:
    """A rule may cite a later text beside one that was already in force when it took effect."""
    sources = policy.load(policy.regions()[0]).sources
    return any(sources[s]["from"] <= rule.effective_from for s, _ in rule.basis)


def test_parameters_are_in_every_profile_with_the_same_unit(rule: Rule) -> None:
    assert set(re.findall(r"\$(\w+)", _plain(rule.sql))) == set(rule.parameters)
    for region in policy.regions():
        profile = policy.load(region)
        for name, about in rule.parameters.items():
            assert set(about) == {"unit", "meaning"}
            assert about["meaning"].strip()
            assert profile.parameter(name).unit == about["unit"]
            assert profile.value(name, rule.effective_from) is not None


def test_reads_names_what_the_select_reads(rule: Rule) -> None:
    known = engine.BUILT_IN | {"operation"} | set(rule_cases.MODELS)
    read = set(re.findall(r"\b(?:from|join)\s+(\w+)", _plain(rule.sql))) & known

    assert read == rule.named
    assert not set(rule.reads) & set(rule.uses)
    assert (rule.past is not None) == bool(read & {"past_settlement", "past_line"})


def test_message_uses_keys_of_the_evidence(rule: Rule) -> None:
    texts = re.findall(r"'([^']*)'", _without_comments(rule.sql))
    keys = {key for text in texts for key in re.findall(r"(\w+)=", text)}

    assert set(re.findall(r"{(\w+)}", rule.message)) <= keys
    assert set(re.findall(r"{(\w+)}", rule.message_en)) <= keys


@pytest.mark.parametrize(
    ("name", "sql"),
    [
        ("number shown", "'person=' || psn_key"),
        ("number shown", "line.visit_key || '/'"),
        ("number shown", "cast(line.psn_key as varchar)"),
        ("order of numbers", "over (partition by psn_key order by d, visit_key)"),
    ],
)
def test_numbers_of_the_run_are_noticed(name: str, sql: str) -> None:
    assert re.search(FORBIDDEN[name], sql)


@pytest.mark.parametrize("name", FORBIDDEN)
def test_select_keeps_to_the_portable_subset(rule: Rule, name: str) -> None:
    assert not re.search(FORBIDDEN[name], _plain(rule.sql))


def test_select_is_one_statement(rule: Rule) -> None:
    assert len(duckdb.extract_statements(rule.sql)) == 1
    assert re.match(r"(with|select)\b", _plain(rule.sql).lstrip())


def test_select_is_one_page(rule: Rule) -> None:
    lines = [line for line in rule.sql.split("\n") if line.strip() and not line.strip().startswith("--")]

    assert len(lines) <= PAGE


def test_an_empty_month_has_the_contract_columns_and_no_hits(rule: Rule) -> None:
    nothing = rule_cases.Case(rule.rule_id, "", dt.date(2026, 4, 1), {}, {}, [])

    found = rule_cases.run(rule, nothing)

    assert found.height == 0
    assert found.schema == engine.HIT_SCHEMA


def test_rule_has_cases_with_a_hit_and_without(rule: Rule) -> None:
    cases = rule_cases.read(rule_cases.CASES / f"{rule.rule_id}.toml")

    assert {case.rule_id for case in cases} == {rule.rule_id}
    assert any(case.expect for case in cases)
    assert any(not case.expect for case in cases)
    assert len({case.name for case in cases}) == len(cases)


def test_every_case_file_has_its_rule() -> None:
    assert {p.stem for p in CASE_FILES} <= {p.stem[:3] for p in FILES}


def _plain(sql: str) -> str:
    """Return the SQL in lower case without comments and without the content of texts."""
    return re.sub(r"'[^']*'", "''", _without_comments(sql)).lower()


def _without_comments(sql: str) -> str:
    return re.sub(r"--[^\n]*", "", sql)


def changed(folder: Path, ident: str, old: str, new: str) -> Path:
    """A copy of a rule's file with other words in its header."""
    [path] = RULES.glob(f"{ident}_*.sql")
    text = path.read_text("utf-8")
    assert old in text
    made = folder / path.name
    made.write_text(text.replace(old, new, 1), "utf-8")
    return made


def test_a_view_a_rule_only_uses_is_shown_to_it(tmp_path: Path) -> None:
    rule = rules_file.read(
        changed(tmp_path, "A10", '-- reads          = ["line"]', '-- reads = []\n-- uses = ["line"]')
    )
    case = next(c for c in rule_cases.read(rule_cases.CASES / "A10.toml") if c.expect)
    with rule_cases.opened(rule, case) as con:
        hits = engine.hits(con, rule, rule_cases.profile(case.parameters))

    assert hits is not None
    assert hits.height == len(case.expect)


def test_settlements_that_only_limit_lines_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="past_settlement"):
        rules_file.read(changed(tmp_path, "E05", '"past_line"', '"past_line", "past_settlement"'))


@pytest.mark.parametrize(
    ("old", "new"), [("    bkkp_sn,\n    CASE", "    bkkp_sn AS sn,\n    CASE"), ("AS part,", "AS share,")]
)
def test_a_rule_that_fails_stops_the_run_and_the_engine_keeps_its_threads(
    tmp_path: Path, old: str, new: str
) -> None:
    rule = rules_file.read(changed(tmp_path, "A10", old, new))
    case = rule_cases.read(rule_cases.CASES / "A10.toml")[0]
    with rule_cases.opened(rule, case) as con:
        con.execute("SET threads = 3")
        with pytest.raises(RuleError, match="A10"):
            findings.collect(con, (rule, rule), rule_cases.profile(case.parameters), set())

        assert con.execute("SELECT current_setting('threads')").fetchall() == [(3,)]
