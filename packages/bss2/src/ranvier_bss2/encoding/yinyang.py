"""The YinYang data set: points in a circle, three classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import InputError

CLASSES = ("yang", "yin", "eye")
"""Names of the classes 0, 1 and 2."""


@dataclass(frozen=True, eq=False)
class YinYang:
    """Samples and their classes.

    Parameters
    ----------
    x : float64 array, (size, 4)
        ``(x, y, 1 - x, 1 - y)``, each 0..1.
    label : int64 array, (size,)
        Index into `CLASSES`.
    """

    x: NDArray[np.float64]
    label: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.label)

    def __getitem__(self, item: int | slice) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        return self.x[item], self.label[item]


def yinyang(size: int, *, seed: int = 42, r_small: float = 0.1, r_big: float = 0.5) -> YinYang:
    """Draw samples of the YinYang data set, the same as the published generator.

    Parameters
    ----------
    size : int
        Number of samples, >= 0.
    seed : int
        Seed of the legacy generator of numpy, >= 0.
    r_small, r_big : float
        Radii of an eye and of the figure, > 0.

    Returns
    -------
    YinYang

    Raises
    ------
    InputError
        Size or seed is negative, or ``0 < r_small < r_big / 2`` does not hold.

    Notes
    -----
    Per sample a class ``randint(3)``, then points ``rand(2) 2 r_big`` until one lies in the figure
    and has that class.

    References
    ----------
    Kriener et al., "The Yin-Yang dataset", NICE 2022 (arXiv 2102.08211).
    """
    if size < 0 or seed < 0 or not 0 < r_small < r_big / 2:
        raise InputError(
            f"yinyang: size {size}, seed {seed}, radii {r_small} and {r_big}; expected size and "
            "seed >= 0 and 0 < r_small < r_big / 2"
        )
    random = np.random.RandomState(seed)  # the published order of draws
    x = np.zeros((size, 4))
    label = np.zeros(size, dtype=np.int64)
    for k in range(size):
        label[k] = random.randint(3)
        while True:
            point = random.rand(2) * 2.0 * r_big
            if class_of(float(point[0]), float(point[1]), r_small, r_big) == label[k]:
                break
        x[k] = point[0], point[1], 1.0 - point[0], 1.0 - point[1]
    return YinYang(x, label)


def class_of(x: float, y: float, r_small: float = 0.1, r_big: float = 0.5) -> int | None:
    """Return the class of a point, None outside the figure.

    Parameters
    ----------
    x, y : float
        Point; the figure has its centre at ``(r_big, r_big)``.
    r_small, r_big : float
        Radii.
    """
    if np.sqrt((x - r_big) ** 2 + (y - r_big) ** 2) > r_big:
        return None
    right = np.sqrt((x - 1.5 * r_big) ** 2 + (y - r_big) ** 2)
    left = np.sqrt((x - 0.5 * r_big) ** 2 + (y - r_big) ** 2)
    if right < r_small or left < r_small:
        return 2
    half = 0.5 * r_big
    yin = right <= r_small or r_small < left <= half or (y > r_big and right > half)
    return int(yin)
