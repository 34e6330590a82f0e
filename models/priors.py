"""Priors of scales and of coefficients.

`Scale` and `Coefficient` say what models and engines ask of them. The prior of a scale is a density of the standard
deviation itself, whatever scale its name is on. `models.spellings` has what users write for each.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
from scipy.special import gammaln

from models import distributions
from models.distributions import Conditionals, Numbers, State

if TYPE_CHECKING:
    from pytensor.tensor import TensorVariable

Residuals = Callable[[State], tuple[float, np.ndarray]]
Size = int | tuple[int, ...]


class Prior(Protocol):
    """A prior of a coefficient or a scale."""

    @property
    def proper(self) -> bool:
        """Whether the prior integrates to one."""
        return True

    @property
    def size(self) -> float:
        """Order of magnitude of the values that a proper prior expects."""

    def power_scaled(self, alpha: float) -> Self:
        """Prior whose density is this one's to the power alpha.

        Raises
        ------
        ValueError
            Where that is no density.
        """

    def log_density(self, x: Numbers) -> Numbers:
        """Log density at each x; that of an improper prior has no constant."""

    def slope(self, x: Numbers) -> Numbers:
        """Derivative of the log density at each x."""

    def variable(self, name: str) -> "TensorVariable":
        """PyMC variable with this prior."""


class Coefficient(Prior, Protocol):
    """A prior of a coefficient: normal, or flat."""

    @property
    def mean(self) -> float:
        """Mean of the normal."""

    @property
    def sd(self) -> float:
        """Sd of the normal; inf where it is flat."""

    def affine(self, offset: float, unit: float) -> Self:
        """Prior of (coefficient - offset) / unit."""


class Scale(Prior, Protocol):
    """A prior of a scale. The defaults are those of a proper density that never rises and is finite at 0."""

    @property
    def tail_exponent(self) -> float:
        """Exponent t of a density that falls like sd^-t."""

    @property
    def origin_exponent(self) -> float:
        """Exponent z of a density that begins like sd^z at 0."""
        return 0.0

    @property
    def upper(self) -> float:
        """Largest sd that is possible."""
        return np.inf

    @property
    def typical(self) -> tuple[float, ...]:
        """Sds about which the density bends; none of a power."""
        return (self.size,)

    def scaled(self, unit: float) -> Self:
        """Prior of the same sd in another unit."""

    def draw(self, size: Size, rng: np.random.Generator) -> np.ndarray:
        """Draw standard deviations.

        Raises
        ------
        ValueError
            Where it is improper.
        """

    def conditionals(self, name: str, residuals: Residuals) -> Conditionals:
        """Laws from which Gibbs draws the variance `name`, after its auxiliary variable `name`_mixing, if it needs one.

        `residuals` gives how many deviations have that variance, and their sum of squares.
        """

    def log_joint(self, name: str, state: State) -> Numbers:
        """Log density of the variance `name` and its auxiliary variable in a state, up to a constant."""
        return self.log_density(np.sqrt(state[name])) - np.log(state[name]) / 2


def _variable(distribution: str, name: str, *constants: float) -> "TensorVariable":
    """Variable of a distribution of PyMC, which takes logs of floats, but not of np.float64, in single precision."""
    import pymc as pm

    return getattr(pm, distribution)(name, *map(np.float64, constants))


def _positive(name: str, shown: str, *constants: float, **functions: Any) -> "TensorVariable":
    """Variable above 0 of a distribution that PyMC does not have; NUTS walks in its log."""
    import pymc as pm

    log = pm.distributions.transforms.log
    return pm.CustomDist(name, *map(np.float64, constants), class_name=shown, transform=log, **functions)


def _root_of_inverse_gamma(shape, scale, size):
    import pymc as pm

    return pm.math.sqrt(pm.InverseGamma.dist(shape, scale, size=size))


def _power_logp(sd, exponent):
    """Log of p(sd) = sd^exponent in PyMC."""
    import pymc as pm

    return pm.math.switch(sd > 0, exponent * pm.math.log(sd), -np.inf)


def _power_random(exponent, rng, size):
    raise NotImplementedError(f"p(sd) = sd^{exponent:g} is improper: to sample the scale, give it a proper prior")


def _power_support_point(rv, size, exponent):
    """Start at 1, where the log is 0."""
    import pymc as pm

    return pm.math.constant(1.0)


def _log_power(sd: Numbers, exponent: float) -> Numbers:
    """Log of sd^exponent, at sd = 0 as well, where clipped draws lie."""
    with np.errstate(divide="ignore"):
        return exponent * np.log(sd) if exponent else np.zeros_like(sd, dtype=float)


@dataclass(frozen=True)
class InverseGamma(Scale):
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
        improper = {0.0: "1/variance", -0.5: "Uniform()", -1.0: "Uniform() on its square"}
        if not self.proper and self.shape in improper:
            return improper[self.shape]
        return f"InverseGamma({self.shape:g}, {self.scale:g}) on its square"

    @property
    def proper(self) -> bool:
        """Whether the scale is positive."""
        return self.scale > 0

    @property
    def size(self) -> float:
        """Root of the scale."""
        return float(np.sqrt(self.scale))

    @property
    def typical(self) -> tuple[float, ...]:
        """Root of the scale, and the mode; none where it is improper."""
        return (self.size, float(np.sqrt(self.scale / (self.shape + 0.5)))) if self.proper else ()

    @property
    def tail_exponent(self) -> float:
        """Exponent 2 shape + 1."""
        return 2 * self.shape + 1

    @property
    def origin_exponent(self) -> float:
        """Infinite where it is proper, else -(2 shape + 1)."""
        return np.inf if self.proper else -self.tail_exponent

    def scaled(self, unit: float) -> Self:
        """Prior of the same sd in another unit."""
        return replace(self, scale=self.scale / unit / unit)

    def power_scaled(self, alpha: float) -> Self:
        """Power of the density: sd^(-alpha (2 shape + 1)) exp(-alpha scale / sd^2).

        Jeffreys' 1 / sd expresses only that the scale of sd is unknown; it is not scaled.
        """
        if self == JEFFREYS:
            return self
        return replace(self, shape=(alpha * self.tail_exponent - 1) / 2, scale=alpha * self.scale)

    @property
    def log_constant(self) -> float:
        """Log of the normalizing constant; 0 where the prior is improper."""
        return np.log(2) + self.shape * np.log(self.scale) - gammaln(self.shape) if self.proper else 0.0

    def log_density(self, sd: Numbers) -> Numbers:
        """Log density at each sd."""
        power = _log_power(sd, -self.tail_exponent)
        return self.log_constant + power - (self.scale / sd**2 if self.scale else 0.0)

    def slope(self, sd: Numbers) -> Numbers:
        """Derivative of the log density at each sd."""
        return 2 * self.scale / sd**3 - self.tail_exponent / sd

    def draw(self, size: Size, rng: np.random.Generator) -> np.ndarray:
        """Draw standard deviations.

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

    def variable(self, name: str) -> "TensorVariable":
        """PyMC's variable of the sd."""
        import pymc as pm

        if self.proper:
            return _positive(name, "RootInverseGamma", self.shape, self.scale, dist=_root_of_inverse_gamma)
        if self.shape == -0.5:
            return pm.HalfFlat(name)
        power = {"logp": _power_logp, "random": _power_random, "support_point": _power_support_point}
        return _positive(name, "Power", -self.tail_exponent, **power)


JEFFREYS = InverseGamma(0.0)  # p(sd^2) = 1/sd^2
FLAT = InverseGamma(-0.5)  # p(sd) = 1
FLAT_VARIANCE = InverseGamma(-1.0)  # p(sd^2) = 1


@dataclass(frozen=True)
class HalfStudentT(Scale):
    """p(sd) = 2 Gamma((nu + 1)/2) / (Gamma(nu/2) sqrt(pi nu) scale) (1 + (sd / scale)^2 / nu)^(-(nu + 1)/2).

    As a mixture: sd^2 | a ~ InverseGamma(nu/2, nu/a), a ~ InverseGamma(1/2, 1/scale^2) (Wand et al. 2011).

    Raises
    ------
    ValueError
        For degrees of freedom or a scale that are not positive.
    """

    nu: float
    scale: float

    def __post_init__(self):
        if not (self.nu > 0 and self.scale > 0):
            raise ValueError(f"{self} needs positive degrees of freedom and a positive scale")

    def __str__(self):
        return f"HalfCauchy({self.scale:g})" if self.nu == 1 else f"HalfStudentT({self.nu:g}, {self.scale:g})"

    @property
    def size(self) -> float:
        """Scale."""
        return self.scale

    @property
    def tail_exponent(self) -> float:
        """Exponent nu + 1."""
        return self.nu + 1.0

    def scaled(self, unit: float) -> Self:
        """Prior of the same sd in another unit."""
        return replace(self, scale=self.scale / unit)

    def power_scaled(self, alpha: float) -> Self:
        """Power of the density: a half-t with alpha (nu + 1) - 1 degrees of freedom.

        Raises
        ------
        ValueError
            Where that leaves none.
        """
        if (nu := alpha * self.tail_exponent - 1) <= 0:
            raise ValueError(f"{self} to the power {alpha} is no density")
        return replace(self, nu=nu, scale=self.scale * np.sqrt(self.nu / nu))

    def log_density(self, sd: Numbers) -> Numbers:
        """Log density at each sd."""
        half = (self.nu + 1) / 2
        constant = np.log(2) + gammaln(half) - gammaln(self.nu / 2) - np.log(np.pi * self.nu) / 2 - np.log(self.scale)
        return constant - half * np.log1p((sd / self.scale) ** 2 / self.nu)

    def slope(self, sd: Numbers) -> Numbers:
        """Derivative of the log density at each sd."""
        return -(self.nu + 1) * sd / (self.nu * self.scale**2 + sd**2)

    def draw(self, size: Size, rng: np.random.Generator) -> np.ndarray:
        """Draw standard deviations."""
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

    def log_joint(self, name: str, state: State) -> Numbers:
        """Log density of the variance given a, and of a."""
        a = state[f"{name}_mixing"]
        variance = distributions.InverseGamma(self.nu / 2, self.nu / a)
        mixing = distributions.InverseGamma(0.5, self.scale**-2)
        return variance.log_density(state[name]) + mixing.log_density(a)

    def variable(self, name: str) -> "TensorVariable":
        """PyMC's variable of the sd."""
        return _variable("HalfStudentT", name, self.nu, self.scale)


def HalfCauchy(scale: float) -> HalfStudentT:
    """p(sd) = 2 / (pi scale (1 + (sd / scale)^2)): one degree of freedom.

    Examples
    --------
    >>> round(float(np.exp(HalfCauchy(5.0).log_density(0.0))), 4)
    0.1273
    """
    return HalfStudentT(1.0, scale)


@dataclass(frozen=True)
class HalfNormal(Scale):
    """p(sd) = sqrt(2 / pi) / scale exp(-sd^2 / (2 scale^2)).

    Raises
    ------
    ValueError
        For a scale that is not positive.
    """

    scale: float
    tail_exponent = np.inf

    def __post_init__(self):
        if not self.scale > 0:
            raise ValueError(f"{self} needs a positive scale")

    def __str__(self):
        return f"HalfNormal({self.scale:g})"

    @property
    def size(self) -> float:
        """Scale."""
        return self.scale

    def scaled(self, unit: float) -> Self:
        """Prior of the same sd in another unit."""
        return replace(self, scale=self.scale / unit)

    def power_scaled(self, alpha: float) -> Self:
        """Power of the density: the scale is divided by the root of alpha."""
        return replace(self, scale=self.scale / np.sqrt(alpha))

    def log_density(self, sd: Numbers) -> Numbers:
        """Log density at each sd."""
        return np.log(2 / np.pi) / 2 - np.log(self.scale) - (sd / self.scale) ** 2 / 2

    def slope(self, sd: Numbers) -> Numbers:
        """Derivative of the log density at each sd."""
        return -sd / self.scale**2

    def draw(self, size: Size, rng: np.random.Generator) -> np.ndarray:
        """Draw standard deviations."""
        return self.scale * np.abs(rng.standard_normal(size))

    def conditionals(self, name: str, residuals: Residuals) -> Conditionals:
        """Law of the variance v: v^(-(count + 1)/2) exp(-(v / scale^2 + squares / v) / 2)."""

        def variance(state):
            count, squares = residuals(state)
            return distributions.GeneralizedInverseGaussian((1 - count) / 2, self.scale**-2, squares)

        return {name: variance}

    def variable(self, name: str) -> "TensorVariable":
        """PyMC's variable of the sd."""
        return _variable("HalfNormal", name, self.scale)


@dataclass(frozen=True)
class Exponential(Scale):
    """p(sd) = exp(-sd / scale) / scale, with mean `scale`.

    As a mixture: sd | a ~ HalfNormal(sqrt(a)), a exponential with mean 2 scale^2 (Andrews and Mallows 1974).

    Raises
    ------
    ValueError
        For a scale that is not positive.
    """

    scale: float
    tail_exponent = np.inf

    def __post_init__(self):
        if not self.scale > 0:
            raise ValueError(f"{self} needs a positive scale")

    def __str__(self):
        return f"Exponential(scale={self.scale:g})"

    @property
    def size(self) -> float:
        """Scale."""
        return self.scale

    def scaled(self, unit: float) -> Self:
        """Prior of the same sd in another unit."""
        return replace(self, scale=self.scale / unit)

    def power_scaled(self, alpha: float) -> Self:
        """Power of the density: the scale is divided by alpha."""
        return replace(self, scale=self.scale / alpha)

    def log_density(self, sd: Numbers) -> Numbers:
        """Log density at each sd."""
        return -np.log(self.scale) - sd / self.scale

    def slope(self, sd: Numbers) -> Numbers:
        """Derivative of the log density at each sd."""
        return np.full_like(sd, -1 / self.scale, dtype=float)

    def draw(self, size: Size, rng: np.random.Generator) -> np.ndarray:
        """Draw standard deviations."""
        return self.scale * rng.standard_exponential(size)

    def conditionals(self, name: str, residuals: Residuals) -> Conditionals:
        """Law of the mixing variable a given the variance v, a^(-1/2) exp(-(a / scale^2 + v / a) / 2); of v given a."""
        a = f"{name}_mixing"

        def mixing(state):
            return distributions.GeneralizedInverseGaussian(0.5, self.scale**-2, state[name])

        def variance(state):
            count, squares = residuals(state)
            return distributions.GeneralizedInverseGaussian((1 - count) / 2, 1 / state[a], squares)

        return {a: mixing, name: variance}

    def log_joint(self, name: str, state: State) -> Numbers:
        """Log density of the variance given a, and of a."""
        a, variance = state[f"{name}_mixing"], state[name]
        return -(np.log(a) + np.log(variance) + variance / a + a / self.scale**2) / 2

    def variable(self, name: str) -> "TensorVariable":
        """PyMC's variable of the sd."""
        return _variable("Exponential", name, 1 / self.scale)


@dataclass(frozen=True)
class BoundedUniform(Scale):
    """p(sd) = 1 / end for 0 < sd < end.

    Raises
    ------
    ValueError
        For an end that is not positive.
    """

    end: float
    tail_exponent = np.inf

    def __post_init__(self):
        if not self.end > 0:
            raise ValueError(f"{self} needs a positive end")

    def __str__(self):
        return f"Uniform(0, {self.end:g})"

    @property
    def size(self) -> float:
        """End."""
        return self.end

    @property
    def upper(self) -> float:
        """End."""
        return self.end

    def scaled(self, unit: float) -> Self:
        """Prior of the same sd in another unit."""
        return replace(self, end=self.end / unit)

    def power_scaled(self, alpha: float) -> Self:
        """Power of the density: itself."""
        return self

    def log_density(self, sd: Numbers) -> Numbers:
        """Log density at each sd; minus infinity beyond the end."""
        return np.where(np.asarray(sd) <= self.end, -np.log(self.end), -np.inf)

    def slope(self, sd: Numbers) -> Numbers:
        """Derivative of the log density at each sd: 0."""
        return np.zeros_like(sd, dtype=float)

    def draw(self, size: Size, rng: np.random.Generator) -> np.ndarray:
        """Draw standard deviations."""
        return rng.uniform(0.0, self.end, size)

    def conditionals(self, name: str, residuals: Residuals) -> Conditionals:
        """One inverse gamma, bounded."""

        def variance(state):
            count, squares = residuals(state)
            return distributions.BoundedInverseGamma((count - 1) / 2, squares / 2, self.end**2)

        return {name: variance}

    def variable(self, name: str) -> "TensorVariable":
        """PyMC's variable of the sd."""
        return _variable("Uniform", name, 0.0, self.end)


@dataclass(frozen=True)
class KnownScale:
    """A sigma that is known to be 1: the noise of each mean is its variance."""

    proper = False
    upper = np.inf

    def scaled(self, unit: float) -> Self:
        """A known scale of 1, in any unit."""
        return self

    def log_density(self, sd: Numbers) -> Numbers:
        """Zero: a known scale has no density."""
        return np.zeros_like(sd)

    slope = log_density

    def conditionals(self, name: str, residuals: Residuals) -> Conditionals:
        """No conditionals: a known scale is not drawn."""
        return {}

    def variable(self, name: str) -> float:
        """The constant 1."""
        return 1.0


@dataclass(frozen=True)
class Normal(Coefficient):
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
        """Whether the sd is finite."""
        return bool(np.isfinite(self.sd))

    @property
    def size(self) -> float:
        """The larger of sd and |mean|."""
        return max(self.sd, abs(self.mean))

    def affine(self, offset: float, unit: float) -> Self:
        """Prior of (coefficient - offset) / unit."""
        return replace(self, mean=(self.mean - offset) / unit, sd=self.sd / unit) if self.proper else self

    def power_scaled(self, alpha: float) -> Self:
        """Power of the density: the sd is divided by the root of alpha."""
        return replace(self, sd=self.sd / np.sqrt(alpha))

    def log_density(self, x: Numbers) -> Numbers:
        """Log density at each x; 0 where flat."""
        return distributions.Normal(self.mean, self.sd).log_density(x) if self.proper else np.zeros_like(x)

    def slope(self, x: Numbers) -> Numbers:
        """Derivative of the log density at each x; 0 where flat."""
        return distributions.Normal(self.mean, self.sd).slope(x) if self.proper else np.zeros_like(x)

    def variable(self, name: str) -> "TensorVariable":
        """PyMC's variable of the coefficient."""
        return _variable("Normal", name, self.mean, self.sd) if self.proper else _variable("Flat", name)


FLAT_COEFFICIENT = Normal()


def Uniform(lower: float | None = None, upper: float | None = None) -> InverseGamma | BoundedUniform:
    """Flat prior of a standard deviation: improper, p(sd) = 1, or between 0 and an upper end.

    Raises
    ------
    ValueError
        For a lower end that is not 0, or one end alone.

    Examples
    --------
    >>> str(Uniform()), str(Uniform(0, 20))
    ('Uniform()', 'Uniform(0, 20)')
    """
    if lower is None and upper is None:
        return FLAT
    if upper is None or lower != 0:
        raise ValueError(f"Uniform({lower}, {upper}) is no prior of a standard deviation here: write Uniform(0, upper)")
    return BoundedUniform(float(upper))


def Jeffreys() -> InverseGamma:
    """Jeffreys' prior of a standard deviation, improper: p(sd) = 1/sd."""
    return JEFFREYS


def Flat() -> Normal:
    """Flat prior of a coefficient, improper: p(coefficient) = 1."""
    return FLAT_COEFFICIENT
