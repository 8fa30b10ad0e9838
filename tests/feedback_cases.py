"""Findings as sent to institutions, and letters about them; nobody in them is real."""

import datetime as dt

import polars as pl

from settlement.feedback.columns import NO_FINDINGS, digest_of
from settlement.feedback.model import Letter
from tests import report_facts

REGION, LABEL, MONTH = "langfang", "廊坊市", dt.date(2026, 4, 1)
SENT_ON, ANSWER_BY, TODAY = dt.date(2026, 5, 13), dt.date(2026, 5, 20), dt.date(2026, 5, 18)


def findings(institutions=3, each=12):
    """Findings of some institutions, with what each can cost at most."""
    details = report_facts.month_facts(institutions=institutions, findings=each, refused=0).details
    limit = pl.when(grade="违规").then("det_sumamt").otherwise("risk_amt")
    english = ("finding of " + pl.col("rule_id")).alias("vola_cont_en")
    return details.with_columns(limit.alias("limit_amt"), english)


def letters(sent, *extra, lang="zh"):
    """One letter per institution in `sent`, and for each code in `extra` one without findings."""
    digests = digest_of(sent)
    return [letter(code, digests.get(code, NO_FINDINGS), lang) for code in sorted({*digests, *extra})]


def letter(code, digest=NO_FINDINGS, lang="zh"):
    return Letter(
        region=REGION,
        label=LABEL,
        month=MONTH,
        fixmedins_code=code,
        fixmedins_name=f"第{code[-2:]}人民医院",
        notice_no=f"FK202604-{code[-4:]}",
        sent_on=SENT_ON,
        answer_by=ANSWER_BY,
        answer_days=5,
        contact="初审岗 0316-5550000",
        deadline_on=dt.date(2026, 6, 19),
        digest=digest,
        lang=lang,
    )


def batches(told, state="FEEDBACK", answer_by=ANSWER_BY):
    """The open batches of some letters."""
    rows = [(one.fixmedins_code, state, answer_by, one.digest, one.notice_no) for one in told]
    schema = ["fixmedins_code", "state", "answer_by", "digest", "notice_no"]
    return pl.DataFrame(rows, schema=schema, orient="row")
