"""Commands about rules: what there is, what a rule says, its cases, and what others would have found."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from jobs import rule_months, text, whatif
from jobs.terminal import WITH_RETURNS, Bar, Options, say
from schemas.layout import columns
from schemas.results import Finding
from settlement import policy
from settlement.audit import cases, rules_file
from settlement.audit.cases import Case, Verdict
from settlement.audit.rules_file import SCOPE_CLR_TYPES, Rule
from settlement.labels import EN, label
from settlement.reports.frames import csv_frame, write_csv

app = typer.Typer()
rules_app = typer.Typer(no_args_is_help=True, help="审核规则 / audit rules")
app.add_typer(rules_app, name="rules")
SCOPES = {code: name for name, code in SCOPE_CLR_TYPES.items()}
Folder = Annotated[
    Path | None, typer.Option("--rules", exists=True, help="另一规则目录 / another folder of rules")
]
DIFFERENCE = ("hits", "hits_then", "det_sumamt", "det_sumamt_then", "risk_amt", "risk_amt_then")


@rules_app.command("list")
def rules_list(ctx: typer.Context, folder: Folder = None) -> None:
    """列出全部规则及其在统筹区的状态 / list the rules."""
    options: Options = ctx.obj
    rows = [_row(rule, _profile(options), options.today) for rule in _load(folder)]
    zh = options.lang != EN
    heads = ("编码", "名称", "等级", "状态", "范围", "扣款", "数据表") if zh else (
        "id", "name", "grade", "status", "scope", "deduction", "tables"
    )  # fmt: skip
    cells = [
        [row["id"], row["name" if zh else "name_en"], row["grade"], row["status"], " ".join(row["scope"]),
         row["deduction"], " ".join(row["tables"])]
        for row in rows
    ]  # fmt: skip
    shown = text.table("", [(head, False) for head in heads], cells)
    say(options, rows, shown)


@rules_app.command("show")
def rules_show(
    ctx: typer.Context, ident: Annotated[str, typer.Argument(metavar="ID")], folder: Folder = None
) -> None:
    """一条规则的依据、参数与 SQL / one rule in full."""
    options: Options = ctx.obj
    rule = _one(_load(folder), ident)
    profile = _profile(options)
    row = _row(rule, profile, options.today)
    named = tuple(rule.parameters)
    row["parameters"] = profile.cited(named, options.today).split(";") if named else []
    row["basis"] = [f"{profile.sources[s]['title']} {article}" for s, article in rule.basis]
    said = ("purpose", "purpose_en", "misses", "digest", "sql")
    row |= {name: getattr(rule, name) for name in said}
    row["past"] = asdict(rule.past) if rule.past else None
    en = options.lang == EN
    lines = [
        f"{rule.rule_id} {row['name_en' if en else 'name']}",
        " ".join((row["grade"], row["status"], rule.deduction, *row["scope"])),
        rule.purpose_en if en else rule.purpose,
        *(f"依据 {said}" for said in row["basis"]),
        *(f"参数 {said}" for said in row["parameters"]),
        f"数据表 {'、'.join(row['tables'])}" + (f";可选 {'、'.join(rule.uses)}" if rule.uses else ""),
        f"看不到的:{rule.misses}",
        f"摘要 {rule.digest}",
        "",
        rule.sql,
    ]
    say(options, row, "\n".join(lines))


@rules_app.command("test")
def rules_test(
    ctx: typer.Context,
    idents: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="缺省为全部 / default: all")
    ] = None,
    folder: Folder = None,
    case_folder: Annotated[
        Path, typer.Option("--cases", exists=True, help="用例目录 / folder of cases")
    ] = cases.CASES,
) -> None:
    """运行规则的用例 / run the cases of rules."""
    options: Options = ctx.obj
    rules = _load(folder)
    wanted = [_one(rules, ident) for ident in idents] if idents else list(rules)
    results = []
    with Bar(options) as bar:
        for done, rule in enumerate(wanted, start=1):
            path = case_folder / f"{rule.rule_id}.toml"
            found = [(case, cases.judge(rule, case)) for case in cases.read(path)] if path.is_file() else []
            results.append((rule, found))
            bar("用例", done, len(wanted))
    broken = [
        (rule, case, verdict) for rule, found in results for case, verdict in found if not verdict.holds
    ]
    without = [rule.rule_id for rule, found in results if not found]
    lines = [f"{rule.rule_id} {rule.name}  用例 {len(found)}" for rule, found in results]
    lines += [_difference(*one) for one in broken]
    lines += [f"{ident} 没有用例文件({case_folder / ident}.toml)" for ident in without]
    ran = sum(len(found) for _, found in results)
    lines.append(f"用例 {ran} 个,不符 {len(broken)} 个,没有用例的规则 {len(without)} 条")
    value = {
        "cases": ran,
        "failed": [f"{r.rule_id} {c.name}" for r, c, _ in broken],
        "without_cases": without,
    }
    say(options, value, "\n".join(lines))
    if broken or without:
        raise typer.Exit(WITH_RETURNS)


@rules_app.command("stats")
def rules_stats(ctx: typer.Context) -> None:
    """各规则历月的命中、认定、维持与撤销 / what each rule found over the stored months."""
    options: Options = ctx.obj
    rows = rule_months.rule_months(options.office())
    cells = [
        [r["clr_ym"], f"{r['rule_id']} {r['name']}", str(r["hits"]), str(r["institutions"]),
         *(text.money(r[n]) for n in ("risk", "prelim", "upheld", "dropped")),
         "" if r["rate"] is None else f"{r['rate']:.1%}"]
        for r in rows.iter_rows(named=True)
    ]  # fmt: skip
    keys = ("month", "rule", "hits", "institutions", "risk", "prelim", "upheld", "dropped", "rate")
    heads = [(label(f"col.{key}", options.lang), n > 1) for n, key in enumerate(keys)]
    say(options, rows.to_dicts(), text.table("", heads, cells))


@app.command("whatif")
def what_if(
    ctx: typer.Context,
    folder: Folder = None,
    values: Annotated[
        list[str] | None, typer.Option("--set", help="参数=值,可多次 / parameter=value")
    ] = None,
    months: Annotated[str, typer.Option(help="年月范围 2026-01..2026-04 / range of months")] = "",
    out: Annotated[Path | None, typer.Option(help="有差异的疑点写成 CSV / write differing findings")] = None,
) -> None:
    """以另外的规则或参数试算已有月份,不改动任何数据 / the stored months under other rules or parameters."""
    options: Options = ctx.obj
    if not folder and not values:
        raise typer.BadParameter("请给出 --rules 目录或 --set 参数=值")
    office = options.region_office()
    stored = whatif.stored_months(office, *_range(months or options.month or ""))
    others = rules_file.load_all(folder) if folder else ()
    with Bar(options) as bar:
        compared = whatif.whatif(office, stored, others, _settings(values or []), bar)
    if out:
        findings = compared.findings
        write_csv(csv_frame(findings, {name: _header(name, options.lang) for name in findings.columns}), out)
    names = {rule.rule_id: rule.name for rule in (*rules_file.load_all(), *others)}
    value = {
        "months": compared.months,
        "changed": compared.changed,
        "by_rule": compared.by("rule_id").to_dicts(),
        "by_institution": compared.by("fixmedins_code").to_dicts(),
        "rows": compared.totals.to_dicts(),
        "findings": compared.findings.group_by("change").len().sort("change").to_dicts(),
        "not_run": {rule: list(missing) for rule, missing in compared.not_run.items()},
    }
    say(options, value, _compared_text(compared, names))


def _compared_text(compared: whatif.Comparison, names: dict[str, str]) -> str:
    head = f"试算 {'、'.join(compared.months)}:{';'.join(compared.changed)}"
    if compared.totals.is_empty():
        return f"{head}\n没有差异"
    rules = compared.by("rule_id").with_columns(
        pl.format("{} {}", "rule_id", pl.col("rule_id").replace(names)).alias("rule_id")
    )
    return "\n".join(
        [
            head,
            _differences(rules, "规则"),
            _differences(compared.by("fixmedins_code"), "机构"),
            *(
                f"{r['change']} {r['len']} 条"
                for r in compared.findings.group_by("change").len().sort("change").to_dicts()
            ),
            *(
                f"未运行 {rule}:缺 {'、'.join(missing)}"
                for rule, missing in compared.not_run.items()
                if missing
            ),
        ]
    )


def _differences(rows: pl.DataFrame, what: str) -> str:
    heads = [
        (what, False),
        *((head, True) for head in ("疑点", "→", "扣款 元", "→", "涉及基金 元", "→", "扣款差额 元")),
    ]
    total = rows.select(pl.lit("合计").alias(rows.columns[0]), pl.col(DIFFERENCE).sum())

    def cells(row: dict[str, Any]) -> list[str]:
        numbers = [f"{row[n]:,}" if n.startswith("hits") else text.money(row[n]) for n in DIFFERENCE]
        return [row[rows.columns[0]], *numbers, f"{row['det_sumamt_then'] - row['det_sumamt']:+,.2f}"]

    every = [cells(row) for row in (*rows.iter_rows(named=True), *total.iter_rows(named=True))]
    return text.table("", heads, every)


def _header(name: str, lang: str) -> str:
    """Label of a column: the field's own, or a word of the catalogue."""
    fields = {column.name: column for column in columns(Finding)}
    if name in fields:
        return fields[name].en if lang == EN else fields[name].zh
    return label(f"col.{name}", lang)


def _load(folder: Path | None) -> tuple[Rule, ...]:
    own = rules_file.load_all()
    return whatif.overlaid(own, rules_file.load_all(folder)) if folder else own


def _one(rules: tuple[Rule, ...], ident: str) -> Rule:
    found = [rule for rule in rules if rule.rule_id == ident.upper()]
    if not found:
        raise typer.BadParameter(f"没有规则 {ident}。可用:{'、'.join(rule.rule_id for rule in rules)}")
    return found[0]


def _profile(options: Options) -> policy.Profile:
    """The region's profile; without a region the first one's, which has all national values."""
    return policy.load(options.need_region() if options.region else policy.regions()[0])


def _row(rule: Rule, profile: policy.Profile, day: dt.date) -> dict[str, Any]:
    switch = profile.switch(rule.rule_id, day)
    return {
        "id": rule.rule_id,
        "name": rule.name,
        "name_en": rule.name_en,
        "national_ref": rule.national_ref,
        "grade": (switch and switch.grade) or rule.grade,
        "status": (switch and switch.status) or rule.status,
        "scope": [SCOPES[code] for code in rule.clr_types],
        "deduction": rule.deduction,
        "tables": list(rule.reads),
    }


def _difference(rule: Rule, case: Case, verdict: Verdict) -> str:
    return (
        f"✗ {rule.rule_id} {case.name}\n    应为 {verdict.expected}\n    实为 {verdict.found}"
        + "".join(f"\n    依据数值填不满说明:{evidence}" for evidence in verdict.unworded)
    )  # fmt: skip


def _settings(values: list[str]) -> dict[str, str]:
    pairs = [value.partition("=") for value in values]
    wrong = [name for name, sign, _ in pairs if not sign]
    if wrong:
        raise typer.BadParameter(f"--set 应写成 参数=值,收到 {wrong[0]}")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _range(given: str) -> tuple[dt.date, dt.date]:
    first, _, last = given.partition("..")
    try:
        ends = [dt.datetime.strptime(part, "%Y-%m").date() for part in (first, last or first)]  # noqa: DTZ007
    except ValueError:
        raise typer.BadParameter(f"--months 应写成 2026-01..2026-04,收到 {given!r}") from None
    return ends[0], ends[1]
