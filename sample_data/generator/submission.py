"""Writes a submission: headers, encoding, package; and spoils the ones that must be refused."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from pathlib import Path

import polars as pl
import xlsxwriter

from sample_data.generator.regions import Form
from sample_data.generator.texts import Long, Tables
from schemas.layout import Column, table
from schemas.submission import SUBMISSION

DECLARED = {table(model).name: table(model) for model in SUBMISSION}
STAMP = (1980, 1, 1, 0, 0, 0)
PHARMACY_NAME = "刷卡结算、医保电子凭证记录"
MISSING = {"setl_d": ["hifp_pay"], "fee_list_d": ["pric", "inscp_amt"]}


def spoil(reason: str, tables: Tables, other_code: str) -> Tables:
    """Return the tables of a refused submission with the fault the reason names."""
    clr, setl = tables["clr_sum"], tables["setl_d"]
    if reason == "S04":
        return tables | {"clr_sum": clr.with_columns(clr_ym=pl.lit("202603"))}
    if reason == "S05":
        wrong = pl.lit(other_code).alias("fixmedins_code")
        return tables | {"clr_sum": clr.with_columns(wrong), "setl_d": setl.with_columns(wrong)}
    if reason == "S09":
        return {name: frame for name, frame in tables.items() if name != "fee_list_d"}
    if reason == "S10":
        return {n: f.drop(MISSING.get(n, [])) for n, f in tables.items()}
    if reason == "S15":
        first = pl.int_range(pl.len()) == 0
        more = pl.col("cash_payamt").cast(pl.Decimal(16, 2)) + pl.lit("0.01").str.to_decimal(scale=2)
        cell = pl.when(first).then(more.cast(pl.String)).otherwise("cash_payamt")
        return tables | {"clr_sum": clr.with_columns(cell.alias("cash_payamt"))}
    return tables


def write(folder: Path, name: str, form: Form, tables: Tables, long: list[Long], reason: str) -> None:
    """Write one submission in its form; a reason S12 puts NUL bytes into one file."""
    named = {_file_name(n, form, name): _headed(n, f, form) for n, f in tables.items()}
    if form.package == "xlsx":
        (folder / f"{name}.xlsx").write_bytes(_workbook(named))
        return
    ending = ".csv" if form.comma else ".txt"
    files = {_file_name(n, form, name) + ending: _text(frame, form, n, long) for n, frame in tables.items()}
    if reason == "S12":
        files = {file: data[:400] + b"\0\0" + data[400:] if "fee" in file else data
                 for file, data in files.items()}  # fmt: skip
    if form.package == "zip":
        (folder / f"{name}.zip").write_bytes(_zipped(files))
        return
    (folder / name).mkdir(parents=True, exist_ok=True)
    for file, data in files.items():
        (folder / name / file).write_bytes(data)


def _file_name(name: str, form: Form, submission: str) -> str:
    if form.names:
        return name
    if name == "setl_d" and submission.startswith("P"):
        return PHARMACY_NAME
    return DECLARED[name].zh


def _headed(name: str, frame: pl.DataFrame, form: Form) -> pl.DataFrame:
    columns = {c.name: c for c in DECLARED[name].columns}
    frame = frame.rename({n: _header(columns[n], form) for n in frame.columns})
    blank = [pl.when(pl.col(n) != "").then(n).alias(n) for n in frame.columns]
    frame = frame.select(blank)  # a missing value is nothing between two separators
    return frame.with_columns(备用1=pl.lit(None, dtype=pl.String)) if form.spare else frame


def _header(column: Column, form: Form) -> str:
    wire = [alias for alias in column.aliases if alias.isascii()]
    if form.headers == "zh":
        return column.zh
    return wire[0] if form.headers == "wire" and wire else column.name


def _text(frame: pl.DataFrame, form: Form, name: str, long: list[Long]) -> bytes:
    separator = "," if form.comma else "\t"
    text = _headed(name, frame, form).write_csv(separator=separator, line_terminator="\r\n")
    places = [_place(frame, row) + 1 for row in long if row.table == name and _place(frame, row) >= 0]
    if places:
        rows = text.split("\r\n")
        for place in places:
            rows[place] += separator + "多一栏"
        text = "\r\n".join(rows)
    return text.encode(form.encoding)


def _place(frame: pl.DataFrame, row: Long) -> int:
    """Return the row's position, or -1 when the frame does not have it."""
    match = (pl.col("setl_id") == row.setl_id) & (pl.col("bkkp_sn") == row.sn)
    found = frame.select(match.arg_true()).to_series()
    return int(found[0]) if found.len() else -1


def _zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            member = zipfile.ZipInfo(name, STAMP)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            member.create_system = 3
            archive.writestr(member, data, compresslevel=9)
    return buffer.getvalue()


def _workbook(sheets: dict[str, pl.DataFrame]) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_numbers": False,
                                        "strings_to_formulas": False})  # fmt: skip
    book.set_properties({"created": datetime(2026, 5, 6)})  # noqa: DTZ001 - a fixed stamp
    for name, frame in sheets.items():
        sheet = book.add_worksheet(name[:31])
        sheet.write_row(0, 0, frame.columns)
        for number, row in enumerate(frame.iter_rows(), start=1):
            sheet.write_row(number, 0, row)
    book.close()
    return buffer.getvalue()
