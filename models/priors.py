"""Priors. That of a scale is a density of the standard deviation itself, whatever scale its name is on.

Each knows

    log_density(sd)                log of that density; an improper one has no constant
    rising(sd), falling(sd)        its two parts: one never falls as sd grows, the other never rises
    draw(size, rng)                of the sd, where it is proper
    conditionals(name, residuals)  what Gibbs draws of `name`, the variance; residuals(state) gives how many deviations
                                   have that variance, and their sum of squares
    initial(name, sd)              values that PyMC's variables have where the sd is that
    variable(name)                 what PyMC samples; its constants are np.float64, as the logarithm of a plain float
                                   that fits single precision would be taken in it
    proper                         whether it integrates to one
    tail_exponent                           t where the density falls like sd^-t
    origin_exponent                           z where it begins like sd^z at 0
    scaled(unit)                   the same prior of the sd in another unit
    power_scaled(alpha)                 its density to the power alpha, made a prior again
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaln

from models import distributions
from models.distributions import Conditionals, Numbers, State

if TYPE_CHECKING:
    from pytensor.tensor import TensorVariable

Residuals = Callable[[State], tuple[float, np.ndarray]]
Size = int | tuple[int, ...]


@dataclass(frozen=True)
class InverseGamma:
    """sd^2 ~ InverseGamma(shape, scale): p(sd) = 2 scale^shape / Gamma(shape) sd^(-2 shape - 1) exp(-scale / sd^2).

    With scale 0 it is improper: p(sd) = sd^(-2 shape - 1). `JEFFREYS`, `FLAT` and `FLAT_VARIANCE` are of that kind.

    Raises
    ------
    ValueError
        For a negative scale, or a positive one whose shape is not.

    Examples
    --------
    >>> str(InverseGamma(0.5, 0.5)), str(FLAT)
    ('InverseGamma(0.5, 0.5) on its square', 'Uniform()')
    """

    shape: float
    scale: float = 0.0

    def __post_init__(self):
        if self.scale < 0 or (self.scale > 0 and self.shape <= 0):
            raise ValueError(f"InverseGamma({self.shape}, {self.scale}) is no density: give a positive shape and scale")

    def __str__(self):
        named = {0.0: "1/variance", -0.5: "Uniform()", -1.0: "Uniform() on its square"}
        improper = named.get(self.shape, f"InverseGamma({self.shape:g}, 0) on its square")
        return f"InverseGamma({self.shape:g}, {self.scale:g}) on its square" if self.proper else improper

    @property
    def proper(self) -> bool:
        """Whether it integrates to one."""
        return self.scale > 0

    @property
    def tail_exponent(self) -> float:
        """The power that its density falls with."""
        return 2 * self.shape + 1

    @property
    def origin_exponent(self) -> float:
        """The power that its density begins with."""
        return np.inf if self.proper else -self.tail_exponent

    def scaled(self, unit: float) -> "InverseGamma":
        """Of the sd in that unit."""
        return InverseGamma(self.shape, self.scale / unit / unit)

    def power_scaled(self, alpha: float) -> "InverseGamma":
        """To the power alpha: sd^(-alpha (2 shape + 1)) exp(-alpha scale / sd^2).

        Jeffreys' 1 / sd says no more than that the scale of sd is unknown, and stays what it is.
        """
        if self == JEFFREYS:
            return self
        return InverseGamma((alpha * self.tail_exponent - 1) / 2, alpha * self.scale)

    @property
    def log_constant(self) -> float:
        """Log of what its kernel is multiplied by; 0 where it is improper."""
        return np.log(2) + self.shape * np.log(self.scale) - gammaln(self.shape) if self.proper else 0.0

    def log_density(self, sd: Numbers) -> Numbers:
        """Log density at each sd."""
        return self.rising(sd) + self.falling(sd)

    def rising(self, sd: Numbers) -> Numbers:
        """Part of the log density that never falls as sd grows."""
        return max(-self.tail_exponent, 0.0) * np.log(sd) - self.scale / sd**2

    def falling(self, sd: Numbers) -> Numbers:
        """Part of the log density that never rises as sd grows."""
        return self.log_constant - max(self.tail_exponent, 0.0) * np.log(sd)

    def draw(self, size: Size, rng: np.random.Generator) -> np.ndarray:
        """Draw so many.

        Raises
        ------
        ValueError
            Where it is improper.
        """
        if not self.proper:
            raise ValueError(f"{self} is improper: nothing can be drawn from it")
        return np.sqrt(self.scale / rng.standard_gamma(self.shape, size))

    def given(self, count: Numbers, squares: Numbers) -> distributions.InverseGamma:
        """Law of the variance given `count` normal deviations with that variance and their sum of squares."""
        return distributions.InverseGamma(self.shape + count / 2, self.scale + squares / 2)

    def conditionals(self, name: str, residuals: Residuals) -> Conditionals:
        """Conjugate: one inverse gamma."""
        return {name: lambda state: self.given(*residuals(state))}

    def initial(self, name: str, sd: float) -> dict[str, float]:
        """Values of the variables that PyMC samples where the sd is that."""
        if self.proper:
            return {f"{name}2": sd**2}
        named = {0.0: (f"log_{name}", np.log(sd)), -0.5: (name, sd)}
        return dict([named.get(self.shape, (f"{name}_power", sd ** (-2 * self.shape)))])

    def variable(self, name: str) -> "TensorVariable":
        """PyMC's variable of the sd. Improper: flat on that power of it, or its log, whose density is constant."""
        import pymc as pm

        if self.proper:
            return pm.Deterministic(
                name, pm.InverseGamma(f"{name}2", *map(np.float64, (self.shape, self.scale))) ** 0.5
            )
        if self.shape == 0:
            return pm.Deterministic(name, pm.math.exp(pm.Flat(f"log_{name}")))
        if self.shape == -0.5:
            return pm.HalfFlat(name)
        return pm.Deterministic(name, pm.HalfFlat(f"{name}_power") ** (-0.5 / self.shape))


JEFFREYS = InverseGamma(0.0)  # p(sd^2) = 1/sd^2
FLAT = InverseGamma(-0.5)  # p(sd) = 1
FLAT_VARIANCE = InverseGamma(-1.0)  # p(sd^2) = 1


@dataclass(frozen=True)
class HalfStudentT:
    """p(sd) = 2 Gamma((nu + 1)/2) / (Gamma(nu/2) sqrt(pi nu) scale) (1 + (sd / scale)^2 / nu)^(-(nu + 1)/2).

    As a mixture: sd^2 | a ~ InverseGamma(nu/2, nu/a), a ~ InverseGamma(1/2, 1/scale^2) (Wand et al. 2011).

    Raises
    ------
    ValueError
        For degrees of freedom or a scale that are not positive.
    """

    nu: float
    scale: float
    proper = True
    origin_exponent = 0.0

    def __post_init__(self):
        if not (self.nu > 0 and self.scale > 0):
            raise ValueError(f"{self} needs positive degrees of freedom and a positive scale")

    def __str__(self):
        return f"HalfCauchy({self.scale:g})" if self.nu == 1 else f"HalfStudentT({self.nu:g}, {self.scale:g})"

    @property
    def tail_exponent(self) -> float:
        """The power that its density falls with."""
        return self.nu + 1.0

    def scaled(self, unit: float) -> "HalfStudentT":
        """Of the sd in that unit."""
        return HalfStudentT(self.nu, self.scale / unit)

    def power_scaled(self, alpha: float) -> "HalfStudentT":
        """To the power alpha: again a half-t, of alpha (nu + 1) - 1 degrees of freedom.

        Raises
        ------
        ValueError
            Where that leaves none.
        """
        if (nu := alpha * self.tail_exponent - 1) <= 0:
            raise ValueError(f"{self} to the power {alpha} is no density")
        return HalfStudentT(nu, self.scale * np.sqrt(self.nu / nu))

    def log_density(self, sd: Numbers) -> Numbers:
        """Log density at each sd."""
        half = (self.nu + 1) / 2
        constant = np.log(2) + gammaln(half) - gammaln(self.nu / 2) - np.log(np.pi * self.nu) / 2 - np.log(self.scale)
        return constant - half * np.log1p((sd / self.scale) ** 2 / self.nu)

    def rising(self, sd: Numbers) -> Numbers:
        """Part of the log density that never falls as sd grows: none."""
        return np.zeros_like(sd)

    falling = log_density

    def draw(self, size: Size, rng: np.random.Generator) -> np.ndarray:
        """Draw so many."""
        return self.scale * np.abs(rng.standard_t(self.nu, size))

    def conditionals(self, name: str, residuals: Residuals) -> Conditionals:
        """Conjugate given the mixing variable a, which is drawn first."""
        a = f"{name}_mixing"

        def mixing(state):
            return distributions.InverseGamma((self.nu + 1) / 2, self.scale**-2 + self.nu / state[name])

        def variance(state):
            count, squares = residuals(state)
            return distributions.InverseGamma((self.nu + count) / 2, self.nu / state[a] + squares / 2)

        return {a: mixing, name: variance}

    def initial(self, name: str, sd: float) -> dict[str, float]:
        """Values of the variables that PyMC samples where the sd is that."""
        return {name: sd}

    def variable(self, name: str) -> "TensorVariable":
        """PyMC's variable of the sd."""
        import pymc as pm

        return pm.HalfStudentT(name, *map(np.float64, (self.nu, self.scale)))


def HalfCauchy(scale: float) -> HalfStudentT:
    """p(sd) = 2 / (pi scale (1 + (sd / scale)^2)): one degree of freedom.

    Examples
    --------
    >>> round(float(np.exp(HalfCauchy(5.0).log_density(0.0))), 4)
    0.1273
    """
    return HalfStudentT(1.0, scale)


@dataclass(frozen=True)
class HalfNormal:
    """p(sd) = sqrt(2 / pi) / scale exp(-sd^2 / (2 scale^2)).

    Raises
    ------
    ValueError
        For a scale that is not positive.
    """

    scale: float
    proper = True
    tail_exponent = np.inf
    origin_exponent = 0.0

    def __post_init__(self):
        if not self.scale > 0:
            raise ValueError(f"{self} needs a positive scale")

    def __str__(self):
        return f"HalfNormal({self.scale:g})"

    def scaled(self, unit: float) -> "HalfNormal":
        """Of the sd in that unit."""
        return HalfNormal(self.scale / unit)

    def power_scaled(self, alpha: float) -> "HalfNormal":
        """To the power alpha: narrower by its root."""
        return HalfNormal(self.scale / np.sqrt(alpha))

    def log_density(self, sd: Numbers) -> Numbers:
        """Log density at each sd."""
        return np.log(2 / np.pi) / 2 - np.log(self.scale) - (sd / self.scale) ** 2 / 2

    def rising(self, sd: Numbers) -> Numbers:
        """Part of the log density that never falls as sd grows: none."""
        return np.zeros_like(sd)

    falling = log_density

    def draw(self, size: Size, rng: np.random.Generator) -> np.ndarray:
        """Draw so many."""
        return self.scale * np.abs(rng.standard_normal(size))

    def conditionals(self, name: str, residuals: Residuals) -> Conditionals:
        """Of the variance v: v^(-(count + 1)/2) exp(-(v / scale^2 + squares / v) / 2)."""

        def variance(state):
            count, squares = residuals(state)
            return distributions.GeneralizedInverseGaussian((1 - count) / 2, self.scale**-2, squares)

        return {name: variance}

    def initial(self, name: str, sd: float) -> dict[str, float]:
        """Values of the variables that PyMC samples where the sd is that."""
        return {name: sd}

    def variable(self, name: str) -> "TensorVariable":
        """PyMC's variable of the sd."""
        import pymc as pm

        return pm.HalfNormal(name, np.float64(self.scale))


@dataclass(frozen=True)
class KnownScale:
    """A sigma that is known to be 1: the noise of the data says it all."""

    proper = False

    def log_density(self, sd: Numbers) -> Numbers:
        """Nothing is added."""
        return np.zeros_like(sd)

    rising = falling = log_density

    def conditionals(self, name: str, residuals: Residuals) -> Conditionals:
        """Nothing is drawn."""
        return {}

    def initial(self, name: str, sd: float) -> dict[str, float]:
        """Nothing is sampled."""
        return {}

    def variable(self, name: str) -> float:
        """Give the value itself."""
        return 1.0


@dataclass(frozen=True)
class Normal:
    """N(mean, sd^2) for a coefficient; sd = inf, the default, is flat: p(coefficient) = 1.

    Raises
    ------
    ValueError
        For an sd that is not positive.
    """

    mean: float = 0.0
    sd: float = np.inf

    def __post_init__(self):
        if not self.sd > 0:
            raise ValueError(f"Normal({self.mean}, {self.sd}) needs a positive sd")

    @property
    def proper(self) -> bool:
        """Whether it integrates to one."""
        return bool(np.isfinite(self.sd))

    def moved(self, offset: float, unit: float) -> "Normal":
        """Of the coefficient less the offset, in that unit."""
        return Normal((self.mean - offset) / unit, self.sd / unit) if self.proper else self

    def power_scaled(self, alpha: float) -> "Normal":
        """To the power alpha: narrower by its root."""
        return Normal(self.mean, self.sd / np.sqrt(alpha))

    def log_density(self, x: Numbers) -> Numbers:
        """Log density at each x; 0 where flat."""
        return distributions.Normal(self.mean, self.sd).log_density(x) if self.proper else np.zeros_like(x)

    def variable(self, name: str) -> "TensorVariable":
        """PyMC's variable of the coefficient."""
        import pymc as pm

        return pm.Normal(name, *map(np.float64, (self.mean, self.sd))) if self.proper else pm.Flat(name)


Scale = InverseGamma | HalfStudentT | HalfNormal
