"""The page of mutations: what caught each."""

import pandas as pd

from analyses.calibrate import mutation
from analyses.calibrate.families import FAMILIES
from analyses.checks import Verdict
from analyses.report.pages import Page, Section

TESTED = (
    "Each mistake is a patch of one conditional of the right sampler; a number before it is that of the source that "
    "prints it. The identity holds the law of each step against the joint density, without sampling, and names the "
    "step that is wrong; it cannot see a sampler that is wrong as a whole. The calibration ranks truths, {first} sets "
    "of data and then more until the mistake is caught, by the limit that right engines have to pass, and names the "
    "quantity that is least even. Power is a lower bound on the chance that the whole test, with {share}its number of "
    "sets, catches it at once."
)


def mutants_page(rows: pd.DataFrame, *, quick: bool) -> Page:
    """Whether every mistake was caught, and by what.

    Parameters
    ----------
    rows : DataFrame
        Those of `mutation.run`.
    quick : bool
        With few sets of data a mistake may be caught by either test, else by the calibration.
    """
    rows = rows.assign(found=rows["caught"] | ((rows["identity"] != "") & quick))
    families = list(rows.groupby("family", sort=False))
    text = TESTED.format(first=mutation.FIRST_SETS, share="an eighth of " if quick else "")
    tables = [Section(title=FAMILIES[n].heading, text=FAMILIES[n].story, table=_table(part)) for n, part in families]
    return Page(
        name="mutants",
        title="Mistakes: would the calibration have noticed?",
        question="Samplers with one mistake each, as sources print them and public code makes them: is each caught?",
        sentence=f"{rows['found'].sum()} of {len(rows)} mistakes were caught{_missed(rows)}.",
        sections=(Section(title="What catches which", text=text), *tables),
        more=tuple((name, _verdict(part)) for name, part in families),
    )


def _missed(rows):
    return "" if rows["found"].all() else f"; not caught: {'; '.join(rows.loc[~rows['found'], 'mistake'])}"


def _verdict(rows):
    broken = (rows["breaks"] != "").sum()
    sentence = f"{rows['caught'].sum()} of {len(rows)} mistakes caught by the calibration"
    sentence += f", of which {broken} break down or do not move" if broken else ""
    sentence += f", {(rows['identity'] != '').sum()} by the identity{_missed(rows)}"
    return Verdict("mistakes", bool(rows["found"].all()), sentence)


def _table(rows):
    quantity = rows["quantity"].where(rows["caught"], "not caught")
    columns = {
        "mistake": rows["mistake"],
        "identity": rows["identity"].replace("", "cannot see it"),
        "calibration": rows["breaks"].where(rows["breaks"] != "", quantity),
        "sets": rows["sets"],
        "P": [_p(value, sets) for value, sets in zip(rows["p"], rows["sets"], strict=True)],
        "power": rows["power"].map("{:.4f}".format),
    }
    return pd.DataFrame(columns)


def _p(value, sets):
    """P in a table; empty where the sampler broke down."""
    if sets == 0:
        return ""
    return f"{value:.0e}" if value else "< 1e-300"
