"""Reference data a region loads: who may claim, for whom, for what, at which price.

Tables with `dated` in their facts have `begndate` and `enddate` (empty = open); a join uses the row in
force on the day of the fact. Knowledge tables (`kb_*`) carry the published batch as `source`.
"""

from __future__ import annotations

from typing import Annotated

import pandera.polars as pa
import polars as pl

from schemas.evidence import EVIDENCE
from schemas.knowledge import KNOWLEDGE
from schemas.layout import Price, Ratio, field
from schemas.own_lists import OWN_LISTS

Score = Annotated[pl.Decimal, 5, 2]


class Institution(pa.DataFrameModel):
    """定点医药机构名录."""

    fixmedins_code: str = field("定点医药机构编号", "institution code", length=12)
    fixmedins_name: str = field("定点医药机构名称", "institution name", length=200)
    fixmedins_type: str = field("定点医疗服务机构类型", "institution type", length=6, codes="fixmedins_type")
    hosp_lv: str = field("医院等级", "hospital grade", length=6, required=False)
    lmtpric_hosp_lv: str = field("限价医院等级", "price level", length=6, required=False)
    uscc: str = field("统一社会信用代码", "unified social credit code", length=50, required=False)
    acctname: str = field("收款户名", "account name", length=200, required=False)
    bankacct: str = field("收款账号", "account number", length=50, required=False)
    bank_name: str = field("开户行", "bank", length=200, required=False)
    bankcode: str = field("联行号", "bank code", length=20, required=False)
    begndate: pl.Date = field("开始日期", "in force from")
    enddate: pl.Date = field("结束日期", "in force until", required=False)

    class Config:
        """Table facts."""

        name = "institution"
        strict = True
        metadata = {
            "zh": "定点医药机构名录",
            "en": "designated institutions",
            "key": ("fixmedins_code",),
            "dated": True,
        }


class Agreement(pa.DataFrameModel):
    """服务协议."""

    fixmedins_code: str = field("定点医药机构编号", "institution code", length=12)
    cntr_stas: str = field("协议状态", "agreement status", length=3, codes="cntr_stas")
    med_type_scope: str = field("医疗类别范围", "kinds of care covered", length=500)
    begndate: pl.Date = field("开始日期", "in force from")
    enddate: pl.Date = field("结束日期", "in force until", required=False)

    class Config:
        """Table facts."""

        name = "agreement"
        strict = True
        metadata = {
            "zh": "服务协议",
            "en": "service agreements",
            "key": ("fixmedins_code", "cntr_stas"),
            "dated": True,
        }


class Person(pa.DataFrameModel):
    """参保人员."""

    psn_no: str = field("人员编号", "person number", length=30, personal=True)
    psn_name: str = field("人员姓名", "person name", length=50, personal=True)
    certno: str = field("证件号码", "certificate number", length=50, required=False, personal=True)
    gend: str = field("性别", "sex", length=6, required=False)
    brdy: pl.Date = field("出生日期", "date of birth", required=False, personal=True)
    die_date: pl.Date = field("死亡日期", "date of death", required=False)

    class Config:
        """Table facts."""

        name = "person"
        strict = True
        metadata = {"zh": "参保人员", "en": "insured persons", "key": ("psn_no",), "dated": False}


class Coverage(pa.DataFrameModel):
    """参保状态."""

    psn_no: str = field("人员编号", "person number", length=30)
    insutype: str = field("险种类型", "insurance type", length=6, codes="insutype")
    status: str = field("参保状态", "coverage status", length=3, codes="coverage_status")
    begndate: pl.Date = field("开始日期", "in force from")
    enddate: pl.Date = field("结束日期", "in force until", required=False)

    class Config:
        """Table facts."""

        name = "coverage"
        strict = True
        metadata = {
            "zh": "参保状态",
            "en": "coverage",
            "key": ("psn_no", "insutype", "status"),
            "dated": True,
        }


class Hilist(pa.DataFrameModel):
    """医保目录."""

    hilist_code: str = field("医保目录编码", "catalogue code", length=50)
    hilist_name: str = field("医保目录名称", "catalogue name", length=200)
    list_type: str = field("目录类别", "catalogue part", length=6, codes="list_type")
    chrgitm_lv: str = field("收费项目等级", "reimbursement class", length=3, codes="chrgitm_lv")
    med_chrgitm_type: str = field("医疗收费项目类别", "charge class", length=6, required=False)
    lmt_used_flag: str = field("限制使用标志", "restricted use flag", length=3, required=False)
    begndate: pl.Date = field("开始日期", "in force from")
    enddate: pl.Date = field("结束日期", "in force until", required=False)

    class Config:
        """Table facts."""

        name = "hilist"
        strict = True
        metadata = {"zh": "医保目录", "en": "catalogue", "key": ("hilist_code",), "dated": True}


class PriceLimit(pa.DataFrameModel):
    """限价."""

    hilist_code: str = field("医保目录编码", "catalogue code", length=50)
    hilist_lmtpric_type: str = field("限价类型", "price limit level", length=6)
    hilist_pric_uplmt_amt: Price = field("定价上限金额", "price limit")
    begndate: pl.Date = field("开始日期", "in force from")
    enddate: pl.Date = field("结束日期", "in force until", required=False)

    class Config:
        """Table facts."""

        name = "price_limit"
        strict = True
        metadata = {
            "zh": "限价",
            "en": "price limits",
            "key": ("hilist_code", "hilist_lmtpric_type"),
            "dated": True,
        }


class Selfpay(pa.DataFrameModel):
    """先自付比例."""

    hilist_code: str = field("医保目录编码", "catalogue code", length=50)
    insutype: str = field("险种类型", "insurance type", length=6)
    selfpay_prop: Ratio = field("自付比例", "self-pay ratio")
    begndate: pl.Date = field("开始日期", "in force from")
    enddate: pl.Date = field("结束日期", "in force until", required=False)

    class Config:
        """Table facts."""

        name = "selfpay"
        strict = True
        metadata = {
            "zh": "先自付比例",
            "en": "self-pay ratios",
            "key": ("hilist_code", "insutype"),
            "dated": True,
        }


class Staff(pa.DataFrameModel):
    """医务人员."""

    bilg_dr_code: str = field("医师代码", "doctor code", length=30)
    dr_name: str = field("医师姓名", "doctor name", length=50, required=False)
    pay_status: str = field("支付资格", "payment qualification", length=3, codes="pay_status")
    begndate: pl.Date = field("开始日期", "in force from")
    enddate: pl.Date = field("结束日期", "in force until", required=False)

    class Config:
        """Table facts."""

        name = "staff"
        strict = True
        metadata = {"zh": "医务人员", "en": "staff", "key": ("bilg_dr_code",), "dated": True}


class Dict(pa.DataFrameModel):
    """字典."""

    type: str = field("字典类型", "code list", length=30)
    value: str = field("代码", "code", length=20)
    label: str = field("名称", "label", length=200, required=False)
    begndate: pl.Date = field("开始日期", "in force from")
    enddate: pl.Date = field("结束日期", "in force until", required=False)

    class Config:
        """Table facts."""

        name = "dict"
        strict = True
        metadata = {"zh": "字典", "en": "code lists", "key": ("type", "value"), "dated": True}


class FundAccount(pa.DataFrameModel):
    """基金付款账户."""

    fund_pay_type: str = field("基金支付类型", "fund", length=6)
    payer_acct: str = field("付款账号", "paying account", length=50)
    payer_name: str = field("付款户名", "paying account name", length=200)
    payer_bank: str = field("付款行名", "paying bank", length=200, required=False)
    begndate: pl.Date = field("开始日期", "in force from")
    enddate: pl.Date = field("结束日期", "in force until", required=False)

    class Config:
        """Table facts."""

        name = "fund_account"
        strict = True
        metadata = {
            "zh": "基金付款账户",
            "en": "the fund's paying accounts",
            "key": ("fund_pay_type",),
            "dated": True,
            "optional": True,
        }


class Contact(pa.DataFrameModel):
    """机构联系人."""

    fixmedins_code: str = field("定点医药机构编号", "institution code", length=12)
    contact_name: str = field("联系人", "contact", length=50, required=False, personal=True)
    phone: str = field("联系电话", "telephone", length=50, required=False, personal=True)
    email: str = field("电子邮箱", "e-mail", length=100, required=False, personal=True)
    begndate: pl.Date = field("开始日期", "in force from")
    enddate: pl.Date = field("结束日期", "in force until", required=False)

    class Config:
        """Table facts."""

        name = "contact"
        strict = True
        metadata = {
            "zh": "机构联系人",
            "en": "contacts of institutions",
            "key": ("fixmedins_code",),
            "dated": True,
            "optional": True,
        }


class Assessment(pa.DataFrameModel):
    """年度考核得分."""

    fixmedins_code: str = field("定点医药机构编号", "institution code", length=12)
    year: int = field("考核年度", "year assessed")
    score: Score = field("考核得分", "score out of 100")

    class Config:
        """Table facts."""

        name = "assessment"
        strict = True
        metadata = {
            "zh": "年度考核得分",
            "en": "yearly assessment",
            "key": ("fixmedins_code", "year"),
            "optional": True,
        }


REFERENCE: tuple[type[pa.DataFrameModel], ...] = (
    Institution,
    Agreement,
    Person,
    Coverage,
    Hilist,
    PriceLimit,
    Selfpay,
    Staff,
    Dict,
    FundAccount,
    Contact,
    Assessment,
    *EVIDENCE,
    *KNOWLEDGE,
    *OWN_LISTS,
)
