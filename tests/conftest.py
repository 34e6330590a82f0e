"""What several files of tests need."""

import os
from pathlib import Path

import pytest

# Helpers that assert say what they compared, as tests do.
pytest.register_assert_rewrite(
    *(f"helpers.{name}" for name in ("arviz_calls", "audits", "cases", "own_tables", "runs", "scans", "thousands"))
)


@pytest.fixture
def raw():
    """The folder of raw rows."""
    folder = os.environ.get("PARTIAL_POOLING_RAW")
    if not folder:
        pytest.skip("PARTIAL_POOLING_RAW does not name the folder of the raw rows")
    return Path(folder)
