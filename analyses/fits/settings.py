"""How a run is done: seed, engines, lengths of chains; and how long its stages took."""

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np

from analyses.catalog import ENGINES
from analyses.checks.league_table import End
from analyses.engines.effective_size import LEAST_DRAWS
from analyses.ingest.request import Request


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a run may be asked for. draws, tune and chains speak to NUTS; `best` is the study's own where it is None.

    `request` is the file that a study is to answer for, where there is one.
    """

    seed: int = 1
    draws: int = 1000
    tune: int = 500
    chains: int = 4
    cores: int = 1
    engines: tuple[str, ...] = ENGINES
    best: End | None = None
    progress: bool = False
    target_accept: float = 0.9
    request: Request | None = None

    def rng(self, *names: str) -> np.random.Generator:
        """Return the generator for one purpose. It does not depend on what else is run."""
        return np.random.default_rng([self.seed, *(crc32(name.encode()) for name in names)])

    def nuts(self, *names: str, share: float = 1.0) -> dict:
        """Arguments of nuts.sample for one purpose, with a share of the draws where so many are not needed."""
        rng, draws = self.rng("nuts", *names), max(int(share * self.draws), LEAST_DRAWS)
        numbers: dict[str, Any] = {"draws": draws, "tune": self.tune, "chains": self.chains, "cores": self.cores}
        numbers["target_accept"] = self.target_accept
        return numbers | {"progress": self.progress, "seed": int(rng.integers(2**31)), "rng": rng}


@contextmanager
def timed(seconds: dict[str, float], stage: str):
    """Note how long a stage took."""
    started = time.perf_counter()
    yield
    seconds[stage] = time.perf_counter() - started
