import numpy as np
import pytest
import torch

from ranvier_loihi.nn import MeanOnlyBatchNorm, NeuronDropout, cuba, rf

PARAMS = {"threshold": 0.3, "current_decay": 0.5, "voltage_decay": 0.2}


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def spikes(*shape, rate=0.3, seed=0):
    return torch.from_numpy((np.random.default_rng(seed).random(shape) < rate).astype(np.float32))


def dz(value):
    """Divide by 4096 towards zero."""
    return value // 4096 if value >= 0 else -(-value // 4096)


def scalar_model(x, weight, loop, *, threshold, decay_u, decay_v):
    """Integers only: drive in 1/4096, weights in 1/64."""
    n = len(weight)
    u, v, before = [0] * n, [0] * n, [0] * n
    out = np.zeros((len(x), n), dtype=np.float32)
    for t, events in enumerate(x):
        now = []
        for i in range(n):
            drive = 64 * sum(int(w) for w, e in zip(weight[i], events, strict=True) if e)
            drive += 64 * sum(int(w) for w, s in zip(loop[i], before, strict=True) if s)
            u[i] = dz(u[i] * (4096 - decay_u)) + drive
            v[i] = dz(v[i] * (4096 - decay_v)) + u[i]
            now.append(int(v[i] > 64 * threshold))
            v[i] = 0 if now[i] else v[i]
        before = now
        out[t] = now
    return out


@pytest.mark.parametrize("decays", [(0.5, 0.2), (1.0, 0.0), (0.0, 1.0), (0.013, 0.37)])
def test_spikes_equal_a_scalar_integer_model(decays):
    params = {"threshold": 0.7, "current_decay": decays[0], "voltage_decay": decays[1]}
    block = cuba.Recurrent(params, 8, 6, weight_scale=3, delay_shift=False)
    x = spikes(1, 60, 8)

    out = block(x)[0].detach().numpy()

    codes = [
        np.rint(s.used_weight.detach().numpy() * 64).astype(int)
        for s in (block.synapse, block.recurrent_synapse)
    ]
    neuron = block.neuron.device_params()
    expected = scalar_model(
        x[0].numpy(),
        *codes,
        threshold=neuron["vThMant"],
        decay_u=neuron["iDecay"],
        decay_v=neuron["vDecay"],
    )
    np.testing.assert_array_equal(out, expected)
    assert 0 < out.sum() < out.size


def test_the_compiled_loop_equals_single_steps_of_the_neuron():
    block = cuba.Recurrent(PARAMS, 8, 6, weight_scale=3, delay_shift=False)
    x = spikes(3, 50, 8)

    out = block(x)

    block.neuron.persistent_state = True
    z, before, steps = block.synapse(x), torch.zeros(3, 1, 6), []
    for t in range(50):
        before = block.neuron(z[:, t : t + 1] + before @ block.feedback.t())
        steps.append(before)
    assert torch.equal(out, torch.cat(steps, dim=1))


class Surrogate(torch.autograd.Function):
    @staticmethod
    def forward(ctx, v, threshold):
        ctx.save_for_backward(v)
        ctx.threshold = threshold
        return (v > threshold).to(v.dtype)

    @staticmethod
    def backward(ctx, g):
        (v,) = ctx.saved_tensors
        width = 100 * ctx.threshold
        return g * 0.1 / (2 * width) * torch.exp(-(v - ctx.threshold).abs() / width), None


def differentiable_model(z, loop, decay_u, decay_v, *, threshold):
    """The same integers with autograd through time: rounding and reset have no gradient."""
    u, v, s = (torch.zeros(z.shape[0], z.shape[2], dtype=torch.float64) for _ in range(3))
    u_out, v_out, out = u, v, []
    for t in range(z.shape[1]):
        drive = z[:, t] + s @ loop.t()
        cu = leak(u, u_out, decay_u) + straight(drive)
        u, u_out = cu, cu
        cv = leak(v, v_out, decay_v) + u
        s = Surrogate.apply(cv, threshold)
        v, v_out = cv + (cv * (1 - s) - cv).detach(), cv
        out.append(s)
    return torch.stack(out, dim=1)


def straight(x):
    return x + (torch.trunc(4096 * x) / 4096 - x).detach()


def leak(state, out, decay):
    kept = straight(state * (1 - decay.detach() / 4096))
    return kept + (decay - decay.detach()) * out.detach()


def test_gradients_equal_autograd_through_time():
    params = PARAMS | {"requires_grad": True}
    block = cuba.Recurrent(params, 8, 6, weight_scale=3, delay_shift=False)
    x = spikes(2, 30, 8).requires_grad_()
    g = torch.rand(2, 30, 6)

    block(x).backward(g)

    weight, loop = (
        s.used_weight.detach().double().requires_grad_()
        for s in (block.synapse, block.recurrent_synapse)
    )
    decays = [
        torch.round(d.detach()).double().requires_grad_()
        for d in (block.neuron.current_decay, block.neuron.voltage_decay)
    ]
    again = x.detach().double().requires_grad_()
    threshold = block.neuron.threshold + 0.01 / 4096
    out = differentiable_model(again @ weight.t(), loop, *decays, threshold=threshold)
    out.backward(g.double())
    mine = (x, block.synapse.weight, block.recurrent_synapse.weight,
            block.neuron.current_decay, block.neuron.voltage_decay)  # fmt: skip
    for found, expected in zip(mine, (again, weight, loop, *decays), strict=True):
        # float32 sums over 30 steps and 6 neurons against float64
        torch.testing.assert_close(found.grad.double(), expected.grad, rtol=1e-4, atol=1e-7)


def test_the_loop_matters_and_every_weight_learns():
    block = cuba.Recurrent(PARAMS, 8, 6, weight_scale=3)
    x = spikes(2, 40, 8)
    out = block(x)

    out.sum().backward()
    block.recurrent_synapse.weight.data.zero_()

    assert not torch.equal(block(x), out)
    firing = out.detach().sum((0, 1)) > 0
    assert int(firing.sum()) >= 4
    assert bool((block.recurrent_synapse.weight.grad[:, firing] != 0).all())


def test_a_resonator_hears_real_and_imaginary_feedback():
    block = rf.Recurrent({"threshold": 0.3, "period": 8.0, "decay": 0.1}, 8, 6, weight_scale=3)
    x = spikes(2, 60, 8)
    out = block(x)
    out.sum().backward()

    block.recurrent_synapse.imag.weight.data.zero_()

    assert not torch.equal(block(x), out)
    assert bool((block.recurrent_synapse.real.weight.grad != 0).any())


def test_dropout_silences_a_neuron_for_the_whole_sample():
    block = cuba.Recurrent(PARAMS | {"dropout": NeuronDropout(0.5)}, 8, 20, weight_scale=3)
    x = spikes(1, 200, 8)

    dropped = block(x)
    out = block.eval()(x)

    silent = dropped[0].sum(0) == 0
    assert 2 < int(silent.sum()) < 18
    assert torch.equal(dropped[0][:, ~silent], 2 * out[0][:, ~silent])


def test_a_norm_runs_step_by_step():
    block = cuba.Recurrent(PARAMS | {"norm": MeanOnlyBatchNorm}, 8, 6, weight_scale=3)

    block(spikes(2, 20, 8)).sum().backward()

    assert bool((block.recurrent_synapse.weight.grad != 0).any())


def test_without_persistent_state_every_call_starts_from_rest():
    block = cuba.Recurrent(PARAMS, 8, 6, weight_scale=3)
    x = spikes(2, 40, 8)

    assert torch.equal(block(x), block(x))
