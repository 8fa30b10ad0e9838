"""Look-back 回溯: what rules see of earlier months, read once for all rules that ask.

A rule's header says how far back it looks and which rows it needs: lines of certain codes, lines that
meet a condition, settlements that meet one. Only those are taken out of the stored months, so that a
year of lines is scanned once a run and not once a rule.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import duckdb

from settlement.audit.rules_file import Past, Rule
from settlement.query import at_once

ALWAYS = {"setl_id", "hilist_code"}  # columns held whatever the rules name
# Sums of refund lines are netted; the rest of a line is that of the line refunded.
NETTED = ("cnt", "inscp_amt")
OF_LINE = ("setl_id", "bkkp_sn", "init_feedetl_sn", "fee_ocur_time", "hilist_code", "list_type", "cnt",
           "prd_days", "inscp_amt")  # fmt: skip
OF_VISIT = ("setl_id", "mdtrt_id", "psn_no", "fixmedins_code", "insutype", "med_type", "clr_type",
            "setl_time", "fund_pay_sumamt", "setl_inscp_amt")  # fmt: skip
SETTLEMENT = {
    "setl_id": "VARCHAR", "mdtrt_id": "VARCHAR", "psn_no": "VARCHAR", "fixmedins_code": "VARCHAR",
    "insutype": "VARCHAR", "med_type": "VARCHAR", "clr_type": "VARCHAR", "begndate": "DATE",
    "enddate": "DATE", "setl_time": "TIMESTAMP", "sd": "DATE", "medfee_sumamt": "DECIMAL(16,2)",
    "inscp_amt": "DECIMAL(16,2)", "fund_pay_sumamt": "DECIMAL(16,2)", "acct_pay": "DECIMAL(16,2)",
    "dscg_way": "VARCHAR", "dscg_maindiag_code": "VARCHAR",
}  # fmt: skip
LINE = {
    "setl_id": "VARCHAR", "bkkp_sn": "VARCHAR", "mdtrt_id": "VARCHAR", "psn_no": "VARCHAR",
    "fixmedins_code": "VARCHAR", "insutype": "VARCHAR", "med_type": "VARCHAR", "clr_type": "VARCHAR",
    "d": "DATE", "fee_ocur_time": "TIMESTAMP", "setl_time": "TIMESTAMP", "hilist_code": "VARCHAR",
    "list_type": "VARCHAR", "cnt": "DECIMAL(16,4)", "prd_days": "DECIMAL(4,2)",
    "inscp_amt": "DECIMAL(16,2)", "setl_inscp_amt": "DECIMAL(16,2)", "fund_pay_sumamt": "DECIMAL(16,2)",
}  # fmt: skip
REVERSAL = "refd_setl_flag = '1' AND medfee_sumamt <= 0 AND init_setl_id IS NOT NULL"
VALID = "s.vali_flag = '1' AND s.refd_setl_flag <> '1'"
VISITS_A_MONTH = 100_000_000  # room in the numbers of past visits
NOT_REVERSED = "ANTI JOIN past_reversed AS r ON s.fixmedins_code = r.fixmedins_code AND s.setl_id = r.setl_id"


@dataclass(frozen=True)
class PastMonth:
    """Accepted rows of an earlier claim month: its first day, relations of settlements and of lines."""

    first: dt.date
    settlements: str
    lines: str


@dataclass(frozen=True)
class _Asked:
    """What is asked of earlier months.

    Attributes:
        by: what each rule asks for, by its id.
        settlement: columns of past settlements that the rules name.
        line: columns of past lines that they name.
    """

    by: Mapping[str, Past]
    settlement: tuple[str, ...]
    line: tuple[str, ...]

    def of(self, earlier: dt.date, month: dt.date) -> _Asked:
        """What reaches into an earlier month, counted from the claim month."""
        return replace(self, by={i: past for i, past in self.by.items() if reaches(past, earlier, month)})

    @property
    def settlements(self) -> list[str]:
        """Rules that ask for settlements."""
        return [ident for ident, past in self.by.items() if past.settlements and not past.lines]

    @property
    def lines(self) -> list[str]:
        """Rules that ask for lines."""
        return [ident for ident, past in self.by.items() if past.codes or past.ids or past.lines]


def open_past(
    con: duckdb.DuckDBPyConnection, months: Sequence[PastMonth], month: dt.date, rules: Iterable[Rule]
) -> None:
    """Take what the rules need out of earlier months.

    Args:
        con: connection with the claim month's `every_settlement`, `person_key` and the reference tables.
        months: earlier claim months, in any order.
        month: first day of the claim month.
        rules: the rules that are going to run.

    Creates:
        prior_reversal: reversals cleared in earlier months (setl_id, init_setl_id, clr_ym).
        all_past_settlement, all_past_line: valid and net rows; `for_<rule id>` says who asked for one.
    """
    asked = _asked(rules)
    ordered = sorted(months, key=lambda m: m.first)
    _empty(con, asked)
    _reversals(con, ordered)

    def read(back: int, own: duckdb.DuckDBPyConnection) -> None:
        earlier, base = ordered[-1 - back], back * VISITS_A_MONTH
        reaching = asked.of(earlier.first, month)
        with own:
            _settlements(own, earlier, reaching)
            if reaching.lines:
                wanted = _wanted(own, earlier, reaching)
                _visits(own, earlier, reaching, base)
                _lines(own, reaching, wanted, base)

    with at_once(con) as pool:
        # The nearest months hold the most, so they come first.
        list(pool.map(read, range(len(ordered)), [con.cursor() for _ in ordered]))


def _asked(rules: Iterable[Rule]) -> _Asked:
    asking = [rule for rule in rules if rule.past]
    shown = [
        tuple(c for c in columns if c in ALWAYS.union(*(r.words for r in asking if view in r.named)))
        for view, columns in (("past_settlement", SETTLEMENT), ("past_line", LINE))
    ]
    return _Asked({rule.rule_id: rule.past for rule in asking if rule.past}, *shown)


def _empty(con: duckdb.DuckDBPyConnection, asked: _Asked) -> None:
    """Create the tables the months are read into; a line refers to its visit by number."""
    for name, numbers, columns, rules in (
        ("all_past_settlement", {}, {c: SETTLEMENT[c] for c in asked.settlement}, asked.settlements),
        ("past_visit", {"visit_no": "BIGINT", "psn_key": "INTEGER"}, _of_visit(asked), []),
        ("past_net_line", {"visit_no": "BIGINT"}, _of_line(asked), asked.lines),
    ):
        typed = [f"{c} {t}" for c, t in (*numbers.items(), *columns.items())]
        flags = [f"for_{ident} BOOLEAN DEFAULT false" for ident in rules]
        con.execute(f"CREATE OR REPLACE TABLE {name} ({', '.join([*typed, *flags])})")
    con.execute(
        "CREATE OR REPLACE VIEW all_past_line AS "
        "SELECT l.* EXCLUDE (visit_no), v.* EXCLUDE (visit_no), -v.visit_no AS visit_key "
        "FROM past_net_line AS l JOIN past_visit AS v ON l.visit_no = v.visit_no"
    )


def _of_visit(asked: _Asked) -> dict[str, str]:
    return {c: LINE[c] for c in asked.line if c in OF_VISIT}


def _of_line(asked: _Asked) -> dict[str, str]:
    return {c: LINE[c] for c in asked.line if c not in OF_VISIT}


def _reversals(con: duckdb.DuckDBPyConnection, months: Sequence[PastMonth]) -> None:
    """Create `prior_reversal`, and `past_reversed`: what has been reversed to this day."""
    prior = [
        f"SELECT setl_id, init_setl_id, '{m.first:%Y%m}' AS clr_ym FROM {m.settlements} WHERE {REVERSAL}"
        for m in months
    ]
    none = (
        "SELECT NULL::VARCHAR AS setl_id, NULL::VARCHAR AS init_setl_id, NULL::VARCHAR AS clr_ym WHERE false"
    )
    con.execute(f"CREATE OR REPLACE TABLE prior_reversal AS {' UNION ALL '.join(prior) or none}")
    reversals = [
        f"SELECT fixmedins_code, init_setl_id AS setl_id FROM {rows} WHERE {REVERSAL}"
        for rows in ("every_settlement", *(m.settlements for m in months))
    ]
    con.execute(f"CREATE OR REPLACE TABLE past_reversed AS {' UNION '.join(reversals)}")


def reaches(past: Past, earlier: dt.date, month: dt.date) -> bool:
    """Whether a look-back counted from the claim month's first day reaches into an earlier month."""
    return (earlier.replace(day=28) + dt.timedelta(days=4)).replace(day=1) > month - dt.timedelta(past.days)


def open_rule(con: duckdb.DuckDBPyConnection, rule: Rule) -> None:
    """Show a rule what it asked for and nothing that only others did."""
    mine = _asked([rule])
    for view, source, columns, rules in (
        ("past_settlement", "all_past_settlement", mine.settlement, mine.settlements),
        ("past_line", "all_past_line", (*mine.line, "psn_key", "visit_key"), mine.lines),
    ):
        if view in rule.named:
            con.execute(
                f"CREATE OR REPLACE TEMP VIEW {view} AS SELECT {', '.join(columns)} FROM {source} "
                f"WHERE {' OR '.join(f'for_{ident}' for ident in rules) or 'false'}"
            )


def _settlements(con: duckdb.DuckDBPyConnection, earlier: PastMonth, asked: _Asked) -> None:
    met = {ident: asked.by[ident].settlements for ident in asked.settlements}
    if not met:
        return
    columns = ["CAST(s.setl_time AS DATE) AS sd" if c == "sd" else f"s.{c}" for c in asked.settlement]
    con.execute(
        f"INSERT INTO all_past_settlement BY NAME SELECT {', '.join([*columns, *_flags(met)])} "
        f"FROM {earlier.settlements} AS s {NOT_REVERSED} WHERE {VALID} AND ({_any(met.values())})"
    )


def _wanted(con: duckdb.DuckDBPyConnection, earlier: PastMonth, asked: _Asked) -> dict[str, str]:
    """Take the lines that rules want, by what is cheap to see, into `past_wanted`.

    Returns:
        By rule, the condition its lines meet that are not wanted for their code or settlement id; without
        the rules of which no line meets it.
    """
    _named(con, "past_code", "hilist_code", {i: past.codes for i, past in asked.by.items() if past.codes})
    _named(con, "past_id", "setl_id", {i: past.ids for i, past in asked.by.items() if past.ids})
    columns = ", ".join(f"l.{c}" for c in OF_LINE)
    source = f"SELECT {columns}, CAST(l.fee_ocur_time AS DATE) AS d FROM {earlier.lines} AS l"
    met = {ident: f"({past.lines})" for ident, past in asked.by.items() if past.lines}
    # Reading a month for conditions that no line of it meets costs more than asking first.
    met = {i: said for i, said in met.items() if _is_met(con, source, said)}
    for ident in met:
        if theirs := asked.by[ident].settlements:
            kept = f"past_of_{ident}"
            con.execute(
                f"CREATE TEMP TABLE {kept} AS SELECT setl_id FROM {earlier.settlements} WHERE {theirs}"
            )
            met[ident] += f" AND l.setl_id IN (SELECT setl_id FROM {kept})"
    listed = "l.hilist_code IN (SELECT hilist_code FROM past_code)"
    named = "l.setl_id IN (SELECT setl_id FROM past_id)"
    if met:
        scan = f"SELECT * FROM ({source}) AS l WHERE {_any([listed, named, 'l.cnt < 0', *met.values()])}"
    else:
        # Two scans, because a lone IN is looked up while reading; the second leaves out what the first finds.
        scan = f"{source} WHERE {listed} UNION ALL {source} WHERE {named} AND NOT coalesce({listed}, false)"
    con.execute(f"CREATE TEMP TABLE past_wanted AS {scan}")
    return met


def _is_met(con: duckdb.DuckDBPyConnection, source: str, condition: str) -> bool:
    return bool(con.execute(f"SELECT 1 FROM ({source}) AS l WHERE {condition} LIMIT 1").fetchall())


def _named(con: duckdb.DuckDBPyConnection, name: str, key: str, selects: Mapping[str, str]) -> None:
    """Hold the keys that rules ask for, with who asks."""
    rows = [f"SELECT {key}, '{ident}' AS rule_id FROM ({sql})" for ident, sql in selects.items()]
    rows = rows or [f"SELECT NULL::VARCHAR AS {key}, NULL::VARCHAR AS rule_id"]
    said = "".join(f", bool_or(rule_id = '{ident}') AS asked_{ident}" for ident in selects)
    con.execute(
        f"CREATE TEMP TABLE {name} AS SELECT {key}{said} FROM ({' UNION ALL '.join(rows)}) "
        f"WHERE {key} IS NOT NULL GROUP BY {key}"
    )


def _visits(con: duckdb.DuckDBPyConnection, earlier: PastMonth, asked: _Asked, base: int) -> None:
    """Keep the settlements of wanted lines; who comes this month too has the number of `person_key`."""
    columns = [
        "s.inscp_amt AS setl_inscp_amt" if c == "setl_inscp_amt" else f"s.{c}" for c in _of_visit(asked)
    ]
    con.execute(
        f"INSERT INTO past_visit BY NAME SELECT row_number() OVER () + {base} AS visit_no, p.psn_key, "
        f"{', '.join(columns)} FROM (SELECT * FROM {earlier.settlements} AS s {NOT_REVERSED} "
        f"WHERE {VALID} AND s.setl_id IN (SELECT DISTINCT setl_id FROM past_wanted)) AS s "
        "LEFT JOIN person_key AS p ON s.psn_no = p.psn_no"
    )


def _lines(con: duckdb.DuckDBPyConnection, asked: _Asked, wanted: Mapping[str, str], base: int) -> None:
    """Net refunds, and keep the lines with who asked for them."""
    sums = ", ".join(f"CAST(sum({c}) AS {LINE[c]}) AS {c}" for c in NETTED)
    netted = ", ".join(f"CAST(w.{c} + coalesce(b.{c}, 0) AS {LINE[c]}) AS {c}" for c in NETTED)
    own = [f"l.{c}" for c in _of_line(asked)]
    grounds = {i: " OR ".join(_grounds(i, asked.by[i], wanted)) for i in asked.lines}
    flags = _flags({ident: said for ident, said in grounds.items() if said})
    con.execute(
        f"""INSERT INTO past_net_line BY NAME
        WITH back AS (
            SELECT setl_id, init_feedetl_sn AS bkkp_sn, {sums}
            FROM past_wanted WHERE cnt < 0 AND init_feedetl_sn IS NOT NULL GROUP BY setl_id, init_feedetl_sn
        ),
        net AS (
            SELECT * FROM past_wanted ANTI JOIN back USING (setl_id) WHERE cnt > 0
            UNION ALL
            SELECT w.* REPLACE ({netted}) FROM (SELECT * FROM past_wanted SEMI JOIN back USING (setl_id)) AS w
            LEFT JOIN back AS b ON w.setl_id = b.setl_id AND w.bkkp_sn = b.bkkp_sn
            WHERE w.cnt > 0 AND w.cnt + coalesce(b.cnt, 0) > 0
        )
        SELECT v.visit_no, {", ".join([*own, *flags])} FROM net AS l
        JOIN (SELECT visit_no, setl_id FROM past_visit WHERE visit_no > {base}
            AND visit_no <= {base + VISITS_A_MONTH}) AS v ON l.setl_id = v.setl_id
        LEFT JOIN past_code ON l.hilist_code = past_code.hilist_code
        LEFT JOIN past_id ON l.setl_id = past_id.setl_id"""
    )


def _grounds(ident: str, past: Past, wanted: Mapping[str, str]) -> Iterator[str]:
    """SQL conditions under each of which a rule asked for a line."""
    if past.codes:
        yield f"past_code.asked_{ident}"
    if past.ids:
        yield f"past_id.asked_{ident}"
    if ident in wanted:
        yield f"({wanted[ident]})"


def _flags(met: Mapping[str, str]) -> list[str]:
    """SQL of the columns that say which rules asked for a row."""
    return [f"coalesce(({said}), false) AS for_{ident}" for ident, said in met.items()]


def _any(conditions: Iterable[str]) -> str:
    return " OR ".join(f"({condition})" for condition in dict.fromkeys(conditions))
