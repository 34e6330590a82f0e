"""Two scales on single rows in PyMC, drawn from by nutpie as it does where nothing is asked."""

import sys

import nutpie
from contender_io import compete
from two_scales_pymc import in_units_of_sigma, rows_model


def sample(model, seed, watch) -> dict:
    """Compile and sample."""
    compiled = nutpie.compile_pymc_model(model)
    watch.lap("compile")
    tree = nutpie.sample(compiled, seed=seed, progress_bar=False)
    watch.lap("sampling")
    return in_units_of_sigma(tree["posterior"].dataset)


if __name__ == "__main__":
    compete(rows_model, sample, *sys.argv[1:])
