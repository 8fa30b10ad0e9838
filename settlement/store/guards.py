"""Triggers: the rules of the procedure as the database itself keeps them, and those every kept table gets.

One list for both databases. On SQLite the foreign keys of what people did are repeated as triggers,
because a session opened by hand there does not check foreign keys, and a second INSERT of a key is
refused as well, because INSERT OR REPLACE would take the old row away without firing a delete trigger.
"""

from __future__ import annotations

import sqlalchemy as sa

from settlement.store import schema as s
from settlement.store.conditions import DELETE, INSERT, RULES, TRUNCATE, UPDATE, Guard
from settlement.store.witness import Witness

KEPT = (*s.APPEND_ONLY, *s.STAYING)


def all_guards(dialect: str) -> list[Guard | Witness]:
    """Return every trigger of a database.

    The rules, those that come of the tables' own description, those that write rows down after a change.
    """
    found: list[Guard | Witness] = [
        Guard(f"{t.name}_update", t.name, UPDATE, "true", "记录不得修改") for t in s.APPEND_ONLY
    ]
    for table in KEPT:
        found.append(Guard(f"{table.name}_delete", table.name, DELETE, "true", "记录不得删除"))
    if dialect == "postgresql":
        found += [Guard(f"{t.name}_truncate", t.name, TRUNCATE, "true", "记录不得删除") for t in KEPT]
    if dialect == "sqlite":
        found += BY_HAND
        for table in KEPT:
            found += [_no_second(table), _typed(table, INSERT), *_parents(table, INSERT)]
        for table in s.STAYING:
            found += [_typed(table, UPDATE), *_parents(table, UPDATE)]
            found += [] if _numbered(table) else [_row_stays(table)]
    # Last, because SQLite asks the newest trigger first and these have the words a person understands.
    return [*found, *RULES, *(Witness(table, event) for table in s.STAYING for event in (INSERT, UPDATE))]


# On SQLite OR REPLACE takes away whatever row is in the way of a unique index, and fires no delete trigger.
BY_HAND: tuple[Guard, ...] = (
    Guard(
        "paid_once",
        "pay_result",
        INSERT,
        "NEW.result = 'PAID' AND EXISTS (SELECT 1 FROM pay_result AS r WHERE r.batch_id = NEW.batch_id "
        "AND r.fund_pay_type = NEW.fund_pay_type AND r.result = 'PAID')",
        "记录已存在",
    ),
    Guard(
        "one_live_batch",
        "batch",
        UPDATE,
        "NEW.state <> 'RETURNED' AND EXISTS (SELECT 1 FROM batch AS b WHERE b.id <> NEW.id "
        "AND b.region = NEW.region AND b.clr_ym = NEW.clr_ym AND b.fixmedins_code = NEW.fixmedins_code "
        "AND b.state <> 'RETURNED')",
        "记录已存在",
    ),
    *(
        Guard(
            f"one_current_submission_{event.lower()}",
            "submission",
            event,
            'NEW."current" AND EXISTS (SELECT 1 FROM submission AS b WHERE b.id <> NEW.id '
            "AND b.region = NEW.region AND b.clr_ym = NEW.clr_ym AND b.fixmedins_code = NEW.fixmedins_code "
            'AND b."current")',
            "记录已存在",
        )
        for event in (INSERT, UPDATE)
    ),
)


def _numbered(table: sa.Table) -> bool:
    """Whether the key of a table is SQLite's own row number."""
    keys = list(table.primary_key.columns)
    return len(keys) == 1 and isinstance(keys[0].type, sa.Integer)


def _no_second(table: sa.Table) -> Guard:
    """Refuse a row whose key, or hidden row number, is taken."""
    keys = [[c.name for c in table.primary_key.columns]]
    keys += [[c.name for c in u.columns] for u in table.constraints if isinstance(u, sa.UniqueConstraint)]
    keys += [] if _numbered(table) else [["rowid"]]
    taken = " OR ".join(
        f"EXISTS (SELECT 1 FROM {table.name} WHERE {_equal(key, key)})" for key in sorted(keys)
    )
    return Guard(f"{table.name}_twice", table.name, INSERT, taken, "记录已存在")


def _row_stays(table: sa.Table) -> Guard:
    return Guard(f"{table.name}_row", table.name, UPDATE, "NEW.rowid <> OLD.rowid", "记录不得删除")


def _typed(table: sa.Table, event: str) -> Guard:
    """Refuse text for a number, a fraction of a 分, and a day that is none: SQLite takes anything."""
    kinds: dict[type, str] = {sa.Integer: "'integer'", sa.Boolean: "'integer'", sa.String: "'text'"}
    wrong = [
        f"typeof(NEW.\"{c.name}\") NOT IN ({kind}, 'null')"
        for c in table.columns
        for known, kind in kinds.items()
        if isinstance(c.type, known) and c is not table.autoincrement_column
    ]
    wrong += [
        f"NEW.{c.name} IS NOT date(NEW.{c.name}, '+0 days')"
        for c in table.columns
        if isinstance(c.type, sa.Date)
    ]
    name = f"{table.name}_types_{event.lower()}"
    return Guard(name, table.name, event, " OR ".join(wrong), "类型或日期不符")


def _equal(theirs: list[str], ours: list[str]) -> str:
    return " AND ".join(f"{a} = NEW.{b}" for a, b in zip(theirs, ours, strict=True))


def _parents(table: sa.Table, event: str) -> list[Guard]:
    """Refuse a row that names a parent which is not there."""
    found = []
    for key in sorted(table.foreign_key_constraints, key=_key_name):
        ours = [c.name for c in key.columns]
        theirs = [element.column.name for element in key.elements]
        parent = key.elements[0].column.table.name
        given = " AND ".join(f"NEW.{c} IS NOT NULL" for c in ours)
        missing = f"NOT EXISTS (SELECT 1 FROM {parent} WHERE {_equal(theirs, ours)})"
        name = f"{_key_name(key)}_{event.lower()}"
        words = f"违反约束 {_key_name(key)}"
        found.append(Guard(name, table.name, event, f"{given} AND {missing}", words))
    return found


def _key_name(key: sa.ForeignKeyConstraint) -> str:
    """The key's name, or the one PostgreSQL would give it."""
    return str(key.name or f"{key.table.name}_{'_'.join(c.name for c in key.columns)}_fkey")


def install(db: sa.Connection) -> None:
    """Make every trigger anew, so that they are always those of this program."""
    drop(db)
    for guard in all_guards(db.dialect.name):
        for statement in statements(guard, db.dialect.name):
            db.exec_driver_sql(statement)


def drop(db: sa.Connection) -> None:
    """Take every trigger away, as before tables change."""
    if db.dialect.name == "sqlite":
        rows = db.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'guard_%'"
        )
        gone = [f"DROP TRIGGER {name}" for (name,) in rows]
    else:
        rows = db.exec_driver_sql(
            "SELECT proname FROM pg_proc WHERE proname LIKE 'guard\\_%%' "
            "AND pronamespace = current_schema()::regnamespace"
        )
        gone = [f"DROP FUNCTION {name}() CASCADE" for (name,) in rows]
    for statement in gone:
        db.exec_driver_sql(statement)


def altered(db: sa.Connection) -> list[str]:
    """Return the names of triggers that are missing, switched off or not those of this program."""
    dialect = db.dialect.name
    found = {name: text for name, text in db.exec_driver_sql(INSTALLED[dialect])}
    wanted = {_name(g): statements(g, dialect)[0] for g in all_guards(dialect)}
    if dialect == "postgresql":
        wanted = {name: text.split("$guard$")[1] for name, text in wanted.items()}
    return sorted(name for name in {*found, *wanted} if found.get(name) != wanted.get(name))


INSTALLED = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'guard_%'",
    "postgresql": "SELECT tgname, prosrc FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid "
    "WHERE tgname LIKE 'guard\\_%%' AND tgenabled IN ('O', 'A') "
    "AND pronamespace = current_schema()::regnamespace",
}


def _name(guard: Guard | Witness) -> str:
    return f"guard_{guard.name}"


def statements(guard: Guard | Witness, dialect: str) -> list[str]:
    """Return the SQL that makes a trigger."""
    name = _name(guard)
    if isinstance(guard, Witness):
        return guard.statements(name, dialect)
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {name} BEFORE {guard.event} ON {guard.table} WHEN {guard.refused_when} "
            f"BEGIN SELECT RAISE(ABORT, '{guard.words}'); END"
        ]
    back = {DELETE: "OLD", TRUNCATE: "NULL"}.get(guard.event, "NEW")
    each = "STATEMENT" if guard.event == TRUNCATE else "ROW"
    return [
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $guard$ BEGIN "
        f"IF {guard.refused_when} THEN "
        f"RAISE EXCEPTION '{guard.words}' USING ERRCODE = 'check_violation'; END IF; "
        f"RETURN {back}; END $guard$",
        f"CREATE TRIGGER {name} BEFORE {guard.event} ON {guard.table} "
        f"FOR EACH {each} EXECUTE FUNCTION {name}()",
    ]
