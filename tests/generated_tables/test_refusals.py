"""Whatever the bytes of a file, and whatever table the command line is given: a refusal by line, or a report."""

import contextlib
import io
from decimal import Decimal

import numpy as np
import pytest
from helpers.cases import ROUNDS, cases, estimates, scores
from hypothesis import example, given, settings, strategies as st

from analyses import run
from analyses.ingest import build_model
from analyses.ingest.request import InputError, Request

EIGHT = ["28", "8", "-3", "7", "-1", "1", "18", "12"], ["15", "10", "16", "11", "9", "11", "10", "18"]


@settings(max_examples=300, **ROUNDS)
@given(
    st.sampled_from(["one_way", "meta_analysis"]),
    st.sampled_from([b"", b"a,b\n", b"a,b\nx,1\nx,2\ny,", b"a,b\n1,2\n"]),
    st.binary(max_size=40) | st.text('ab,\n\r"01.9eE-+; \t\u0660', max_size=40).map(lambda s: s.encode()),
)
@example("one_way", b"a,b\nx,1\nx,2\ny,", b"1e-9999999999999999999999")
@example("one_way", b"a,b\nx,1\nx,2\ny,", b"0e999999999999999999")
@example("meta_analysis", b"a,b\n1,1\n2,1\n3,1\n4,", b"1e-330")
def test_any_bytes(tmp_path_factory, study, start, rest):
    """InputError, every line with the file's name, or a model."""
    path = tmp_path_factory.mktemp("bytes") / "table.csv"
    path.write_bytes(start + rest)
    names = {"one_way": ("group", "value"), "meta_analysis": ("estimate", "se")}[study]
    try:
        prepared = getattr(build_model, study)(Request(table=path, columns=dict(zip(names, "ab", strict=True))))
        faults = []
    except InputError as refused:
        prepared, faults = None, str(refused).splitlines()
    assert all(line.startswith("table.csv:") or line.endswith("faults more") for line in faults)
    assert (prepared is None) == bool(faults)
    assert prepared is None or np.isfinite(prepared.model.groups.mean).all()


@pytest.mark.slow
@settings(max_examples=3, **ROUNDS)
@given(cases("one_way") | cases("meta_analysis"))
@example(estimates(["1", "2", "4"], ["1", "1", "2"]))
@example(scores({"a": "1 2", "b": "2 4 7", "c": "5", "d": "3 3"}))
@example(scores({"a": "1 1", "b": "2 2", "c": "5"}))
@example(scores({"a": "0 1e-9", "b": "1 1.000000002", "c": "3"}))
@example(scores({"a": "1 2", "b": "3 1", "c": "5 1e15"}))
@example(estimates(*EIGHT, priors={"tau2": ("InverseGamma", [Decimal("0.001"), Decimal("0.001")])}))
@example(estimates(["1", "2", "3"], ["1", "1e-7", "1e3"]))
def test_any_table_on_the_command_line(tmp_path_factory, case):
    """Status 2 with the refusal and nothing else, or a report."""
    folder, said = tmp_path_factory.mktemp("any"), io.StringIO()
    try:
        case.prepared(folder)
        refused = None
    except InputError as error:
        refused = str(error)
    with contextlib.redirect_stderr(said):
        status = run.main([*case.options(folder), "--engines", "exact", "--quiet", "--out", str(folder / "out")])
    assert status == 2 if refused else status in (0, 3)
    if refused:
        assert said.getvalue() == refused + "\n"
