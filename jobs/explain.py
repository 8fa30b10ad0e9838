"""Explain a payment, finding, fee line, settlement or institution: rows, rule, parameters, sources, money."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl

from jobs import standing, text, trace, trace_sections, way
from jobs.books import Month, connect
from schemas.funds import FUND_NAMES
from schemas.layout import table
from schemas.submission import FeeListD, SetlD
from settlement import masking, store
from settlement.audit.rules_file import Rule
from settlement.errors import SettlementError
from settlement.query import frame

PERSONAL = {c.name for model in (SetlD, FeeListD) for c in table(model).columns if c.personal}
LABELS = {c.name: c.zh for model in (FeeListD, SetlD) for c in table(model).columns}
SHOWN_LINES = 50
LINE_COLUMNS = ("bkkp_sn", "fee_ocur_time", "hilist_code", "hilist_name", "cnt", "pric",
                "det_item_fee_sumamt", "inscp_amt")  # fmt: skip


def find(month: Month, ident: str) -> dict[str, Any]:
    """Gather what explains an id of the month.

    Args:
        month: the month, already run.
        ident: a payment (`<fixmedins_code>/<fund_pay_type>`), the business number of an order, a finding
            id, a fee line (`<setl_id>/<bkkp_sn>`), a settlement id or an institution code.

    Raises:
        SettlementError: the month has nothing of that id.
    """
    if place := trace.named(month, ident):
        return {**trace.of_payment(month, *place), "asked": ident}
    now = standing.standing(month.office)
    findings = now.findings
    hit = findings.filter(pl.col("finding_id") == ident)
    if hit.height:
        return _finding(month, hit.row(0, named=True), now)
    if facts := _rows_found(month, ident, now):
        return facts
    known = {s["fixmedins_code"] for s in month.submissions}
    if ident in known:
        return _institution(month, findings, ident)
    raise SettlementError(
        f"{month.region} {month.first:%Y-%m} 没有编号 {ident}:不是疑点号、结算ID、费用明细(结算ID/流水号)、"
        "拨付(机构编码/基金)、业务号,也不是已申报机构的编码。"
    )


def _rows_found(month: Month, ident: str, now: standing.Standing) -> dict[str, Any]:
    """Gather what explains a settlement, or a fee line `setl_id/bkkp_sn`; empty when there is none."""
    setl_id, _, bkkp_sn = ident.partition("/")
    facts, person = _settlement(month, setl_id)
    if bkkp_sn:
        facts["lines"] = [line for line in facts["lines"] if line["bkkp_sn"] == bkkp_sn]
    if not facts["settlement"] or (bkkp_sn and not facts["lines"]):
        return {}
    code = facts["settlement"]["fixmedins_code"]
    touching = pl.col("setl_id") == setl_id
    if bkkp_sn:
        touching &= pl.col("bkkp_sn").is_null() | (pl.col("bkkp_sn") == bkkp_sn)
    mine = now.findings.filter(touching)
    rows = standing.details(month.office, now).filter(touching)
    return {
        "kind": "line" if bkkp_sn else "settlement",
        **facts,
        "findings": [
            {**row, "way": way.of_finding(month.office, row, now.findings, person)} for row in _rows(mine)
        ],
        "batch": way.of_institution(month.office, code),
        "trace": trace.of_line(month, code, rows, trace.moved_funds(facts["settlement"])),
    }


def _rows(rows: pl.DataFrame) -> list[dict[str, Any]]:
    return [
        {k: masking.mask(k, str(v)) if k in PERSONAL and v is not None else v for k, v in row.items()}
        for row in rows.iter_rows(named=True)
    ]


def _settlement(month: Month, setl_id: str) -> tuple[dict[str, Any], dict[str, str | None]]:
    """Return a settlement and its lines, masked, empty when there is none; and whose it is, unmasked."""
    con = connect(month)
    try:
        query = "SELECT * FROM {} WHERE setl_id = $1 ORDER BY ALL"
        rows = frame(con, query.format("accepted_setl"), [setl_id])
        lines = frame(con, query.format("accepted_line"), [setl_id])
    finally:
        con.close()
    whose = next(rows.select("psn_name", "psn_no").iter_rows(named=True), {})
    facts = {"settlement": next(iter(_rows(rows)), {}), "lines": _rows(lines.sort("bkkp_sn"))}
    return facts, whose


def _finding(month: Month, finding: dict[str, Any], now: standing.Standing) -> dict[str, Any]:
    rule = next(r for r in month.rules if r.rule_id == finding["rule_id"])
    mine = now.finding_funds.filter(pl.col("finding_id") == finding["finding_id"])
    settlement, person = _settlement(month, finding["setl_id"])
    return {
        "kind": "finding",
        "finding": finding,
        "funds": _rows(mine),
        "rule": {
            "id": rule.rule_id,
            "name": rule.name,
            "national_ref": rule.national_ref,
            "deduction": rule.deduction,
            "digest": rule.digest,
            "misses": rule.misses,
            "basis": [f"{month.profile.sources[s]['title']} {a}" for s, a in rule.basis],
        },
        "parameters": _parameters(month, rule),
        "settlement": settlement["settlement"],
        "lines": [r for r in settlement["lines"] if finding["bkkp_sn"] in (None, r["bkkp_sn"])],
        "related_lines": _related(month, finding),
        "way": way.of_finding(month.office, finding, now.findings, person),
        "batch": way.of_institution(month.office, finding["fixmedins_code"]),
        "trace": trace.of_line(
            month,
            finding["fixmedins_code"],
            standing.details(month.office, now).filter(pl.col("finding_id") == finding["finding_id"]),
            mine["fund_pay_type"].to_list(),
        ),
    }


def _related(month: Month, finding: dict[str, Any]) -> list[dict[str, Any]]:
    """The other rows that prove a finding: lines named `setl_id/bkkp_sn` in it."""
    named = [r.split("/") for r in (finding["related"] or "").split(",") if "/" in r][:SHOWN_LINES]
    rows = []
    for setl_id in dict.fromkeys(n[0] for n in named):
        wanted = {n[1] for n in named if n[0] == setl_id}
        other, _ = _settlement(month, setl_id)
        rows += [r for r in other["lines"] if r["bkkp_sn"] in wanted]
    return rows


def _parameters(month: Month, rule: Rule) -> list[dict[str, Any]]:
    rows = []
    for name in rule.parameters:
        value = month.profile.parameter(name).on(month.last)
        rows.append(
            {
                "name": name,
                "label": month.profile.parameter(name).label,
                "value": str(value.value),
                "unit": month.profile.parameter(name).unit,
                "from": value.start,
                "source": f"{month.profile.sources[value.source]['title']} {value.article}",
                "assumed": value.assumed,
            }
        )
    return rows


def _institution(month: Month, findings: pl.DataFrame, code: str) -> dict[str, Any]:
    sent = [s for s in month.submissions if s["fixmedins_code"] == code]
    run = store.read_run(month.home, month.region, month.first)
    facts: dict[str, Any] = {
        "kind": "institution",
        "fixmedins_code": code,
        "submissions": [
            {
                "name": s["name"],
                "status": s["status"],
                "received_on": s["received_on"],
                **s["facts"]["counts"],
            }
            for s in sent
        ],
        "findings": _rows(
            findings.filter(pl.col("fixmedins_code") == code)
            .group_by("rule_id", "grade")
            .agg(pl.len().alias("hits"), pl.col("risk_amt", "det_sumamt", "final_det_sumamt").sum())
            .sort("rule_id", "grade")
        ),
        "payment": [],
        "returned": [],
    }
    if "payment" in run["outputs"]:
        paid = store.read_table(month.home, month.region, month.first, "payment")
        facts["payment"] = _rows(paid.filter(pl.col("fixmedins_code") == code))
    returned = store.read_table(month.home, month.region, month.first, "returned")
    mine = returned.filter(pl.col("fixmedins_code") == code)
    facts["returned"] = _rows(mine.group_by("reason", "message").len("rows").sort("reason", "message"))
    facts["batch"] = way.of_institution(month.office, code)
    facts["trace"] = {"payments": trace.lines_of(month, code), "steps": trace.steps_of(month, code)}
    return facts


def as_text(facts: dict[str, Any], lang: str = "zh") -> str:
    """Lay out the facts on one page; a payment and the way up to it in tables, the rest in words."""
    told = {
        "finding": _finding_text,
        "settlement": _settlement_text,
        "line": _settlement_text,
        "institution": _institution_text,
    }
    if facts["kind"] not in told:
        shown = trace_sections.as_text(trace_sections.sections(facts, lang))
        return f"{trace_sections.title(facts, lang)}\n{shown}"
    words = told[facts["kind"]](facts)
    if facts["kind"] == "institution":
        return words
    return f"{words}\n\n{trace_sections.as_text(trace_sections.traced(facts, lang))}"


def _finding_text(facts: dict[str, Any]) -> str:
    f, rule = facts["finding"], facts["rule"]
    money = [f"    {FUND_NAMES[r['fund_pay_type']]} 初审 {r['det_sumamt']} 复审 {r['final_det_sumamt']}"
             for r in facts["funds"]]  # fmt: skip
    return "\n".join(
        [
            f"疑点 {f['finding_id']}  {f['rule_id']} {rule['name']}  等级 {f['grade']}",
            f"  机构 {f['fixmedins_code']}  结算 {f['setl_id']}  明细 {f['bkkp_sn'] or '(整笔结算)'}",
            f"  命中说明 {f['vola_cont']}",
            f"  依据数值 {f['evidence']}",
            f"  关联记录 {f['related'] or '无'}",
            f"  初审所用参数 {f['parameters'] or '无'}",
            f"  国家规则码 {rule['national_ref'] or '无'}  规则摘要 {rule['digest'][:16]}",
            *(f"  法规依据 {b}" for b in rule["basis"]),
            *(
                f"  参数 {p['name']} {p['label']} = {p['value']} {p['unit']},自 {p['from']},"
                f"出处 {p['source']}{'(推定)' if p['assumed'] else ''}"
                for p in facts["parameters"]
            ),
            f"  扣款方法 {f['deduction']}  涉及基金 {f['risk_amt']} 元  初审扣款 {f['det_sumamt']} 元"
            f"  复审结论 {f['decision'] or '未复审'}  复审扣款 {f['final_det_sumamt']} 元",
            *money,
            "经过",
            *way.finding_text(facts["way"]),
            *way.statement_text(facts["batch"]),
            *_line_text(facts["lines"]),
            *_line_text(facts["related_lines"], "关联明细"),
        ]
    )


def _line_text(lines: list[dict[str, Any]], title: str = "费用明细") -> list[str]:
    if not lines:
        return []
    columns = [(LABELS[n], n in ("cnt", "pric", "det_item_fee_sumamt", "inscp_amt")) for n in LINE_COLUMNS]
    body = [[str(r[n]) for n in LINE_COLUMNS] for r in lines[:SHOWN_LINES]]
    more = [f"  另有 {len(lines) - SHOWN_LINES} 行"] if len(lines) > SHOWN_LINES else []
    return [text.table(title, columns, body), *more]


def _settlement_text(facts: dict[str, Any]) -> str:
    s = facts["settlement"]
    amounts = [f"    {LABELS[k]} {v}" for k, v in s.items() if isinstance(v, Decimal) and v != 0]
    found = []
    for f in facts["findings"]:
        found.append(
            f"  {f['finding_id']} {f['rule_id']} {f['grade']} 明细 {f['bkkp_sn'] or '整笔'}:{f['vola_cont']}"
            f" 初审扣款 {f['det_sumamt']} 复审扣款 {f['final_det_sumamt']}"
        )
        found += [f"  {line}" for line in way.finding_text(f["way"])]
    head = ("psn_no", "psn_name", "insutype", "med_type", "clr_type", "begndate", "enddate", "setl_time")
    return "\n".join(
        [
            f"结算 {s['setl_id']}  机构 {s['fixmedins_code']}",
            *(f"    {LABELS[n]} {s[n]}" for n in head),
            *amounts,
            "疑点:" if found else "没有疑点",
            *found,
            "经过",
            *way.statement_text(facts["batch"]),
            *_line_text(facts["lines"]),
        ]
    )


def _institution_text(facts: dict[str, Any]) -> str:
    lines = [f"机构 {facts['fixmedins_code']}"]
    for s in facts["submissions"]:
        lines.append(
            f"  申报包 {s['name']}  {'已受理' if s['status'] == store.ACCEPTED else '不予受理'}"
            f"  收到 {s['received_on']}  结算 {s.get('setl_accepted', 0)}/{s.get('setl_in', 0)}"
        )
    lines += [f"  退回 {r['reason']} {r['message']} ×{r['rows']}" for r in facts["returned"][:SHOWN_LINES]]
    lines += [
        f"  {f['rule_id']} {f['grade']} {f['hits']} 条  涉及 {f['risk_amt']}  初审 {f['det_sumamt']}"
        f"  复审 {f['final_det_sumamt']} 元"
        for f in facts["findings"]
    ]
    for p in facts["payment"]:
        lines.append(
            f"  {FUND_NAMES[p['fund_pay_type']]}:申报 {p['fund_appy_sum']} − 扣款 {p['det_sumamt']}"
            f" + 支付方式调整 {p['method_adjust_amt']} − 暂缓 {p['deferred_amt']} − 保证金 {p['dpst_sumamt']}"
            f" − 预拨 {p['advance_offset_amt']} + 往期调整 {p['prior_adjust_amt']} − 追回 {p['clawback_amt']}"
            f" = 实拨 {p['act_dfr_amt']}(结转 {p['carry_amt']})"
        )
    steps = ["经过", *way.steps_text(facts["batch"]), *way.statement_text(facts["batch"])]
    return "\n".join([*lines, *steps])
