"""Papers that people fill in: the feedback workbook and its CSV form, the reviewers' one, bank returns."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl

from tests.story import world

FEEDBACK_BOOK, FEEDBACK_CSV, WORKLIST = "04_初审反馈单.xlsx", "05_申诉表.csv", "06_复审工作表.xlsx"
BANK_FILES = "07_银行批量拨付_[0-9]*.csv"
FINDING = re.compile(r"\[(\w\d) (\w+)(?:/(\d+))? (\w\d\d)(?: (\d{4}-\d\d))?\]")


@dataclass(frozen=True)
class Place:
    """Where the story happens: the home, a month in it, and the folder of what comes from outside."""

    home: Path
    outside: Path
    month: str = ""

    @property
    def inbox(self) -> Path:
        """Where papers of the month are put down."""
        return self.outside / "inbox" / (self.month or "any")

    @property
    def folder(self) -> Path:
        return self.home / world.REGION / self.month

    def of(self, code: str, name: str) -> Path:
        return self.folder / "institutions" / code / name


Paper = Callable[[Place], None]
# What stands in one row: column header, value.
Entries = Mapping[str, Mapping[str, Any]]


def finding_id(month: str, code: str, name: str, line: str | None, rule: str) -> str:
    """The id of a finding: the first 16 hex digits of the hash of what it is about."""
    setl = world.setl_id(code, month, name)
    text = "|".join((world.REGION, month.replace("-", ""), rule, setl, line or ""))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def named(text: str, month: str) -> str:
    """Put ids where findings are named as `[H1 S2/1 C02]`: institution, claim, line, rule, another month."""

    def ident(match: re.Match[str]) -> str:
        who, name, line, rule, other = match.groups()
        return finding_id(other or month, getattr(world, who), name, line, rule)

    return FINDING.sub(ident, text)


def reply_book(name: str, code: str, answers: Entries) -> Paper:
    """An institution fills in the workbook it was sent."""

    def write(place: Place) -> None:
        _fill(place.of(code, FEEDBACK_BOOK), _made(place.inbox / name), _by_id(answers, place.month))

    return write


def reply_csv(name: str, code: str, answers: Entries) -> Paper:
    """An institution fills in the CSV form."""

    def write(place: Place) -> None:
        header, *rows = csv.reader(io.StringIO(_text(place.of(code, FEEDBACK_CSV))))
        wanted = _by_id(answers, place.month)
        for row in rows:
            for column, value in wanted.pop(row[0].removeprefix("'"), {}).items():
                row[_column(header, column)] = value
        assert not wanted, wanted
        with _made(place.inbox / name).open("w", encoding="utf-8-sig", newline="") as out:
            csv.writer(out).writerows([header, *rows])

    return write


def worklist(name: str, decisions: Entries) -> Paper:
    """Reviewers fill in their workbook."""

    def write(place: Place) -> None:
        _fill(place.folder / WORKLIST, place.inbox / name, _by_id(decisions, place.month))

    return write


def bank_return(name: str, failed: tuple[tuple[str, str], ...] = ()) -> Paper:
    """The bank says what became of every order it has not answered yet.

    Args:
        name: of the file.
        failed: (payee, paying fund) of the transfers that did not go through.
    """

    def write(place: Place) -> None:
        answered = "".join(p.read_text(encoding="utf-8") for p in place.inbox.glob("bank*.csv"))
        lines = ["业务号,结果,失败原因,金额"]
        for path in sorted(place.folder.glob(BANK_FILES)):
            for row in csv.DictReader(io.StringIO(_text(path))):
                if row["业务号"] in answered:
                    continue
                bad = (row["收款户名"], row["付款账号"][-6:]) in failed
                told = ("失败", "账户状态异常") if bad else ("成功", "")
                lines.append(",".join((row["业务号"], *told, row["金额"])))
        (place.inbox / name).write_text("\n".join(lines) + "\n", encoding="utf-8")

    return write


def _text(path: Path) -> str:
    """A bank file as text; without a BOM it is GB18030."""
    data = path.read_bytes()
    return data.decode("utf-8-sig" if data.startswith(codecs.BOM_UTF8) else "gb18030")


def _made(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    return path


def _by_id(entries: Entries, month: str) -> dict[str, Mapping[str, Any]]:
    return {named(key, month): values for key, values in entries.items()}


def _column(header: list[Any], name: str) -> int:
    return next(at for at, cell in enumerate(header) if str(cell or "").replace("*", "").startswith(name))


def _fill(source: Path, target: Path, wanted: dict[str, Mapping[str, Any]]) -> None:
    """Write values into the rows of a workbook that begin with an id of a finding or a settlement."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of parts of a workbook the library does not know
        book = openpyxl.load_workbook(source)
        left = dict(wanted)
        for sheet in book:
            header: list[Any] = []
            for row in sheet.iter_rows():
                first = str(row[0].value or "")
                if first.replace("*", "") in ("疑点号", "结算ID"):
                    header = [cell.value for cell in row]
                for column, value in left.pop(first, {}).items() if header else ():
                    row[_column(header, column)].value = value
        assert not left, f"{source} 没有疑点 {left}"
        book.save(target)
