import copy
import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ranvier.errors import InputError
from ranvier_bss2.nodes import MODEL, AnalogNeuron
from ranvier_bss2.numerics import NeuronParameters

US = 1e-6


def test_a_node_gives_its_switches_and_its_values_in_c_order():
    node = AnalogNeuron(
        shape=(2, 3), exponential=True, fire=False, leak=np.arange(6.0).reshape(2, 3)
    )

    parameters = NeuronParameters.of_node(node, US)

    assert parameters.switches == ("leaky", "exponential")
    assert_array_equal(parameters.values["leak"], np.arange(6.0))


def test_the_leak_is_the_leak_of_the_adaptation_unless_another_is_given():
    plain = NeuronParameters.of_values({"leak": [1.0, 2.0]}, dt=US)
    other = NeuronParameters.of_values({"leak": 1.0, "leak_adaptation": 3.0}, dt=US)

    assert plain.values["leak_adaptation"].tolist() == [1.0, 2.0]
    assert other.values["leak_adaptation"].tolist() == [3.0]


def test_scalars_fill_a_layer_of_a_given_size():
    parameters = NeuronParameters.of_values({"threshold": 2.0}, dt=US, n=4)

    assert parameters.n == 4
    assert parameters.values["threshold"].tolist() == [2.0] * 4


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 7, 10, 255])
def test_whole_refractory_steps_stay_whole_in_float32(steps):
    parameters = NeuronParameters.of_values({"refractory": steps * US}, dt=US)

    assert parameters.refractory_steps.tolist() == [steps]


def test_broken_refractory_steps_are_kept():
    parameters = NeuronParameters.of_values({"refractory": 2.5 * US}, dt=US)

    assert parameters.refractory_steps == pytest.approx(2.5)


def test_parameters_can_be_copied_and_sent_to_another_process():
    parameters = NeuronParameters.of_values({"leak": [1.0, 2.0]}, dt=US, switches=("fire",))

    for other in (copy.deepcopy(parameters), pickle.loads(pickle.dumps(parameters))):
        assert other.switches == ("fire",)
        assert other.values["leak"].tolist() == [1.0, 2.0]


def test_values_cannot_be_changed():
    parameters = NeuronParameters.of_values({}, dt=US)

    with pytest.raises(ValueError, match="read-only"):
        parameters.values["leak"][0] = 1.0


@pytest.mark.parametrize(
    ("values", "keywords", "advice"),
    [
        ({"tau_mem": 0.0}, {}, "tau_mem is 0 at its lowest; it must be > 0"),
        ({"refractory": -1.0}, {}, "refractory is -1 s at its lowest; it must be >= 0"),
        ({"leak": np.nan}, {}, "leak has values that are not finite"),
        ({"leak": [1.0, 2.0], "reset": [1.0, 2.0, 3.0]}, {}, r"leak has shape \(2,\)"),
        ({"tau": 1.0}, {}, "tau unknown; the neurons have leak, reset"),
        ({}, {"dt": 0.0}, "dt is 0.0 s; it must be a finite number > 0"),
        ({}, {"switches": ("leaky", "burst")}, "switches burst are unknown; use leaky, fire"),
    ],
)
def test_problems_are_named_with_what_to_do(values, keywords, advice):
    with pytest.raises(InputError, match=advice):
        NeuronParameters.of_values(values, **{"dt": US, **keywords})


def test_all_problems_come_in_one_message():
    values = {name: np.ones(1, np.float32) for name in MODEL if name != "b"}

    with pytest.raises(InputError, match=r"dt is -1 s.*b missing"):
        NeuronParameters(switches=("leaky",), dt=-1, values=values)
