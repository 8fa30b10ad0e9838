"""Triggers that write down a row as it is after each change, for tables whose rows may change."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from settlement.store.schema import NOW_SQL


@dataclass(frozen=True)
class Witness:
    """A trigger that adds a row to `row_version` after an INSERT or UPDATE on a table."""

    of: sa.Table
    event: str

    @property
    def name(self) -> str:
        """Name of the trigger."""
        return f"{self.of.name}_seen_{self.event.lower()}"

    @property
    def table(self) -> str:
        """Name of the table."""
        return self.of.name

    def statements(self, name: str, dialect: str) -> list[str]:
        """Return the SQL that makes the trigger."""
        key = " || '|' || ".join(f"CAST(NEW.{c.name} AS TEXT)" for c in self.of.primary_key.columns)
        into = f"INSERT INTO row_version (of, key, facts, commit_no) SELECT '{self.table}', {key}"
        if dialect == "sqlite":
            pairs = ", ".join(f"'{c.name}', NEW.\"{c.name}\"" for c in self.of.columns)
            return [
                f"CREATE TRIGGER {name} AFTER {self.event} ON {self.table} "
                f"BEGIN {into}, json_object({pairs}), {NOW_SQL}; END"
            ]
        return [
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $guard$ BEGIN "
            f"{into}, to_jsonb(NEW)::text, {NOW_SQL}; RETURN NULL; END $guard$",
            f"CREATE TRIGGER {name} AFTER {self.event} ON {self.table} "
            f"FOR EACH ROW EXECUTE FUNCTION {name}()",
        ]
