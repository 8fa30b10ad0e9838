"""What a code's value is called in a document, in Chinese or English."""

from __future__ import annotations

from schemas import codes, funds
from settlement.labels import EN

_EN_CODES: dict[str, dict[str, str]] = {
    "insutype": {
        "310": "employees",
        "340": "retired cadres",
        "390": "residents",
        "510": "maternity",
    },
    "clr_type": {"11": "outpatient", "21": "inpatient", "41": "pharmacy", "99": "other"},
    "fixmedins_type": {"1": "hospital", "2": "pharmacy"},
    "med_type": {
        "11": "outpatient",
        "12": "registration",
        "13": "emergency",
        "14": "chronic outpatient",
        "15": "special drug",
        "18": "special drug purchase",
        "21": "inpatient",
        "22": "inpatient, injury",
        "23": "inpatient, referred",
        "24": "emergency to inpatient",
        "25": "inpatient, other region",
        "26": "inpatient, single disease",
        "28": "day surgery",
        "41": "pharmacy",
        "51": "maternity outpatient",
        "52": "maternity inpatient",
        "53": "family planning",
        "71": "home bed",
        "2101": "inpatient",
        "2102": "inpatient, single disease",
        "2106": "natural birth",
        "2107": "caesarean",
        "2111": "radio- or chemotherapy",
        "9901": "two chronic diseases",
        "9903": "outpatient accident",
        "9904": "serious illness drug",
        "9934": "inpatient by bed-day",
    },
    "grade": {"违规": "violation", "可疑": "suspected"},
    "reply": {
        "认可": "agreed",
        "部分认可": "partly agreed",
        "部分": "partly agreed",
        "不认可": "disputed",
        "未反馈": "no reply",
        "逾期未反馈": "no reply in time",
    },
    "decision": {
        "维持": "upheld",
        "部分维持": "partly upheld",
        "撤销": "withdrawn",
        "待复审": "to be reviewed",
        "待定": "to be reviewed",
    },
}
# What the project names itself: code lists that no national table has.
_OWN_CODES: dict[str, dict[str, tuple[str, str]]] = {
    "deduction": {
        "DL": ("整行", "whole line"),
        "DQ": ("按超出数量", "excess quantity"),
        "DP": ("按超出金额", "excess amount"),
        "DS": ("整笔结算", "whole settlement"),
        "DG": ("保留一条,其余扣除", "all but one"),
        "DD": ("按支付标准差额", "standard difference"),
        "D0": ("仅提示,不自动扣款", "no automatic deduction"),
    },
    "category": {
        "policy": ("政策类", "policy"),
        "management": ("管理类", "management"),
        "medical": ("医疗类", "medical"),
    },
    "rule_status": {
        "trial": ("试运行", "trial"),
        "active": ("运行", "active"),
        "retired": ("停用", "retired"),
    },
    "unit": {
        "day_of_month": ("每月几日", "day of month"),
        "days": ("天", "days"),
        "workdays": ("工作日", "working days"),
        "ratio": ("比例", "ratio"),
        "years": ("周岁", "years"),
        "hours": ("小时", "hours"),
        "yuan": ("元", "yuan"),
        "code": ("代码", "code"),
        "count": ("个", "count"),
    },
    "submission_status": {
        "ACCEPTED": ("已受理", "accepted"),
        "RETURNED": ("不予受理", "refused"),
    },
    "hosp_lv": {
        "1": ("三级特等", "3 special"),
        "2": ("三级甲等", "3A"),
        "3": ("三级乙等", "3B"),
        "4": ("三级丙等", "3C"),
        "5": ("二级甲等", "2A"),
        "6": ("二级乙等", "2B"),
        "7": ("二级丙等", "2C"),
        "8": ("一级甲等", "1A"),
        "9": ("一级乙等", "1B"),
        "10": ("一级丙等", "1C"),
        "11": ("无等级", "none"),
    },
}


def code_label(kind: str, value: str | None, lang: str) -> str:
    """Return the words of a code value, or the value itself when no list has it."""
    if not value:
        return ""
    value = value.lstrip("0") if kind == "hosp_lv" else value
    own = _OWN_CODES.get(kind, {}).get(value)
    if own:
        return own[lang == EN]
    if lang == EN:
        return _EN_CODES.get(kind, {}).get(value, value)
    return codes.label(kind, value)


def fund_label(code: str, lang: str) -> str:
    """Return a fund's name, or its code when unknown."""
    return (funds.FUND_NAMES_EN if lang == EN else funds.FUND_NAMES).get(code, code)
