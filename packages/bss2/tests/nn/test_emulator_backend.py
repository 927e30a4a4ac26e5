from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from ranvier.errors import DeviceError, InputError
from ranvier_bss2 import nn
from ranvier_bss2.alignment import align
from ranvier_bss2.calibration import calibrate
from ranvier_bss2.chip import VirtualChip
from ranvier_bss2.diagnostics import NEVER_ON_SILICON
from ranvier_bss2.emulator import Emulator

SCALE = 55.0
MIXED = nn.MixedHXModelParameter


def raster(n, *, batch=4, steps=40, rate=0.15, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(batch, steps, n, generator=generator) < rate).float()


class Network(torch.nn.Module):
    """The program that all backends run."""

    def __init__(self, dropout=0.0, **settings):
        super().__init__()
        torch.manual_seed(0)
        self.experiment = nn.Experiment(**settings)
        e, aligned = self.experiment, {"trace_scale": 1 / 45, "trace_offset": 80.0}
        write = partial(nn.linear_saturating, scale=SCALE)
        self.first = nn.Synapse(10, 12, e, transform=write)
        self.lif = nn.LIF(
            12, e, leak=MIXED(0, 80), reset=MIXED(0, 80), threshold=MIXED(1, 125), **aligned
        )
        self.dropout = nn.BatchDropout(12, dropout, e)
        self.second = nn.Synapse(12, 3, e, transform=write)
        self.li = nn.LI(3, e, leak=MIXED(0, 80), **aligned)
        self.first.weight.data = torch.round(self.first.weight.data * 2 * SCALE) / SCALE
        self.second.weight.data = torch.round(self.second.weight.data * SCALE) / SCALE

    def forward(self, x):
        z = self.dropout(self.lif(self.first(nn.NeuronHandle(x))))
        y = self.li(self.second(z))
        nn.run(self.experiment, x.shape[1])
        return z, y


def ideal(**more):
    chip = VirtualChip.of(0, "ideal")
    return Network(backend="emulator", chip=chip, cadc_period=1e-6, **more)


def test_an_ideal_chip_shows_what_the_model_computes():
    z, y = Network()(raster(10))
    seen, read = ideal()(raster(10))

    assert z.spikes.sum() > 20
    torch.testing.assert_close(seen.spikes, z.spikes, rtol=0, atol=0)
    error = (y.membrane_cadc - read.membrane_cadc).detach()
    assert float(error.square().mean().sqrt()) < 1 / 45  # one LSB


def test_switching_the_backend_changes_nothing_but_the_backend():
    chip = VirtualChip.of(3)
    shapes = []
    for settings in (
        {"backend": "numeric"},
        {"backend": "emulator", "chip": chip},
        {"backend": "hardware", "device": "loopback", "chip": chip},
    ):
        z, y = Network(**settings)(raster(10))
        shapes.append({f"{k}": tuple(v.shape) for h in (z, y) for k, v in h.tensors().items()})

    assert shapes[0] == shapes[1] == shapes[2]


def test_the_loopback_is_the_same_virtual_chip_behind_the_driver():
    chip = VirtualChip.of(3)
    results = []
    for settings in ({"backend": "emulator"}, {"backend": "hardware", "device": "loopback"}):
        network = Network(chip=chip, seed=5, **settings)
        network(raster(10))
        network.second.weight.data.mul_(0.5)
        results.append((*network(raster(10, seed=1)), network.experiment))

    (z, y, _), (looped, read, experiment) = results
    torch.testing.assert_close(z.spikes, looped.spikes)
    torch.testing.assert_close(y.membrane_cadc, read.membrane_cadc)
    experiment.close()


def test_gradients_flow_through_the_model_around_what_the_chip_showed():
    network = Network(backend="emulator", chip=VirtualChip.of(1))
    _, y = network(raster(10))

    y.membrane_cadc.square().sum().backward()

    assert bool(network.first.weight.grad.any())
    assert bool(network.second.weight.grad.any())


def test_values_are_those_of_the_chip_not_of_the_model():
    network = Network(backend="emulator", chip=VirtualChip.of(1))
    z, y = network(raster(10))
    recording = network.experiment.recording

    lsb = recording.raw("li", "v_mem")
    assert lsb.dtype == np.uint8
    # the first sample is at time 0; the line to it starts at value 0 one second before
    first = (lsb[:, 0].astype(float) - 80.0) / 45.0
    np.testing.assert_allclose(y.membrane_cadc[:, 0].detach(), first, atol=1e-4)
    assert recording[("lif", "spikes")].total >= int(z.spikes.sum())
    np.testing.assert_allclose(
        recording.raw("li", "v_mem") / 45.0 - 80.0 / 45.0, recording[("li", "v_mem")].model
    )


def test_noise_is_fresh_in_every_run_and_repeatable_by_the_seed():
    def twice(seed):
        network = Network(backend="emulator", chip=VirtualChip.of(1), seed=seed)
        return [network(raster(10))[1].membrane_cadc.detach() for _ in range(2)]

    first, again, other = twice(0), twice(0), twice(1)

    assert not torch.equal(first[0], first[1])
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])


def test_another_chip_gives_other_traces():
    traces = [
        Network(backend="emulator", chip=VirtualChip.of(seed))(raster(10))[1].membrane_cadc
        for seed in (1, 2)
    ]

    assert float((traces[0] - traces[1]).detach().abs().max()) > 2 / 45


def test_only_weights_are_written_again_while_the_topology_stays():
    network = ideal()
    network(raster(10))
    backend = network.experiment.chip_backend
    emulator = backend._emulator

    network.first.weight.data.mul_(0.0)
    z, _ = network(raster(10))

    assert backend._emulator is emulator
    assert not z.spikes.any()
    network.lif.parameter("threshold").hardware_value = 130
    network(raster(10))
    assert backend._emulator is not emulator


def test_the_configuration_holds_the_weights_of_the_last_run():
    network = ideal()
    network(raster(10))
    network.first.weight.data.fill_(9.4 / SCALE)
    network.second.weight.data.fill_(-3.5 / SCALE)
    network(raster(10))

    config = network.experiment.config

    found = {int(w): int((config.synapse_weight == w).sum()) for w in (4, 9)}
    assert found == {4: 36, 9: 120}
    assert np.count_nonzero(config.synapse_weight) == 156
    assert network.experiment.last_run_chip_configs == [config]


def test_dropout_silences_the_same_neurons_on_the_chip():
    network = ideal(dropout=0.5)
    torch.manual_seed(3)
    z, y = network(raster(10))
    mask = network.dropout.mask
    numeric = Network(dropout=0.5)
    torch.manual_seed(3)
    expected, read = numeric(raster(10))

    assert 0 < int(mask.sum()) < 12
    assert torch.equal(mask, numeric.dropout.mask)
    assert not z.spikes[:, :, mask == 0].any()
    torch.testing.assert_close(z.spikes, expected.spikes, rtol=0, atol=0)
    error = (y.membrane_cadc - read.membrane_cadc).detach()
    assert float(error.square().mean().sqrt()) < 1.5 / 45
    masked = network.experiment.config.population_of["lif"].spike_mask
    np.testing.assert_array_equal(masked, mask.numpy() > 0)


def test_counts_above_one_are_one_event_and_said_so():
    x = raster(10)
    network, other = ideal(), ideal()
    z, _ = network(x * 3)
    expected, _ = other(x)

    torch.testing.assert_close(z.spikes, expected.spikes)
    assert "BS231" in {d.code for d in network.experiment.diagnostics}
    assert "BS231" not in {d.code for d in other.experiment.diagnostics}


def test_a_longer_runtime_runs_in_silence_and_results_keep_the_length_of_the_input():
    network = ideal()
    z = network.lif(network.first(raster(10)))
    nn.run(network.experiment, 60)

    assert z.spikes.shape[1] == 40
    assert network.experiment.raw.duration == 60 * 125


def test_a_loop_on_the_ideal_chip_follows_the_model():
    def run(**settings):
        torch.manual_seed(0)
        e = nn.Experiment(**settings)
        aligned = {"trace_scale": 1 / 45, "trace_offset": 80.0}
        write = partial(nn.linear_saturating, scale=SCALE)
        first = nn.Synapse(6, 8, e, transform=write)
        lif = nn.LIF(
            8, e, leak=MIXED(0, 80), reset=MIXED(0, 80), threshold=MIXED(1, 125), **aligned
        )
        group = nn.HXModuleWrapper(e, neurons=lif, back=nn.Synapse(8, 8, e, transform=write))
        first.weight.data = torch.round((first.weight.data.abs() + 0.3) * SCALE) / SCALE
        group.back.weight.data = torch.round(group.back.weight.data * SCALE) / SCALE
        z = group(first(raster(6, batch=2)))
        nn.run(e, 40)
        z.spikes.sum().backward()
        assert bool(group.back.weight.grad.any())
        return z

    model = run()
    seen = run(backend="emulator", chip=VirtualChip.of(0, "ideal"), cadc_period=1e-6)

    assert model.spikes.sum() > 20
    torch.testing.assert_close(seen.spikes, model.spikes, rtol=0, atol=0)


def test_eventprop_layers_pass_on_what_the_chip_showed():
    e = nn.Experiment(backend="emulator", chip=VirtualChip.of(1))
    synapse = nn.EventPropSynapse(5, 4, e)
    synapse.weight.data.fill_(40.0)
    z = nn.EventPropLIF(4, e)(synapse(raster(5, rate=0.4)))
    nn.run(e)
    z.spikes.sum().backward()

    assert z.spikes.sum() > 0
    assert z.current is None
    assert bool(synapse.weight.grad.any())


def test_layers_that_do_not_fit_go_into_several_execution_instances():
    e = nn.Experiment(backend="emulator", chip=VirtualChip.of(0, "ideal"))
    first, second = nn.Synapse(4, 520, e), nn.Synapse(520, 2, e)
    first.weight.data.fill_(60.0)
    y = nn.LI(2, e)(second(nn.LIF(520, e)(first(raster(4, batch=1, rate=0.5)))))
    nn.run(e)

    assert e.config.instances > 1
    assert y.membrane_cadc.shape == (1, 40, 2)


def test_given_execution_instances_are_kept():
    e = nn.Experiment(backend="emulator", chip=VirtualChip.of(0, "ideal"))
    second = nn.ExecutionInstance()
    hidden = nn.LIF(4, e)
    first, to_second = nn.Synapse(4, 4, e), nn.Synapse(4, 2, e)
    first.weight.data.fill_(60.0)
    to_second.weight.data.fill_(40.0)
    y = nn.LI(2, e, execution_instance=second)(to_second(hidden(first(raster(4, rate=0.5)))))
    nn.run(e)

    assert [p.instance for p in e.config.populations] == [0, 1]
    assert float(y.membrane_cadc.detach().std()) > 0


def test_sparse_synapses_take_rows_only_where_they_are():
    torch.manual_seed(0)
    e = nn.Experiment(backend="emulator", chip=VirtualChip.of(0, "ideal"))
    mask = (torch.rand(40, 6) < 0.2).float()
    synapse = nn.SparseSynapse(mask, e)
    li = nn.LI(6, e)
    for sign in (1.0, -1.0):
        synapse.weight.data.fill_(20.0 * sign)
        y = li(synapse(raster(40, rate=0.3)))
        nn.run(e)
        moved = (y.membrane_cadc.detach().mean((0, 1)) - 80.0) * sign
        assert bool((moved > 1).eq(mask.sum(0) > 0).all())

    used = np.count_nonzero(e.config.synapse_weight)
    assert used == int(mask.sum())


def test_neurons_with_many_inputs_get_as_many_circuits_as_they_need():
    e = nn.Experiment(backend="emulator", chip=VirtualChip.of(0, "ideal"), cadc_period=1e-6)
    synapse, li = nn.Synapse(300, 4, e), nn.LI(4, e)
    synapse.weight.data = torch.round(torch.rand(4, 300, generator=torch.Generator()) * 4 - 2)
    x = raster(300, rate=0.02)
    y = li(synapse(x))
    nn.run(e)
    seen = y.membrane_cadc.detach()
    model = nn.Experiment()
    same, other = nn.Synapse(300, 4, model), nn.LI(4, model)
    same.weight.data = synapse.weight.data * 45 / 55
    y = other(same(x))
    nn.run(model)

    assert e.config.populations[0].circuits == 3
    assert "BS132" in {d.code for d in e.diagnostics}
    assert float((seen - y.membrane_cadc.detach()).abs().max()) < 0.6  # half an LSB


def test_the_time_first_layout_works_on_a_chip():
    def run(layout, x):
        e = nn.Experiment(backend="emulator", chip=VirtualChip.of(1), layout=layout)
        synapse = nn.Synapse(4, 2, e)
        synapse.weight.data.fill_(30.0)
        z = nn.LIF(2, e, enable_madc_recording=True)(synapse(x))
        nn.run(e)
        return z

    plain = run("batch_first", raster(4))
    turned = run("time_first", nn.time_first(raster(4)))

    for name, value in nn.batch_first(turned).tensors().items():
        torch.testing.assert_close(value, getattr(plain, name), rtol=0, atol=0)


def test_neurons_sit_on_the_circuits_that_they_are_given():
    e = nn.Experiment(backend="emulator", chip=VirtualChip.of(0, "ideal"))
    li = nn.LI(3, e, placement_constraint=[256, 300, 511])
    li(nn.Synapse(4, 3, e)(raster(4)))
    nn.run(e)

    assert e.config.neuron_circuit.tolist() == [256, 300, 511]


def test_potentials_that_do_not_fit_the_model_are_told():
    e = nn.Experiment(backend="emulator", chip=VirtualChip.of(0, "ideal"))
    lif = nn.LIF(2, e, leak=MIXED(0, 80), reset=MIXED(0, 80), threshold=MIXED(1, 125))
    lif(nn.Synapse(4, 2, e)(raster(4)))
    nn.run(e)

    told = [d for d in e.diagnostics if d.code == "BS117"]

    assert {str(d.message).split()[0] for d in told} == {"threshold", "trace_offset"}
    assert "ranvier_bss2.alignment" in told[0].hint


def test_an_aligned_layer_reads_the_chip_in_units_of_the_model():
    chip = VirtualChip.of(4)
    network = Network(backend="emulator", chip=chip)
    network(raster(10))
    before = network(raster(10))[1].membrane_cadc
    measured = align(network.experiment.config, chip, population="li", runs=4)

    network.li.use_alignment(measured)
    network.second.use_alignment(measured)
    after = network(raster(10))[1].membrane_cadc

    rest = [(trace[:, 0].detach().mean(0) - 0.0).abs().max() for trace in (before, after)]
    assert float(rest[1]) < 0.5 * float(rest[0])
    assert network.li.recording.trace_scale is measured.trace_scale
    wanted = (network.second.weight.detach() * measured.weight_scale).abs()
    assert float((network.second.hardware_weight.abs() - wanted).abs().max()) <= 0.5


def test_runs_longer_than_the_memory_of_the_converter_are_told_with_advice():
    e = nn.Experiment(backend="emulator", chip=VirtualChip.of(0, "ideal"))
    long, deep = nn.LI(1, e), nn.LI(1, e, enable_cadc_recording_placement_in_dram=True)
    synapse = nn.Synapse(4, 1, e)
    told = []
    for layer in (long, deep):
        layer(synapse(raster(4, batch=1, steps=300)))
        nn.run(e)
        told.append([d for d in e.diagnostics if d.code == "BS230"])

    assert "enable_cadc_recording_placement_in_dram" in told[0][0].hint
    assert told[0][0].limit == 100
    assert not told[1]


def test_a_calibrated_chip_takes_the_place_of_the_fabricated_one():
    chip = VirtualChip.of(1, "uncalibrated")
    result = calibrate(chip, trials=4)
    before = Network(backend="emulator", chip=chip)(raster(10))[1].membrane_cadc
    after = Network(backend="emulator", chip=chip, calibration=result)(raster(10))[1]
    model = Network()(raster(10))[1].membrane_cadc.detach()

    def error(trace):
        return float((trace.detach() - model).square().mean())

    assert error(after.membrane_cadc) < 0.5 * error(before)


class BrokenSession:
    """A chip that fails in its second run."""

    closed, runs, raw = False, 0, None

    def __init__(self, config, device, options):
        self.emulator = Emulator(config, VirtualChip.of(0, "ideal"))
        self.options = options

    def reset(self):
        self.emulator.reset()

    def update(self, config):
        raise DeviceError("bss2: no answer")

    def run(self, inputs, *, trial_seed):
        self.raw = self.emulator.run(inputs, trial_seed=trial_seed)
        return SimpleNamespace(diagnostics=(NEVER_ON_SILICON.at(None, "somewhere"),))

    def close(self):
        self.closed = True


def opened(monkeypatch):
    sessions = []

    def open_device(*arguments):
        sessions.append(BrokenSession(*arguments))
        return sessions[-1]

    monkeypatch.setattr("ranvier_bss2.driver.open_device", open_device)
    return sessions


def test_a_chip_that_fails_is_released_and_opened_again_for_the_next_run(monkeypatch):
    sessions = opened(monkeypatch)
    network = Network(backend="hardware", device="somewhere")
    network(raster(10))

    with pytest.raises(DeviceError, match="no answer"):
        network(raster(10))

    assert sessions[0].closed
    network(raster(10))
    assert len(sessions) == 2


def test_leaving_the_block_of_an_experiment_releases_the_chip(monkeypatch):
    sessions = opened(monkeypatch)
    network = Network(backend="hardware", device="somewhere")
    with network.experiment:
        network(raster(10))

    assert sessions[0].closed


def test_the_file_of_an_instance_is_handed_to_the_driver_by_its_name(monkeypatch, tmp_path):
    sessions, file = opened(monkeypatch), tmp_path / "spiking.pkl"
    file.write_bytes(b"never opened")
    network = Network(backend="hardware", device="somewhere")
    network.experiment.default_execution_instance.load_calib(file)
    network(raster(10))

    assert sessions[0].options.calibration == file


def test_what_the_driver_notices_is_among_the_findings(monkeypatch):
    opened(monkeypatch)
    network = Network(backend="hardware", device="somewhere")
    network(raster(10))

    assert "BS301" in {d.code for d in network.experiment.diagnostics}


def test_a_missing_calibration_file_is_told_before_a_chip_is_opened(monkeypatch, tmp_path):
    sessions = opened(monkeypatch)
    missing = tmp_path / "spiking.pkl"
    network = Network(backend="hardware", device="somewhere", calibration=missing)

    with pytest.raises(InputError, match="no file"):
        network(raster(10))
    assert not sessions


def test_the_emulator_does_not_read_calibration_files():
    network = Network(backend="emulator", calibration="spiking.pkl")

    with pytest.raises(InputError, match="load_calibration"):
        network(raster(10))


def test_a_calibrated_chip_is_the_same_behind_the_loopback_and_tells_other_targets():
    result = calibrate(VirtualChip.of(1, "uncalibrated"), trials=1)
    seen = []
    for settings in ({"backend": "emulator"}, {"backend": "hardware", "device": "loopback"}):
        experiment = nn.Experiment(calibration=result, **settings)
        synapse, neurons = nn.Synapse(4, 3, experiment), nn.LIF(3, experiment, threshold=130.0)
        synapse.weight.data.fill_(20.0)
        handle = neurons(synapse(raster(4, rate=0.3)))
        nn.run(experiment)
        seen.append(handle.membrane_cadc.detach())
        assert [d.code for d in experiment.diagnostics].count("BS404") == 1

    torch.testing.assert_close(*seen, rtol=0, atol=0)


def test_a_real_chip_refuses_the_calibration_of_a_virtual_one():
    result = calibrate(VirtualChip.of(1, "uncalibrated"), trials=1)
    network = Network(backend="hardware", device="hxtorch", calibration=result)

    with pytest.raises(InputError, match="a chip takes a file of calix"):
        network(raster(10))
