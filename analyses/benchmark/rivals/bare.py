"""Size, mean and variance of each group by DuckDB, and nothing else: FOLDER OF PARQUET, FOLDER TO HAND IN TO."""

import json
import sys
import time
from pathlib import Path

import duckdb
import numpy  # noqa: F401  DuckDB would import it while the clock runs


def main(rows: str, folder: str) -> None:
    """Group the rows."""
    files = sorted(map(str, Path(rows).glob("*.parquet")))
    started, used = time.perf_counter(), time.process_time()
    given = duckdb.connect().read_parquet(files)
    given.aggregate("school, count(*), avg(score), var_samp(score)", "school").fetchnumpy()
    took = [time.perf_counter() - started, time.process_time() - used]
    Path(folder, "steps.json").write_text(json.dumps({"group by": took}), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
