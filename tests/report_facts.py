"""Synthetic facts of a month, for the documents: nobody in them is real."""

import dataclasses
import datetime as dt
from decimal import Decimal

import polars as pl

from jobs.rule_months import RULE_AMOUNTS
from schemas import reference, results
from schemas.layout import table
from schemas.reasons import REASONS
from settlement.reports.facts import BOOKS, ORDERS, PROCEDURE, MonthFacts

MONTH = dt.date(2026, 4, 1)
MONEY = pl.Decimal(16, 2)
NAMES = ("张三丰", "李雷", "欧阳春", "=王五", "赵六", "-钱七")
RULES = (
    ("A02", "已退费结算仍申报", "refunded settlement claimed", "", "policy", "违规", "DS"),
    ("B01", "超限价收费", "charged above the price limit", "GZ10000101001000", "policy", "违规", "DP"),
    ("B05", "限定频次(每日次数)", "daily frequency limit", "GZ10000102014000", "policy", "违规", "DQ"),
    ("C03", "儿童用药超年龄", "children's drug for an adult", "GZ10000201003000", "medical", "可疑", "DL"),
    ("D01", "分解住院", "split admission", "", "management", "可疑", "DS"),
    ("B03", "重复收费", "charged twice", "GZ10000102016000", "policy", "违规", "DL"),
)
TEXTS = (
    "床位费 2026-04-03 共计 3.0000 次,超过每日 1 次",
    "=1+1",
    "单价 33.50 超过限价 28.00,数量 12,超出 66.00 元",
    "本次入院 2026-04-18 距上次出院 2026-04-05 不足 15 天",
)


def month_facts(
    *, lang="zh", institutions=3, findings=24, faults=12, refused=1, funds=("310100", "390100", "310200")
) -> MonthFacts:
    """A month of `institutions`, the last `refused` of them not accepted.

    Findings and faults are numbers per institution; each institution is paid out of `funds`.
    """
    codes = [f"{'P' if i % 3 == 2 else 'H'}3707{i:08d}" for i in range(institutions)]
    accepted = codes[: institutions - refused]
    details = _details(accepted, findings)
    finding_funds = _finding_funds(details, funds)
    return MonthFacts(
        region="langfang",
        label="廊坊市",
        month=MONTH,
        lang=lang,
        submissions=_submissions(codes, accepted),
        institutions=_institutions(codes),
        returned=_returned(codes, accepted, faults),
        details=details,
        finding_funds=finding_funds,
        clearing=_clearing(accepted),
        clearing_fund=_clearing_fund(accepted, funds),
        payment=_payment(accepted, funds, details, finding_funds),
        rules=_rules(details),
        run=_run(),
    )


STATES = ("PAID", "CARRIED", "HOLD", "APPROVED", "CLOSED")
PAYER = "13050170{fund}000001"


def month_after_payment(states=STATES, **asked):
    """`month_facts` carried through the procedure: the accepted batches take `states` in turn.

    Accepted batches in a state before SETTLED have no payment. A PAID or CLOSED batch is paid by the
    bank, its last fund on the second attempt; an APPROVED one has its orders out.
    """
    facts = month_facts(**{"institutions": len(states) + 1, **asked})
    codes = sorted(facts.clearing["fixmedins_code"].unique())
    at = {code: states[i % len(states)] for i, code in enumerate(codes)}
    settled = [code for code in codes if at[code] not in ("ACCEPTED", "PRELIM", "FEEDBACK", "REVIEW")]
    mine = pl.col("fixmedins_code").is_in(settled)
    payment = facts.payment.filter(mine)
    refused = sorted({*facts.submissions["fixmedins_code"]} - {*codes})
    return dataclasses.replace(
        facts,
        payment=payment,
        clearing=facts.clearing.filter(mine),
        clearing_fund=facts.clearing_fund.filter(mine),
        details=facts.details.with_columns(
            reviewer=pl.lit("钱复审"), agreed_amt=pl.lit(None, MONEY), reply_reason=pl.lit("")
        ),
        procedure=pl.DataFrame([_batch(c, at.get(c, "RETURNED")) for c in (*codes, *refused)], PROCEDURE),
        books=pl.DataFrame(list(_entries(payment)), BOOKS, orient="row"),
        orders=pl.DataFrame(list(_orders(payment, at)), ORDERS, orient="row"),
    )


def _batch(code, state):
    done = state in ("PAID", "CLOSED")
    approved = done or state in ("APPROVED", "CARRIED", "HOLD")
    late = code.endswith("4")
    return {
        "fixmedins_code": code,
        "state": state,
        "sent_on": dt.date(2026, 5, 12),
        "answer_by": dt.date(2026, 5, 19),
        "settled_on": dt.date(2026, 5, 25) if approved else None,
        "settled_by": "孙结算" if approved else None,
        "approved_by": "周局长、吴局长" if approved else None,
        "approved_on": dt.date(2026, 5, 27) if approved else None,
        "disbursed_on": dt.date(2026, 6, 1) if done else None,
        "disbursed_by": "郑财务" if done else None,
        "paid_on": dt.date(2026, 6, 22 if late else 2) if done else None,
        "limit_on": None if state == "RETURNED" else dt.date(2026, 6, 18),
        "overdue": late if done else None,
    }


def _entries(payment):
    """Deposits kept, an advance offset in two entries, carries made and clawed back."""
    for row in payment.sort("fixmedins_code", "fund_pay_type").to_dicts():
        who = (row["fixmedins_code"], row["fund_pay_type"])
        if row["dpst_sumamt"]:
            opening = _money(100_000)
            yield *who, "deposit", "withheld", 3, *_roll(opening, row["dpst_sumamt"], 0), "202604", ""
        if row["clawback_amt"] or row["carry_amt"]:
            opening = row["clawback_amt"]
            yield *who, "carry", "clawed_back", 2, *_roll(opening, 0, opening), "202604", "=上月结转"
            yield *who, "carry", "carried", 3, *_roll(_money(0), row["carry_amt"], 0), "202604", ""
        if who[1] == "310100":
            yield *who, "advance", "granted", 1, *_roll(_money(0), _money(1_000_000), 0), "202604", ""
            yield *who, "advance", "offset", 2, *_roll(_money(1_000_000), 0, _money(300_000)), "202604", ""


def _roll(opening, plus, minus):
    amounts = [Decimal(amount) for amount in (opening, plus, minus)]
    return *amounts, amounts[0] + amounts[1] - amounts[2]


def _orders(payment, at):
    rows = payment.filter(pl.col("act_dfr_amt") > 0).sort("fixmedins_code", "fund_pay_type").to_dicts()
    for row in rows:
        code, fund = row["fixmedins_code"], row["fund_pay_type"]
        if at[code] not in ("PAID", "CLOSED", "APPROVED"):
            continue
        answers = ["PAID"] if at[code] != "APPROVED" else [None]
        if fund == "310200" and answers == ["PAID"]:
            answers = ["FAILED", "PAID"]
        for n, answer in enumerate(answers, start=1):
            why = "户名不符" if answer == "FAILED" else None
            number, day = f"{code}{fund}{n}", dt.date(2026, 6, n) if answer else None
            yield (
                *(code, fund, n, number, row["act_dfr_amt"]),
                *(PAYER.format(fund=fund), answer, why, day, f"bank_{n}.csv"),
            )


def _money(fen: int) -> Decimal:
    return Decimal(fen).scaleb(-2).quantize(Decimal("0.01"))


def _submissions(codes, accepted):
    return pl.DataFrame(
        [
            {
                "fixmedins_code": code,
                "fixmedins_name": _name(i, code),
                "fixmedins_type": "2" if code.startswith("P") else "1",
                "submission": f"{code}_202604",
                "status": "ACCEPTED" if code in accepted else "RETURNED",
                "received_on": dt.date(2026, 5, 8),
                "deadline_on": dt.date(2026, 6, 19) if code in accepted else None,
                "digest": f"{i:064x}",
                "setl_in": 5000 + i,
                "setl_accepted": 4990 + i if code in accepted else 0,
                "setl_returned": 10 if code in accepted else 5000 + i,
                "line_in": 50_000 + i,
                "line_accepted": 49_900 if code in accepted else 0,
                "line_returned": 100 + i if code in accepted else 50_000 + i,
                "medfee_in": _money(123_456_789),
                "medfee_accepted": _money(123_000_000 if code in accepted else 0),
                "fund_in": _money(98_765_432),
                "fund_accepted": _money(98_000_000 if code in accepted else 0),
                "unknown_columns": "setl_d: 备注1、备注2" if i == 0 else "",
                "notes": "",
            }
            for i, code in enumerate(codes)
        ],
        schema_overrides={"deadline_on": pl.Date}
        | dict.fromkeys(("medfee_in", "medfee_accepted", "fund_in", "fund_accepted"), MONEY),
    )


def _name(i, code):
    return (
        f"安康大药房第{i}分店" if code.startswith("P") else f"=第{i}人民医院" if i == 1 else f"第{i}人民医院"
    )


def _institutions(codes):
    rows = [
        {
            "fixmedins_code": code,
            "fixmedins_name": _name(i, code),
            "fixmedins_type": "2" if code.startswith("P") else "1",
            "hosp_lv": None if code.startswith("P") else f"{i % 9 + 1:02d}",
            "lmtpric_hosp_lv": "2",
            "uscc": None,
            "acctname": _name(i, code),
            "bankacct": f"62220000{i:011d}",
            "bank_name": "建设银行廊坊分行",
            "bankcode": "105146000012",
            "begndate": dt.date(2020, 1, 1),
            "enddate": None,
        }
        for i, code in enumerate(codes)
    ]
    return pl.DataFrame(rows, schema=table(reference.Institution).schema)


def _returned(codes, accepted, faults):
    rows = [
        _fault("submission", code, None, "S09", "缺少表:费用明细")
        | {"value": None, "column": None, "column_zh": None, "row_no": None, "table": None}
        for code in codes
        if code not in accepted
    ]
    kinds = (
        ("R04", "brdy", "出生日期", "1980-02-3{0}", "日期无效:1980-02-3{0}"),
        ("R02", "psn_name", "人员姓名", "欧阳春长名{0}", "超过规定长度 50"),
        ("R01", "certno", "证件号码", "13100019800230{0:04d}", "必填项为空"),
        ("R03", "cnt", "数量", "=SUM(A{0})", "数字格式不符:=SUM(A{0})"),
        (
            "R10",
            "medfee_sumamt",
            "医疗费总额",
            "{0}.00",
            "医疗费总额 {0}.00 ≠ 基金支付 + 个人支付 + 医院负担 {0}.50",
        ),
    )
    for code in codes:
        for n in range(faults):
            reason, column, zh, value, message = kinds[n % len(kinds)]
            rows.append(
                _fault("settlement", code, n, reason, message.format(n))
                | {"column": column, "column_zh": zh, "value": value.format(n)}
            )
    schema = table(results.Returned).schema
    return pl.DataFrame(
        rows, schema={**schema, "file": pl.String, "row_no": pl.Int64, "column_zh": pl.String}
    )


def _fault(level, code, n, reason, message):
    return {
        "level": level,
        "fixmedins_code": code,
        "submission": f"{code}_202604",
        "table": "setl_d",
        "setl_id": None if n is None else f"S{n:010d}",
        "bkkp_sn": None,
        "column": None,
        "value": None,
        "reason": reason,
        "message": message,
        "action": REASONS[reason].action,
        "file": "setl_d.csv",
        "row_no": None if n is None else n + 2,
        "column_zh": None,
    }


def _details(accepted, findings):
    rows = [_finding(code, i * findings + n, n) for i, code in enumerate(accepted) for n in range(findings)]
    schema = {
        **table(results.Finding).schema,
        **dict.fromkeys(
            ("rule_name", "national_ref", "basis", "psn_no", "psn_name", "med_type", "clr_type"), pl.String
        ),
        "insutype": pl.String,
        "begndate": pl.Date,
        "enddate": pl.Date,
        "setl_time": pl.Datetime("us"),
        "fee_ocur_time": pl.Datetime("us"),
        "hilist_code": pl.String,
        "hilist_name": pl.String,
        "cnt": pl.Decimal(16, 4),
        "pric": pl.Decimal(16, 6),
        "det_item_fee_sumamt": MONEY,
        "inscp_amt": MONEY,
        "bilg_dept_codg": pl.String,
        "bilg_dr_code": pl.String,
        "funds": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _finding(code, number, n):
    rule, name, _, ref, _, grade, deduction = RULES[n % len(RULES)]
    whole = deduction == "DS"
    fen = 1000 + 37 * (n % 500)
    found = fen if grade == "违规" else 0
    kept = fen if n % 4 else 0
    risk, det, final = _money(fen), _money(found), _money(min(kept, fen) if found or n % 8 == 3 else 0)
    return {
        "finding_id": f"{number:016x}",
        "rule_id": rule,
        "rule_digest": "0" * 64,
        "grade": grade,
        "fixmedins_code": code,
        "setl_id": f"1300202604{number:08d}",
        "bkkp_sn": None if whole else str(n % 40 + 1),
        "related": f"1300202604{number + 1:08d}/3" if n % 3 == 0 else None,
        "evidence": "limit=1 observed=3",
        "vola_cont": TEXTS[n % len(TEXTS)],
        "deduction": deduction,
        "risk_amt": risk,
        "det_sumamt": det,
        "reply": ("认可", "不认可", "未反馈")[n % 3],
        "decision": "维持" if final else "撤销",
        "final_det_sumamt": final,
        "rule_name": name,
        "national_ref": ref,
        "basis": "国务院令第735号 第三十八条第三项",
        "psn_no": f"1310000000{number % 977:06d}",
        "psn_name": NAMES[n % len(NAMES)],
        "med_type": "21" if whole else "11",
        "clr_type": "21" if whole else "11",
        "insutype": "310",
        "begndate": dt.date(2026, 4, 3),
        "enddate": dt.date(2026, 4, 9) if whole else dt.date(2026, 4, 3),
        "setl_time": dt.datetime.fromisoformat("2026-04-09T10:30:00"),
        "fee_ocur_time": None if whole else dt.datetime.fromisoformat(f"2026-04-03T09:{n % 60:02d}:00"),
        "hilist_code": None if whole else f"XN02BEA0{n % 90:02d}A001010103569",
        "hilist_name": None if whole else ("阿莫西林胶囊", "@床位费(普通病房)", "Ⅱ级护理")[n % 3],
        "cnt": None if whole else Decimal("3.0000"),
        "pric": None if whole else Decimal("33.500000"),
        "det_item_fee_sumamt": _money(fen * 2),
        "inscp_amt": _money(fen + fen // 2),
        "bilg_dept_codg": None if whole else "A03.02",
        "bilg_dr_code": None if whole else "D131000012345",
        "funds": f"310100:{risk}" if n % 5 else f"310100:{_money(fen - 5)};390100:0.05",
    }


def _finding_funds(details, funds):
    return details.select(
        "finding_id", pl.lit(funds[0]).alias("fund_pay_type"), "det_sumamt", "final_det_sumamt"
    )


def _clearing(accepted):
    rows = [
        (
            code,
            insutype,
            clr_type,
            2000 + i,
            *map(_money, (60_000_000, 30_000_000, 1_000_000, 29_000_000, 12_300)),
        )
        for i, code in enumerate(accepted)
        for insutype, clr_type in (("310", "11"), ("310", "21"), ("390", "21"))
    ]
    return pl.DataFrame(rows, schema=table(results.Clearing).schema, orient="row")


def _clearing_fund(accepted, funds):
    rows = [
        (code, "310", kind, fund, *map(_money, (30_000_000, 12_300, 29_987_700)))
        for code in accepted
        for kind in ("11", "21")
        for fund in funds
    ]
    return pl.DataFrame(rows, schema=table(results.ClearingFund).schema, orient="row")


def _payment(accepted, funds, details, finding_funds):
    owners = details.select("finding_id", "fixmedins_code")
    sums = (
        finding_funds.join(owners, on="finding_id")
        .group_by("fixmedins_code")
        .agg(pl.col("final_det_sumamt").sum())
    )
    deducted = dict(sums.rows())
    rows = []
    for i, code in enumerate(accepted):
        for k, fund in enumerate(funds):
            claimed = Decimal(0) if i == 1 and k == 1 else _money(1_234_567_89 + i * 1000 + k)
            det = deducted.get(code, _money(0)) if k == 0 else _money(0)
            deposit = _money(int((claimed - det) * 5)) if fund != "310200" else _money(0)
            clawback = _money(50_000) if i == 1 and k == 1 else _money(0)
            net = claimed - det - deposit - clawback
            none = _money(0)
            held = (none, none, deposit, none, none, clawback)
            rows.append((code, fund, claimed, det, *held, max(net, none), max(-net, none)))
    return pl.DataFrame(rows, schema=table(results.Payment).schema, orient="row")


def _rules(details):
    limit = pl.when(pl.col("grade") == "违规").then("det_sumamt").otherwise("risk_amt").alias("limit_amt")
    dropped = pl.max_horizontal(pl.col("det_sumamt") - pl.col("final_det_sumamt"), pl.lit(0)).alias("dropped")
    sums = (
        details.with_columns(limit, dropped)
        .group_by("rule_id")
        .agg(
            pl.len().cast(pl.Int64).alias("hits"),
            pl.col("fixmedins_code").n_unique().cast(pl.Int64).alias("institutions"),
            pl.col(*RULE_AMOUNTS).sum().cast(MONEY),
        )
    )
    names = ("rule_id", "name", "name_en", "national_ref", "category", "grade", "deduction")
    about = pl.DataFrame(RULES, schema=names, orient="row").with_columns(
        status=pl.lit("active"), digest=pl.lit("ab" * 32), ran=pl.lit(value=True), missing=pl.lit("")
    )
    absent = about.head(1).with_columns(
        rule_id=pl.lit("E12"),
        name=pl.lit("超量购药"),
        name_en=pl.lit("bought too much"),
        ran=pl.lit(value=False),
        missing=pl.lit("kb_dose (kb_dose.csv)、coverage (coverage.csv)"),
    )
    joined = pl.concat([about, absent]).join(sums, on="rule_id", how="left")
    return joined.with_columns(pl.col("hits", "institutions", *RULE_AMOUNTS).fill_null(0))


def _run():
    return {
        "fingerprint": "5f" * 32,
        "versions": {
            "code": "0.1.0",
            "rules": "9a" * 16,
            "knowledge": "2026-04-30",
            "policy": "77" * 16,
            "calendar": "2020-2026",
        },
        "digests": {"inputs": "ab" * 32, "reference": "cd" * 32},
        "parameters": {
            "deposit_ratio": {
                "label": "质量保证金预留比例(统筹类基金)",
                "unit": "ratio",
                "value": "0.05",
                "from": "2020-01-01",
                "source": "drg-2025",
                "article": "第二十六条 不超过 5%",
                "assumed": True,
            },
            "payment_method": {
                "label": "支付方式(按项目、按病种等)",
                "unit": "code",
                "value": "by_item",
                "from": "2020-01-01",
                "source": "cat-2026",
                "article": "M1",
                "assumed": False,
            },
            "adult_age": {
                "label": "成年年龄(周岁)",
                "unit": "years",
                "value": 18,
                "from": dt.date(2020, 1, 1),
                "source": "cat-2026",
                "article": "C03",
                "assumed": False,
            },
        },
        "checks": [
            {"name": "申报结算 = 受理 + 退回", "left": "15003", "right": "15003", "ok": True},
            {"name": "拨付扣款 = 复审扣款", "left": "1371.14", "right": "1371.14", "ok": True},
        ],
        "stages": {
            "intake": {"submissions": 3, "setl_in": 15_003, "medfee_in": "3703703.67"},
            "acceptance": {"setl_accepted": 9_981, "medfee_accepted": "2460000.00"},
            "payment": {"fund_appy_sum": "6172859.50", "act_dfr_amt": "5986371.25"},
        },
    }
