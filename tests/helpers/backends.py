"""Data frames of every kind from the same columns, and what rational numbers say of their doubles."""

from fractions import Fraction

import duckdb
import pandas as pd
import pytest


def polars(columns):
    return pytest.importorskip("polars", reason="Polars is not installed").DataFrame(columns, strict=False)


def lazy(columns):
    return polars(columns).lazy()


def arrow(columns):
    return pytest.importorskip("pyarrow", reason="PyArrow is not installed").table(columns)


def relation(columns):
    return duckdb.connect().from_df(pd.DataFrame(columns))


BACKENDS = {
    "dictionary": dict,
    "pandas": pd.DataFrame,
    "polars": polars,
    "lazy polars": lazy,
    "arrow": arrow,
    "duckdb": relation,
}

backends = pytest.mark.parametrize("backend", BACKENDS.values(), ids=BACKENDS)


def columns(table, **more):
    return {"g": [label for label, _ in table], "v": [value for _, value in table], **more}


def rational(values):
    """Size, mean and sum of squares of doubles, without any rounding."""
    exact = [Fraction(float(v)) for v in values]
    mean = sum(exact) / len(exact)
    return len(exact), mean, sum((v - mean) ** 2 for v in exact)
