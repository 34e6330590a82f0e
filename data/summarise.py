"""Compute math_test.csv and blood_pressure.csv from the raw rows, which are not shipped.

    python data/summarise.py FOLDER_OF_RAW_ROWS

All sums are taken in rational arithmetic on the decimals as printed and rounded once, at the end, so every
figure is the double nearest to the true value.
"""

import csv
import sys
from datetime import date
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import median

GAPS = range(1, 9)  # days between neighbouring records of a subject


def groups(path: Path, key: str):
    """Rows of a CSV file by the value of one column, in order of appearance."""
    found = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found.setdefault(row[key], []).append(row)
    return found.items()


def moments(y: list[Fraction]) -> dict:
    """Size, mean and sum of squared deviations."""
    mean = sum(y) / len(y)
    return {"n": len(y), "mean": mean, "ss": sum((v - mean) ** 2 for v in y)}


def school(name: str, rows: list[dict]) -> dict:
    """One school, with what the tests of a common variance (Levene, Brown and Forsythe) need."""
    y = [Fraction(row["mathscore"]) for row in rows]
    about = moments(y)
    middle = median(y)
    return {"school": name} | about | {
        "median": middle,
        "absolute_from_mean": sum(abs(v - about["mean"]) for v in y),
        "absolute_from_median": sum(abs(v - middle) for v in y),
    }  # fmt: skip


def subject(name: str, rows: list[dict]) -> dict:
    """One subject, with what the checks of independence over time need."""
    y = [Fraction(row["systolic"]) for row in rows]
    day = [(date.fromisoformat(row["date"]) - date(2003, 5, 1)).days for row in rows]
    about, days = moments(y), moments([Fraction(d) for d in day])
    deviation = [v - about["mean"] for v in y]
    gap = [later - earlier for earlier, later in pairwise(day)]
    product = [a * b for a, b in pairwise(deviation)]
    return (
        {"subject": name, "treatment": rows[0]["treatment"]}
        | about
        | {"first": y[0], "last": y[-1], "day_mean": days["mean"], "day_ss": days["ss"]}
        | {"day_cross": sum((d - days["mean"]) * e for d, e in zip(day, deviation, strict=True))}
        | {f"products_gap_{g}": sum(p for p, at in zip(product, gap, strict=True) if at == g) for g in GAPS}
        | {f"pairs_gap_{g}": gap.count(g) for g in GAPS}
        | {"gaps": " ".join(map(str, gap))}
    )


def write(file, table: list[dict]) -> None:
    """Write fractions as the nearest double, in the shortest digits that read back as it."""
    out = csv.DictWriter(file, table[0], lineterminator="\n")
    out.writeheader()
    for row in table:
        out.writerow({k: plain(v) for k, v in row.items()})


def plain(value):
    """Return a whole number as one, any other fraction as a double, text as it is."""
    if not isinstance(value, Fraction):
        return value
    return int(value) if value.denominator == 1 else float(value)


def main(raw: Path, out: Path) -> None:
    """Write both tables into `out`."""
    schools = [school(*g) for g in groups(raw / "mathtest.csv", "school")]
    subjects = [subject(*g) for g in groups(raw / "bloodpressure.csv", "subject")]
    for name, rows in (("math_test.csv", schools), ("blood_pressure.csv", subjects)):
        with (out / name).open("w", newline="", encoding="utf-8") as file:
            write(file, rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(__file__).parent)
