import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from ranvier_loihi.nn.kernels import Firing, fire, fused_cuba, integrate, list_events, on_grid


def zeros(*shape):
    return torch.zeros(*shape, dtype=torch.float64)


def decays(*values):
    return torch.tensor(values, dtype=torch.float32)


def test_importing_the_package_loads_neither_torch_nor_numba():
    code = "import sys, ranvier_loihi; print({'torch', 'numba'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@settings(max_examples=200, deadline=None)
@given(st.integers(-(2**40), 2**40), st.integers(0, 4096))
def test_decay_is_exact_far_beyond_24_bits(state, decay):
    product = state * (4096 - decay)
    want = -((-product) >> 12) if product < 0 else product >> 12
    start = zeros(1, 1) + state
    run = integrate(torch.zeros(1, 1, 1), decays(decay), start)
    assert int(run.states[0]) == want
    assert int(start) == state


@pytest.mark.parametrize(("value", "code"), [(-0.9, 0), (0.9, 0), (-1.5, -1), (7.999, 7)])
def test_the_input_is_cut_toward_zero(value, code):
    x = torch.full((1, 1, 1), value / 4096)
    assert int(integrate(x, decays(0), zeros(1, 1)).states[0]) == code


def test_a_state_that_is_not_a_number_counts_as_overflow():
    x = torch.full((1, 2, 1), float("nan"))
    rule = Firing(64.0, 1.0, 1.0)
    run = fused_cuba(x, None, (decays(1), decays(1)), rule, states=(zeros(1, 1), zeros(1, 1)))
    assert run.overflow == 2


def test_events_are_listed_per_sample_and_step():
    x = torch.tensor([[[0.0, 1, 1], [0, 0, 0]], [[1, 0, 0], [0, 0, 1]]])
    pointer, channel = list_events(x)
    assert pointer.tolist() == [0, 2, 2, 3, 4]
    assert channel[:4].tolist() == [1, 2, 0, 2]
    assert list_events(x * 2) is None
    assert list_events(-x) is None


@pytest.mark.parametrize(
    ("weight", "wanted"),
    [(3 / 4096, True), (0.5 / 4096, False), (float(2**20), False), (float("nan"), False)],
)
def test_weights_off_the_grid_are_told_from_those_on_it(weight, wanted):
    assert on_grid(torch.full((2, 3), weight)) is wanted


@pytest.mark.parametrize("density", [0.02, 0.5])
def test_both_ways_to_the_weight_gradient_agree(density):
    g = torch.Generator().manual_seed(0)
    x = (torch.rand(2, 30, 7, generator=g) < density).float().requires_grad_()
    w = (torch.round(torch.randn(5, 7, generator=g) * 32) / 32).requires_grad_()
    rule, decay = Firing(32.0 * 64, 0.5, 0.1), decays(*[400.0] * 5)
    run = fused_cuba(
        x, w, (decay, decay), rule, states=(zeros(2, 5), zeros(2, 5)), events=list_events(x)
    )
    other = fused_cuba(
        torch.nn.functional.linear(x, w), None, (decay, decay), rule,
        states=(zeros(2, 5), zeros(2, 5)),
    )  # fmt: skip
    assert torch.equal(run.output, other.output)
    up = torch.randn(2, 30, 5, generator=g)
    found = torch.autograd.grad(run.output, (x, w), up)
    wanted = torch.autograd.grad(other.output, (x, w), up)
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


def test_no_time_steps_give_no_output_and_keep_the_state():
    rule = Firing(64.0, 1.0, 1.0)
    start = zeros(2, 3) + 5
    run = fused_cuba(
        torch.zeros(2, 0, 3), None, (decays(1, 1, 1),) * 2, rule, states=(start, start)
    )
    assert run.output.shape == (2, 0, 3)
    assert torch.equal(run.states[0], start)


def test_the_surrogate_is_an_exponential_around_the_threshold():
    v = torch.tensor([0.5, 1.0, 3.0], requires_grad=True)
    fire(v, (v > 1).float().detach(), 1.0, Firing(4096.0, 2.0, 0.4)).sum().backward()
    want = [0.1 * math.exp(-abs(x - 1) / 2) for x in (0.5, 1.0, 3.0)]
    np.testing.assert_allclose(v.grad, want, rtol=1e-6)
