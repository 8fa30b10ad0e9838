"""The documents say what is so: generated pages are current, and their commands run."""

import datetime as dt
import re
import shlex
from pathlib import Path

import pytest

from jobs import books, cli, monthly, status, taking_in
from schemas import dictionary
from settlement import policy, reference, store

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "sample_data" / "langfang"
MONTH, RECEIVED = dt.date(2026, 4, 1), dt.date(2026, 5, 8)


def test_the_data_dictionary_is_current() -> None:
    page = (ROOT / "docs" / "data-dictionary.md").read_text(encoding="utf-8")

    assert page == dictionary.render()


def test_the_figures_the_readme_shows_are_those_of_the_sample(tmp_path: Path) -> None:
    home = store.open_store(tmp_path)
    for name, frame in reference.read_folder(SAMPLES / "reference").items():
        store.add_reference(home, "langfang", name, frame, RECEIVED)
    taking_in.take_in(home, "langfang", MONTH, [SAMPLES / "submissions"], RECEIVED, monthly.quiet)
    month = books.open_month(home, "langfang", MONTH, RECEIVED)
    monthly.run_month(month, unattended=True)
    said = status.month_text(store.read_run(home, "langfang", MONTH), tmp_path).splitlines()
    shown = (
        (ROOT / "README.md").read_text(encoding="utf-8").split("```text\n")[1].split("```")[0].splitlines()
    )

    assert shown[1:] == said[1 : len(shown)]


def commands() -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = text.split("## A month of your own")[1].split("```")[1]
    return [re.sub(r"\s+#.*", "", line) for line in block.splitlines() if line.startswith("settle")]


def test_the_readme_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = iter([SAMPLES / "reference", SAMPLES / "submissions"])
    codes = []
    for command in commands():
        words = [str(next(folders)) if w == "DIR" else w for w in shlex.split(command)[1:]]
        monkeypatch.setattr("sys.argv", ["settle", "--home", str(tmp_path), *words])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        codes.append(stopped.value.code)

    # The sample holds returned settlements, so intake and month end with 1.
    assert codes == [0, 1, 1, 0, 0]


def test_every_command_is_in_the_readme_or_the_operations_page() -> None:
    pages = "".join((ROOT / p).read_text(encoding="utf-8") for p in ("README.md", "docs/operations.md"))
    names = [c.name or c.callback.__name__ for c in cli.app.registered_commands if c.callback]

    assert [n for n in names if not re.search(rf"\b{n}\b", pages)] == []


def test_every_region_has_sample_data_and_an_entry_in_the_changelog() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    for region in policy.regions():
        assert (ROOT / "sample_data" / region / "submissions").is_dir()
        assert region in changelog


def test_the_newest_changelog_heading_is_the_version() -> None:
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.M)
    heading = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)

    assert version
    assert heading
    assert version.group(1) == heading.group(1)


def test_the_lock_names_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")

    assert "://" not in lock
    assert not re.search(r"^--(index|extra-index|find-links)", lock, re.M)
    assert all("--hash=sha256:" in part for part in re.split(r"\n(?=\S)", lock.strip()))
