"""Simulate classrooms.csv: pupils in classrooms in schools, with a truth that is known.

    python data/simulate_classrooms.py

y_ijk ~ N(theta_ij, 8^2), theta_ij ~ N(mu_i, 4^2), mu_i ~ N(60, 6^2), the seed a date that was chosen beforehand.
"""

import csv
from fractions import Fraction
from pathlib import Path

import numpy as np

TRUTH = {"lambda": 60.0, "kappa": 6.0, "tau": 4.0, "sigma": 8.0}
SCHOOLS, CLASSROOMS, PUPILS = 10, (2, 4), (3, 6)  # the last two: fewest and most
SEED = 19700101


def simulate(rng) -> list[dict]:
    """One row a classroom; scores are rounded to whole points, as test scores are, and then summed up exactly."""
    rows = []
    for school in range(1, SCHOOLS + 1):
        mu = rng.normal(TRUTH["lambda"], TRUTH["kappa"])
        for classroom in range(1, rng.integers(*CLASSROOMS, endpoint=True) + 1):
            theta = rng.normal(mu, TRUTH["tau"])
            size = rng.integers(*PUPILS, endpoint=True)
            y = [Fraction(round(score)) for score in rng.normal(theta, TRUTH["sigma"], size)]
            mean = sum(y) / len(y)
            described = {"n": len(y), "mean": float(mean), "ss": float(sum((v - mean) ** 2 for v in y))}
            truth = {"true_theta": round(theta, 4), "true_mu": round(mu, 4)}
            rows.append({"classroom": f"{school}{'abcde'[classroom - 1]}", "school": school} | described | truth)
    return rows


def main(out: Path) -> None:
    """Write the table into a folder."""
    rows = simulate(np.random.default_rng(SEED))
    with (out / "classrooms.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, rows[0], lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


if __name__ == "__main__":
    main(Path(__file__).parent)
