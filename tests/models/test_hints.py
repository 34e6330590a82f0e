"""Every public signature of models and engines is annotated, and models stay light to import."""

import importlib
import inspect
import pkgutil
import subprocess
import sys
from functools import cached_property

import pytest

import analyses.engines
import models

MODULES = [
    m.name
    for package in (models, analyses.engines)
    for m in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
]
HEAVY = {"pymc", "pytensor", "pandas", "arviz", "xarray", "narwhals", "matplotlib"}
FRAMES = {"models.groups.dataframes", "models.groups.frame_sums"}  # which are imported where a frame comes in
OF_INSTANCE = ("self", "cls")


def public(module):
    """Functions of a module, methods and properties of its classes, by name; what is generated is of no public name."""
    for name, member in vars(module).items():
        if getattr(member, "__module__", None) != module.__name__ or name.startswith("_"):
            continue
        if inspect.isfunction(member):
            yield name, member
        elif inspect.isclass(member):
            for of_class, value in vars(member).items():
                if (function := underlying(value)) and not of_class.startswith("_"):
                    yield f"{name}.{of_class}", function


def underlying(value):
    """The function behind a method or property of any kind."""
    if isinstance(value, property):
        return value.fget
    if isinstance(value, cached_property):
        return value.func
    value = getattr(value, "__func__", value)
    return value if inspect.isfunction(value) else None


def lacking(name, function):
    """What of a function is not annotated."""
    signature = inspect.signature(function)
    parameters = {n: p.annotation for n, p in signature.parameters.items() if n not in OF_INSTANCE}
    of_all = parameters | {"return": signature.return_annotation}
    return [f"{name}: {part}" for part, annotation in of_all.items() if annotation is inspect.Signature.empty]


@pytest.mark.parametrize("name", MODULES)
def test_public_signatures_are_annotated(name):
    found = list(public(importlib.import_module(name)))
    assert not [part for one in found for part in lacking(*one)]


def test_what_is_not_annotated_is_found():
    class Thing:
        @classmethod
        def made(cls, size): ...

        @cached_property
        def size(self) -> int: ...

    assert lacking("made", underlying(vars(Thing)["made"])) == ["made: size", "made: return"]
    assert lacking("size", underlying(vars(Thing)["size"])) == []


def test_importing_models_imports_nothing_heavy():
    built = {n for n in MODULES if n.startswith(("models.pymc_", "models.plain_pymc."))}
    light = ["models", *(n for n in MODULES if n.startswith("models.") and n not in built | FRAMES)]
    code = f"import sys, {', '.join(light)}; print(sorted({HEAVY!r} & {{*sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
