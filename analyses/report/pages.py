"""Pages: what a study says, written out as HTML with everything inside."""

import base64
import io
import math
import re
from dataclasses import dataclass, field
from typing import NamedTuple

import jinja2
import pandas as pd
from matplotlib.figure import Figure

from analyses.checks import Verdict
from analyses.engines.inference_data import NAMES
from analyses.fits.crosscheck import Crosscheck
from analyses.report.columns import Format, heading
from analyses.report.decimals import cells
from analyses.report.numbers import bound


class Picture(NamedTuple):
    """A figure and what it shows, for those who cannot see it."""

    figure: Figure
    caption: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Section:
    """A heading, a few sentences, and what shows it.

    `code` is a program, shown as it is; `figures` maps a file's name to its picture; `formats` says how numbers of the
    table's columns are written, of those that `columns.COLUMNS` does not have; `headings` has what stands above
    columns in place of what `COLUMNS` says: the words of the table's owner.
    """

    title: str
    text: str = ""
    code: str = ""
    figures: dict[str, Picture] = field(default_factory=dict)
    table: pd.DataFrame | None = None
    formats: dict[str, Format] = field(default_factory=dict)
    headings: dict[str, str] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class Page:
    """A study's answer. The first of `fits` is the headline; the others go into folders of their own names.

    `sections` tell the story, `machinery` comes after it: how the routes agree, whether chains mixed. `picture` names
    the figure that is shown with the answer, `doubts` say what could be wrong with it. `more` are verdicts on what the
    study adds to the engines, each with the name of what it is on; `model_checks` say whether the model fits its data,
    which is another question than whether its posterior is computed correctly; `data` are the shipped tables that the
    study rests on, `read` the files that it was given with their SHA-256, `tables` those that it writes beside the
    folders of the studies; `warnings` are what the reader should know of the data first, and `notes` say how they
    were read.
    """

    name: str
    title: str
    question: str
    sentence: str
    sections: tuple[Section, ...]
    machinery: tuple[Section, ...] = ()
    picture: str = ""
    doubts: str = ""
    data: tuple[str, ...] = ()
    read: dict[str, str] = field(default_factory=dict)
    fits: tuple[Crosscheck, ...] = ()
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    more: tuple[tuple[str, Verdict], ...] = ()
    model_checks: tuple[tuple[str, Verdict], ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self):
        names = [name for section in self.every_section for name in section.figures]
        if twice := [name for name in set(names) if names.count(name) > 1]:
            raise ValueError(f"two figures of {self.name} are called {twice[0]!r}: one would be lost")

    @property
    def every_section(self) -> tuple[Section, ...]:
        """The story's sections, then those of the machinery."""
        return self.sections + self.machinery

    @property
    def verdicts(self) -> list[tuple[str, Verdict]]:
        """Verdicts on the computation, each with the name of what it is on."""
        return [(fit.name, verdict) for fit in self.fits for verdict in fit.verdicts] + list(self.more)

    @property
    def passed(self) -> bool:
        """Whether every check of the computation did."""
        return all(verdict.passed for _, verdict in self.verdicts)

    @property
    def misfits(self) -> list[str]:
        """What the model does not reproduce of its data."""
        return [verdict.sentence for _, verdict in self.model_checks if not verdict.passed]

    @property
    def figures(self) -> dict[str, Picture]:
        """Pictures of all sections, by name."""
        return {name: picture for section in self.every_section for name, picture in section.figures.items()}


def render(page: Page, pictures: dict[str, bytes]) -> str:
    """One study's page; `pictures` maps a figure's name to its PNG."""
    return _template("page.html").render(page=page, pictures={n: _inline(p) for n, p in pictures.items()})


def computation_sentence(verdicts: list[Verdict]) -> str:
    """Say whether the checks of the computation passed, by their number."""
    passed, size = sum(verdict.passed for verdict in verdicts), len(verdicts)
    if passed < size:
        return f"{size - passed} of {size} checks of the computation failed."
    return "The only check of the computation passed." if size == 1 else f"All {size} checks of the computation passed."


def fit_sentence(misfits: list[str], checks: int) -> str:
    """Say whether a model fits its data, by the number of respects that were tried.

    Examples
    --------
    >>> fit_sentence([], 4)
    'The model fits its data in each of the 4 respects that were tried.'
    """
    if not checks:
        return "Whether the model fits its data is not checked here."
    if not misfits:
        return f"The model fits its data in each of the {checks} respects that were tried."
    return f"The model does not fit its data in {len(misfits)} of the {checks} respects that were tried."


def accuracy_sentence(page: Page) -> str:
    """Say how sure the numbers are, as computed; nothing of a page without a fit."""
    if not page.fits:
        return ""
    fit = page.fits[0]
    how = "in closed form" if fit.nodes == 1 else f"by quadrature over {fit.nodes:,} nodes"
    engines = [NAMES[engine] for engine in fit.trees]
    drawn = f"; {len(fit.agreement):,} figures of {join_words(engines)} are held against it" if engines else ""
    return f"The posterior is computed {how}, {error_bound(fit.error)}{drawn}."


def error_bound(error: float) -> str:
    """Say how small a numerical error in posterior sds is, by the next power of ten.

    Examples
    --------
    >>> error_bound(3e-13)
    'with a numerical error below 1e-12 posterior standard deviations'
    """
    if math.isnan(error):
        return "with an error that would take too long to estimate"
    return f"with a numerical error below {bound(error)} posterior standard deviations"


def join_words(words: list[str]) -> str:
    """Words with commas and an and.

    Examples
    --------
    >>> join_words(["NUTS"]), join_words(["NUTS", "Gibbs", "draws"])
    ('NUTS', 'NUTS, Gibbs and draws')
    """
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def front(studies: list[dict], proofs: list[dict]) -> str:
    """The page that leads to the studies, and to what proves and teaches beside them, from what manifests say."""
    league = [row for manifest in studies for row in manifest.get("engines", [])]
    return _template("front.html").render(studies=studies, proofs=proofs, league=league)


def notebook(title: str, body: str, highlighting: str) -> str:
    """The page of a notebook, from its cells as HTML and the CSS of its code."""
    return _template("notebook.html").render(title=title, body=body, highlighting=highlighting)


def png(figure: Figure) -> bytes:
    """The picture, without the date and the program that made it, so that the same numbers give the same bytes."""
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def _inline(picture: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(picture).decode("ascii")


def anchor(title: str) -> str:
    """Name of a section in the address: lower case, hyphens between words.

    Examples
    --------
    >>> anchor("A to C. Three analyses, two of them wrong")
    'a-to-c-three-analyses-two-of-them-wrong'
    """
    return "-".join(re.findall(r"\w+", title.lower()))


FILTERS = {f.__name__: f for f in (cells, heading, accuracy_sentence, anchor, computation_sentence, fit_sentence)}


def _template(name) -> jinja2.Template:
    loader = jinja2.PackageLoader("analyses.report", ".")
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= FILTERS
    return environment.get_template(name)
