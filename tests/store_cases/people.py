"""Duties, roles and users."""

from __future__ import annotations

from itertools import combinations

from settlement import procedure
from tests.store_cases.case import (
    ACCEPTED,
    ORDERED,
    PRELIM,
    REVIEW,
    SIGNED,
    TWICE,
    Case,
)
from tests.store_world import add, day, duty, notice, step

CASES = (
    *(
        Case(
            f"one person with the duties {a} and {b}",
            duty(REVIEW, "many", b),
            TWICE,
            before=(duty(REVIEW, "many", a),),
        )
        for a, b in combinations(procedure.DUTIES, 2)
    ),
    *(
        Case(
            f"the duty {what} of somebody who no longer has the role",
            duty(REVIEW, "former", what),
            "该用户没有这个岗位",
            ("duty_active",),
            lawful=(duty(REVIEW, "many", what),),
        )
        for what in procedure.DUTIES
    ),
    Case(
        "a duty without the role",
        duty(REVIEW, "plain", "leader"),
        "duty_of_a_role|该用户没有这个岗位",
        ("duty_active", "duty_of_a_role_insert"),
        lawful=(duty(REVIEW, "boss", "leader"),),
    ),
    Case("a duty that is none", duty(REVIEW, "settler", "settlement"), "duty_known", ("check",)),
    Case(
        "first review by somebody without that duty",
        step("ACCEPTED", "PRELIM", actor="second"),
        "初审须由",
        ("to_prelim_by",),
        (duty(ACCEPTED, "first", "first_review"),),
        (step("ACCEPTED", "PRELIM"),),
    ),
    Case(
        "findings sent by somebody without the duty of first review",
        step("PRELIM", "FEEDBACK", actor="second"),
        "初审须由",
        ("to_feedback_by",),
        (notice(PRELIM),),
        (step("PRELIM", "FEEDBACK", actor="system"),),
    ),
    Case(
        "approval by somebody who did not take the duty",
        step("SETTLED", "APPROVED", actor="many"),
        "核准须由",
        ("to_approved_by",),
        SIGNED,
        (step("SETTLED", "APPROVED"),),
    ),
    Case(
        "payment by somebody who did not take the duty",
        step("APPROVED", "PAID", actor="boss"),
        "拨付须由",
        ("to_paid_by",),
        ORDERED,
        (step("APPROVED", "PAID"),),
    ),
    Case(
        "a user taken away", "DELETE FROM app_user WHERE name = 'boss'", "记录不得删除", ("app_user_delete",)
    ),
    Case(
        "a user renamed",
        "UPDATE app_user SET name = 'x' WHERE name = 'boss'",
        "用户名不得修改",
        ("user_name",),
        lawful=("UPDATE app_user SET full_name = 'x' WHERE name = 'boss'",),
    ),
    Case(
        "a user without a name",
        add("app_user", name="", full_name="", added_on=day(1), added_by=""),
        "user_named",
        ("check",),
    ),
    Case(
        "a role turned into another",
        "UPDATE user_role SET role = 'leader' WHERE name = 'plain'",
        "岗位只可停用或恢复",
        ("role_name",),
        lawful=("UPDATE user_role SET active = false WHERE name = 'plain'",),
    ),
    Case(
        "a role taken away",
        "DELETE FROM user_role WHERE name = 'plain'",
        "记录不得删除",
        ("user_role_delete",),
    ),
    Case(
        "a role of nobody",
        add("user_role", name="nobody", role="leader"),
        "user_role_name_fkey",
        ("user_role_name_fkey_insert",),
    ),
)
