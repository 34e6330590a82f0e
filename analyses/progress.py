"""A bar with an estimate of the time left, for what takes more than two seconds and is watched."""

from collections.abc import Iterable

from tqdm import tqdm

PATIENCE = 2  # seconds before it shows


def bar(text: str, *, total: float | None, unit: str, show: bool) -> tqdm:
    """A bar to be used as a context and told `update(by)`; nothing of it is left behind."""
    scaled = unit == "B"
    return tqdm(total=total, desc=text, unit=unit, unit_scale=scaled, delay=PATIENCE, disable=not show, leave=False)


def each(items: Iterable, text: str, *, show: bool, total: int | None = None, unit: str = "it") -> Iterable:
    """Iterate over items with a bar of how many are through."""
    return tqdm(items, desc=text, total=total, unit=unit, delay=PATIENCE, disable=not show, leave=False)
