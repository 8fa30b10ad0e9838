"""The rule book: every rule in words, made from the headers of the rule files.

python -m settlement.audit.rulebook > docs/rules.md
"""

from __future__ import annotations

import datetime as dt

from settlement import policy
from settlement.audit import rules_file
from settlement.audit.rules_file import SCOPE_CLR_TYPES, Rule
from settlement.policy import Profile

CATALOGUES = {
    "A": ("资格与真实性", "eligibility and integrity"),
    "B": ("收费", "charging"),
    "C": ("支付限定", "payment limits"),
    "D": ("医疗行为", "behaviour"),
    "E": ("零售药店", "pharmacies"),
}
DEDUCTED = {
    "DL": "该明细的基金 the line's fund money",
    "DQ": "按超出数量占比 by the quantity in excess",
    "DP": "按超出金额占比 by the amount in excess",
    "DS": "整笔基金 the settlement's fund money",
    "DG": "保留之外的各条 all but what is kept",
    "DD": "支付标准差额 difference of payment standards",
    "D0": "不自动扣款 nothing by itself",
}
SCOPES = {code: name for name, code in SCOPE_CLR_TYPES.items()}
HEAD = """# 审核规则 · Audit rules

Made from the rule files by `python -m settlement.audit.rulebook`; do not edit by hand. {count} rules.
违规 enters the preliminary deduction, 可疑 costs nothing until a reviewer upholds it; a region may soften,
try out or retire a rule (`[rules.<ID>]` in its policy profile). A rule whose tables are not loaded does
not run, and the run says so. Values are those of {day}; “推定” marks what no source states and a region
should set.
"""


def render(day: dt.date) -> str:
    """Return the page as Markdown, parameters as they are nationally on a day."""
    rules = rules_file.load_all()
    profile = policy.load(policy.regions()[0])
    parts = [HEAD.format(count=len(rules), day=day)]
    for letter, (zh, en) in CATALOGUES.items():
        mine = [rule for rule in rules if rule.rule_id.startswith(letter)]
        parts.append(f"\n## {letter} {zh} · {en} ({len(mine)})\n")
        parts += [_rule(rule, profile, day) for rule in mine]
    return "\n".join(parts)


def _rule(rule: Rule, profile: Profile, day: dt.date) -> str:
    basis = ";".join(f"{profile.sources[s]['title']} {article}" for s, article in rule.basis)
    scope = "、".join(SCOPES[code] for code in rule.clr_types)
    lines = [
        f"### {rule.rule_id} {rule.name} · {rule.name_en}\n",
        f"{rule.purpose}。{_sentence(rule.purpose_en)}\n",
        f"* {rule.grade} · {rule.status} · {scope} · {rule.deduction} {DEDUCTED[rule.deduction]}"
        + (f" · {rule.national_ref}" if rule.national_ref else ""),
        f"* 依据 basis: {basis}",
        f"* 数据表 tables: {', '.join(f'`{name}`' for name in rule.reads)}"
        + (f"; 可选 optional: {', '.join(f'`{name}`' for name in rule.uses)}" if rule.uses else ""),
    ]
    if rule.past:
        lines.append(f"* 回溯 look-back: {rule.past.days} days of earlier claim months")
    lines += [f"* 参数 parameter {_parameter(rule, name, profile, day)}" for name in sorted(rule.parameters)]
    lines.append(f"* 说明 message: {rule.message}")
    lines.append(f"* 看不到的 does not see: {rule.misses}\n")
    return "\n".join(lines)


def _parameter(rule: Rule, name: str, profile: Profile, day: dt.date) -> str:
    value = profile.parameter(name).on(day)
    source = f"{profile.sources[value.source]['title']} {value.article}"
    assumed = ",推定" if value.assumed else ""
    about = rule.parameters[name]
    return f"`{name}` = {value.value or '(空)'} {about['unit']}: {about['meaning']}({source}{assumed})"


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


if __name__ == "__main__":
    print(render(dt.date(2026, 4, 30)), end="")
