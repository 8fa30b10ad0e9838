"""Accounts to look at before money leaves: shared, changed since the last payment, or incomplete."""

from __future__ import annotations

import polars as pl

from settlement.disbursement.orders import BANKCODE, PAYEE, filled
from settlement.disbursement.words import sentence
from settlement.labels import label
from settlement.masking import mask_all

CODE = "fixmedins_code"
SHARED, CHANGED, MISSING = "SHARED", "CHANGED", "MISSING"
FOUND = (CODE, "kind", "words")
SHOWN = 5


def account_warnings(
    institutions: pl.DataFrame, last_paid_accounts: pl.DataFrame, lang: str = "zh"
) -> pl.DataFrame:
    """Say which accounts a second person must look at before anything is paid to them.

    SHARED: two institutions have one account number. CHANGED: not the account of the last payment.
    MISSING: no account, payee or bank, or a 联行号 that is not 12 digits. Blanks and dashes in a number
    do not count. The words show the last four digits of an account only.

    Args:
        institutions: `institution` rows in force, one per institution.
        last_paid_accounts: fixmedins_code, bankacct that the last successful payment went to.
        lang: zh or en.

    Returns:
        fixmedins_code, kind, words; sorted by institution and kind.
    """
    now = institutions.select(CODE, *PAYEE, acct=_bare("bankacct"))
    before = last_paid_accounts.select(CODE, before=_bare("bankacct")).drop_nulls()
    found = [_shared(now, lang), _changed(now, before, lang), _missing(now, lang)]
    return pl.concat(part.select(FOUND) for part in found).sort(CODE, "kind")


def _bare(name: str) -> pl.Expr:
    bare = pl.col(name).str.replace_all(r"[\s\-]", "")
    return pl.when(bare != "").then(bare)


def _masked(rows: pl.DataFrame, *names: str) -> pl.DataFrame:
    return rows.with_columns(pl.Series(n, mask_all("bankacct", rows[n]), pl.String) for n in names)


def _shared(now: pl.DataFrame, lang: str) -> pl.DataFrame:
    rows = now.drop_nulls("acct").sort(CODE)
    groups = rows.group_by("acct").agg(many=pl.len(), who=pl.col(CODE).head(SHOWN)).filter(pl.col("many") > 1)
    rows = _masked(rows.join(groups, on="acct"), "acct")
    who = pl.col("who").list.join(label("bank.and", lang))
    words = sentence("bank.acct_shared", lang, acct=pl.col("acct"), many=pl.col("many"), who=who)
    return rows.with_columns(kind=pl.lit(SHARED), words=words)


def _changed(now: pl.DataFrame, before: pl.DataFrame, lang: str) -> pl.DataFrame:
    rows = now.join(before, on=CODE).filter(pl.col("acct") != pl.col("before"))
    words = sentence("bank.acct_changed", lang, acct=pl.col("acct"), before=pl.col("before"))
    return _masked(rows, "acct", "before").with_columns(kind=pl.lit(CHANGED), words=words)


def _missing(now: pl.DataFrame, lang: str) -> pl.DataFrame:
    code = pl.col("bankcode")
    parts = [pl.when(~filled(name)).then(pl.lit(label(f"bank.no_{name}", lang))) for name in PAYEE]
    odd = filled("bankcode") & ~code.str.contains(BANKCODE)
    parts.append(pl.when(odd).then(sentence("bank.odd_bankcode", lang, code=code)))
    rows = now.with_columns(what=pl.concat_list(parts).list.drop_nulls().list.join(label("bank.and", lang)))
    words = sentence("bank.acct_missing", lang, what=pl.col("what"))
    return rows.filter(pl.col("what") != "").with_columns(kind=pl.lit(MISSING), words=words)
