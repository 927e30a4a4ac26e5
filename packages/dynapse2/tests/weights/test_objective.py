"""The objective of the published quantiser."""

from __future__ import annotations

import numpy as np
import pytest

from ranvier_dynapse2.weights import autoencoder_objective


def test_objective_is_the_mean_squared_error_of_the_scaled_values():
    values = [1.0, 3.0, 4.0]  # scaled by 1 / (4 - 1 + 1)

    found = autoencoder_objective(values, bases=[1, 2, 0, 0], masks=[1, 3, 3])

    assert found == pytest.approx((1 / 4) ** 2 / 3)


def test_negative_bases_are_penalised():
    found = autoencoder_objective([1.0], bases=[1, -0.5, 0, 0], masks=[1])

    assert found == pytest.approx(1000 * (np.exp(0.5) - 1))


def test_without_values_the_objective_is_zero():
    assert autoencoder_objective([], bases=[0] * 4, masks=[]) == 0.0
