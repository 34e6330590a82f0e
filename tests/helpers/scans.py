"""Files written, scanned, and held against what rational numbers say of the same rows.

Values are multiples of 1/64 where nothing else is said: decimals and doubles alike then, so that CSV, which is read in
decimals, and Parquet, which holds doubles, are the same table.
"""

import math
import random
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import duckdb
import numpy as np
import pytest

from analyses.ingest import reduce, source
from analyses.ingest.columns import Columns
from analyses.ingest.request import InputError

EPS = 2.0**-53
BATCHES = (1, 2, 7, 50_000)


def put(folder: Path, content, name="t.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def copied(path: Path, select: str, options: str = "") -> Path:
    """What a query finds, as a Parquet file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    to = str(path).replace("'", "''")
    duckdb.connect().execute(f"copy ({select}) to '{to}' (format parquet{options})")
    return path


def values(rows: str, names: str = "g, v") -> str:
    return f"select * from (values {rows}) as t({names})"


PLAIN = values("('a', 1.0::double), ('b', 4.0), ('a', 2.0)")


def scanned(path, *covariates, group="g", value="v", reading=None):
    wanted = Columns(text=[group], numbers=[value], either=covariates)
    return reduce.rows_in_groups(source.of_path(path, wanted.names, reading), wanted, absolute=False)


def refused(path, *covariates, group="g", value="v") -> list[str]:
    with pytest.raises(InputError) as error:
        scanned(path, *covariates, group=group, value=value)
    return str(error.value).splitlines()


def exactly(rows):
    """Size, mean and sum of squares of each group, without any rounding, in the order in which they come."""
    found = {}
    for label, value in rows:
        found.setdefault(label, []).append(Fraction(Decimal(value)))
    means = {label: sum(vs) / len(vs) for label, vs in found.items()}
    return {g: (len(vs), means[g], sum((v - means[g]) ** 2 for v in vs)) for g, vs in found.items()}


def outside(found):
    """The same of what was scanned, inside its units and so exact to them."""
    unit, offset = Fraction(found.units.unit), Fraction(found.units.offset)
    each = zip(found.labels, found.n.tolist(), found.mean.tolist(), found.ss.tolist(), strict=True)
    return {g: (n, offset + unit * Fraction(mean), unit**2 * Fraction(ss)) for g, n, mean, ss in each}


def assert_near(scanned_, expected, *, relative):
    """Sums of squares to so much of themselves; means to so much of the group's sd, and what a double holds beside.

    All inside the units: there a mean is near to what its own double, or that of the group's first value, can hold.
    """
    unit, offset = Fraction(scanned_.units.unit), Fraction(scanned_.units.offset)
    assert scanned_.labels == list(expected)
    each = zip(scanned_.n.tolist(), scanned_.mean.tolist(), scanned_.ss.tolist(), expected.values(), strict=True)
    for n, mean, ss, (size, middle, squares) in each:
        middle, squares = (middle - offset) / unit, squares / unit**2
        sd = math.sqrt(squares / size)
        assert n == size
        assert abs(Fraction(ss) - squares) <= Fraction(relative) * squares
        assert abs(Fraction(mean) - middle) <= Fraction(relative * sd + 3 * np.spacing(abs(float(middle)) + sd))


def made(seed, offset=0, size=300, labels="bacdé"):
    """Rows of unequal groups a few sds apart, one of them of one row and one without spread; multiples of 1/64."""
    rng = random.Random(seed)
    rows = [(g, 3 * k + rng.gauss(0, 1)) for k, g in enumerate(labels) for _ in range(size // (k + 1))]
    rows += [("one", 0.5), *[("same", 0.25)] * 5]
    rng.shuffle(rows)
    return [(g, str(Decimal(offset) + Decimal(round(64 * v)) / 64)) for g, v in rows]


def text(rows, header="g,v", end="\n"):
    return header + end + "".join(",".join(row) + end for row in rows)


TABLES = {
    "about 1": made(1),
    "offset 1e9": made(2, 10**9),
    "offset 1e12": made(3, -(10**12)),
    "far apart": [(g, str(Decimal(v) + 10**9 * "abcdé".find(g))) for g, v in made(4)],
    "more digits than doubles have": [(g, f"{10**20 + i}.{i:020d}") for i, (g, _) in enumerate(made(5))],
    "outlier first": [("a", "1e15"), *made(6)],
    "sorted by value": sorted(made(7), key=lambda row: Decimal(row[1])),
}

SCALED = [("a", 1), ("a", 2), ("b", 1.5), ("b", 4)]
