import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from ranvier.errors import SimulationError
from ranvier_dynapse2.dpi import DpiParameters, DpiState, run_layer
from ranvier_dynapse2.nn import DPI, LogSigmoid, LogWindow, MembraneStep

PORTS = {"merged_synapse": 1, "four_synapse": 4}
SURROGATES = (MembraneStep(), LogWindow(1.0, 0.1), LogSigmoid(2.0, 0.1))


def varied(model, n, seed, **options):
    """A layer whose neurons differ in currents and constants, with adaptation."""
    rng = np.random.default_rng(seed)
    plain = DPI(n, model=model).values()
    values = {k: v * rng.uniform(0.8, 1.25, n) for k, v in plain.items() if k != "i_scale"}
    values["i_w_ahp"] = rng.uniform(0.0, 3e-9, n)
    values["i_f_nmda"] = 10.0 ** rng.uniform(-13, -8, n)
    values["i_dc"] = 10.0 ** rng.uniform(-13, -10, n)
    torch.manual_seed(seed)
    return DPI(n, model=model, currents=values, i_scale=rng.uniform(0.5e-8, 2e-8, n), **options)


def draw(layer, batch, time, *, level=2.0, seed=0):
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(batch, time, layer.columns, generator=g) * 3.0 + level
    if layer.model == "four_synapse":  # little inhibition, so that neurons fire
        x.view(batch, time, layer.n, 4)[..., 1::2] *= 0.05
    return x


def gradients(layer, x, up):
    x = x.clone().requires_grad_()
    out = layer(x)
    inputs = [x] if layer.weight_rec is None else [x, layer.weight_rec]
    return out.detach(), torch.autograd.grad((out * up).sum(), inputs)


def assert_close(found, wanted):
    for a, b in zip(found, wanted, strict=True):
        assert float((a - b).abs().max()) <= 1e-5 * float(b.abs().max())


def compare_with_loop(layer, x, seed=0):
    plain = copy.deepcopy(layer)
    plain.backend = "loop"
    shape = (*x.shape[:2], layer.n)
    up = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    out, found = gradients(layer, x, up)
    other, wanted = gradients(plain, x, up)
    assert torch.equal(out, other)
    assert_close(found, wanted)
    return out, wanted


@settings(max_examples=40, deadline=None)
@given(
    model=st.sampled_from(sorted(PORTS)),
    size=st.tuples(st.integers(1, 4), st.integers(1, 50), st.integers(1, 6)),
    surrogate=st.sampled_from(SURROGATES),
    recurrent=st.booleans(),
    level=st.sampled_from([-3.0, 0.3, 2.0]),
    seed=st.integers(0, 10**6),
)
def test_kernel_and_loop_have_the_same_spikes_and_gradients(
    model, size, surrogate, recurrent, level, seed
):
    batch, time, n = size
    layer = varied(model, n, seed, recurrent=recurrent, surrogate=surrogate)

    compare_with_loop(layer, draw(layer, batch, time, level=level, seed=seed), seed)


@pytest.mark.parametrize("model", PORTS)
def test_gradients_agree_where_neurons_fire_several_times_a_step(model):
    layer = DPI(3, model=model, recurrent=True, surrogate=LogSigmoid(1.0, 0.1))
    x = torch.zeros(2, 20, layer.columns)
    x[:, :, :: PORTS[model]] = 300.0

    out, wanted = compare_with_loop(layer, x)

    assert out.max() > 1
    assert wanted[0].abs().max() > 0


@pytest.mark.parametrize("model", PORTS)
def test_gradients_agree_in_a_silent_network(model):
    layer = DPI(3, model=model, recurrent=True, surrogate=LogSigmoid(0.5, 0.1))

    x = torch.zeros(2, 30, layer.columns)
    x[:, :, :: PORTS[model]] = 0.1

    out, wanted = compare_with_loop(layer, x)

    assert not out.any()
    assert wanted[0].abs().max() > 0


@pytest.mark.parametrize("model", PORTS)
def test_gradients_agree_after_a_start_from_another_state(model):
    layer = varied(model, 8, 3, recurrent=True, stateful=True)
    layer(draw(layer, 3, 33, level=6.0))
    assert layer.state[4].any()

    compare_with_loop(layer, draw(layer, 3, 20, seed=1))


def test_the_gradient_follows_the_membrane_of_a_single_neuron():
    """With the derivative 1/A a count's gradient is that of the membrane: check it numerically."""
    layer = DPI(1, surrogate=MembraneStep(), currents={"i_spkthr": 1.0})
    x = torch.full((1, 22, 1), 0.3, requires_grad=True)
    (wanted,) = torch.autograd.grad(layer(x)[0, -1, 0], x)
    row = []
    for t in range(22):
        ends = []
        for step in (0.02, -0.02):
            moved = x.detach().clone()
            moved[0, t] += step
            layer(moved)
            ends.append(float(layer.state[2]))
        row.append((ends[0] - ends[1]) / 0.04)
    found = torch.tensor(row)

    assert float(layer.state[2]) > 1e-11
    assert float((wanted[0, :, 0] - found).abs().max()) < 1e-2 * float(found.abs().max())


@pytest.mark.parametrize("model", PORTS)
@pytest.mark.parametrize("backend", ["kernel", "loop"])
@pytest.mark.parametrize("recurrent", [False, True])
def test_spikes_states_and_traces_are_those_of_the_simulator(model, backend, recurrent):
    layer = varied(model, 7, 5, recurrent=recurrent, backend=backend)
    x = draw(layer, 3, 200)
    parameters = DpiParameters.of_values(layer.values(), model=model, dt=layer.dt)
    weight = layer.weight_rec.detach().numpy() if recurrent else None
    names = (*parameters.synapse_states, "i_ahp", "i_mem", "v_mem")
    wanted = run_layer(parameters, x.numpy(), weight_rec=weight, record=names)

    with torch.no_grad():
        out, traces = layer(x, record=True)

    np.testing.assert_array_equal(out.numpy(), wanted.spikes)
    assert wanted.spikes.sum() > 100
    rtol = 0 if backend == "kernel" else 1e-3
    for name in names:
        found = traces["DPI"].extra[name].numpy()
        np.testing.assert_allclose(found, wanted.traces[name], rtol=rtol, atol=rtol * 1e-9)
    final = wanted.state
    for part, name in zip(layer.state, ("i_syn", "i_ahp", "i_mem"), strict=False):
        np.testing.assert_allclose(part.numpy(), getattr(final, name), rtol=rtol)


@pytest.mark.parametrize("model", PORTS)
def test_a_large_recurrent_layer_spikes_as_in_the_simulator(model):
    layer = varied(model, 150, 8, recurrent=True)
    x = draw(layer, 4, 300, level=1.0)
    parameters = DpiParameters.of_values(layer.values(), model=model, dt=layer.dt)

    found = layer(x).detach().numpy()

    wanted = run_layer(parameters, x.numpy(), weight_rec=layer.weight_rec.detach().numpy())
    assert wanted.spikes.sum() > 1000
    np.testing.assert_array_equal(found, wanted.spikes)


def test_the_state_at_rest_is_that_of_the_simulator():
    layer = varied("four_synapse", 3, 0)
    parameters = DpiParameters.of_values(layer.values(), model="four_synapse", dt=1e-3)
    wanted = DpiState.rest(parameters, 2)

    names = ("i_syn", "i_ahp", "i_mem", "v_mem", "spikes", "timer")
    for part, name in zip(layer.rest(2), names, strict=True):
        np.testing.assert_array_equal(part.numpy(), getattr(wanted, name))


def test_two_graphs_may_be_alive_before_the_backward_pass():
    layer = varied("merged_synapse", 4, 1, recurrent=True)
    first, second = draw(layer, 2, 30, seed=1), draw(layer, 2, 30, seed=2)
    up = torch.ones(2, 30, 4)
    apart = gradients(layer, first, up)[1], gradients(layer, second, up)[1]

    xs = [x.clone().requires_grad_() for x in (first, second)]
    outs = [layer(x) for x in xs]
    inputs = [*xs, layer.weight_rec]
    together = torch.autograd.grad(outs[0].sum() + outs[1].sum(), inputs)

    assert torch.equal(together[0], apart[0][0])
    assert torch.equal(together[1], apart[1][0])
    torch.testing.assert_close(together[2], apart[0][1] + apart[1][1])


def test_a_second_derivative_is_refused():
    layer = varied("merged_synapse", 2, 0)
    x = draw(layer, 1, 10).requires_grad_()

    with pytest.raises(SimulationError, match="first derivatives only"):
        torch.autograd.grad(layer(x).sum(), x, create_graph=True)


@pytest.mark.parametrize("shape", [(2, 0), (0, 5)])
@pytest.mark.parametrize("backend", ["kernel", "loop"])
def test_no_steps_or_no_samples_give_an_empty_output(shape, backend):
    layer = DPI(3, recurrent=True, backend=backend)
    x = torch.zeros(*shape, 3, requires_grad=True)

    out = layer(x)
    out.sum().backward()

    assert out.shape == (*shape, 3)
    assert x.grad.shape == x.shape
