"""Data as the likelihood sees them: one row a group, whatever stands behind it.

    mean_i ~ N(theta_i, sigma^2 noise_i)      ss_i ~ sigma^2 chi^2(df_i)

`Replicates` are rows in groups, kept as size, mean and sum of squares: the likelihood sees nothing else of them.
`Estimates` come with their standard errors; their sigma is known to be 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from models import rows
from models.cells import Cells
from models.frames import coded, column

MOST_DESIGNS = 12  # that predictions for new groups are made for one by one


@dataclass(frozen=True, eq=False, kw_only=True)
class Groups:
    """Group means with what is known of their noise.

    Attributes
    ----------
    labels : tuple of str
        Names of the J groups.
    mean : ndarray (J,)
        Mean of each group, or its estimate.
    noise : ndarray (J,)
        Variance of `mean` about theta, in units of sigma^2.
    df, ss : ndarray (J,)
        Degrees of freedom and sum of squares within each group, both 0 where there are none.
    design : ndarray (J, p)
        Regressors of theta; the first column is 1.
    covariates : tuple of str
        Names of the other p - 1 columns.
    dim : str
        What a group is called: "school", "subject".

    Notes
    -----
    For simulations `mean` and `ss` may have leading dimensions: many sets of data of one design at once. Conditionals,
    `log_marginal` and `collapsed` take them, and so do states and scales with the same dimensions; nothing else does.
    """

    labels: tuple[str, ...]
    mean: np.ndarray
    noise: np.ndarray
    df: np.ndarray
    ss: np.ndarray
    design: np.ndarray
    covariates: tuple[str, ...] = ()
    dim: str = "group"

    def __len__(self) -> int:
        return len(self.labels)

    def only(self, at: np.ndarray) -> Self:
        """Those at some positions."""
        each = {name: getattr(self, name)[at] for name in ("mean", "noise", "df", "ss", "design")}
        return replace(self, labels=tuple(self.labels[k] for k in at), **each)

    def without(self, at: int) -> Self:
        """The other groups."""
        return self.only(np.delete(np.arange(len(self)), at))

    def powered(self, alpha: float) -> Self:
        """Groups whose likelihood is that of these to the power alpha: as if each value had been seen alpha times."""
        return replace(self, noise=self.noise / alpha, ss=alpha * self.ss)

    @cached_property
    def within(self) -> tuple[float, np.ndarray]:
        """Degrees of freedom and sum of squares within groups, pooled."""
        return float(self.df.sum()), self.ss.sum(axis=-1)

    @cached_property
    def centre(self) -> float:
        """Average of the means, which the algebra subtracts first: digits that all means share are not lost."""
        return float(self.mean.mean())

    @cached_property
    def designs(self) -> dict[str, np.ndarray]:
        """Every distinct row of the design, under a name that tells its covariates: "a new school".

        Where there are many, their average alone.
        """
        found = np.unique(self.design, axis=0)
        if len(found) > MOST_DESIGNS:
            found = found.mean(axis=0, keepdims=True)
        return {self._new(x): x for x in found}

    def _new(self, x):
        named = zip(self.covariates, x[1:], strict=True)
        return ", ".join([f"a new {self.dim}", *(f"{name} {value:.6g}" for name, value in named)])

    @property
    def noise_of_one(self) -> np.ndarray:
        """Noise of one more value of each group: that of an estimate again; for rows, of one row."""
        return self.noise

    @cached_property
    def cells(self) -> Cells:
        """Groups of equal noise, each such class reduced to what the posterior sees of its means less the centre."""
        return Cells.compress(self.noise, self.mean - self.centre, self.design)


class Replicates(Groups):
    """y_ij ~ N(theta_i, sigma^2), i = 1..J, j = 1..n_i, kept as n, mean and sum of squares."""

    @classmethod
    def from_summary(
        cls,
        labels: Sequence[str],
        n: Sequence[float],
        mean: Sequence[float],
        ss: Sequence[float],
        *,
        covariates: Mapping[str, Sequence[float]] | None = None,
        dim: str = "group",
    ) -> Self:
        """From sizes, means and sums of squared deviations from the group's own mean.

        Raises
        ------
        ValueError
            For lengths that differ, a label that occurs twice, a size below one or not whole, a negative sum of
            squares, one that is not 0 in a group of one, or any number that is not finite.

        Examples
        --------
        >>> Replicates.from_summary(["a", "b"], n=[3, 1], mean=[5.0, 7.0], ss=[2.0, 0.0]).df
        array([2., 0.])
        """
        labels, n, ss = tuple(map(str, labels)), _numbers("n", n), _numbers("ss", ss)
        _require(labels, "n", n, (n >= 1) & (n == np.round(n)), "must be a whole number, one or more")
        _require(labels, "ss", ss, ss >= 0, "must not be negative")
        _require(labels, "ss", ss, (n > 1) | (ss == 0), "must be 0 in a group of one")
        return cls(noise=1 / n, df=n - 1, ss=ss, **_described(labels, mean, covariates, len(n), dim))

    @classmethod
    def from_rows(
        cls,
        labels: Sequence[str],
        values: Sequence[float],
        *,
        covariates: Mapping[str, Mapping[str, float]] | None = None,
        dim: str = "group",
    ) -> Self:
        """From one label and one value a row; groups stand in order of appearance.

        `covariates` maps a covariate's name to its value for each label.

        Examples
        --------
        >>> Replicates.from_rows(["a", "a", "b"], [4.0, 6.0, 7.0]).mean
        array([5., 7.])
        """
        values, (names, which) = _numbers("values", values), _codes(labels)
        if len(which) != len(values):
            raise ValueError(f"labels has {len(which)} entries where values has {len(values)}")
        for name, at in (covariates or {}).items():
            if missing := set(names) - set(map(str, at)):
                raise ValueError(f"{name} has no value for {sorted(missing)[0]!r}")
        n, mean, ss = rows.of_values(which, values)
        given = {
            name: list(map({str(k): v for k, v in at.items()}.get, names)) for name, at in (covariates or {}).items()
        }
        return cls.from_summary(names, n, mean, ss, covariates=given, dim=dim)

    @classmethod
    def from_frame(cls, frame, *, group: str, value: str, covariates: Sequence[str] = (), dim: str = "group") -> Self:
        """From a data frame of one row an observation; covariates are columns that are constant within a group.

        Any frame that narwhals knows, and a dictionary of columns: pandas, Polars, PyArrow; and, reduced where they
        live, lazy Polars, DuckDB relations, Dask and PySpark. Groups stand in the order of their labels. A covariate of
        text becomes a 0/1 column for each level but the first in order, the reference: "arm[drug]".

        Raises
        ------
        ValueError
            For a column that is not there or holds no numbers, a value or label that is missing, or a covariate that
            varies within a group or not at all.

        Examples
        --------
        >>> frame = {"school": ["a", "a", "b"], "score": [4.0, 6.0, 7.0], "town": ["x", "x", "y"]}
        >>> Replicates.from_frame(frame, group="school", value="score", covariates=["town"]).covariates
        ('town[y]',)
        """
        found, given = rows.of_frame(frame, group=group, value=value, covariates=covariates), {}
        for name, at in found.covariates.items():
            given |= coded(name, at)
        by_label = {name: list(map(at.get, found.labels)) for name, at in given.items()}
        mean, ss = found.offset + found.unit * found.mean, found.unit**2 * found.ss
        if np.any((ss == 0) != (found.ss == 0)):
            raise ValueError(
                f"numbers in {value!r} are so small that their squares are none: give them in another unit"
            )
        return cls.from_summary(found.labels, found.n, mean, ss, covariates=by_label, dim=dim)

    def rows(self, rng) -> tuple[list[str], np.ndarray]:
        """Make up rows that have exactly these sizes, means and sums of squares, and so the same likelihood.

        Returns
        -------
        labels : list of str
        values : ndarray
        """
        made = []
        for n, mean, ss in zip(self.n.astype(int), self.mean, self.ss, strict=True):
            e = rng.standard_normal(n)
            e -= e.mean()
            made.append(mean + e * (np.sqrt(ss / np.sum(e**2)) if n > 1 else 0.0))
        return list(np.repeat(self.labels, self.n.astype(int))), np.concatenate(made)

    def powered(self, alpha: float) -> Self:
        """Groups whose likelihood is that of these to the power alpha: as if each row had been there alpha times.

        Raises
        ------
        ValueError
            Where that leaves no degrees of freedom within groups.
        """
        df = alpha * self.n - 1
        if df.sum() <= 0:
            raise ValueError(f"{self.n.sum():g} rows to the power {alpha} are no more than {len(self)} groups")
        return replace(super().powered(alpha), df=df)

    @property
    def n(self) -> np.ndarray:
        """Rows in each group."""
        return self.df + 1

    @property
    def noise_of_one(self) -> np.ndarray:
        """Noise of one more row of each group."""
        return np.ones(len(self))


class Estimates(Groups):
    """y_i ~ N(theta_i, standard_error_i^2), i = 1..J."""

    @classmethod
    def from_summary(
        cls,
        labels: Sequence[str],
        estimate: Sequence[float],
        standard_error: Sequence[float],
        *,
        covariates: Mapping[str, Sequence[float]] | None = None,
        dim: str = "group",
    ) -> Self:
        """From estimates and their standard errors.

        Raises
        ------
        ValueError
            For lengths that differ, a label that occurs twice, a standard error that is not positive, or any number
            that is not finite.

        Examples
        --------
        >>> Estimates.from_summary(["A", "B"], [28, 8], [15, 10]).noise
        array([225., 100.])
        """
        labels, se = tuple(map(str, labels)), _numbers("standard_error", standard_error)
        _require(labels, "standard_error", se, se > 0, "must be positive")
        none = np.zeros(len(se))
        return cls(noise=se**2, df=none, ss=none, **_described(labels, estimate, covariates, len(se), dim))

    @classmethod
    def from_frame(
        cls,
        frame,
        *,
        estimate: str,
        standard_error: str | None = None,
        variance: str | None = None,
        label: str | None = None,
        covariates: Sequence[str] = (),
        dim: str = "group",
    ) -> Self:
        """From a data frame of one row an estimate, with its standard error or variance; labels count from 1 if none.

        Raises
        ------
        ValueError
            For a column that is not there, both or neither of standard error and variance, or a covariate that does not
            vary.

        Examples
        --------
        >>> Estimates.from_frame({"y": [28, 8], "v": [225, 100]}, estimate="y", variance="v").standard_error
        array([15., 10.])
        """
        if (standard_error is None) == (variance is None):
            raise ValueError("give either the standard error's column or the variance's")
        estimates = column(frame, estimate)
        labels = column(frame, label) if label else [str(i) for i in range(1, len(estimates) + 1)]
        error = column(frame, standard_error) if standard_error else _roots(labels, column(frame, variance))
        given = {}
        for name in covariates:
            given |= coded(name, dict(zip(map(str, labels), column(frame, name), strict=True)))
        by_label = {name: [at[str(label)] for label in labels] for name, at in given.items()}
        return cls.from_summary(labels, estimates, error, covariates=by_label, dim=dim)

    @property
    def standard_error(self) -> np.ndarray:
        """Standard error of each estimate."""
        return np.sqrt(self.noise)


RESERVED = {
    *("chain", "draw", "covariate", "coefficient", "row", "mean", "ss", "noise", "df", "design", "z", "y"),
    *("mu", "beta", "tau", "sigma", "sd_between", "theta", "kappa"),
}


def _described(labels, mean, covariates, size, dim) -> dict:
    """Return the fields that both kinds share, checked."""
    if dim in RESERVED:
        raise ValueError(f"a group cannot be called {dim!r}: that is the name of something else in every model")
    mean = _numbers("mean", mean)
    given = {name: _numbers(name, values) for name, values in (covariates or {}).items()}
    if size == 0:
        raise ValueError("there are no groups")
    for name, entries in {"labels": labels, "mean": mean, **given}.items():
        if len(entries) != size:
            raise ValueError(f"{name} has {len(entries)} entries where the other columns have {size}")
    if len(set(labels)) < size:
        twice = next(label for label in labels if labels.count(label) > 1)
        raise ValueError(f"label {twice!r} occurs more than once: each group needs a name of its own")
    return {
        "labels": labels,
        "mean": mean,
        "design": np.column_stack([np.ones(size), *given.values()]),
        "covariates": tuple(given),
        "dim": dim,
    }


def _numbers(name, values) -> np.ndarray:
    out = np.array(values, dtype=float)
    out.setflags(write=False)
    if out.ndim != 1:
        raise ValueError(f"{name} must have one dimension, not {out.ndim}")
    if not np.isfinite(out).all():
        at = int(np.argmin(np.isfinite(out)))
        raise ValueError(f"{name}[{at}] is {out[at]}: every number must be finite")
    return out


def _roots(labels, variance) -> np.ndarray:
    variance = _numbers("variance", variance)
    _require(labels, "variance", variance, variance > 0, "must be positive")
    return np.sqrt(variance)


def _require(labels, name, values, holds, what):
    if len(labels) == len(values) and not np.all(holds):
        at = int(np.argmin(holds))
        raise ValueError(f"{name} of {labels[at]!r} is {values[at]}: it {what}")


def _codes(labels):
    """Distinct labels in order of appearance, and which of them each row bears."""
    names = {}
    which = np.fromiter((names.setdefault(str(label), len(names)) for label in labels), dtype=np.intp)
    return tuple(names), which
