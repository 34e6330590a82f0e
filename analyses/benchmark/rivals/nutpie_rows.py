"""The math tests on single rows in PyMC, drawn from by nutpie."""

import sys

import nutpie
from contender_io import SAMPLER, compete
from pymc_rows import rows_model


def sample(model, seed, watch):
    """Compile and sample, chains in turn.

    nutpie does not say when it has tuned: its time is divided by the number of its steps, which cost the same before
    and after.
    """
    compiled = nutpie.compile_pymc_model(model)
    watch.lap("compile")
    tree = nutpie.sample(compiled, **SAMPLER, seed=seed, progress_bar=False)
    watch.lap("sampling")
    kept, tuning = (float(tree[group]["n_steps"].sum()) for group in ("sample_stats", "warmup_sample_stats"))
    tuned = watch.seconds["sampling"] * tuning / (kept + tuning)
    watch.seconds["setup"] += tuned
    watch.seconds["sampling"] -= tuned
    return tree["posterior"].dataset


if __name__ == "__main__":
    compete(rows_model, sample, *sys.argv[1:])
