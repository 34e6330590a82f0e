"""A model with its exact posterior: what can be asked of it without sampling, in the units of the data."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, Self, cast

import numpy as np
import pandas as pd
import xarray as xr

from analyses.checks import evidence, league_table, top_groups
from analyses.checks.league_table import AMONG, End
from analyses.engines import all_groups, exact
from analyses.engines.inference_data import MANY
from analyses.engines.mixture import PROBABILITIES, named
from analyses.fits import predictions, rescale
from analyses.fits.settings import Settings, timed
from analyses.ingest import build_model
from analyses.ingest.build_model import Prepared
from analyses.ingest.request import Number, Request, finite
from analyses.ingest.units import NONE
from models import spellings
from models.groups import Estimates
from models.groups.naming import nearest
from models.priors import Scale
from models.two_level import TwoLevel

OF_GROUPS = ("theta", "kappa")


@dataclass(frozen=True, eq=False, kw_only=True)
class ExactFit:
    """A two-level model with its exact posterior.

    Attributes
    ----------
    name : str
        What the random streams are named after.
    prepared : Prepared
        The model, in numbers about 1, and its units.
    posterior : exact.Posterior
        In these numbers.
    request : Request, optional
        The table and the question put to it.
    settings : Settings
    seconds : dict
        How long each stage took, by name.
    """

    name: str
    prepared: Prepared
    posterior: exact.Posterior
    request: Request | None = None
    settings: Settings = field(default_factory=Settings)
    seconds: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of_model(cls, name: str, model: TwoLevel, settings: Settings) -> Self:
        """Compute the posterior of a model whose data need no units."""
        return cls._of(name, Prepared(model=model, units=NONE, priors=model.spelled_priors, references={}), settings)

    @classmethod
    def of_table(cls, request: Request, settings: Settings) -> Self:
        """Read a table and compute the posterior of its model.

        Raises
        ------
        InputError
            With a line for each fault.
        """
        prepared = build_model.prepare(request, show=settings.progress)
        return cls._of(request.study, prepared, settings, request=request)

    @classmethod
    def _of(cls, name, prepared, settings, **more) -> Self:
        seconds: dict[str, float] = {}
        with timed(seconds, "exact"):
            posterior = exact.posterior(prepared.model, show=settings.progress)
        return cls(name=name, prepared=prepared, posterior=posterior, settings=settings, seconds=seconds, **more)

    @cached_property
    def model(self) -> TwoLevel:
        """Groups and priors, in the units of the data."""
        return self.prepared.outside

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the groups."""
        return self.posterior.model.groups.labels

    @property
    def population(self) -> tuple[str, ...]:
        """Names of the parameters that all groups share."""
        model = self.posterior.model
        return ("mu", *(("beta",) if model.groups.covariates else ()), *model.unknown, "sd_between")

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of all variables with a posterior."""
        return (*self.population, *OF_GROUPS)

    def summary(self, var_names: Sequence[str] | None = None, *, ci_prob: float = 0.95) -> pd.DataFrame:
        """Exact posterior means, standard deviations and quantiles.

        Parameters
        ----------
        var_names : sequence of str, optional
            Some of mu, beta, tau, sigma, sd_between, theta, kappa; all, if not given.
        ci_prob : float
            Probability of the equal-tailed interval.

        Returns
        -------
        DataFrame
            mean, sd, and the lower end, median and upper end of the interval, by variable and label. A moment that does
            not exist is nan.

        Raises
        ------
        ValueError
            For a name that is no variable of this model, or a probability that is not between 0 and 1.
        """
        names = self.variables if var_names is None else _names(var_names, self.variables)
        # The last digits depend on which quantiles are sought together, so those of every report are always included.
        probabilities = PROBABILITIES | interval(ci_prob)
        scales = [name for name in names if name in (*self.posterior.model.unknown, "sd_between")]
        rows = pd.concat([self.posterior.population(scales, probabilities), *self._groups(names, probabilities)])
        return rescale.table(self.prepared.units, rows.loc[list(names), ["mean", "sd", *interval(ci_prob)]])

    def _groups(self, names, probabilities) -> list[pd.DataFrame]:
        """Rows of theta and kappa. For very many groups the cost grows with the number of distinct sizes."""
        wanted = [name for name in OF_GROUPS if name in names]
        if not wanted:
            return []
        if len(self.labels) <= MANY:
            return [self.posterior.groups(wanted, probabilities=probabilities)]
        moments = all_groups.theta_and_kappa(self.posterior)
        quantiles = {"theta": self._theta_quantiles, "kappa": self._kappa_quantiles}
        return [
            pd.DataFrame(
                {"mean": moments[f"{name}_mean"].to_numpy(), "sd": moments[f"{name}_sd"].to_numpy()}
                | dict(zip(probabilities, quantiles[name](list(probabilities.values())), strict=True)),
                index=pd.MultiIndex.from_product([[name], self.labels], names=["variable", "label"]),
            )
            for name in wanted
        ]

    def _theta_quantiles(self, probabilities) -> np.ndarray:
        return all_groups.theta_quantiles(self.posterior, probabilities, show=self.settings.progress)[0]

    def _kappa_quantiles(self, probabilities) -> np.ndarray:
        """Quantiles of kappa, computed once for each distinct noise."""
        _, first, which = np.unique(self.posterior.model.groups.noise, return_index=True, return_inverse=True)
        return self.posterior.kappa(first).quantile(probabilities)[:, which]

    @property
    def threshold(self) -> Decimal | None:
        """What theta and mu are compared with: as the request says, else 0 for estimates, else nothing."""
        if self.request and self.request.threshold is not None:
            return self.request.threshold
        return Decimal(0) if isinstance(self.posterior.model.groups, Estimates) else None

    def league(self, best: End = "high", *, among: int = AMONG, threshold: Number | None = None) -> pd.DataFrame:
        """Groups with their data, posterior, rank, and probability to be the best; of very many, to be in the top 1%.

        Parameters
        ----------
        best : {"high", "low"}
            Which end of theta has rank 1.
        among : int
            How many are the best k, for the probability to be one of them.
        threshold : float, optional
            The c of P(theta > c); 0 for estimates, if not given, and none for groups of values.

        Returns
        -------
        DataFrame
            label, n or standard_error, estimate, theta_mean, theta_sd, theta_q2_5, theta_q50, theta_q97_5, p_above
            where there is a threshold, kappa_mean, and, from 4,000 independent draws, rank_mean, rank_q2_5, rank_q97_5,
            p_best with its Monte Carlo error, p_among; above 2,000 groups p_top in place of the last five. The best
            group comes first.

        Raises
        ------
        ValueError
            For another end than these two, or a threshold that is not a finite number.
        """
        threshold = self.threshold if threshold is None else finite(threshold)
        if best not in ("high", "low"):
            raise ValueError(f"best={best!r}: write 'high' or 'low'")
        if len(self.labels) > MANY:
            rng = self.settings.rng("top", self.name)
            rows = top_groups.table(self.posterior, best=best, rng=rng, show=self.settings.progress).groups
            order = {"by": ["p_top", "theta_mean"], "ascending": [False, best == "low"]}
        else:
            among = min(among, len(self.labels))
            table, draws = self.posterior.table(), self._draws
            rows = league_table.table(self.posterior.model.groups, table, draws, best=best, among=among)
            order = {"by": "rank_mean"}
        if threshold is not None:
            rows["p_above"] = self.probability(above=threshold)["theta"].to_numpy()
        rows = rescale.groups(self.prepared.units, rows).dropna(axis=1, how="all")
        return rows.sort_values(**order, kind="stable").set_index("label")

    @cached_property
    def _draws(self) -> xr.DataTree:
        """Independent joint draws, in numbers about 1."""
        return self.posterior.draw(rng=self.settings.rng("exact", self.name))

    def difference(self, a: str, b: str, *, ci_prob: float = 0.95) -> pd.Series:
        """Posterior of theta of group a minus theta of group b: mean, sd, interval, and P(a above b). Exact.

        Raises
        ------
        ValueError
            For a name that is no group, or one group named twice.
        """
        if a == b:
            raise ValueError(f"the difference of {a!r} and itself is 0: name two groups")
        positions = [self._position(name) for name in (a, b)]
        law = self.posterior.contrast(np.array([[1.0, -1.0]]), positions)
        rows = self.posterior.rows(named("theta", law), probabilities=interval(ci_prob))
        row = rows.iloc[0] * self.prepared.units.spread("theta", 1.0)
        above = 1 - law.cdf(np.zeros(1), np.array([0]))[0]
        return pd.Series({**row, "p_above": above}, name=f"{a} - {b}")

    def bayes_factor(self) -> pd.DataFrame:
        """Bayes factor of no spread between groups, tau = 0, against tau as the model has it. Exact.

        It depends on the scale of tau's prior, so it is given for scales from an eighth to eight times as large.

        Returns
        -------
        DataFrame
            log_bayes_factor, bayes_factor, and p_no_spread, the probability of tau = 0 where it is 1/2 beforehand; a
            row a prior.

        Raises
        ------
        ValueError
            Where tau's prior is improper: then the Bayes factor has no value.
        """
        table = evidence.by_scale(self.posterior.model)
        name = "tau" if "tau" in self.prepared.priors else "tau2"
        prior = cast(Scale, spellings.prior(name, self.prepared.priors[name]))
        scaled = (spellings.stated("tau", prior.scaled(1 / factor)) for factor in table.index)
        return table.set_index(pd.Index([f"{tau} ~ {text}" for tau, text in scaled], name="prior"))

    def probability(self, *, above: Number | None = None, below: Number | None = None) -> pd.Series:
        """P(theta > above) of each group, and P(mu > above); or those of theta and mu below a value. Exact.

        With covariates mu is the population mean where every covariate is 0.

        Raises
        ------
        ValueError
            Unless there is exactly one value, and it is a finite number.
        """
        values = [value for value in (above, below) if value is not None]
        if len(values) != 1:
            raise ValueError("give one value, above= or below=")
        value = finite(values[0])
        inside = self.prepared.units.located(value)
        mu = self.posterior.b.cdf(np.array([inside]), np.array([0]))
        share = np.concatenate([mu, all_groups.below(self.posterior, inside, show=self.settings.progress)])
        keys = [("mu", ""), *(("theta", label) for label in self.labels)]
        name = f"P({'above' if below is None else 'below'} {float(value):g})"
        index = pd.MultiIndex.from_tuples(keys, names=["variable", "label"])
        return pd.Series(1 - share if below is None else share, index=index, name=name)

    def predict(self, frame: Any, *, ci_prob: float = 0.95) -> pd.DataFrame:
        """Predict groups of a table, those that are in the data and new ones. Exact.

        Parameters
        ----------
        frame : data frame or dictionary of columns
            A row a group. The column of the groups' names tells which are known; all rows are new where it is
            absent. New groups need the covariates. A new estimate is predicted where the table has its standard error.
        ci_prob : float
            Probability of the equal-tailed interval.

        Returns
        -------
        DataFrame
            mean, sd, and interval by variable and label: "theta", the mean of each group, and "value", one more value
            of it.

        Raises
        ------
        InputError
            For a covariate that is missing, a level that the data do not have, or one that differs from the data's.
        """
        rows = predictions.table(self.posterior, self.prepared, self._columns, frame, interval(ci_prob))
        return predictions.renamed(rescale.table(self.prepared.units, rows))

    @property
    def _columns(self) -> predictions.NamedColumns:
        """Names of the columns: those of the data, or names from a model that was not made from a table."""
        groups = self.posterior.model.groups
        names: dict[str, Any] = dict(self.request.columns) if self.request else {"label": groups.dim, "se": "se"}
        return predictions.NamedColumns(
            label=names.get("group") or names.get("label") or groups.dim,
            covariates=self.request.covariates if self.request else groups.covariates,
            error=names.get("se") if isinstance(groups, Estimates) else None,
        )

    def _position(self, label: str) -> int:
        if label in self.labels:
            return self.labels.index(label)
        near = nearest(str(label), self.labels)
        raise ValueError(f"there is no group {label!r}" + (f": did you mean {near!r}?" if near else ""))


def interval(ci_prob: float) -> dict[str, float]:
    """Names and probabilities of the ends of an equal-tailed interval and the median.

    Raises
    ------
    ValueError
        For a probability that is not between 0 and 1.

    Examples
    --------
    >>> interval(0.95)
    {'q2_5': 0.025, 'q50': 0.5, 'q97_5': 0.975}
    """
    if isinstance(ci_prob, str) or not 0 < ci_prob < 1:
        raise ValueError(f"ci_prob={ci_prob!r}: give a probability between 0 and 1")
    ends = [round((1 - ci_prob) / 2, 12), 0.5, round((1 + ci_prob) / 2, 12)]
    return {f"q{100 * p:.10g}".replace(".", "_"): p for p in ends}


def _names(wanted: Sequence[str] | str, known: Sequence[str]) -> list[str]:
    """Names of variables, in the order of those that there are."""
    wanted = [wanted] if isinstance(wanted, str) else list(wanted)
    if unknown := [name for name in wanted if name not in known]:
        raise ValueError(f"there is no variable {unknown[0]!r}: there are {', '.join(known)}")
    return [name for name in known if name in wanted]
