import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as f

import ranvier.nn as rnn
from ranvier.errors import GraphError, InputError, SimulationError
from ranvier_loihi.nn._cuba import Cuba
from ranvier_loihi.nn._dropout import NeuronDropout
from ranvier_loihi.nn._norm import MeanOnlyBatchNorm
from ranvier_loihi.nn._quantize import quantize_8bit

plain = runpy.run_path(str(Path(__file__).parent / "plain_cuba.py"))
scalar_layer, plain_cuba, loop_cuba = (
    plain[name] for name in ("scalar_layer", "plain_cuba", "loop_cuba")
)


def spikes_of(seed, batch, time, n, p=0.2):
    g = torch.Generator().manual_seed(seed)
    return (torch.rand(batch, time, n, generator=g) < p).float()


def floats(seed, *shape, size=1.0):
    return size * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def neuron(shape=None, threshold=0.5, current_decay=0.3, voltage_decay=0.1, **options):
    return Cuba(
        shape, threshold=threshold, current_decay=current_decay, voltage_decay=voltage_decay,
        **options,
    )  # fmt: skip


def in_units(codes):
    """Give integers as the float32 values that a state is shown as."""
    return codes.astype(np.float32) / np.float32(4096)


def close(a, b):
    scale = float(b.abs().max()) or 1.0
    torch.testing.assert_close(a.double(), b.double(), rtol=1e-5, atol=1e-5 * scale)


CASES = [
    (du, dv, th, size)
    for du in (0, 1, 1229, 4095, 4096)
    for dv in (0, 410, 4095, 4096)
    for th in (0, 6, 64, 2000)
    for size in (0.3, 8.0)
]


@pytest.mark.parametrize(("du", "dv", "th", "size"), CASES)
def test_every_state_and_spike_equals_the_scalar_integers(du, dv, th, size):
    z = floats(du + 7 * dv + th, 1, 60, 3, size=size)
    cell = neuron(3, threshold=th / 64, current_decay=du / 4096, voltage_decay=dv / 4096)
    u, v, s = scalar_layer(z[0].numpy(), [du] * 3, [dv] * 3, th)
    current, voltage = cell.membrane(z)
    np.testing.assert_array_equal(current[0].detach().numpy(), in_units(u))
    np.testing.assert_array_equal(voltage[0].detach().numpy(), in_units(v))
    np.testing.assert_array_equal(cell(z)[0].numpy(), s)


@pytest.mark.parametrize("seed", range(40))
def test_random_layers_behind_weights_equal_the_scalar_integers(seed):
    rng = np.random.default_rng(seed)
    n_in, n, time = (int(rng.integers(1, high)) for high in (20, 12, 80))
    x = spikes_of(seed, 2, time, n_in, p=float(rng.uniform(0, 0.6)))
    w = quantize_8bit(floats(seed, n, n_in, size=float(rng.choice([0.2, 1.0, 5.0]))))
    th = int(rng.integers(0, 200))
    cell = neuron(
        n, threshold=th / 64, shared_param=False, current_decay=(0.0, 1.0),
        voltage_decay=(0.0, 1.0), seed=seed,
    )  # fmt: skip
    decays = [np.rint(p.detach().numpy()) for p in (cell.current_decay, cell.voltage_decay)]
    found = cell.run_dense(x, w)
    for b in range(2):
        z = (x[b].double() @ w.double().T).float().numpy()
        np.testing.assert_array_equal(found[b].numpy(), scalar_layer(z, *decays, th)[2])


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 4), (3, 1, 1), (2, 30, 5)])
@pytest.mark.parametrize("graded", [False, True])
@pytest.mark.parametrize("dense", [False, True])
def test_gradients_equal_those_of_a_plain_reverse_loop(shape, graded, dense):
    batch, time, n = shape
    cell = neuron(n, requires_grad=True, graded_spike=graded, tau_grad=0.02, scale_grad=3.0)
    x = spikes_of(1, batch, time, 6, p=0.3).requires_grad_()
    w = quantize_8bit(floats(2, n, 6)).requires_grad_()
    g = floats(3, *shape)
    out = cell.run_dense(x, w) if dense else cell(f.linear(x, w))
    out.backward(g)
    x2, w2 = (a.detach().double().requires_grad_() for a in (x, w))
    d = [torch.tensor([value]).double().requires_grad_() for value in (1229.0, 410.0)]
    cell.current_decay.data.fill_(1229)
    want = plain_cuba(
        f.linear(x2, w2), *d, cell.threshold, tau_grad=0.02, scale_grad=3.0, graded=graded
    )
    want.backward(g.double())
    torch.testing.assert_close(out.double(), want, rtol=0, atol=0)
    for a, b in [
        (x.grad, x2.grad), (w.grad, w2.grad), (cell.current_decay.grad, d[0].grad),
        (cell.voltage_decay.grad, d[1].grad),
    ]:  # fmt: skip
        close(a, b)


def test_the_gradient_equals_that_of_autograd_through_a_loop_that_ignores_the_reset():
    cell = neuron(3, threshold=0.1)
    z, g = floats(0, 2, 40, 3).requires_grad_(), floats(1, 2, 40, 3)
    out = cell(z)
    out.backward(g)
    z2 = z.detach().double().requires_grad_()
    want = loop_cuba(z2, cell.current_decay, cell.voltage_decay, cell.threshold)
    want.backward(g.double())
    torch.testing.assert_close(out.double(), want, rtol=0, atol=0)
    close(z.grad, z2.grad)


def test_decay_gradients_are_summed_per_channel():
    cell = neuron((2, 3), shared_param=False, requires_grad=True, tau_grad=0.02)
    z = floats(0, 2, 40, 2, 3)
    g = floats(1, 2, 40, 2, 3)
    cell(z).backward(g)
    want = []
    for name in ("current_decay", "voltage_decay"):
        values = getattr(cell, name).detach().double().repeat_interleave(3)
        want.append(values.requires_grad_())
    out = plain_cuba(z.double().flatten(2), *want, cell.threshold, tau_grad=0.02)
    out.backward(g.double().flatten(2))
    close(cell.current_decay.grad, want[0].grad.view(2, 3).sum(1))
    close(cell.voltage_decay.grad, want[1].grad.view(2, 3).sum(1))


def test_the_path_with_states_has_the_gradients_of_the_fused_one():
    z = floats(5, 2, 50, 4).requires_grad_()
    fused, split = neuron(4, requires_grad=True), neuron(4, requires_grad=True)
    split.norm = torch.nn.Identity()
    g = floats(6, 2, 50, 4)
    a, b = fused(z), split(z)
    assert torch.equal(a, b)
    first = torch.autograd.grad(a, [z, fused.current_decay, fused.voltage_decay], g)
    second = torch.autograd.grad(b, [z, split.current_decay, split.voltage_decay], g)
    for x, y in zip(first, second, strict=True):
        close(x, y)


@pytest.mark.parametrize("threshold", [0.0, 0.1, 33.0, 1500.0])
def test_a_voltage_at_the_threshold_does_not_fire_and_one_above_it_does(threshold):
    cell = neuron(1, threshold=threshold, current_decay=1.0, voltage_decay=1.0)
    at = cell.threshold
    z = torch.tensor([at, at + 1 / 4096, at - 1 / 4096]).view(1, 3, 1)
    assert cell(z).flatten().tolist() == [0, 1, 0]


def test_the_threshold_is_cut_to_the_grid():
    assert neuron(threshold=0.1).threshold == 6 / 64
    assert neuron(threshold=0.1).device_params()["vThMant"] == 6


@pytest.mark.parametrize("threshold", [None, -1.0])
def test_without_a_threshold_nothing_spikes_and_nothing_is_reset(threshold):
    cell = neuron(1, threshold=threshold, current_decay=1.0, voltage_decay=0.0)
    z = torch.ones(1, 5, 1)
    assert not cell(z).any()
    assert cell.membrane(z)[1].flatten().tolist() == [1, 2, 3, 4, 5]


def test_a_zero_threshold_fires_above_zero_and_has_no_gradient():
    cell = neuron(2, threshold=0.0)
    z = floats(0, 1, 20, 2).requires_grad_()
    cell(z).sum().backward()
    assert not z.grad.any()


def test_a_silent_layer_stays_silent_and_finite():
    cell = neuron(3, requires_grad=True)
    w = torch.zeros(3, 2, requires_grad=True)
    out = cell.run_dense(torch.zeros(1, 10, 2), w)
    out.sum().backward()
    assert not out.any()
    assert not w.grad.any()
    assert not cell.current_decay.grad.any()


@pytest.mark.parametrize("cuts", [[50], [1] * 50, [20, 1, 29]])
@pytest.mark.parametrize("dense", [False, True])
def test_persistent_chunks_equal_one_run_also_while_training(cuts, dense):
    x, w = spikes_of(3, 2, 50, 6), quantize_8bit(floats(4, 4, 6)).requires_grad_()
    call = "run_dense" if dense else "forward"
    whole, parts = neuron(4), neuron(4, persistent_state=True)
    want = whole.run_dense(x, w)
    chunks = []
    for chunk in x.split(cuts, dim=1):
        given = (chunk, w) if dense else (f.linear(chunk, w),)
        chunks.append(getattr(parts, call)(*given))
    out = torch.cat(chunks, dim=1)
    assert torch.equal(out, want)
    out.sum().backward()
    assert torch.isfinite(w.grad).all()


def test_a_state_is_forgotten_on_reset_and_on_another_batch_size():
    cell = neuron(2, persistent_state=True)
    z = floats(1, 1, 30, 2, size=0.1).abs()
    first = cell(z)
    assert not torch.equal(cell(z), first)
    cell.reset_state()
    assert torch.equal(cell(z), first)
    assert torch.equal(cell(z.expand(2, -1, -1))[0], first[0])


def test_states_beyond_24_bits_are_counted_and_not_wrapped():
    cell = neuron(1, threshold=None, current_decay=0.0, voltage_decay=1.0)
    z = torch.full((1, 3, 1), 1024.0)
    assert cell.membrane(z)[0].flatten().tolist() == [1024, 2048, 3072]
    assert cell.overflow == 4
    cell(z)
    assert cell.overflow == 2
    cell(torch.zeros(1, 3, 1))
    assert cell.overflow == 0


def test_inputs_that_are_not_binary_take_the_float_product():
    x = floats(0, 1, 20, 3)
    w = quantize_8bit(floats(1, 2, 3))
    cell = neuron(2)
    assert torch.equal(cell.run_dense(x, w), cell(f.linear(x, w)))


def test_two_graphs_may_live_at_once():
    cell = neuron(3, requires_grad=True)
    z1, z2 = (floats(s, 1, 20, 3).requires_grad_() for s in (1, 2))
    a, b = cell(z1), cell(z2)
    b.sum().backward()
    alone = z2.grad.clone()
    a.sum().backward()
    z3 = z2.detach().clone().requires_grad_()
    cell(z3).sum().backward()
    assert torch.equal(z3.grad, alone)
    assert z1.grad.any()


def test_a_second_derivative_is_refused():
    z = floats(1, 1, 10, 2).requires_grad_()
    with pytest.raises(SimulationError, match="create_graph"):
        torch.autograd.grad(neuron(2)(z).sum(), z, create_graph=True)


def test_decays_round_half_to_even_and_are_clamped():
    cell = neuron(requires_grad=True)
    for value, code in [(2.5, 2), (3.5, 4), (-3.0, 0), (5000.0, 4096)]:
        cell.current_decay.data.fill_(value)
        assert cell.device_params()["iDecay"] == code
    cell(torch.zeros(1, 1, 1))
    assert cell.current_decay.tolist() == [4096.0]


def test_decays_per_channel_are_drawn_from_the_seed():
    a, b = (neuron((4, 2), shared_param=False, seed=5) for _ in range(2))
    assert torch.equal(a.current_decay, b.current_decay)
    assert a.current_decay.shape == (4,)
    assert (a.current_decay / 4096 - 0.3).abs().max() <= 0.0031
    assert len(set(a.current_decay.tolist())) == 4
    assert a.device_params()["iDecay"].shape == (4,)
    other = neuron((4, 2), shared_param=False, seed=6)
    assert not torch.equal(a.current_decay, other.current_decay)


def test_norm_acts_between_current_and_voltage():
    cell = neuron(2, norm=MeanOnlyBatchNorm(2), current_decay=1.0)
    z = torch.full((1, 10, 2), 0.5)
    assert not cell(z).any()
    cell.eval()
    cell.norm.running_mean.zero_()
    assert torch.equal(cell(z), neuron(2, current_decay=1.0)(z))


def test_dropout_silences_whole_neurons_in_training_only():
    torch.manual_seed(0)
    cell = neuron(40, dropout=NeuronDropout(0.5), threshold=0.1)
    z = torch.ones(1, 20, 40)
    active = cell(z)[0].amax(0)
    assert set(active.tolist()) == {0.0, 2.0}
    cell.eval()
    assert cell(z)[0].amax(0).tolist() == [1.0] * 40


def test_gradients_can_be_monitored():
    net = torch.nn.ModuleDict({"hidden": neuron(3, requires_grad=True)})
    with rnn.monitor_gradients(net) as gradients:
        net["hidden"](floats(0, 1, 30, 3)).sum().backward()
    assert set(gradients.norms) == {"hidden.current_decay", "hidden.voltage_decay"}
    assert gradients.layers()["hidden"] > 0
    assert gradients.vanished() == []


def test_what_a_file_keeps_is_known_without_a_forward():
    found = neuron(3, threshold=1.0, current_decay=1.0, voltage_decay=0.25).device_params()
    assert found == {
        "type": "CUBA", "iDecay": 4096, "vDecay": 1024, "vThMant": 64, "refDelay": 1,
        "gradedSpike": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shape": 0}, "shape is 0"),
        ({"current_decay": 1.5}, "current_decay is 1.5"),
        ({"current_decay": (0.1, 0.2)}, "shared_param=False"),
        ({"shared_param": False}, "shape is None"),
        ({"threshold": float("nan")}, "threshold is nan"),
        ({"scale": 0}, "scale is 0"),
    ],
)
def test_impossible_neurons_are_refused(options, message):
    with pytest.raises(GraphError, match=message):
        neuron(**options)


def test_an_input_of_another_shape_is_refused():
    with pytest.raises(InputError, match=r"\(1, 5, 2\)"):
        neuron(3)(torch.zeros(1, 5, 2))
    with pytest.raises(InputError, match="do not fit"):
        neuron(3).run_dense(torch.zeros(1, 5, 2), torch.zeros(3, 4))


@pytest.mark.parametrize("call", ["forward", "run_dense"])
def test_an_input_on_another_device_is_refused(call):
    x = torch.zeros(1, 5, 3, device="meta")
    with pytest.raises(InputError, match=r"'meta'.*\.cpu"):
        getattr(neuron(3), call)(x, *([torch.zeros(3, 3)] if call == "run_dense" else []))


def test_a_copy_of_a_trained_neuron_has_its_parameters_and_no_state():
    cell = neuron((2, 3), shared_param=False, persistent_state=True, seed=3)
    cell(floats(0, 1, 10, 2, 3))
    other = neuron((2, 3), shared_param=False, persistent_state=True)
    other.load_state_dict(cell.state_dict())
    assert list(cell.state_dict()) == ["current_decay", "voltage_decay"]
    z = floats(1, 1, 30, 2, 3)
    cell.reset_state()
    assert torch.equal(cell(z), other(z))
