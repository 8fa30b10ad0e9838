"""The tables of a monthly submission, with national field names.

Column order follows the contract's list; columns after it are optional ones of the national
table that are kept when an institution sends them.
"""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from schemas.layout import Days, Money, Price, Quantity, Ratio, Timestamp, field


class ClrSum(pa.DataFrameModel):
    """月结算汇总表: one row per insurance type and clearing type."""

    fixmedins_code: str = field("定点医药机构编号", "institution code", length=12)
    clr_ym: str = field("清算年月", "clearing month", length=6, alias=("setlym", "cashym", "结算年月"))
    insutype: str = field("险种类型", "insurance type", length=6, codes="insutype")
    clr_type: str = field("清算类别", "clearing type", length=6, codes="clr_type")
    fixmedins_setl_cnt: int = field(
        "定点医药机构结算笔数",
        "settlements",
        alias=("psntime", "clr_psntime", "结算笔数", "清算人次"),
    )
    medfee_sumamt: Money = field("医疗费总额", "total charges")
    fund_pay_sumamt: Money = field("基金支付总额", "paid by pooled funds", alias=("fund_appy_sum",))
    acct_pay: Money = field("个人账户支出", "paid from personal account")
    cash_payamt: Money = field("现金支付金额", "paid in cash", alias=("psn_cash_pay",))

    class Config:
        """Table facts."""

        name = "clr_sum"
        strict = True
        metadata = {
            "zh": "月结算汇总表",
            "en": "monthly totals",
            "key": ("insutype", "clr_type"),
            "aliases": ("城镇职工月结算汇总表", "城乡居民月结算汇总表"),
        }


class SetlD(pa.DataFrameModel):
    """就诊结算记录明细: one row per settlement."""

    setl_id: str = field("结算ID", "settlement id", length=30)
    mdtrt_id: str = field("就诊ID", "visit id", length=30)
    init_setl_id: str = field("原结算ID", "reversed settlement id", length=30, required=False)
    psn_no: str = field("人员编号", "person number", length=30, personal=True)
    psn_name: str = field("人员姓名", "person name", length=50, personal=True)
    certno: str = field("证件号码", "certificate number", length=50, personal=True)
    gend: str = field("性别", "sex", length=6, codes="gend")
    brdy: pl.Date = field("出生日期", "date of birth", required=False, personal=True)
    insutype: str = field("险种类型", "insurance type", length=6, codes="insutype")
    psn_type: str = field("人员类别", "person category", length=6, codes="psn_type")
    insu_admdvs: str = field("参保所属医保区划", "insured area", length=6, required=False)
    fixmedins_code: str = field("定点医药机构编号", "institution code", length=12)
    begndate: pl.Date = field("开始日期", "first day of the visit")
    enddate: pl.Date = field("结束日期", "last day of the visit")
    setl_time: Timestamp = field("结算时间", "settled at")
    mdtrt_cert_type: str = field(
        "就诊凭证类型", "visit credential", length=3, required=False, codes="mdtrt_cert_type"
    )
    med_type: str = field("医疗类别", "kind of care", length=6, codes="med_type")
    clr_type: str = field("清算类别", "clearing type", length=6, codes="clr_type")
    clr_way: str = field("清算方式", "payment method", length=6, required=False, codes="clr_way")
    medfee_sumamt: Money = field("医疗费总额", "total charges")
    fulamt_ownpay_amt: Money = field("全自费金额", "fully self-paid")
    overlmt_selfpay: Money = field(
        "超限价自费费用", "self-paid above price limit", alias=("overlmt_amt", "超限价金额")
    )
    preselfpay_amt: Money = field("先行自付金额", "self-paid first")
    inscp_amt: Money = field("符合范围金额", "in-scope amount", alias=("inscp_scp_amt", "符合政策范围金额"))
    act_pay_dedc: Money = field("实际支付起付线", "deductible paid", required=False)
    hifp_pay: Money = field("基本医疗保险统筹基金支出", "basic pooled fund")
    cvlserv_pay: Money = field("公务员医疗补助资金支出", "civil-servant supplement")
    hifes_pay: Money = field("企业补充医疗保险基金支出", "enterprise supplement")
    hifmi_pay: Money = field("居民大病保险资金支出", "residents' serious illness fund")
    hifob_pay: Money = field("职工大额医疗费用补助基金支出", "employees' large-cost fund")
    hifdm_pay: Money = field("伤残人员医疗保障基金支出", "disabled servicemen's fund")
    maf_pay: Money = field("医疗救助基金支出", "medical assistance fund")
    othfund_pay: Money = field("其他基金支付", "other funds", alias=("oth_pay", "其他支出"))
    fund_pay_sumamt: Money = field("基金支付总额", "paid by pooled funds")
    psn_pay: Money = field("个人支付金额", "paid by the person", alias=("psn_part_amt", "个人负担总金额"))
    acct_pay: Money = field("个人账户支出", "paid from personal account")
    acct_mulaid_pay: Money = field("个人账户共济支付金额", "of it from a relative's account")
    cash_payamt: Money = field("现金支付金额", "paid in cash", alias=("psn_cash_pay", "个人现金支出"))
    ownpay_hosp_part: Money = field(
        "自费中医院负担部分", "borne by the hospital", alias=("hosp_part_amt", "医院负担金额")
    )
    balc: Money = field("余额", "account balance", required=False)
    refd_setl_flag: str = field("退费结算标志", "reversal flag", length=3, codes="refd_setl_flag")
    vali_flag: str = field("有效标志", "valid flag", length=3, codes="vali_flag")
    dise_no: str = field(
        "病种编号", "disease code", length=30, required=False, alias=("dise_codg", "病种编码")
    )
    dscg_maindiag_code: str = field("住院主诊断代码", "main discharge diagnosis", length=30, required=False)
    dscg_way: str = field("离院方式", "way of discharge", length=3, required=False, codes="dscg_way")
    die_date: pl.Date = field("死亡日期", "date of death", required=False)
    medins_setl_id: str = field(
        "医药机构结算ID",
        "institution's own settlement id",
        length=30,
        required=False,
        present=False,
    )
    psn_cert_type: str = field("人员证件类型", "certificate type", length=6, required=False, present=False)
    fixmedins_name: str = field(
        "定点医药机构名称", "institution name", length=200, required=False, present=False
    )
    clr_optins: str = field("清算经办机构", "clearing agency", length=6, required=False, present=False)
    invono: str = field("发票号", "invoice number", length=20, required=False, present=False)
    dise_name: str = field("病种名称", "disease name", length=500, required=False, present=False)

    class Config:
        """Table facts."""

        name = "setl_d"
        strict = True
        metadata = {
            "zh": "就诊结算记录明细",
            "en": "settlements",
            "key": ("setl_id",),
            "aliases": (
                "刷卡结算、医保电子凭证记录",
                "刷卡结算记录明细",
                "医保电子凭证记录明细",
                "结算记录",
            ),
        }


class FeeListD(pa.DataFrameModel):
    """费用明细: one row per charged line."""

    bkkp_sn: str = field("记账流水号", "line number", length=30, alias=("feedetl_sn", "费用明细流水号"))
    setl_id: str = field("结算ID", "settlement id", length=30)
    mdtrt_id: str = field("就诊ID", "visit id", length=30)
    init_feedetl_sn: str = field(
        "原费用流水号",
        "refunded line number",
        length=30,
        required=False,
        alias=("原费用明细流水号",),
    )
    rx_drord_no: str = field(
        "处方/医嘱号", "prescription or order", length=40, required=False, alias=("rxno", "处方号")
    )
    fee_ocur_time: Timestamp = field("费用发生时间", "charged at")
    hilist_code: str = field("医保目录编码", "catalogue code", length=50)
    hilist_name: str = field("医保目录名称", "catalogue name", length=200)
    list_type: str = field("目录类别", "catalogue part", length=6, codes="list_type")
    med_list_codg: str = field("医疗目录编码", "national item code", length=50, required=False)
    medins_list_codg: str = field("医药机构目录编码", "institution's item code", length=150, required=False)
    medins_list_name: str = field("医药机构目录名称", "institution's item name", length=200, required=False)
    med_chrgitm_type: str = field("医疗收费项目类别", "charge class", length=6, codes="med_chrgitm_type")
    chrgitm_lv: str = field("收费项目等级", "reimbursement class", length=3, codes="chrgitm_lv")
    cnt: Quantity = field("数量", "quantity")
    pric: Price = field("单价", "unit price")
    det_item_fee_sumamt: Money = field("明细项目费用总额", "line amount")
    pric_uplmt_amt: Price = field("定价上限金额", "price limit", required=False)
    selfpay_prop: Ratio = field("自付比例", "self-pay ratio", required=False)
    fulamt_ownpay_amt: Money = field("全自费金额", "fully self-paid")
    overlmt_selfpay: Money = field(
        "超限价自费费用", "self-paid above price limit", alias=("overlmt_amt", "超限价金额")
    )
    preselfpay_amt: Money = field("先行自付金额", "self-paid first")
    inscp_amt: Money = field("符合范围金额", "in-scope amount", alias=("inscp_scp_amt", "符合政策范围金额"))
    bilg_dept_codg: str = field("开单科室编码", "ordering department", length=30, required=False)
    bilg_dr_code: str = field(
        "开单医师代码",
        "ordering doctor",
        length=30,
        required=False,
        alias=("bilg_dr_codg", "开单医生编码"),
    )
    lmt_used_flag: str = field(
        "限制使用标志", "restricted use flag", length=3, required=False, codes="lmt_used_flag"
    )
    hosp_appr_flag: str = field(
        "医院审批标志", "hospital approval flag", length=3, required=False, codes="hosp_appr_flag"
    )
    dscg_tkdrug_flag: str = field(
        "出院带药标志", "take-home drug flag", length=3, required=False, codes="dscg_tkdrug_flag"
    )
    prd_days: Days = field("周期天数", "days of supply", required=False)
    spec: str = field("规格", "specification", length=200, required=False, present=False)
    prodname: str = field("商品名", "trade name", length=200, required=False, present=False)
    dosform_name: str = field("剂型名称", "dosage form", length=200, required=False, present=False)
    bilg_dept_name: str = field(
        "开单科室名称", "ordering department name", length=100, required=False, present=False
    )
    bilg_dr_name: str = field(
        "开单医师姓名", "ordering doctor name", length=50, required=False, present=False
    )

    class Config:
        """Table facts."""

        name = "fee_list_d"
        strict = True
        metadata = {
            "zh": "费用明细",
            "en": "fee lines",
            "key": ("setl_id", "bkkp_sn"),
            "aliases": ("费用明细表", "药店费用明细"),
        }


class SetlListDiagD(pa.DataFrameModel):
    """诊断: one row per diagnosis of a settlement."""

    setl_id: str = field("结算ID", "settlement id", length=30)
    diag_code: str = field("诊断代码", "diagnosis code", length=30)
    maindiag_flag: str = field("主诊断标志", "main diagnosis", length=3, codes="maindiag_flag")

    class Config:
        """Table facts."""

        name = "setl_list_diag_d"
        strict = True
        metadata = {
            "zh": "诊断信息",
            "en": "diagnoses",
            "key": ("setl_id", "diag_code"),
            "optional": True,
        }


class SetlListOprnD(pa.DataFrameModel):
    """手术操作: one row per operation of a settlement."""

    setl_id: str = field("结算ID", "settlement id", length=30)
    oprn_oprt_code: str = field("手术操作代码", "operation code", length=30)
    oprn_oprt_date: pl.Date = field("手术操作日期", "operation date", required=False)

    class Config:
        """Table facts."""

        name = "setl_list_oprn_d"
        strict = True
        metadata = {
            "zh": "手术操作信息",
            "en": "operations",
            "key": ("setl_id", "oprn_oprt_code", "oprn_oprt_date"),
            "optional": True,
        }


SUBMISSION = (ClrSum, SetlD, FeeListD, SetlListDiagD, SetlListOprnD)
