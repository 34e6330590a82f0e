"""What kind of table a path, or a data frame, is."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from analyses.ingest import parquet
from analyses.ingest.data_frame import FrameTable
from analyses.ingest.parquet import ParquetFiles
from analyses.ingest.reading import Name, Reading, Source
from analyses.ingest.request import InputError, Request
from analyses.ingest.text_file import TextFile
from analyses.ingest.wording import COMMAND_LINE, Wording
from analyses.ingest.workbook import WORKBOOKS, Workbook

ARROW = (".arrow", ".feather", ".ipc")


def of_request(request: Request, *, show: bool = False) -> Source:
    """The table of a request; with `show` a bar tells how far a file is read."""
    if isinstance(request.table, FrameTable):
        return request.table
    names = (*request.columns.values(), *request.covariates)
    return of_path(request.table, names, request.reading, request.wording, show=show)


def of_path(
    path: Path,
    names: Sequence[Name] = (),
    reading: Reading | None = None,
    wording: Wording = COMMAND_LINE,
    *,
    show: bool = False,
) -> Source:
    """The table in a file: Parquet, Arrow, a workbook, or text, as the end of its name says.

    Raises
    ------
    InputError
        For something that is said of how the file is written and that such files do not have.
    """
    reading, suffix = reading or Reading(), path.suffix.lower()
    if parquet.is_parquet(path):
        _require_none(path, reading, wording, "delimiter", "decimal", "encoding", "sheet", "skip")
        return ParquetFiles(path, wording, show)
    if suffix in ARROW:
        _require_none(path, reading, wording, "delimiter", "decimal", "encoding", "sheet", "skip")
        return _of_arrow(path, names, wording)
    if suffix in WORKBOOKS:
        _require_none(path, reading, wording, "delimiter", "encoding")
        return Workbook(path, reading, wording)
    _require_none(path, reading, wording, "sheet")
    return TextFile(path, reading, wording, show)


def _require_none(path: Path, reading: Reading, wording: Wording, *settings: str) -> None:
    """Refuse what is said of a file that it does not have."""
    if said := [name for name in settings if getattr(reading, name) is not None]:
        kind = f"a file whose name ends in {path.suffix}" if path.suffix else "a folder"
        raise InputError(f"{path.name}: {wording.named(said[0])} does not go with {kind}")


def _of_arrow(path: Path, names: Sequence[Name], wording: Wording) -> FrameTable:
    """The table in a file of Arrow's own format, which Feather is too."""
    digest = parquet.digest(path)  # which is also how a file that is not there is told
    try:
        from pyarrow import ArrowInvalid, feather
    except ImportError as error:
        raise InputError(
            f"{path.name}: Arrow files need the package pyarrow: pip install 'partial-pooling[arrow]'; or save the "
            "table as Parquet or CSV"
        ) from error
    try:
        table = feather.read_table(path, memory_map=False)
    except ArrowInvalid as error:
        raise InputError(f"{path.name}: is no Arrow file that can be read: {str(error).splitlines()[0]}") from error
    return replace(FrameTable.of(table, names, wording), name=path.name, read={path.name: digest})
