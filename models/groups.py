"""Data as the likelihood sees them: one row a group, whatever stands behind it.

    mean_i ~ N(theta_i, sigma^2 noise_i)      ss_i ~ sigma^2 chi^2(df_i)

`Replicates` are rows in groups, kept as size, mean and sum of squares: the likelihood sees nothing else of them.
`Estimates` come with their standard errors; their sigma is known to be 1.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import ArrayLike

from models import columns, names, plain, rows
from models.cells import Cells
from models.frames import design
from models.laws import Numbers

if TYPE_CHECKING:
    from narwhals.typing import IntoFrame

MOST_DESIGNS = 12  # that predictions for new groups are made for one by one

Positions = Sequence[int] | np.ndarray  # of groups, from 0


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

    def only(self, at: Positions) -> Self:
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
    def within(self) -> tuple[float, Numbers]:
        """Degrees of freedom and sum of squares within groups, pooled; an array (...) where `ss` is (..., J)."""
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
        labels: Iterable[object],
        n: ArrayLike,
        mean: ArrayLike,
        ss: ArrayLike,
        *,
        covariates: Mapping[str, ArrayLike] | None = None,
        dim: str = "group",
    ) -> Self:
        """From sizes, means and sums of squared deviations from the group's own mean, an entry a group.

        Raises
        ------
        ValueError
            For lengths or indexes that differ, a label that is missing, occurs twice or looks like another, a size
            below one or not whole, a negative sum of squares, one that is not 0 in a group of one, an entry that is no
            finite number, or numbers so large or small that their squares are not.

        Warns
        -----
        RoundedWarning
            Where means lose digits to an offset that all share.

        Examples
        --------
        >>> Replicates.from_summary(["a", "b"], n=[3, 1], mean=[5.0, 7.0], ss=[2.0, 0.0]).df
        array([2., 0.])
        """
        columns.require_aligned({"labels": labels, "n": n, "mean": mean, "ss": ss}, covariates or {})
        of_groups, n, ss = names.read("labels", labels), columns.numbers("n", n), columns.numbers("ss", ss)
        columns.require(of_groups, "n", n, (n >= 1) & (n == np.round(n)), "must be a whole number, one or more")
        columns.require(of_groups, "ss", ss, ss >= 0, "must not be negative")
        columns.require(of_groups, "ss", ss, (n > 1) | (ss == 0), "must be 0 in a group of one")
        columns.require_scale(of_groups, "root of ss", np.sqrt(ss))
        found = cls(noise=1 / n, df=n - 1, ss=ss, **columns.described(of_groups, mean, covariates, len(n), dim))
        found._require_computable()
        return found

    def _require_computable(self) -> None:
        """Refuse a sigma that is too small to square, and warn where means have lost digits."""
        df, ss = self.within
        sigma = np.sqrt(ss / df) if ss else np.ptp(self.mean)
        columns.require_spread(float(sigma))
        columns.warn_of_rounding(self.labels, self.mean, sigma * np.sqrt(self.noise), as_given=self.df == 0)

    @classmethod
    def from_rows(
        cls,
        labels: Iterable[object],
        values: ArrayLike,
        *,
        covariates: Mapping[str, Mapping[str, float]] | None = None,
        dim: str = "group",
    ) -> Self:
        """From one label and one value a row; groups stand in order of appearance.

        `covariates` maps a covariate's name to its value for each label.

        Raises
        ------
        ValueError
            For lengths that differ, a label that is missing or has no covariate, entries that are no finite numbers, or
            so large or small that their squares are not.

        Warns
        -----
        RoundedWarning, MissingNameWarning
            Where means lose digits to an offset, or a label may stand for a missing value.

        Examples
        --------
        >>> Replicates.from_rows(["a", "a", "b"], [4.0, 6.0, 7.0]).mean
        array([5., 7.])
        """
        columns.require_aligned({"labels": labels, "values": values}, {})
        values, (of_groups, which) = columns.numbers("values", values), columns.codes(labels)
        if len(which) != len(values):
            raise ValueError(f"labels has {len(which)} entries where values has {len(values)}")
        by_label = {name: {str(k): v for k, v in at.items()} for name, at in (covariates or {}).items()}
        for name, at in by_label.items():
            if len(at) < len((covariates or {})[name]):
                raise ValueError(f"{name} has two values for one label, as for 1 and '1': give all labels as text")
            if missing := set(of_groups) - set(at):
                raise ValueError(f"{name} has no value for {sorted(missing)[0]!r}")
        columns.require_scale(np.array(of_groups, dtype=object)[which], "value", values)
        n, mean, ss = rows.of_values(which, values)
        columns.require_spread(np.abs(values - mean[which]).max(initial=0.0))
        given = {name: [at[label] for label in of_groups] for name, at in by_label.items()}
        columns.warn_of_missing("labels", of_groups)
        return cls.from_summary(of_groups, n, mean, ss, covariates=given, dim=dim)

    @classmethod
    def from_frame(
        cls,
        frame: "IntoFrame | dict",
        *,
        group: str,
        value: str,
        covariates: Sequence[str] = (),
        dim: str = "group",
    ) -> Self:
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
        found = rows.of_frame(frame, group=group, value=value, covariates=covariates)
        by_label = _by_label(found.covariates, found.labels)
        mean, root = found.offset + found.unit * found.mean, found.unit * np.sqrt(found.ss)
        columns.require_scale(found.labels, f"column {value!r}", mean)
        columns.require_scale(found.labels, f"spread of column {value!r}", root)
        ss = found.unit * (found.unit * found.ss)
        if np.any((ss == 0) != (found.ss == 0)):
            raise ValueError(f"numbers in {value!r} are so small that their squares are 0: rescale the column")
        columns.warn_of_missing(f"column {group!r}", found.labels)
        columns.warn_of_missing_levels(found.covariates)
        return cls.from_summary(found.labels, found.n, mean, ss, covariates=by_label, dim=dim)

    def rows(self, rng: np.random.Generator) -> tuple[list[str], np.ndarray]:
        """Make up rows that have exactly these sizes, means and sums of squares, and so the same likelihood.

        Returns
        -------
        labels : list of str
        values : ndarray (N,)

        Examples
        --------
        >>> g = Replicates.from_summary(["a", "b"], n=[3, 1], mean=[5.0, 7.0], ss=[2.0, 0.0])
        >>> Replicates.from_rows(*g.rows(np.random.default_rng(1))).mean.round(6)
        array([5., 7.])
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
        labels: Iterable[object],
        estimate: ArrayLike,
        standard_error: ArrayLike,
        *,
        covariates: Mapping[str, ArrayLike] | None = None,
        dim: str = "group",
    ) -> Self:
        """From estimates and their standard errors, an entry a group.

        Raises
        ------
        ValueError
            For lengths or indexes that differ, a label that is missing, occurs twice or looks like another, a standard
            error that is not positive, an entry that is no finite number, or numbers so large or small that their
            squares are not.

        Warns
        -----
        RoundedWarning
            Where estimates lose digits to an offset that all share.

        Examples
        --------
        >>> Estimates.from_summary(["A", "B"], [28, 8], [15, 10]).noise
        array([225., 100.])
        """
        given = {"labels": labels, "estimate": estimate, "standard_error": standard_error}
        columns.require_aligned(given, covariates or {})
        of_groups, se = names.read("labels", labels), columns.numbers("standard_error", standard_error)
        columns.require(of_groups, "standard_error", se, se > 0, "must be positive")
        columns.require_scale(of_groups, "standard_error", se, small=True)
        fields, none = columns.described(of_groups, estimate, covariates, len(se), dim), np.zeros(len(se))
        columns.warn_of_rounding(of_groups, fields["mean"], se, as_given=np.ones(len(se), dtype=bool))
        return cls(noise=se**2, df=none, ss=none, **fields)

    @classmethod
    def from_frame(
        cls,
        frame: "IntoFrame | dict",
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
            For a column that is not there or holds no numbers, a label, number or covariate that is missing, both or
            neither of standard error and variance, or a covariate that does not vary.

        Examples
        --------
        >>> Estimates.from_frame({"y": [28, 8], "v": [225, 100]}, estimate="y", variance="v").standard_error
        array([15., 10.])
        """
        error = variance if standard_error is None else standard_error
        if error is None or (standard_error is not None and variance is not None):
            raise ValueError("give either the standard error's column or the variance's")
        found = plain.one_row_each(frame, label, [estimate, error], covariates)
        count = range(1, len(found["y0"]) + 1)
        labels = names.read(f"column {label!r}", found["group"]) if label else tuple(map(str, count))
        errors = found["y1"] if variance is None else columns.roots(labels, found["y1"])
        levels = {name: dict(zip(labels, found[f"x{k}"], strict=True)) for k, name in enumerate(covariates)}
        columns.warn_of_missing(f"column {label!r}", labels)
        columns.warn_of_missing_levels(levels)
        return cls.from_summary(labels, found["y0"], errors, covariates=_by_label(levels, labels), dim=dim)

    @property
    def standard_error(self) -> np.ndarray:
        """Standard error of each estimate."""
        return np.sqrt(self.noise)


def _by_label(covariates: Mapping[str, Mapping[str, object]], labels: Sequence[str]) -> dict[str, list[float]]:
    """Columns of the design in the order of the labels."""
    return {name: [at[label] for label in labels] for name, at in design(covariates).items()}
