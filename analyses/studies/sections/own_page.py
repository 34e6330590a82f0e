"""The page on a table of one's own."""

from analyses.engines.inference_data import MANY
from analyses.fits.settings import Settings
from analyses.ingest.build_model import Prepared
from analyses.report.pages import Page
from analyses.studies.sections import few_groups, many_groups
from analyses.studies.sections.own_table import Story


def page(story: Story, prepared: Prepared, settings: Settings) -> Page:
    """Fit the model of a file and tell its story, of each group where they are few."""
    groups = prepared.model.groups
    size = many_groups if len(groups) > MANY else few_groups
    own = size.fit_table(story.name, prepared, settings)
    return Page(
        name=story.name,
        title=f"{story.title} in {settings.request.table.name}",
        question=story.question(groups),
        sentence=f"{story.headline(own)} {size.leader(own.fit)}",
        sections=size.sections(story, own),
        machinery=size.machinery(own.fit),
        picture=size.picture(own.fit),
        doubts=story.doubts,
        read=prepared.read,
        fits=(own.fit,),
        model_checks=size.model_checks(own.fit),
        warnings=(*prepared.warnings, *own.warnings),
    )
