"""Refinement of masks on calibration data."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ranvier.errors import QuantizationError
from ranvier_dynapse2.weights import assign_masks, refine_masks, solve_levels, sums_of_masks


def problem(*, n_sources=20, n_targets=3, steps=200, seed=0):
    rng = np.random.default_rng(seed)
    raster = rng.poisson(0.2, (steps, n_sources))
    weights = rng.normal(0, 2, (n_sources, n_targets)) * (rng.random((n_sources, n_targets)) < 0.8)
    bases = solve_levels(np.abs(weights[weights != 0])).bases
    masks = assign_masks(np.abs(weights).ravel(), bases).reshape(weights.shape)
    return raster, weights, masks, bases


def objective(raster, weights, masks, *, bases, mu):
    """Straight from the definition, per target."""
    new = np.sign(weights) * sums_of_masks(bases)[masks]
    drives = np.maximum(raster @ weights, 0) - np.maximum(raster @ new, 0)
    return (drives**2).sum(axis=0) + mu * len(raster) * ((weights - new) ** 2).sum(axis=0)


@pytest.mark.parametrize("mu", [0.0, 1e-3, 0.1])
def test_reported_objectives_are_those_of_the_definition_and_fall(mu):
    raster, weights, masks, bases = problem()

    refined = refine_masks(raster, weights, masks, bases=bases, weight_penalty=mu)

    before = objective(raster, weights, masks, bases=bases, mu=mu)
    after = objective(raster, weights, refined.masks, bases=bases, mu=mu)
    np.testing.assert_allclose(refined.before, before, rtol=1e-9)
    np.testing.assert_allclose(refined.after, after, rtol=1e-9)
    assert np.all(refined.after <= refined.before)
    assert refined.after.sum() < 0.9 * refined.before.sum()


def test_no_change_of_one_mask_is_better():
    raster, weights, masks, bases = problem(n_sources=8, n_targets=2)

    refined = refine_masks(raster, weights, masks, bases=bases)

    for source, mask in itertools.product(range(8), range(16)):
        other = refined.masks.copy()
        other[source] = np.where(weights[source] == 0, 0, mask)
        found = objective(raster, weights, other, bases=bases, mu=0.01)
        assert np.all(found >= refined.after * (1 - 1e-9))


def test_result_is_near_the_best_of_all_masks_on_a_tiny_problem():
    raster, weights, masks, bases = problem(n_sources=3, n_targets=1, steps=40, seed=3)

    refined = refine_masks(raster, weights, masks, bases=bases)

    best = min(
        objective(raster, weights, np.array(m)[:, np.newaxis], bases=bases, mu=0.01)[0]
        for m in itertools.product(range(16), repeat=3)
    )
    assert best <= refined.after[0] * (1 + 1e-9)
    assert refined.after[0] <= 1.5 * best


def test_a_high_price_keeps_the_nearest_masks():
    raster, weights, masks, bases = problem()

    refined = refine_masks(raster, weights, masks, bases=bases, weight_penalty=1e6)

    assert_array_equal(refined.masks, masks)


def test_sources_that_never_spike_take_the_nearest_masks():
    raster, weights, masks, bases = problem()
    start = np.full_like(masks, 15)

    refined = refine_masks(np.zeros_like(raster), weights, start, bases=bases)

    assert_array_equal(refined.masks, masks)


def test_weights_of_zero_keep_the_empty_mask():
    raster, weights, masks, bases = problem()

    refined = refine_masks(raster, weights, np.full_like(masks, 7), bases=bases)

    assert_array_equal(refined.masks[weights == 0], 0)


def test_targets_do_not_depend_on_each_other():
    raster, weights, masks, bases = problem()

    together = refine_masks(raster, weights, masks, bases=bases)
    alone = refine_masks(raster, weights[:, 1:2], masks[:, 1:2], bases=bases)

    assert_array_equal(together.masks[:, 1:2], alone.masks)


def test_given_masks_are_left_as_they_are():
    raster, weights, masks, bases = problem()
    before = masks.copy()

    refine_masks(raster, weights, masks, bases=bases)

    assert_array_equal(masks, before)


def test_an_empty_raster_is_allowed():
    _, weights, masks, bases = problem()

    refined = refine_masks(np.zeros((0, 20)), weights, masks, bases=bases)

    assert_array_equal(refined.after, np.zeros(3))


def test_all_problems_are_reported_at_once():
    with pytest.raises(QuantizationError, match=r"disagree.*from 0 to 16.*four finite.*penalty"):
        refine_masks(
            np.zeros((5, 3)),
            np.ones((4, 2)),
            np.full((4, 2), 16) * [[0, 1]],
            bases=[1, 2, 4, -8],
            weight_penalty=np.nan,
        )
