"""Do the groups differ at all? The Bayes factor of tau = 0, and how it moves with the scale of tau's prior.

    p(data | tau = 0) / p(data | tau ~ its prior)

Improper priors of mu and sigma are common to both models and cancel. That of tau is not: without a proper one the
second density has no constant, and the factor no value.
"""

import numpy as np
import pandas as pd
from scipy.special import expit

from analyses.engines import exact
from models.priors import Scale
from models.two_level import TwoLevel

FACTORS = 2.0 ** np.arange(-3, 4)  # of the prior's scale, in a table
SWEEP = np.geomspace(1 / 32, 32, 200)  # in a picture


def by_scale(model: TwoLevel, factors: np.ndarray = FACTORS) -> pd.DataFrame:
    """Bayes factors of tau = 0 against tau's prior with its scale multiplied by some factors.

    Parameters
    ----------
    model : TwoLevel
    factors : ndarray

    Returns
    -------
    DataFrame
        log_bayes_factor, bayes_factor, and p_no_spread, the probability of tau = 0 where it is 1/2 beforehand; a row a
        factor.

    Raises
    ------
    ValueError
        Where tau's prior is improper, or the posterior is.

    Examples
    --------
    >>> from models import eight_schools
    >>> round(float(by_scale(eight_schools.weakly_informative(), [1.0])["bayes_factor"].iloc[0]), 3)
    1.595
    """
    require_proper_prior(model.tau)
    scaled = [model.tau.scaled(1 / factor) for factor in factors]
    log_factor = exact.log_evidence_without_spread(model) - exact.log_evidences(model, scaled)
    with np.errstate(over="ignore"):
        columns = {"log_bayes_factor": log_factor, "bayes_factor": np.exp(log_factor), "p_no_spread": expit(log_factor)}
    return pd.DataFrame(columns, index=pd.Index(factors, name="factor"))


def require_proper_prior(tau: Scale) -> None:
    """Refuse an improper prior of tau.

    Raises
    ------
    ValueError
    """
    if not tau.proper:
        raise ValueError(
            f"the Bayes factor of tau = 0 has no value: the prior {tau} of tau is improper, so its density has no "
            "constant. Give tau a proper prior, such as HalfNormal(sd)"
        )
