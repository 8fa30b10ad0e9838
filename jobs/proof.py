"""What proves a run: its fingerprint, the flow of rows and money through the stages, and the checks."""

from __future__ import annotations

import hashlib
import json
import platform
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import duckdb
import polars as pl

import settlement
from jobs.books import Calculated, Month, past_inputs
from schemas.funds import ACCOUNT_FUND, FUNDS
from settlement import store, workdays
from settlement.errors import InvariantBroken, StoreError
from settlement.query import frame, hold
from settlement.review import booking
from settlement.store.months import Kept

TAKEN_OFF = (
    "det_sumamt", "deferred_amt", "dpst_sumamt", "advance_offset_amt", "clawback_amt", "act_dfr_amt",
)  # fmt: skip
ADDED = ("method_adjust_amt", "prior_adjust_amt", "carry_amt")
CODE = ("settlement", "schemas", "jobs")
CODE_SUFFIXES = (".py", ".sql", ".toml", ".csv")
CENT = Decimal("0.01")
Stages = dict[str, dict[str, Any]]
Pair = tuple[str, Any, Any]
OPENING = ("advance_offset_amt", "prior_adjust_amt", "clawback_amt")
ANSWERED = ("finding_id", "reply", "decision", "final_det_sumamt")


class Stands(Protocol):
    """Findings as they stand, their money by fund, and the rules that did not run."""

    @property
    def findings(self) -> pl.DataFrame: ...  # noqa: D102
    @property
    def finding_funds(self) -> pl.DataFrame: ...  # noqa: D102
    @property
    def not_run(self) -> dict[str, tuple[str, ...]]: ...  # noqa: D102


def code_digest() -> str:
    """Digest of the program's own files, so that an edited copy has another fingerprint."""
    root = Path(settlement.__file__).parent.parent
    digest = hashlib.sha256()
    for folder in CODE:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in CODE_SUFFIXES:
                digest.update(f"{path.relative_to(root).as_posix()}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def describe(
    con: duckdb.DuckDBPyConnection, month: Month, audited: Stands, calculated: Calculated | None
) -> dict[str, Any]:
    """Describe a run for `run.json` after checking that nothing was lost.

    Raises:
        InvariantBroken: a check does not hold.
    """
    basis = _basis(month, audited.findings, calculated)
    text = json.dumps(basis, sort_keys=True, ensure_ascii=False)
    stages = _stages(con, month, audited, calculated)
    return {
        **basis,
        "stage": "calculate" if calculated else "audit",
        "fingerprint": hashlib.sha256(text.encode()).hexdigest(),
        "versions": {
            "settlement": settlement.__version__,
            "python": platform.python_version(),
            "polars": pl.__version__,
            "duckdb": duckdb.__version__,
        },
        "parameters": _parameters(month),
        "rules_not_run": {k: list(v) for k, v in audited.not_run.items()},
        "stages": stages,
        "institutions": _institutions(month),
        "checks": checks(con, month, stages, audited, calculated),
    }


def _basis(month: Month, findings: pl.DataFrame, calculated: Calculated | None) -> dict[str, Any]:
    """Everything the results depend on; the fingerprint is its hash."""
    opening = (
        calculated.payment.select("fixmedins_code", "fund_pay_type", *OPENING)
        if calculated
        else pl.DataFrame()
    )
    written = opening.sort(pl.all()).write_csv()
    answered = findings.filter((pl.col("reply") != "") | (pl.col("decision") != "")).select(ANSWERED)
    return {
        "region": month.region,
        "month": f"{month.first:%Y-%m}",
        "inputs": {s["fixmedins_code"]: s["content"] for s in month.submissions},
        "reference": {name: Path(path).stem for name, path in sorted(month.reference_paths.items())},
        "rules": {rule.rule_id: rule.digest for rule in month.rules},
        "policy": month.profile.digest,
        "calendar": workdays.digest(month.home.home / "calendars"),
        "past": past_inputs(month),
        "opening": hashlib.sha256(written.encode()).hexdigest(),
        "code": {"version": settlement.__version__, "digest": code_digest()},
        "decisions": hashlib.sha256(answered.sort(pl.all()).write_csv().encode()).hexdigest(),
        "settled": calculated.codes if calculated else [],
    }


def _parameters(month: Month) -> list[dict[str, Any]]:
    rows = []
    for name, parameter in sorted(month.profile.parameters.items()):
        value = parameter.on(month.last)
        rows.append(
            {
                "name": name,
                "label": parameter.label,
                "unit": parameter.unit,
                "value": str(value.value),
                "from": str(value.start),
                "article": value.article,
                "assumed": value.assumed,
                "source": month.profile.sources[value.source]["title"],
            }
        )
    return rows


def _institutions(month: Month) -> list[dict[str, Any]]:
    """Rows and 元 in, accepted and returned, per institution."""
    return [
        {"fixmedins_code": s["fixmedins_code"], "status": s["status"], **s["facts"]["counts"]}
        for s in month.submissions
    ]


def _stages(
    con: duckdb.DuckDBPyConnection, month: Month, audited: Stands, calculated: Calculated | None
) -> Stages:
    """Rows and 元 in and out of every stage."""
    counts = [s["facts"]["counts"] for s in month.submissions]
    taken = con.execute(
        "SELECT count(*), coalesce(sum(medfee_sumamt), 0.00), coalesce(sum(fund_pay_sumamt), 0.00), "
        "coalesce(sum(acct_pay), 0.00) FROM accepted_setl"
    ).fetchall()[0]

    def rows(key: str) -> int:
        return sum(c.get(key, 0) for c in counts)

    def yuan(key: str) -> str:
        return str(sum((Decimal(c.get(key, "0.00")) for c in counts), Decimal("0.00")))

    stages: Stages = {
        "intake": {
            "submissions": len(month.submissions),
            **{k: rows(k) for k in ("setl_in", "line_in")},
            **{k: yuan(k) for k in ("medfee_in", "fund_in")},
        },
        "acceptance": {
            "submissions_accepted": len(month.accepted),
            "submissions_returned": len(month.submissions) - len(month.accepted),
            **{k: rows(k) for k in ("setl_accepted", "setl_returned", "line_accepted", "line_returned")},
            **{k: yuan(k) for k in ("medfee_accepted", "fund_accepted")},
        },
        "audit": {
            "setl": taken[0],
            **{k: str(v) for k, v in zip(("medfee", "fund", "account"), taken[1:], strict=True)},
            "findings": audited.findings.height,
            **{k: str(_sum(audited.findings, k)) for k in ("det_sumamt", "final_det_sumamt")},
        },
    }
    if calculated:
        paid = calculated.payment
        names = [n for n, t in paid.schema.items() if isinstance(t, pl.Decimal)]
        stages["payment"] = {n: str(_sum(paid, n)) for n in names}
    return stages


def _sum(rows: pl.DataFrame, column: str) -> Decimal:
    return Decimal(rows[column].sum() or 0).quantize(CENT)


def checks(
    con: duckdb.DuckDBPyConnection,
    month: Month,
    stages: Stages,
    audited: Stands,
    calculated: Calculated | None,
) -> list[dict[str, Any]]:
    """Check the flow of rows and money.

    Returns:
        One row per check: name, left, right, ok.

    Raises:
        InvariantBroken: naming every check that does not hold.
    """
    came, taken, audit = stages["intake"], stages["acceptance"], stages["audit"]
    found, funds = audited.findings, audited.finding_funds
    raised = (
        found.with_columns(booking.limit()).filter(pl.col("final_det_sumamt") > pl.col("limit_amt")).height
    )
    pairs: list[Pair] = [
        ("申报结算 = 受理 + 退回", came["setl_in"], taken["setl_accepted"] + taken["setl_returned"]),
        ("申报明细 = 受理 + 退回", came["line_in"], taken["line_accepted"] + taken["line_returned"]),
        ("受理结算 = 进入初审的结算", taken["setl_accepted"], audit["setl"]),
        ("受理医疗费 = 进入初审的医疗费", taken["medfee_accepted"], audit["medfee"]),
        ("受理基金 = 进入初审的基金", taken["fund_accepted"], audit["fund"]),
        ("疑点扣款 = 分基金扣款", _sum(found, "det_sumamt"), _sum(funds, "det_sumamt")),
        ("复审扣款 = 分基金复审扣款", _sum(found, "final_det_sumamt"), _sum(funds, "final_det_sumamt")),
        ("复审扣款超过初审告知金额的疑点数", 0, raised),
    ]
    if calculated:
        pairs += _payment_checks(con, audited, stages, calculated)
    rows = [{"name": n, "left": str(a), "right": str(b), "ok": str(a) == str(b)} for n, a, b in pairs]
    broken = [f"{r['name']}:{r['left']} ≠ {r['right']}" for r in rows if not r["ok"]]
    if broken:
        raise InvariantBroken(f"{month.region} {month.first:%Y-%m} 守恒检查不成立:" + ";".join(broken))
    return rows


def _payment_checks(
    con: duckdb.DuckDBPyConnection, audited: Stands, stages: Stages, calculated: Calculated
) -> list[Pair]:
    paid, clearing = calculated.payment, calculated.clearing
    taken = _settled(con, calculated.codes)
    claimed = _sum(paid, "fund_appy_sum")
    used = sum((_sum(paid, n) for n in TAKEN_OFF), Decimal(0)) - sum(_sum(paid, n) for n in ADDED)
    unequal = paid.filter(pl.col("fund_appy_sum") != pl.sum_horizontal(TAKEN_OFF) - pl.sum_horizontal(ADDED))
    pooled = _sum(paid.filter(pl.col("fund_pay_type") != ACCOUNT_FUND), "fund_appy_sum")
    upheld = _sum(
        audited.findings.filter(pl.col("fixmedins_code").is_in(calculated.codes)), "final_det_sumamt"
    )
    return [
        ("申报基金 = 实拨 + 扣款 + 保证金 + 暂缓 + 抵扣 + 追回 - 调整 - 结转", claimed, used.quantize(CENT)),
        ("恒等式不成立的机构与基金数", 0, unequal.height),
        ("申报额与结算记录不符的机构与基金数", 0, _claims_that_differ(con, paid)),
        ("申报统筹基金 = 已结算批次的受理基金", pooled, taken["fund"]),
        ("申报个人账户 = 已结算批次的受理个人账户", claimed - pooled, taken["account"]),
        ("受理基金 = 已结算 + 未结算", Decimal(stages["audit"]["fund"]).quantize(CENT), taken["all"]),
        ("拨付扣款 = 复审扣款", _sum(paid, "det_sumamt"), upheld),
        ("清算汇总扣款 = 复审扣款", _sum(clearing, "det_sumamt"), upheld),
        ("清算笔数 = 已结算批次的受理结算", int(clearing["setl_cnt"].sum()), taken["setl"]),
        ("有受理结算而无拨付行的机构数", 0, len(taken["codes"] - set(paid["fixmedins_code"]))),
    ]


def _settled(con: duckdb.DuckDBPyConnection, codes: list[str]) -> dict[str, Any]:
    """Count and sum, straight from the settlements, what belongs to settled batches and what does not."""
    hold(con, "settled_code", pl.DataFrame({"fixmedins_code": codes}, schema={"fixmedins_code": pl.String}))
    rows = con.execute(
        "SELECT c.fixmedins_code IS NOT NULL AS settled, count(*), sum(s.fund_pay_sumamt), sum(s.acct_pay), "
        "list(DISTINCT s.fixmedins_code) FROM accepted_setl AS s LEFT JOIN settled_code AS c "
        "USING (fixmedins_code) GROUP BY 1"
    ).fetchall()
    by = {bool(row[0]): row[1:] for row in rows}
    zero: tuple[Any, ...] = (0, Decimal(0), Decimal(0), [])
    count, fund, account, found = by.get(True, zero)
    waiting = by.get(False, zero)[1]
    fund, account = Decimal(fund).quantize(CENT), Decimal(account).quantize(CENT)
    return {
        "setl": count,
        "fund": fund,
        "account": account,
        "all": fund + Decimal(waiting),
        "codes": set(found),
    }


def _claims_that_differ(con: duckdb.DuckDBPyConnection, paid: pl.DataFrame) -> int:
    """Sum each fund straight from the settlements and count rows that claim something else."""
    each = []
    for fund in FUNDS:
        kinds = ", ".join(f"'{i}'" for i in fund.insutypes)
        mine = f"WHERE insutype IN ({kinds})" if kinds else ""
        each.append(
            f"SELECT fixmedins_code, '{fund.code}' AS fund_pay_type, sum({fund.column}) AS amount "
            f"FROM accepted_setl SEMI JOIN settled_code USING (fixmedins_code) {mine} GROUP BY fixmedins_code"
        )
    summed = frame(con, " UNION ALL ".join(each))
    both = paid.join(summed, on=["fixmedins_code", "fund_pay_type"], how="full", coalesce=True)
    return both.filter(pl.col("fund_appy_sum").fill_null(0) != pl.col("amount").fill_null(0)).height


def verify_kept(home: Path, kept: Kept, run: dict[str, Any]) -> None:
    """Read back what was written, before it becomes part of the record, and check the money again.

    Raises:
        StoreError: a file is not what the run wrote.
        InvariantBroken: the money read back differs from the run's.
    """
    for path, digest in kept.values():
        if store.file_digest(home / path) != digest:
            raise StoreError(f"{home / path} 写入后读回不一致。请检查磁盘后重新运行。")
    audit = run["stages"]["audit"]
    found = pl.read_parquet(home / kept["findings"][0])
    settlements = pl.scan_parquet(home / kept["settlements"][0])
    count, fund = settlements.select(pl.len(), pl.col("fund_pay_sumamt").sum()).collect().row(0)
    pairs: list[Pair] = [
        ("findings.final_det_sumamt", _sum(found, "final_det_sumamt"), audit["final_det_sumamt"]),
        ("settlements", count, audit["setl"]),
        ("fund_pay_sumamt", Decimal(fund or 0).quantize(CENT), Decimal(audit["fund"]).quantize(CENT)),
    ]
    if "payment" in run["stages"]:
        paid = pl.read_parquet(home / kept["payment"][0])
        pairs += [(n, _sum(paid, n), v) for n, v in run["stages"]["payment"].items()]
    broken = [f"{n}:读回 {a},应为 {b}" for n, a, b in pairs if str(a) != str(b)]
    if broken:
        raise InvariantBroken(f"{run['region']} {run['month']} 读回检查不成立:" + ";".join(broken))
