from . import (
    baseball as baseball,
    blood_pressure as blood_pressure,
    classrooms as classrooms,
    eight_schools as eight_schools,
    math_test as math_test,
    priors as priors,
)
from .generalized_two_level import GeneralizedTwoLevel as GeneralizedTwoLevel
from .groups import Counts as Counts, Estimates as Estimates, Proportions as Proportions, Replicates as Replicates
from .log_densities import LogDensity as LogDensity, log_density as log_density
from .propriety import ImproperPosteriorError as ImproperPosteriorError
from .pymc_counts import build_counts as build_counts
from .pymc_model import build as build, recover_theta as recover_theta
from .three_level import ThreeLevel as ThreeLevel
from .two_level import TwoLevel as TwoLevel
