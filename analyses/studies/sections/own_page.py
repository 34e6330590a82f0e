"""The page on a table of one's own."""

from analyses.engines.inference_data import MANY
from analyses.fits.exact_fit import ExactFit
from analyses.report.pages import Page
from analyses.studies.sections import few_groups, many_groups, own_table
from analyses.studies.sections.own_table import Story


def page(story: Story, exact: ExactFit) -> Page:
    """Tell the story of a table, of each group where they are few."""
    groups, prepared = exact.posterior.model.groups, exact.prepared
    size = many_groups if len(groups) > MANY else few_groups
    own = own_table.with_threshold(size.checked(exact))
    answers = (
        story.headline(own),
        own_table.coefficients_sentence(own),
        own_table.threshold_sentence(own),
        size.leader(story, own),
    )
    return Page(
        name=story.name,
        title=f"{story.title} in {exact.request.table.name}",
        question=story.question(groups),
        sentence=" ".join(filter(None, answers)),
        sections=size.sections(story, own),
        machinery=size.machinery(own.fit),
        picture=size.picture(own.fit),
        doubts=story.doubts,
        read=prepared.read,
        fits=(own.fit,),
        model_checks=size.model_checks(own.fit),
        warnings=(*prepared.warnings, *own.warnings),
        notes=prepared.notes,
    )
