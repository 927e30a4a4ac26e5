import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from ranvier.errors import InputError, SimulationError
from ranvier_bss2.nn.functional import aelif, eventprop_lif
from ranvier_bss2.numerics import NeuronParameters

layers = runpy.run_path(str(Path(__file__).with_name("layers.py")))
make, draw, LIF, LI, US = (layers[name] for name in ("make", "draw", "LIF", "LI", "US"))


def draw_synapses(batch=4, time=40, n_in=7, n=9):
    spikes = (draw((batch, time, n_in), 1, mean=0, spread=1) > 1.3).float()
    weight = draw((n, n_in), 2, mean=0.25, spread=0.6)
    return spikes, weight


def plain_adjoint(s, w, z, i, gz, p):
    """Go back one step at a time; in float32, for small differences amplify rounding."""
    leak, threshold, reset, tau_mem, tau_syn = (
        p.values[k] for k in ("leak", "threshold", "reset", "tau_mem", "tau_syn")
    )
    dt = np.float32(p.dt)
    lam_v, lam_i = np.zeros_like(z), np.zeros_like(z)
    for t in range(z.shape[1] - 1, 0, -1):
        dm, dp = leak - threshold + i[:, t - 1], leak - reset + i[:, t - 1]
        lam_i[:, t - 1] = lam_i[:, t] + dt / tau_syn * (lam_v[:, t] - lam_i[:, t])
        b = lam_v[:, t] * (1 - dt / tau_mem)
        with np.errstate(divide="ignore", invalid="ignore"):
            jump = np.nan_to_num(z[:, t] * dp / dm, nan=0, posinf=0, neginf=0)
            kick = np.nan_to_num(z[:, t] / dm * gz[:, t], nan=0, posinf=0, neginf=0)
        lam_v[:, t - 1] = (1 - z[:, t]) * b + jump * b + kick
    return tau_syn[:, None] * np.einsum("btn,btm->nm", lam_i, s), (lam_v - lam_i) @ w


def run_backward(spikes, weight, parameters, gz, **seen):
    spikes, weight = spikes.clone().requires_grad_(), weight.clone().requires_grad_()
    run = eventprop_lif(spikes, weight, parameters, **seen)
    run.spikes.backward(gz)
    return run, weight.grad, spikes.grad


def assert_close(found, expected):
    # Sums of float32 in another order.
    assert_allclose(found.numpy(), expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("n", [1, 9, 64, 70])
def test_gradients_are_those_of_the_adjoint_system(n):
    spikes, weight = draw_synapses(n=n)
    parameters, gz = make(LIF, n), draw((4, 40, n), 3)

    run, to_weight, to_input = run_backward(spikes, weight, parameters, gz)

    assert run.spikes.sum() > 10
    arrays = (a.detach().numpy() for a in (spikes, weight, run.spikes, run.i_syn, gz))
    by_weight, by_input = plain_adjoint(*arrays, parameters)
    assert_close(to_weight, by_weight)
    assert_close(to_input, by_input)


def test_spikes_and_membranes_are_those_of_lif_neurons_without_refractory_time():
    spikes, weight = draw_synapses()
    same = make(LIF, 9, capacitance=6 * US, refractory=0.0)

    run = eventprop_lif(spikes, weight, make(LIF, 9))

    wanted = aelif(torch.nn.functional.linear(spikes, weight), same)
    assert torch.equal(run.spikes, wanted.spikes)
    assert torch.equal(run.v_mem, wanted.v_mem)


def test_the_current_is_recorded_one_step_late():
    spikes, weight = draw_synapses()

    run = eventprop_lif(spikes, weight, make(LIF, 9))

    wanted = aelif(torch.nn.functional.linear(spikes, weight), make(LIF, 9))
    assert not run.i_syn[:, 0].any()
    assert torch.equal(run.i_syn[:, 1:], wanted.i_syn[:, :-1])


def spike_time(weight, tau, threshold):
    """Solve ``weight t/tau exp(-t/tau) = threshold`` for the first crossing, by bisection."""
    low, high = 0.0, tau
    for _ in range(200):
        middle = (low + high) / 2
        below = weight * middle / tau * np.exp(-middle / tau) < threshold
        low, high = (middle, high) if below else (low, middle)
    return low


def test_for_small_steps_weights_get_the_derivative_of_the_spike_time():
    dt, tau, threshold, weight, time = 1e-8, 10 * US, 0.5, 2.0, 700
    values = {"threshold": threshold, "tau_mem": tau, "tau_syn": tau}
    spikes, gz = torch.zeros(1, time, 1), torch.zeros(1, time, 1)
    spikes[0, 10] = 1.0
    parameters = NeuronParameters.of_values(values, dt=dt)
    fired = eventprop_lif(spikes, torch.tensor([[weight]]), parameters).spikes.nonzero()
    gz[0, fired[0, 1]] = -1.0

    _, to_weight, to_input = run_backward(spikes, torch.tensor([[weight]]), parameters, gz)

    shift = 1e-4
    high, low = (spike_time(weight + s, tau, threshold) for s in (shift, -shift))
    assert len(fired) == 1
    # The error of Euler steps of tau/1000: 0.5 % were found.
    assert float(to_weight) == pytest.approx((high - low) / (2 * shift), rel=0.01)
    # A later input spike makes a later output spike, by as much.
    assert float(to_input[0, 10, 0]) == pytest.approx(-1.0, abs=0.01)


def test_observed_spikes_are_passed_through_and_replace_those_of_the_adjoint():
    spikes, weight = draw_synapses()
    parameters, gz = make(LIF, 9), draw((4, 40, 9), 3)
    seen = {"z_hw": (draw((4, 40, 9), 4) > 0.6).float(), "v_hw": draw((4, 40, 9), 6)}

    run, to_weight, _ = run_backward(spikes, weight, parameters, gz, **seen)

    assert torch.equal(run.spikes, seen["z_hw"])
    assert torch.equal(run.v_mem, seen["v_hw"])
    model = eventprop_lif(spikes, weight, parameters)
    assert torch.equal(run.i_syn, model.i_syn)
    arrays = (a.numpy() for a in (spikes, weight, seen["z_hw"], model.i_syn, gz))
    assert_close(to_weight, plain_adjoint(*arrays, parameters)[0])


def test_observed_currents_replace_those_of_the_model():
    spikes, weight = draw_synapses()
    seen = {"z_hw": (draw((4, 40, 9), 4) > 0.6).float(), "i_hw": draw((4, 40, 9), 6)}
    parameters, gz = make(LIF, 9), draw((4, 40, 9), 3)

    run, to_weight, _ = run_backward(spikes, weight, parameters, gz, **seen)

    assert run.v_mem is None
    arrays = (a.numpy() for a in (spikes, weight, *seen.values(), gz))
    assert_close(to_weight, plain_adjoint(*arrays, parameters)[0])


def test_quotients_that_are_not_finite_count_as_nothing():
    values = {"threshold": 1.0, "tau_mem": 4 * US, "tau_syn": 4 * US}
    parameters = NeuronParameters.of_values(values, dt=US)
    z, i = torch.ones(1, 6, 1), torch.full((1, 6, 1), 1.0)

    _, to_weight, to_input = run_backward(
        torch.ones(1, 6, 1), torch.ones(1, 1), parameters, torch.ones(1, 6, 1), z_hw=z, i_hw=i
    )

    assert_array_equal(to_weight.numpy(), 0.0)
    assert_array_equal(to_input.numpy(), 0.0)


def test_shorter_observed_spikes_shorten_the_run():
    spikes, weight = draw_synapses()

    run = eventprop_lif(spikes, weight, make(LIF, 9), z_hw=torch.zeros(4, 13, 9))

    assert run.i_syn.shape == run.spikes.shape == (4, 13, 9)


def test_second_derivatives_are_refused():
    spikes, weight = draw_synapses()
    weight.requires_grad_()

    with pytest.raises(SimulationError, match="leave create_graph out"):
        torch.autograd.grad(
            eventprop_lif(spikes, weight, make(LIF, 9)).spikes.sum(), weight, create_graph=True
        )


@pytest.mark.parametrize(
    ("switches", "n_in", "seen", "advice"),
    [
        (LI, 7, {}, "the neurons have leaky; EventProp is for LIF neurons"),
        (LIF, 8, {}, r"weights \(9, 8\) do not fit an input \(4, 40, 7\) and 9 neurons"),
        (LIF, 7, {"v_hw": torch.zeros(4, 40, 9)}, "v_hw without z_hw; give the observed spikes"),
        (LIF, 7, {"z_hw": torch.zeros(3, 40, 9)}, r"z_hw has shape \(3, 40, 9\); expected \(4, "),
        (LIF, 7, {"z_hw": torch.full((4, 40, 9), 3.0)}, "z_hw has 1440 values other than 0 and 1"),
    ],
)
def test_wrong_input_is_named_with_its_numbers(switches, n_in, seen, advice):
    spikes, _ = draw_synapses()

    with pytest.raises(InputError, match=advice):
        eventprop_lif(spikes, torch.zeros(9, n_in), make(switches, 9), **seen)


def test_other_devices_are_refused_with_advice():
    spikes, weight = draw_synapses()

    with pytest.raises(InputError, match=r"weight is on device 'meta'.*\.cpu\(\)"):
        eventprop_lif(spikes, weight.to("meta"), make(LIF, 9))
