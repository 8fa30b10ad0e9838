"""Statements, approvals, orders, results and ledgers."""

from __future__ import annotations

import sqlalchemy as sa

from settlement.store.schema.base import META, day, ident, number, only_where, text

STEPS = (
    "fund_appy_fen",
    "det_fen",
    "method_adjust_fen",
    "deferred_fen",
    "dpst_fen",
    "advance_offset_fen",
    "prior_adjust_fen",
    "clawback_fen",
    "act_dfr_fen",
    "carry_fen",
)
STATEMENT = sa.Table(
    "statement",
    META,
    sa.Column("batch_id", sa.Integer, sa.ForeignKey("batch.id"), primary_key=True),
    sa.Column("run_id", sa.Integer, sa.ForeignKey("month_run.id"), nullable=False),
    number("payable_fen"),
    number("carry_fen"),
    sa.Column("signatures", sa.Integer, nullable=False),
    day("day"),
    text("actor", sa.ForeignKey("app_user.name")),
    sa.UniqueConstraint("batch_id", "payable_fen", name="statement_payable"),
    sa.CheckConstraint("signatures >= 1", name="statement_signatures"),
)
STATEMENT_LINE = sa.Table(
    "statement_line",
    META,
    sa.Column("batch_id", sa.Integer, sa.ForeignKey("statement.batch_id"), nullable=False),
    text("fund_pay_type"),
    *(number(step) for step in STEPS),
    sa.PrimaryKeyConstraint("batch_id", "fund_pay_type"),
    sa.UniqueConstraint("batch_id", "fund_pay_type", "act_dfr_fen", name="statement_line_paid"),
    sa.CheckConstraint(
        "fund_appy_fen = det_fen - method_adjust_fen + deferred_fen + dpst_fen + advance_offset_fen "
        "- prior_adjust_fen + clawback_fen + act_dfr_fen - carry_fen",
        name="statement_identity",
    ),
    sa.CheckConstraint(
        "act_dfr_fen >= 0 AND carry_fen >= 0 AND (act_dfr_fen = 0 OR carry_fen = 0)", name="statement_signs"
    ),
)
APPROVAL = sa.Table(
    "approval",
    META,
    sa.Column("batch_id", sa.Integer, nullable=False),
    text("actor"),
    text("duty", default="leader"),
    number("amount_fen"),
    text("reason"),
    day("day"),
    sa.PrimaryKeyConstraint("batch_id", "actor"),
    sa.CheckConstraint("duty = 'leader'", name="approval_duty"),
    sa.ForeignKeyConstraint(
        ["batch_id", "actor", "duty"],
        ["batch_duty.batch_id", "batch_duty.actor", "batch_duty.duty"],
        name="approval_by_a_leader",
    ),
    sa.ForeignKeyConstraint(
        ["batch_id", "amount_fen"],
        ["statement.batch_id", "statement.payable_fen"],
        name="approval_of_the_amount",
    ),
)
PAYEE = sa.Table(
    "payee",
    META,
    sa.Column("batch_id", sa.Integer, sa.ForeignKey("batch.id"), nullable=False),
    text("acctname"),
    text("bankacct"),
    text("bank_name"),
    text("bankcode"),
    text("fixmedins_code"),
    text("warning"),
    day("day"),
    sa.PrimaryKeyConstraint("batch_id", "bankacct"),
)
# Every order asks whether another institution is paid to the same account.
sa.Index("payee_account", PAYEE.c.bankacct)
PAYEE_CONFIRMATION = sa.Table(
    "payee_confirmation",
    META,
    sa.Column("batch_id", sa.Integer, nullable=False),
    text("bankacct"),
    text("reason", sa.CheckConstraint("trim(reason) <> ''", name="confirmation_reason")),
    day("day"),
    text("actor", sa.ForeignKey("app_user.name")),
    sa.PrimaryKeyConstraint("batch_id", "bankacct"),
    sa.ForeignKeyConstraint(["batch_id", "bankacct"], ["payee.batch_id", "payee.bankacct"]),
)
PAY_FILE = sa.Table(
    "pay_file",
    META,
    ident(),
    text("region"),
    text("clr_ym"),
    text("name"),
    text("payer_acct"),
    sa.Column("count", sa.Integer, nullable=False),
    number("sum_fen"),
    text("digest"),
    text("path"),
    day("day"),
    text("actor", sa.ForeignKey("app_user.name")),
    sa.UniqueConstraint("region", "clr_ym", "name", name="pay_file_name"),
)
PAY_ORDER = sa.Table(
    "pay_order",
    META,
    text("business_no"),
    sa.Column("batch_id", sa.Integer, nullable=False),
    text("fund_pay_type"),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("prev_attempt", sa.Integer, nullable=True),
    text("prev_result", default="FAILED"),
    number("amount_fen", sa.CheckConstraint("amount_fen > 0", name="order_positive")),
    text("payer_acct"),
    text("bankacct"),
    sa.Column("file_id", sa.Integer, sa.ForeignKey("pay_file.id"), nullable=False),
    day("day"),
    text("actor"),
    text("duty", default="finance"),
    sa.PrimaryKeyConstraint("business_no"),
    sa.UniqueConstraint("batch_id", "fund_pay_type", "attempt", name="order_attempt"),
    sa.UniqueConstraint("business_no", "batch_id", "fund_pay_type", "attempt", name="order_known"),
    sa.ForeignKeyConstraint(
        ["batch_id", "fund_pay_type", "amount_fen"],
        ["statement_line.batch_id", "statement_line.fund_pay_type", "statement_line.act_dfr_fen"],
        name="order_of_the_statement",
    ),
    # Only a failed attempt lets another one follow.
    sa.ForeignKeyConstraint(
        ["batch_id", "fund_pay_type", "prev_attempt", "prev_result"],
        ["pay_result.batch_id", "pay_result.fund_pay_type", "pay_result.attempt", "pay_result.result"],
        name="order_after_a_failure",
        use_alter=True,
    ),
    sa.ForeignKeyConstraint(
        ["batch_id", "actor", "duty"],
        ["batch_duty.batch_id", "batch_duty.actor", "batch_duty.duty"],
        name="order_by_finance",
    ),
    sa.ForeignKeyConstraint(
        ["batch_id", "bankacct"], ["payee.batch_id", "payee.bankacct"], name="order_to_the_payee"
    ),
    sa.CheckConstraint("duty = 'finance' AND prev_result = 'FAILED'", name="order_duty"),
    sa.CheckConstraint(
        # a check that comes out as NULL passes, hence IS NOT NULL
        "(attempt = 1 AND prev_attempt IS NULL) OR "
        "(attempt > 1 AND prev_attempt IS NOT NULL AND prev_attempt = attempt - 1)",
        name="order_next",
    ),
)
RECEIPT = sa.Table(
    "receipt",
    META,
    ident(),
    text("region"),
    text("name"),
    text("digest"),
    text("path"),
    day("day"),
    text("actor", sa.ForeignKey("app_user.name")),
    sa.Column("facts", sa.JSON, nullable=False),
    sa.UniqueConstraint("digest", name="receipt_once"),
)
PAY_RESULT = sa.Table(
    "pay_result",
    META,
    text("business_no"),
    sa.Column("batch_id", sa.Integer, nullable=False),
    text("fund_pay_type"),
    sa.Column("attempt", sa.Integer, nullable=False),
    text("result", sa.CheckConstraint("result IN ('PAID', 'FAILED')", name="result_known")),
    text("reason"),
    text("bank_time"),
    day("bank_day"),
    sa.Column("receipt_id", sa.Integer, sa.ForeignKey("receipt.id"), nullable=False),
    sa.PrimaryKeyConstraint("business_no"),
    sa.UniqueConstraint("batch_id", "fund_pay_type", "attempt", "result", name="result_of_attempt"),
    sa.ForeignKeyConstraint(
        ["business_no", "batch_id", "fund_pay_type", "attempt"],
        ["pay_order.business_no", "pay_order.batch_id", "pay_order.fund_pay_type", "pay_order.attempt"],
        name="result_of_an_order",
    ),
)
sa.Index(
    "paid_once",
    PAY_RESULT.c.batch_id,
    PAY_RESULT.c.fund_pay_type,
    unique=True,
    **only_where("result = 'PAID'"),
)
LEDGER = sa.Table(
    "ledger",
    META,
    text("region"),
    text("fixmedins_code"),
    text("fund_pay_type"),
    text("book"),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("prev_seq", sa.Integer, nullable=True),
    text("kind"),
    text("clr_ym"),
    # the batch, plan, adjustment or year that brought the entry; each brings one entry a book
    text("source"),
    number("opening_fen"),
    number("plus_fen"),
    number("minus_fen"),
    number("closing_fen"),
    text("note"),
    day("day"),
    text("actor", sa.ForeignKey("app_user.name")),
    sa.PrimaryKeyConstraint("region", "fixmedins_code", "fund_pay_type", "book", "seq"),
    sa.UniqueConstraint(
        "region", "fixmedins_code", "fund_pay_type", "book", "seq", "closing_fen", name="ledger_end"
    ),
    sa.UniqueConstraint(
        "region", "fixmedins_code", "fund_pay_type", "book", "kind", "source", name="ledger_once"
    ),
    sa.ForeignKeyConstraint(
        ["region", "fixmedins_code", "fund_pay_type", "book", "prev_seq", "opening_fen"],
        [
            f"ledger.{name}"
            for name in ("region", "fixmedins_code", "fund_pay_type", "book", "seq", "closing_fen")
        ],
        name="ledger_opens_where_it_closed",
    ),
    sa.CheckConstraint("closing_fen = opening_fen + plus_fen - minus_fen", name="ledger_sum"),
    sa.CheckConstraint("plus_fen >= 0 AND minus_fen >= 0", name="ledger_signs"),
    sa.CheckConstraint("book = 'prior' OR closing_fen >= 0", name="ledger_not_below_zero"),
    sa.CheckConstraint(
        "(seq = 1 AND prev_seq IS NULL AND opening_fen = 0) OR "
        "(seq > 1 AND prev_seq IS NOT NULL AND prev_seq = seq - 1)",
        name="ledger_next",
    ),
)
ADJUSTMENT = sa.Table(
    "adjustment",
    META,
    ident(),
    text("region"),
    text("fixmedins_code"),
    text("fund_pay_type"),
    number("amount_fen", sa.CheckConstraint("amount_fen <> 0", name="adjustment_amount")),
    text("about_ym"),
    text("finding_id"),
    text("reason", sa.CheckConstraint("trim(reason) <> ''", name="adjustment_reason")),
    day("day"),
    text("actor", sa.ForeignKey("app_user.name")),
    sa.UniqueConstraint(
        "region", "fixmedins_code", "fund_pay_type", "about_ym", "finding_id", "amount_fen", "reason"
    ),
)
ADJUSTMENT_CONFIRMATION = sa.Table(
    "adjustment_confirmation",
    META,
    sa.Column("adjustment_id", sa.Integer, sa.ForeignKey("adjustment.id"), primary_key=True),
    day("day"),
    text("actor", sa.ForeignKey("app_user.name")),
)
ADVANCE = sa.Table(
    "advance_plan",
    META,
    ident(),
    text("region"),
    text("fixmedins_code"),
    text("fund_pay_type"),
    number("amount_fen", sa.CheckConstraint("amount_fen > 0", name="advance_amount")),
    sa.Column("months", sa.Integer, sa.CheckConstraint("months > 0", name="advance_months"), nullable=False),
    text("first_ym"),
    text("reason"),
    day("day"),
    text("actor", sa.ForeignKey("app_user.name")),
    sa.UniqueConstraint("region", "fixmedins_code", "fund_pay_type", "first_ym", name="advance_once"),
)
