"""What all tests share: a server where none was named, and no job that leaves the test's transaction."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from hypothesis import settings as hypothesis

from archive import postgres

# What is tested is what everybody has; tests of the encoder ask for it.
os.environ["AFTERWORD_ENCODER"] = "off"

hypothesis.register_profile("untimed", deadline=None)  # a busy machine is no failure of what is tested
hypothesis.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    words = "write tests/permissions.tsv anew; look at what is different before it is committed"
    parser.addoption("--write-permissions", action="store_true", help=words)


@pytest.fixture(autouse=True)
def no_page_cache(settings: Any) -> None:
    """Tests change rows behind the archive's back, and count queries: each page is made anew. See test_page_cache."""
    settings.PAGE_CACHE_BYTES = 0


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> Iterator[None]:
    """`pytest` alone, without `make test`: tests that need a database get an embedded server of their own."""
    if os.environ.get("DATABASE_URL"):
        yield
        return
    with postgres.temporary_server() as server:
        connections["default"].settings_dict |= postgres.connection(server.data_dir)
        yield
        connections.close_all()
