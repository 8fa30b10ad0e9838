"""A trace laid out in sections, for a terminal and for a page: tables of text, figures marked as such."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from jobs import text
from jobs.trace import AMOUNTS, MINUS, Facts
from settlement import procedure
from settlement.labels import EN, LABELS, label
from settlement.reports.fields import field_label
from settlement.reports.vocabulary import code_label, fund_label

# Rows of one section that are written out; the rest is one row with its sum, so that sums still add up.
SHOWN = 200
CODED = ("insutype", "clr_type", "med_type", "grade", "reply", "decision", "unit")
FIGURES = frozenset({
    *AMOUNTS, "fund_amt", "final_det_sumamt", "det_item_fee_sumamt", "dfr_amt", "amount", "deducted", "left",
    "right", "attempt", "rows", "cnt", "pric", "inscp_amt",
})  # fmt: skip
# Ids and days, which a page must not break.
WHOLE = frozenset({
    "finding_id", "rule_id", "setl_id", "bkkp_sn", "business_no", "bankacct", "digest", "hash", "log", "at",
    "day", "decided_on", "begndate", "enddate", "setl_time", "fee_ocur_time", "from", "loaded_on", "ran_on",
    "person", "grade", "fingerprint", "policy", "code", "hilist_code", "actor", "reviewer",
})  # fmt: skip
NUMBER, KEPT, PLAIN = "n", "k", ""
OF_LINE = (
    "bkkp_sn", "fee_ocur_time", "hilist_code", "hilist_name", "cnt", "pric", "det_item_fee_sumamt",
    "inscp_amt",
)  # fmt: skip
HASH = 16
# More columns than this are a line a row on a terminal.
FITTING = 7


@dataclass(frozen=True)
class Section:
    """A part of a trace: title, columns (header and kind), rows, and how many of them are sums.

    A column's kind is NUMBER, KEPT (not to be broken) or PLAIN.
    """

    title: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, ...], ...]
    sums: int = 0


Row = dict[str, Any]


def sections(facts: Facts, lang: str) -> list[Section]:
    """Lay out what explains an id (`jobs.explain.find`)."""
    kind = facts["kind"]
    if kind == "payment":
        made = [*_payment(facts, lang), *_evidence(facts, lang)]
    elif kind == "institution":
        made = [*_lines(facts["trace"], lang), _steps(facts["trace"], lang)]
    else:
        made = [*_of_rows(facts, lang), *_traced(facts["trace"], lang)]
    return [section for section in made if section.rows]


def traced(facts: Facts, lang: str) -> list[Section]:
    """Lay out only the way up, for ids whose rows are told in words already."""
    return [section for section in _traced(facts["trace"], lang) if section.rows]


def as_text(made: Iterable[Section]) -> str:
    """Lay sections out for a terminal."""
    return "\n\n".join(_wide(s) if len(s.columns) > FITTING else _narrow(s) for s in made)


def _narrow(section: Section) -> str:
    columns = [(head, kind == NUMBER) for head, kind in section.columns]
    return text.table(section.title, columns, [list(row) for row in section.rows])


def _wide(section: Section) -> str:
    """A table too wide for a terminal, a row a line, so that no id is cut short."""
    heads = [head for head, _ in section.columns]
    return "\n".join([
        section.title,
        *("  " + "  ".join(f"{h} {c}" for h, c in zip(heads, row, strict=True) if c) for row in section.rows),
    ])  # fmt: skip


def title(facts: Facts, lang: str) -> str:
    """What a trace is called: the thing, its id, region and month."""
    kind = facts["kind"]
    if kind == "payment":
        fund = fund_label(facts["fund_pay_type"], lang)
        ident = f"{facts['fixmedins_code']} {facts['fixmedins_name']} · {fund}"
    elif kind == "institution":
        ident = facts["fixmedins_code"]
    elif kind == "finding":
        ident = facts["finding"]["finding_id"]
    else:
        line = f"/{facts['lines'][0]['bkkp_sn']}" if kind == "line" else ""
        ident = f"{facts['settlement']['setl_id']}{line}"
    return f"{label(f'trace.{kind}', lang)} {ident}"


def _head(name: str, lang: str) -> str:
    key = f"trace.col.{name}"
    return label(key, lang) if key in LABELS else field_label(name, lang)


def _table(
    key: str, names: Sequence[str], rows: Iterable[Row], lang: str, sums: Sequence[str] = ()
) -> Section:
    """Make a section of rows; what is beyond `SHOWN` is one row, and sums stand below."""
    every = list(rows)
    columns = tuple((_head(name, lang), _kind(name)) for name in names)
    body = [tuple(_cell(name, row.get(name), lang) for name in names) for row in every[:SHOWN]]
    below = 0
    if len(every) > SHOWN:
        body.append(_sum(every[SHOWN:], names, sums, label("trace.rest", lang).format(n=len(every) - SHOWN)))
        below += 1
    if sums and every:
        body.append(_sum(every, names, sums, label("msg.total", lang)))
        below += 1
    return Section(label(f"trace.sheet.{key}", lang), columns, tuple(body), below)


def _kind(name: str) -> str:
    return NUMBER if name in FIGURES else KEPT if name in WHOLE else PLAIN


def _sum(rows: Sequence[Row], names: Sequence[str], sums: Sequence[str], words: str) -> tuple[str, ...]:
    found = {name: str(sum((row[name] for row in rows), Decimal("0.00"))) for name in sums}
    return (words, *(found.get(name, "") for name in names[1:]))


def _cell(name: str, value: Any, lang: str) -> str:  # noqa: ANN401 - any value of a row
    if value is None:
        return ""
    if name in ("hash", "digest", "fingerprint", "policy", "code"):
        return str(value)[:HASH]
    if isinstance(value, bool):
        return label("msg.yes" if value else "msg.no", lang)
    if isinstance(value, (list, tuple)):
        return ", ".join(str(one) for one in value)
    if name in CODED:
        return code_label(name, str(value), lang)
    return str(value)


def _payment(facts: Facts, lang: str) -> list[Section]:
    line = facts["line"]
    signs = {name: -line[name] if name in MINUS else line[name] for name in AMOUNTS if name != "act_dfr_amt"}
    items = [{"item": field_label(name, lang, "payment"), "amount": value} for name, value in signs.items()]
    items.append({"item": field_label("act_dfr_amt", lang, "payment"), "amount": line["act_dfr_amt"]})
    checks = [{**row, "check": label(f"trace.check.{row['check']}", lang)} for row in facts["checks"]]
    clearing = ("insutype", "clr_type", "fund_appy_sum", "deducted", "dfr_amt")
    cleared = [{**row, "deducted": row["det_sumamt"]} for row in facts["clearing"]]
    settlement = ("setl_id", "person", "insutype", "clr_type", "med_type", "begndate", "enddate", "setl_time",
                  "fund_amt")  # fmt: skip
    return [
        _table("line", ("item", "amount"), items, lang),
        _table("checks", ("check", "left", "right", "ok"), checks, lang),
        _orders([line], lang),
        _steps(facts, lang),
        _table("clearing", clearing, cleared, lang, clearing[2:]),
        *_findings(facts["findings"], lang),
        _table("settlements", settlement, map(_with_person, facts["settlements"]), lang, ("fund_amt",)),
    ]


def _with_person(row: Row) -> Row:
    return {**row, "person": f"{row['psn_name'] or ''} {row['psn_no'] or ''}".strip()}


def _orders(lines: Iterable[Facts], lang: str) -> Section:
    rows = []
    for line in lines:
        for order in line["orders"]:
            answer = (label(f"trace.bank.{order['result'] or 'NONE'}", lang), str(order["bank_day"] or ""))
            logged = [order[key] for key in ("ordered", "answered") if order[key]]
            rows.append({
                **order,
                "fund": fund_label(line["fund_pay_type"], lang),
                "result": " ".join(filter(None, (*answer, order["fail_reason"]))),
                "log": ", ".join(str(entry["log"]) for entry in logged),
                "digest": order["file_digest"],
            })  # fmt: skip
    names = (
        "business_no",
        "fund",
        "attempt",
        "amount",
        "bankacct",
        "day",
        "actor",
        "file",
        "digest",
        "result",
        "log",
    )
    return _table("orders", names, rows, lang)


def _steps(facts: Facts, lang: str) -> Section:
    def word(state: str) -> str:
        return procedure.STATES[state][lang == EN]

    rows = [{**row, "state": word(row["state"])} for row in facts["steps"]]
    return _table("steps", ("state", "day", "at", "actor", "reason", "log", "hash"), rows, lang)


def _findings(found: list[Facts], lang: str) -> list[Section]:
    """What was found, by which rule with which parameters, and what was decided by whom: one table each."""
    rows = []
    for each in found:
        words = each["vola_cont_en"] if lang == EN and each["vola_cont_en"] else each["vola_cont"]
        rows.append({
            **_with_person(each),
            "vola_cont": words,
            "day": each["fee_ocur_time"] or each["enddate"],
            "reason": each["decision_reason"],
            "log": _span([entry["log"] for entry in each["decision_log"]]),
        })  # fmt: skip
    first = ("finding_id", "rule_id", "grade", "person", "setl_id", "bkkp_sn", "day", "hilist_name",
             "det_item_fee_sumamt", "vola_cont")  # fmt: skip
    second = ("finding_id", "reply", "decision", "reason", "reviewer", "decided_on", "log", "det_sumamt",
              "final_det_sumamt")  # fmt: skip
    used = {(each["rule_id"], each["rule_digest"], each["parameters"] or "") for each in found}
    rules = [{"rule_id": rule, "digest": digest, "used": said} for rule, digest, said in sorted(used)]
    return [
        _table("findings", first, rows, lang),
        _table("used", ("rule_id", "digest", "used"), rules, lang),
        _table("decisions", second, rows, lang, ("det_sumamt", "final_det_sumamt")),
    ]


def _span(numbers: Sequence[int]) -> str:
    if len(numbers) > 3:
        return f"{numbers[0]} … {numbers[-1]}"
    return ", ".join(map(str, numbers))


def _evidence(facts: Facts, lang: str) -> list[Section]:
    name: Callable[[Row], str] = lambda row: row["name_en" if lang == EN else "name"]  # noqa: E731
    rules = [{**row, "rule": f"{row['rule_id']} {name(row)}"} for row in facts["rules"]]
    parameters = [
        {
            **row,
            "parameter": f"{row['name']} {row['label']}",
            "source": f"{row['source']} {row['article']}"
            + (f" ({label('msg.assumed', lang)})" if row["assumed"] else ""),
        }
        for row in facts["parameters"]
    ]
    references = [{**row, "log": (row["loaded"] or {}).get("log")} for row in facts["references"]]
    runs = [
        {
            **row,
            "stage": label(f"run.{row['stage']}", lang),
            "versions": ", ".join(f"{n} {v}" for n, v in sorted(row["versions"].items())),
        }
        for row in facts["runs"]
    ]
    return [
        _table("rules", ("rule", "digest", "unchanged", "basis", "reads"), rules, lang),
        _table("parameters", ("parameter", "value", "unit", "from", "source"), parameters, lang),
        _table("references", ("name", "digest", "rows", "loaded_on", "log"), references, lang),
        _table("runs", ("run", "stage", "ran_on", "fingerprint", "policy", "code", "versions"), runs, lang),
    ]


def _lines(facts: Facts, lang: str) -> list[Section]:
    rows = [
        {**row, "fund": fund_label(row["fund_pay_type"], lang), "deducted": row["det_sumamt"]}
        for row in facts["payments"]
    ]
    names = ("fund", "fund_appy_sum", "deducted", "dpst_sumamt", "act_dfr_amt", "carry_amt")
    return [_table("lines", names, rows, lang), _orders(facts["payments"], lang)]


def _traced(facts: Facts, lang: str) -> list[Section]:
    return [
        *_findings(facts["findings"], lang),
        *_lines(facts, lang),
        _steps(facts, lang),
        *_evidence(facts, lang),
    ]


def _of_rows(facts: Facts, lang: str) -> list[Section]:
    """The settlement and the fee lines a trace begins with."""
    head = ("setl_id", "fixmedins_code", "psn_no", "psn_name", "insutype", "clr_type", "med_type", "begndate",
            "enddate", "setl_time", "medfee_sumamt", "fund_pay_sumamt", "acct_pay")  # fmt: skip
    settlement = facts["settlement"]
    rows = [
        {"item": field_label(name, lang, "setl_d"), "value": _cell(name, settlement.get(name), lang)}
        for name in head
    ]
    return [
        _table("settlement", ("item", "value"), rows, lang),
        _table("fee_lines", OF_LINE, [*facts["lines"], *facts.get("related_lines", [])], lang),
    ]
