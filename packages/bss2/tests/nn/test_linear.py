import pytest
import torch
from numpy.testing import assert_allclose

from ranvier.errors import InputError, SimulationError
from ranvier_bss2.nn.functional import linear


def draw(density, n, n_in=9):
    g = torch.Generator().manual_seed(0)
    x = (torch.rand(3, 40, n_in, generator=g) < density).float()
    # On a grid, so that sums are exact in any order.
    weight = torch.randint(-512, 512, (n, n_in), generator=g) / 256
    return x, weight


@pytest.mark.parametrize("density", [0.0, 0.02, 0.5])
@pytest.mark.parametrize("n", [1, 32, 45])
def test_sums_and_gradients_are_those_of_a_matrix_product(density, n):
    x, weight = draw(density, n)
    g = torch.randint(-8, 8, (3, 40, n)) / 4
    found = []
    for function in (linear, torch.nn.functional.linear):
        inputs = x.clone().requires_grad_(), weight.clone().requires_grad_()
        out = function(*inputs)
        out.backward(g)
        found.append((out.detach(), *(i.grad for i in inputs)))

    for ours, wanted in zip(*found, strict=True):
        assert torch.equal(ours, wanted)


def test_inputs_other_than_one_are_multiplied():
    x, weight = draw(0.02, 40)

    assert_allclose(linear(-2.5 * x, weight), -2.5 * linear(x, weight), rtol=1e-6)


def test_second_derivatives_are_refused():
    x, weight = draw(0.02, 40)
    weight.requires_grad_()

    with pytest.raises(SimulationError, match="leave create_graph out"):
        torch.autograd.grad(linear(x, weight).sum(), weight, create_graph=True)


def test_weights_that_do_not_fit_are_named():
    x, _ = draw(0.02, 40)

    with pytest.raises(InputError, match=r"weights \(4, 8\) do not fit an input \(3, 40, 9\)"):
        linear(x, torch.zeros(4, 8))
