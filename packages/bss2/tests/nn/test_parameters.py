import pytest
import torch

from ranvier.errors import InputError
from ranvier_bss2 import nn


def test_a_plain_number_is_model_and_chip_value_at_once():
    parameter = nn.HXParameter(80.0)

    assert float(parameter.model_value) == float(parameter.hardware_value) == 80.0


def test_assigning_the_hardware_value_of_a_plain_parameter_changes_both():
    parameter = nn.HXParameter(80.0)

    parameter.hardware_value = 90.0

    assert float(parameter.model_value) == 90.0
    assert float(parameter()) == 90.0


def test_a_mixed_parameter_keeps_its_values_apart():
    parameter = nn.MixedHXModelParameter(0.0, 80.0)

    parameter.model_value = 0.5

    assert (float(parameter.model_value), float(parameter.hardware_value)) == (0.5, 80.0)


def test_a_transformed_parameter_gives_the_chip_what_follows_from_the_model():
    parameter = nn.HXTransformedModelParameter(2.0, lambda value: 10 * value)

    parameter.model_value = 3.0

    assert float(parameter.hardware_value) == 30.0


def test_a_model_parameter_ignores_hardware():
    parameter = nn.ModelParameter(3.0)

    assert float(parameter.hardware_value) == 3.0
    with pytest.raises(AttributeError):
        parameter.hardware_value = 4.0


def test_a_trained_threshold_gets_a_gradient():
    experiment = nn.Experiment()
    synapse = nn.Synapse(1, 1, experiment)
    synapse.weight.data.fill_(50.0)
    threshold = nn.HXParameter(125.0).make_trainable()
    lif = nn.LIF(1, experiment, threshold=threshold)
    x = torch.zeros(1, 50, 1)
    x[0, [10, 15, 20]] = 1

    z = lif(synapse(nn.NeuronHandle(x)))
    nn.run(experiment)
    z.spikes.sum().backward()

    assert any(p is threshold.value for p in lif.parameters())
    assert float(threshold.value.grad) < 0


def test_a_code_given_as_model_capacitance_is_refused_with_advice():
    with pytest.raises(InputError, match=r"BS240.*63 s.*MixedHXModelParameter\(1e-05, 63\)"):
        nn.LIF(1, nn.Experiment(), membrane_capacitance=63)


def test_microseconds_given_as_seconds_are_refused_with_advice():
    with pytest.raises(InputError, match=r"BS240.*tau_mem.*for 10 us give 1e-05"):
        nn.LI(1, nn.Experiment(), tau_mem=10.0)


def test_all_bad_settings_are_named_at_once():
    with pytest.raises(InputError) as caught:
        nn.LIF(2, nn.Experiment(), leak=torch.zeros(3), alpha=0.0, method="stdp", trace_scale=-1.0)

    for part in ("leak has shape (3,)", "alpha is 0.0", "'superspike'", "trace_scale is -1"):
        assert part in str(caught.value)


def test_an_unknown_recording_option_is_a_type_error():
    with pytest.raises(TypeError, match="cadc_speed"):
        nn.LIF(1, nn.Experiment(), cadc_speed=3)
