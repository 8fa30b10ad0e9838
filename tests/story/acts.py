"""Who did what on which day: the procedure of three months, and of the January in which deposits came back.

`[H1 S2/1 C02]` names a finding: institution, claim, line, rule. What is expected of an act beside its exit
code are words it must say.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.story.papers import Paper, Place, bank_return, named, reply_book, reply_csv, worklist
from tests.story.world import (
    ACCOUNT,
    APRIL,
    FEB,
    H1,
    H2,
    H3,
    H4,
    MARCH,
    NEXT_YEAR,
    P1,
    P2,
    POOLED,
    REGION,
    setl_id,
)


@dataclass(frozen=True)
class Act:
    """One command that somebody ran.

    Attributes:
        month: claim month it is about, empty when it is about none.
        day: the day.
        who: user.
        words: the command.
        says: what it must say, with its exit code.
        code: exit code.
        paper: what was filled in before, and lies in the inbox.
    """

    month: str
    day: str
    who: str
    words: str
    says: str = ""
    code: int = 0
    paper: Paper | None = None

    def argv(self, place: Place) -> list[str]:
        """The command line."""
        outside = {name: place.outside / name for name in ("sent", "reference")}
        folders = {"inbox": place.inbox, **outside}
        month = ["--month", self.month] if self.month else []
        head = ["--home", str(place.home), "--region", REGION, *month, "--today", self.day, "--as", self.who]
        text = named(self.words, self.month)
        return head + [word.format(**folders) for word in shlex.split(text)]


Doing = Callable[..., Act]


def about(month: str) -> Doing:
    """Acts about one month."""

    def act(day: str, who: str, words: str, says: str = "", code: int = 0, paper: Paper | None = None) -> Act:
        return Act(month, day, who, words, says, code, paper)

    return act


always, feb, march, april, january = map(about, ("", FEB, MARCH, APRIL, NEXT_YEAR))

# What a reply and a decision consist of.
AGREED = {"机构意见": "认可"}


def disputed(why: str) -> dict[str, str]:
    return {"机构意见": "不认可", "申诉理由": why}


def partly(amount: str, why: str) -> dict[str, str]:
    return {"机构意见": "部分认可", "认可金额": amount, "申诉理由": why}


PEOPLE = (
    always("2026-03-02", "admin", "user add admin --role admin --full-name 管理员"),
    always("2026-03-02", "admin", "user add reception --role reception --full-name 受理甲"),
    always("2026-03-02", "admin", "user add first --role first_review --full-name 初审甲"),
    always("2026-03-02", "admin", "user add second --role second_review --full-name 复审甲"),
    always("2026-03-02", "admin", "user add clerk --role settlement --full-name 结算甲"),
    always("2026-03-02", "admin", "user add leader --role leader --full-name 负责人甲"),
    always("2026-03-02", "admin", "user add deputy --role leader --full-name 负责人乙"),
    always("2026-03-02", "admin", "user add cashier --role finance --full-name 财务甲"),
    always("2026-03-02", "admin", "user add auditor --role auditor --full-name 审计甲"),
    always("2026-03-02", "admin", f"user add hospital1 --role institution --institution {H1}"),
    always("2026-03-02", "admin", f"user add pharmacy1 --role institution --institution {P1}"),
    always("2026-03-02", "reception", "reference load {reference}/first", "institution"),
)

FEBRUARY = (
    feb("2026-03-03", "reception", "intake {sent}/2026-02", "不予受理", 1),
    feb("2026-03-05", "reception", f"intake {{sent}}/{H2}_202602_2.zip", "替换先前未受理的"),
    feb("2026-03-05", "leader", f"ledger advance --institution {H4} --fund {POOLED} --amount 10000.00 "
        "--months 3 --reason 周转金协议"),
    feb("2026-03-06", "first", "audit", "初审  疑点 8"),
    feb("2026-03-06", "first", "notify", "已发送初审结果 6 家"),
    feb("2026-03-10", "pharmacy1", "reply {inbox}/reply-P1.xlsx", "采纳 1 条",
        paper=reply_book("reply-P1.xlsx", P1, {"[P1 S2/1 C03]": AGREED})),
    feb("2026-03-11", "hospital1", "reply {inbox}/reply-H1.xlsx", "采纳 5 条", paper=reply_book(
        "reply-H1.xlsx", H1, {
            "[H1 S1/1 B01]": disputed("有物价部门批复"),
            "[H1 S2/1 C02]": partly("30.00", "其中部分为检查必需"),
            "[H1 S3/1 C02]": disputed("性别登记有误"),
            "[H1 S4/1 C03]": disputed("体重不足,按儿童用药"),
            "[H1 S5/1 C03]": AGREED,
        })),
    feb("2026-03-12", "second", "close-feedback", f"待办 {H2}:反馈期至 2026-03-13", 1),
    # H2 never answers: the day after the last one its silence counts.
    feb("2026-03-16", "second", "close-feedback", "转入复审 1 家"),
    feb("2026-03-16", "second", "review decide [H1 S1/1 B01] 撤销 --reason 批复属实", "登记决定 1 条"),
    feb("2026-03-16", "second", "review decide [H1 S2/1 C02] 部分维持 --amount 45.50 --reason 部分属实"),
    feb("2026-03-16", "second", "review decide [H1 S3/1 C02] 维持 --reason 未提供更正材料"),
    feb("2026-03-16", "second", "review decide [H1 S4/1 C03] 撤销 --reason 病历支持"),
    feb("2026-03-16", "second", "review decide [H1 S5/1 C03] 维持 --reason 机构认可"),
    feb("2026-03-17", "second", "review finish", "复审办结 6 家"),
    feb("2026-03-18", "clerk", "calculate", "已结算 6 家"),
    # More than a million: two leaders sign.
    feb("2026-03-19", "leader", "approve", f"待办 {H4}:已有 1 人核准,须 2 人", 1),
    feb("2026-03-19", "deputy", "approve", "已核准 1 家"),
    # The pharmacies share an account: a second person looks.
    feb("2026-03-20", "cashier", "disburse", "收款账户待另一人确认", 1),
    feb("2026-03-20", "clerk", f"accounts confirm {P1} --reason 同一法人,已核对开户证明"),
    feb("2026-03-20", "clerk", f"accounts confirm {P2} --reason 同一法人,已核对开户证明"),
    feb("2026-03-20", "cashier", "disburse", "已拨付 2 家"),
    feb("2026-03-23", "cashier", "receipt {inbox}/bank-2.csv", "失败 1", 1,
        paper=bank_return("bank-2.csv", failed=(("户名201", ACCOUNT),))),
    feb("2026-03-24", "cashier", "disburse", "已拨付 0 家"),
    feb("2026-03-25", "cashier", "receipt {inbox}/bank-3.csv", "成功 1", paper=bank_return("bank-3.csv")),
    feb("2026-03-25", "cashier", "close", "已办结 6 家"),
)  # fmt: skip

MARCH_ACTS = (
    # The closed month stays as it is; what was decided since comes with the next statement.
    always("2026-04-01", "second", f"ledger adjust --institution {H1} --fund {POOLED} --amount 66.66 "
           "--about 2026-02 --finding [H1 S3/1 C02 2026-02] --reason 行政复议撤销"),
    always("2026-04-01", "leader", "ledger confirm 1", "已确认"),
    always("2026-04-01", "reception", "reference load {reference}/accounts"),
    march("2026-04-02", "reception", "intake {sent}/2026-03", "已受理"),
    march("2026-04-03", "first", "audit", "初审  疑点 3"),
    march("2026-04-03", "first", "notify", "已发送初审结果 6 家"),
    march("2026-04-08", "reception", "reply {inbox}/replies", "采纳 3 条", paper=lambda place: (
        reply_csv("replies/H2.csv", H2, {"[H2 S1/1 C02]": AGREED})(place),
        reply_book("replies/H1.xlsx", H1, {"[H1 S1/1 B01]": AGREED})(place),
        reply_book("replies/P2.xlsx", P2, {"[P2 S1/1 C03]": disputed("按体重用药")})(place),
    )),
    march("2026-04-09", "second", "close-feedback", "转入复审 6 家"),
    march("2026-04-10", "leader", f"hold --institution {H2} --reason 稽核立案", "已暂停 1 家"),
    march("2026-04-13", "second", "review decide [P2 S1/1 C03] 部分维持 --amount 44.44 --reason 剂量减半"),
    march("2026-04-13", "second", "review finish", "复审办结 5 家"),
    march("2026-04-14", "clerk", "calculate", f"待办 {H2}:现为暂停", 1),
    march("2026-04-14", "leader", "approve", "已核准 5 家"),
    # Two have changed their account since they were paid last.
    march("2026-04-15", "cashier", "disburse", "已拨付 3 家", 1),
    march("2026-04-15", "deputy", f"accounts confirm {H1} --reason 已电话核实"),
    march("2026-04-15", "deputy", f"accounts confirm {P2} --reason 已电话核实"),
    march("2026-04-15", "cashier", "disburse", "已拨付 2 家"),
    march("2026-04-16", "cashier", "receipt {inbox}/bank-1.csv", "成功 6", paper=bank_return("bank-1.csv")),
    march("2026-04-16", "cashier", "close", "已办结 5 家"),
    march("2026-04-20", "leader", f"resume --institution {H2} --reason 稽核结束", "已恢复 1 家"),
    march("2026-04-21", "second", "review finish", "复审办结 1 家"),
    march("2026-04-21", "clerk", "calculate", "已结算 1 家"),
    march("2026-04-22", "leader", "approve", "已核准 1 家"),
    march("2026-04-22", "cashier", "disburse", "已拨付 1 家"),
    march("2026-04-23", "cashier", "receipt {inbox}/bank-2.csv", "成功 1", paper=bank_return("bank-2.csv")),
    march("2026-04-23", "cashier", "close", "已办结 1 家"),
)  # fmt: skip

APRIL_ACTS = (
    april("2026-05-06", "reception", "intake {sent}/2026-04", "已受理"),
    always("2026-05-06", "second", f"ledger adjust --institution {H2} --fund {POOLED} --amount=-50.00 "
           "--about 2026-03 --reason 稽核追回"),
    always("2026-05-06", "deputy", "ledger confirm 2", "已确认"),
    april("2026-05-07", "first", "audit", "初审  疑点 2"),
    april("2026-05-07", "first", "notify", "已发送初审结果 6 家"),
    april("2026-05-11", "reception", "reply {inbox}/replies", "采纳 2 条", paper=lambda place: (
        reply_book("replies/H1.xlsx", H1, {"[H1 S1/2 C02]": disputed("患者为变性登记")})(place),
        reply_csv("replies/H2.csv", H2, {"[H2 S2/1 B01]": AGREED})(place),
    )),
    april("2026-05-12", "second", "close-feedback", "转入复审 6 家"),
    april("2026-05-12", "second", "review export", "复审工作表"),
    april("2026-05-12", "second", "review import {inbox}/decided.xlsx", "登记决定 2 条", paper=worklist(
        "decided.xlsx", {
            "[H1 S1/2 C02]": {"复审结论": "撤销", "复审理由": "材料齐全"},
            setl_id(H3, APRIL, "S1"): {"抽查结果": "通过"},
        })),
    april("2026-05-12", "second", "review finish", "复审办结 6 家"),
    april("2026-05-13", "clerk", "calculate", "已结算 6 家"),
    april("2026-05-14", "leader", "approve", "已核准 6 家"),
    april("2026-05-14", "cashier", "disburse --encoding gb18030", "已拨付 6 家"),
    april("2026-05-15", "cashier", "receipt {inbox}/bank-1.csv", "成功 7", paper=bank_return("bank-1.csv")),
    april("2026-05-15", "cashier", "close", "已办结 6 家"),
)  # fmt: skip

# A year later deposits go back by score, with the statements of January; `month` does what needs no person.
JANUARY_ACTS = (
    always("2026-12-15", "admin", "calendar add {reference}/cn_2027.csv", "已载入 2027 年"),
    always("2027-02-03", "reception", "reference load {reference}/scores"),
    january("2027-02-03", "reception", "intake {sent}/2027-01", "已受理"),
    january("2027-02-03", "leader", "ledger return-deposit 2026", "2026 年度清退"),
    january("2027-02-04", "clerk", "month", "待办  复审岗"),
    january("2027-02-04", "second", "review finish", "复审办结 2 家"),
    january("2027-02-05", "clerk", "month", "待办  负责人"),
    january("2027-02-05", "leader", "approve", "已核准 2 家"),
    january("2027-02-05", "cashier", "disburse", "已拨付 2 家"),
    january("2027-02-15", "cashier", "receipt {inbox}/bank-1.csv", "成功 2", paper=bank_return("bank-1.csv")),
    january("2027-02-15", "clerk", "month"),
)  # fmt: skip

STORY: dict[str, tuple[Act, ...]] = {
    "people": PEOPLE, FEB: FEBRUARY, MARCH: MARCH_ACTS, APRIL: APRIL_ACTS, NEXT_YEAR: JANUARY_ACTS,
}  # fmt: skip


def later(act: Act, day: str) -> Act:
    """The same act on another day."""
    return replace(act, day=day)
