"""Columns of tables: what stands above each and how its numbers are written."""

from dataclasses import dataclass
from enum import Enum, auto


class Style(Enum):
    """How the numbers of a column are written. A whole number in its place is a number of decimals."""

    PLAIN = auto()  # four digits
    VALUE = auto()  # the decimals that the spread of its variable supports
    SPREAD = auto()  # likewise, and it is that spread
    ERROR = auto()  # likewise, where a row has no sd and no interval
    MC_ERROR = auto()  # two digits
    PROBABILITY = auto()


Format = Style | int


@dataclass(frozen=True)
class Column:
    """What stands above a column and how its numbers are written."""

    heading: str
    format: Format = Style.PLAIN


COLUMNS = {  # of the tables that runs write, whose names are for programs
    "label": Column("of"),
    "mean": Column("mean", Style.VALUE),
    "sd": Column("sd", Style.SPREAD),
    "q2_5": Column("2.5%", Style.VALUE),
    "q50": Column("median", Style.VALUE),
    "q97_5": Column("97.5%", Style.VALUE),
    "mcse_mean": Column("its MC error", Style.MC_ERROR),
    "ess": Column("ESS", 0),
    "ess_bulk": Column("ESS, bulk", 0),
    "ess_tail": Column("ESS, tail", 0),
    "r_hat": Column("R-hat", 3),
    "e_bfmi": Column("E-BFMI", 2),
    "observed": Column("observed", Style.VALUE),
    "p": Column("p", Style.PROBABILITY),
    "p_above": Column("P(above)", Style.PROBABILITY),
    "estimate": Column("estimate", Style.VALUE),
    "standard_error": Column("standard error"),
    "theta_mean": Column("theta", Style.VALUE),
    "theta_sd": Column("its sd", Style.SPREAD),
    "theta_q2_5": Column("2.5%", Style.VALUE),
    "theta_q50": Column("median", Style.VALUE),
    "theta_q97_5": Column("97.5%", Style.VALUE),
    "kappa_mean": Column("kappa", 3),
    "kappa_sd": Column("its sd", 3),
    "rank_mean": Column("rank", 1),
    "rank_q2_5": Column("rank 2.5%", 0),
    "rank_q97_5": Column("rank 97.5%", 0),
    "p_best": Column("P(best)", Style.PROBABILITY),
    "mcse_p_best": Column("its MC error", Style.MC_ERROR),
    "p_among": Column("P(among the best)", Style.PROBABILITY),
    "p_top": Column("P(top 1%)", Style.PROBABILITY),
    "mcse_p_top": Column("its MC error", Style.MC_ERROR),
    "p_as_small": Column("P(as small)", Style.PROBABILITY),
    "log_density": Column("log density", 2),
    "mcse_log_density": Column("its MC error", Style.MC_ERROR),
    "pareto_k": Column("Pareto k", 2),
    "own_error": Column("own error"),
}


def heading(name: str) -> str:
    """Return what stands above a column."""
    return COLUMNS[name].heading if name in COLUMNS else name
