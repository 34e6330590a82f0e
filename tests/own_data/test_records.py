"""Raw rows of the studies that have them, in the place of the table that is shipped."""

import json
from hashlib import sha256

import pytest
from helpers.own_tables import EXACT, put, refused

from analyses import run

DAYS = [
    ["date", "systolic", "subject", "treatment"],
    *(["2003-05-0" + str(d), str(120 + d), s, a] for s, a in (("1", "1"), ("2", "2")) for d in (1, 2, 3)),
]


@pytest.mark.slow
@pytest.mark.parametrize(("study", "name"), [("math_test", "mathtest.csv"), ("blood_pressure", "bloodpressure.csv")])
def test_raw_rows_give_what_the_shipped_table_gives_to_the_byte(study, name, raw, tmp_path):
    for out, more in (("with", ("--data", str(raw / name))), ("without", ())):
        assert run.main([study, *more, *EXACT, "--out", str(tmp_path / out), "--quiet"]) == 0
    one, two = ((tmp_path / out / study / "summary.csv").read_bytes() for out in ("with", "without"))
    assert one == two
    manifest = json.loads((tmp_path / "with" / study / "manifest.json").read_text("utf-8"))
    assert manifest["data"][name] == sha256((raw / name).read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("row", "column", "value", "said"),
    [
        (2, 0, "2003-05-01", "table.csv:3: column 'date': '2003-05-01' is not after the one before it"),
        (2, 0, "2003-04-01", "table.csv:3: column 'date': '2003-04-01' is not after the one before it"),
        (1, 0, "soon", "table.csv:2: column 'date': 'soon' is no date"),
        (1, 0, "2003-02-30", "table.csv:2: column 'date': '2003-02-30' is no date"),
        (1, 3, "3", "table.csv:2: column 'treatment': '3' is not one of 1, 2"),
        (2, 3, "2", "table.csv:3: column 'treatment': '2' where line 2 has '1' for the same group '1'"),
        (1, 2, "1", "table.csv: these are not the subjects of blood_pressure: for a table of your own ask for one_way"),
    ],
)
def test_records_that_cannot_be_are_refused(row, column, value, said, tmp_path, capfd):
    """The checks over time need days in order, the effect two arms; the last are two subjects, and not those twenty."""
    lines = [list(fields) for fields in DAYS]
    lines[row][column] = value
    path = put(tmp_path, "".join(",".join(fields) + "\n" for fields in lines))
    (line,) = refused(capfd, tmp_path, "blood_pressure", "--data", path)
    assert line.startswith(said)


def test_other_schools_are_another_study(tmp_path, capfd):
    path = put(tmp_path, "school,mathscore\nA,1\nA,2\nB,3\nB,4\n")
    (line,) = refused(capfd, tmp_path, "math_test", "--data", path)
    assert line == "table.csv: these are not the schools of math_test: for a table of your own ask for one_way"
