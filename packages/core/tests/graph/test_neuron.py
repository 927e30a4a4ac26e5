import numpy as np
import pytest

from ranvier.errors import GraphError
from ranvier.graph import IF, LIF, AdaptiveLIF, CubaLIF, ResonateAndFire, SigmaDelta

TIMES = {"tau_mem": 0.02, "tau_syn": 0.01}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LIF(shape=(), tau_mem=0.02), "at least one axis"),
        (lambda: LIF(shape=(0,), tau_mem=0.02), "all sizes >= 1"),
        (lambda: LIF(shape="x", tau_mem=0.02), "shape"),
        (lambda: LIF(shape=(3,), tau_mem=[0.1, 0.2]), r"tau_mem has shape \(2,\).*\(3,\)"),
        (lambda: LIF(shape=(1,), tau_mem=0.02, decay="fast"), "decay 'fast' must be one of"),
        (lambda: LIF(shape=(1,), tau_mem=0.02, reset="zero"), "reset 'zero'"),
        (lambda: LIF(shape=(1,), tau_mem=0.02, comparison="=="), "comparison '=='"),
        (lambda: IF(shape=(1,), threshold=0.0), "threshold is 0, must be > 0"),
        (lambda: IF(shape=(1,), max_spikes=0), "max_spikes is 0, must be >= 1"),
        (lambda: IF(shape=(1,), max_spikes=1.5), "max_spikes 1.5 must be an integer"),
        (lambda: IF(shape=(1,), reset="to_value", max_spikes=2), "one spike at most"),
        (lambda: CubaLIF(shape=(1,), synapses=0, **TIMES), "synapses is 0"),
        (lambda: SigmaDelta(shape=(1,), threshold=-1.0), "threshold is -1"),
        (lambda: SigmaDelta(shape=(1,), threshold=1.0, activation="tanh"), "activation 'tanh'"),
        (
            lambda: ResonateAndFire(shape=(1,), frequency=1.0, tau=1.0, trigger="never"),
            "trigger 'never'",
        ),
    ],
)
def test_bad_neuron_is_refused_with_its_fault(make, message):
    with pytest.raises(GraphError, match=message):
        make()


def test_negative_threshold_is_allowed_with_reset_to_a_value():
    assert IF(shape=(1,), threshold=-50e-3, reset="to_value").threshold == -50e-3


def test_every_synapse_has_a_port():
    assert CubaLIF(shape=(1,), synapses=3, **TIMES).ports == ("in", "in2", "in3")
    assert ResonateAndFire(shape=(1,), frequency=1.0, tau=1.0).ports == ("re", "im")


def test_parameters_are_given_at_full_size():
    node = CubaLIF(shape=(2, 3), synapses=2, tau_mem=0.02, tau_syn=[[[0.01]], [[0.03]]])

    assert node.parameter("tau_mem").shape == (2, 3)
    assert node.parameter("tau_syn").shape == (2, 2, 3)
    assert np.unique(node.parameter("tau_syn")[1]).tolist() == [0.03]


def test_states_are_named():
    node = AdaptiveLIF(shape=(1,), tau_threshold=0.1, tau_refractory=0.1, **TIMES)

    assert node.states == ("i_syn", "v_mem", "threshold", "refractory")
