"""Groups from data frames: the same as from rows, with covariates coded, and what cannot be is refused."""

import numpy as np
import pandas as pd
import pytest

from models.groups import Estimates, Replicates

FRAME = pd.DataFrame(
    {
        "school": ["b", "a", "b", "c", "a", "b"],
        "score": [510.0, 495.0, 520.0, 488.0, 505.0, 500.0],
        "size": [30, 12, 30, 7, 12, 30],
        "kind": ["public", "private", "public", "public", "private", "public"],
        "pupil": [1, 2, 3, 4, 5, 6],
        "country": ["x"] * 6,
    }
)


def asked(frame=FRAME, **others):
    return Replicates.from_frame(frame, group="school", value="score", **others)


def test_rows_of_a_frame_are_rows():
    """In the order of their labels, as a frame on many machines has no other."""
    rows = FRAME.sort_values("school")
    by_frame, by_rows = asked(), Replicates.from_rows(rows["school"], rows["score"])
    assert by_frame.labels == by_rows.labels == ("a", "b", "c")
    for name in ("n", "mean", "ss"):
        assert getattr(by_frame, name).tolist() == getattr(by_rows, name).tolist()


def arrow():
    return pytest.importorskip("pyarrow").Table.from_pandas(FRAME)


@pytest.mark.parametrize("frame", [lambda: FRAME.to_dict("list"), arrow], ids=["dictionary", "arrow"])
def test_any_frame_will_do(frame):
    """A dictionary of columns, or a table of Arrow where it is installed, as well as a frame of pandas."""
    found = asked(frame(), covariates=["kind"])
    assert found.mean.tolist() == asked().mean.tolist()
    assert found.design.tolist() == asked(covariates=["kind"]).design.tolist()


def test_numbers_are_covariates_and_text_has_a_reference():
    """Of two levels the first in order is the reference: private."""
    found = asked(covariates=["size", "kind"])
    assert found.covariates == ("size", "kind[public]")
    assert found.design.tolist() == [[1, 12, 0], [1, 30, 1], [1, 7, 1]]


def test_three_levels_have_two_columns():
    frame = {"y": [1.0, 2.0, 3.0, 4.0], "se": [1.0] * 4, "where": ["n", "s", "e", "n"]}
    found = Estimates.from_frame(frame, estimate="y", standard_error="se", covariates=["where"])
    assert found.covariates == ("where[n]", "where[s]")
    assert found.design.tolist() == [[1, 1, 0], [1, 0, 1], [1, 0, 0], [1, 1, 0]]
    assert found.labels == ("1", "2", "3", "4")


def test_variances_are_squared_errors():
    frame = pd.DataFrame({"y": [28.0, 8.0], "v": [225.0, 100.0], "name": ["007", "7"]})
    found = Estimates.from_frame(frame, estimate="y", variance="v", label="name")
    assert found.labels == ("007", "7")
    assert found.standard_error == pytest.approx(np.array([15.0, 10.0]))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"covariates": ["pupil"]}, "covariate 'pupil' varies within 'a': 2 in row 2, 5 in row 5"),
        ({"covariates": ["country"]}, "covariate 'country' is 'x' in every group"),
        ({"covariates": ["kinds"]}, "no column 'kinds': did you mean 'kind'"),
        ({"covariates": ["zzz"]}, "no column 'zzz': there are 'school', 'score'"),
    ],
)
def test_what_is_no_covariate_is_refused(arguments, said):
    with pytest.raises(ValueError, match=said):
        asked(**arguments)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({}, "either the standard error's column or the variance's"),
        ({"standard_error": "v", "variance": "v"}, "either the standard error's column or the variance's"),
        ({"variance": "v"}, "variance of 'b' is 0.0: it must be positive"),
    ],
)
def test_estimates_need_one_error_each(columns, said):
    frame = {"y": [1.0, 2.0], "v": [1.0, 0.0], "name": ["a", "b"]}
    with pytest.raises(ValueError, match=said):
        Estimates.from_frame(frame, estimate="y", label="name", **columns)
