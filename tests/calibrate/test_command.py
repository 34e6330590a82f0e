"""The command line: files of mutations, exit statuses."""

import pytest

from analyses.calibrate.__main__ import main


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "it needs MUTANTS"),
        ("MUTANTS = {}", "it needs MUTANTS"),
        ("MUTANTS = {", "was never closed"),
        ("MUTANTS = {'oneway': {'x': None}}", "no family 'oneway': did you mean 'one way'?"),
        ("MUTANTS = {'anova': {'x': None}}", "no family 'anova': there are one way, trial"),
        (
            "MUTANTS = {'normal': {'x': lambda m, r: {'Sigma2': None}}}",
            "no conditional 'Sigma2': there are sigma2, theta",
        ),
        ("import nowhere", "No module named 'nowhere'"),
    ],
)
def test_a_file_that_holds_no_mistakes_is_refused(content, message, tmp_path, capsys):
    path = tmp_path / "mine.py"
    path.write_text(content, encoding="utf-8")
    arguments = ["--mutants", str(path), "--quick", "--cores", "1", "--out", str(tmp_path / "out")]
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


def test_a_mistake_that_is_missed_is_exit_status_3(tmp_path, capsys):
    """And the page says which."""
    path = tmp_path / "mine.py"
    path.write_text('MUTANTS = {"normal": {"nothing is wrong": lambda model, right: {}}}\n', encoding="utf-8")
    arguments = ["--mutants", str(path), "--quick", "--cores", "1", "--out", str(tmp_path)]
    assert main(arguments) == 3
    assert "FAIL normal: 0 of 1 mistakes caught by the calibration, 0 by the identity" in capsys.readouterr().out
    page = (tmp_path / "mutants" / "index.html").read_text(encoding="utf-8")
    assert "0 of 1 mistakes were caught; not caught: nothing is wrong." in page
    assert "would the calibration have noticed" in (tmp_path / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--mutants", "nowhere.py"], "nowhere.py: no file with mistakes"),
        (["--out", "/dev/null/x"], "/dev/null"),
    ],
)
def test_bad_usage_is_exit_status_2(arguments, message, capsys):
    assert main([*arguments, "--quick"]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--seed", "-1"], ["--cores", "0"], ["--mutants"]])
def test_bad_options_are_exit_status_2(arguments):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
