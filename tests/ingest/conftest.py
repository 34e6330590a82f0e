"""How much of a file is read at a time."""

import pytest

from analyses.ingest import reader


@pytest.fixture
def batch(monkeypatch):
    """Set how many rows are read at a time."""
    return lambda size: monkeypatch.setattr(reader, "BATCH", size)
