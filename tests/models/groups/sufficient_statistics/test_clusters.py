"""Rows on many machines: Dask and PySpark give what rational numbers say, and what other frames are refused for.

Each runs in a process of its own, with warnings as errors and cluster, JVM and forks out of the way of other tests. A
worker is killed while a Dask cluster is at work: what it had is computed again elsewhere, and nothing is counted twice.
"""

import json
import math
import os
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from models.groups import sufficient_statistics

NEAR = 1e-9
HAS_JAVA = bool(shutil.which("java") or os.environ.get("JAVA_HOME"))

COMMON = """
import json, os, sys, warnings
from datetime import date
# narwhals 2.29 announces a package `narwhals-dask`, which no registry has yet
warnings.filterwarnings("ignore", "Dask support is moving out of Narwhals", FutureWarning)
# PySpark 4.3 says of pandas 3 that it may not work: whether it does is what is tested here
warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
warnings.filterwarnings("ignore", "The copy keyword is deprecated", DeprecationWarning)  # it still passes it
from models.groups import sufficient_statistics


def reduced(frame, covariates=()):
    try:
        found = sufficient_statistics.of_frame(frame, group="g", value="v", covariates=covariates)
    except BaseException as error:
        return {"kind": type(error).__name__, "said": str(error)}
    return {
        "labels": found.labels, "n": found.n.tolist(), "mean": found.mean.tolist(), "ss": found.ss.tolist(),
        "offset": found.offset, "unit": found.unit, "covariates": found.covariates,
    }


def typed(columns):
    return {n: [date.fromisoformat(v) for v in vs] if n == "dates" else vs for n, vs in columns.items()}
"""

DASK = (
    COMMON
    + """
import dask
import dask.dataframe as dd
import pandas as pd


def frame(columns):
    table = pd.DataFrame({n.replace("dates", "g"): v for n, v in typed(columns).items()})
    return dd.from_pandas(table, npartitions=min(5, len(table)), sort=False)


with dask.config.set(scheduler="synchronous"):
    asked = json.load(sys.stdin)
    found = {name: reduced(frame(columns), [n for n in columns if n[0] == "x"]) for name, columns in asked.items()}
    found["empty"] = reduced(dd.from_pandas(pd.DataFrame({"g": ["a"], "v": [1.0]}).iloc[:0], npartitions=1))
    own = frame(asked["offset 1e9"]).groupby("g").v.var().compute()
print(json.dumps({"found": found, "own": own.to_dict()}))
"""
)

SPARK = (
    COMMON
    + """
from pyspark.sql import SparkSession

os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
local = {"spark.ui.enabled": "false", "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1",
         "spark.sql.shuffle.partitions": "2", "spark.default.parallelism": "3",
         "spark.sql.codegen.wholeStage": "false"}
spark = SparkSession.builder.master("local[2]").config(map=local).getOrCreate()


def frame(columns):
    table = typed(columns)
    return spark.createDataFrame(list(zip(*table.values())), [n.replace("dates", "g") for n in table])


asked = json.load(sys.stdin)
found = {name: reduced(frame(columns), [n for n in columns if n[0] == "x"]) for name, columns in asked.items()}
found["empty"] = reduced(spark.createDataFrame([], "g string, v double"))
spark.stop()
print(json.dumps({"found": found}))
"""
)

CLUSTER = (
    COMMON
    + """
import signal, threading, time
import pandas as pd


def load(part, folder, pace):
    open(f"{folder}/{os.getpid()}-{time.time_ns()}-{part['part']}", "w").close()
    time.sleep(pace)
    return pd.DataFrame({"g": part["g"], "v": part["v"]})


def main():
    import dask.dataframe as dd
    from distributed import Client, LocalCluster

    asked, folder = json.load(sys.stdin), sys.argv[1]
    meta = pd.DataFrame({"g": ["a"], "v": [0.0]})
    frame = dd.from_map(load, asked["parts"], folder=folder, pace=asked["pace"], meta=meta)

    def loads(pid):
        return sum(name.startswith(f"{pid}-") for name in os.listdir(folder))

    with LocalCluster(n_workers=2, processes=True, threads_per_worker=1, host="127.0.0.1",
                      dashboard_address=None) as cluster, Client(cluster) as client:
        pids = sorted(client.run(os.getpid).values())
        victim, before, done = pids[0], set(os.listdir(folder)), []

        def kill():
            while loads(victim) < asked["after"] and not done:
                time.sleep(0.01)
            killed.append([bool(done), sorted(os.listdir(folder))])
            os.kill(victim, signal.SIGKILL)

        killed = []
        killer = threading.Thread(target=kill)
        killer.start()
        found = reduced(frame)
        done.append(True)
        killer.join()
        left = sorted(client.run(os.getpid).values())
    ((late, then),) = killed
    print(json.dumps({"found": found, "pids": pids, "victim": victim, "late": late, "left": left, "then": then,
                      "after": sorted(os.listdir(folder))}))


if __name__ == "__main__":
    main()
"""
)


def normal(mean, sd, size, seed):
    return (mean + sd * np.random.default_rng(seed).standard_normal(size)).tolist()


def three(mean, sd):
    sizes = {"b": 40, "a": 3, "c": 100}
    return {label: normal(mean + k * sd, sd, n, k) for k, (label, n) in enumerate(sizes.items())}


def shuffled(groups, *first):
    each = [(label, value) for label, values in groups.items() for value in values]
    table = [*first, *(each[i] for i in np.random.default_rng(1).permutation(len(each)))]
    return {"g": [label for label, _ in table], "v": [value for _, value in table]}


TABLES = {
    "offset 1e9": shuffled(three(1e9, 1.0)),
    "offset 1e12": shuffled(three(1e12, 1.0)),
    "0 and 1e9": shuffled(three(0.0, 1.0) | {"d": normal(1e9, 1.0, 50, 7), "e": normal(-1e9, 1.0, 60, 8)}),
    "outlier first": shuffled(three(0.0, 1.0), ("a", 1e15)),
    "all equal, and alone": shuffled(three(0.0, 1.0) | {"d": [0.1] * 7, "e": [-1e9 / 3] * 3, "f": [-7e8]}),
    "1e200": shuffled(three(3e200, 1e200)),
    "1e-200": shuffled(three(3e-200, 1e-200)),
    "nearly equal by chance": shuffled(three(0.0, 1.0) | {"d": [1.0, 1.0 + 2.0**-40]}),
    "integers": shuffled({label: list(map(int, values)) for label, values in three(2.0**40, 1e3).items()}),
}
LABELS = {
    "text": ["b", "a", "B", "ä", "10", "9", "007"],
    "whole numbers": [10, 9, -1, 2**53 + 1, 2**53],
    "numbers": [10.0, 9.5, -1.0],
    "truth values": [True, False],
}
ALIKE = {name: {"g": given * 2, "v": [float(v) for v in range(2 * len(given))]} for name, given in LABELS.items()}
DATES = {"dates": ["2020-01-02", "2019-12-31", "2020-01-02"], "v": [1.0, 2.0, 4.0]}
COVARIATES = {
    **{"g": ["b", "a", "c", "b", "a"], "v": [1.0, 2.0, 4.0, 3.0, 7.0]},
    **{"x size": [3, 2, 2, 3, 2], "x rate": [0.1, 0.2, 0.7, 0.1, 0.2], "x arm": ["y", "x", "z", "y", "x"]},
}
FOUR = {"g": ["b", "a", "a", "b"], "v": [1.0, 2.0, 5.0, 4.0]}
NONE = "column 'v' of 'a' is missing or no finite number"
FAULTS = {
    "null": (FOUR | {"v": [1.0, 2.0, None, 4.0]}, NONE),
    "nan": (FOUR | {"v": [1.0, 2.0, float("nan"), 4.0]}, NONE),
    "inf": (FOUR | {"v": [1.0, 2.0, float("inf"), 4.0]}, NONE),
    "no label": (FOUR | {"g": ["b", None, "a", None]}, "column 'g' is blank in 2 row(s): every row needs its group"),
    "no column": ({"g": ["a"], "w": [1.0]}, "there is no column 'v': there are 'g', 'w'"),
    "text for numbers": (FOUR | {"v": ["1", "2", "5", "x"]}, "column 'v' holds String: it has to hold numbers"),
    "varies": (FOUR | {"x": ["p", "q", "q", "r"]}, "covariate 'x' varies within 'b': 'p' and 'r'"),
    "covariate missing": (FOUR | {"x": [None, "q", "q", None]}, "covariate 'x' is missing in 'b'"),
    "covariate partly missing": (FOUR | {"x": ["p", "q", "q", None]}, "covariate 'x' is missing in 'b'"),
}


def run(script, tmp_path_factory, given, *arguments):
    """What a script prints, of this very Python."""
    path = tmp_path_factory.mktemp("script") / "script.py"
    path.write_text(script)
    root = str(Path(__file__).parents[4])
    ran = subprocess.run(
        [sys.executable, "-W", "error", str(path), *map(str, arguments)],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=os.environ | {"PYTHONPATH": root, "SPARK_LOCAL_IP": "127.0.0.1"},
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    return json.loads(ran.stdout.splitlines()[-1])


def everything():
    return TABLES | ALIKE | {"dates": DATES, "covariates": COVARIATES} | {n: t for n, (t, _) in FAULTS.items()}


@pytest.fixture(scope="module")
def dask(tmp_path_factory):
    pytest.importorskip("dask.dataframe", reason="Dask is not installed")
    return run(DASK, tmp_path_factory, everything())


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    pytest.importorskip("pyspark", reason="PySpark is not installed")
    if not HAS_JAVA:
        pytest.skip("PySpark needs Java")
    return run(SPARK, tmp_path_factory, everything())


@pytest.fixture(params=["dask", pytest.param("spark", marks=pytest.mark.slow)])
def engine(request):
    return request.getfixturevalue(request.param)["found"]


def rational(values):
    exact = [Fraction(float(v)) for v in values]
    mean = sum(exact) / len(exact)
    return len(exact), mean, sum((v - mean) ** 2 for v in exact)


def by_group(table):
    found = {}
    for label, value in zip(table["g"], table["v"], strict=True):
        found.setdefault(label, []).append(value)
    return {label: rational(found[label]) for label in sorted(found)}


def errors(found, table):
    """What is amiss: n, means beyond 1e-9 of the group's sd and what a double holds, ss beyond 1e-9 of itself."""
    expected = by_group(table)
    assert found.get("labels") == list(expected), found
    offset, unit, wrong = Fraction(found["offset"]), Fraction(found["unit"]), []
    each = zip(found["n"], found["mean"], found["ss"], expected.items(), strict=True)
    for n, mean, ss, (label, (size, middle, squares)) in each:
        exact, sd = (middle - offset) / unit, math.sqrt(squares / unit**2 / size)
        if n != size or abs(Fraction(mean) - exact) > NEAR * sd + 2 * np.spacing(abs(float(exact))):
            wrong.append((label, n, mean, float(exact)))
        if (ss != 0) if squares == 0 else abs(Fraction(ss) * unit**2 / squares - 1) > NEAR:
            wrong.append((label, ss, float(squares / unit**2)))
    return wrong


@pytest.mark.parametrize("name", TABLES)
def test_what_rational_numbers_say(engine, name):
    """Of the same doubles, in five parts: however far from 0, however unlike the groups, whatever comes first."""
    assert errors(engine[name], TABLES[name]) == []


def test_dasks_own_variance_is_wrong(dask):
    """At 1e9 it has no digit: the tables above are hard, and sums about an offset are needed."""
    exact = {label: float(ss / (n - 1)) for label, (n, _, ss) in by_group(TABLES["offset 1e9"]).items()}
    assert max(abs(dask["own"][label] / variance - 1) for label, variance in exact.items()) > 0.1


@pytest.mark.parametrize("name", LABELS)
def test_labels_are_alike_everywhere(engine, name):
    """Spelled and ordered as those of a dictionary of columns."""
    expected = sufficient_statistics.of_frame(ALIKE[name], group="g", value="v")
    assert (engine[name]["labels"], engine[name]["n"]) == (expected.labels, expected.n.tolist())


def test_dates_are_spelled_as_dates(engine):
    assert engine["dates"]["labels"] == ["2019-12-31", "2020-01-02"]


def test_covariates_are_alike_everywhere(engine):
    """Numbers as they are, text as levels, by group."""
    names = [name for name in COVARIATES if name.startswith("x")]
    expected = sufficient_statistics.of_frame(COVARIATES, group="g", value="v", covariates=names)
    assert engine["covariates"]["labels"] == expected.labels
    assert engine["covariates"]["covariates"] == expected.covariates


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_said_as_of_any_frame(engine, name):
    """Which group and column; a frame on many machines has no row that one could name."""
    assert engine[name] == {"kind": "ValueError", "said": FAULTS[name][1]}


def test_a_table_without_rows(engine):
    assert engine["empty"] == {"kind": "ValueError", "said": "there are no rows"}


PARTS, PACE = 12, 0.1


@pytest.mark.slow
@pytest.mark.parametrize("after", [2, 8], ids=["in the first pass", "in a later pass"])
def test_a_worker_that_dies_changes_nothing(after, tmp_path_factory):
    """Of two worker processes one is killed at work: its parts are computed again, and the answer is right.

    The table is one that needs a second look, so that there are three passes over its twelve parts.
    """
    pytest.importorskip("distributed", reason="Dask's distributed scheduler is not installed")
    table = TABLES["0 and 1e9"]
    parts = [{"part": k, "g": table["g"][k::PARTS], "v": table["v"][k::PARTS]} for k in range(PARTS)]
    given = {"parts": parts, "after": after, "pace": PACE}
    ran = run(CLUSTER, tmp_path_factory, given, tmp_path_factory.mktemp("marks"))
    assert len(ran["pids"]) == 2
    assert not ran["late"]
    assert ran["victim"] not in ran["left"]
    lost = [name for name in ran["then"] if name.startswith(f"{ran['victim']}-")]
    again = {name.split("-")[2] for name in set(ran["after"]) - set(ran["then"])}
    assert len(lost) >= after
    assert again & {name.split("-")[2] for name in lost}
    assert errors(ran["found"], table) == []
