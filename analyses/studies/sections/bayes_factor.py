"""Whether the groups of a table differ at all: the Bayes factor of tau = 0."""

from analyses.checks import evidence
from analyses.fits.exact_fit import ExactFit
from analyses.report import figures
from analyses.report.columns import Style
from analyses.report.numbers import spelled
from analyses.report.pages import Picture, Section

LEAST, MOST = 1e-3, 1e3  # that are written in digits


def sections(fit: ExactFit) -> tuple[Section, ...]:
    """Compare no spread between groups with the model's prior of tau; nothing where that is improper."""
    model = fit.posterior.model
    if not model.tau.proper:
        return ()
    table, sweep = fit.bayes_factor(), evidence.by_scale(model, evidence.SWEEP)
    factor, probability = table.iloc[len(table) // 2][["bayes_factor", "p_no_spread"]]
    prior, low, high = table.index[len(table) // 2], *sorted(table["bayes_factor"].iloc[[0, -1]])
    ends = [_written(each) for each in sweep["bayes_factor"].iloc[[0, -1]]]
    caption = (
        "Bayes factor of tau = 0 on a log scale, against the scale of the prior of tau in multiples of the model's. "
        f"Above 1, whose log is 0, the data favor groups that do not differ. It runs from {ends[0]} to {ends[1]}."
    )
    xlabel = "scale of tau's prior, the model's is 1"
    figure = figures.against_scale(sweep.index, sweep["log_bayes_factor"], xlabel=xlabel)
    return (
        Section(
            title="Do the groups differ at all?",
            text=f"The Bayes factor of no spread, tau = 0, against {prior} is {_written(factor)}. If both are equally "
            f"likely beforehand, the probability of no spread is {_probability(probability)}. The answer depends on "
            "the prior of tau, as a wide one spreads its probability over values that the data rule out: with scales "
            f"from an eighth to eight times as large the Bayes factor is {_written(low)} to {_written(high)}.",
            figures={"bayes_factor": Picture(figure, caption)},
            table=table.drop(columns="bayes_factor").reset_index(),
            formats={"log_bayes_factor": 2, "p_no_spread": Style.PROBABILITY},
            headings={"log_bayes_factor": "log of the Bayes factor", "p_no_spread": "P(tau = 0)"},
            note="Exact. Improper priors of mu and sigma are common to both models and cancel.",
        ),
    )


def _written(factor: float) -> str:
    """A Bayes factor in a sentence.

    Examples
    --------
    >>> _written(1.5954), _written(2.5e-52), _written(34567.0)
    ('1.6', 'less than 0.001', 'more than 1,000')
    """
    if factor < LEAST:
        return f"less than {LEAST:g}"
    return f"more than {MOST:,.0f}" if factor > MOST else spelled(factor, factor, least=1)


def _probability(p: float) -> str:
    return "less than 0.001" if p < LEAST else "more than 0.999" if p > 1 - LEAST else f"{p:.2f}"
