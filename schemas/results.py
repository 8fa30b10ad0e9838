"""What a month leaves behind: the tables in `data/`."""

from __future__ import annotations

import pandera.polars as pa

from schemas.layout import Money, field


class Returned(pa.DataFrameModel):
    """Reasons why a submission or a settlement was not accepted: one row per fault."""

    level: str = field("层级", "level (submission or settlement)", length=12)
    fixmedins_code: str = field("定点医药机构编号", "institution code", length=30)
    submission: str = field("申报包", "submission", length=200)
    table: str = field("表", "table", length=40, required=False)
    setl_id: str = field("结算ID", "settlement id", required=False)
    bkkp_sn: str = field("记账流水号", "line number", required=False)
    column: str = field("字段", "column", required=False)
    value: str = field("申报值", "value as sent", required=False)
    reason: str = field("原因代码", "reason code", length=4)
    message: str = field("原因", "reason")
    action: str = field("处理办法", "what to do")

    class Config:
        """Table facts."""

        name = "returned"
        strict = True
        metadata = {
            "zh": "退回清单",
            "en": "returned",
            "key": ("fixmedins_code", "submission", "table", "setl_id", "bkkp_sn", "column"),
        }


class Finding(pa.DataFrameModel):
    """疑点: one row per rule and settlement or line."""

    finding_id: str = field("疑点号", "finding id", length=16)
    rule_id: str = field("规则编码", "rule", length=8)
    rule_digest: str = field("规则摘要", "rule digest", length=64)
    grade: str = field("等级", "grade", length=4)
    fixmedins_code: str = field("定点医药机构编号", "institution code", length=12)
    setl_id: str = field("结算ID", "settlement id")
    bkkp_sn: str = field("记账流水号", "line number", required=False)
    related: str = field("关联记录", "rows that prove it", required=False)
    evidence: str = field("依据数值", "evidence")
    vola_cont: str = field("命中说明", "what was found")
    vola_cont_en: str = field("命中说明(英文)", "what was found, in English")
    parameters: str = field("所用参数及出处", "parameters used, with their sources", required=False)
    rule_status: str = field("规则状态", "rule status", length=10)
    deduction: str = field("扣款方法", "deduction method", length=2)
    risk_amt: Money = field("涉及基金金额", "fund money at risk")
    det_sumamt: Money = field("初审扣款", "preliminary deduction")
    reply: str = field("机构反馈", "institution's reply")
    decision: str = field("复审结论", "decision")
    final_det_sumamt: Money = field("复审扣款", "final deduction")

    class Config:
        """Table facts."""

        name = "findings"
        strict = True
        metadata = {
            "zh": "疑点",
            "en": "findings",
            "key": ("finding_id",),
        }


class FindingFund(pa.DataFrameModel):
    """疑点分基金: a finding's money by fund."""

    finding_id: str = field("疑点号", "finding id", length=16)
    fund_pay_type: str = field("基金支付类型", "fund", length=6)
    det_sumamt: Money = field("初审扣款", "preliminary deduction")
    final_det_sumamt: Money = field("复审扣款", "final deduction")

    class Config:
        """Table facts."""

        name = "finding_funds"
        strict = True
        metadata = {
            "zh": "疑点分基金",
            "en": "findings by fund",
            "key": ("finding_id", "fund_pay_type"),
        }


class Clearing(pa.DataFrameModel):
    """清算汇总: institution x insurance type x clearing type."""

    fixmedins_code: str = field("定点医药机构编号", "institution code", length=12)
    insutype: str = field("险种类型", "insurance type", length=6)
    clr_type: str = field("清算类别", "clearing type", length=6)
    setl_cnt: int = field("结算笔数", "settlements")
    medfee_sumamt: Money = field("医疗费总额", "total charges")
    fund_pay_sumamt: Money = field("基金支付总额", "paid by pooled funds")
    acct_pay: Money = field("个人账户支出", "paid from personal account")
    cash_payamt: Money = field("现金支付金额", "paid in cash")
    det_sumamt: Money = field("扣款金额", "deducted")

    class Config:
        """Table facts."""

        name = "clearing"
        strict = True
        metadata = {
            "zh": "清算汇总",
            "en": "clearing",
            "key": ("fixmedins_code", "insutype", "clr_type"),
        }


class ClearingFund(pa.DataFrameModel):
    """清算基金分项: institution x insurance type x clearing type x fund."""

    fixmedins_code: str = field("定点医药机构编号", "institution code", length=12)
    insutype: str = field("险种类型", "insurance type", length=6)
    clr_type: str = field("清算类别", "clearing type", length=6)
    fund_pay_type: str = field("基金支付类型", "fund", length=6)
    fund_appy_sum: Money = field("申报基金额", "claimed")
    det_sumamt: Money = field("扣款金额", "deducted")
    dfr_amt: Money = field("拨付金额", "claimed less deducted")

    class Config:
        """Table facts."""

        name = "clearing_fund"
        strict = True
        metadata = {
            "zh": "清算基金分项",
            "en": "clearing by fund",
            "key": ("fixmedins_code", "insutype", "clr_type", "fund_pay_type"),
        }


class Payment(pa.DataFrameModel):
    """拨付: institution x fund, every step from claimed to paid."""

    fixmedins_code: str = field("定点医药机构编号", "institution code", length=12)
    fund_pay_type: str = field("基金支付类型", "fund", length=6)
    fund_appy_sum: Money = field("申报基金额", "claimed")
    det_sumamt: Money = field("扣款金额", "deducted")
    method_adjust_amt: Money = field("支付方式调整", "payment method adjustment")
    deferred_amt: Money = field("暂缓额", "deferred above quota")
    dpst_sumamt: Money = field("质量保证金", "quality deposit")
    advance_offset_amt: Money = field("预拨抵扣", "advances offset")
    prior_adjust_amt: Money = field("往期调整", "prior-period adjustment")
    clawback_amt: Money = field("往期追回", "clawed back")
    act_dfr_amt: Money = field("本期实拨", "paid")
    carry_amt: Money = field("结转下期", "carried forward")

    class Config:
        """Table facts."""

        name = "payment"
        strict = True
        metadata = {
            "zh": "拨付",
            "en": "payment",
            "key": ("fixmedins_code", "fund_pay_type"),
        }


RESULTS = (Returned, Finding, FindingFund, Clearing, ClearingFund, Payment)
