"""python -m analyses.notebooks [NAME ...]: run notebooks from the first cell to the last, and make pages of them.

What a figure shows is said by the comment that its cell begins with, for those who cannot see it.
"""

import argparse
import shutil
import sys
import tempfile
import time
from functools import partial
from html import escape
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path
from subprocess import DEVNULL

from analyses.cli.command import FAILED, PASSED, USAGE, finish
from analyses.cli.parser import Parser, repeated

MODULE, STUDY = "analyses.notebooks", "notebooks"
READABLE = "xcode", "zenburn"  # of Pygments' styles those whose every colour stands out from paper, light and dark
WIDE = '<div class="wide" tabindex="0" role="group" aria-label="A table, which may be wide">'
EXAMPLES = """\
examples:
  python -m analyses.notebooks                      every notebook of the checkout
  python -m analyses.notebooks 3_your_own_data      one; the pages of the others stay as they are
  python -m analyses.notebooks --from mine --out /tmp/pages

exit status: 0 all ran; 2 bad usage; 3 a notebook failed, and no page was changed; 130 interrupted
"""


class NotebookError(RuntimeError):
    """A notebook that did not run to its end, or cannot be shown: which, where and why."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    options = _parse(arguments)
    if not all(map(find_spec, ("ipykernel", "nbclient", "nbconvert", "nbformat"))):
        print('notebooks need some packages more: python -m pip install -e ".[notebooks]"', file=sys.stderr)
        return USAGE
    command = [MODULE, *(sys.argv[1:] if arguments is None else arguments)]
    return finish(partial(run_notebooks, options, command), where=options.out)


def _parse(arguments):
    parser = Parser(f"python -m {MODULE}", __doc__.partition(": ")[2], EXAMPLES)
    add = parser.add_argument
    add("name", nargs="*", metavar="NAME", help="a notebook, with or without .ipynb; all of the folder, if none")
    add("--from", type=Path, default=Path(STUDY), dest="folder", metavar="DIR", help="that folder (default: notebooks)")
    parser.add_out("where the pages go")
    options = parser.parse_args(arguments)
    there = options.there = {path.stem: path for path in sorted(options.folder.glob("*.ipynb"))}
    options.names = [name.removesuffix(".ipynb") for name in options.name] or list(there)
    if name := repeated(options.names):
        parser.error(f"notebook {name!r} is named twice: name it once")
    unknown = [name for name in options.names if name not in there]
    if not there:
        parser.error(f"there are no notebooks in {options.folder}")
    if unknown:
        from models.groups.naming import nearest  # NumPy takes its time to import

        near = nearest(unknown[0], there)
        hint = f"did you mean {near!r}?" if near else f"choose from {', '.join(there)}"
        parser.error(f"unknown notebook {unknown[0]!r}: {hint}")
    return options


def run_notebooks(options: argparse.Namespace, command: list[str], require_no_interrupt) -> int:
    """Run the notebooks, write their pages, and say how it went; publish nothing if one of them failed."""
    from analyses.fits.settings import Settings
    from analyses.report import publish

    publish.require_ours(options.out, [STUDY])
    started = time.perf_counter()
    with publish.aside(options.out) as folder:
        ran = {name: _written(options.there[name], folder) for name in options.names}
        if not all(ran.values()):
            return FAILED
        for name in options.there.keys() - ran:
            if (old := options.out / STUDY / f"{name}.html").exists():
                shutil.copy(old, folder)
        files, seconds = list(folder.iterdir()), {"in all": time.perf_counter() - started}
        publish.write(_page(ran), folder / STUDY, Settings(), command=command, seconds=seconds)
        shown = [options.there[file.stem] for file in sorted(files)]
        (folder / STUDY / "index.html").write_text(_html("Notebooks", _list(shown)), encoding="utf-8")
        for file in files:
            file.rename(folder / STUDY / file.name)
        require_no_interrupt()
        publish.replace_reports(folder, options.out)
    print(f"pages: {options.out / STUDY / 'index.html'}")
    return PASSED


def _page(ran: dict[str, float]):
    """What the front page and the manifest say of them."""
    from analyses.checks import Verdict
    from analyses.report.pages import Page

    verdicts = tuple((name, Verdict("notebook", True, f"ran in {s:.1f} seconds")) for name, s in ran.items())
    question = "How is it done, step by step, and with data of your own?"
    sentence = "Short stories with their code, each run from the first cell to the last."
    return Page(name=STUDY, title="Notebooks", question=question, sentence=sentence, sections=(), more=verdicts)


def _list(paths: list[Path]) -> str:
    """Title and first paragraph of each, with a link to its page."""
    import nbformat

    told = [(path.stem, *map(escape, _opening(path, nbformat.read(path, as_version=4)))) for path in paths]
    return "<h1>Notebooks</h1>" + "".join(f'<h2><a href="{n}.html">{title}</a></h2><p>{p}</p>' for n, title, p in told)


def _written(path: Path, folder: Path) -> float | None:
    """Run one notebook and write its page: the seconds that it took; None where it failed, which is said."""
    started = time.perf_counter()
    try:
        notebook = _executed(path)
        page = _html(_opening(path, notebook)[0], _body(notebook))
    except NotebookError as error:
        print(f"{path.name}: {error}", file=sys.stderr)
        return None
    (folder / f"{path.stem}.html").write_text(page, encoding="utf-8")
    print(f"{path.stem} ({(seconds := time.perf_counter() - started):.1f} s)", flush=True)
    return seconds


def _opening(path, notebook) -> tuple[str, str]:
    """Title and first paragraph."""
    title, _, rest = next((c.source for c in notebook.cells if c.cell_type == "markdown"), "").partition("\n")
    return title.lstrip("# ") or path.stem, " ".join(rest.strip().partition("\n\n")[0].split())


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
        raise NotebookError("this is no notebook") from error
    own = KernelSpecManager(kernel_dirs=[])  # what else is installed as python3 may lack these packages
    with tempfile.TemporaryDirectory() as here:
        # Sockets in that folder: no other user can read them, and runs side by side do not fight for a port.
        manager = AsyncKernelManager(kernel_spec_manager=own, transport="ipc", ip=f"{here}/kernel")
        client = NotebookClient(notebook, km=manager, resources={"metadata": {"path": here}})
        # What a cell prints comes as its output; all else that a kernel says is of its own dying. And not
        # client.execute, which takes Ctrl-C for a kernel that died.
        with client.setup_kernel(cleanup_kc=True, stderr=DEVNULL):
            for number, cell in enumerate(notebook.cells):
                try:
                    client.execute_cell(cell, number)
                except CellExecutionError as error:
                    raise NotebookError(
                        f"cell {number + 1}: {' '.join(f'{error.ename}: {error.evalue}'.split())}"
                    ) from error
                except DeadKernelError as error:
                    raise NotebookError(f"cell {number + 1}: the kernel died") from error
    return notebook


def _body(notebook) -> str:
    """Cells and outputs as HTML, with words for every figure."""
    from nbconvert import HTMLExporter

    for number, cell in enumerate(notebook.cells, start=1):
        for picture in [o.data for o in cell.get("outputs", []) if "image/png" in o.get("data", {})]:
            said = takewhile(lambda line: line.startswith("#"), cell.source.splitlines())
            if not (alt := escape(" ".join(line.lstrip("# ") for line in said))):
                raise NotebookError(f"cell {number}: begin with a comment that says what the figure shows")
            shown = f'<img src="data:image/png;base64,{picture.pop("image/png").strip()}" alt="{alt}">'
            picture["text/html"] = f"<figure>{shown}</figure>"
    without = {f"exclude_{what}": True for what in ("input_prompt", "output_prompt", "anchor_links")}
    body = HTMLExporter(template_name="basic", **without).from_notebook_node(notebook)[0]
    body = body.replace("<table", f"{WIDE}<table").replace("</table>", "</table></div>")
    return body.replace("<th></th>", "<td></td>")  # a corner of pandas', which heads nothing


def _html(title: str, body: str) -> str:
    """One page, with nothing outside it."""
    from pygments.formatters import HtmlFormatter

    from analyses.report import pages

    light, dark = (HtmlFormatter(style=name).get_style_defs(".highlight") for name in READABLE)
    return pages.notebook(title, body, f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}")


if __name__ == "__main__":
    sys.exit(main())
