"""What must not happen, tried through the commands at the moment of the story where it would do harm.

Each is refused in words, with exit code 3; where rows are judged one by one they are listed, with exit
code 1. The home afterwards is the home before, apart from the log.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from settlement import store
from settlement.store.schema import LOG
from tests.story import papers, running, world
from tests.story.acts import Act, disputed
from tests.story.papers import Paper, Place, named
from tests.story.running import Done
from tests.story.telling import Telling
from tests.story.world import APRIL, FEB, H1, H2, H3, H4, MARCH, P1, P2, POOLED, REGION

REFUSED, LISTED = 3, 1


@dataclass(frozen=True)
class Case:
    """Something forbidden.

    Attributes:
        why: what it would be.
        before: the act of the story before which it is tried: how its command begins, month, which one.
        who: user; empty for nobody.
        words: the command.
        says: what must be said.
        code: exit code.
        day: when; the day of that act unless stated.
        first: lawful acts that prepare it, as (who, command).
        paper: what is handed in.
        leaves: tables and files that keep a trace of the attempt itself.
    """

    why: str
    before: tuple[str, str, int]
    who: str
    words: str
    says: str
    code: int = REFUSED
    day: str = ""
    first: tuple[tuple[str, str], ...] = ()
    paper: Paper | None = None
    leaves: tuple[str, ...] = ()


AUDITING = ("audit", FEB, 0)
ANSWERING = ("close-feedback", FEB, 0)
SILENCE = ("close-feedback", FEB, 1)
DECIDING = ("review decide [H1 S3", FEB, 0)
IMPORTING = ("review import", APRIL, 0)
FINISHING = ("review finish", FEB, 0)
SETTLING = ("calculate", FEB, 0)
SIGNING = ("approve", FEB, 0)
PAYING = ("disburse", FEB, 0)
PAYING_SHARED = ("accounts confirm", FEB, 0)
WAITING = ("receipt", FEB, 0)
CLOSING = ("close", FEB, 2)  # after the two times feedback was closed
CLOSED = ("ledger confirm 1", "", 0)
HELD = ("resume", MARCH, 0)
# The month's documents are brought up to date even when nothing moves; its data stays.
DOCUMENTS = ("institutions/", "审核扣款汇总表", ".xlsx", ".csv")


def role(who: str, more: str) -> tuple[tuple[str, str], ...]:
    """The administrator gives a user another role."""
    return (("admin", f"user add {who} --role {more}"),)


def late(name: str, who: str = "H2") -> Paper:
    """A CSV form filled in for the institution that has kept silent."""
    return papers.reply_csv(name, getattr(world, who), {f"[{who} S2 A01]": disputed("两次就诊")})


def contradiction(place: Place) -> None:
    """A bank return that calls failed what it called paid."""
    text = (place.inbox / "bank-3.csv").read_text(encoding="utf-8")
    (place.inbox / "other.csv").write_text(text.replace("成功", "失败"), encoding="utf-8")


AGAIN = f"{H1}_202602_9"


def another_submission(place: Place) -> None:
    """The month again, with other amounts."""
    place.inbox.mkdir(parents=True, exist_ok=True)
    sent = world.submission(H1, FEB, "_9")
    sent.rows["setl_d"] = sent.rows["setl_d"][:-1]
    sent.rows["fee_list_d"] = sent.rows["fee_list_d"][:-1]
    (place.inbox / f"{sent.name}.zip").unlink(missing_ok=True)
    sent.totals().zip(place.inbox)


# Which accounts were looked at is on record before anybody pays.
TWICE = tuple(
    Case(f"{had} 又任 {duty}", before, who, words, "四个不同的人", first=role(who, duty), leaves=("payee",))
    for had, who, duty, before, words in (
        ("初审", "first", "second_review", DECIDING, "review decide [H1 S3/1 C02] 维持 --reason 属实"),
        ("初审", "first", "leader", SIGNING, "approve"),
        ("复审", "second", "leader", SIGNING, "approve"),
        ("初审", "first", "finance", PAYING, "disburse"),
        ("复审", "second", "finance", PAYING, "disburse"),
        ("核准", "leader", "finance", PAYING, "disburse"),
    )
)
SKIPPED = (
    Case("未初审就发送", AUDITING, "first", "notify", "还没有运行结果"),
    Case("未初审就结算", AUDITING, "clerk", "calculate", "还没有运行结果"),
    Case("反馈期内就结算", ANSWERING, "clerk", f"calculate --institution {H2}", "现为待反馈", LISTED,
         leaves=DOCUMENTS),
    Case("反馈期内就复审", SILENCE, "second", "review decide [H2 S2 A01] 维持 --reason 属实", "不在复审中",
         day="2026-03-13"),
    Case("疑点未决定就结算", DECIDING, "clerk", f"calculate --institution {H1}", "没有复审决定", LISTED,
         leaves=DOCUMENTS),
    Case("决定了未办结就结算", FINISHING, "clerk", f"calculate --institution {H1}", "review finish", LISTED,
         leaves=DOCUMENTS),
    Case("未结算就核准", SETTLING, "leader", f"approve --institution {H1}", "现为复审中", LISTED,
         leaves=DOCUMENTS),
    Case("未核准就拨付", SIGNING, "cashier", f"disburse --institution {H1}", "现为已结算", LISTED),
    Case("未拨付就办结", PAYING, "cashier", f"close --institution {H1}", "现为已核准", LISTED,
         leaves=DOCUMENTS),
    Case("无回单就办结", WAITING, "cashier", "close", "没有银行成功回单", LISTED, leaves=DOCUMENTS),
    Case("办结后再核准", CLOSED, "leader", f"approve --institution {H1}", "现为已办结", LISTED, "2026-04-01"),
    Case("暂停中结算", HELD, "clerk", f"calculate --institution {H2}", "现为暂停", LISTED),
    Case("暂停中核准", HELD, "leader", f"approve --institution {H2}", "现为暂停", LISTED),
    Case("办结后暂停", CLOSED, "leader", f"hold --institution {H1} --reason 稽核", "不能转为暂停"),
    Case("没有暂停就恢复", SIGNING, "leader", f"resume --institution {H1} --reason 稽核", "没有暂停"),
    Case("日期倒退", SIGNING, "leader", "approve", "日期早于该批次的上一步", day="2026-03-01"),
)  # fmt: skip
ANSWERS = (
    Case("反馈关闭后再答", DECIDING, "hospital1", "reply {inbox}/reply-H1.xlsx", "F13", LISTED,
         leaves=("05_申诉表_未采纳",)),
    Case("逾期才答", SILENCE, "reception", "reply {inbox}/late.csv", "F14", LISTED, paper=late("late.csv"),
         leaves=("05_申诉表_未采纳",)),
    Case("替别家答", ANSWERING, "hospital1", "reply {inbox}/reply-P1.xlsx", "F03", LISTED,
         leaves=("05_申诉表_未采纳",)),
    Case("替别家答(CSV)", ANSWERING, "pharmacy1", "reply {inbox}/H2.csv", "F03", LISTED, paper=late("H2.csv"),
         leaves=("05_申诉表_未采纳",)),
)  # fmt: skip
NOT_TAKEN = ("06_复审意见_未采纳",)
DECISIONS = (
    *(
        Case(why, DECIDING, "second", f"review decide [H1 S3/1 C02] {words}", says)
        for why, words, says in (
            ("决定高于疑点", "部分维持 --amount 66.67 --reason 加重", "66.67 元不成立"),
            ("部分维持等于全额", "部分维持 --amount 66.66 --reason 全额", "66.66 元不成立"),
            ("部分维持为零", "部分维持 --amount 0 --reason 零", "不成立"),
            ("维持却另写金额", "维持 --amount 66.65 --reason 少一分", "66.65 元不成立"),
            ("撤销却有金额", "撤销 --amount 0.01 --reason 留一分", "0.01 元不成立"),
            ("负数", "部分维持 --amount=-1.00 --reason 负数", "-1.00 元不成立"),
            ("没有理由", "维持", "--reason"),
            ("理由只有空格", "维持 --reason '  '", "--reason"),
            ("没有这种决定", "加倍 --reason 从严", "加倍 无法识别"),
        )
    ),
    *(
        Case(f"工作表:{why}", IMPORTING, "second", "review import {inbox}/wrong.xlsx", says, LISTED,
             paper=papers.worklist("wrong.xlsx", {"[H1 S1/2 C02]": filled}), leaves=NOT_TAKEN)
        for why, filled, says in (
            ("决定高于疑点", {"复审结论": "部分维持", "复审金额": 100, "复审理由": "加重"}, "D04"),
            ("部分维持等于全额", {"复审结论": "部分维持", "复审金额": 99.99, "复审理由": "全额"}, "D05"),
            ("没有理由", {"复审结论": "撤销"}, "D03"),
            ("改动锁定格", {"复审结论": "撤销", "复审理由": "属实", "最多可扣金额": 1}, "D07"),
        )
    ),
    Case("没有这个疑点", DECIDING, "second", "review decide 0123456789abcdef 维持 --reason 属实", "没有疑点"),
    Case("结算后再决定", SIGNING, "second", "review decide [H1 S3/1 C02] 撤销 --reason 反悔", "不在复审中"),
    Case("批量不写理由", DECIDING, "second", "review bulk 维持 --grade 违规", "没有写理由"),
    Case("批量不给范围", DECIDING, "second", "review bulk 维持 --reason 属实", "没有给出范围"),
    Case("批量部分维持", DECIDING, "second", "review bulk 部分维持 --grade 违规 --reason 半", "批量复审只能"),
)  # fmt: skip
MONEY = (
    Case("再次拨付", CLOSING, "cashier", "disburse", "已拨付 0 家", 0),
    Case("同一回单再来", CLOSING, "cashier", "receipt {inbox}/bank-2.csv", "成功 0  失败 0", 0),
    Case("回单改口", CLOSING, "cashier", "receipt {inbox}/other.csv", "矛盾 1", LISTED, paper=contradiction,
         leaves=("receipt", "07_银行回单_待处理")),
    Case("已结算的月份重新申报", SIGNING, "reception", f"intake {{inbox}}/{AGAIN}.zip", "S17", LISTED,
         paper=another_submission, leaves=("submission", "stored_file", AGAIN)),
    Case("已办结的月份重新申报", CLOSED, "reception", f"intake {{inbox}}/{AGAIN}.zip", "S17", LISTED,
         paper=another_submission, leaves=("submission", "stored_file", AGAIN)),
    Case("确认自己登记的调整", CLOSED, "second", "ledger confirm 1", "须由另一人确认",
         first=role("second", "leader")),
    Case("再次确认调整", ("reference load {reference}/accounts", "", 0), "deputy", "ledger confirm 1",
         "已由 leader 确认"),
    Case("没有这个调整", CLOSED, "leader", "ledger confirm 77", "没有编号 77"),
    Case("确认自己付款的账户", PAYING_SHARED, "cashier", "disburse", "另一人确认", REFUSED, first=(
        *role("cashier", "settlement"),
        ("cashier", f"accounts confirm {P1} --reason 自己核对"),
        ("cashier", f"accounts confirm {P2} --reason 自己核对"),
    )),
    Case("没有可确认的账户", PAYING_SHARED, "clerk", f"accounts confirm {H3} --reason 核对", "没有待确认"),
    Case("确认账户不写理由", PAYING_SHARED, "clerk", f"accounts confirm {P1}", "--reason"),
    Case("调整为零", CLOSED, "second", f"ledger adjust --institution {H1} --fund {POOLED} --amount 0 "
         "--about 2026-02 --reason 无", "不得为零"),
    Case("调整不写理由", CLOSED, "second", f"ledger adjust --institution {H1} --fund {POOLED} --amount 1 "
         "--about 2026-02", "--reason"),
    Case("调整到分以下", CLOSED, "second", f"ledger adjust --institution {H1} --fund {POOLED} --amount 0.005 "
         "--about 2026-02 --reason 半分", "两位小数"),
    Case("调整没有的基金", CLOSED, "second", f"ledger adjust --institution {H1} --fund 999 --amount 1 "
         "--about 2026-02 --reason 无", "无法识别"),
    Case("调整没有的机构", CLOSED, "second", f"ledger adjust --institution H0 --fund {POOLED} --amount 1 "
         "--about 2026-02 --reason 无", "机构名录没有 H0"),
    Case("周转金分零个月", AUDITING, "leader", f"ledger advance --institution {H1} --fund {POOLED} "
         "--amount 1 --months 0 --reason 无", "须大于零"),
    Case("暂停不写理由", SIGNING, "leader", f"hold --institution {H1}", "--reason"),
    Case("暂停不指机构", SIGNING, "leader", "hold --reason 全部", "机构编码"),
)  # fmt: skip
PEOPLE = (
    Case("机构用户兼他岗", AUDITING, "admin",
         f"user add x --role institution --role leader --institution {H1}", "只能有 institution 一个岗位"),
    Case("机构用户没有机构", AUDITING, "admin", "user add x --role institution", "--institution"),
    Case("没有的岗位", AUDITING, "admin", "user add x --role king", "无法识别"),
    Case("登记机器人", AUDITING, "admin", "user add robot_leader --role leader", "由系统保留"),
    Case("登记系统", AUDITING, "admin", "user add system --role leader", "由系统保留"),
    Case("停用没有的岗位", AUDITING, "admin", "user revoke clerk --role leader", "没有岗位"),
    Case("停用后再办", SIGNING, "leader", "approve", "无岗位",
         first=(("admin", "user revoke leader --role leader"),)),
    Case("无人署名核准", SIGNING, "", "approve", "--as"),
    Case("无人署名拨付", PAYING, "", "disburse", "--as"),
    Case("无人署名复审", DECIDING, "", "review finish", "--as"),
    *(
        Case(f"冒用 {name}", SIGNING, name, "approve", "由系统保留")
        for name in ("system", "robot_leader", "robot_leader_2", "robot_finance")
    ),
)  # fmt: skip


def attempt(story: Telling, case: Case, folder: Path) -> tuple[Place, Done, running.State, int]:
    """Go to the moment, do what is lawful, then the forbidden; gives what was there before it."""
    words, month, turn = case.before
    number = story.at(words, month, turn)
    place = story.before(number, folder)
    day = case.day or story.told[number][0].day

    here = Place(place.home, place.outside, month or FEB)

    def act(who: str, command: str) -> list[str]:
        argv = Act(here.month, day, who, command).argv(here)
        return argv if who else [word for word in argv if word not in ("--as", "")]

    for who, command in case.first:
        done = running.settle(act(who, command))
        assert done.code == 0, done.said
    if case.paper:
        case.paper(here)
    before, logged = running.state(place.home), log(place.home)
    return here, running.settle(act(case.who, case.words)), before, len(logged)


def log(home: Path) -> list[sa.RowMapping]:
    opened = store.open_store(home)
    try:
        with opened.engine.connect() as db:
            assert store.log.breaks(db) == []
            return [row._mapping for row in db.execute(sa.select(LOG).order_by(LOG.c.seq))]
    finally:
        opened.engine.dispose()


def changed(before: running.State, after: running.State, leaves: Sequence[str] = ()) -> list[str]:
    """What is not as it was, apart from the log and what an attempt may leave."""
    found = running.differing(after, before)
    return [f for f in found if not f.startswith("log ") and not any(trace in f for trace in leaves)]


@pytest.mark.parametrize(
    "case", [*TWICE, *SKIPPED, *ANSWERS, *DECISIONS, *MONEY, *PEOPLE], ids=lambda case: case.why
)
def test_it_is_refused_in_words_and_nothing_has_changed(story: Telling, case: Case, tmp_path: Path) -> None:
    place, done, before, _ = attempt(story, case, tmp_path)

    assert case.says in done.said
    assert done.code == case.code, done.said
    assert "Traceback" not in done.said
    assert changed(before, running.state(place.home), case.leaves) == []


CHANGING = (
    "reference load {reference}/accounts",
    f"intake {{sent}}/{H2}_202602_2.zip",
    "audit",
    "notify",
    "reply {inbox}/reply-H1.xlsx",
    "close-feedback",
    "review decide [H1 S3/1 C02] 维持 --reason 属实",
    "review bulk 维持 --grade 违规 --reason 属实",
    "review import {inbox}/reply-H1.xlsx",
    "review finish",
    "calculate",
    "approve",
    f"accounts confirm {P1} --reason 核对",
    "disburse",
    "receipt {inbox}/bank-2.csv",
    "close",
    f"hold --institution {H1} --reason 稽核",
    f"resume --institution {H1} --reason 稽核",
    f"ledger adjust --institution {H1} --fund {POOLED} --amount 1 --about 2026-02 --reason 无",
    "ledger confirm 1",
    f"ledger advance --institution {H1} --fund {POOLED} --amount 1 --months 1 --reason 无",
    "ledger return-deposit 2026",
    "calendar add {reference}/cn_2027.csv",
    "user add x --role leader",
    "user revoke leader --role leader",
)
LOOKING = (
    "status", "deadlines", "log", "user list", "ledger show", "accounts list", "review", f"explain {H1}",
)  # fmt: skip
# Whom each act is not open to, beside the auditor; the moment is the one where it would have an effect.
OTHERS = (
    ("first", "intake {sent}/2026-02", AUDITING),
    ("second", "audit", AUDITING),
    ("reception", "notify", ("notify", FEB, 0)),
    ("first", "reply {inbox}/reply-H1.xlsx", ANSWERING),
    ("first", "review decide [H1 S3/1 C02] 维持 --reason 属实", DECIDING),
    ("leader", "review finish", FINISHING),
    ("second", "calculate", SETTLING),
    ("clerk", "approve", SIGNING),
    ("cashier", "approve", SIGNING),
    ("leader", "disburse", PAYING),
    ("clerk", "disburse", PAYING),
    ("cashier", f"accounts confirm {P1} --reason 核对", PAYING_SHARED),
    ("leader", "receipt {inbox}/bank-2.csv", WAITING),
    ("leader", "close", CLOSING),
    ("clerk", f"hold --institution {H1} --reason 稽核", SIGNING),
    ("second", f"resume --institution {H2} --reason 稽核", HELD),
    ("clerk", "ledger confirm 1", CLOSED),
    ("hospital1", "audit", AUDITING),
    ("hospital1", "approve", SIGNING),
    ("nobody", "approve", SIGNING),
    ("clerk", "user add x --role leader", SIGNING),
)


@pytest.mark.parametrize("words", CHANGING)
def test_an_auditor_changes_nothing_and_the_attempt_is_on_record(
    story: Telling, words: str, tmp_path: Path
) -> None:
    case = Case("审计", SIGNING, "auditor", words, "auditor(审计)不能办理")
    refused_for_role(story, case, tmp_path)


@pytest.mark.parametrize(("who", "words", "before"), OTHERS)
def test_a_role_that_is_missing_is_refused_and_on_record(
    story: Telling, who: str, words: str, before: tuple[str, str, int], tmp_path: Path
) -> None:
    says = "没有用户 nobody" if who == "nobody" else "不能办理"
    refused_for_role(story, Case("无岗位", before, who, words, says), tmp_path)


def refused_for_role(story: Telling, case: Case, folder: Path) -> None:
    place, done, before, logged = attempt(story, case, folder)
    news = log(place.home)[logged:]

    assert done.code == REFUSED, done.said
    assert case.says in done.said
    assert changed(before, running.state(place.home)) == []
    assert [(row["actor"], row["subject"]) for row in news] == [(case.who, "refused")]
    assert case.says in news[0]["after"]


@pytest.mark.parametrize("words", LOOKING)
def test_an_auditor_may_look(story: Telling, words: str, tmp_path: Path) -> None:
    case = Case("审计", ("month", "", 2), "auditor", words, "", 0)
    place, done, before, logged = attempt(story, case, tmp_path)

    assert done.code == 0, done.said
    assert done.out.strip()
    assert changed(before, running.state(place.home), ("12_时限监测表.xlsx",)) == []
    assert log(place.home)[logged:] == []


def test_looking_at_the_worklist_closes_no_window(story: Telling, tmp_path: Path) -> None:
    place, done, before, logged = attempt(story, Case("看", SILENCE, "auditor", "review", "", 0), tmp_path)

    assert done.code == 0, done.said
    assert changed(before, running.state(place.home)) == []
    assert log(place.home)[logged:] == []


def test_a_home_that_pays_real_money_has_no_robots(story: Telling, tmp_path: Path) -> None:
    place = story.before(story.at("approve", FEB), tmp_path)
    (place.home / "settle.toml").write_text('unattended = "refused"\n', encoding="utf-8")
    before = running.state(place.home)
    words = shlex.split(f"--home {place.home} --region {REGION} --month {FEB} --today 2026-03-19")

    done = running.settle([*words, "month", "--unattended"])

    assert (done.code, "不允许机器人" in done.said) == (REFUSED, True)
    assert changed(before, running.state(place.home)) == []


def test_a_submission_refused_after_the_close_leaves_the_documents_as_they_were(
    story: Telling, tmp_path: Path
) -> None:
    case = next(c for c in MONEY if c.why == "已办结的月份重新申报")
    place, _, _, _ = attempt(story, case, tmp_path)
    head = shlex.split(f"--home {place.home} --region {REGION} --month {FEB} --today 2026-04-02")

    assert running.settle([*head, "documents"]).code == 0
    assert running.files(place.home, f"{REGION}/{FEB}") == story.closed[FEB]


def test_named_findings_and_institutions_are_of_the_story() -> None:
    assert len(named("[H1 S3/1 C02]", FEB)) == 16
    assert len({H1, H2, H3, H4, P1, P2}) == 6
