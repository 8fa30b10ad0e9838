"""Tables of other systems that some rules compare a month with: prescriptions, trace codes, stock, groups."""

from __future__ import annotations

from schemas.listing import INSTITUTION, ITEM, PERSON, day, listing, money, price, quantity, text, whole

ERX = listing(
    "erx", "电子处方", "electronic prescriptions",
    key=("rx_no", "hilist_code"), rx_no=text("处方编号", "prescription", 40), psn_no=PERSON,
    hilist_code=ITEM, cnt=quantity("开具数量", "quantity prescribed"),
)  # fmt: skip
TRACE = listing(
    "trace", "药品追溯码", "drug trace codes",
    key=("trace_code", "setl_id", "bkkp_sn"), dated=False,
    trace_code=text("药品追溯码", "trace code", 40), setl_id=text("结算ID", "settlement id", 30),
    bkkp_sn=text("记账流水号", "line number", 30),
    split_flag=text("拆零标志", "sold in part of a box", 3, codes="yes_no"),
)  # fmt: skip
STOCK = listing(
    "stock", "进销存", "stock of a month",
    key=("fixmedins_code", "hilist_code", "clr_ym"), dated=False,
    fixmedins_code=INSTITUTION, hilist_code=ITEM, clr_ym=text("清算年月", "claim month", 6),
    opening_cnt=quantity("期初数量", "opening"), purchase_cnt=quantity("购进数量", "purchased"),
    closing_cnt=quantity("期末数量", "closing"),
)  # fmt: skip
MANUAL_REIMBURSEMENT = listing(
    "manual_reimbursement", "零星报销", "reimbursed by hand",
    key=("reimb_no",), dated=False, reimb_no=text("报销单号", "reimbursement", 40), psn_no=PERSON,
    fixmedins_code=INSTITUTION, begndate=day("开始日期", "first day of the visit"),
    enddate=day("结束日期", "last day of the visit"), medfee_sumamt=money("医疗费总额", "total charges"),
    invono=text("发票号", "invoice number", 20, required=False),
)  # fmt: skip
CATALOGUE_MAP = listing(
    "catalogue_map", "目录对照", "institution's codes as registered",
    key=("fixmedins_code", "medins_list_codg", "hilist_code"), fixmedins_code=INSTITUTION,
    medins_list_codg=text("医药机构目录编码", "institution's item code", 150), hilist_code=ITEM,
)  # fmt: skip
CENTRE_SUM = listing(
    "centre_sum", "中心结算汇总", "totals of the fund's own system",
    key=("fixmedins_code", "clr_ym", "insutype", "clr_type"), dated=False, fixmedins_code=INSTITUTION,
    clr_ym=text("清算年月", "claim month", 6), insutype=text("险种类型", "insurance type", 6),
    clr_type=text("清算类别", "clearing type", 6),
    fixmedins_setl_cnt=whole("结算笔数", "settlements"), medfee_sumamt=money("医疗费总额", "total charges"),
    fund_pay_sumamt=money("基金支付总额", "paid by pooled funds"),
    acct_pay=money("个人账户支出", "paid from personal account"),
    cash_payamt=money("现金支付金额", "paid in cash"),
)  # fmt: skip
POOL_AREA = listing(
    "pool_area", "统筹区区划", "areas of the pool",
    key=("admdvs_prefix",), admdvs_prefix=text("区划代码前缀", "area code prefix", 6),
)  # fmt: skip
INSU_FUND = listing(
    "insu_fund", "险种可支付基金", "funds an insurance may use",
    key=("insutype", "fund_pay_type"), insutype=text("险种类型", "insurance type", 6),
    fund_pay_type=text("基金支付类型", "fund", 6),
)  # fmt: skip
INJURY_PLEDGE = listing(
    "injury_pledge", "无第三方责任承诺", "pledges that no third party is liable",
    key=("setl_id",), dated=False, setl_id=text("结算ID", "settlement id", 30),
)  # fmt: skip
DRG_RESULT = listing(
    "drg_result", "分组结果", "groups billed and audited",
    key=("setl_id",), dated=False, setl_id=text("结算ID", "settlement id", 30),
    billed_group=text("申报分组", "group billed", 30), audited_group=text("审核分组", "group audited", 30),
    billed_std_amt=money("申报组支付标准", "standard billed"),
    audited_std_amt=money("审核组支付标准", "standard audited"),
)  # fmt: skip
PAY_STANDARD = listing(
    "pay_standard", "支付标准与中选价", "payment standards and tender prices",
    key=("hilist_code", "std_type"), hilist_code=ITEM,
    std_type=text("标准类型", "kind of standard", 3, codes="std_type"),
    pay_std_amt=price("支付标准", "standard"),
)  # fmt: skip

EVIDENCE = (
    ERX, TRACE, STOCK, MANUAL_REIMBURSEMENT, CATALOGUE_MAP, CENTRE_SUM, POOL_AREA, INSU_FUND, INJURY_PLEDGE,
    DRG_RESULT, PAY_STANDARD,
)  # fmt: skip
