import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from ranvier.errors import InputError, SimulationError
from ranvier_bss2.nn.functional import aelif, superspike
from ranvier_bss2.numerics import run_layer

layers = runpy.run_path(str(Path(__file__).with_name("layers.py")))
make, draw, differentiate, smooth_loss = (
    layers[name] for name in ("make", "draw", "differentiate", "smooth_loss")
)
LIF, LI, IF, AELIF, US, TRAINED = (
    layers[name] for name in ("LIF", "LI", "IF", "AELIF", "US", "TRAINED")
)
TRIGGERED, BELOW = ("leaky", "fire", "spike_triggered_adaptation"), (*LI, "subthreshold_adaptation")
SHAPES = [(1, 1, 1), (4, 30, 3), (2, 30, 64), (3, 25, 100)]


def observe(names, shape):
    g = torch.Generator().manual_seed(9)
    drawn = {
        "v_hw": torch.randn(shape, generator=g) * 0.5 + 0.2,
        "z_hw": (torch.rand(shape, generator=g) < 0.15).float(),
        "w_hw": torch.randn(shape, generator=g) * 0.1,
    }
    return {name: drawn[name] for name in names}


def assert_close(found, expected, tolerance):
    scale = float(expected.abs().max())
    assert_allclose(found.numpy(), expected.numpy(), rtol=0, atol=tolerance * scale + 1e-30)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("switches", [LIF, LI, IF, AELIF, TRIGGERED, BELOW])
def test_kernel_and_loop_give_equal_spikes_and_gradients(switches, shape):
    parameters, x = make(switches, shape[2]), draw(shape)

    ours, gradients = differentiate(x, parameters, backend="kernel", trained=TRAINED)
    plain, expected = differentiate(x, parameters, backend="loop", trained=TRAINED)

    if "fire" in switches:
        assert torch.equal(ours.spikes, plain.spikes)
    if switches in (LIF, LI, IF):
        assert torch.equal(ours.v_mem, plain.v_mem)
        assert torch.equal(ours.i_syn, plain.i_syn)
    for name, gradient in expected.items():
        assert_close(gradients[name], gradient, 1e-5)


@pytest.mark.parametrize("density", [0.02, 0.4])
def test_gradients_agree_for_sparse_and_dense_activity(density):
    x = draw((3, 40, 65), mean=0.8, density=density)

    ours, gradients = differentiate(x, make(LIF, 65), backend="kernel")
    plain, expected = differentiate(x, make(LIF, 65), backend="loop")

    assert torch.equal(ours.spikes, plain.spikes)
    assert_close(gradients["x"], expected["x"], 1e-5)


@pytest.mark.parametrize(
    ("switches", "names"),
    [
        (LIF, ["v_hw"]),
        (LIF, ["z_hw"]),
        (LIF, ["v_hw", "z_hw"]),
        (LI, ["v_hw"]),
        (AELIF, ["v_hw", "z_hw", "w_hw"]),
        (TRIGGERED, ["z_hw", "w_hw"]),
    ],
)
def test_gradients_pass_through_observed_values_to_the_model(switches, names):
    x, seen = draw((3, 30, 5)), observe(names, (3, 30, 5))

    ours, gradients = differentiate(x, make(switches, 5), backend="kernel", trained=TRAINED, **seen)
    plain, expected = differentiate(x, make(switches, 5), backend="loop", trained=TRAINED, **seen)

    for trace, wanted in zip(ours[:4], plain[:4], strict=True):
        assert (trace is None) == (wanted is None)
        if trace is not None:
            assert_allclose(trace.detach(), wanted.detach(), rtol=1e-6, atol=1e-6)
    for name, gradient in expected.items():
        assert_close(gradients[name], gradient, 1e-5)


def test_with_an_observed_membrane_the_gradient_is_not_cut_at_spikes():
    x = draw((1, 20, 1))
    seen = {"v_hw": torch.zeros(1, 20, 1), "z_hw": torch.ones(1, 20, 1)}
    g = torch.zeros(1, 20, 1)
    g[0, -1] = 1.0

    for names, reaches in ((("z_hw",), False), (("v_hw", "z_hw"), True)):
        given = x.clone().requires_grad_()
        run = aelif(given, make(LIF, 1, refractory=0.0), **{k: seen[k] for k in names})
        run.v_mem.backward(g)
        assert bool(given.grad[0, 0]) is reaches


@pytest.mark.parametrize("switches", [LIF, TRIGGERED, AELIF])
def test_gradients_are_those_of_the_smooth_twin(switches):
    """Central differences in float64 of a run whose spikes are the integral of the surrogate."""
    alpha, time = 20.0, 25
    parameters, x = make(switches, 1), draw((1, time, 1), 3, mean=0.3)
    weights = [draw((time,), 20 + k).double().numpy() for k in range(4)]
    given = x.clone().requires_grad_()
    trained = {k: torch.tensor(parameters.values[k]).requires_grad_() for k in TRAINED}

    run = aelif(given, parameters, alpha=alpha, trained=trained)
    traces = (run.spikes, run.v_mem, run.i_syn, run.w_adaptation)
    sum(
        (trace[0, :, 0] * torch.tensor(w)).sum()
        for trace, w in zip(traces, weights, strict=True)
        if trace is not None
    ).backward()

    values = {k: float(v[0]) for k, v in parameters.values.items()}
    inputs = x[0, :, 0].double().numpy()
    arguments = US, switches, alpha, weights
    _, base = smooth_loss(inputs, values, *arguments)
    assert sum(z for z, _ in base) > 2
    assert [z for z, _ in base] == (run.spikes[0, :, 0] > 0).double().tolist() or switches != LIF

    def slope(change):
        high, low = (smooth_loss(*change(s), *arguments, base)[0] for s in (1e-6, -1e-6))
        return (high - low) / 2e-6

    by_input = [slope(lambda s, t=t: (inputs + s * np.eye(time)[t], values)) for t in range(time)]
    assert_allclose(given.grad[0, :, 0], by_input, rtol=1e-3, atol=1e-4)
    for name in TRAINED:
        size = abs(values[name])
        expected = slope(lambda s, k=name: (inputs, {**values, k: values[k] * (1 + s)}))
        assert float(trained[name].grad) * values[name] == pytest.approx(
            expected, rel=2e-3, abs=1e-3 * size
        )


def test_values_are_those_of_the_numerics():
    x = draw((3, 30, 20))

    run, wanted = aelif(x, make(LIF, 20)), run_layer(make(LIF, 20), x.numpy())

    assert_array_equal(run.spikes.numpy(), wanted.spikes)
    assert_array_equal(run.v_mem.numpy(), wanted.v_mem)
    assert_array_equal(run.i_syn.numpy(), wanted.i_syn)
    assert_array_equal(run.state.v_mem, wanted.state.v_mem)


def test_a_run_goes_on_from_a_state():
    x, parameters = draw((3, 30, 20)), make(LIF, 20)

    whole = aelif(x, parameters)
    first = aelif(x[:, :11], parameters)
    second = aelif(x[:, 11:], parameters, state=first.state)

    assert torch.equal(torch.cat([first.spikes, second.spikes], dim=1), whole.spikes)


def test_two_graphs_can_live_at_once():
    parameters = make(LIF, 70)
    first, second = (draw((2, 20, 70), seed).requires_grad_() for seed in (1, 2))

    runs = [aelif(x, parameters, record=False) for x in (first, second)]
    for run in runs:
        run.spikes.sum().backward()

    alone = first.detach().clone().requires_grad_()
    aelif(alone, parameters).spikes.sum().backward()
    assert torch.equal(alone.grad, first.grad)


def test_without_record_only_what_the_layer_says_is_there():
    x = draw((2, 10, 3))

    spiking, leaky = aelif(x, make(LIF, 3), record=False), aelif(x, make(LI, 3), record=False)

    assert spiking.v_mem is None
    assert spiking.i_syn is None
    assert leaky.spikes is None
    assert leaky.i_syn is None
    assert torch.equal(leaky.v_mem, aelif(x, make(LI, 3)).v_mem)


def test_gradients_without_record_are_those_with_it():
    x = draw((2, 30, 5))
    found = []
    for record in (True, False):
        given = x.clone().requires_grad_()
        (aelif(given, make(AELIF, 5), record=record).spikes * draw((2, 30, 5), 4)).sum().backward()
        found.append(given.grad)

    assert torch.equal(*found)


def test_a_trained_scalar_gets_the_sum_of_the_gradients_of_the_neurons():
    x, found = draw((2, 30, 5)), []
    for value in (torch.tensor(6 * US), torch.full((5,), 6 * US)):
        value.requires_grad_()
        aelif(x, make(LIF, 5), trained={"tau_mem": value}).v_mem.sum().backward()
        found.append(float(value.grad.sum()))

    assert found[0] == pytest.approx(found[1], rel=1e-5)


def test_a_trained_leak_is_not_trained_through_a_given_state():
    x, parameters = draw((2, 1, 3)), make(LI, 3)
    leak = torch.zeros(3, requires_grad=True)
    state = aelif(x, parameters).state

    aelif(x, parameters, trained={"leak": leak}, state=state).v_mem.sum().backward()

    g = parameters.constants.g * parameters.constants.scale
    assert_allclose(leak.grad, 2 * g, rtol=1e-6)


@pytest.mark.parametrize("shape", [(0, 5, 3), (2, 0, 3), (0, 5, 70), (2, 0, 70)])
@pytest.mark.parametrize("switches", [LIF, LI])
def test_empty_batches_and_times_have_empty_gradients(shape, switches):
    x = torch.zeros(shape, requires_grad=True)

    run = aelif(x, make(switches, shape[2]), trained={"leak": torch.zeros(shape[2])})
    run.v_mem.sum().backward()

    assert run.v_mem.shape == x.grad.shape == shape


def test_inputs_that_are_not_contiguous_or_double_are_taken():
    x = draw((30, 4, 20)).transpose(0, 1).double().requires_grad_()

    run = aelif(x, make(LIF, 20))
    run.v_mem.sum().backward()

    same = x.detach().float().contiguous().requires_grad_()
    aelif(same, make(LIF, 20)).v_mem.sum().backward()
    assert torch.equal(x.grad.float(), same.grad)


def test_second_derivatives_are_refused():
    x = draw((2, 10, 3)).requires_grad_()
    run = aelif(x, make(LIF, 3))

    with pytest.raises(SimulationError, match="leave create_graph out"):
        torch.autograd.grad(run.v_mem.sum(), x, create_graph=True)


def test_the_derivative_of_a_spike_is_that_of_a_fast_sigmoid():
    u = torch.tensor([-0.1, 0.0, 0.02], requires_grad=True)

    spikes = superspike(u, alpha=50.0)
    spikes.sum().backward()

    assert spikes.tolist() == [0.0, 0.0, 1.0]
    assert_allclose(u.grad, [1 / 36, 1.0, 0.25], rtol=1e-6)


@pytest.mark.parametrize(
    ("keywords", "advice"),
    [
        ({"alpha": 0.0}, "alpha is 0.0; it must be a finite number > 0"),
        ({"backend": "gpu"}, "backend is 'gpu'; use 'kernel' or 'loop'"),
        ({"trained": {"refractory": torch.ones(3)}}, "refractory cannot be trained; choose"),
        ({"trained": {"leak": torch.ones(2)}}, r"leak has shape \(2,\); expected a scalar or"),
        ({"trained": {"tau_mem": torch.zeros(3)}}, "tau_mem is 0 at its lowest; it must be > 0"),
        ({"v_hw": torch.ones(2, 5, 4)}, r"v_hw has shape \(2, 5, 4\); expected \(2, time, 3\)"),
        ({"z_hw": torch.full((2, 5, 3), 2.0)}, "z_hw has 30 values other than 0 and 1"),
    ],
)
def test_wrong_input_is_named_with_its_numbers(keywords, advice):
    with pytest.raises(InputError, match=advice):
        aelif(draw((2, 5, 3)), make(LIF, 3), **keywords)


def test_other_devices_are_refused_with_advice():
    with pytest.raises(InputError, match=r"x is on device 'meta'.*\.cpu\(\)"):
        aelif(torch.zeros(2, 5, 3, device="meta"), make(LIF, 3))
