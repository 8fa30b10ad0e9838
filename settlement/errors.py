"""Errors that stop a run. Faults in an institution's data are rows with a reason, never these.

SettlementError
├── PolicyError          a parameter, source or calendar day is missing or malformed
├── ReferenceError       a reference table is missing or not valid
├── RuleError            a rule's header or SQL breaks the rule contract
├── StoreError           something published is missing or was changed
├── ProcedureError       an act the procedure does not allow: wrong role, wrong state, done already
├── QueryError           a question to history that is not allowed, cannot be read, or costs too much
└── InvariantBroken      money or rows were lost: the program is wrong, nothing is published
"""

from __future__ import annotations


class SettlementError(Exception):
    """Base of all errors that stop a run; the text says what, where, which value, what to do."""


class PolicyError(SettlementError):
    """A parameter, source or calendar day is missing or malformed."""


class ReferenceError(SettlementError):
    """A reference table is missing or not valid."""


class RuleError(SettlementError):
    """A rule's header or SQL breaks the rule contract."""


class StoreError(SettlementError):
    """Something published is missing or was changed."""


class InvariantBroken(SettlementError):
    """Money or rows were lost on the way: the program is wrong, nothing is published."""


class ProcedureError(SettlementError):
    """An act the procedure does not allow: wrong role, wrong state, too late, or done already."""


class QueryError(SettlementError):
    """A question to history that is not allowed, cannot be read, or costs too much."""
