"""Draws that are right."""

import numpy as np
import pytest

from analyses.engines import exact
from analyses.reference.__main__ import main as make
from models import eight_schools


@pytest.fixture(scope="session")
def right():
    """Independent draws of eight schools, 4 x 1000."""
    posterior = exact.posterior(eight_schools.model()).draw(draws=1000, chains=4, rng=np.random.default_rng(72))
    return {name: posterior["posterior"][name].values for name in ("mu", "tau", "theta")}


@pytest.fixture(scope="session")
def shipped(tmp_path_factory):
    """Files of independent draws of the references, each made once."""
    folder = tmp_path_factory.mktemp("shipped")

    def file(name):
        path = folder / f"{name}.csv"
        if not path.exists():
            assert make([name, "--draws", str(path), "--size", "4000"]) == 0
        return path

    return file
