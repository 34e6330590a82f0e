"""Offset and unit of the data: engines see numbers about 1, the report has them as they were given.

value = offset + unit * inside, the offset a value of the data and the unit a power of ten, both taken off in decimals
before anything is rounded. So an offset of 1e9, a scale of 1e300, or incomes in cents cost no digits and no sampler its
patience.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from statistics import median_low
from typing import Self

from analyses.ingest.request import InputError
from models.groups import Estimates, Groups
from models.priors import Normal
from models.two_level import TwoLevel

LOCATIONS = {
    "mu",
    "theta",
    "value",
    "new_theta",
    "new_value",
    "new_group_value",
    "largest group mean",
    "smallest group mean",
}
SCALES = {"beta", "sigma", "sd_between", "sd of group means", "spread of sds within groups"}
LARGEST_EXPONENT = 150  # of a unit: squares of larger ones, or of the inverse, are no doubles
EXACTLY = Context(prec=800)  # digits: more than doubles and files have between 1e305 and 1e-305


@dataclass(frozen=True)
class Units:
    """Of what is measured; `tau` says whether tau has that unit too, and is not relative to sigma."""

    offset: Decimal
    unit: Decimal
    tau: bool

    @classmethod
    def of(cls, located: Iterable[Decimal], scales: Iterable[Decimal] = (), *, tau: bool) -> Self:
        """Of values and of what else is measured on their scale, such that most are about 1.

        The offset is the median, the unit the power of ten of the larger of the median distance from it and the median
        of the scales: one value that is far off makes no dust of the others.
        """
        offset = median_low(located := list(located))
        away = sorted(abs(EXACTLY.subtract(value, offset)) for value in located)
        positive = [scale for scale in scales if scale] or [Decimal(0)]  # a group of one has no spread
        return cls.about(offset, max(median_low(away), median_low(positive)) or away[-1], tau=tau)

    @classmethod
    def about(cls, offset: Decimal, spread: Decimal, *, tau: bool) -> Self:
        """About an offset, with a spread of which the unit is the power of ten."""
        return cls(offset, Decimal(1).scaleb((spread or Decimal(1)).adjusted()), tau)

    def located(self, value: Decimal) -> float:
        """Inside, of a value."""
        return self.scaled(EXACTLY.subtract(value, self.offset))

    def scaled(self, value: Decimal) -> float:
        """Inside, of an error, a standard deviation or a difference."""
        return float(EXACTLY.divide(value, self.unit))

    def affine(self, variable: str) -> tuple[float, float]:
        """Offset and unit of a variable: value = offset + unit * inside."""
        if variable in LOCATIONS:
            return float(self.offset), float(self.unit)
        return 0.0, float(self.unit) if variable in SCALES or (variable == "tau" and self.tau) else 1.0

    def value(self, variable: str, inside):
        """Value of a variable as the data have it, from what it is inside: a number, an array, a column."""
        offset, unit = self.affine(variable)
        return offset + unit * inside

    def spread(self, variable: str, inside):
        """Standard deviation, error or difference of a variable as the data have it, from what it is inside."""
        return self.affine(variable)[1] * inside

    def model(self, model: TwoLevel) -> TwoLevel:
        """Return a model whose priors, given for the data, are inside the units; its groups are inside already."""
        mu, *slopes = model.coefficients
        unit = float(self.unit)
        return replace(
            model,
            tau=model.tau.scaled(unit) if self.tau else model.tau,
            sigma=model.sigma.scaled(unit),
            coefficients=(
                Normal(self.located(Decimal(mu.mean)), mu.sd / unit) if mu.proper else mu,
                *(slope.affine(0.0, unit) for slope in slopes),
            ),
        )

    def groups(self, groups: Groups) -> Groups:
        """Return groups in the units of the data, from groups inside.

        Raises
        ------
        InputError
            Where their squares are no doubles in that unit.
        """
        unit = float(self.unit)
        if abs(self.unit.adjusted()) >= LARGEST_EXPONENT:
            raise InputError(f"squares of numbers about {unit:g} are no doubles: rescale the data for a model of them")
        noise = groups.noise * unit**2 if isinstance(groups, Estimates) else groups.noise
        return replace(groups, mean=self.value("theta", groups.mean), noise=noise, ss=unit**2 * groups.ss)


NONE = Units(Decimal(0), Decimal(1), tau=True)  # of a model whose data are used as they are
