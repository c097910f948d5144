"""A rehearsed host to compare variants on, one for a module: it idles between tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.edits import EditHost, edit_host


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EditHost]:
    with edit_host(tmp_path_factory.mktemp("home")) as made:
        yield made


@pytest.fixture
def photo(host: EditHost) -> Path:
    return host.picture()
