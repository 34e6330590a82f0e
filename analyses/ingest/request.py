"""What is asked of a table of one's own: its columns, the priors, what to compare."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analyses.ingest.data_frame import FrameTable


class InputError(ValueError):
    """Data that cannot be answered for: one line a fault."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A table and the question put to it: a file, or a data frame.

    `columns` maps what the study needs (group, value, estimate, ...) to names of columns; `priors` maps a parameter, or
    a covariate, to how its prior was spelled.
    """

    table: "Path | FrameTable"
    columns: dict[str, str] = field(default_factory=dict)
    covariates: tuple[str, ...] = ()
    priors: dict[str, str] = field(default_factory=dict)
    absolute: bool = False
    compare: tuple[tuple[str, str], ...] = ()
    among: int | None = None
