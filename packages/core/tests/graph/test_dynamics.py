import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from ranvier.errors import GraphError
from ranvier.graph import bitshift_code, decay_factor, tau_from_decay_factor

RATIOS = st.floats(1.0, 1e4)


@pytest.mark.parametrize(("steps", "code"), [(0.1, 1), (2, 1), (3, 2), (4, 2), (16, 4), (1000, 10)])
def test_shift_is_the_rounded_logarithm_and_at_least_one(steps, code):
    assert int(bitshift_code(steps * 1e-3, dt=1e-3)) == code


@given(ratio=RATIOS)
def test_every_scheme_gives_a_factor_below_one_that_grows_with_tau(ratio):
    for decay in ("exponential", "euler", "bitshift"):
        short, long = decay_factor([ratio, 4 * ratio], dt=1.0, decay=decay)

        assert 0.0 <= short < long < 1.0


def test_schemes_have_their_formulas():
    factors = [decay_factor(4.0, dt=1.0, decay=d) for d in ("exponential", "euler", "bitshift")]

    assert [float(f) for f in factors] == [math.exp(-0.25), 0.75, 0.75]


def test_euler_below_the_time_step_is_refused_with_both_numbers():
    with pytest.raises(GraphError, match=r"tau = 0.0005 s below dt = 0.001 s"):
        decay_factor(0.5e-3, dt=1e-3, decay="euler")


@given(ratio=st.floats(0.1, 100.0))
def test_time_constant_is_recovered_from_its_factor(ratio):
    factor = decay_factor(ratio, dt=1.0)

    np.testing.assert_allclose(tau_from_decay_factor(factor, dt=1.0), ratio, rtol=1e-6)
