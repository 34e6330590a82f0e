"""What comes in is what was given, or it is refused with row and column: no constructor reads another table.

The command line refuses all of it by line; frames, dictionaries, arrays and lists are to be no less strict.
"""

import warnings
from datetime import date
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from helpers.backends import backends

from analyses.engines import exact
from models import priors
from models.groups import Estimates, Replicates
from models.groups.naming import MISSING, MissingNameWarning
from models.groups.validation import LARGEST_SCALE, NEGLIGIBLE_ROUNDING, SMALLEST_SCALE, RoundedWarning
from models.two_level import TwoLevel

TRIALS = {"y": [1.0, 2.0, 4.0], "s": [1.0, 1.0, 2.0], "name": ["a", "b", "c"], "arm": ["p", "q", "q"]}
NOTHING = {"None": None, "nan": float("nan"), "NA": pd.NA, "NaT": pd.NaT}
MASKED = np.ma.masked_array([1.0, 2.0, 4.0], [False, True, False])


def estimates(frame, **more):
    return Estimates.from_frame(frame, **({"estimate": "y", "standard_error": "s", "label": "name"} | more))


def summary(**columns):
    given = {"labels": ["a", "b", "c"], "estimate": [1.0, 2.0, 4.0], "standard_error": [1.0, 1.0, 2.0]}
    return Estimates.from_summary(**(given | columns))


@backends
@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("y", "column 'y' is missing in row 2"),
        ("s", "column 's' is missing in row 2"),
        ("name", "column 'name': row 2 is missing"),
        ("arm", "covariate 'arm' is missing in row 2"),
    ],
)
def test_an_estimate_of_which_something_is_missing_is_refused(backend, column, said):
    """A missing covariate was a level, or the reference, and a missing label the group 'nan'."""
    table = TRIALS | {column: [TRIALS[column][0], None, TRIALS[column][2]]}
    with pytest.raises(ValueError, match=said):
        estimates(backend(table), covariates=["arm"])


@backends
@pytest.mark.parametrize("column", ["y", "s"])
@pytest.mark.parametrize("values", [["1", "2", "4"], [True, False, True]], ids=["text", "truth values"])
def test_estimates_are_numbers(backend, column, values):
    with pytest.raises(ValueError, match=f"column '{column}' holds (String|Boolean): it has to hold numbers"):
        estimates(backend(TRIALS | {column: values}))


@backends
def test_estimates_of_a_frame_stay_together(backend):
    """All columns are fetched at once: two requests to a frame that has no order need not agree in theirs."""
    found = estimates(backend(TRIALS), covariates=["arm"])
    assert found.labels == ("a", "b", "c")
    assert (found.mean.tolist(), found.standard_error.tolist()) == (TRIALS["y"], TRIALS["s"])
    assert (found.covariates, found.design[:, 1].tolist()) == (("arm[q]",), [0.0, 1.0, 1.0])


@pytest.mark.parametrize("nothing", NOTHING.values(), ids=NOTHING)
def test_a_label_that_is_missing_names_no_group(nothing):
    for made in (
        lambda: summary(labels=["a", nothing, "c"]),
        lambda: Replicates.from_summary(["a", nothing], [2, 2], [1.0, 2.0], [1.0, 1.0]),
        lambda: Replicates.from_rows(["a", nothing, "a"], [1.0, 2.0, 3.0]),
    ):
        with pytest.raises(ValueError, match="labels: row 2 is missing: give every row a name"):
            made()


ENTRIES = {
    "text": ("2", "is '2': give numbers"),
    "a truth value": (True, "is True: give numbers"),
    "a date": (date(2020, 1, 1), r"is datetime\.date"),
    "a complex number": (2j, "give numbers"),
    "a duration": (np.timedelta64(1, "s"), "give numbers"),
    **{name: (nothing, "is (missing|nan): every number must be finite") for name, nothing in NOTHING.items()},
}


@pytest.mark.parametrize(("entry", "said"), ENTRIES.values(), ids=ENTRIES)
def test_a_number_is_a_number(entry, said):
    """NumPy makes 2 of '2' and 1 of True, and stops with words of its own at pandas' NA."""
    for made in (
        lambda: summary(estimate=[1.0, entry, 4.0]),
        lambda: summary(standard_error=[1.0, entry, 4.0]),
        lambda: Replicates.from_rows(["a", "b", "a"], [1.0, entry, 4.0]),
    ):
        with pytest.raises(ValueError, match=said):
            made()


def test_what_is_masked_is_missing():
    """np.array looks behind the mask, and would take what is there for a value."""
    with pytest.raises(ValueError, match=r"mean\[1\] is missing"):
        summary(estimate=MASKED)
    with pytest.raises(ValueError, match="labels: row 2 is missing"):
        summary(labels=np.ma.masked_array(["a", "b", "c"], MASKED.mask))


def test_truth_values_are_covariates_and_text_is_sent_to_frames():
    assert summary(covariates={"x": [True, False, True]}).design[:, 1].tolist() == [1.0, 0.0, 1.0]
    with pytest.raises(ValueError, match=r"x\[0\] is 'p': give numbers, or use from_frame, which takes text"):
        summary(covariates={"x": ["p", "q", "p"]})


ALIKE = [("a", "a "), ("\u00e9", "e\u0301"), ("A", "\uff21")]


@pytest.mark.parametrize(("one", "two"), ALIKE)
def test_names_that_look_alike_are_refused(one, two):
    """As in a file: nobody could tell the groups apart, nor the levels."""
    table = TRIALS | {"name": [one, two, "c"]}
    for made in (
        lambda: summary(labels=table["name"]),
        lambda: estimates(table),
        lambda: Replicates.from_frame(table, group="name", value="y"),
        lambda: Replicates.from_rows(table["name"], table["y"]),
        lambda: estimates(TRIALS | {"arm": table["name"]}, covariates=["arm"]),
    ):
        with pytest.raises(ValueError, match=r"looks like .*: use one spelling, or clearly different names"):
            made()


@pytest.mark.parametrize("name", sorted(MISSING))
def test_a_name_that_may_stand_for_a_missing_value_is_told(name):
    """It may be one, too: Namibia, or a note. So it is read, and said."""
    for column, made in (
        ("column 'name'", lambda: estimates(TRIALS | {"name": ["a", name, "c"]})),
        ("column 'name'", lambda: Replicates.from_frame(TRIALS | {"name": ["a", name, "c"]}, group="name", value="y")),
        ("labels", lambda: Replicates.from_rows(["a", name, "a"], [1.0, 2.0, 3.0])),
        ("covariate 'arm'", lambda: estimates(TRIALS | {"arm": ["p", name, "q"]}, covariates=["arm"])),
    ):
        with pytest.warns(MissingNameWarning) as told:
            made()
        assert [str(one.message) for one in told] == [
            f"{column}: {name!r} is read as {'a level' if 'arm' in column else 'the name of a group'}. "
            "If it stands for a missing value, remove its rows."
        ]


def test_a_level_that_is_blank_is_refused():
    table = TRIALS | {"arm": ["p", " ", "q"]}
    for made in (
        lambda: estimates(table, covariates=["arm"]),
        lambda: Replicates.from_frame(table, group="name", value="y", covariates=["arm"]),
    ):
        with pytest.raises(ValueError, match="covariate 'arm' is blank in 'b'"):
            made()


@pytest.mark.parametrize(
    ("labels", "said"), [([1, "1", 2], "both 1 and '1'"), ([1, 1.0, 2], "1 and 1.0 for one"), ([True, 1, 2], "one")]
)
def test_labels_of_two_kinds_are_not_merged_and_not_split(labels, said):
    """Spelled out they are one group, or two, and the reader may have meant the other."""
    with pytest.raises(ValueError, match=said):
        Replicates.from_rows(labels, [1.0, 2.0, 3.0])


def test_a_covariate_has_one_value_a_label():
    with pytest.raises(ValueError, match="x has two values for one label"):
        Replicates.from_rows(["1", "2"], [1.0, 2.0], covariates={"x": {1: 0.0, "1": 5.0, "2": 1.0}})


@pytest.mark.parametrize("column", ["y", "s", "x"])
def test_a_number_without_end_is_refused_with_its_row(column):
    table = TRIALS | {"x": [1.0, 2.0, 4.0]} | {column: [1.0, float("inf"), 4.0]}
    with pytest.raises(ValueError, match=f"'{column}' is inf in row 2: every number must be finite"):
        estimates(table, covariates=["x"])


def test_series_go_by_their_index():
    """pandas aligns them, and by position another group's number would be taken."""
    y, s = pd.Series([1.0, 2.0, 4.0], index=["a", "b", "c"]), pd.Series([2.0, 1.0, 1.0], index=["c", "b", "a"])
    for made in (
        lambda: summary(estimate=y, standard_error=s),
        lambda: summary(estimate=y, covariates={"estimate": s}),
        lambda: Replicates.from_rows(pd.Series(["p", "p", "q"], index=y.index), s),
    ):
        with pytest.raises(ValueError, match="have different indexes: align them in one frame, or pass"):
            made()
    assert summary(estimate=y, standard_error=s[y.index]).standard_error.tolist() == [1.0, 1.0, 2.0]


OTHERWISE = {
    "unequal lengths": (TRIALS | {"s": [1.0, 2.0]}, {}, "column 's' has 2 entries where 'y' has 3"),
    "in the index": (pd.DataFrame(TRIALS).set_index("name"), {}, r"'name': it is the index .* call reset_index\(\)"),
    "text for a list": (
        TRIALS,
        {"covariates": "arm"},
        r"is the text 'arm': give a list of names, \['arm'\]",
    ),
    "twice": (TRIALS, {"covariates": ["arm", "arm"]}, "name a column twice"),
    "two of one name": (
        TRIALS | {"arm[q]": [1.0, 5.0, 2.0]},
        {"covariates": ["arm", "arm[q]"]},
        r"covariate 'arm\[q\]' makes a second column 'arm\[q\]'",
    ),
    "numbers and truth values": (
        pd.DataFrame(TRIALS | {"y": pd.Series([1.0, True, 4.0], dtype=object)}),
        {},
        "column 'y' holds True in row 2: it has to hold numbers",
    ),
}


@pytest.mark.parametrize(("frame", "asked", "said"), OTHERWISE.values(), ids=OTHERWISE)
def test_a_frame_that_can_be_misread_is_refused(frame, asked, said):
    """In words of this project's own, in one line."""
    with pytest.raises(ValueError, match=said) as refused:
        estimates(frame, **asked)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("scale", [SMALLEST_SCALE * 20, LARGEST_SCALE / 200])
def test_scales_that_are_taken_change_nothing_else(scale):
    """Just inside the limits all figures are those of 1, times the scale: nothing over- or underflows on the way."""
    y, s = np.array([28.0, 8, -3, 7, -1, 1, 18, 12]), np.array([15.0, 10, 16, 11, 9, 11, 10, 18])
    for made in (
        lambda k: TwoLevel(groups=Estimates.from_summary("ABCDEFGH", k * y, k * s), tau=priors.FLAT),
        lambda k: TwoLevel(
            groups=Replicates.from_summary("ABCDEFGH", [4] * 8, k * y, (k * s) ** 2),
            tau=priors.HalfCauchy(1.0),
            sigma=priors.JEFFREYS,
        ),
    ):
        one, other = (exact.posterior(made(k)).table() for k in (1.0, scale))
        ratios = ("kappa", "tau") if "sigma" in made(1.0).unknown else ("kappa",)
        unit = [1.0 if name in ratios else scale for name, _ in one.index]
        finite = np.isfinite(one["sd"])
        assert finite.sum() >= 9
        # The engine claims ten digits; the two runs may differ by both their errors.
        assert other["sd"][finite].to_numpy() == pytest.approx((one["sd"] * unit)[finite].to_numpy(), rel=2e-10, abs=0)


@pytest.mark.parametrize("power", [-320, -170, -76, 77, 160, 306])
def test_scales_that_are_not_taken_are_refused_with_the_remedy(power):
    """Beyond, an engine ended in an IndexError. 1e-320 is a double, if one of few digits."""
    k = float(f"1e{power}")
    rows = {"g": list("aabbcc"), "v": [v * k for v in (1.0, 2.0, 4.0, 7.0, 5.0, 9.0)]}
    for made in (
        lambda: summary(estimate=[k, 2 * k, 4 * k], standard_error=[k, k, 2 * k]),
        lambda: estimates(TRIALS | {"y": [k, 2 * k, 4 * k], "s": [k, k, 2 * k]}),
        lambda: Replicates.from_frame(rows, group="g", value="v"),
        lambda: Replicates.from_rows(rows["g"], rows["v"]),
    ):
        with pytest.raises(ValueError, match=r"rescale the column|no double|finite"):
            made()


ROWS = {"a": (28.0, 3.0, 8.5), "b": (40.0, -17.0), "c": (8.0, 5.25, 1.0, 2.0)}


@pytest.mark.parametrize("power", range(16))
def test_digits_that_an_offset_costs_are_told(power):
    """Means of the very doubles in rational numbers: off by more than a millionth of an error, and it is said.

    Beside that a mean is computed in some twenty operations, each of which costs its own last digit.
    """
    rows = [(g, 10.0**power + v) for g, values in ROWS.items() for v in values]
    frame = {"g": [g for g, _ in rows], "v": [v for _, v in rows]}
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = Replicates.from_frame(frame, group="g", value="v")
    error = np.sqrt(found.ss.sum() / found.df.sum() * found.noise)
    off = []
    for g, mean in zip(found.labels, found.mean, strict=True):
        values = [Fraction(v) for label, v in rows if label == g]
        off.append(float(abs(Fraction(float(mean)) - sum(values) / len(values))))
    if not told:
        assert (np.array(off) <= NEGLIGIBLE_ROUNDING * error + 20 * 2.0**-53 * error).all()
    assert [one.category for one in told] == [RoundedWarning] * (power >= 12)


def test_no_digit_is_missed_where_none_is_lost():
    """Whole numbers are themselves, and groups far from each other have no constant that could be subtracted."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        summary(estimate=[1e15 + 1, 1e15 + 2, 1e15 + 4])
        summary(estimate=[-1e15 - 0.25, 0.0, 1e15 + 0.25])
    with pytest.warns(RoundedWarning, match="mean of 'b' is rounded: doubles near 1e.15 are 0.12 apart"):
        summary(estimate=[1e15 + 1, 1e15 + 2.5, 1e15 + 4])
