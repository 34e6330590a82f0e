"""The notebooks: clean in the repository, each runs, and its page needs nothing from outside."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest

from analyses import notebooks

FOLDER = Path(__file__).parents[1] / "notebooks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.ipynb"))
SLOW = {"2_eight_schools_geometry", "4_check_your_sampler"}
EVERY = [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in NAMES]
RAISES = "raise ValueError('no line 7:\\n  it ends\\n  at 6')"
PICTURE = "display({'image/png': 'iVBORw0KGgo='}, raw=True)"  # what a figure leaves, without waiting for matplotlib


@pytest.fixture
def jupyter():
    """Skip what runs a notebook where the packages for it are not installed."""
    for name in ("ipykernel", "nbclient", "nbconvert"):
        pytest.importorskip(name, reason=f"{name} is not installed: pip install -e '.[notebooks]'")


def written(path, *code, title="# Three lines\n\nA story.\n\nMore of it."):
    """A notebook of a title and some cells of code."""
    cells = [{"cell_type": "markdown", "id": "title", "metadata": {}, "source": title}]
    for number, source in enumerate(code):
        cell = {"cell_type": "code", "id": f"code-{number}", "metadata": {}, "source": source}
        cells.append(cell | {"execution_count": None, "outputs": []})
    text = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def ran(capsys, tmp_path, *arguments, folder="mine"):
    """Status, standard output and standard error of a run on a folder of one's own."""
    capsys.readouterr()
    try:
        status = notebooks.main(
            ["--from", str(tmp_path / folder), "--out", str(tmp_path / "out"), *map(str, arguments)]
        )
    except SystemExit as left:
        status = left.code
    return status, *capsys.readouterr()


class Parsed(HTMLParser):
    """A page's tags with their attributes, what its style sheets say, and what is there to read."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.styles, self.text, self._inside = [], "", "", ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside == "style":
            self.styles += data
        else:
            self.text += data


# --- the notebooks in the repository ---------------------------------------------------------------------------------


def test_there_are_notebooks():
    assert len(NAMES) == 4


@pytest.mark.parametrize("name", NAMES)
def test_the_repository_has_no_outputs(name):
    found = json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))
    code = [cell for cell in found["cells"] if cell["cell_type"] == "code"]
    assert [cell["outputs"] for cell in code] == [[]] * len(code)
    assert {cell["execution_count"] for cell in code} == {None}
    assert len({cell["id"] for cell in found["cells"]}) == len(found["cells"])
    assert found["metadata"]["kernelspec"]["name"] == "python3"
    assert "".join(found["cells"][0]["source"]).startswith("# ")


@pytest.mark.parametrize("name", NAMES)
def test_no_formula_needs_a_script_and_no_path_is_of_one_machine(name):
    found = json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))
    every = "\n".join("".join(cell["source"]) for cell in found["cells"])
    assert not re.search(r"\$|\\\(|\\begin|/home/|/Users/|/root/|[A-Z]:\\", every)
    assert not re.search(r"np\.random\.(?!default_rng\(\d+\))", every)  # every stream has its seed


@pytest.mark.usefixtures("jupyter")
@pytest.mark.parametrize("name", EVERY)
def test_it_runs_and_its_page_is_whole(name, tmp_path, capsys):
    """No standard error and no warning among the outputs, words for each picture, nothing from a network."""
    status = notebooks.main([name, "--from", str(FOLDER), "--out", str(tmp_path)])
    assert (status, capsys.readouterr().err) == (0, "")
    page = (tmp_path / "notebooks" / f"{name}.html").read_text(encoding="utf-8")
    found = Parsed(page)
    assert not re.search("output_stderr|output_error", page)
    assert not re.search("warning|traceback", found.text, re.IGNORECASE)
    pictures = [attributes for tag, attributes in found.tags if tag == "img"]
    assert len(pictures) >= 1
    for attributes in pictures:
        assert attributes["src"].startswith("data:image/png;base64,iVBOR")
        assert len(attributes["alt"]) > 30
        assert "No description" not in attributes["alt"]
    assert_nothing_from_outside(found)
    assert ("a", {"href": "../index.html"}) in found.tags


def assert_nothing_from_outside(found):
    assert not {"script", "link", "iframe", "object", "embed"} & {tag for tag, _ in found.tags}
    every = [attributes.get(name, "") for _, attributes in found.tags for name in ("src", "srcset", "data", "poster")]
    assert [source for source in every if source and not source.startswith("data:")] == []
    assert not re.search(r"@import|url\(|https?:", found.styles)
    assert not re.search(r"@import|url\(|https?:", " ".join(a.get("style") or "" for _, a in found.tags))


# --- the command -----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("jupyter")
def test_pages_are_listed_with_their_first_paragraphs(tmp_path, capsys):
    """And one that is run again leaves the others as they were."""
    written(tmp_path / "mine" / "1_one.ipynb", "print(6 * 7)", title="# One & all\n\nOf <b>.\n\nNot this.")
    written(tmp_path / "mine" / "2_two.ipynb", f'# A <dot>, "black".\n{PICTURE}')
    status, out, err = ran(capsys, tmp_path)
    assert (status, err) == (0, "")
    assert re.fullmatch(r"1_one \(\d+\.\d s\)\n2_two \(\d+\.\d s\)\npages: .*index\.html\n", out)
    folder = tmp_path / "out" / "notebooks"
    page, index = ((folder / name).read_text(encoding="utf-8") for name in ("1_one.html", "index.html"))
    assert "<title>One &amp; all</title>" in page
    assert '<h2><a href="1_one.html">One &amp; all</a></h2><p>Of &lt;b&gt;.</p>' in index
    assert '<a href="2_two.html">Three lines</a></h2><p>A story.</p>' in index
    assert "42" in Parsed(page).text
    assert "Not this" not in index
    two = Parsed((folder / "2_two.html").read_text(encoding="utf-8"))
    assert [attributes["alt"] for tag, attributes in two.tags if tag == "img"] == ['A <dot>, "black".']
    assert_nothing_from_outside(Parsed(index))

    written(tmp_path / "mine" / "2_two.ipynb", "print('again')")
    assert ran(capsys, tmp_path, "2_two.ipynb")[0] == 0
    assert (folder / "1_one.html").read_text(encoding="utf-8") == page
    assert "again" in (folder / "2_two.html").read_text(encoding="utf-8")
    assert (folder / "index.html").read_text(encoding="utf-8") == index


@pytest.mark.usefixtures("jupyter")
def test_the_manifest_is_that_of_a_study(tmp_path, capsys):
    written(tmp_path / "mine" / "one.ipynb", "1 + 1")
    assert ran(capsys, tmp_path)[0] == 0
    found = json.loads((tmp_path / "out" / "notebooks" / "manifest.json").read_text(encoding="utf-8"))
    assert {"study", "title", "question", "sentence", "passed", "seed", "seconds"} <= {*found}
    assert (found["study"], found["passed"], found["verdicts"][0]["of"]) == ("notebooks", True, "one")
    assert found["seconds"]["in all"] > 0


@pytest.mark.usefixtures("jupyter")
@pytest.mark.parametrize(
    ("code", "said"),
    [
        (["1", RAISES, "2"], "cell 3: ValueError: no line 7: it ends at 6"),
        (["1 +"], "cell 2: SyntaxError: invalid syntax"),
        (["import os", "os._exit(1)"], "cell 3: the kernel died"),
        ([PICTURE], "cell 2: begin with a comment that says what the figure shows"),
    ],
)
def test_a_notebook_that_fails_is_named_with_its_cell(code, said, tmp_path, capsys):
    """The others run all the same, but nothing is published."""
    written(tmp_path / "mine" / "bad.ipynb", *code)
    written(tmp_path / "mine" / "good.ipynb", "1")
    status, out, err = ran(capsys, tmp_path)
    assert status == 3
    assert err.startswith(f"bad.ipynb: {said}")
    assert err.count("\n") == 1
    assert out.startswith("good (")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.usefixtures("jupyter")
def test_a_file_that_is_no_notebook(tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "bad.ipynb").write_text("print(1)")
    assert ran(capsys, tmp_path)[::2] == (3, "bad.ipynb: this is no notebook\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["three"], "unknown notebook 'three': choose from one"),
        (["once"], "unknown notebook 'once': did you mean 'one'?"),
        (["--frobnicate"], "unrecognized arguments: --frobnicate"),
        (["--from", "nowhere"], "--from is given twice: give it once"),
    ],
)
def test_bad_usage_is_one_line_and_status_2(arguments, said, tmp_path, capsys):
    written(tmp_path / "mine" / "one.ipynb", "1")
    assert ran(capsys, tmp_path, *arguments) == (2, "", f"python -m analyses.notebooks: {said}\n")


def test_a_folder_without_notebooks_is_named(tmp_path, capsys):
    status, _, error = ran(capsys, tmp_path, folder="nowhere")
    assert (status, error) == (2, f"python -m analyses.notebooks: there are no notebooks in {tmp_path / 'nowhere'}\n")


@pytest.mark.usefixtures("jupyter")
def test_a_folder_that_no_run_has_written_is_not_replaced(tmp_path, capsys):
    written(tmp_path / "mine" / "one.ipynb", "1")
    theirs = tmp_path / "out" / "notebooks"
    theirs.mkdir(parents=True)
    status, out, err = ran(capsys, tmp_path)
    assert (status, out) == (2, "")
    assert err.startswith(f"{theirs} is there and holds no report of notebooks")


def test_packages_that_are_missing_are_one_line(tmp_path, capsys, monkeypatch):
    written(tmp_path / "mine" / "one.ipynb", "1")
    monkeypatch.setattr(notebooks, "find_spec", lambda name: None)
    said = 'notebooks need some packages more: python -m pip install -e ".[notebooks]"\n'
    assert ran(capsys, tmp_path) == (2, "", said)


def test_help_imports_nothing_heavy():
    check = "import sys, analyses.notebooks; print({'numpy', 'nbclient', 'nbconvert', 'nbformat'} & {*sys.modules})"
    found = subprocess.run((sys.executable, "-c", check), capture_output=True, text=True, check=True)
    assert found.stdout == "set()\n"


@pytest.mark.usefixtures("jupyter")
def test_ctrl_c_leaves_nothing_behind(tmp_path):
    """Neither a page nor a kernel."""
    started = tmp_path / "pid"
    source = f"import os, pathlib, time\npathlib.Path({str(started)!r}).write_text(str(os.getpid()))\ntime.sleep(300)"
    written(tmp_path / "mine" / "one.ipynb", source)
    command = (sys.executable, "-m", "analyses.notebooks", "--from", tmp_path / "mine", "--out", tmp_path / "out")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        kernel = _number(started)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "interrupted: existing reports are unchanged\n")
    assert list((tmp_path / "out").iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.kill(kernel, 0)


def _number(path, seconds=60):
    """What a file holds, once there is something in it."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if path.exists() and (text := path.read_text()):
            return int(text)
        time.sleep(0.1)
    raise TimeoutError(path)
