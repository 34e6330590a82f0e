"""What another prior of tau would change in a table of one's own."""

from dataclasses import replace

import numpy as np
import pandas as pd

from analyses.checks import sensitivity
from analyses.fits import rescale
from analyses.ingest.build_model import Prepared
from analyses.report.numbers import spelled
from analyses.report.pages import Section
from analyses.studies.sections.any_model import INTERVALS, MOMENTS, mark_undefined
from models import priors
from models.groups import Replicates
from models.priors import Scale


def prior_section(prepared: Prepared) -> Section:
    """Compare the model's prior of tau with others, and weigh prior and data."""
    model, name = prepared.model, "tau" if "tau" in prepared.priors else "tau2"
    models = {f"{name} ~ {prepared.priors[name]}": model}
    models |= {text: replace(model, tau=prior) for text, prior in _alternatives(prepared).items() if prior != model.tau}
    tables = {text: rescale.table(prepared.units, t) for text, t in sensitivity.side_by_side(models).items()}
    moves = sensitivity.by_power(model)
    rows = [
        {"variable": variable, "label": label, "prior": text, **table.loc[(variable, label), MOMENTS]}
        for variable, label in moves.index
        for text, table in tables.items()
    ]
    return Section(
        title="With another prior",
        text=f"{_weight_of_prior(model, moves['prior'])} The first prior is the model's; scales of the others are "
        f"{_scale_name(prepared)}, to show how much a prior would matter. Those that leave no posterior are left out.",
        table=mark_undefined(pd.DataFrame(rows)),
        note="When all priors weigh twice as much (power-scaling), medians move by, in sds, a doubling: "
        f"{_list_moves(moves['prior'])}. When the data do: {_list_moves(moves['data'])}. Exact. {INTERVALS}",
    )


def _weight_of_prior(model, moves) -> str:
    """Say how far the prior's weight moves the medians."""
    most = moves.abs().max()
    if not sensitivity.is_power_scaled(model):
        return "Flat priors are flat to any power, so weighing them more says nothing: look how far others lead."
    if np.isnan(most):
        return "With less of its weight the prior leaves no posterior: it holds this one up. Look how far others lead."
    if most <= sensitivity.MATTERS:
        return f"A prior that weighs twice as much moves no median by more than {most:.2f} of its sd: the data decide."
    return f"A prior that weighs twice as much moves a median by up to {most:.2f} of its sd: it matters here."


def _list_moves(moves) -> str:
    texts = [f"{' '.join(filter(None, key))} {move:+.2f}" for key, move in moves.dropna().items()]
    return ", ".join(texts) or "no posterior is left"


def _alternatives(prepared: Prepared) -> dict[str, Scale]:
    """Usual priors of tau, in units of sigma or absolute.

    The proper absolute ones take their scale, inside the units, from the data: that is no prior, but shows how much one
    would matter.
    """
    if not prepared.units.tau:
        return {
            "tau ~ HalfCauchy(1)": priors.HalfCauchy(1.0),
            "tau2 ~ InverseGamma(0.5, 0.5)": priors.InverseGamma(0.5, 0.5),
            "tau ~ HalfNormal(1)": priors.HalfNormal(1.0),
            "tau ~ Uniform()": priors.FLAT,
            "tau2 ~ Uniform()": priors.FLAT_VARIANCE,
        }
    model = prepared.model
    rows = isinstance(model.groups, Replicates)
    scale = model.initial_scales["sigma"] if rows else float(np.median(model.groups.standard_error))
    outside = spelled(prepared.units.spread("tau", scale))
    return {
        "tau ~ Uniform()": priors.FLAT,
        f"tau ~ HalfCauchy({outside})": priors.HalfCauchy(scale),
        f"tau ~ HalfNormal({outside})": priors.HalfNormal(scale),
        "tau2 ~ Uniform()": priors.FLAT_VARIANCE,
    }


def _scale_name(prepared: Prepared) -> str:
    """Say whence the scales of `_alternatives` are."""
    if not prepared.units.tau:
        return "the usual ones"
    return "about sigma's size" if isinstance(prepared.model.groups, Replicates) else "the median standard error"
