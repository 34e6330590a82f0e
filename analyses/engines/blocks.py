"""Arrays in blocks, so that memory does not grow with their length."""


def slices(count: int, width: int, entries: int) -> list[slice]:
    """Slices that cover `count` rows of `width` entries each, of at most so many entries in all, but a row at least."""
    size = max(1, entries // width)
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]
