"""The math tests on single rows in JAGS, by its command line: rows.bug is the model."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from contender_io import hand_in, read

CHAINS = range(1, 5)
MODEL = Path(__file__).with_name("rows.bug")
SCRIPT = """\
model in "{model}"
data in "data.R"
compile, nchains({chains})
{starts}
initialize
samplers to "compiled.txt"
adapt 1000
update 1000
samplers to "warm.txt"
monitor mu
monitor sigma
monitor tau
monitor theta
update 10000
samplers to "sampled.txt"
coda *
exit
"""


def r_dump(**data) -> str:
    """Spell data as R's dump does."""
    spelled = {name: ", ".join(map(str, np.ravel(values).tolist())) for name, values in data.items()}
    return "".join(f"`{name}` <- c({values})\n" for name, values in spelled.items())


def write_script(rows: str, folder: Path, seed: int) -> None:
    """Write the data, the start of each chain, and the script."""
    frame = read(rows)
    school, schools = pd.factorize(frame["school"])
    data = r_dump(score=frame["score"], school=school + 1, N=len(frame), J=len(schools))
    (folder / "data.R").write_text(data, encoding="utf-8")
    for chain in CHAINS:
        start = f'".RNG.name" <- "base::Mersenne-Twister"\n".RNG.seed" <- {10 * seed + chain}\n'
        (folder / f"start{chain}.R").write_text(start, encoding="utf-8")
    starts = "\n".join(f'parameters in "start{chain}.R", chain({chain})' for chain in CHAINS)
    script = SCRIPT.format(model=MODEL, chains=len(CHAINS), starts=starts)
    (folder / "script.cmd").write_text(script, encoding="utf-8")


def main(rows: str, folder: str, seed: str) -> None:
    """Run JAGS; the files that it writes between its phases tell when each was over."""
    folder = Path(folder)
    write_script(rows, folder, int(seed))
    started = time.time()
    done = subprocess.run(["jags", "script.cmd"], cwd=folder, capture_output=True, text=True)
    if done.returncode or not (folder / "CODAindex.txt").exists():
        sys.exit(f"{done.stdout}\n{done.stderr}".strip())
    compiled, warm, sampled = ((folder / f"{name}.txt").stat().st_mtime for name in ("compiled", "warm", "sampled"))
    seconds = {"setup": warm - compiled, "compile": compiled - started, "sampling": sampled - warm}
    hand_in(folder, seconds, read_coda(folder))


def read_coda(folder: Path) -> dict[str, np.ndarray]:
    """Read the CODA files: one line a draw, quantity after quantity."""
    index = pd.read_csv(folder / "CODAindex.txt", sep=" ", header=None, names=["name", "first", "last"])
    files = [folder / f"CODAchain{chain}.txt" for chain in CHAINS]
    values = np.stack([pd.read_csv(f, sep=r"\s+", header=None, usecols=[1]).to_numpy()[:, 0] for f in files])
    each = {name: values[:, first - 1 : last] for name, first, last in index.itertuples(index=False)}
    theta = [values for name, values in each.items() if name.startswith("theta")]
    return {name: each[name] for name in ("mu", "sigma", "tau")} | {"theta": np.stack(theta, axis=-1)}


if __name__ == "__main__":
    main(*sys.argv[1:])
