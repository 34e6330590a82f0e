"""Documents name files, modules and functions that exist."""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = ("README.md", "GUIDE.md", "METHOD.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "data/README.md")
FOLDERS = ("", "analyses", "models", "analyses/studies", "data")  # what a path in a document may start from


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files_that_are_named_exist(document):
    """`models/priors.py` is there, under the root or one of the two packages."""
    text = (ROOT / document).read_text(encoding="utf-8")
    paths = set(re.findall(r"(?<![\w./-])((?:\w+/)+\w+\.(?:py|csv|md|ipynb))\b", text))
    there = {path for path in paths if "NAME" not in path and not path.startswith("reports/")}  # which runs make
    missing = [path for path in there if not any((ROOT / folder / path).exists() for folder in FOLDERS)]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_modules_that_are_imported_exist(document):
    """`from models.groups import Replicates` works as it stands in the text."""
    text = (ROOT / document).read_text(encoding="utf-8")
    imports = re.findall(r"^from ((?:models|analyses)[\w.]*) import ([\w, ]+)", text, re.MULTILINE)
    modules = [(module, "") for module in re.findall(r"`((?:models|analyses)(?:\.\w+)+)`", text)]
    for module, names in [*imports, *modules]:
        owner = importlib.import_module(module)
        for name in filter(None, names.replace(" ", "").split(",")):
            assert hasattr(owner, name) or importlib.import_module(f"{module}.{name}")
