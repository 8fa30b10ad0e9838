"""One rule, one file: a TOML header in SQL comments and one SELECT."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from settlement.errors import RuleError

RULES = Path(__file__).parent / "rules"
SCOPE_CLR_TYPES = {"hospital": "21", "outpatient": "11", "pharmacy": "41"}
DATED_BY = ("fee_ocur_time", "setl_time", "begndate", "enddate")
DEDUCTIONS = ("DL", "DQ", "DP", "DS", "DG", "DD", "D0")
VIOLATION, SUSPICION = "违规", "可疑"
TRIAL, ACTIVE, RETIRED = STATUSES = ("trial", "active", "retired")
_REQUIRED = {
    "id", "name", "name_en", "purpose", "purpose_en", "national_ref", "category", "grade", "status",
    "scope", "dated_by", "reads", "deduction", "effective_from", "message", "message_en", "basis", "limits",
}  # fmt: skip
_OPTIONAL = {"effective_to", "parameters", "uses", "past"}
_PAST = {"days", "codes", "ids", "lines", "settlements"}
_CHOICES: dict[str, tuple[str, ...]] = {
    "category": ("policy", "management", "medical"),
    "grade": (VIOLATION, SUSPICION),
    "status": STATUSES,
    "dated_by": DATED_BY,
    "deduction": DEDUCTIONS,
}


@dataclass(frozen=True)
class Past:
    """What a rule reads of earlier months.

    Attributes:
        days: how far back at most, counted from the first day of the claim month; whole claim months.
        codes: a SELECT of the hilist_codes whose lines it needs, empty for none.
        ids: a SELECT of the setl_ids whose lines it needs, empty for none.
        lines: a condition on lines (fee_list_d columns and d) it needs, empty for none.
        settlements: a condition on settlements it needs, empty for none; with `lines`, on the settlements
            whose lines it needs, and it sees no settlements.
    """

    days: int
    codes: str
    ids: str
    lines: str
    settlements: str


@dataclass(frozen=True)
class Rule:
    """An audit rule as its file states it.

    Attributes:
        rule_id: catalogue code, A01 to E12.
        purpose: what it finds, in one sentence for people; purpose_en the same in English.
        clr_types: clearing types the rule looks at, from `scope`.
        reads: tables and views without which the SELECT cannot run.
        uses: tables that sharpen it; empty ones when not loaded.
        past: what it reads of earlier months, None for nothing.
        parameters: policy parameters by name, with unit and meaning.
        basis: (source key, article) pairs.
        digest: SHA-256 of the file's text.
    """

    rule_id: str
    name: str
    name_en: str
    purpose: str
    purpose_en: str
    national_ref: str
    category: str
    grade: str
    status: str
    clr_types: tuple[str, ...]
    dated_by: str
    reads: tuple[str, ...]
    uses: tuple[str, ...]
    past: Past | None
    deduction: str
    effective_from: dt.date
    effective_to: dt.date | None
    message: str
    message_en: str
    basis: tuple[tuple[str, str], ...]
    parameters: dict[str, dict[str, str]]
    misses: str
    sql: str
    digest: str

    @property
    def named(self) -> frozenset[str]:
        """Tables and views its SELECT may read."""
        return frozenset((*self.reads, *self.uses))

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word of its SELECT; columns that are not among them need not be there for it."""
        return frozenset(re.findall(r"\w+", self.sql))


def load_all(folder: Path = RULES) -> tuple[Rule, ...]:
    """Read every rule of a folder, in order of id; RuleError on a malformed or repeated one."""
    rules = tuple(read(path) for path in sorted(folder.glob("*.sql")))
    ids = [rule.rule_id for rule in rules]
    repeated = sorted({i for i in ids if ids.count(i) > 1})
    if repeated:
        raise RuleError(f"规则编码重复:{repeated}(目录 {folder})")
    return rules


def read(path: Path) -> Rule:
    """Read one rule file.

    Raises:
        RuleError: a header key is missing, unknown or has a value outside its list.
    """
    text = path.read_text(encoding="utf-8").replace("\r\n", "\n")
    header, sql = _split(text)
    try:
        head = tomllib.loads(header)
    except tomllib.TOMLDecodeError as error:
        raise RuleError(f"规则文件 {path.name} 的头部不是合法的 TOML:{error}") from error
    _check(path, head)
    return Rule(
        rule_id=head["id"],
        name=head["name"],
        name_en=head["name_en"],
        purpose=head["purpose"],
        purpose_en=head["purpose_en"],
        national_ref=head["national_ref"],
        category=head["category"],
        grade=head["grade"],
        status=head["status"],
        clr_types=tuple(SCOPE_CLR_TYPES[s] for s in head["scope"]),
        dated_by=head["dated_by"],
        reads=tuple(head["reads"]),
        uses=tuple(head.get("uses", ())),
        past=_past(path, head),
        deduction=head["deduction"],
        effective_from=head["effective_from"],
        effective_to=head.get("effective_to"),
        message=head["message"],
        message_en=head["message_en"],
        basis=tuple((b["source"], b["article"]) for b in head["basis"]),
        parameters=head.get("parameters", {}),
        misses=head["limits"]["misses"],
        sql=sql,
        digest=hashlib.sha256(text.encode()).hexdigest(),
    )


def _split(text: str) -> tuple[str, str]:
    """Return the comment block at the top without its `-- `, and the SQL after it."""
    lines = text.split("\n")
    head = 0
    while head < len(lines) and lines[head].startswith("--"):
        head += 1
    header = "\n".join(re.sub(r"^-- ?", "", line) for line in lines[:head])
    return header, "\n".join(lines[head:]).strip().rstrip(";")


def _past(path: Path, head: dict[str, Any]) -> Past | None:
    said = head.get("past")
    if said is None:
        return None
    if set(said) - _PAST or not isinstance(said.get("days"), int) or len(said) < 2:
        raise RuleError(
            f"规则文件 {path.name}:[past] 应有 days(整数)和 {sorted(_PAST - {'days'})} 中至少一项"
        )
    if {"lines", "settlements"} <= set(said) and "past_settlement" in (*head["reads"], *head.get("uses", ())):
        raise RuleError(
            f"规则文件 {path.name}:[past] 的 settlements 与 lines 同用时只限定明细所属结算,"
            "看不到 past_settlement;请拆成两条规则"
        )
    return Past(said["days"], *(said.get(key, "") for key in ("codes", "ids", "lines", "settlements")))


def _check(path: Path, head: dict[str, Any]) -> None:
    missing, unknown = _REQUIRED - set(head), set(head) - _REQUIRED - _OPTIONAL
    if missing or unknown:
        raise RuleError(f"规则文件 {path.name}:缺少 {sorted(missing)},多出 {sorted(unknown)}")
    for key, allowed in _CHOICES.items():
        if head[key] not in allowed:
            raise RuleError(f"规则文件 {path.name}:{key} = {head[key]!r} 不在 {allowed} 中")
    strange = set(head["scope"]) - set(SCOPE_CLR_TYPES)
    if strange:
        raise RuleError(f"规则文件 {path.name}:scope 有未知范围 {sorted(strange)}")
    if not path.stem.startswith(head["id"] + "_"):
        raise RuleError(f"规则文件 {path.name} 的文件名须以 {head['id']}_ 开头")
