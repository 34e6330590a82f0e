"""The columns of summary.csv are ArviZ's own figures, of all quantities at once; and Parquet holds a table's values."""

import arviz as az
import duckdb
import numpy as np
import pandas as pd
import pytest

from analyses.engines import summary_tables
from analyses.engines.inference_data import QUANTILES, SAMPLE, labelled


@pytest.fixture(scope="module")
def tree():
    """Chains that move slowly and lie apart, so that no two of the statistics are the same."""
    rng = np.random.default_rng(31)
    theta = np.cumsum(rng.normal(size=(4, 200, 3)), axis=1) + 3.0 * np.arange(4)[:, None, None]
    nodes = {"posterior": {"mu": (SAMPLE, rng.normal(size=(4, 200))), "theta": ((*SAMPLE, "school"), theta)}}
    return labelled(nodes, {"school": ["a", "b", "c"]}, {"engine": "gibbs"})


def test_every_column_is_what_arviz_says(tree):
    draws = tree["posterior"].dataset
    statistics = {
        "mean": draws.mean(SAMPLE),
        "sd": draws.std(SAMPLE, ddof=1),
        **{name: draws.quantile(p, SAMPLE).drop_vars("quantile") for name, p in QUANTILES.items()},
        "mcse_mean": az.mcse(draws, method="mean"),
        "ess_bulk": az.ess(draws, method="bulk"),
        "ess_tail": az.ess(draws, method="tail"),
        "r_hat": az.rhat(draws),
    }
    wanted = pd.DataFrame({name: summary_tables.flat(found) for name, found in statistics.items()})
    exists = pd.DataFrame({"mean": 0.0, "sd": 1.0}, index=wanted.index)
    found = summary_tables.summary(tree, exists).set_index(["variable", "label"])
    assert found.index.tolist() == [("mu", ""), ("theta", "a"), ("theta", "b"), ("theta", "c")]
    np.testing.assert_allclose(found[list(wanted)].astype(float), wanted, rtol=1e-12)  # sums in another order
    assert wanted.nunique().min() == 4, "or columns could stand for each other"


def test_a_moment_that_does_not_exist_is_none(tree):
    index, _ = summary_tables.stacked(tree["posterior"].dataset)
    found = summary_tables.summary(tree, pd.DataFrame({"mean": np.nan, "sd": np.nan}, index=index))
    assert found[["mean", "sd", "mcse_mean"]].isna().all(axis=None)
    assert found["q50"].notna().all()


def test_a_column_without_any_value_is_left_out(tmp_path):
    """And one with some is kept, empty cells and all; text that looks like a number stays text."""
    table = pd.DataFrame({"label": ["007", "NA"], "n": [None, None], "x": [1.5, np.nan]})
    summary_tables.write_parquet(table, tmp_path / "it's.parquet")
    found = duckdb.connect().execute("from read_parquet(?)", [str(tmp_path / "it's.parquet")]).fetchall()
    assert [row[0] for row in found] == ["007", "NA"]
    assert found[0][1] == 1.5
    assert len(found[0]) == 2


def test_a_disk_that_fails_is_an_error_of_the_system(tmp_path):
    """run.main tells OSErrors in a line: of a full disk, or a folder that has gone."""
    with pytest.raises(OSError, match="parquet"):
        summary_tables.write_parquet(pd.DataFrame({"a": [1.0]}), tmp_path / "gone" / "groups.parquet")
