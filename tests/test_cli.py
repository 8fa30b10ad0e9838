"""The command line: exit codes, JSON, and words when something is missing."""

import datetime as dt
import json
from pathlib import Path

import pytest

from jobs import cli, way
from jobs.office import Office
from settlement import store

SAMPLES = Path(__file__).parent.parent / "sample_data"


def settle(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str
) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["settle", *words])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    said = capsys.readouterr()
    return int(stopped.value.code or 0), said.out, said.err


def test_a_month_from_reference_to_explain(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["--home", str(tmp_path), "--region", "penglai", "--month", "2026-04", "--today", "2026-05-08"]
    source = SAMPLES / "penglai"

    def run(*words: str) -> tuple[int, str]:
        code, out, _ = settle(capsys, monkeypatch, *options, "--json", *words)
        return code, out

    code, out = run("reference", "load", str(source / "reference"))
    assert code == 0
    assert {r["table"] for r in json.loads(out)} >= {"institution", "agreement", "hilist"}
    assert all(
        not r["new_version"] for r in json.loads(run("reference", "load", str(source / "reference"))[1])
    )

    code, out = run("intake", str(source / "submissions"))
    taken = {t["fixmedins_code"]: t["outcome"] for t in json.loads(out)}
    assert code == 1
    assert "不予受理" in [v for k, v in taken.items() if k.startswith("P")]

    assert run("intake", str(source / "submissions"))[0] == 0
    code, out = run("audit")
    assert json.loads(out)["stage"] == "audit"
    data = tmp_path / "penglai" / "2026-04" / "data"
    assert not (data / "payment.parquet").exists()

    code, out = run("calculate")
    waiting = json.loads(out)
    assert code == 1
    assert waiting["done"] == []
    assert all("复审" in why for why in waiting["waiting"].values())
    assert not (data / "payment.parquet").exists()
    audited = json.loads((data / "run.json").read_text())
    steps = json.loads(run("month")[1])["next"]
    assert [step.split(":")[0] for step in steps] == ["待办  定点机构", "待办  复审岗"]
    assert "2026-05-12" in steps[0]  # three working days; Saturday 2026-05-09 is a make-up working day
    assert "2026-05-29" in steps[0]
    code, out = run("month", "--unattended")
    run_json = json.loads(out)
    assert code == 1
    assert all(c["ok"] for c in run_json["checks"])
    assert run_json["fingerprint"] != audited["fingerprint"]

    code, out = run("status")
    assert json.loads(out)[0]["stage"] == "calculate"
    assert sum(json.loads(out)[0]["states"].values()) == 7

    institution = next(k for k, v in taken.items() if v == "已受理")
    about = json.loads(run("explain", institution)[1])
    assert about["payment"]
    code, text, _ = settle(capsys, monkeypatch, *options, "explain", institution)
    assert code == 0
    assert "实拨" in text


def test_explain_shows_rows_rule_parameters_sources_and_money(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import polars as pl

    options = ["--home", str(tmp_path), "--region", "daye", "--month", "2026-04", "--today", "2026-05-08"]
    for words in (["reference", "load", str(SAMPLES / "daye" / "reference")],
                  ["intake", str(SAMPLES / "daye" / "submissions")], ["month", "--unattended"]):  # fmt: skip
        settle(capsys, monkeypatch, *options, *words)
    found = pl.read_parquet(tmp_path / "daye" / "2026-04" / "data" / "findings.parquet")
    finding = found.filter(pl.col("rule_id") == "B08").row(0, named=True)

    code, text, _ = settle(capsys, monkeypatch, *options, "explain", finding["finding_id"])

    assert code == 0
    for words in (
        "B08",
        "bed_day_tolerance",
        "出处",
        finding["setl_id"],
        str(finding["det_sumamt"]),
        "费用明细",
    ):
        assert words in text
    for words in (
        f"通知 daye-202604-{finding['fixmedins_code']}-1  发出 2026-05-08  反馈截止 2026-05-11",
        f"反馈 2026-05-08 认可  认可金额 {finding['det_sumamt']} 元",
        f"复审 2026-05-08 维持  金额 {finding['det_sumamt']} 元",
        "理由 无人值守运行:违规维持,可疑撤销  复审人 复审岗",
        f"入账 {finding['det_sumamt']} 元(决定 {finding['det_sumamt']} 元)",
        "批次 已拨付",
        "结算单 2026-05-08 结算岗",
        "核准 2026-05-08 负责人",
        "职工基本医疗保险统筹基金 39920.58 元 至 ****0002  银行尚未回复",
    ):
        assert words in text
    code, text, _ = settle(capsys, monkeypatch, *options, "explain", finding["setl_id"])
    assert finding["finding_id"] in text
    assert "复审人 复审岗" in text
    assert "批次 已拨付" in text
    code, text, _ = settle(capsys, monkeypatch, *options, "explain", finding["fixmedins_code"])
    assert [line.split()[1] for line in text.split("经过\n")[1].splitlines()[:8]] == [
        "已申报", "已受理", "已初审", "待反馈", "复审中", "已结算", "已核准", "已拨付",
    ]  # fmt: skip
    assert "质量保证金余额 职工基本医疗保险统筹基金:期初 0.00 + 2101.08 − 0.00 = 期末 2101.08 元" in text
    covered = found.filter((pl.col("grade") == "违规") & (pl.col("det_sumamt") < pl.col("risk_amt")))
    other = found.filter(
        (pl.col("setl_id") == covered["setl_id"][0])
        & (pl.col("bkkp_sn") == covered["bkkp_sn"][0])
        & (pl.col("final_det_sumamt") > 0)
    )
    code, text, _ = settle(capsys, monkeypatch, *options, "explain", covered["finding_id"][0])
    assert f"同一笔钱只扣一次:已由疑点 {other['finding_id'][0]}({other['rule_id'][0]}," in text
    code, out, _ = settle(capsys, monkeypatch, *options, "--json", "explain", covered["finding_id"][0])
    told = json.loads(out)
    assert told["way"]["booking"]["instead"][0]["finding_id"] == other["finding_id"][0]
    assert told["way"]["decisions"][0]["actor"] == "复审岗"
    assert told["batch"]["state"] == "PAID"
    assert {order["bankacct"] for order in told["batch"]["orders"]} == {"****0002"}
    paired = found.filter(pl.col("rule_id") == "B03").row(0, named=True)
    code, text, _ = settle(capsys, monkeypatch, *options, "explain", paired["finding_id"])
    assert "关联明细" in text
    assert "国家规则码 GZ10000102012000" in text
    code, _, err = settle(capsys, monkeypatch, *options, "explain", "没有这个编号")
    assert code == 2
    assert "没有编号" in err

    office = Office(store.open_store(tmp_path), "daye", dt.date(2026, 4, 1), dt.date(2026, 5, 8))
    told = way.of_finding(office, finding, found, {"psn_name": "无人值守", "psn_no": "可疑撤销"})
    assert told["decisions"][0]["reason"] == "无*运行:违规维持,****"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["intake", "."], 2, "--region"),
        (["--region", "nowhere", "intake", "."], 2, "nowhere"),
        (["--region", "daye", "intake", "."], 2, "--month"),
        (["--region", "daye", "--month", "2026-13", "intake", "."], 2, "YYYY-MM"),
        (["--today", "2026-02-30", "status"], 2, "YYYY-MM-DD"),
        (["--lang", "fr", "status"], 2, "zh"),
        (["--region", "daye", "--month", "2026-04", "intake", "."], 3, "reference load"),
        (["--region", "daye", "--month", "2026-04", "month"], 2, "intake"),
    ],
)
def test_what_is_missing_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    words: list[str], code: int, said: str,
) -> None:  # fmt: skip
    got, _, err = settle(capsys, monkeypatch, "--home", str(tmp_path), *words)

    assert got == code
    assert said in err
