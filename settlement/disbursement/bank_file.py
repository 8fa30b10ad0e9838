"""The batch payment files for the bank, and the sheet that controls them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import polars as pl

from settlement.disbursement.orders import FIELDS, ORDER, file_key, in_files, ready
from settlement.errors import InvariantBroken
from settlement.labels import label
from settlement.reports.frames import csv_frame

Encoding = Literal["utf-8-sig", "gb18030"]
BOM = b"\xef\xbb\xbf"
NAME, CONTROL = "07_银行批量拨付_{part}.csv", "07_银行批量拨付_控制.csv"
HEADERS = {column.name: column.zh for column in ORDER.columns}
AMOUNT = r"^[0-9]+\.[0-9]{2}$"
_UNSAFE = re.compile(r"[^0-9A-Za-z]")


@dataclass(frozen=True)
class BankFile:
    """One file for the bank: from one paying account, or for one fund when no account is loaded.

    Attributes:
        name: file name.
        payer_acct: paying account, empty when not loaded.
        payer_name: its name.
        count: 笔数.
        total: 合计, 元.
        digest: SHA-256 of `data`, in hexadecimal.
        data: the bytes to write.
        warning: what someone must see to before it is sent, empty when nothing.
    """

    name: str
    payer_acct: str
    payer_name: str
    count: int
    total: Decimal
    digest: str
    data: bytes
    warning: str


def bank_file(rows: pl.DataFrame, encoding: Encoding = "utf-8-sig") -> bytes:
    """Return orders as the bank's CSV: Chinese headers, CRLF, account numbers as text.

    Args:
        rows: columns of `schemas.banking.BankOrder`; others are left out.
        encoding: utf-8-sig (with BOM) or gb18030, which holds every character Unicode has.
    """
    return _csv(csv_frame(rows.select(FIELDS), HEADERS), encoding)


def read_back(data: bytes) -> tuple[int, Decimal]:
    """Return number of orders and their sum in 元, read from the bytes of a bank file.

    Raises:
        InvariantBroken: an amount in the file is not 元 with two places.
    """
    amounts = orders_in(data)["amount"]
    if not amounts.str.contains(AMOUNT).fill_null(False).all():
        raise InvariantBroken("银行文件中有金额不是两位小数的元:文件未发出,请重新生成")
    fen = amounts.str.replace(".", "", literal=True).cast(pl.Int64).sum()
    return amounts.len(), Decimal(fen).scaleb(-2)


def orders_in(data: bytes) -> pl.DataFrame:
    """Return the orders of a bank file as text, under the names of `schemas.banking.BankOrder`."""
    text = data.removeprefix(BOM).decode("utf-8" if data.startswith(BOM) else "gb18030")
    rows = pl.read_csv(text.encode(), infer_schema=False)
    return rows.rename({zh: name for name, zh in HEADERS.items()}, strict=False)


def files(rows: pl.DataFrame, encoding: Encoding = "utf-8-sig", lang: str = "zh") -> list[BankFile]:
    """Divide orders into one file per paying account, and read each back before it is handed out.

    Where a fund has no paying account, its orders make a file of their own with the account left empty
    and a warning.

    Args:
        rows: orders of `payables`, each with a complete account (see `orders.ready`).
        encoding: of every file.
        lang: language of the warnings; the files are Chinese.

    Raises:
        InvariantBroken: an order has no complete account, a number stands twice, or what is read back
            is not what was written.
    """
    gaps = rows.filter(~ready())
    if gaps.height:
        raise InvariantBroken(
            f"{gaps.height} 条拨付指令的收款账户不完整,如机构 {gaps['fixmedins_code'][0]}:"
            "请先在机构名录补齐账号、户名、开户行与 12 位联行号"
        )
    if rows["business_no"].n_unique() != rows.height:
        raise InvariantBroken("同一业务号出现在两条拨付指令中,文件未生成")
    parts = in_files(rows).with_columns(part=file_key()).partition_by("part", maintain_order=True)
    made = [_file(part, encoding, lang) for part in parts]
    if (sum(f.count for f in made), sum(f.total for f in made)) != (rows.height, rows["amount"].sum() or 0):
        raise InvariantBroken("银行文件合计与拨付指令合计不符,文件未发出")
    if len({f.name for f in made}) != len(made):
        raise InvariantBroken("两个付款账号只差在符号上,请检查 fund_account.csv 的 payer_acct")
    return made


def control(made: Sequence[BankFile], encoding: Encoding = "utf-8-sig", lang: str = "zh") -> bytes:
    """Return the control sheet: per file number of orders, sum and SHA-256, and the sums of all."""
    keys = ("no", "file", "payer_acct", "payer_name", "orders", "file_sum", "sha256", "remark")
    rows = [
        (str(at), f.name, f.payer_acct, f.payer_name, f.count, f.total, f.digest, f.warning)
        for at, f in enumerate(made, start=1)
    ]
    total = sum((f.total for f in made), Decimal("0.00"))
    rows.append((label("msg.total", lang), "", "", "", sum(f.count for f in made), total, "", ""))
    types: dict[str, Any] = dict.fromkeys(keys, pl.String) | {
        "orders": pl.Int64,
        "file_sum": pl.Decimal(18, 2),
    }
    sheet = pl.DataFrame(rows, schema=types, orient="row")
    return _csv(csv_frame(sheet, {key: label(f"bank.{key}", lang) for key in keys}), encoding)


def _file(part: pl.DataFrame, encoding: Encoding, lang: str) -> BankFile:
    first = part.row(0, named=True)
    data = bank_file(part, encoding)
    count, total = read_back(data)
    if (count, total) != (part.height, part["amount"].sum()):
        raise InvariantBroken(
            f"银行文件读回 {count} 笔 {total} 元,应为 {part.height} 笔 {part['amount'].sum()} 元"
        )
    warning, part_name = "", _UNSAFE.sub("", first["part"])
    if first["payer_acct"] is None:
        part_name = first["part"]
        warning = label("bank.no_payer", lang).format(fund=first["fund_pay_type"])
    return BankFile(
        name=NAME.format(part=part_name),
        payer_acct=first["payer_acct"] or "",
        payer_name=first["payer_name"] or "",
        count=count,
        total=total,
        digest=hashlib.sha256(data).hexdigest(),
        data=data,
        warning=warning,
    )


def _csv(rows: pl.DataFrame, encoding: Encoding) -> bytes:
    return rows.write_csv(line_terminator="\r\n").encode(encoding)
