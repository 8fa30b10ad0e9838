"""Small submissions as institutions send them, sound unless told otherwise, and an office to send them to.

A `Sent` holds the text of every cell. Change cells, files or headers, then write it as a folder, zip,
workbook or Parquet. All persons are made up.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from jobs import monthly, office, taking_in
from jobs.books import open_month
from jobs.faults import returned_rows
from jobs.progress import quiet
from jobs.recording import Taken
from schemas.layout import Table, table
from schemas.reference import REFERENCE
from schemas.submission import SUBMISSION
from settlement import store
from settlement.audit import cases as rule_cases

Row = dict[str, str]

REGION = "langfang"
MONTH = dt.date(2026, 4, 1)
TODAY = dt.date(2026, 5, 8)
HEALTHY = "H13100000001"
TABLES: dict[str, Table] = {table(model).name: table(model) for model in SUBMISSION}
TYPES = {table(model).name: table(model).schema for model in (*SUBMISSION, *REFERENCE)}
SUMMED = ("medfee_sumamt", "fund_pay_sumamt", "acct_pay", "cash_payamt")


@dataclass
class Sent:
    """One institution's month.

    Attributes:
        code: institution.
        clr_ym: month in the name.
        turn: what follows the month in the name, e.g. `_2`.
        rows: by table, text cells by national column name.
        raw: by file name, bytes that stand instead of or beside the tables; None leaves a file out.
    """

    code: str
    clr_ym: str = "202604"
    turn: str = ""
    rows: dict[str, list[Row]] = field(default_factory=dict)
    raw: dict[str, bytes | None] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.code}_{self.clr_ym}{self.turn}"

    def change(self, tab: str, number: int, **cells: str) -> Sent:
        """Set cells of a row; rows count from 0."""
        unknown = set(cells) - {c.name for c in TABLES[tab].columns}
        assert not unknown, unknown
        self.rows[tab][number].update(cells)
        return self

    def totals(self) -> Sent:
        """Declare what the settlements add up to."""
        groups: dict[tuple[str, str], list[Row]] = {}
        for row in self.rows["setl_d"]:
            groups.setdefault((row["insutype"], row["clr_type"]), []).append(row)
        self.rows["clr_sum"] = [
            {
                "fixmedins_code": self.code, "clr_ym": self.clr_ym,
                "insutype": insutype, "clr_type": clr_type, "fixmedins_setl_cnt": str(len(rows)),
                **{m: str(sum((Decimal(r[m]) for r in rows), Decimal("0.00"))) for m in SUMMED},
            }
            for (insutype, clr_type), rows in groups.items()
        ]  # fmt: skip
        return self

    def header(self, tab: str) -> list[str]:
        return list(self.rows[tab][0])

    def text(
        self,
        tab: str,
        delimiter: str = ",",
        newline: str = "\n",
        naming: Callable[[str, str], str] = lambda tab, column: column,
    ) -> str:
        """Return a table as text; `naming` gives the header of a column."""
        names = self.header(tab)
        out = io.StringIO()
        writer = csv.writer(out, delimiter=delimiter, lineterminator=newline)
        writer.writerow([naming(tab, name) for name in names])
        writer.writerows([row[name] for name in names] for row in self.rows[tab])
        return out.getvalue()

    def files(self, encoding: str = "utf-8", **layout: Any) -> dict[str, bytes]:
        """Return the files by name."""
        made = {f"{tab}.csv": self.text(tab, **layout).encode(encoding) for tab in self.rows}
        every = {**made, **self.raw}
        return {name: content for name, content in every.items() if content is not None}

    def folder(self, parent: Path, **layout: Any) -> Path:
        path = parent / self.name
        path.mkdir(parents=True)
        for name, content in self.files(**layout).items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(content)
        return path

    def zip(self, parent: Path, **layout: Any) -> Path:
        path = parent / f"{self.name}.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in self.files(**layout).items():
                archive.writestr(name, content)
        return path

    def xlsx(self, parent: Path, typed: bool = False) -> Path:
        """Write a workbook; `typed` writes numbers and dates as such, as a person would."""
        path = parent / f"{self.name}.xlsx"
        with xlsxwriter.Workbook(path) as book:
            styles = {
                pl.Date: book.add_format({"num_format": "yyyy-mm-dd"}),
                pl.Datetime: book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
            }
            for tab, rows in self.rows.items():
                sheet = book.add_worksheet(tab)
                sheet.write_row(0, 0, self.header(tab))
                for at, row in enumerate(rows, start=1):
                    for place, (name, value) in enumerate(row.items()):
                        dtype = TYPES[tab][name].base_type() if typed else None
                        if not value:
                            continue
                        if dtype in styles:
                            moment = dt.datetime.fromisoformat(value)
                            sheet.write_datetime(at, place, moment, styles[dtype])
                        elif dtype == pl.Decimal:
                            sheet.write_number(at, place, float(value))
                        else:
                            sheet.write_string(at, place, value)
        return path

    def parquet(self, parent: Path, typed: bool = False) -> Path:
        path = parent / self.name
        path.mkdir(parents=True)
        for tab in self.rows:
            frame = self.frame(tab)
            if typed:
                frame = frame.select(_typed(name, TYPES[tab][name]) for name in frame.columns)
            frame.write_parquet(path / f"{tab}.parquet")
        return path

    def frame(self, tab: str) -> pl.DataFrame:
        """Return a table as text columns, empty cells null."""
        frame = pl.DataFrame(self.rows[tab], schema=dict.fromkeys(self.header(tab), pl.String))
        return frame.with_columns(pl.all().replace("", None))


def _typed(name: str, dtype: Any) -> pl.Expr:
    """Types other programs would write: wider decimals, dates with a time."""
    if dtype.base_type() == pl.Decimal:
        return pl.col(name).cast(pl.Decimal(38, 6))
    if dtype.base_type() == pl.Date:
        return pl.col(name).str.to_datetime("%Y-%m-%d")
    if dtype.base_type() == pl.Datetime:
        return pl.col(name).str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="ns")
    return pl.col(name).cast(dtype)


def valid(code: str = HEALTHY, settlements: int = 10, lines: int = 2) -> Sent:
    """Return a sound month: settlements of one insurance type, each with lines."""
    ids = [f"{code[-4:]}S{n:04d}" for n in range(settlements)]
    given = [{"setl_id": i, "fixmedins_code": code, "psn_no": f"P{i}"} for i in ids]
    charged = [
        {"setl_id": i, "bkkp_sn": str(n), "cnt": n + 1, "pric": 10 + n, "preselfpay_amt": 1}
        for i in ids
        for n in range(lines)
    ]
    setl_d, fee_list_d = rule_cases.submission(given, charged, "11")
    sent = Sent(code, rows={"setl_d": _cells(setl_d), "fee_list_d": _cells(fee_list_d)})
    for tab, rows in sent.rows.items():
        kept = [c.name for c in TABLES[tab].columns if c.present]
        sent.rows[tab] = [{name: row[name] for name in kept} for row in rows]
    return sent.totals()


def with_diagnoses(sent: Sent) -> Sent:
    """Add a diagnosis and an operation to every settlement."""
    ids = [row["setl_id"] for row in sent.rows["setl_d"]]
    sent.rows["setl_list_diag_d"] = [{"setl_id": i, "diag_code": "J18.9", "maindiag_flag": "1"} for i in ids]
    sent.rows["setl_list_oprn_d"] = [
        {"setl_id": i, "oprn_oprt_code": "99.15", "oprn_oprt_date": "2026-04-10"} for i in ids
    ]
    return sent


def _cells(frame: pl.DataFrame) -> list[Row]:
    text = frame.write_csv(datetime_format="%Y-%m-%d %H:%M:%S")
    return list(csv.DictReader(io.StringIO(text)))


def reference(codes: list[str]) -> dict[str, pl.DataFrame]:
    """Return the least reference data an office needs: institutions with agreements."""
    given: list[dict[str, Any]] = [
        {"fixmedins_code": c, "fixmedins_type": "1" if c[0] == "H" else "2"} for c in codes
    ]
    return {name: rule_cases.reference(name, given) for name in ("institution",)} | {
        "agreement": rule_cases.reference("agreement", [{"fixmedins_code": c} for c in codes])
    }


def write_reference(folder: Path, codes: list[str]) -> Path:
    """Write the same as a folder of CSV files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in reference(codes).items():
        frame.write_csv(folder / f"{name}.csv")
    return folder


class Office:
    """A fresh home folder with reference data, where submissions can be sent."""

    def __init__(self, home: Path, codes: list[str], region: str = REGION) -> None:
        self.home = store.open_store(home)
        self.region = region
        for name, frame in reference(codes).items():
            self.load(name, frame)

    def desk(self, month: dt.date = MONTH) -> office.Office:
        """The office of a month, on the day submissions are received."""
        return office.Office(self.home, self.region, month, TODAY)

    def load(self, name: str, frame: pl.DataFrame) -> None:
        """Load a reference table."""
        store.add_reference(self.home, self.desk().act("reference"), name, frame)

    def take(self, *paths: Path, month: dt.date = MONTH) -> dict[str, Taken]:
        """Take in submissions; return what became of each by file name or name."""
        taken = taking_in.take_in(self.desk(month), list(paths), quiet)
        return {t.name: t for t in taken}

    def faults(self) -> pl.DataFrame:
        """Return every fault of the month's current submissions, in words."""
        return returned_rows(open_month(self.desk()))

    def paid(self) -> pl.DataFrame:
        """Return what the month pays, after all its checks."""
        monthly.unattended(self.desk())
        return store.read_table(self.home, self.region, MONTH, "payment")

    def accepted(self, code: str) -> pl.DataFrame:
        """Return the accepted settlements of an institution's current submission."""
        [one] = [
            s
            for s in store.submissions(self.home, self.region, MONTH)
            if s["fixmedins_code"] == code and s["current"]
        ]
        [path] = store.stored_files(self.home, {one["intake"]}, "accepted")[one["intake"]]
        return pl.read_parquet(path).filter(pl.col("sub") == one["sub"]).sort("setl_id")
