"""The procedure after the audit: people, batches, findings, payments, ledgers, jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from settlement.migrations.shape import add_key, column, columns, key_to, unique, unique_where

revision = "0002"
down_revision = "0001"
ONCE = "region clr_ym fixmedins_code digest attempt"


def upgrade() -> None:
    """Bring the tables of 0001 to this step and add the new ones."""
    if op.get_bind().dialect.name == "sqlite":
        _submission_anew()
    else:
        _submission_changed()
    op.add_column("month_run", column("paths", "json={}"))
    op.add_column("month_run", column("basis", "json={}"))
    _people()
    _batches()
    _findings()
    _statements()
    _payments()
    _ledgers()
    _jobs()


def _submission_changed() -> None:
    """Give the constraints of submissions their names, and let the same bytes come more than once."""
    once = "submission_region_clr_ym_fixmedins_code_digest_key"
    op.execute("ALTER TABLE submission RENAME CONSTRAINT submission_status_check TO submission_status")
    op.add_column("submission", column("attempt", "int=1"))
    op.drop_constraint(once, "submission")
    op.create_unique_constraint("submission_once", "submission", ONCE.split())


def _submission_anew() -> None:
    """The same on SQLite, which cannot change a constraint."""
    op.drop_index("one_current_submission", "submission")
    op.rename_table("submission", "former_submission")
    op.create_table(
        "submission",
        *columns("id number*, region text, clr_ym text, fixmedins_code text, name text, digest text"),
        *columns("content text, status text, current bool, received_on day, kept text, intake text"),
        *columns("sub int, facts json, attempt int=1"),
        sa.CheckConstraint("status IN ('ACCEPTED', 'RETURNED')", name="submission_status"),
        unique(ONCE, "submission_once"),
    )
    op.execute("INSERT INTO submission SELECT *, 1 FROM former_submission")
    op.drop_table("former_submission")
    unique_where("one_current_submission", "submission", "region clr_ym fixmedins_code", "current")


def _people() -> None:
    """Users, their roles, and the log: a hash chain without forks."""
    op.create_table(
        "app_user",
        *columns("name text*, full_name text, fixmedins_code text?, added_on day, added_by text"),
        sa.CheckConstraint("name <> ''", name="user_named"),
    )
    op.create_table(
        "user_role",
        *columns("name text*, role text*"),
        sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
        key_to("app_user", "name"),
    )
    op.create_table(
        "log",
        *columns("seq int*, prev_seq int?, day day, at text, actor text, action text, region text"),
        *columns("clr_ym text, subject text, before text, after text, reason text, prev_hash text?"),
        *columns("hash text"),
        unique("hash", "log_hash"),
        unique("prev_seq", "log_no_fork"),
        unique("seq hash", "log_place"),
        key_to("log", "prev_seq prev_hash", "seq hash", name="log_chain"),
        sa.CheckConstraint(
            "(seq = 1 AND prev_seq IS NULL AND prev_hash IS NULL) OR (seq > 1 AND "
            "prev_seq IS NOT NULL AND prev_seq = seq - 1 AND prev_hash IS NOT NULL)",
            name="log_next",
        ),
    )
    op.create_table(
        "schema_mark",
        *columns("name text*, value text"),
    )


def _batches() -> None:
    """Batches, their way, and who took which duty."""
    op.create_table(
        "edge",
        *columns("from_state text*, from_held text*, to_state text*, to_held text*"),
    )
    op.create_table(
        "batch",
        *columns("id number*, region text, clr_ym text, fixmedins_code text, submission_id int"),
        *columns("declared_on day, state text?, held text?, seq int?, run_id int?"),
        unique("submission_id"),
        unique("id run_id", "batch_run"),
        key_to("month_run", "run_id", "id"),
        key_to("submission", "submission_id", "id"),
        key_to(
            "transition",
            "id seq state held",
            "batch_id seq to_state to_held",
            name="batch_where_its_way_ends",
            later=True,
        ),
    )
    unique_where("one_live_batch", "batch", "region clr_ym fixmedins_code", "state <> 'RETURNED'")
    op.create_table(
        "transition",
        *columns("batch_id int*, seq int*, prev_seq int?, from_state text, from_held text, to_state text"),
        *columns("to_held text, day day, actor text, log_seq int"),
        unique("batch_id seq to_state to_held", "transition_end"),
        key_to("app_user", "actor", "name"),
        key_to("batch", "batch_id", "id"),
        key_to("log", "log_seq", "seq"),
        key_to("edge", "from_state from_held to_state to_held", name="transition_along_an_edge"),
        key_to(
            "transition",
            "batch_id prev_seq from_state from_held",
            "batch_id seq to_state to_held",
            name="transition_starts_where_the_last_ended",
        ),
        sa.CheckConstraint(
            "(seq = 1 AND prev_seq IS NULL AND from_state = '') OR (seq > 1 AND "
            "prev_seq IS NOT NULL AND prev_seq = seq - 1 AND from_state <> '')",
            name="transition_next",
        ),
    )
    op.create_table(
        "batch_duty",
        *columns("batch_id int*, actor text*, duty text"),
        unique("batch_id actor duty", "duty_held"),
        key_to("batch", "batch_id", "id"),
        key_to("user_role", "actor duty", "name role", name="duty_of_a_role"),
        sa.CheckConstraint(
            "duty IN ('first_review', 'second_review', 'leader', 'finance')", name="duty_known"
        ),
    )
    add_key(
        "batch_where_its_way_ends",
        "batch",
        "transition",
        "id seq state held",
        "batch_id seq to_state to_held",
    )


def _findings() -> None:
    """Findings, answers, decisions."""
    op.create_table(
        "finding",
        *columns("batch_id int*, run_id int*, finding_id text*, rule_id text, grade text, risk_fen fen"),
        *columns("det_fen fen, limit_fen fen"),
        unique("batch_id run_id finding_id limit_fen", "finding_limit"),
        key_to("batch", "batch_id", "id"),
        key_to("month_run", "run_id", "id"),
        sa.CheckConstraint("0 <= det_fen AND det_fen <= risk_fen", name="finding_amounts"),
        sa.CheckConstraint(
            "limit_fen = CASE grade WHEN '违规' THEN det_fen ELSE risk_fen END", name="finding_limit_is"
        ),
    )
    op.create_table(
        "notice",
        *columns("batch_id int*, run_id int, number text, sent_on day, answer_by day, digest text"),
        unique("number", "notice_number"),
        unique("batch_id run_id", "notice_run"),
        key_to("batch", "batch_id", "id"),
        key_to("batch", "batch_id run_id", "id run_id", name="notice_of_run"),
        sa.CheckConstraint("sent_on <= answer_by", name="notice_days"),
    )
    op.create_table(
        "window_extension",
        *columns("batch_id int*, hold_seq int*, answer_by day, day day, actor text"),
        key_to("app_user", "actor", "name"),
        key_to("notice", "batch_id"),
    )
    op.create_table(
        "reply",
        *columns("batch_id int*, run_id int*, finding_id text*, turn int*, limit_fen fen, answer text"),
        *columns("agreed_fen fen, reason text, attachments text, filled_by text, filled_on text"),
        *columns("place text, day day, actor text"),
        key_to("app_user", "actor", "name"),
        key_to("notice", "batch_id run_id", name="reply_after_notice"),
        key_to("finding", "batch_id run_id finding_id limit_fen", name="reply_to_a_finding"),
        sa.CheckConstraint(
            "CASE answer WHEN '认可' THEN agreed_fen = limit_fen WHEN '部分认可' THEN 0 < "
            "agreed_fen AND agreed_fen < limit_fen WHEN '不认可' THEN agreed_fen = 0 ELSE false END",
            name="reply_amount",
        ),
        sa.CheckConstraint("answer = '认可' OR trim(reason) <> ''", name="reply_reason"),
    )
    op.create_table(
        "decision",
        *columns("batch_id int*, run_id int*, finding_id text*, turn int*, limit_fen fen, outcome text"),
        *columns("final_fen fen, reason text, day day, actor text, duty text=second_review"),
        key_to("notice", "batch_id run_id", name="decision_after_notice"),
        key_to("batch_duty", "batch_id actor duty", name="decision_by_the_second_reviewer"),
        key_to("finding", "batch_id run_id finding_id limit_fen", name="decision_on_a_finding"),
        sa.CheckConstraint(
            "CASE outcome WHEN '维持' THEN final_fen = limit_fen WHEN '部分维持' THEN 0 < "
            "final_fen AND final_fen < limit_fen WHEN '撤销' THEN final_fen = 0 ELSE false END",
            name="decision_amount",
        ),
        sa.CheckConstraint("duty = 'second_review'", name="decision_duty"),
        sa.CheckConstraint("trim(reason) <> ''", name="decision_reason"),
    )
    op.create_table(
        "sample_check",
        *columns("batch_id int*, setl_id text*, outcome text, note text, day day, actor text"),
        key_to("app_user", "actor", "name"),
        key_to("batch", "batch_id", "id"),
        sa.CheckConstraint("outcome IN ('通过', '有问题')", name="sample_outcome"),
    )


def _statements() -> None:
    """What is paid, who signed it, to which account."""
    op.create_table(
        "statement",
        *columns("batch_id int*, run_id int, payable_fen fen, carry_fen fen, signatures int, day day"),
        *columns("actor text"),
        unique("batch_id payable_fen", "statement_payable"),
        key_to("app_user", "actor", "name"),
        key_to("batch", "batch_id", "id"),
        key_to("month_run", "run_id", "id"),
        sa.CheckConstraint("signatures >= 1", name="statement_signatures"),
    )
    op.create_table(
        "statement_line",
        *columns("batch_id int*, fund_pay_type text*, fund_appy_fen fen, det_fen fen"),
        *columns("method_adjust_fen fen, deferred_fen fen, dpst_fen fen, advance_offset_fen fen"),
        *columns("prior_adjust_fen fen, clawback_fen fen, act_dfr_fen fen, carry_fen fen"),
        unique("batch_id fund_pay_type act_dfr_fen", "statement_line_paid"),
        key_to("statement", "batch_id"),
        sa.CheckConstraint(
            "fund_appy_fen = det_fen - method_adjust_fen + deferred_fen + dpst_fen + "
            "advance_offset_fen - prior_adjust_fen + clawback_fen + act_dfr_fen - carry_fen",
            name="statement_identity",
        ),
        sa.CheckConstraint(
            "act_dfr_fen >= 0 AND carry_fen >= 0 AND (act_dfr_fen = 0 OR carry_fen = 0)",
            name="statement_signs",
        ),
    )
    op.create_table(
        "approval",
        *columns("batch_id int*, actor text*, duty text=leader, amount_fen fen, reason text, day day"),
        key_to("batch_duty", "batch_id actor duty", name="approval_by_a_leader"),
        key_to("statement", "batch_id amount_fen", "batch_id payable_fen", name="approval_of_the_amount"),
        sa.CheckConstraint("duty = 'leader'", name="approval_duty"),
    )
    op.create_table(
        "payee",
        *columns("batch_id int*, acctname text, bankacct text*, bank_name text, bankcode text"),
        *columns("fixmedins_code text, warning text, day day"),
        key_to("batch", "batch_id", "id"),
    )
    op.create_index("payee_account", "payee", ["bankacct"])
    op.create_table(
        "payee_confirmation",
        *columns("batch_id int*, bankacct text*, reason text, day day, actor text"),
        key_to("app_user", "actor", "name"),
        key_to("payee", "batch_id bankacct"),
        sa.CheckConstraint("trim(reason) <> ''", name="confirmation_reason"),
    )


def _payments() -> None:
    """Bank files, orders, results."""
    op.create_table(
        "pay_file",
        *columns("id number*, region text, clr_ym text, name text, payer_acct text, count int"),
        *columns("sum_fen fen, digest text, path text, day day, actor text"),
        unique("region clr_ym name", "pay_file_name"),
        key_to("app_user", "actor", "name"),
    )
    op.create_table(
        "pay_order",
        *columns("business_no text*, batch_id int, fund_pay_type text, attempt int, prev_attempt int?"),
        *columns("prev_result text=FAILED, amount_fen fen, payer_acct text, bankacct text, file_id int"),
        *columns("day day, actor text, duty text=finance"),
        unique("batch_id fund_pay_type attempt", "order_attempt"),
        unique("business_no batch_id fund_pay_type attempt", "order_known"),
        key_to("pay_file", "file_id", "id"),
        key_to(
            "pay_result",
            "batch_id fund_pay_type prev_attempt prev_result",
            "batch_id fund_pay_type attempt result",
            name="order_after_a_failure",
            later=True,
        ),
        key_to("batch_duty", "batch_id actor duty", name="order_by_finance"),
        key_to(
            "statement_line",
            "batch_id fund_pay_type amount_fen",
            "batch_id fund_pay_type act_dfr_fen",
            name="order_of_the_statement",
        ),
        key_to("payee", "batch_id bankacct", name="order_to_the_payee"),
        sa.CheckConstraint("duty = 'finance' AND prev_result = 'FAILED'", name="order_duty"),
        sa.CheckConstraint(
            "(attempt = 1 AND prev_attempt IS NULL) OR (attempt > 1 AND prev_attempt IS "
            "NOT NULL AND prev_attempt = attempt - 1)",
            name="order_next",
        ),
        sa.CheckConstraint("amount_fen > 0", name="order_positive"),
    )
    op.create_table(
        "receipt",
        *columns("id number*, region text, name text, digest text, path text, day day, actor text"),
        *columns("facts json"),
        unique("digest", "receipt_once"),
        key_to("app_user", "actor", "name"),
    )
    op.create_table(
        "pay_result",
        *columns("business_no text*, batch_id int, fund_pay_type text, attempt int, result text"),
        *columns("reason text, bank_time text, bank_day day, receipt_id int"),
        unique("batch_id fund_pay_type attempt result", "result_of_attempt"),
        key_to("receipt", "receipt_id", "id"),
        key_to("pay_order", "business_no batch_id fund_pay_type attempt", name="result_of_an_order"),
        sa.CheckConstraint("result IN ('PAID', 'FAILED')", name="result_known"),
    )
    unique_where("paid_once", "pay_result", "batch_id fund_pay_type", "result = 'PAID'")
    add_key(
        "order_after_a_failure",
        "pay_order",
        "pay_result",
        "batch_id fund_pay_type prev_attempt prev_result",
        "batch_id fund_pay_type attempt result",
    )


def _ledgers() -> None:
    """Balances carried from month to month."""
    op.create_table(
        "ledger",
        *columns("region text*, fixmedins_code text*, fund_pay_type text*, book text*, seq int*"),
        *columns("prev_seq int?, kind text, clr_ym text, source text, opening_fen fen, plus_fen fen"),
        *columns("minus_fen fen, closing_fen fen, note text, day day, actor text"),
        unique("region fixmedins_code fund_pay_type book seq closing_fen", "ledger_end"),
        unique("region fixmedins_code fund_pay_type book kind source", "ledger_once"),
        key_to("app_user", "actor", "name"),
        key_to(
            "ledger",
            "region fixmedins_code fund_pay_type book prev_seq opening_fen",
            "region fixmedins_code fund_pay_type book seq closing_fen",
            name="ledger_opens_where_it_closed",
        ),
        sa.CheckConstraint(
            "(seq = 1 AND prev_seq IS NULL AND opening_fen = 0) OR (seq > 1 AND "
            "prev_seq IS NOT NULL AND prev_seq = seq - 1)",
            name="ledger_next",
        ),
        sa.CheckConstraint("book = 'prior' OR closing_fen >= 0", name="ledger_not_below_zero"),
        sa.CheckConstraint("plus_fen >= 0 AND minus_fen >= 0", name="ledger_signs"),
        sa.CheckConstraint("closing_fen = opening_fen + plus_fen - minus_fen", name="ledger_sum"),
    )
    op.create_table(
        "adjustment",
        *columns("id number*, region text, fixmedins_code text, fund_pay_type text, amount_fen fen"),
        *columns("about_ym text, finding_id text, reason text, day day, actor text"),
        unique("region fixmedins_code fund_pay_type about_ym finding_id amount_fen reason"),
        key_to("app_user", "actor", "name"),
        sa.CheckConstraint("amount_fen <> 0", name="adjustment_amount"),
        sa.CheckConstraint("trim(reason) <> ''", name="adjustment_reason"),
    )
    op.create_table(
        "adjustment_confirmation",
        *columns("adjustment_id int*, day day, actor text"),
        key_to("app_user", "actor", "name"),
        key_to("adjustment", "adjustment_id", "id"),
    )
    op.create_table(
        "advance_plan",
        *columns("id number*, region text, fixmedins_code text, fund_pay_type text, amount_fen fen"),
        *columns("months int, first_ym text, reason text, day day, actor text"),
        unique("region fixmedins_code fund_pay_type first_ym", "advance_once"),
        key_to("app_user", "actor", "name"),
        sa.CheckConstraint("amount_fen > 0", name="advance_amount"),
        sa.CheckConstraint("months > 0", name="advance_months"),
    )


def _jobs() -> None:
    """Scheduled jobs and outgoing mail."""
    op.create_table(
        "job",
        *columns("id number*, name text, key text, region text, clr_ym text, due_on day, state text"),
        *columns("attempts int, holder text, claimed_at text, next_try_at text, error text, done_at text"),
        unique("name key", "job_once"),
        sa.CheckConstraint("state IN ('WAITING', 'RUNNING', 'DONE', 'FAILED')", name="job_state"),
    )
    op.create_table(
        "outbox",
        *columns("id number*, region text, clr_ym text, fixmedins_code text, kind text, subject text"),
        *columns("body text, paths json, digest text, day day, state text, attempts int, error text"),
        *columns("sent_at text"),
        unique("region clr_ym fixmedins_code kind digest", "mail_once"),
        sa.CheckConstraint("state IN ('READY', 'SENT', 'FAILED', 'NO_ADDRESS')", name="mail_state"),
    )
