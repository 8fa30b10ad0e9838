"""Somebody asks every 100 ms while another process runs a whole month: no error, no waiting."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from settlement import store
from settlement.history import open_views
from settlement.history.declared import VIEWS
from tests import history_world
from tests.history_world import APRIL
from tests.submissions import REGION

ROOT = Path(__file__).parent.parent
RUN = """
import sys
from pathlib import Path
from tests import history_world
folder = Path(sys.argv[1])
office = history_world.office(folder / "home")
history_world.take(office, history_world.APRIL, folder / "in")
history_world.run(office, history_world.APRIL)
"""
QUESTIONS = [
    *(f"SELECT count(*) FROM {name}" for name in VIEWS),
    # Two views of one question show one moment: a decision and its entry come together or not at all.
    "SELECT (SELECT count(*) FROM v_ledger) > 0 AND (SELECT count(*) FROM v_payment) = 0",
    "SELECT (SELECT count(*) FROM v_payment) > 0 AND (SELECT count(*) FROM v_ledger) = 0",
]


# Alone on the machine no question may wait a second; beside other tests one in twenty may be slowed by them.
@pytest.mark.parametrize("slowed", [20, pytest.param(0, marks=pytest.mark.heavy)])
def test_asking_neither_waits_nor_fails_while_a_month_is_run(slowed: int, tmp_path: Path) -> None:
    history_world.office(tmp_path / "home").home.engine.dispose()
    views = open_views(tmp_path / "home")
    running = subprocess.Popen([sys.executable, "-c", RUN, str(tmp_path)], cwd=ROOT)
    waits: list[float] = []
    seen: dict[str, set[object]] = {}

    while running.poll() is None:
        question = QUESTIONS[len(waits) % len(QUESTIONS)]
        begin = time.monotonic()
        seen.setdefault(question, set()).add(views.sql(question).rows.item())
        waits.append(time.monotonic() - begin)
        time.sleep(max(0.1 - waits[-1], 0))

    assert running.returncode == 0
    # A lock would cost all of them.
    late = sorted(wait for wait in waits if wait > 1)
    assert len(late) <= (len(waits) // slowed if slowed else 0), late
    assert max(waits) < 5
    assert len(waits) > len(QUESTIONS)
    assert [seen[question] for question in QUESTIONS[-2:]] == [{False}, {False}]
    assert len(seen["SELECT count(*) FROM v_log"]) > 1
    finished = store.read_table(store.open_store(tmp_path / "home"), REGION, APRIL, "findings")
    assert views.sql("SELECT count(*) FROM v_finding").rows.item() == finished.height > 0


def test_asking_does_not_wait_for_a_writer(home: Path) -> None:
    office = history_world.office(home)
    views = open_views(home)
    question = "SELECT count(*) FROM v_log"
    before = views.sql(question).rows.item()

    with store.writing(office.home) as db:
        store.log.write(db, office.desk().act("intake"), store.Change("half done"))
        begin = time.monotonic()
        assert views.sql(question).rows.item() == before
        assert time.monotonic() - begin < 2
    assert views.sql(question).rows.item() == before + 1
    views.close()
    office.home.engine.dispose()


def test_a_notebook_sees_what_came_since_it_was_opened(home: Path, tmp_path: Path) -> None:
    office = history_world.office(home)
    with open_views(home) as views:
        assert [views.sql(f"SELECT count(*) FROM {name}").rows.item() for name in VIEWS][:6] == [0] * 6
        assert views.sql("SELECT count(*) FROM v_settlement").rows.item() == 0
        history_world.take(office, APRIL, tmp_path / "in")
        assert views.sql("SELECT count(*) FROM v_settlement").rows.item() == 22
        assert views.sql("SELECT count(*) FROM v_fee").rows.item() == 44
    office.home.engine.dispose()
