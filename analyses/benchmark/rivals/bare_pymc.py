"""What the simplest use of PyMC takes: import it, and sample eight noncentered effects once."""

import numpy as np
import pymc as pm

EFFECTS, ERRORS = np.array([28.0, 8, -3, 7, -1, 1, 18, 12]), np.array([15.0, 10, 16, 11, 9, 11, 10, 18])


def main() -> None:
    """Sample, chains in turn."""
    with pm.Model():
        mu, tau, z = pm.Normal("mu", 0, 5), pm.HalfCauchy("tau", 5), pm.Normal("z", shape=8)
        pm.Normal("y", mu + tau * z, ERRORS, observed=EFFECTS)
        pm.sample(cores=1, random_seed=1, progressbar=False)


if __name__ == "__main__":
    main()
