"""03_审核扣款明细表: every finding of an institution, with the totals by rule in front."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from pathlib import Path

from settlement.reports.dossier import Context, Dossier, Row
from settlement.reports.tables import A3, Book, Grid
from settlement.reports.vocabulary import code_label

FILE = "03_审核扣款明细表.xlsx"
SHEETS = (("违规", "sheet.violation"), ("可疑", "sheet.suspect"))


def write_findings(dossier: Dossier, month: Context, folder: Path) -> Path:
    """Write the deduction list of one institution."""
    title = month.say("doc.findings")
    book = Book(folder / FILE, title, month.month, dossier.size)
    _totals(book, title, dossier, month)
    for grade, key in SHEETS:
        _list(book, grade, month.say(key), dossier, month)
    return book.close()


def _subtitle(dossier: Dossier, month: Context) -> str:
    name = f"{dossier.facts['name']}({dossier.code})"
    return f"{month.region} · {name} · {month.month_text} · {month.say('msg.unit')}"


def _totals(book: Book, title: str, dossier: Dossier, month: Context) -> None:
    sheet = book.sheet(month.say("sheet.rule_totals"), lang=month.lang)
    grid = Grid(book, sheet, month.rule_columns)
    grid.heading(title, _subtitle(dossier, month))
    grid.header()
    grid.body(dossier.rules)
    grid.finish()
    grid.totals(month.say("msg.total"), _sums(dossier.rules, month))


def _sums(rules: list[Row], month: Context) -> dict[str, float]:
    """Add up rules' totals, in 分: the cells are doubles, and a sum of doubles may miss a 分."""
    keys = [column.key for column in month.rule_columns]
    return {
        key: sum(round(row[keys.index(key)] * 100) for row in rules) / 100
        for key in ("hits", "shown", "risk", "prelim", "final")
    }


def _list(book: Book, grade: str, name: str, dossier: Dossier, month: Context) -> None:
    sheet = book.sheet(name, paper=A3, lang=month.lang)
    grid = Grid(book, sheet, month.finding_columns)
    grid.heading(f"{month.say('doc.findings')} · {name}", _subtitle(dossier, month))
    word = code_label("grade", grade, month.lang)
    kind_at = [column.key for column in month.rule_columns].index("grade")
    sums = _sums([row for row in dossier.rules if row[kind_at] == word], month)
    grid.totals(
        f"{month.say('msg.total')} {sums['hits']:,.0f}",
        {
            "risk_amt": sums["risk"],
            "det_sumamt": sums["prelim"],
            "final_det_sumamt": sums["final"],
        },
    )
    grid.header(frozen_columns=1)
    at = [column.key for column in month.finding_columns].index("rule_id")
    hidden = {rule: more for (kind, rule), more in dossier.more.items() if kind == grade}
    for rule, rows in groupby(dossier.findings.get(grade, []), key=itemgetter(at)):
        grid.body(rows)
        _more(grid, rule, hidden.pop(rule, 0), month)
    for rule in sorted(hidden):
        _more(grid, rule, hidden[rule], month)
    if not dossier.findings.get(grade) and not hidden:
        grid.note(month.say("msg.none"))
    grid.finish()


def _more(grid: Grid, rule: str, more: int, month: Context) -> None:
    if more:
        grid.note(month.say("msg.more_findings", rule=rule, more=f"{more:,}"))
