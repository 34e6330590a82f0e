"""A random intercept in mixedlm-rs, from rows in a pandas frame."""

import sys
import warnings
from pathlib import Path

import pandas as pd
from contender_io import Stopwatch, write_record
from mixedlm_rs import ExperimentalWarning, mixedlm


def main(rows: str, folder: str, _: str) -> None:
    """Fit by restricted maximum likelihood."""
    warnings.simplefilter("ignore", ExperimentalWarning)
    frame = pd.concat([pd.read_parquet(file) for file in sorted(Path(rows).glob("*.parquet"))], ignore_index=True)
    watch = Stopwatch()
    mixedlm("score ~ 1", frame, groups=frame["school"]).fit()
    watch.lap("fit")
    write_record(folder, **watch.measured)


if __name__ == "__main__":
    main(*sys.argv[1:])
