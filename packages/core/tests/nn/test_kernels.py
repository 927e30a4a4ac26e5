"""Kernels against the plain loop: equal spikes, gradients within 1e-5."""

import gc
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

import ranvier.nn as rnn
from ranvier.errors import GraphError, InputError, SimulationError

SURROGATES = (
    rnn.Window(0.5),
    rnn.PiecewiseLinear(0.5),
    rnn.PeriodicExponential(0.5),
    rnn.FastSigmoid(25.0),
    rnn.Sigmoid(8.0),
    rnn.Arctan(2.0),
)


def use(net, backend):
    for module in net.modules():
        if isinstance(module, rnn.LifFamily):
            module.backend = backend


def run(net, x, backend, dtype=torch.float32):
    """Output, input gradient, parameter gradients and final states for a random output gradient."""
    use(net, backend)
    net.to(dtype)
    net.zero_grad()
    x = x.to(dtype, copy=True).requires_grad_()
    y = net(x)
    direction = torch.randn(y.shape, generator=torch.Generator().manual_seed(1)).to(dtype)
    (y * direction).sum().backward()
    layers = [m for m in net.modules() if isinstance(m, rnn.LifFamily)]
    states = [part for m in layers for part in m.state]
    grads = {name: p.grad.clone() for name, p in net.named_parameters()}
    net.to(torch.float32)
    return y.detach(), x.grad, grads, states


def decided(net, x):
    """Return the samples in which rounding decides nothing.

    Kernels and loop add in different orders: membranes of recurrent layers differ by up to a few
    1e-6. Where one lies within 1e-5 of the threshold or of the edge of a surrogate, one side may
    count a spike or a derivative that the other does not.
    """
    use(net, "loop")
    with torch.no_grad():
        _, traces = net(x, record=True)
    close = torch.zeros(len(x), dtype=torch.bool)
    modules = {n: m for n, m in net.named_modules() if isinstance(m, rnn.LifFamily) and m.spiking}
    for name, module in modules.items():
        seen = traces[name]
        before = seen.membrane + seen.spikes * module.threshold  # as it was before the reset
        if module.reset == "to_value":
            before = torch.where(seen.spikes > 0, torch.inf, seen.membrane)
        distance = (before - module.threshold).abs()
        near = torch.minimum(distance, (distance - module.surrogate.margin).abs()) < 1e-5
        close |= near.flatten(1).any(1)
    return x[~close]


def assert_same(net, x):
    """Compare the kernels with the loop: spikes exactly, gradients with the loop in float64.

    The gradient of a scalar sums thousands of terms that nearly cancel; the scale of its error
    is that of the float32 loop, which is allowed for where it exceeds 1e-5. Where all terms, of
    order one, cancel, what is left of them is rounding: 1e-6.
    """
    x = decided(net, x)
    assert len(x), "rounding decides all samples"
    y, gx, grads, states = run(net, x, "auto")
    y_loop, gx_loop, grads_loop, states_loop = run(net, x, "loop")
    torch.testing.assert_close(y, y_loop, rtol=1e-5, atol=1e-6)
    spiking = [m for m in net.modules() if isinstance(m, rnn.LifFamily)][-1].spiking
    if spiking:
        assert torch.equal(y, y_loop)
    for found, expected in zip(states, states_loop, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    assert float((gx - gx_loop).norm()) <= 1e-5 * float(gx_loop.norm())
    precise = None
    for name, expected in grads_loop.items():
        error = float((grads[name] - expected).norm())
        if error > 1e-5 * float(expected.norm()):
            precise = precise or run(net, x, "loop", torch.float64)[2]
            own = float((grads[name] - precise[name]).norm())
            loop = float((expected - precise[name]).norm())
            assert own <= max(1e-5 * float(precise[name].norm()), 3.0 * loop, 1e-6), name


def layer_net(surrogate=None, n=17, **options):
    torch.manual_seed(0)
    settings_of_layer = {"tau_mem": 10e-3, "tau_syn": 5e-3} | options
    return rnn.Sequential(
        rnn.CubaLIF(
            n,
            surrogate=surrogate,
            threshold=torch.linspace(0.8, 1.3, n),
            train_tau=True,
            train_threshold=True,
            train_bias=True,
            **settings_of_layer,
        )
    )


@pytest.mark.parametrize("surrogate", SURROGATES, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("max_spikes", [1, 3, None])
def test_layer_kernel_equals_the_loop_for_every_surrogate(surrogate, max_spikes):
    net = layer_net(surrogate, max_spikes=max_spikes)

    assert_same(net, torch.randn(3, 60, 17) * 0.5)


@settings(max_examples=25, deadline=None)
@given(
    n=st.sampled_from([1, 16, 17, 33]),
    batch=st.integers(1, 3),
    steps=st.sampled_from([1, 2, 25]),
    synapses=st.integers(1, 3),
    reset=st.sampled_from(["subtract", "to_value"]),
    comparison=st.sampled_from([">=", ">"]),
    decay=st.sampled_from(["exponential", "euler", "bitshift"]),
    recurrent=st.booleans(),
)
def test_layer_kernels_equal_the_loop_for_every_shape(
    n, batch, steps, synapses, reset, comparison, decay, recurrent
):
    net = layer_net(
        n=n,
        n_synapses=synapses,
        reset=reset,
        comparison=comparison,
        decay=decay,
        recurrent=recurrent,
        v_rest=0.1,
    )

    assert_same(net, torch.randn(batch, steps, n * synapses) * 0.4)


def chain_net(latency=0, *, synapses=1, surrogate=None, reset="subtract", readout=rnn.LIF):
    torch.manual_seed(0)
    options = {
        "surrogate": surrogate,
        "reset": reset,
        "tau_mem": 10e-3,
        "tau_syn": 5e-3,
        "n_synapses": synapses,
    }
    return rnn.Sequential(
        rnn.Linear(70, 61 * synapses, bias=True),
        rnn.CubaLIF(61, train_threshold=True, train_bias=True, **options),
        rnn.Linear(61, 53 * synapses),
        rnn.CubaLIF(53, recurrent=True, train_tau=True, train_threshold=True, **options),
        rnn.Linear(53, 5, bias=True),
        readout(5, tau_mem=10e-3, train_tau=True),
        latency=latency,
    )


@pytest.mark.parametrize("latency", [0, 1])
@pytest.mark.parametrize("reset", ["subtract", "to_value"])
@pytest.mark.parametrize("rate", [0.0, 0.02, 0.4])
def test_event_kernels_equal_the_loop_from_silent_to_dense(latency, reset, rate):
    net = chain_net(latency, reset=reset)

    assert_same(net, (torch.rand(3, 40, 70) < rate).float())


@pytest.mark.parametrize("batch", [1, 35])
@pytest.mark.parametrize("steps", [1, 30])
def test_event_kernels_equal_the_loop_for_one_sample_one_step_and_many(batch, steps):
    assert_same(chain_net(), (torch.rand(batch, steps, 70) < 0.1).float())


@pytest.mark.parametrize("surrogate", [rnn.Window(0.3), rnn.PiecewiseLinear(0.5)], ids=str)
@pytest.mark.parametrize("readout", [rnn.LIF, rnn.LI])
def test_event_kernels_equal_the_loop_with_several_synapses(surrogate, readout):
    net = chain_net(synapses=2, surrogate=surrogate, readout=readout)

    assert_same(net, (torch.rand(3, 40, 70) < 0.1).float())


def test_event_kernels_take_counts_and_real_numbers():
    x = torch.rand(2, 30, 70) * (torch.rand(2, 30, 70) < 0.1) * 3.0

    assert_same(chain_net(), x)


def test_a_hidden_layer_that_fires_densely_is_multiplied_densely_with_equal_results():
    net = chain_net()
    with torch.no_grad():
        net[1].bias.fill_(0.4)
        net[3].bias = torch.tensor(0.3)

    assert_same(net, (torch.rand(3, 40, 70) < 0.1).float())

    with torch.no_grad():
        _, traces = net(torch.zeros(1, 40, 70), record=True)
    assert float(traces["1"].spikes.mean()) > 0.25


def test_small_layers_in_a_chain_equal_the_loop():
    torch.manual_seed(0)
    net = rnn.Sequential(
        rnn.Linear(16, 24), rnn.CubaLIF(24), rnn.Linear(24, 1), rnn.CubaLIF(1), latency=1
    )

    assert_same(net, (torch.rand(4, 50, 16) < 0.2).float())


def small_net(latency=0, readout=rnn.LIF, **options):
    torch.manual_seed(0)
    return rnn.Sequential(
        rnn.Linear(16, 24, bias=True),
        rnn.CubaLIF(24, tau_mem=10e-3, tau_syn=5e-3, **options),
        rnn.Linear(24, 18),
        rnn.CubaLIF(18, tau_mem=10e-3, tau_syn=5e-3, **options),
        rnn.Linear(18, 5, bias=True),
        readout(5, tau_mem=10e-3, train_bias=True),
        latency=latency,
    )


@pytest.mark.parametrize("surrogate", SURROGATES, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"max_spikes": 3},
        {"reset": "to_value"},
        {"train_tau": True},
        {"train_threshold": True},
        {"train_bias": True, "v_rest": 0.1},
    ],
    ids=str,
)
def test_small_layers_in_one_node_equal_the_loop(surrogate, options):
    net = small_net(surrogate=surrogate, **options)

    assert_same(net, torch.randn(3, 40, 16))


@pytest.mark.parametrize("latency", [0, 1])
@pytest.mark.parametrize("readout", [rnn.LIF, rnn.LI, rnn.CubaLI])
def test_small_layers_before_a_readout_equal_the_loop(latency, readout):
    assert_same(small_net(latency, readout), torch.randn(3, 40, 16))


def test_small_layers_leave_their_input_and_the_gradient_of_their_output_as_they_were():
    net = small_net()
    x = torch.randn(2, 30, 16).requires_grad_()
    before = x.detach().clone()
    y = net(x)
    direction = torch.randn(y.shape)
    kept = direction.clone()

    y.backward(direction)

    assert torch.equal(x, before)
    assert torch.equal(direction, kept)


def test_frozen_first_layers_of_a_small_net_get_no_gradient_and_the_last_the_same():
    net, x = small_net(), torch.randn(2, 30, 16)
    net(x).sum().backward()
    expected = net[4].weight.grad.clone()
    net.zero_grad()
    net[0].requires_grad_(False)
    net[2].requires_grad_(False)

    net(x).sum().backward()

    assert net[0].weight.grad is None
    assert torch.equal(net[4].weight.grad, expected)


def test_small_layers_run_in_chunks_equal_one_run():
    whole, chunks = at_once_and_in_chunks(small_net(), 16)

    assert torch.equal(chunks, whole)


def test_small_layers_refuse_a_state_of_another_batch():
    net = small_net()
    net[1].stateful = True
    net(torch.randn(2, 5, 16))

    with pytest.raises(InputError, match="call reset_state"):
        net(torch.randn(3, 5, 16))


@pytest.mark.parametrize(("make", "n"), [(chain_net, 70), (small_net, 16)], ids=["chain", "small"])
def test_two_live_graphs_do_not_share_their_buffers(make, n):
    net = make()
    first = (torch.rand(2, 30, n) < 0.2).float()
    second = (torch.rand(2, 30, n) < 0.2).float()
    expected = [run(net, x, "auto")[2] for x in (first, second)]

    net.zero_grad()
    x1, x2 = first.clone().requires_grad_(), second.clone().requires_grad_()
    y1, y2 = net(x1), net(x2)
    found = []
    for y in (y1, y2):
        net.zero_grad()
        direction = torch.randn(y.shape, generator=torch.Generator().manual_seed(1))
        (y * direction).sum().backward()
        found.append({name: p.grad.clone() for name, p in net.named_parameters()})

    for grads, wanted in zip(found, expected, strict=True):
        for name, gradient in grads.items():
            assert torch.equal(gradient, wanted[name])


@pytest.mark.parametrize(("make", "n"), [(chain_net, 70), (small_net, 16)], ids=["chain", "small"])
def test_backward_twice_gives_the_same_gradients_with_a_retained_graph(make, n):
    net = make()
    y = net((torch.rand(2, 30, n) < 0.2).float()).sum()

    y.backward(retain_graph=True)
    once = net[0].weight.grad.clone()
    y.backward()

    assert torch.equal(net[0].weight.grad, 2.0 * once)


@pytest.mark.parametrize("make", [layer_net, chain_net], ids=["layer", "chain"])
def test_double_backward_raises(make):
    net = make()
    x = torch.rand(1, 10, 17 if make is layer_net else 70).requires_grad_()

    with pytest.raises(SimulationError, match="set backend='loop'"):
        torch.autograd.grad(net(x).sum(), x, create_graph=True)


@pytest.mark.parametrize(("make", "n"), [(chain_net, 70), (small_net, 16)], ids=["chain", "small"])
def test_weights_changed_between_forward_and_backward_are_detected(make, n):
    net = make()
    y = net((torch.rand(1, 10, n) < 0.2).float())
    with torch.no_grad():
        net[2].weight.add_(1.0)

    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def at_once_and_in_chunks(net, n=70):
    x = (torch.rand(2, 40, n) < 0.1).float()
    whole = net(x).detach()
    for module in net:
        if isinstance(module, rnn.LifFamily):
            module.stateful = True

    net.reset_state()
    parts = [net(part).detach() for part in x.split(13, 1)]
    return whole, torch.cat(parts, 1)


def test_a_layer_run_in_chunks_equals_one_run():
    whole, chunks = at_once_and_in_chunks(chain_net())

    assert torch.equal(chunks, whole)


def test_chunks_equal_one_run_with_spikes_under_way():
    whole, chunks = at_once_and_in_chunks(chain_net(latency=1))

    assert torch.equal(chunks, whole)


def test_recorded_traces_of_kernels_equal_those_of_the_loop():
    net = chain_net()
    x = (torch.rand(2, 30, 70) < 0.1).float()
    with torch.no_grad():
        _, fast = net(x, record=True)
        use(net, "loop")
        _, slow = net(x, record=True)

    for name, layer in slow.items():
        assert torch.equal(fast[name].spikes, layer.spikes)
        torch.testing.assert_close(fast[name].membrane, layer.membrane, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(fast[name].current, layer.current, rtol=1e-5, atol=1e-5)


def test_inputs_that_are_not_contiguous_are_read_correctly():
    net = chain_net()
    x = (torch.rand(40, 2, 70) < 0.1).float().transpose(0, 1)

    assert_same(net, x)


def test_other_types_and_refractory_neurons_fall_back_to_the_loop():
    layer = rnn.LIF(3, refractory=3e-3)

    assert layer(torch.ones(1, 20, 3)).shape == (1, 20, 3)
    assert rnn.LIF(3).double()(torch.ones(1, 20, 3).double()).dtype == torch.float64


@pytest.mark.parametrize(
    ("layer", "x", "reason"),
    [
        (rnn.LIF(3, refractory=3e-3, backend="kernel"), torch.ones(1, 5, 3), "refractory"),
        (rnn.LIF(3, backend="kernel"), torch.ones(1, 5, 3).double(), "float32"),
    ],
)
def test_a_kernel_that_does_not_apply_says_why(layer, x, reason):
    with pytest.raises(GraphError, match=reason):
        layer.to(x.dtype)(x)


def test_denormal_handling_of_the_caller_is_left_as_it_was():
    tiny = torch.tensor(1e-40)
    layer_net()(torch.randn(1, 5, 17)).sum().backward()

    assert float(tiny * 1.0) > 0.0


def test_nothing_is_kept_when_no_gradient_is_wanted():
    net = chain_net()
    with torch.no_grad():
        y = net((torch.rand(1, 10, 70) < 0.1).float())
    gc.collect()

    assert y.grad_fn is None


def exploding_net(readout, n_synapses=1):
    """Recurrent, reset to a value: every step multiplies gradients by how far it jumps."""
    torch.manual_seed(0)
    options = {"surrogate": rnn.PiecewiseLinear(0.5), "reset": "to_value", "tau_mem": 10e-3}
    return rnn.Sequential(
        rnn.Linear(70, 61 * n_synapses, bias=True),
        rnn.CubaLIF(61, tau_syn=5e-3, n_synapses=n_synapses, train_threshold=True, **options),
        rnn.Linear(61, 53),
        rnn.CubaLIF(53, tau_syn=5e-3, recurrent=True, train_tau=True, **options),
        rnn.Linear(53, 5, bias=True),
        readout(5, tau_mem=10e-3, train_tau=True),
    )


@pytest.mark.parametrize("readout", [rnn.LI, rnn.CubaLI])
@pytest.mark.parametrize("n_synapses", [1, 2])
def test_growing_gradients_equal_the_loop_while_they_are_finite(readout, n_synapses):
    net = exploding_net(readout, n_synapses)
    x = (torch.rand(3, 12, 70) < 0.05).float()

    assert_same(net, x)


@pytest.mark.parametrize("readout", [rnn.LI, rnn.CubaLI])
def test_gradients_that_overflow_are_infinite_only_where_the_loop_is_not_finite(readout):
    net = exploding_net(readout)
    x = (torch.rand(3, 60, 70) < 0.2).float()

    y, gx, grads, _ = run(net, x, "auto")
    y_loop, gx_loop, grads_loop, _ = run(net, x, "loop")

    torch.testing.assert_close(y, y_loop, rtol=1e-5, atol=1e-5)
    assert not bool(gx_loop.isfinite().all())
    pairs = [(gx, gx_loop), *((grads[name], grads_loop[name]) for name in grads)]
    for found, expected in pairs:
        assert not bool((~found.isfinite() & expected.isfinite()).any())
        both = expected.isfinite()
        error = (found[both].double() - expected[both].double()).norm()
        assert float(error) <= 1e-4 * float(expected[both].double().norm())


@pytest.mark.parametrize("rate", [0.05, 0.4])
@pytest.mark.parametrize("reset", ["subtract", "to_value"])
@pytest.mark.parametrize("synapses", [1, 2])
def test_no_buffer_is_read_before_it_is_written(monkeypatch, rate, reset, synapses):
    net = chain_net(1, synapses=synapses, reset=reset)
    x = (torch.rand(3, 30, 70) < rate).float()
    dense, small = layer_net(max_spikes=3), small_net(reset=reset)
    runs = [(net, x), (dense, x[..., :17]), (small, 2.0 * x[..., :16])]
    torch.manual_seed(0)
    wide = rnn.Sequential(  # its rows are wider than its neurons, which spares cache conflicts
        rnn.Linear(20, 512), rnn.CubaLIF(512, recurrent=True), rnn.Linear(512, 60), rnn.CubaLIF(60)
    )
    with torch.no_grad():
        wide[1].weight_rec *= 0.2
    runs.append((wide, (torch.rand(5, 12, 20) < 0.2).float()))
    expected = [run(*arguments, "auto") for arguments in runs]
    empty, empty_tensor = np.empty, torch.empty

    def poisoned(*arguments, **options):
        array = empty(*arguments, **options)
        array.fill(np.nan if array.dtype.kind == "f" else 3)
        return array

    monkeypatch.setattr(np, "empty", poisoned)
    monkeypatch.setattr(
        torch, "empty", lambda *shape, **options: empty_tensor(*shape, **options).fill_(math.nan)
    )
    found = [run(*arguments, "auto") for arguments in runs]

    for (y, gx, grads, states), (y0, gx0, grads0, states0) in zip(found, expected, strict=True):
        assert torch.equal(y, y0)
        assert torch.equal(gx, gx0)
        assert all(torch.equal(grads[name], grads0[name]) for name in grads)
        assert all(torch.equal(a, b) for a, b in zip(states, states0, strict=True))


def test_networks_with_more_channels_than_sixteen_bits_equal_the_loop():
    torch.manual_seed(0)
    net = rnn.Sequential(rnn.Linear(70_000, 5), rnn.CubaLIF(5), rnn.Linear(5, 60), rnn.CubaLIF(60))

    assert_same(net, (torch.rand(1, 4, 70_000) < 0.001).float())


def test_rows_that_end_within_a_block_of_columns_equal_the_loop():
    torch.manual_seed(0)
    net = rnn.Sequential(
        rnn.Linear(40, 256),
        rnn.CubaLIF(256, recurrent=True),
        rnn.Linear(256, 100),
        rnn.CubaLIF(100),
    )

    assert_same(net, (torch.rand(18, 20, 40) < 0.1).float())
