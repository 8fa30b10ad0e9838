"""A small world in plain SQL: one batch in every state, and the lawful row of every table.

Each function gives the INSERT a lawful program would make for a batch; a test changes one column of it.
"""

from __future__ import annotations

from itertools import count

from settlement import procedure

Value = str | int | bool | None
ROUTE = ("DECLARED", "ACCEPTED", "PRELIM", "FEEDBACK", "REVIEW", "SETTLED", "APPROVED", "PAID", "CLOSED")
NAMES = (*ROUTE, "RETURNED", "CARRIED", *(f"HOLD {s}" for s in procedure.CAN_BE_HELD))
# batch number by where it stands; submission and institution have the same number
B = {name: number for number, name in enumerate(NAMES, 1)}
AUDIT, OTHER_AUDIT, SETTLING = 1, 2, 3
ANSWER_BY = "2026-05-20"
FUNDS = {"310100": 85500, "390100": 50000}
LIMITS = {"F1": 10000, "F2": 5000}
ROLES = {
    "first": ("first_review",),
    "second": ("second_review",),
    "settler": ("settlement",),
    "boss": ("leader",),
    "deputy": ("leader",),
    "payer": ("finance",),
    "plain": ("reception",),
    "many": procedure.DUTIES,
}


def add(table: str, /, **values: Value) -> str:
    """An INSERT of one row."""
    names = ", ".join(f'"{name}"' for name in values)
    return f"INSERT INTO {table} ({names}) VALUES ({', '.join(map(_literal, values.values()))})"


def _literal(value: Value) -> str:
    if value is None:
        return "NULL"
    return str(value).lower() if isinstance(value, bool | int) else f"'{value}'"


def day(step: int) -> str:
    """The day of a batch's n-th step."""
    return f"2026-05-{step + 3:02}"


def path(name: str) -> list[tuple[str, str]]:
    """States a batch went through, with what it was held from."""
    if name == "RETURNED":
        return [("DECLARED", ""), ("RETURNED", "")]
    state, _, held = name.partition(" ")
    last = {"CARRIED": "APPROVED", "HOLD": held}.get(state, state)
    way = [(s, "") for s in ROUTE[: ROUTE.index(last) + 1]]
    return [*way, (state, held)] if state != last else way


# --- lawful rows ------------------------------------------------------------------------------


def entry(seq: int, **change: Value) -> str:
    """The log's entry of a number."""
    before = {"prev_seq": seq - 1 or None, "prev_hash": f"h{seq - 1}" if seq > 1 else None, "hash": f"h{seq}"}
    who = {"day": day(1), "at": "", "actor": "plain", "action": "x", "region": "langfang", "clr_ym": "202604"}
    what = {"subject": "", "before": "{}", "after": "{}", "reason": ""}
    return add("log", **{"seq": seq, **before, **who, **what, **change})


def submission(number: int, /, **change: Value) -> str:
    """An institution's submission."""
    where = {"region": "langfang", "clr_ym": "202604", "fixmedins_code": f"H{number}", "name": f"H{number}"}
    what = {"digest": f"d{number}", "content": "c", "status": "ACCEPTED", "current": True, "kept": "k"}
    rest = {"received_on": day(1), "intake": "i", "sub": 0, "facts": "{}"}
    return add("submission", **{"id": number, **where, **what, **rest, **change})


def batch(number: int, /, **change: Value) -> str:
    """The batch of a submission before its first step."""
    where = {"region": "langfang", "clr_ym": "202604", "fixmedins_code": f"H{number}"}
    return add("batch", **{"id": number, **where, "submission_id": number, "declared_on": day(1), **change})


def step(name: str, to: str, held: str = "", **change: Value) -> str:
    """The next transition of the batch that stands at `name`."""
    way = path(name)
    return transition(B[name], len(way) + 1, way[-1], (to, held), **change)


def transition(number: int, seq: int, start: tuple[str, str], end: tuple[str, str], **change: Value) -> str:
    """A transition of a batch."""
    ends = {"from_state": start[0], "from_held": start[1], "to_state": end[0], "to_held": end[1]}
    values = {"batch_id": number, "seq": seq, "prev_seq": seq - 1 or None, **ends, "day": day(seq)}
    return add("transition", **{**values, "actor": ACTORS.get(end[0], "plain"), "log_seq": 1, **change})


ACTORS = {"PRELIM": "first", "FEEDBACK": "first", "APPROVED": "boss", "PAID": "payer"}


def arrive(number: int, seq: int, state: str, held: str = "") -> str:
    """The batch's own row after a transition."""
    run = f", run_id = {AUDIT}" if state == "PRELIM" and not held else ""
    return f"UPDATE batch SET seq = {seq}, state = '{state}', held = '{held}'{run} WHERE id = {number}"


def duty(number: int, who: str, what: str) -> str:
    """Who has which duty in a batch."""
    return add("batch_duty", batch_id=number, actor=who, duty=what)


def finding(number: int, /, name: str, **change: Value) -> str:
    """F1 is a violation of 100 元, F2 a suspicion of 50."""
    limit = LIMITS.get(name, 100)
    sure = {"grade": "违规", "det_fen": limit} if name == "F1" else {"grade": "可疑", "det_fen": 0}
    what = {"rule_id": "A01", **sure, "risk_fen": limit, "limit_fen": limit}
    return add("finding", **{"batch_id": number, "run_id": AUDIT, "finding_id": name, **what, **change})


def notice(number: int, /, **change: Value) -> str:
    """What was sent to the institution."""
    facts = {"number": f"n{number}", "sent_on": day(4), "answer_by": ANSWER_BY, "digest": "d"}
    return add("notice", **{"batch_id": number, "run_id": AUDIT, **facts, **change})


def extension(number: int, /, **change: Value) -> str:
    """A hold from feedback moves the window to a later day."""
    facts = {"hold_seq": 5, "answer_by": "2026-05-22", "day": day(6), "actor": "boss"}
    return add("window_extension", **{"batch_id": number, **facts, **change})


def reply(number: int, /, name: str, **change: Value) -> str:
    """The institution does not agree."""
    about = {"batch_id": number, "run_id": AUDIT, "finding_id": name, "turn": 1, "limit_fen": LIMITS[name]}
    says = {"answer": "不认可", "agreed_fen": 0, "reason": "r", "attachments": "", "filled_by": "f"}
    rest = {"filled_on": day(4), "place": "p", "day": day(5), "actor": "plain"}
    return add("reply", **{**about, **says, **rest, **change})


def decision(number: int, /, name: str, **change: Value) -> str:
    """F1 is upheld, F2 withdrawn."""
    about = {"batch_id": number, "run_id": AUDIT, "finding_id": name, "turn": 1, "limit_fen": LIMITS[name]}
    upheld = {"outcome": "维持", "final_fen": LIMITS[name]}
    says = upheld if name == "F1" else {"outcome": "撤销", "final_fen": 0}
    return add("decision", **{**about, **says, "reason": "r", "day": day(5), "actor": "second", **change})


def statement(number: int, /, **change: Value) -> str:
    """What the institution is paid; two leaders sign."""
    facts = {"payable_fen": sum(FUNDS.values()), "carry_fen": 0, "signatures": 2}
    who = {"day": day(6), "actor": "settler"}
    return add("statement", **{"batch_id": number, "run_id": SETTLING, **facts, **who, **change})


def line(number: int, /, fund: str, **change: Value) -> str:
    """1,000.00 claimed, 100.00 deducted, 45.00 kept, 855.00 paid; 500.00 of the other fund."""
    first = {"fund_appy_fen": 100000, "det_fen": 10000, "dpst_fen": 4500, "act_dfr_fen": 85500}
    steps = first if fund == "310100" else {"fund_appy_fen": 50000, "act_dfr_fen": 50000}
    none = dict.fromkeys(
        ("fund_appy_fen", "det_fen", "method_adjust_fen", "deferred_fen", "dpst_fen", "advance_offset_fen",
         "prior_adjust_fen", "clawback_fen", "act_dfr_fen", "carry_fen"), 0
    )  # fmt: skip
    return add("statement_line", **{"batch_id": number, "fund_pay_type": fund, **none, **steps, **change})


def approval(number: int, /, who: str, **change: Value) -> str:
    """A leader's signature."""
    facts = {"amount_fen": sum(FUNDS.values()), "reason": "", "day": day(7)}
    return add("approval", **{"batch_id": number, "actor": who, **facts, **change})


def payee(number: int, /, **change: Value) -> str:
    """The account of an institution."""
    account = {"acctname": "n", "bankacct": f"6222{number:04}", "bank_name": "b", "bankcode": "1"}
    rest = {"fixmedins_code": f"H{number}", "warning": "", "day": day(7)}
    return add("payee", **{"batch_id": number, **account, **rest, **change})


def confirmation(number: int, /, **change: Value) -> str:
    """Somebody else has confirmed the account."""
    facts = {"bankacct": f"6222{number:04}", "reason": "r", "day": day(8), "actor": "settler"}
    return add("payee_confirmation", **{"batch_id": number, **facts, **change})


def order(number: int, /, fund: str, attempt: int = 1, **change: Value) -> str:
    """An order to the bank."""
    facts = {"attempt": attempt, "prev_attempt": attempt - 1 or None, "amount_fen": FUNDS[fund]}
    rest = {"payer_acct": "p", "bankacct": f"6222{number:04}", "file_id": 1, "day": day(8), "actor": "payer"}
    key = {"business_no": f"{number}-{fund}-{attempt}", "batch_id": number, "fund_pay_type": fund}
    return add("pay_order", **{**key, **facts, **rest, **change})


def result(number: int, /, fund: str, attempt: int = 1, **change: Value) -> str:
    """What the bank said of an order."""
    key = {"business_no": f"{number}-{fund}-{attempt}", "batch_id": number, "fund_pay_type": fund}
    facts = {"attempt": attempt, "result": "PAID", "reason": "", "bank_time": "", "bank_day": day(9)}
    return add("pay_result", **{**key, **facts, "receipt_id": 1, **change})


def ledger(seq: int, opening: int, plus: int, **change: Value) -> str:
    """An entry of the deposit book of H1."""
    account = {"region": "langfang", "fixmedins_code": "H1", "fund_pay_type": "310100", "book": "deposit"}
    place = {"seq": seq, "prev_seq": seq - 1 or None, "kind": "k", "clr_ym": "202604", "source": f"s{seq}"}
    sums = {"opening_fen": opening, "plus_fen": plus, "minus_fen": 0, "closing_fen": opening + plus}
    rest = {"note": "", "day": day(6), "actor": "settler"}
    return add("ledger", **{**account, **place, **sums, **rest, **change})


def adjustment(number: int, /, **change: Value) -> str:
    """A prior-period adjustment."""
    about = {"region": "langfang", "fixmedins_code": "H1", "fund_pay_type": "310100", "amount_fen": -100}
    rest = {"about_ym": "202603", "finding_id": f"f{number}", "reason": "r", "day": day(1), "actor": "second"}
    return add("adjustment", **{"id": number, **about, **rest, **change})


def advance(number: int, /, **change: Value) -> str:
    """An advance and its months."""
    about = {"region": "langfang", "fixmedins_code": f"H{number}", "fund_pay_type": "310100"}
    plan = {"amount_fen": 700, "months": 7, "first_ym": "202601", "reason": "r", "day": day(1)}
    return add("advance_plan", **{"id": number, **about, **plan, "actor": "boss", **change})


def receipt(number: int, /, **change: Value) -> str:
    """A bank's return file."""
    facts = {"region": "langfang", "name": "r", "digest": f"r{number}", "path": "p", "facts": "{}"}
    return add("receipt", **{"id": number, **facts, "day": day(9), "actor": "payer", **change})


def sample(number: int, /, **change: Value) -> str:
    """A settlement looked at by hand."""
    facts = {"setl_id": "S1", "outcome": "通过", "note": "", "day": day(5), "actor": "second"}
    return add("sample_check", **{"batch_id": number, **facts, **change})


# --- the world --------------------------------------------------------------------------------


def _needed(number: int, to: str) -> list[str]:
    """What stands in the tables before a batch takes a step."""
    pays = [payee(number), *(order(number, fund) for fund in FUNDS)]
    needed: dict[str, list[str]] = {
        "PRELIM": [duty(number, "first", "first_review"), *(finding(number, f) for f in LIMITS)],
        "FEEDBACK": [notice(number)],
        "REVIEW": [reply(number, f) for f in LIMITS],
        "SETTLED": [duty(number, "second", "second_review"), *(decision(number, f) for f in LIMITS)],
        "APPROVED": [duty(number, who, "leader") for who in ("boss", "deputy")],
        "PAID": [duty(number, "payer", "finance"), *pays],
        "CLOSED": [result(number, fund) for fund in FUNDS],
    }
    return needed.get(to, [])


def settled(number: int, carried: bool = False) -> list[str]:
    """A statement: money to pay, or a clawback larger than the claim."""
    if carried:
        steps = {"fund_appy_fen": 1000, "clawback_fen": 3000, "act_dfr_fen": 0, "carry_fen": 2000}
        none = {"det_fen": 0, "dpst_fen": 0}
        return [
            statement(number, payable_fen=0, carry_fen=2000), line(number, "310100", **{**none, **steps})
        ]  # fmt: skip
    return [statement(number), *(line(number, fund) for fund in FUNDS)]


def _walk(name: str, numbers: count[int]) -> list[str]:
    number, made = B[name], []
    start = ("", "")
    for seq, end in enumerate(path(name), 1):
        made += _needed(number, end[0])
        if end[0] == "SETTLED":
            made += settled(number, name == "CARRIED")
        if end[0] == "APPROVED":
            amount = 0 if name == "CARRIED" else sum(FUNDS.values())
            made += [approval(number, who, amount_fen=amount) for who in ("boss", "deputy")]
        log = next(numbers)
        made += [entry(log), transition(number, seq, start, end, log_seq=log), arrive(number, seq, *end)]
        start = end
    return made


def _before() -> list[str]:
    people = {**ROLES, "former": procedure.DUTIES}
    made = [add("app_user", name=n, full_name=n, added_on=day(1), added_by="system") for n in people]
    made += [
        add("user_role", name=name, role=role, active=name != "former")
        for name, roles in people.items()
        for role in roles
    ]
    run = {"region": "langfang", "clr_ym": "202604", "stage": "s", "fingerprint": "f", "ran_on": day(1)}
    made += [add("month_run", id=n, **run, files="{}") for n in (AUDIT, OTHER_AUDIT, SETTLING)]
    where = {"region": "langfang", "name": "n", "digest": "d", "path": "p"}
    made.append(add("reference_version", id=1, **where, rows=1, loaded_on=day(1)))
    made.append(add("stored_file", id=1, intake="i", table="t", path="p", digest="d"))
    file = {"id": 1, "region": "langfang", "clr_ym": "202604", "name": "n", "payer_acct": "p", "count": 2}
    rest = {"sum_fen": 1, "digest": "d", "path": "p", "day": day(8), "actor": "payer"}
    return [*made, add("pay_file", **file, **rest), receipt(1)]


def _build() -> tuple[list[str], int]:
    numbers = count(1)
    made = _before()
    for name, number in B.items():
        made += [submission(number), batch(number), *_walk(name, numbers)]
    made += [ledger(1, 0, 4500), ledger(2, 4500, 500), adjustment(1), adjustment(2), advance(1)]
    made.append(add("adjustment_confirmation", adjustment_id=1, day=day(2), actor="boss"))
    made += [sample(B["REVIEW"]), confirmation(B["PAID"]), extension(B["HOLD FEEDBACK"])]
    return made, next(numbers) - 1


WORLD, LAST_ENTRY = _build()
