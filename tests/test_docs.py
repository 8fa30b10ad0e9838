"""The documents say what is so: generated pages are current, commands run, tables and links hold."""

import datetime as dt
import re
import shlex
import subprocess
from pathlib import Path
from typing import get_args

import polars as pl
import pytest
import typer.main
from pydantic import BaseModel

from jobs import cli, demonstration, due, monthly
from jobs.demonstration import Demonstration
from schemas import dictionary
from settlement import policy, procedure, settings, store
from settlement.feedback.reasons import REASONS
from settlement.labels import LABELS
from settlement.procedure import DEEDS, ROLES, STATES

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "docs/operations.md", "docs/procedure.md")


def page(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def blocks(path: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page(path), re.M | re.S)


def test_the_data_dictionary_is_current() -> None:
    assert page("docs/data-dictionary.md") == dictionary.render()


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Demonstration:
    home = store.open_store(tmp_path_factory.mktemp("demo"))
    return demonstration.run(home, monthly.quiet)


def test_what_the_readme_shows_is_what_the_demonstration_prints(shown: Demonstration) -> None:
    said = re.sub("指纹 [0-9a-f]+", "指纹 …", shown.as_text()).splitlines()
    region, timeline = (block.splitlines() for block in blocks("README.md", "text")[:2])

    start = said.index(region[0])
    assert region == said[start : start + len(region)]
    assert timeline == [line for line in said if line in timeline]
    assert len(timeline) == 1 + len(policy.regions())


def test_the_demonstration_closes_every_region_inside_its_limit(shown: Demonstration) -> None:
    assert set(shown.ways["region"]) == set(policy.regions())
    assert set(shown.ways["state"]) == {procedure.CLOSED}
    assert shown.ways["on_time"].all()
    assert (shown.ways["days_left"] >= 0).all()
    assert not pl.concat(shown.payments.values()).is_empty()


def steps() -> list[str]:
    """The lines of the README's month, without comments."""
    (block,) = (b for b in blocks("README.md", "sh") if "intake" in b)
    return [line for line in block.splitlines() if line and not line.startswith("#")]


def settle(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["settle", *words])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    return int(stopped.value.code or 0)


def test_the_month_of_the_readme_can_be_pasted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sample_data").symlink_to(ROOT / "sample_data")
    monkeypatch.chdir(tmp_path)
    function, *lines = steps()
    (shared,) = re.findall(r"^s\(\) { \.venv/bin/settle (.*) \"\$@\"; }$", function)
    codes = {}
    for line in lines:
        if line.startswith("s "):
            codes[line] = settle(
                monkeypatch, *shlex.split(shared), *shlex.split(line.removeprefix("s "), comments=True)
            )
        else:
            assert subprocess.run(["bash", "-ec", line], check=False).returncode == 0, line
    said = capsys.readouterr().out

    # The sample holds returned settlements, which intake and audit tell with 1.
    assert {line: code for line, code in codes.items() if code} == {
        line: 1 for line in codes if line.endswith((" audit", "/submissions"))
    }
    assert "采纳 1 条(新登记 1 条),未采纳 0 条" in said
    assert "成功 59  失败 0  无此业务号 0  重复 0  矛盾 0  无法读取 0" in said
    assert "已办结 9 " in said
    assert "校验通过" in said
    refused = settle(monkeypatch, *shlex.split(shared), "--as", "li", "--today", "2026-05-21", "approve")
    assert refused == 3
    assert "不能办理核准" in capsys.readouterr().err


def test_the_readme_month_writes_what_its_table_names(shown: Demonstration) -> None:
    folder = shown.home / "langfang" / "2026-04"
    there = {p.name for p in folder.rglob("*") if p.is_file()}
    rows = page("README.md").split("## What a month leaves behind")[1].split("\n## ")[0]
    named = {n.split("/")[-1] for n in re.findall(r"`([^`]+\.(?:xlsx|csv|json))`", rows)}
    # Those that come with a reviewer's export, or with an advance.
    elsewhere = {"06_复审工作表.xlsx", "11_周转金台账.xlsx", "…_控制.csv"}

    assert {n for n in named - elsewhere if "*" not in n} <= there
    numbered = {n[:2] for n in named if re.match(r"\d\d_", n)}
    assert numbered == {f"{n:02d}" for n in range(1, 15)}


def leaves(group: typer.core.TyperGroup, before: str = "") -> list[str]:
    found = []
    for name, command in group.commands.items():
        if isinstance(command, typer.core.TyperGroup):
            found += leaves(command, f"{before}{name} ")
        else:
            found.append(f"{before}{name}")
    return found


def test_every_command_is_in_the_readme_or_the_operations_page() -> None:
    pages = "".join(page(p) for p in PAGES)
    names = leaves(typer.main.get_group(cli.app))

    assert "review finish" in names
    assert [n for n in names if not re.search(rf"\b{n}\b", pages)] == []


def test_the_table_of_deeds_is_that_of_the_procedure() -> None:
    table = page("docs/operations.md").split("| deed | command | roles | duty |")[1].split("\n\n")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]

    told = {row[0]: (tuple(row[2].split(", ")), row[3]) for row in rows}
    assert told == {f"{d.zh} {d.en}": (d.roles, d.duty) for d in DEEDS.values()}
    commands = leaves(typer.main.get_group(cli.app))
    named = [name for row in rows for name in re.findall(r"`([^`]+)`", row[1])]
    assert [n for n in named if n not in commands and n != "review"] == []


def test_the_settings_of_the_operations_page_are_all_there_are_and_can_be_read(tmp_path: Path) -> None:
    (text,) = blocks("docs/operations.md", "toml")
    (tmp_path / settings.FILE).write_text(text, encoding="utf-8")

    read = settings.load(tmp_path)

    assert read.schedule == settings.Schedule()
    assert read.mail == settings.Mail()
    keys = re.findall(r"^(\w+) =", text, re.M)
    fields = list(settings.Settings.model_fields.values())
    inner = [
        f.annotation for f in fields if isinstance(f.annotation, type) and issubclass(f.annotation, BaseModel)
    ]
    wanted = {n for s in inner for n in s.model_fields} | {"unattended", "contact"}
    assert set(keys) == wanted
    security = settings.Mail.model_fields["security"].annotation
    assert all(word in text for word in get_args(security))


def test_every_state_and_code_is_in_the_procedure_page() -> None:
    text = page("docs/procedure.md")
    codes = {*REASONS, *re.findall(r"review\.(D\d\d)\b", " ".join(LABELS))}

    assert [s for s, (zh, _) in STATES.items() if f"{zh} {s}" not in text] == []
    assert [r for r, (zh, _) in ROLES.items() if zh not in text + page("docs/operations.md")] == []
    assert len(codes) > 20
    assert [c for c in sorted(codes) if f"| {c} |" not in text] == []


def test_every_kept_table_is_in_the_procedure_page() -> None:
    text = page("docs/procedure.md")
    technical = {"edge", "month_run", "reference_version", "stored_file", "adjustment_confirmation"}
    kept = {t.name for t in store.schema.APPEND_ONLY} - technical

    assert [name for name in sorted(kept) if f"`{name}`" not in text] == []


def test_every_job_of_the_scheduler_is_in_the_operations_page() -> None:
    part = page("docs/operations.md").split("## The scheduler")[1].split("## Backup")[0]
    words = {
        "intake": "submissions",
        "reply": "replies",
        "receipt": "bank",
        "close_feedback": "close feedback",
        "deadline_watch": "12_时限监测表",
        "deliver": "send messages",
    }

    assert [n for n in due.NAMES if words.get(n, n) not in part] == []


def test_every_parameter_a_region_sets_is_in_the_page_on_regions() -> None:
    text = page("docs/add-a-region.md")
    known = {n for region in policy.regions() for n in policy.load(region).parameters}
    stem = {n for n in known if n.startswith(("stage_days_", "deadline_", "deposit_"))}

    assert [n for n in sorted(stem) if not named_in(n, text)] == []
    for name in ("feedback_days", "declare_cutoff_day", "approval_second_above", "review_sample_share"):
        assert f"`{name}`" in text
    assert {n for n in re.findall(r"`([a-z]+_[a-z_]+)`", text) if n in known} <= known


def named_in(name: str, text: str) -> bool:
    """Whether a parameter is named in full, or by its ending after another of its kind."""
    return f"`{name}`" in text or any(f"`{name[i:]}`" in text for i in range(len(name)) if name[i] == "_")


@pytest.mark.parametrize("path", [p.relative_to(ROOT).as_posix() for p in sorted(ROOT.glob("docs/*.md"))])
def test_links_and_modules_named_are_there(path: str) -> None:
    text = page(path)
    links = re.findall(r"\]\(([^)#]+)\)", text)
    files = re.findall(r"`((?:settlement|jobs|schemas|tests|sample_data)/[\w./]+)`", text)

    assert [x for x in links if "://" not in x and not (ROOT / "docs" / x).exists()] == []
    assert [f for f in files if not (ROOT / f).exists()] == []


def test_links_of_the_readme_are_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", page("README.md"))

    assert links
    assert [x for x in links if not (ROOT / x).exists()] == []


def test_the_unit_file_starts_a_command_there_is() -> None:
    (unit,) = blocks("docs/operations.md", "ini")

    assert re.search(r"^ExecStart=\S+/settle --home \S+ schedule$", unit, re.M)


def test_every_region_has_sample_data_and_an_entry_in_the_changelog() -> None:
    for region in policy.regions():
        assert (ROOT / "sample_data" / region / "submissions").is_dir()
        assert region in page("CHANGELOG.md")


def test_the_newest_changelog_heading_is_the_version() -> None:
    version = re.search(r'^version = "(.+)"', page("pyproject.toml"), re.M)
    heading = re.search(r"^## (\S+) — (\S+)", page("CHANGELOG.md"), re.M)

    assert version
    assert heading
    assert version.group(1) == heading.group(1)
    assert dt.date.fromisoformat(heading.group(2))


def test_the_version_is_said_once() -> None:
    version = re.search(r'^version = "(.+)"', page("pyproject.toml"), re.M)
    code = re.search(r'^__version__ = "(.+)"', page("settlement/__init__.py"), re.M)

    assert version
    assert code
    assert version.group(1) == code.group(1)


def test_the_lock_names_no_address() -> None:
    lock = page("requirements.lock")

    assert "://" not in lock
    assert not re.search(r"^--(index|extra-index|find-links)", lock, re.M)
    assert all("--hash=sha256:" in part for part in re.split(r"\n(?=\S)", lock.strip()))
