"""The house: imports run one way, names exist once, reading a table loads little."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = [path for top in ("models", "analyses") for path in sorted((ROOT / top).rglob("*.py"))]
FLOORS = (  # each folder of analyses imports from those before it; a command may import any of them
    ("progress", "ingest"),
    ("engines",),
    ("checks", "published"),
    ("fits",),
    ("report",),
    ("studies",),
)
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names}


def imported(tree):
    """Modules of the package that a file imports, wherever in it the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path):
    """`ingest` stands on models alone, engines on models, and so on: a folder may be read without those above it."""
    folder = path.relative_to(ROOT).parts[1].removesuffix(".py") if path.is_relative_to(ROOT / "analyses") else None
    names = {name.split(".")[1] for name in imported(ast.parse(path.read_text())) if name.startswith("analyses.")}
    if path.is_relative_to(ROOT / "models"):
        assert not names
    if folder in FLOOR:
        above = {name for name in names & FLOOR.keys() if FLOOR[name] > FLOOR[folder]}
        assert not above


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_name_exists_once(path):
    """No function is called like a module or a package beside it: `from x import y` would have two meanings."""
    beside = {other.stem for other in path.parent.iterdir() if other.suffix == ".py" or other.is_dir()}
    tree = ast.parse(path.read_text())
    assert not beside & {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_exceptions_are_called_errors():
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            bases = [ast.unparse(base) for base in node.bases] if isinstance(node, ast.ClassDef) else []
            if any(base.endswith(("Error", "Exception")) for base in bases):
                assert node.name.endswith("Error"), f"{path}: {node.name}"


def test_reading_a_table_loads_neither_arviz_nor_matplotlib_nor_pymc(tmp_path):
    """In a process of its own, from the file to the model: a usage error has to come at once."""
    table = tmp_path / "scores.csv"
    table.write_text("school,score\n" + "".join(f"s{k % 3},{k}.5\n" for k in range(10)))
    code = f"""
import sys
from pathlib import Path
from analyses.ingest import build_model
from analyses.ingest.request import Request
model = build_model.one_way(Request(table=Path({str(table)!r}), columns={{"group": "school", "value": "score"}})).model
assert len(model.groups) == 3
print(sorted({{"arviz", "arviz_base", "arviz_stats", "matplotlib", "pymc", "pytensor", "xarray"}} & {{*sys.modules}}))
"""
    ran = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
