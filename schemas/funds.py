"""Which column of a settlement is which fund.

Each fund is a separate account and never nets another. The basic pooled fund's code depends on the
insurance type; the personal account is cleared with the institution but is not a pooled fund.
"""

from __future__ import annotations

from dataclasses import dataclass

ACCOUNT_FUND = "310200"
PHARMACY = "41"


@dataclass(frozen=True)
class Fund:
    """One fund: the settlement column its money stands in, its code and labels."""

    column: str
    insutypes: tuple[str, ...]
    code: str
    zh: str
    en: str


FUNDS: tuple[Fund, ...] = (
    Fund("hifp_pay", ("310", "510"), "310100", "职工基本医疗保险统筹基金", "employees' pooled fund"),
    Fund("hifp_pay", ("390",), "390100", "城乡居民基本医疗保险基金", "residents' pooled fund"),
    Fund("hifp_pay", ("340",), "340100", "离休人员医疗保障基金", "retired cadres' fund"),
    Fund("cvlserv_pay", (), "320100", "公务员医疗补助基金", "civil-servant supplement"),
    Fund("hifob_pay", (), "330100", "大额医疗费用补助基金", "large-cost supplement"),
    Fund("hifdm_pay", (), "350100", "一至六级残疾军人医疗补助基金", "disabled servicemen's fund"),
    Fund("hifes_pay", (), "370100", "企业补充医疗保险基金", "enterprise supplement"),
    Fund("hifmi_pay", (), "390200", "城乡居民大病医疗保险基金", "residents' serious illness fund"),
    Fund("maf_pay", (), "610100", "医疗救助基金", "medical assistance fund"),
    Fund("othfund_pay", (), "999997", "其他基金", "other funds"),
    Fund("acct_pay", (), ACCOUNT_FUND, "职工个人账户基金", "personal accounts"),
)

POOLED_COLUMNS: tuple[str, ...] = tuple(
    dict.fromkeys(fund.column for fund in FUNDS if fund.code != ACCOUNT_FUND)
)
FUND_NAMES: dict[str, str] = {fund.code: fund.zh for fund in FUNDS}
FUND_NAMES_EN: dict[str, str] = {fund.code: fund.en for fund in FUNDS}
BASIC_FUND: dict[str, str] = {insutype: fund.code for fund in FUNDS for insutype in fund.insutypes}
