"""Rows in groups, kept as size, mean and sum of squares: the likelihood sees nothing else of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import ArrayLike

from models.groups import naming, sufficient_statistics, validation
from models.groups.covariates import columns_of
from models.groups.grouped_data import Groups

if TYPE_CHECKING:
    from narwhals.typing import IntoFrame


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
        validation.require_aligned({"labels": labels, "n": n, "mean": mean, "ss": ss}, covariates)
        names, n, ss = naming.read("labels", labels), validation.numbers("n", n), validation.numbers("ss", ss)
        validation.require(names, "n", n, (n >= 1) & (n == np.round(n)), "must be a whole number, one or more")
        validation.require(names, "ss", ss, ss >= 0, "must not be negative")
        validation.require(names, "ss", ss, (n > 1) | (ss == 0), "must be 0 in a group of one")
        validation.require_scale(names, "root of ss", np.sqrt(ss))
        fields = validation.shared_fields(names, {"n": n, "mean": mean, "ss": ss}, covariates, dim)
        validation.require_scale(names, "mean", fields["mean"])
        sizes = fields.pop("n")
        groups = cls(noise=1 / sizes, df=sizes - 1, **fields)
        groups._require_computable()
        return groups

    def _require_computable(self) -> None:
        """Refuse a sigma that is too small to square, and warn where means have lost digits."""
        df, ss = self.within
        sigma = np.sqrt(ss / df) if ss else np.ptp(self.mean)
        validation.require_spread(float(sigma))
        validation.warn_of_rounding(self.labels, self.mean, sigma * np.sqrt(self.noise), single=self.df == 0)

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
        validation.require_aligned({"labels": labels, "values": values})
        values, rows = validation.numbers("values", values), naming.code(labels)
        if len(rows.position) != len(values):
            raise ValueError(f"labels has {len(rows.position)} entries where values has {len(values)}")
        columns = {}
        for name, mapping in (covariates or {}).items():
            by_label = {str(label): value for label, value in mapping.items()}
            if len(by_label) < len(mapping):
                raise ValueError(f"{name} has two values for one label, as for 1 and '1': give all labels as text")
            if missing := set(rows.labels) - set(by_label):
                raise ValueError(f"{name} has no value for {sorted(missing)[0]!r}")
            columns[name] = [by_label[label] for label in rows.labels]
        validation.require_scale(np.array(rows.labels, dtype=object)[rows.position], "value", values)
        n, mean, ss = sufficient_statistics.of_values(rows.position, values)
        validation.require_spread(np.abs(values - mean[rows.position]).max(initial=0.0))
        naming.warn_of_missing("labels", rows.labels)
        return cls.from_summary(rows.labels, n, mean, ss, covariates=columns, dim=dim)

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
        sums = sufficient_statistics.of_frame(frame, group=group, value=value, covariates=covariates)
        columns = columns_of(sums.covariates, sums.labels)
        mean, root = sums.offset + sums.unit * sums.mean, sums.unit * np.sqrt(sums.ss)
        validation.require_scale(sums.labels, f"column {value!r}", mean)
        validation.require_scale(sums.labels, f"spread of column {value!r}", root)
        ss = sums.unit * (sums.unit * sums.ss)
        if np.any((ss == 0) != (sums.ss == 0)):
            raise ValueError(f"numbers in {value!r} are so small that their squares are 0: rescale the column")
        naming.warn_of_missing(f"column {group!r}", sums.labels)
        return cls.from_summary(sums.labels, sums.n, mean, ss, covariates=columns, dim=dim)

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
        sizes, values = self.n.astype(int), []
        for n, mean, ss in zip(sizes, self.mean, self.ss, strict=True):
            e = rng.standard_normal(n)
            e -= e.mean()
            values.append(mean + e * (np.sqrt(ss / np.sum(e**2)) if n > 1 else 0.0))
        return list(np.repeat(self.labels, sizes)), np.concatenate(values)

    def power_scaled(self, alpha: float) -> Self:
        """Groups whose likelihood is that of these to the power alpha: as if each row had been there alpha times.

        Raises
        ------
        ValueError
            Where that leaves no degrees of freedom within groups.
        """
        df = alpha * self.n - 1
        if df.sum() <= 0:
            raise ValueError(f"{self.n.sum():g} rows to the power {alpha} are no more than {len(self)} groups")
        return replace(super().power_scaled(alpha), df=df)

    @property
    def n(self) -> np.ndarray:
        """Rows in each group."""
        return self.df + 1

    @property
    def noise_of_one(self) -> np.ndarray:
        """Noise of one more row of each group."""
        return np.ones(len(self))
