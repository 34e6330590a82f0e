"""How the command line is used, from wherever: help, bad usage, pipes, and the examples of the documents."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.runs import command

from analyses.catalog import OWN, RUNS


def test_help_and_list_import_nothing_heavy():
    check = "import sys; from analyses.run import main; main(['--list']); print({'numpy', 'pymc'} & {*sys.modules})"
    found = subprocess.run((sys.executable, "-c", check), capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[-1] == "set()"
    assert [line.split()[0] for line in found.stdout.splitlines()[:-1]] == [*RUNS, *OWN]
    shown = command("--help")
    assert shown.returncode == 0
    assert "python -m analyses.run eight_schools --seed 7" in shown.stdout


def test_a_missing_file_is_said_before_anything_heavy_is_imported():
    check = (
        "import sys; from analyses.run import main; "
        "main(['one_way', '--data', 'nowhere.csv', '--group', 'a', '--value', 'b']); "
        "print({'numpy', 'pymc'} & {*sys.modules})"
    )
    found = subprocess.run((sys.executable, "-c", check), capture_output=True, text=True, check=True)
    assert (found.stdout, found.stderr) == ("set()\n", "nowhere.csv: No such file or directory\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["eight_school"], "unknown study 'eight_school': did you mean 'eight_schools'?"),
        (["anova"], "unknown study 'anova': choose from math_test"),
        (["--draws", "three"], "'three' is not a whole number of 4 or more"),
        (["--draws", "0"], "'0' is not a whole number"),
        (["--seed", "-1"], "'-1' is not a whole number of 0 or more"),
        (["--engines", "nuts,stan"], "'stan' is not an engine: choose from nuts, gibbs, exact"),
        (["--best", "middle"], "invalid choice: 'middle'"),
        (["--frobnicate"], "unrecognized arguments: --frobnicate"),
    ],
)
def test_bad_usage_is_one_line_and_status_2(arguments, said):
    found = command(*arguments)
    assert found.returncode == 2
    assert said in found.stderr
    assert found.stderr.count("\n") == 1
    assert found.stdout == ""


def test_an_output_folder_that_cannot_be_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    found = command("eight_schools", "--engines", "exact", "--out", tmp_path / "file")
    assert (found.returncode, found.stderr.count("\n")) == (2, 1)
    assert found.stderr.startswith(str(tmp_path / "file"))


def test_a_reader_that_leaves_does_not_stop_the_run(tmp_path):
    asked = f"{sys.executable} -m analyses.run eight_schools --engines exact --out {tmp_path} | true"
    found = subprocess.run(["bash", "-c", f"set -o pipefail; {asked}"], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")
    assert (tmp_path / "index.html").exists()


@pytest.mark.parametrize("document", ["README.md", "GUIDE.md"])
def test_examples_of_the_documents_run(document):
    """In processes of their own, warnings as errors, as somebody would paste them."""
    text = Path(__file__).parents[2].joinpath(document).read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert examples
    for code in examples:
        subprocess.run((sys.executable, "-W", "error", "-c", code), check=True)


def test_builders_work_from_anywhere(tmp_path):
    """A notebook outside the checkout imports the builders with their data."""
    code = "from models import eight_schools; print(type(eight_schools.build(parameterization='noncentered')).__name__)"
    found = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, cwd=tmp_path, check=True)
    assert found.stdout == "Model\n"
