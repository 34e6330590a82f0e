"""python -m analyses.reference: make reference posteriors anew, or independent draws from them."""

import argparse
import json
import math
import sys
from hashlib import sha256
from importlib import resources
from pathlib import Path

from analyses.cli.parser import USAGE, Parser
from analyses.reference import FOLDER, STATISTICS

MODULE = "analyses.reference"
EXAMPLES = """\
examples:
  python -m analyses.reference                                   every file in data/reference
  python -m analyses.reference eight_schools                     one of them
  python -m analyses.reference eight_schools --draws draws.csv   10,000 independent draws (.csv or .nc)
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    parser = Parser(
        prog=f"python -m {MODULE}",
        description="Make reference posteriors anew, or independent draws from one.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("name", nargs="*", metavar="NAME", help="of the posteriors (default: all)")
    add("--out", type=Path, metavar="DIR", help="where the files go (default: data/reference)")
    add("--draws", type=Path, metavar="FILE", help="write independent draws of one posterior instead: .csv or .nc")
    add("--size", type=int, default=10_000, metavar="N", help="how many draws, in four parts (default: 10000)")
    add("--seed", type=int, default=1, metavar="N", help="of the draws (default: 1)")
    options = parser.parse_args(arguments)

    from analyses.reference.cases import CASES

    names = options.name or list(CASES)
    if unknown := [name for name in names if name not in CASES]:
        parser.error(f"no posterior {unknown[0]!r}: choose from {', '.join(CASES)}")
    if options.draws and (len(names) != 1 or options.draws.suffix not in (".csv", ".nc")):
        parser.error("--draws is for one posterior, and a file that ends in .csv or .nc")
    if options.size < 4 or options.seed < 0:
        parser.error("--size must be 4 or more, and --seed not negative")
    try:
        if options.draws:
            draws(CASES[names[0]](), options.draws, size=options.size, seed=options.seed)
        else:
            for name in names:
                write(name, CASES[name](), options.out or Path(str(resources.files("partial_pooling_data") / FOLDER)))
    except OSError as error:
        print(f"{error.filename or options.out or options.draws}: {error.strerror or error}", file=sys.stderr)
        return USAGE
    return 0


def write(name: str, case, folder: Path) -> None:
    """Write a file of the schema in data/reference/README.md."""
    table, error, points = case.figures()
    data = (resources.files("partial_pooling_data") / case.data).read_bytes()
    found = {
        "command": f"python -m {MODULE} {name}",
        "schema": 1,
        "name": name,
        "model": case.model,
        "priors": case.priors,
        "data": {"file": case.data, "sha256": sha256(data).hexdigest()},
        "columns": ["variable", "label", *STATISTICS],
        "rows": [[*key, *(_digits(row[s], error.loc[key, s]) for s in STATISTICS)] for key, row in table.iterrows()],
        "points": [{name: float(f"{value:.12g}") for name, value in point.items()} for point in points],
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(_text(found), encoding="utf-8")


def _digits(value: float, error: float) -> float | None:
    """The value rounded to the last digit that is larger than its error; nothing for what does not exist."""
    if math.isnan(value):
        return None
    return round(value, 15 - math.ceil(math.log10(abs(value)))) if not error > 0 else round(value, -_place(error))


def _place(error):
    return math.ceil(math.log10(error))


def _text(found: dict) -> str:
    """JSON with a row a line."""
    lists = {key: "[\n" + ",\n".join(f"  {_line(row)}" for row in found[key]) + "\n ]" for key in ("rows", "points")}
    entries = [f' "{key}": {lists.get(key) or _line(value)}' for key, value in found.items()]
    return "{\n" + ",\n".join(entries) + "\n}\n"


def _line(value) -> str:
    return json.dumps(value, ensure_ascii=False)


def draws(case, path: Path, *, size: int, seed: int) -> None:
    """Write independent draws in four parts, which stand for chains."""
    import numpy as np

    tree = case.draw(draws=size // 4, chains=4, rng=np.random.default_rng(seed))
    if path.suffix == ".nc":
        path.write_bytes(tree.to_netcdf(engine="h5netcdf"))
        return
    columns = {}
    posterior = tree["posterior"].dataset.stack(sample=("chain", "draw"), create_index=False)
    for name in ("chain", "draw"):
        columns[name] = posterior[name].values
    for name, values in posterior.data_vars.items():
        if values.ndim == 1:
            columns[name] = values.values
        else:
            dim = next(d for d in values.dims if d != "sample")
            columns |= {f"{name}[{label}]": values.sel({dim: label}).values for label in values[dim].values}
    import pandas as pd

    pd.DataFrame(columns).to_csv(path, index=False, lineterminator="\n")


if __name__ == "__main__":
    sys.exit(main())
