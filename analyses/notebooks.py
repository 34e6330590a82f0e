"""python -m analyses.notebooks [NAME ...]: run notebooks from the first cell to the last, and make pages of them.

What a figure shows is said by the comment that its cell begins with, for those who cannot see it.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from html import escape
from importlib import resources
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path

from analyses.options import FAILED, INTERRUPTED, USAGE

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in run.py; the kernels inherit it

MODULE, STUDY = "analyses.notebooks", "notebooks"
EXAMPLES = """\
examples:
  python -m analyses.notebooks                      every notebook of the checkout
  python -m analyses.notebooks 3_your_own_data      one; the pages of the others stay as they are
  python -m analyses.notebooks --from mine --out /tmp/pages

exit status: 0 all ran; 2 bad usage; 3 a notebook failed, and no page was changed; 130 interrupted
"""
PAGE = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>{style}</style></head>
<body><p><a href="../index.html">All studies</a> · <a href="index.html">All notebooks</a></p>{body}</body></html>
"""
STYLE = """
pre { overflow-x: auto; font-size: .8rem; line-height: 1.5; margin: .6rem 0; padding: .6rem .8rem; border-radius: 6px; }
.highlight, .highlight pre { background: transparent; }
.input_area pre, .text_cell pre { background: color-mix(in srgb, var(--ink) 6%, var(--paper)); }
.output_html { overflow-x: auto; }
table.dataframe { width: auto; border: 0; margin: .6rem 0; }
"""


class Failed(RuntimeError):
    """A notebook that did not run to its end, or cannot be shown: which, where and why."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    options = _parse(arguments)
    if not all(map(find_spec, ("ipykernel", "nbclient", "nbconvert", "nbformat"))):
        print('notebooks need some packages more: python -m pip install -e ".[notebooks]"', file=sys.stderr)
        return USAGE
    try:
        return run(options, sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        print("interrupted: the pages in place are whole, and none was changed", file=sys.stderr)
        return INTERRUPTED
    except OSError as error:
        print(f"{error.filename or options.out}: {error.strerror}" if error.strerror else error, file=sys.stderr)
        return USAGE


def _parse(arguments):
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog=f"python -m {MODULE}", epilog=EXAMPLES, formatter_class=raw)
    parser.description = "Run notebooks from the first cell to the last, and make pages of them."
    add = parser.add_argument
    add("name", nargs="*", metavar="NAME", help="a notebook, with or without .ipynb; all of the folder, if none")
    add("--from", type=Path, default=Path(STUDY), dest="folder", metavar="DIR", help="that folder (default: notebooks)")
    add("--out", type=Path, default=Path("reports"), metavar="DIR", help="where the pages go (default: reports)")
    options = parser.parse_args(arguments)
    options.there = {path.stem: path for path in sorted(options.folder.glob("*.ipynb"))}
    options.asked = [name.removesuffix(".ipynb") for name in options.name] or list(options.there)
    fault = "" if options.there else f"{options.folder}: there are no notebooks"
    if unknown := [name for name in options.asked if name not in options.there]:
        fault = f"unknown notebook {unknown[0]!r}: choose from {', '.join(options.there)}"
    if fault:
        parser.exit(USAGE, f"{parser.prog}: {fault}\n")
    return options


def run(options: argparse.Namespace, command: list[str]) -> int:
    """Run the notebooks, write their pages, and say how it went; publish nothing if one of them failed."""
    from analyses import output
    from analyses.routes import Settings

    output.require_ours(options.out, [STUDY])
    started, failed, ran = time.perf_counter(), 0, {}
    with output.aside(options.out) as folder:
        for name in dict.fromkeys(options.asked):
            try:
                ran[name] = _written(options.there[name], folder / f"{name}.html")
            except Failed as error:
                print(error, file=sys.stderr)
                failed += 1
        if failed:
            return FAILED
        page, seconds = _index(options, folder, ran), {"in all": time.perf_counter() - started}
        output.write(page, folder / STUDY, Settings(), command=[MODULE, *command], seconds=seconds)
        for file in folder.glob("*.html"):
            file.rename(folder / STUDY / file.name)
        output.publish(folder, options.out)
    print(f"pages: {options.out / STUDY / 'index.html'}")
    return 0


def _index(options, folder, ran):
    """The page that lists them; those that were not asked for now keep the pages they have."""
    import nbformat
    from markupsafe import Markup

    from analyses.checks import Verdict
    from analyses.report.pages import Page, Section

    sections = []
    for name, path in options.there.items():
        if name not in ran and (old := options.out / STUDY / f"{name}.html").exists():
            shutil.copy(old, folder)
        if (folder / f"{name}.html").exists():
            title, text = _opening(nbformat.read(path, as_version=4))
            sections.append(Section(title=Markup('<a href="{}.html">{}</a>').format(name, title), text=text))
    return Page(
        name=STUDY,
        title="Notebooks",
        question="How is it done, step by step, and with data of your own?",
        sentence=f"{len(sections)} short stories with their code, each of which runs in less than a minute.",
        sections=tuple(sections),
        more=tuple((name, Verdict("notebook", True, f"ran in {s:.1f} seconds")) for name, s in ran.items()),
    )


def _written(path: Path, page: Path) -> float:
    """Run one notebook and write its page: the seconds that it took."""
    started, notebook = time.perf_counter(), _executed(path)
    page.write_text(_page(_opening(notebook)[0] or path.stem, _body(path, notebook)), encoding="utf-8")
    print(f"{path.stem} ({(seconds := time.perf_counter() - started):.1f} s)", flush=True)
    return seconds


def _opening(notebook) -> tuple[str, str]:
    """Title and first paragraph."""
    title, _, rest = next((c.source for c in notebook.cells if c.cell_type == "markdown"), "").partition("\n")
    return title.lstrip("# "), " ".join(rest.strip().partition("\n\n")[0].split())


def _executed(path: Path):
    """The notebook with its outputs, from a new kernel of this interpreter, in a folder that is gone afterwards."""
    import nbformat
    from jupyter_client import AsyncKernelManager
    from jupyter_client.kernelspec import KernelSpecManager
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    try:
        notebook = nbformat.read(path, as_version=4)
    except nbformat.reader.NotJSONError as error:
        raise Failed(f"{path.name}: this is no notebook") from error
    own = KernelSpecManager(kernel_dirs=[])  # what else is installed as python3 may lack these packages
    manager = AsyncKernelManager(kernel_spec_manager=own, transport="ipc")  # sockets that no other user can read
    with tempfile.TemporaryDirectory() as here:
        client = NotebookClient(notebook, km=manager, resources={"metadata": {"path": here}})
        with client.setup_kernel(cleanup_kc=True):  # client.execute would take Ctrl-C for a kernel that died
            for number, cell in enumerate(notebook.cells):
                try:
                    client.execute_cell(cell, number)
                except CellExecutionError as error:
                    said = " ".join(f"{error.ename}: {error.evalue}".split())
                    raise Failed(f"{path.name}: cell {number + 1}: {said}") from error
                except DeadKernelError as error:
                    raise Failed(f"{path.name}: cell {number + 1}: the kernel died") from error
    return notebook


def _body(path, notebook) -> str:
    """Cells and outputs as HTML, with words for every figure."""
    from nbconvert import HTMLExporter

    for number, cell in enumerate(notebook.cells, start=1):
        for picture in [o.data for o in cell.get("outputs", []) if "image/png" in o.get("data", {})]:
            said = takewhile(lambda line: line.startswith("#"), cell.source.splitlines())
            if not (alt := escape(" ".join(line.lstrip("# ") for line in said))):
                raise Failed(f"{path.name}: cell {number}: begin with a comment that says what the figure shows")
            shown = f'<img src="data:image/png;base64,{picture.pop("image/png").strip()}" alt="{alt}">'
            picture["text/html"] = f"<figure>{shown}</figure>"
    without = {f"exclude_{what}": True for what in ("input_prompt", "output_prompt", "anchor_links")}
    return HTMLExporter(template_name="basic", **without).from_notebook_node(notebook)[0]


def _page(title: str, body: str) -> str:
    """One page, with nothing outside it."""
    from pygments.formatters import HtmlFormatter

    light, dark = (HtmlFormatter(style=s).get_style_defs(".highlight") for s in ("default", "github-dark"))
    ours = (resources.files("analyses.report") / "style.css").read_text(encoding="utf-8")
    style = f"{ours}\n{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n{STYLE}"
    return PAGE.format(title=escape(title), style=style, body=body)


if __name__ == "__main__":
    sys.exit(main())
