"""02_月结算单: one page that says what was claimed, what was refused and why, what is paid and when."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from settlement import procedure
from settlement.labels import EN
from settlement.reports.capitals import capitals
from settlement.reports.dossier import Context, Dossier
from settlement.reports.prepare import BALANCE
from settlement.reports.tables import BAND, HEAD, INK, Book, day_text
from settlement.reports.vocabulary import fund_label

FILE = "02_月结算单.xlsx"
NOTHING = Decimal("0.00")
LEAST_COLUMNS = 8
TOP_REASONS = 5
NAMED_REASONS = 2
LINE = 18
CLEARING = (
    "setl_cnt",
    "medfee_sumamt",
    "fund_pay_sumamt",
    "acct_pay",
    "cash_payamt",
    "det_sumamt",
    "dfr_amt",
)

# How the net comes about, line by line; `+` lines are results.
STEPS: tuple[tuple[str, bool], ...] = (
    ("claimed", False),
    ("final", False),
    ("allowed", True),
    ("method", False),
    ("deferred", False),
    ("deposit", False),
    ("advance", False),
    ("prior", False),
    ("clawback", False),
    ("net", True),
    ("carry", False),
    ("paid", True),
)


def write_statement(dossier: Dossier, month: Context, folder: Path) -> Path:
    """Write the monthly statement of one institution."""
    page = Page(dossier, month, folder)
    page.head()
    page.gist()
    page.funds()
    page.reasons()
    page.clearing()
    page.ledgers()
    page.signatures()
    return page.book.close()


def steps(row: dict[str, Any]) -> dict[str, Decimal]:
    """Return one fund's way from claimed to paid, by the names of `STEPS`."""
    allowed = row["fund_appy_sum"] - row["det_sumamt"]
    return {
        "claimed": row["fund_appy_sum"],
        "final": row["det_sumamt"],
        "allowed": allowed,
        "method": row["method_adjust_amt"],
        "deferred": row["deferred_amt"],
        "deposit": row["dpst_sumamt"],
        "advance": row["advance_offset_amt"],
        "prior": row["prior_adjust_amt"],
        "clawback": row["clawback_amt"],
        "net": row["act_dfr_amt"] - row["carry_amt"],
        "carry": row["carry_amt"],
        "paid": row["act_dfr_amt"],
    }


def state_text(batch: dict[str, Any], month: Context) -> str:
    """Return where a batch stands, in words, and that it was paid late when it was."""
    state = str(batch.get("state") or "")
    word = procedure.STATES.get(state, (state, state))[month.lang == EN]
    return f"{word}{month.say('msg.late')}" if batch.get("overdue") else word


_SAID = {"claimed": "claimed", "refused": "final", "paid": "paid"}


class Page:
    """The sheet and the row reached so far; the parts are written from top to bottom."""

    def __init__(self, dossier: Dossier, month: Context, folder: Path) -> None:
        """Open the workbook; many funds need more columns and a page on its side."""
        self.dossier, self.month = dossier, month
        self.title = month.say("doc.statement")
        self.book = Book(folder / FILE, self.title, month.month)
        self.width = max(LEAST_COLUMNS, len(dossier.payment) + 2)
        wide = self.width > LEAST_COLUMNS
        self.sheet = self.book.sheet(month.say("sheet.statement"), landscape=wide, lang=month.lang)
        self.sheet.fit_to_pages(1, 1)
        self.sheet.center_horizontally()
        self.sheet.set_column(0, 0, 34)
        self.sheet.set_column(1, self.width - 1, 16)
        self.row = 0
        self.by_fund = [steps(row) for row in dossier.payment]
        self.sums = {name: sum((fund[name] for fund in self.by_fund), NOTHING) for name, _ in STEPS}
        self.held = dossier.batch.get("state") == procedure.HOLD

    @property
    def last(self) -> int:
        """The last column."""
        return self.width - 1

    @property
    def quarters(self) -> tuple[tuple[int, int], ...]:
        """The page in four: the wide first column, and the others in three parts."""
        third = (self.width - 1) / 3
        ends = [round(third * i) for i in range(4)]
        parts = ((ends[i] + 1, ends[i + 1]) for i in range(3))
        return ((0, 0), *parts)

    def head(self) -> None:
        """Write the title and who it is about."""
        say, facts = self.month.say, self.dossier.facts
        self.sheet.set_row(0, 36)
        self._across(f"{self.month.region}{' ' * (self.month.lang == 'en')}{self.title}", "centre_title")
        self._across(f"{self.month.month_text}  ·  {say('msg.unit')}", "centre_subtitle")
        kind = " ".join(filter(None, (facts["type"], facts["level"])))
        pairs = (
            (("col.name", facts["name"]), ("col.code", self.dossier.code)),
            (("col.type", kind), ("col.submission", facts["submission"])),
            (("col.received", day_text(facts["received"])), ("col.deadline", day_text(facts["deadline"]))),
            (
                ("col.status", state_text(self.dossier.batch, self.month)),
                ("col.paid_on", day_text(self.dossier.batch.get("paid_on"))),
            ),
            (("col.acctname", facts["acctname"]), ("col.bankacct", facts["bankacct"])),
        )
        for left, right in pairs:
            self.sheet.set_row(self.row, 20)
            self._label(0, say(left[0]))
            self._merged(1, 3, left[1], "text")
            self._label(4, say(right[0]))
            self._merged(5, self.last, right[1], "text")
            self.row += 1
        self.row += 1

    def gist(self) -> None:
        """Write the four figures everyone looks for, why money was refused, and when it is paid."""
        say, sums = self.month.say, self.sums
        other = sums["claimed"] - sums["final"] - sums["paid"]
        boxes = (
            ("col.claimed", sums["claimed"]),
            ("col.refused", sums["final"]),
            ("col.other", other),
            ("col.held" if self.held else "col.paid", sums["paid"]),
        )
        self.sheet.set_row(self.row, 20)
        self.sheet.set_row(self.row + 1, 34)
        for (first, last), (key, amount) in zip(self.quarters, boxes, strict=True):
            strong = key == boxes[-1][0]
            fill = HEAD if strong else BAND
            self._merged(first, last, say(key), "centre", bg_color=fill, bold=strong)
            self.row += 1
            style = {"bg_color": fill, "bold": True, "font_size": 16, "align": "center"}
            self._merged(first, last, amount, "money", **style)
            self.row -= 1
        self.row += 2
        words = say("msg.words_held" if self.held else "msg.words")
        for text in (self._happened(), self._why(), f"{words}: {capitals(sums['paid'])}"):
            self.sheet.set_row(self.row, 22)
            self._across(text, "text", bold=True)
        self.row += 1

    def _happened(self) -> str:
        """The month in one sentence: claimed, refused, paid, and when or why not."""
        say, sums, paid_on = self.month.say, self.sums, self.dossier.batch.get("paid_on")
        if self.held:
            key = "msg.held"
        elif not sums["paid"]:
            key = "msg.nothing_paid"
        else:
            key = "msg.was_paid" if paid_on else "msg.what_happened"
        day = day_text(paid_on or self.dossier.facts["deadline"]) or "—"
        text = say(key, day=day, **{k: f"{sums[v]:,.2f}" for k, v in _SAID.items()})
        return text + (say("msg.carried", carry=f"{sums['carry']:,.2f}") if sums["carry"] else "")

    def _why(self) -> str:
        """The rules that took most, in one line."""
        say, refused = self.month.say, self.dossier.refused
        if not refused:
            return say("msg.no_deduction")
        named = [
            say("msg.reason", rule=rule, name=name, count=count, amount=f"{amount:,.2f}")
            for rule, name, count, amount in refused[:NAMED_REASONS]
        ]
        rest = len(refused) - len(named)
        if rest:
            named.append(say("msg.others", count=rest))
        return say("msg.why") + say("msg.comma").join(named)

    def funds(self) -> None:
        """Write how each fund's net was derived."""
        say = self.month.say
        self._across(say("part.funds"), "part")
        self.sheet.set_row(self.row, 46)
        head = self.book.format("header")
        self.sheet.write_string(self.row, 0, say("col.item"), head)
        names = [fund_label(row["fund_pay_type"], self.month.lang) for row in self.dossier.payment]
        for i, name in enumerate([*names, say("msg.total")]):
            self.sheet.write_string(self.row, 1 + i, name, head)
        self.row += 1
        for name, result in STEPS:
            extra: dict[str, Any] = {"bold": True, "bg_color": BAND} if result else {}
            if name == "paid":
                extra = {"bold": True, "bg_color": HEAD}
            self.sheet.set_row(self.row, LINE)
            word = "step.held" if name == "paid" and self.held else f"step.{name}"
            self.sheet.write_string(self.row, 0, say(word), self.book.box("text", **extra))
            amounts = [fund[name] for fund in self.by_fund]
            for i, amount in enumerate([*amounts, self.sums[name]]):
                self.sheet.write_number(self.row, 1 + i, amount, self.book.box("money", **extra))
            self.row += 1
        self.row += 1

    def reasons(self) -> None:
        """Write why money was refused: the rules that took most, the rest in one line."""
        say, refused = self.month.say, self.dossier.refused
        self._across(say("part.reasons"), "part")
        if self.dossier.appeal:
            names = ("prelim", "withdrawn", "confirmed", "final")
            self._across(
                say("msg.appeal", **{n: f"{self.dossier.appeal[n]:,.2f}" for n in names}), "text", bold=True
            )
        if not refused:
            self._across(say("msg.no_deduction"), "text")
            self.row += 1
            return
        self._reason_line(say("col.rule_name"), say("col.count"), say("col.final"), "header")
        for rule, name, count, amount in refused[:TOP_REASONS]:
            self._reason_line(f"{rule} {name}", count, amount, "")
        rest = refused[TOP_REASONS:]
        if rest:
            count = sum(line[2] for line in rest)
            amount = sum((line[3] for line in rest), NOTHING)
            self._reason_line(say("msg.others", count=len(rest)), count, amount, "")
        self._across(say("msg.see_findings"), "subtitle")
        self.row += 1

    def clearing(self) -> None:
        """Write the totals by insurance and clearing type."""
        say, lines = self.month.say, self.dossier.clearing
        self._across(say("part.clearing"), "part")
        heads = ("clearing", "setl_cnt", "medfee", "fund_money", "acct", "cash", "final", "less")
        self.sheet.set_row(self.row, 32)
        for i, key in enumerate(heads):
            self.sheet.write_string(self.row, i, say(f"col.{key}"), self.book.format("header"))
        self.row += 1
        for line in lines:
            self._clearing_line(line["label"], [line[name] for name in CLEARING], {})
        totals = [sum((line[name] for line in lines), 0) for name in CLEARING]
        self._clearing_line(say("msg.total"), totals, {"bold": True, "bg_color": BAND})
        self.row += 1

    def ledgers(self) -> None:
        """Write the ledgers that moved or are not nil, by fund: opening, plus, minus, closing."""
        say, lines = self.month.say, self.dossier.books
        if not lines:
            return
        self._across(say("part.books"), "part")
        self._ledger_line(say("col.book"), say("col.fund"), [say(f"col.{key}") for key in BALANCE])
        for line in lines:
            fund = fund_label(line["fund_pay_type"], self.month.lang)
            self._ledger_line(say(f"book.{line['book']}"), fund, [line[key] for key in BALANCE])
        self.row += 1

    def signatures(self) -> None:
        """Write where the four people sign, with the names and days the procedure knows."""
        say, batch = self.month.say, self.dossier.batch
        people = (
            ("sign.settle", batch.get("settled_by"), batch.get("settled_on")),
            ("sign.review", self.dossier.reviewers, None),
            ("sign.approve", batch.get("approved_by"), batch.get("approved_on")),
            ("sign.institution", None, None),
        )
        names = [f"{say(key)} {name or ''}".rstrip() for key, name, _ in people]
        days = [f"{say('sign.date')} {day_text(day)}".rstrip() for _, _, day in people]
        for texts, height in ((names, 44), (days, 24)):
            self.sheet.set_row(self.row, height)
            for (first, last), text in zip(self.quarters, texts, strict=True):
                self._merged(first, last, text, "wrap", valign="top")
            self.row += 1
        self.sheet.print_area(0, 0, self.row - 1, self.last)

    def _across(self, text: str, style: str, **extra: Any) -> None:  # noqa: ANN401
        made = self.book.format(style, **extra)
        self.sheet.merge_range(self.row, 0, self.row, self.last, "", made)
        self.sheet.write_string(self.row, 0, text, made)
        self.row += 1

    def _label(self, at: int, text: str) -> None:
        style = self.book.box("text", bg_color=BAND, font_color=INK)
        self.sheet.write_string(self.row, at, text, style)

    def _merged(self, first: int, last: int, value: Any, style: str, **extra: Any) -> None:  # noqa: ANN401
        made = self.book.box(style, **extra)
        if last > first:
            self.sheet.merge_range(self.row, first, self.row, last, "", made)
        if isinstance(value, str):
            self.sheet.write_string(self.row, first, value, made)
        else:
            self.sheet.write_number(self.row, first, value, made)

    def _reason_line(self, name: str, count: Any, amount: Any, style: str) -> None:  # noqa: ANN401
        self.sheet.set_row(self.row, LINE)
        head = {"bg_color": HEAD, "bold": True, "align": "center"} if style else {}
        self._merged(0, 2, name, "text", **head)
        self._merged(3, 3, count, "count", **head)
        self._merged(4, 5, amount, "money", **head)
        self.row += 1

    def _ledger_line(self, book: str, fund: str, amounts: list[Any]) -> None:
        self.sheet.set_row(self.row, LINE)
        head: dict[str, Any] = {"bg_color": HEAD, "bold": True} if isinstance(amounts[0], str) else {}
        self.sheet.write_string(self.row, 0, book, self.book.box("text", **head))
        self._merged(1, 3, fund, "text", **head)
        for i, amount in enumerate(amounts):
            self._merged(4 + i, 4 + i, amount, "centre" if head else "money", **head)
        self.row += 1

    def _clearing_line(self, name: str, values: list[Any], extra: dict[str, Any]) -> None:
        self.sheet.set_row(self.row, LINE)
        self.sheet.write_string(self.row, 0, name, self.book.box("text", **extra))
        for i, value in enumerate(values):
            kind = "money" if i else "count"
            self.sheet.write_number(self.row, 1 + i, value, self.book.box(kind, **extra))
        self.row += 1
