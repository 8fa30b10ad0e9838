"""Look-back 回溯: what rules see of earlier months, read once for all rules that ask.

A rule's header says how far back it looks and which rows it needs: lines of certain codes, lines that
meet a condition, settlements that meet one. Only those are taken out of the stored months, so that a
year of lines is scanned once a run and not once a rule.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from settlement.audit.rules_file import Past, Rule

# Sums of refund lines are netted; the rest of a line is that of the line refunded.
NETTED = ("cnt", "inscp_amt")
OF_LINE = ("setl_id", "bkkp_sn", "init_feedetl_sn", "fee_ocur_time", "hilist_code", "list_type", "cnt",
           "prd_days", "inscp_amt")  # fmt: skip
OF_OWNER = ("mdtrt_id", "psn_no", "fixmedins_code", "insutype", "med_type", "clr_type", "setl_time",
            "fund_pay_sumamt")  # fmt: skip
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
NOTHING = Past(0, "", "", "", "")
NOT_REVERSED = "ANTI JOIN past_reversed AS r ON s.fixmedins_code = r.fixmedins_code AND s.setl_id = r.setl_id"


@dataclass(frozen=True)
class PastMonth:
    """Accepted rows of an earlier claim month: its first day, relations of settlements and of lines."""

    first: dt.date
    settlements: str
    lines: str


def open_past(
    con: duckdb.DuckDBPyConnection, months: Sequence[PastMonth], month: dt.date, rules: Iterable[Rule]
) -> None:
    """Take what the rules need out of earlier months.

    Args:
        con: connection with the claim month's `every_settlement` and the reference tables.
        months: earlier claim months, in any order.
        month: first day of the claim month.
        rules: the rules that are going to run.

    Creates:
        prior_reversal: reversals cleared in earlier months (setl_id, init_setl_id, clr_ym).
        all_past_settlement, all_past_line: valid and net rows; `for_<rule id>` says who asked for one.
    """
    asking = {rule.rule_id: rule.past for rule in rules if rule.past}
    _empty(con, "all_past_settlement", SETTLEMENT, _settlement_flags(asking))
    _empty(con, "all_past_line", LINE, _line_flags(asking))
    ordered = sorted(months, key=lambda m: m.first)
    prior = [
        f"SELECT setl_id, init_setl_id, '{m.first:%Y%m}' AS clr_ym FROM {m.settlements} WHERE {REVERSAL}"
        for m in ordered
    ]
    none = (
        "SELECT NULL::VARCHAR AS setl_id, NULL::VARCHAR AS init_setl_id, NULL::VARCHAR AS clr_ym WHERE false"
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE prior_reversal AS {' UNION ALL '.join(prior) or none}")
    reversals = [
        f"SELECT fixmedins_code, init_setl_id AS setl_id FROM {rows} WHERE {REVERSAL}"
        for rows in ("every_settlement", *(m.settlements for m in ordered))
    ]
    con.execute(f"CREATE OR REPLACE TEMP TABLE past_reversed AS {' UNION '.join(reversals)}")
    for earlier in ordered:
        reaching = {
            ident: past if reaches(past, earlier.first, month) else NOTHING for ident, past in asking.items()
        }
        _settlements(con, earlier, reaching, _settlement_flags(asking))
        _lines(con, earlier, reaching, _line_flags(asking))


def reaches(past: Past, earlier: dt.date, month: dt.date) -> bool:
    """Whether a look-back counted from the claim month's first day reaches into an earlier month."""
    return (earlier.replace(day=28) + dt.timedelta(days=4)).replace(day=1) > month - dt.timedelta(past.days)


def open_rule(con: duckdb.DuckDBPyConnection, rule: Rule) -> None:
    """Show a rule what it asked for and nothing that only others did."""
    mine = {rule.rule_id: rule.past} if rule.past else {}
    for view, source, columns, flags in (
        ("past_settlement", "all_past_settlement", SETTLEMENT, _settlement_flags(mine)),
        ("past_line", "all_past_line", LINE, _line_flags(mine)),
    ):
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW {view} AS SELECT {', '.join(columns)} FROM {source} "
            f"WHERE {' OR '.join(flags) or 'false'}"
        )


def _settlement_flags(asking: Mapping[str, Past]) -> list[str]:
    return [f"for_{ident}" for ident, past in asking.items() if past.settlements]


def _line_flags(asking: Mapping[str, Past]) -> list[str]:
    return [f"for_{ident}" for ident, past in asking.items() if _wanted_lines(past)]


def _empty(
    con: duckdb.DuckDBPyConnection, name: str, columns: dict[str, str], flags: Sequence[str]
) -> None:  # fmt: skip
    named = [*(f"{c} {t}" for c, t in columns.items()), *(f"{flag} BOOLEAN" for flag in flags)]
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} ({', '.join(named)})")


def _settlements(
    con: duckdb.DuckDBPyConnection, earlier: PastMonth, asking: Mapping[str, Past], flags: Sequence[str]
) -> None:
    met = {f"for_{ident}": past.settlements for ident, past in asking.items() if past.settlements}
    if not met:
        return
    columns = ", ".join("CAST(s.setl_time AS DATE) AS sd" if c == "sd" else f"s.{c}" for c in SETTLEMENT)
    con.execute(
        f"INSERT INTO all_past_settlement SELECT *, {_asked(flags, met)} FROM (SELECT {columns} "
        f"FROM {earlier.settlements} AS s {NOT_REVERSED} WHERE {VALID} AND ({_any(met.values())}))"
    )


def _lines(
    con: duckdb.DuckDBPyConnection, earlier: PastMonth, asking: Mapping[str, Past], flags: Sequence[str]
) -> None:
    """Filter lines by what is cheap to see, then look up their settlements, then net refunds."""
    columns = ", ".join(f"l.{c}" for c in OF_LINE)
    source = f"SELECT {columns}, CAST(l.fee_ocur_time AS DATE) AS d FROM {earlier.lines} AS l"
    codes = [past.codes for past in asking.values() if past.codes]
    ids = [past.ids for past in asking.values() if past.ids]
    met = [past.lines for past in asking.values() if past.lines]
    listed, named_ids = "l.hilist_code IN (SELECT hilist_code FROM past_code)", " UNION ".join(ids)
    scans = []
    if codes:
        con.execute(f"CREATE OR REPLACE TEMP TABLE past_code AS {' UNION '.join(codes)}")
        scans.append(f"{source} WHERE {listed}")
    if ids:
        scans.append(f"{source} WHERE l.setl_id IN ({named_ids}){f' AND {_not(listed)}' if codes else ''}")
    if met:
        others = [_not(listed)] * bool(codes) + [_not(f"l.setl_id IN ({named_ids})")] * bool(ids)
        rest = " AND ".join(others) or "true"
        scans.append(f"SELECT * FROM ({source} WHERE {rest}) WHERE cnt < 0 OR {_any(met)}")
    if not scans:
        return
    con.execute(f"CREATE OR REPLACE TEMP TABLE past_wanted AS {' UNION ALL '.join(scans)}")
    sums = ", ".join(f"CAST(sum({c}) AS {LINE[c]}) AS {c}" for c in NETTED)
    owner = ", ".join(f"s.{c}" for c in OF_OWNER)
    named = ", ".join(
        f"CAST(w.{c} + coalesce(b.{c}, 0) AS {LINE[c]}) AS {c}" if c in NETTED else
        "o.inscp_amt AS setl_inscp_amt" if c == "setl_inscp_amt" else
        "o." + c if c in OF_OWNER else "w." + c for c in LINE
    )  # fmt: skip
    asked = {f"for_{ident}": wanted for ident, past in asking.items() if (wanted := _wanted_lines(past))}
    con.execute(
        f"""INSERT INTO all_past_line
        WITH owner AS (
            SELECT s.setl_id, s.inscp_amt, {owner} FROM {earlier.settlements} AS s {NOT_REVERSED}
            WHERE {VALID} AND s.setl_id IN (SELECT setl_id FROM past_wanted)
        ),
        back AS (
            SELECT setl_id, init_feedetl_sn AS bkkp_sn, {sums}
            FROM past_wanted WHERE cnt < 0 AND init_feedetl_sn IS NOT NULL GROUP BY setl_id, init_feedetl_sn
        )
        SELECT *, {_asked(flags, asked)} FROM (
            SELECT {named} FROM past_wanted AS w
            JOIN owner AS o ON w.setl_id = o.setl_id
            LEFT JOIN back AS b ON w.setl_id = b.setl_id AND w.bkkp_sn = b.bkkp_sn
            WHERE w.cnt > 0 AND w.cnt + coalesce(b.cnt, 0) > 0
        )"""
    )
    con.execute("DROP TABLE past_wanted")


def _wanted_lines(past: Past) -> str:
    either = [f"hilist_code IN ({past.codes})"] if past.codes else []
    either += [f"setl_id IN ({past.ids})"] if past.ids else []
    either += [f"({past.lines})"] if past.lines else []
    return " OR ".join(either)


def _asked(flags: Sequence[str], met: Mapping[str, str]) -> str:
    """SQL of the columns that say which rules asked for a row."""
    return ", ".join(f"coalesce(({met.get(flag) or 'false'}), false) AS {flag}" for flag in flags)


def _not(condition: str) -> str:
    return f"NOT coalesce({condition}, false)"


def _any(conditions: Iterable[str]) -> str:
    return " OR ".join(f"({condition})" for condition in dict.fromkeys(conditions))
