"""The math tests on single rows in PyMC, drawn from by nutpie."""

import sys

import nutpie
from contender_io import SAMPLER, Stopwatch, hand_in, read
from pymc_rows import rows_model


def sample(model, seed: int, watch: Stopwatch):
    """Compile and sample, chains in turn, and return the draws as a DataTree.

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
    return tree


def main(rows: str, folder: str, seed: str) -> None:
    """Sample from the rows."""
    frame = read(rows)
    watch = Stopwatch()
    model = rows_model(frame)
    watch.lap("setup")
    tree = sample(model, int(seed), watch)
    hand_in(folder, watch.seconds, tree["posterior"].dataset)


if __name__ == "__main__":
    main(*sys.argv[1:])
