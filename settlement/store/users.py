"""Users and their roles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from settlement.errors import ProcedureError
from settlement.procedure import ADMIN, DEEDS, INSTITUTION, MACHINE, ROBOTS, ROLES
from settlement.store.database import Store, writing
from settlement.store.log import Act, Change, write
from settlement.store.schema import USER, USER_ROLE


@dataclass(frozen=True)
class User:
    """Somebody who acts: name, full name, roles, and for an institution's user its code."""

    name: str
    full_name: str
    roles: tuple[str, ...]
    fixmedins_code: str = ""


def users(store: Store) -> list[User]:
    """Return everyone with their active roles, by name."""
    query = (
        sa.select(USER, USER_ROLE.c.role)
        .outerjoin(USER_ROLE, (USER_ROLE.c.name == USER.c.name) & USER_ROLE.c.active)
        .order_by(USER.c.name, USER_ROLE.c.role)
    )
    found: dict[str, User] = {}
    with store.engine.connect() as db:
        for row in db.execute(query):
            known = found.get(row.name)
            roles = (*(known.roles if known else ()), *((row.role,) if row.role else ()))
            found[row.name] = User(row.name, row.full_name, roles, row.fixmedins_code or "")
    return list(found.values())


def full_names(store: Store) -> dict[str, str]:
    """Return what people are called, by user name."""
    return {user.name: user.full_name or user.name for user in users(store)}


def find(store: Store, name: str) -> User:
    """Return a user; ProcedureError when there is none of that name."""
    for user in users(store):
        if user.name == name:
            return user
    raise ProcedureError(f"没有用户 {name}。请先由系统管理员运行 settle user add {name} --role <岗位>。")


def add(store: Store, act: Act, user: User) -> None:
    """Register a user, or give a known one further roles.

    Raises:
        ProcedureError: an unknown role, a robot's name, an institution's user without institution.
    """
    unknown = sorted(set(user.roles) - set(ROLES))
    if unknown or not user.roles:
        raise ProcedureError(f"岗位 {'、'.join(unknown) or '(空)'} 无法识别,可用:{'、'.join(ROLES)}")
    if user.name in ROBOTS or user.name == MACHINE or not user.name.strip():
        raise ProcedureError(f"用户名 {user.name!r} 由系统保留,请另取。")
    if (INSTITUTION in user.roles) != bool(user.fixmedins_code) or (
        INSTITUTION in user.roles and len(user.roles) > 1
    ):
        raise ProcedureError("定点机构用户须给出 --institution <机构编码>,且只能有 institution 一个岗位。")
    with writing(store) as db:
        known = db.execute(sa.select(USER.c.name).where(USER.c.name == user.name)).first()
        mine = sa.select(USER_ROLE.c.role, USER_ROLE.c.active).where(USER_ROLE.c.name == user.name)
        held = {row.role: row.active for row in db.execute(mine)}
        active = sorted(role for role, on in held.items() if on)
        if known and set(user.roles) <= set(active):
            return
        if not known:
            values = {"full_name": user.full_name, "fixmedins_code": user.fixmedins_code or None}
            db.execute(USER.insert().values(name=user.name, added_on=act.day, added_by=act.actor, **values))
        for role in user.roles:
            if role in held:
                same = (USER_ROLE.c.name == user.name) & (USER_ROLE.c.role == role)
                db.execute(USER_ROLE.update().where(same).values(active=True))
            else:
                db.execute(USER_ROLE.insert().values(name=user.name, role=role, active=True))
        now = sorted({*active, *user.roles})
        write(db, act, Change(f"user:{user.name}", {"roles": active}, {"roles": now}))


def revoke(store: Store, act: Act, name: str, role: str) -> None:
    """Take a role from a user; what the user did stays."""
    with writing(store) as db:
        same = (USER_ROLE.c.name == name) & (USER_ROLE.c.role == role) & USER_ROLE.c.active
        if db.execute(USER_ROLE.update().where(same).values(active=False)).rowcount != 1:
            raise ProcedureError(f"用户 {name} 没有岗位 {role}。")
        write(db, act, Change(f"user:{name}", {"role": role}, {"role": None}))


def permit(store: Store, act: Act) -> User:
    """Return the acting user when the act is open to one of their roles; refuse and log it otherwise.

    Until a home has an administrator, anybody who can run the command registers users.

    Raises:
        ProcedureError: unknown user, or none of their roles may do this.
    """
    deed = DEEDS[act.action]
    known = {user.name: user for user in users(store)}
    if deed.name == "user" and not any(ADMIN in u.roles for u in known.values()):
        return known.get(act.actor) or User(act.actor, "", ())
    user = known.get(act.actor)
    if user and set(user.roles) & set(deed.roles):
        return user
    needed = "、".join(ROLES[r][0] for r in deed.roles)
    if user is None:
        words = f"没有用户 {act.actor}。{deed.zh}须由{needed}办理,请用 --as 指明,或先 settle user add。"
    else:
        held = "、".join(ROLES[r][0] for r in user.roles) or "无岗位"
        words = f"{act.actor}({held})不能办理{deed.zh},须由{needed}办理。"
    refused(store, act, words)
    raise ProcedureError(words)


def refused(store: Store, act: Act, words: str, facts: dict[str, Any] | None = None) -> None:
    """Log an act that was refused."""
    with writing(store) as db:
        write(db, act, Change("refused", {}, {"words": words, **(facts or {})}))
