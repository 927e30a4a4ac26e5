import math

import numpy as np
import pytest
import torch

import ranvier.nn as rnn
from ranvier.errors import GraphError, InputError


def impulse(steps=6, n=1, size=1.0):
    x = torch.zeros(1, steps, n)
    x[:, 0] = size
    return x


def test_an_integrator_keeps_its_input():
    assert rnn.I(1)(impulse(4, size=0.7)).flatten().tolist() == pytest.approx([0.7] * 4)


def test_a_leaky_integrator_decays_exponentially():
    v = rnn.LI(1, tau_mem=5e-3)(impulse(4)).flatten()

    np.testing.assert_allclose(v, np.exp(-np.arange(4) / 5.0), rtol=1e-6)


def test_a_leaky_integrator_rests_at_v_rest():
    v = rnn.LI(2, tau_mem=5e-3, v_rest=0.3)(torch.zeros(1, 20, 2))

    np.testing.assert_allclose(v, 0.3, rtol=1e-5)


def test_a_current_based_integrator_is_the_difference_of_two_exponentials():
    v = rnn.CubaLI(1, tau_mem=10e-3, tau_syn=5e-3)(impulse(30)).flatten().numpy()

    a, b, t = math.exp(-0.1), math.exp(-0.2), np.arange(30)
    np.testing.assert_allclose(v, (a ** (t + 1) - b ** (t + 1)) / (a - b), rtol=1e-5)


def test_the_subtractive_reset_keeps_the_excess():
    layer = rnn.IF(1, max_spikes=None)

    with torch.no_grad():
        _, traces = layer(impulse(2, size=2.75), record=True)

    assert traces["IF"].spikes.flatten().tolist() == [2.0, 0.0]
    assert traces["IF"].membrane.flatten().tolist() == [0.75, 0.75]


def test_one_spike_per_step_by_default():
    assert rnn.IF(1)(impulse(4, size=2.75)).flatten().tolist() == [1.0, 1.0, 0.0, 0.0]


def test_the_reset_to_a_value_forgets_the_excess():
    layer = rnn.IF(1, reset="to_value", v_reset=0.25)

    with torch.no_grad():
        _, traces = layer(impulse(2, size=2.75), record=True)

    assert traces["IF"].membrane.flatten().tolist() == [0.25, 0.25]


def test_a_membrane_at_the_threshold_fires_unless_the_comparison_is_strict():
    assert rnn.IF(1)(impulse(1)).item() == 1.0
    assert rnn.IF(1, comparison=">")(impulse(1)).item() == 0.0


def test_refractory_steps_pass_without_a_spike():
    spikes = rnn.IF(1, refractory=3e-3)(torch.full((1, 9, 1), 5.0)).flatten()

    assert spikes.tolist() == [1, 0, 0, 0, 1, 0, 0, 0, 1]


def test_columns_are_neuron_times_synapses_plus_synapse():
    layer = rnn.CubaLI(2, tau_mem=10e-3, tau_syn=[2e-3, 8e-3], n_synapses=2)
    x = torch.zeros(1, 2, 4)
    x[:, 0, 1] = 1.0  # neuron 0, synapse 1

    with torch.no_grad():
        _, traces = layer(x, record=True)

    current = traces["CubaLI"].current
    assert current.shape == (1, 2, 2, 2)
    np.testing.assert_allclose(current[0, 1, 0], [0.0, math.exp(-1 / 8)], rtol=1e-6)
    assert not current[0, :, 1].any()


def test_recurrent_spikes_arrive_one_step_later():
    layer = rnn.IF(2, recurrent=True)
    with torch.no_grad():
        layer.weight_rec.copy_(torch.tensor([[0.0, 0.0], [1.0, 0.0]]))
    x = torch.zeros(1, 3, 2)
    x[0, 0, 0] = 1.0

    assert layer(x)[0].tolist() == [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]


def test_flags_choose_what_is_trained():
    layer = rnn.CubaLIF(4, train_tau=True, train_threshold=True, recurrent=True)

    assert set(dict(layer.named_parameters())) == {
        "tau_mem",
        "tau_syn",
        "threshold",
        "weight_rec",
    }


def test_a_layer_of_any_shape_keeps_its_shape():
    layer = rnn.LIF((2, 3, 4))

    assert layer(torch.zeros(5, 7, 2, 3, 4)).shape == (5, 7, 2, 3, 4)
    assert layer(torch.zeros(5, 7, 24)).shape == (5, 7, 2, 3, 4)


def test_state_is_fresh_each_call_unless_asked_otherwise():
    x = torch.full((1, 1, 1), 0.6)
    fresh, stateful = rnn.IF(1), rnn.IF(1, stateful=True)

    assert [fresh(x).item() for _ in range(2)] == [0.0, 0.0]
    assert [stateful(x).item() for _ in range(2)] == [0.0, 1.0]
    stateful.reset_state()
    assert stateful(x).item() == 0.0


def test_a_given_state_is_where_the_run_starts():
    layer = rnn.IF(1)
    layer(torch.full((1, 1, 1), 0.6))

    assert layer(torch.full((1, 1, 1), 0.6), state=layer.state).item() == 1.0


def test_gradients_reach_a_given_state():
    layer = rnn.LI(1)
    layer(torch.zeros(1, 1, 1))
    state = tuple(part.requires_grad_() for part in layer.state)

    layer(torch.zeros(1, 2, 1), state=state).sum().backward()

    assert state[1].grad.item() > 0.0


def test_the_readout_can_be_switched_to_the_membrane():
    layer = rnn.LIF(1)
    layer.readout = "vmem"

    assert layer(impulse(1, size=3.0)).item() == 3.0


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        ({"dt": 0.0}, "dt"),
        ({"dt": math.nan}, "dt"),
        ({"tau_mem": 1e-3}, "> 0.001"),
        ({"tau_syn": 0.5e-3}, "tau_syn"),
        ({"tau_mem": [1e-2, 1e-2]}, "broadcast"),
        ({"threshold": 0.0}, "threshold"),
        ({"threshold": math.nan}, "NaN"),
        ({"max_spikes": 0}, "max_spikes"),
        ({"max_spikes": 2.5}, "whole number"),
        ({"max_spikes": math.nan}, "whole number"),
        ({"reset": "zero"}, "'subtract' or 'to_value'"),
        ({"decay": "linear"}, "decay"),
        ({"refractory": -1.0}, "refractory"),
        ({"comparison": "<"}, "comparison"),
        ({"backend": "gpu"}, "backend"),
        ({"n_synapses": 0}, "n_synapses"),
        ({"readout": "rate"}, "'spikes' or 'vmem'"),
    ],
)
def test_parameters_out_of_range_are_refused(options, advice):
    with pytest.raises(GraphError, match=advice):
        rnn.CubaLIF(3, **options)


def test_arguments_of_another_model_are_refused():
    with pytest.raises(GraphError, match="no leak"):
        rnn.IF(3, tau_mem=1e-2)
    with pytest.raises(GraphError, match="no synaptic state"):
        rnn.LIF(3, tau_syn=1e-2)
    with pytest.raises(GraphError, match="does not fire"):
        rnn.LI(3, recurrent=True)


def test_an_input_of_another_shape_is_refused():
    with pytest.raises(InputError, match=r"expected \(batch, time, 3\)"):
        rnn.LIF(3)(torch.zeros(1, 5, 4))


def test_a_state_of_another_batch_is_refused():
    layer = rnn.LIF(3, stateful=True)
    layer(torch.zeros(2, 5, 3))

    with pytest.raises(InputError, match="call reset_state"):
        layer(torch.zeros(4, 5, 3))


def test_the_adaptive_threshold_rises_and_recovers():
    layer = rnn.AdaptiveLIF(1, tau_mem=5e-3, tau_syn=2e-3, threshold_step=0.5, tau_threshold=5e-3)
    x = impulse(20, size=1.2)

    with torch.no_grad():
        _, traces = layer(x, record=True)

    record = traces["AdaptiveLIF"]
    assert record.spikes.flatten()[0].item() == 1.0
    expected = 1.0 + 0.5 * np.exp(-np.arange(20) / 5.0)
    assert record.spikes.sum().item() == 1.0
    np.testing.assert_allclose(record.extra["threshold"].flatten(), expected, rtol=1e-5)
    assert record.extra["refractory"].flatten()[0].item() == pytest.approx(2.0)


def test_adex_without_its_extra_terms_is_a_leaky_integrator_of_the_old_current():
    layer = rnn.AdEx(1, tau_mem=10e-3, tau_syn=5e-3, threshold=100.0)

    with torch.no_grad():
        _, traces = layer(impulse(10), record=True)

    i, v, expected = 0.0, 0.0, []
    for t in range(10):
        v += 0.1 * (i - v)
        i = 0.8 * i + (1.0 if t == 0 else 0.0)
        expected.append(v)
    np.testing.assert_allclose(traces["AdEx"].membrane.flatten(), expected, rtol=1e-5)


def test_adex_runs_away_above_its_exponential_onset():
    options = {"threshold": 5.0, "slope": 0.1, "v_exp": 0.5, "bias": 0.7}
    x = torch.zeros(1, 60, 1)

    assert rnn.AdEx(1, **options)(x).sum().item() > 0
    assert rnn.AdEx(1, **(options | {"slope": 0.0}))(x).sum().item() == 0


def test_a_resonator_prefers_its_own_frequency():
    t = torch.arange(400) * 1e-3
    layer = rnn.ResonateAndFire(2, frequency=[20.0, 60.0], tau=50e-3, threshold=2.0)
    x = torch.zeros(1, 400, 2, 2)
    x[0, :, :, 0] = 0.2 * torch.cos(2 * math.pi * 20.0 * t).unsqueeze(1)

    spikes = layer(x)[0].sum(0)

    assert spikes[0] > 4
    assert spikes[1] == 0


def test_an_amplitude_triggered_resonator_resets_below_its_threshold():
    layer = rnn.ResonateAndFire(1, trigger="amplitude")
    x = torch.zeros(1, 1, 1, 2)
    x[..., 1] = 3.0

    with torch.no_grad():
        _, traces = layer(x, record=True)

    record = traces["ResonateAndFire"]
    assert record.spikes.item() == 1.0
    assert record.current.item() == 0.0
    assert 0.999 < record.membrane.item() < 1.0


def test_sigma_delta_emits_changes_that_sum_to_the_activation():
    torch.manual_seed(0)
    layer = rnn.SigmaDelta(3, threshold=0.3)
    x = torch.randn(2, 50, 3) * 0.2

    out = layer(x)

    activation = torch.relu(x.cumsum(1))
    assert ((out == 0) | (out.abs() >= 0.3)).all()
    assert float((out.cumsum(1) - activation).abs().max()) < 0.3 + 1e-5


@pytest.mark.parametrize(
    "layer",
    [
        rnn.AdaptiveLIF(3, train_tau=True, train_threshold=True, train_bias=True),
        rnn.AdEx(3, train_tau=True, train_threshold=True, train_bias=True, slope=0.1, v_exp=0.8),
        rnn.ResonateAndFire(3, train_tau=True, train_frequency=True, train_threshold=True),
        rnn.SigmaDelta(3, train_threshold=True, train_bias=True),
    ],
    ids=lambda m: type(m).__name__,
)
def test_stepwise_models_train_all_their_parameters(layer):
    torch.manual_seed(0)
    x = (torch.randn(2, 40, layer.columns) * 0.5).requires_grad_()

    layer(x).square().sum().backward()

    for name, parameter in layer.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().sum() > 0, name
    assert torch.isfinite(x.grad).all()


@pytest.mark.parametrize("model", [rnn.AdaptiveLIF, rnn.AdEx, rnn.ResonateAndFire, rnn.SigmaDelta])
def test_stepwise_models_in_chunks_equal_one_run(model):
    torch.manual_seed(0)
    layer = model(3)
    x = torch.randn(2, 30, layer.columns)
    whole = layer(x)
    layer.stateful = True
    layer.reset_state()

    parts = [layer(part) for part in x.split(11, 1)]

    torch.testing.assert_close(torch.cat(parts, 1), whole)


def test_printing_shows_shape_and_parameters():
    text = repr(rnn.CubaLIF((2, 3), tau_mem=20e-3, train_tau=True))

    assert "shape=(2, 3)" in text
    assert "tau_mem=0.02 (trained)" in text
