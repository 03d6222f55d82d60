"""One small publication for all tests that only read it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kehu.settings import Settings, load
from report.build import build
from report.published import Reader
from tests.report import made
from warehouse.connection import read_published


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a home with the made publication."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("KEHU_HOME", str(tmp_path_factory.mktemp("report")))
        settings = load()
    made.publish(settings)
    return settings


@pytest.fixture(scope="session")
def folder(published: Settings) -> Path:
    """The folder with its pages."""
    return build(published).parent


@pytest.fixture(scope="session")
def reader(published: Settings) -> Iterator[Reader]:
    with read_published(published.published_file.resolve()) as connection:
        yield Reader(connection, "v")
