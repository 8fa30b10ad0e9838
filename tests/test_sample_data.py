"""The generator writes the same bytes again, and what it writes is the sample in the repository."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import zipfile
from pathlib import Path

import polars as pl
import pytest

from jobs import auditing, books, monthly, taking_in
from jobs.faults import returned_rows
from jobs.office import Office
from settlement import store
from settlement.audit.rules_file import RULES

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "sample_data"
REGIONS = ("penglai", "langfang", "guide5", "qinghai", "daye")
# A09: what does not add up is returned. C15: no region names a kind of care for internet visits.
NOT_PLANTED = {"A09", "C15"}


def generate(out: Path, *more: str) -> None:
    command = [sys.executable, str(SAMPLE / "generate.py"), "--out", str(out), *more]
    subprocess.run(command, check=True, cwd=out)


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file, packages by what is in them: a zip library may pack the same bytes otherwise."""
    found: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        name = path.relative_to(folder).as_posix()
        if path.suffix not in (".zip", ".xlsx"):
            found[name] = path.read_bytes()
            continue
        with zipfile.ZipFile(path) as package:
            for member in package.infolist():
                assert member.date_time == (1980, 1, 1, 0, 0, 0)
                found[f"{name}/{member.filename}"] = package.read(member)
    return found


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sample")
    generate(out)
    return out


@pytest.mark.parametrize("region", REGIONS)
def test_regenerating_gives_what_is_kept(again: Path, region: str) -> None:
    made, kept = contents(again / region), contents(SAMPLE / region)
    assert made.keys() == kept.keys()
    assert [name for name in made if made[name] != kept[name]] == []


def test_region_does_not_depend_on_the_others(again: Path, tmp_path: Path) -> None:
    generate(tmp_path, "--region", "daye")
    assert [path.name for path in tmp_path.iterdir()] == ["daye"]
    assert contents(tmp_path / "daye") == contents(again / "daye")


def test_large_month_is_about_as_large_as_asked_and_the_same_twice(tmp_path: Path) -> None:
    asked = ("--bulk", "--settlements", "4000", "--lines", "40000", "--institutions", "4")
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        generate(tmp_path / name, *asked)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    found = {
        name: sum(
            pl.read_csv(f, infer_schema=False).height for f in tmp_path.glob(f"one/submissions/*/{name}.csv")
        )
        for name in ("setl_d", "fee_list_d")
    }
    assert found["setl_d"] == pytest.approx(4_000, rel=0.05)
    assert found["fee_list_d"] == pytest.approx(40_000, rel=0.1)


@pytest.mark.parametrize("region", REGIONS)
def test_a_month_without_stories_is_taken_in_whole_and_nothing_is_found(region: str, tmp_path: Path) -> None:
    generate(tmp_path, "--clean", "--region", region)
    office = Office(store.open_store(tmp_path / "home"), region, dt.date(2026, 4, 1), dt.date(2026, 5, 8))
    taking_in.load_reference(office, tmp_path / region / "reference")
    taking_in.take_in(office, [tmp_path / region / "submissions"], monthly.quiet)
    month = books.open_month(office)
    con, audited = auditing.audit(month)
    con.close()

    assert returned_rows(month).is_empty()
    assert {s["status"] for s in month.submissions} == {store.ACCEPTED}
    assert audited.not_run == {}
    assert audited.findings.is_empty()


@pytest.mark.parametrize("region", REGIONS)
def test_every_rule_and_every_reason_of_a_row_is_planted(region: str) -> None:
    planted = pl.read_csv(SAMPLE / region / "planted.csv", infer_schema=False)
    by_kind = {
        kind: set(planted.filter(pl.col("kind") == kind)["rule_or_reason"])
        for kind in ("finding", "return", "refusal")
    }
    known = {path.name[:3] for path in RULES.glob("*.sql")}
    pharmacies = {rule for rule in known if rule.startswith("E")} if region != "penglai" else set()
    hospitals = {rule for rule in known if not rule.startswith("E")}
    assert len(known) == 86
    assert by_kind["finding"] == (hospitals | pharmacies) - NOT_PLANTED
    assert by_kind["return"] == {f"R{number:02d}" for number in range(1, 23)}
    assert by_kind["refusal"]
    assert planted.rows() == planted.sort(planted.columns[:10], nulls_last=False).rows()
