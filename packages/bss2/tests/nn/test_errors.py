import pytest
import torch

from ranvier.errors import InputError, MappingError, ResourceError
from ranvier_bss2 import nn
from ranvier_bss2.chip import VirtualChip

MIXED = nn.MixedHXModelParameter


def spikes(n, steps=5, batch=1):
    return torch.ones(batch, steps, n)


def emulated(**more):
    return nn.Experiment(backend="emulator", chip=VirtualChip.of(0, "ideal"), **more)


def refused(experiment, runtime=None, error=InputError):
    with pytest.raises(error) as caught:
        nn.run(experiment, runtime)
    return str(caught.value)


def test_sizes_that_do_not_fit_are_all_named_with_both_numbers():
    experiment = nn.Experiment()
    first, second = nn.Synapse(3, 4, experiment), nn.Synapse(6, 2, experiment)
    lif, li = nn.LIF(5, experiment), nn.LI(2, experiment)
    li(second(lif(first(spikes(7)))))

    text = refused(experiment)

    for part in ("takes 3 channels, its input has 7", "takes 5 channels, 'synapse' has 4"):
        assert part in text
    assert "takes 6 channels, 'lif' has 5" in text
    assert text.count("BS242") == 3


@pytest.mark.parametrize("runtime", [0, -3, 10.0, "10", True, 2**40])
def test_a_runtime_that_is_no_number_of_steps_is_refused(runtime):
    experiment = nn.Experiment()
    nn.LI(2, experiment)(nn.Synapse(3, 2, experiment)(spikes(3)))

    assert "BS243" in refused(experiment, runtime)


def test_a_module_is_called_once_per_run():
    experiment = nn.Experiment()
    synapse, li = nn.Synapse(3, 2, experiment), nn.LI(2, experiment)
    li(synapse(spikes(3)))
    li(synapse(spikes(3)))

    text = refused(experiment)

    assert text.count("BS244") == 2
    assert "called 2 times" in text


def test_a_failed_run_leaves_nothing_behind():
    experiment = nn.Experiment()
    synapse, li = nn.Synapse(3, 2, experiment), nn.LI(2, experiment)
    li(synapse(spikes(4)))
    refused(experiment)

    y = li(synapse(spikes(3)))
    nn.run(experiment)

    assert y.membrane_cadc.shape == (1, 5, 2)


def test_a_synapse_without_neurons_is_refused():
    experiment = nn.Experiment()
    nn.LI(2, experiment)(nn.Synapse(3, 2, experiment)(spikes(3)))
    nn.Synapse(3, 2, experiment)(spikes(3))

    assert "call neurons with it before run" in refused(experiment)


def test_running_without_calls_is_refused():
    assert "no neurons were called" in refused(nn.Experiment())


def test_membranes_do_not_drive_synapses():
    experiment = nn.Experiment()
    li = nn.LI(2, experiment)(nn.Synapse(3, 2, experiment)(spikes(3)))

    with pytest.raises(InputError, match=r"BS245.*takes spikes.*got LIObservables"):
        nn.Synapse(2, 2, experiment)(li)


def test_neurons_take_what_synapses_give():
    experiment = nn.Experiment()

    with pytest.raises(InputError, match=r"BS245.*handles of synapses.*got Tensor"):
        nn.LIF(2, experiment)(spikes(2))


def test_dropout_wants_neurons_in_front():
    experiment = nn.Experiment()

    with pytest.raises(InputError, match=r"BS245.*layer of neurons that fire"):
        nn.BatchDropout(3, 0.5, experiment)(nn.NeuronHandle(spikes(3)))


def test_eventprop_synapses_and_neurons_belong_together():
    experiment = nn.Experiment()
    nn.LIF(2, experiment)(nn.EventPropSynapse(3, 2, experiment)(spikes(3)))

    assert "EventPropLIF behind EventPropSynapse" in refused(experiment)


def test_modules_of_another_experiment_are_refused():
    synapse = nn.Synapse(3, 2, nn.Experiment())
    handle = synapse(spikes(3))
    experiment = nn.Experiment()
    nn.LI(2, experiment)(handle)

    assert "BS2" in refused(experiment)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (torch.ones(5, 3), "expected (batch, time, n)"),
        (torch.full((1, 5, 3), float("nan")), "15 of 15 values are not finite"),
        (None, "an empty handle that no module fills"),
    ],
)
def test_bad_inputs_are_described(given, words):
    experiment = nn.Experiment()
    nn.LI(2, experiment)(nn.Synapse(3, 2, experiment)(nn.NeuronHandle(given)))

    text = refused(experiment)

    assert "BS246" in text
    assert words in text


def test_inputs_of_unequal_length_are_refused():
    experiment = nn.Experiment()
    a, b = nn.Synapse(3, 2, experiment), nn.Synapse(3, 2, experiment)
    nn.LI(2, experiment)(a(spikes(3, steps=5)), b(spikes(3, steps=6)))

    assert "(1, 5), (1, 6); all must be equal" in refused(experiment)


def test_bad_settings_of_an_experiment_are_named_at_once():
    with pytest.raises(InputError) as caught:
        nn.Experiment(backend="chip", dt=1.0, layout="neuron_first", seed=-1)

    for part in ("backend is 'chip'", "dt is 1 s", "layout is 'neuron_first'", "seed is -1"):
        assert part in str(caught.value)


def test_a_chip_is_never_chosen_on_its_own():
    experiment = nn.Experiment(mock=False)
    nn.LI(2, experiment)(nn.Synapse(3, 2, experiment)(spikes(3)))

    assert experiment.backend == "hardware"
    assert "loopback" in refused(experiment)


def test_records_are_asked_for_after_a_run_on_a_chip():
    with pytest.raises(InputError, match="backend='emulator' or 'hardware' first"):
        _ = nn.Experiment().config


def test_model_potentials_given_as_chip_targets_are_refused_with_advice():
    experiment = emulated()
    lif = nn.LIF(2, experiment, leak=0.0, reset=0.0, threshold=1.0)
    lif(nn.Synapse(3, 2, experiment)(spikes(3)))

    text = refused(experiment, error=MappingError)

    assert text.count("BS241") == 3
    assert "leak=MixedHXModelParameter(0, 80)" in text
    assert "threshold=MixedHXModelParameter(1, 125)" in text


def test_the_same_potentials_are_fine_for_the_numeric_backend():
    experiment = nn.Experiment()
    lif = nn.LIF(2, experiment, leak=0.0, reset=0.0, threshold=1.0)
    z = lif(nn.Synapse(3, 2, experiment)(spikes(3)))
    nn.run(experiment)

    assert z.spikes is not None


def test_a_model_capacitance_given_as_code_is_refused_with_advice():
    experiment = emulated()
    li = nn.LI(2, experiment, membrane_capacitance=6e-6)
    li(nn.Synapse(3, 2, experiment)(spikes(3)))

    text = refused(experiment, error=MappingError)

    assert "membrane_capacitance=MixedHXModelParameter(6e-06, 63)" in text


def test_targets_outside_of_the_calibrated_range_are_all_named():
    experiment = emulated()
    lif = nn.LIF(2, experiment, leak=MIXED(0.0, 10), tau_mem=100e-6, i_synin_gm=900.0)
    lif(nn.Synapse(3, 2, experiment)(spikes(3)))

    text = refused(experiment, error=MappingError)

    for part in ("BS009", "BS008", "BS010", "10 LSB", "100 us", "900 code"):
        assert part in text


def test_strengths_shared_by_the_chip_must_be_equal():
    experiment = emulated()
    lif = nn.LIF(2, experiment, synapse_dac_bias=600, i_synin_gm=500)
    li = nn.LI(2, experiment, synapse_dac_bias=1000, i_synin_gm=400)
    li(nn.Synapse(2, 2, experiment)(lif(nn.Synapse(3, 2, experiment)(spikes(3)))))

    text = refused(experiment, error=MappingError)

    assert text.count("BS012") == 2
    assert "'lif' 600, 'li' 1000" in text


def test_the_fast_converter_records_one_neuron():
    experiment = emulated()
    lif = nn.LIF(2, experiment, enable_madc_recording=True)
    li = nn.LI(2, experiment, enable_madc_recording=True)
    li(nn.Synapse(2, 2, experiment)(lif(nn.Synapse(3, 2, experiment)(spikes(3)))))

    assert "BS013" in refused(experiment, error=MappingError)


def test_both_memories_of_the_slow_converter_are_not_mixed():
    experiment = emulated()
    lif = nn.LIF(2, experiment, enable_cadc_recording_placement_in_dram=True)
    nn.LI(2, experiment)
    li = nn.LI(2, experiment)
    li(nn.Synapse(2, 2, experiment)(lif(nn.Synapse(3, 2, experiment)(spikes(3)))))

    assert "BS014" in refused(experiment, error=MappingError)


def test_too_many_neurons_in_one_given_instance_are_explained_before_anything_is_routed():
    experiment = emulated()
    first, second = nn.ExecutionInstance(), nn.ExecutionInstance()
    lif = nn.LIF(600, experiment, execution_instance=first)
    li = nn.LI(2, experiment, execution_instance=second)
    li(nn.Synapse(600, 2, experiment)(lif(nn.Synapse(3, 600, experiment)(spikes(3)))))

    text = refused(experiment, error=ResourceError)

    assert "BS031" in text
    assert "600" in text
    assert "512" in text


def test_fan_in_beyond_the_chip_is_explained_with_numbers():
    experiment = emulated()
    nn.LI(1, experiment)(nn.Synapse(66_000, 1, experiment)(spikes(66_000, steps=1)))

    text = refused(experiment, error=MappingError)

    assert "BS030" in text
    assert "needs 516 circuits, the chip has 512" in text
    assert "layer in between" in text


def test_weighted_input_without_a_synapse_stays_in_the_model():
    experiment = nn.Experiment()
    y = nn.LI(2, experiment)(nn.SynapseHandle(graded_spikes=spikes(2)))
    nn.run(experiment)
    assert y.membrane_cadc.shape == (1, 5, 2)

    experiment = emulated()
    other = nn.LI(2, experiment)
    other(nn.SynapseHandle(graded_spikes=spikes(2)), nn.Synapse(3, 2, experiment)(spikes(3)))
    assert "put a Synapse in front" in refused(experiment, error=MappingError)


def test_the_emulator_does_not_read_out_adaptation():
    experiment = emulated()
    lif = nn.AELIF(2, experiment, cadc_readout="adaptation", exponential=False)
    lif(nn.Synapse(3, 2, experiment)(spikes(3)))

    assert "read out 'voltage'" in refused(experiment, error=MappingError)


def test_trained_parameters_need_a_way_to_a_real_chip():
    experiment = nn.Experiment(backend="hardware", device="loopback")
    li = nn.LI(2, experiment, tau_mem=nn.HXParameter(1e-5).make_trainable())
    li(nn.Synapse(3, 2, experiment)(spikes(3)))

    assert "BS248" in refused(experiment)


def test_a_calibration_file_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(InputError, match="no file"):
        nn.ExecutionInstance().load_calib(tmp_path / "spiking.pkl")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_not_written_to_a_chip(value):
    experiment = emulated()
    synapse, lif = nn.Synapse(3, 2, experiment), nn.LIF(2, experiment)
    synapse.weight.data[0, 1] = value
    lif(synapse(spikes(3)))

    assert "node 'synapse': 1 of 6 weights are NaN or infinite" in refused(experiment)


def test_weights_of_another_shape_are_refused_before_anything_is_placed():
    experiment = emulated()
    synapse, lif = nn.Synapse(3, 2, experiment), nn.LIF(2, experiment)
    synapse.weight.data = torch.ones(3, 2)
    lif(synapse(spikes(3)))

    text = refused(experiment)
    assert "weights have shape (3, 2)" in text
    assert "give weights of (2, 3)" in text
