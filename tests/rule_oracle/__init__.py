"""A slow second opinion on every rule, in plain Python, written from the definitions and not from the SQL."""

from tests.rule_oracle import a, b, c, d, e

RULES = a.RULES | b.RULES | c.RULES | d.RULES | e.RULES
