"""What groups of equal noise have in common.

k groups with the same noise have the same variance v about their regression, so an orthogonal transformation of their
means leaves them independent with that variance. The QR decomposition of their design rows is one: it leaves
min(k, p) rows that see b, and k - min(k, p) that see none of it and add up to one residual sum of squares. The
posterior of (b, tau, sigma) costs the number of distinct noises, not the number of groups.
"""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np


@dataclass(frozen=True, eq=False)
class Cells:
    """Rows that stand for groups: mean ~ N(design b, v) and spread ~ v chi^2(count - 1), v that of its noise.

    Attributes
    ----------
    noise : ndarray (R,)
        Noise of the groups behind the row.
    mean : ndarray (..., R)
        Transformed group means.
    design : ndarray (R, p)
        Transformed regressors.
    count : ndarray (R,)
        Groups that the row stands for: itself and those that see no b.
    spread : ndarray (..., R)
        Residual sum of squares of the latter.
    """

    noise: np.ndarray
    mean: np.ndarray
    design: np.ndarray
    count: np.ndarray
    spread: np.ndarray

    @classmethod
    def separate(cls, noise: np.ndarray, mean: np.ndarray, design: np.ndarray) -> Self:
        """One row a group; `mean` may have leading dimensions."""
        return cls(noise, mean, design, np.ones(len(noise)), np.zeros(len(noise)))

    @classmethod
    def compress(cls, noise: np.ndarray, mean: np.ndarray, design: np.ndarray) -> Self:
        """One class for each distinct noise, in order: of k groups and p regressors min(k, p) rows.

        Parameters
        ----------
        noise : ndarray (J,)
        mean : ndarray (..., J)
        design : ndarray (J, p)

        Examples
        --------
        >>> Cells.compress(np.array([0.25, 1.0, 0.25]), np.array([1.0, 5.0, 2.0]), np.ones((3, 1))).count
        array([2., 1.])
        """
        noises, position = distinct(noise)
        ends = np.cumsum(np.bincount(position))
        members = np.split(np.argsort(position, kind="stable"), ends[:-1])
        classes = [cls._of_class(v, mean[..., i], design[i]) for v, i in zip(noises, members, strict=True)]
        columns = {field.name: [getattr(cells, field.name) for cells in classes] for field in fields(cls)}
        return cls(**{k: np.concatenate(parts, axis=0 if k == "design" else -1) for k, parts in columns.items()})

    @classmethod
    def _of_class(cls, noise: float, mean: np.ndarray, design: np.ndarray) -> Self:
        """Rows of groups that all have one noise."""
        q, r = np.linalg.qr(design)
        z, unseen = mean @ q, len(design) - len(r)
        count, spread = np.ones(len(r)), np.zeros(z.shape)
        count[0] += unseen
        spread[..., 0] = np.sum((mean - z @ q.T) ** 2, axis=-1) if unseen else 0.0
        return cls(np.full(len(r), noise), z, r, count, spread)


def distinct(noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct values in order, and which of them each is, in as few bytes as hold that.

    By hashing, and small numbers are sorted by counting: of a million groups a tenth of what sorting doubles takes.
    """
    import pandas as pd  # takes its time to import

    position, noises = pd.factorize(noise, sort=True)
    return noises, position.astype(np.min_scalar_type(len(noises)))
