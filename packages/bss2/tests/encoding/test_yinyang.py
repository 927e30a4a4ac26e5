import math

import numpy as np
import pytest

from ranvier.errors import InputError
from ranvier_bss2.encoding import yinyang


def reference(size, seed):
    """The published generator, written down once more from its description."""
    random = np.random.RandomState(seed)
    points, labels = [], []
    while len(labels) < size:
        goal = random.randint(3)
        while True:
            x, y = random.rand(2) * 2.0 * 0.5
            if math.hypot(x - 0.5, y - 0.5) > 0.5:
                continue
            right, left = math.hypot(x - 0.75, y - 0.5), math.hypot(x - 0.25, y - 0.5)
            if right < 0.1 or left < 0.1:
                found = 2
            elif right <= 0.1 or 0.1 < left <= 0.25 or (y > 0.5 and right > 0.25):
                found = 1
            else:
                found = 0
            if found == goal:
                break
        points.append((x, y, 1 - x, 1 - y))
        labels.append(goal)
    return np.array(points), np.array(labels)


def test_samples_equal_those_of_the_described_order_of_draws():
    data = yinyang(300, seed=40)
    points, labels = reference(300, 40)
    np.testing.assert_array_equal(data.x, points)
    np.testing.assert_array_equal(data.label, labels)


def test_the_three_classes_are_equally_frequent_and_mirrored_coordinates_are_added():
    data = yinyang(1500, seed=1)
    assert len(data) == 1500
    assert np.all(np.bincount(data.label) > 400)
    np.testing.assert_allclose(data.x[:, 2:], 1.0 - data.x[:, :2])
    x, label = data[3]
    assert x.shape == (4,)
    assert label in (0, 1, 2)


def test_seeds_make_other_samples_and_bad_radii_are_refused():
    assert not np.array_equal(yinyang(20, seed=1).x, yinyang(20, seed=2).x)
    with pytest.raises(InputError, match="r_small"):
        yinyang(1, r_small=0.4)
    with pytest.raises(InputError, match="size -1"):
        yinyang(-1)
