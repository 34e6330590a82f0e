"""The tables behind the studies. README.md beside this file gives origin, licence, columns and units."""

from importlib import resources

TEXT = ("school", "printed", "size", "decimals")  # columns, as the first of each table is


def table(name: str):
    """Read one table, as text where it names a group and at full precision where it is a number.

    Parameters
    ----------
    name : str
        The file's name without ``.csv``.

    Returns
    -------
    pandas.DataFrame
        One row a group; the first column, the group's name, is text.

    Examples
    --------
    >>> table("eight_schools").columns.tolist()
    ['school', 'estimate', 'standard_error']
    """
    with resources.files(__name__).joinpath(f"{name}.csv").open(encoding="utf-8") as file:
        return read(file)


def read(file):
    """Read an open file of that kind."""
    import pandas as pd

    first = file.readline().partition(",")[0]
    file.seek(0)
    return pd.read_csv(file, dtype=dict.fromkeys((first, *TEXT), str), keep_default_na=False)
