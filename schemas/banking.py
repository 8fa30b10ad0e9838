"""What goes to the bank and what comes back: the batch payment file and the return file."""

from __future__ import annotations

import pandera.polars as pa

from schemas.layout import Money, Timestamp, field


class BankOrder(pa.DataFrameModel):
    """银行批量拨付: one payment order per row, one file per paying account."""

    no: int = field("序号", "No.")
    payer_acct: str = field("付款账号", "paying account", length=50, required=False)
    payer_name: str = field("付款户名", "paying account name", length=200, required=False)
    bankacct: str = field("收款账号", "account", length=50)
    acctname: str = field("收款户名", "payee", length=200)
    bank_name: str = field("收款行名", "bank", length=200)
    bankcode: str = field("联行号", "bank code", length=12)
    public_flag: str = field("对公标志", "corporate account", length=1)
    amount: Money = field("金额", "amount")
    purpose: str = field("用途", "purpose", length=20)
    business_no: str = field("业务号", "business number", length=32)

    class Config:
        """Table facts."""

        name = "bank_order"
        strict = True
        metadata = {"zh": "银行批量拨付", "en": "bank payment file", "key": ("business_no",)}


class BankReceipt(pa.DataFrameModel):
    """银行回单: what became of each order."""

    business_no: str = field(
        "业务号", "business number", length=32, alias=("业务编号", "客户业务号", "企业流水号", "serial_no")
    )
    result: str = field(
        "结果", "result", length=10, alias=("交易结果", "处理结果", "交易状态", "状态", "status")
    )
    reason: str = field(
        "失败原因", "why it failed", required=False, present=False, alias=("原因", "失败信息", "message")
    )
    trade_time: Timestamp = field(
        "交易时间",
        "time of the transfer",
        required=False,
        present=False,
        alias=("交易日期", "入账时间", "入账日期", "trade_date"),
    )
    amount: Money = field(
        "金额", "amount", required=False, present=False, alias=("交易金额", "付款金额", "发生额")
    )

    class Config:
        """Table facts."""

        name = "bank_receipt"
        strict = True
        metadata = {"zh": "银行回单", "en": "bank return file", "key": ("business_no",)}


BANKING = (BankOrder, BankReceipt)
