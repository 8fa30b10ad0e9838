"""The order of a month: what the machine can do by itself, and the robots of a demonstration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from jobs import auditing, documents, paying, replying, reviewing, settling
from jobs.books import open_month
from jobs.office import Office, chosen
from jobs.progress import Progress, quiet
from settlement import procedure, store
from settlement.errors import ProcedureError

__all__ = ["Done", "advance", "quiet", "unattended"]


@dataclass(frozen=True)
class Done:
    """What a run through the month did: steps with how many batches each moved, and the data folder."""

    steps: list[tuple[str, int]]
    folder: Path


def advance(office: Office, progress: Progress = quiet) -> Done:
    """Do everything that needs no person, as the machine: audit, notices, windows, statements, closing.

    Batches that need a person stay where they are; `jobs.status.next_steps` says who must do what.

    Raises:
        SettlementError: nothing was taken in for the month.
    """
    machine = office.by(procedure.MACHINE)
    steps = [
        ("audit", lambda: len(auditing.run_audit(machine, progress))),
        ("notify", lambda: len(replying.notify(machine, (), progress).done)),
        ("close_feedback", lambda: len(replying.close_feedback(machine).done)),
        ("calculate", lambda: len(settling.calculate(machine, (), progress).done)),
        ("close", lambda: len(paying.close(machine).done)),
    ]
    return _run(office, steps, progress)


def unattended(office: Office, progress: Progress = quiet) -> Done:
    """Do everything, each missing step of a person taken by the robot of that post.

    违规 are upheld, 可疑 withdrawn. It ends with the bank files written: the bank is nobody's robot.

    Raises:
        ProcedureError: the home's settings refuse robots.
    """
    if office.home.settings.unattended != "allowed":
        raise ProcedureError("本目录的设置(settle.toml 的 unattended)不允许机器人代行人工步骤。")

    def by(duty: str) -> Office:
        return office.by(f"robot_{duty}")

    def approve() -> int:
        first = settling.approve(by("leader"))
        return len(first.done) + len(settling.approve(by("leader_2")).done)

    def reviewed() -> int:
        reviewing.robot(by("second_review"))
        return len(reviewing.finish(by("second_review")).done)

    steps = [
        ("audit", lambda: len(auditing.run_audit(by("first_review"), progress))),
        ("notify", lambda: len(replying.notify(by("first_review"), (), progress).done)),
        ("reply", lambda: replying.robot_reply(by("institution"))),
        ("close_feedback", lambda: len(replying.close_feedback(office.by(procedure.MACHINE)).done)),
        ("review", reviewed),
        ("calculate", lambda: len(settling.calculate(by("settlement"), (), progress).done)),
        ("approve", approve),
        ("disburse", lambda: len(paying.disburse(by("finance")).moved.done)),
        ("close", lambda: len(paying.close(office.by(procedure.MACHINE)).done)),
    ]
    return _run(office, steps, progress)


def _run(office: Office, steps: list[tuple[str, Callable[[], int]]], progress: Progress) -> Done:
    done = [(name, step()) for name, step in steps]
    documents.write(office, progress)
    return Done(done, store.publish(office.home, office.region, office.first))


def write_all(office: Office, progress: Progress = quiet) -> list[Path]:
    """Write every document of the month again, the institutions' workbooks included; `data` is put back."""
    month = open_month(office, pinned=documents.last_run(office))
    store.publish(office.home, office.region, office.first)
    written = replying.write_notices(office, month, progress)
    written += reviewing.write_reviewed(office)
    paying.put_back(office)
    return sorted({*written, *documents.write(office, progress)})


def waiting(office: Office) -> dict[str, int]:
    """Return how many batches of the month are in each state."""
    counts: dict[str, int] = {}
    for batch in chosen(office, tuple(procedure.STATES)):
        counts[batch.state] = counts.get(batch.state, 0) + 1
    return counts
