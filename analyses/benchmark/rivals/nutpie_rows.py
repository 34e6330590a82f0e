"""The math tests on single rows in PyMC, drawn from by nutpie."""

import sys
import time

import nutpie
from contender_io import hand_in_tree, read
from pymc_rows import stated


def main(rows: str, folder: str, seed: str) -> None:
    """Sample, chains in turn."""
    frame = read(rows)
    started = time.perf_counter()
    model = stated(frame)
    built = time.perf_counter()
    compiled = nutpie.compile_pymc_model(model)
    ready = time.perf_counter()
    tree = nutpie.sample(compiled, draws=1000, tune=1000, chains=4, cores=1, seed=int(seed), progress_bar=False)
    ran = time.perf_counter() - ready
    # It does not say when it has tuned: the time goes by its steps, which cost the same before and after.
    steps, tuning = (float(tree[group]["n_steps"].sum()) for group in ("sample_stats", "warmup_sample_stats"))
    sampling = ran * steps / (steps + tuning)
    seconds = {"setup": built - started + ran - sampling, "compile": ready - built, "sampling": sampling}
    hand_in_tree(folder, seconds, tree["posterior"].dataset)


if __name__ == "__main__":
    main(*sys.argv[1:])
