"""The story, told once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import write_settings
from tests.story.telling import Telling, tell


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Telling:
    """The whole story on SQLite, with a copy of the home before every act."""
    return tell(tmp_path_factory.mktemp("story"), keep=True)


@pytest.fixture(scope="session")
def on_postgresql(
    tmp_path_factory: pytest.TempPathFactory, new_database: Callable[[str], str], story: Telling
) -> Telling:
    """The same story on PostgreSQL, with the very same papers from outside."""
    folder: Path = tmp_path_factory.mktemp("story_postgresql")
    write_settings(folder / "home", new_database("postgresql"))
    return tell(folder, outside=story.place.outside)
