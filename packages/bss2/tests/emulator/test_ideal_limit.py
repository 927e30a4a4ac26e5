"""An ideal chip with one Euler step computes the model's own numerics, in other units."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from ranvier_bss2 import VirtualChip
from ranvier_bss2.emulator import Emulator
from ranvier_bss2.records import spike_grid

chips = runpy.run_path(str(Path(__file__).parents[1] / "small_chips.py"))
population, projection, level_a = chips["population"], chips["projection"], chips["level_a"]
IDEAL = VirtualChip.of(0, "ideal")
ADEX = ("leaky", "fire", "exponential", "subthreshold_adaptation", "spike_triggered_adaptation")


def weights(rng, n_out, n_in, low=-30, high=50):
    return rng.integers(low, high, size=(n_out, n_in))


def compared(inputs, populations, projections, *, masks=None, n_steps=80, rate=0.15, seed=0):
    """Return the emulator's spikes and membranes, and those of the model, by population."""
    rng = np.random.default_rng(seed)
    config, layout = chips["chip"](inputs, populations, projections, masks=masks)
    x = {n: (rng.random((3, n_steps, *s)) < rate).astype(int) for n, s in inputs.items()}
    expected = level_a(config, [q.weight for q in projections], x)
    emulator = Emulator(config, IDEAL, layout=layout)
    membranes = {p.name: [] for p in populations}
    spikes = {p.name: [] for p in populations}
    for t in range(n_steps):
        raw = emulator.run({n: v[:, t : t + 1] for n, v in x.items()}, trial_seed=0)
        state = emulator.get_state()
        for k, p in enumerate(populations):
            grid = spike_grid(raw[p.name].spikes, n_samples=3, size=p.size, length=1, dt=1e-6)
            spikes[p.name].append(grid)
            v = np.zeros((3, p.size))
            for i, part in enumerate(emulator._parts):
                own = np.flatnonzero(part.realised.population == k)
                v[:, part.realised.index[own]] = state[f"{i}/v_mem"][:, own]
            membranes[p.name].append((v - 80) * chips["SCALE"] + p.model["leak"])
    found = {
        p.name: (np.concatenate(spikes[p.name], 1), np.stack(membranes[p.name], 1))
        for p in populations
    }
    return found, expected


def check(found, expected):
    for name, (spikes, v) in found.items():
        assert np.abs(v - expected[name][1]).max() < 1e-12
        np.testing.assert_array_equal(spikes, expected[name][0])


def test_two_layers_agree_in_every_spike_and_membrane():
    rng = np.random.default_rng(1)
    hidden = population("hidden", 20, refractory=1e-6, tau_mem=[5e-6] * 10 + [10e-6] * 10)
    readout = population("readout", 3, switches=("leaky",), tau_syn=6e-6)
    first = projection("input", "hidden", weights(rng, 20, 10))
    second = projection("hidden", "readout", weights(rng, 3, 20))

    found, expected = compared({"input": (10,)}, [hidden, readout], [first, second])

    check(found, expected)
    assert expected["hidden"][0].sum() > 100


def test_a_recurrent_layer_agrees():
    rng = np.random.default_rng(2)
    layer = population("layer", 12, reset=-0.2, refractory=3e-6)
    first = projection("input", "layer", weights(rng, 12, 8, -10, 60))
    loop = projection("layer", "layer", weights(rng, 12, 12, -60, 40), delay=1)

    found, expected = compared({"input": (8,)}, [layer], [first, loop])

    check(found, expected)
    assert expected["layer"][0].sum() > 50


@pytest.mark.parametrize(
    "fields",
    [
        {"switches": ("fire",), "leak": 0.0},
        {"switches": ("fire",), "leak": 0.3, "reset": 0.1, "threshold": 1.5},
        {"leak": 0.2, "reset": 0.1, "threshold": 1.1, "refractory": 2.5e-6},
        {"capacitance": 20e-6, "tau_mem": 5e-6},
        {"i_synin_gm": 400.0, "synapse_dac_bias": 800.0, "membrane_capacitance": 50.0},
        {"switches": ADEX, "exp_slope": 0.2, "exp_threshold": 0.9, "a": 0.5, "b": 0.1},
        {"switches": ADEX[:2] + ADEX[3:], "a": -0.3, "b": 0.2, "leak_adaptation": 0.1},
    ],
    ids=["if", "if-off-zero", "leak", "capacitance", "codes", "adex", "adaptation"],
)
def test_every_kind_of_neuron_agrees(fields):
    rng = np.random.default_rng(3)
    layer = population("layer", 9, **fields)
    first = projection("input", "layer", weights(rng, 9, 8, -20, 40))

    found, expected = compared({"input": (8,)}, [layer], [first])

    check(found, expected)
    assert expected["layer"][0].sum() > 10


def test_neurons_of_several_circuits_add_their_inputs():
    rng = np.random.default_rng(4)
    layer = population("layer", 4, circuits=2)
    first = projection("input", "layer", weights(rng, 4, 200, -10, 12))

    found, expected = compared({"input": (200,)}, [layer], [first], rate=0.05)

    check(found, expected)
    assert expected["layer"][0].sum() > 10


def test_weights_beyond_one_synapse_take_several():
    layer = population("layer", 2)
    first = projection("input", "layer", [[150, -70, 40], [64, 127, -200]])

    found, expected = compared({"input": (3,)}, [layer], [first])

    check(found, expected)


def test_instances_run_one_after_the_other():
    rng = np.random.default_rng(5)
    hidden = population("hidden", 6, split=(4, 2))
    readout = population("readout", 3, instance=2)
    first = projection("input", "hidden", weights(rng, 6, 5, -10, 60))
    second = projection("hidden", "readout", weights(rng, 3, 6, 0, 63))

    found, expected = compared({"input": (5,)}, [hidden, readout], [first, second], rate=0.3)

    check(found, expected)
    assert expected["readout"][0].sum() > 3


def test_masked_neurons_pass_nothing_on_but_reset():
    rng = np.random.default_rng(6)
    hidden, readout = population("hidden", 6), population("readout", 2, switches=("leaky",))
    first = projection("input", "hidden", weights(rng, 6, 5, 0, 60))
    second = projection("hidden", "readout", weights(rng, 2, 6, 10, 63))
    mask = np.array([True, False, True, False, True, False])

    found, expected = compared(
        {"input": (5,)}, [hidden, readout], [first, second], masks={"hidden": mask}, rate=0.3
    )

    check(found, expected)
    assert not found["hidden"][0][..., ~mask].any()
    assert found["hidden"][0][..., mask].any()


def test_several_inputs_and_projections_into_one_layer_are_summed():
    rng = np.random.default_rng(7)
    layer = population("layer", 5)
    both = [projection(n, "layer", weights(rng, 5, 4, -10, 40)) for n in ("a", "b", "a")]

    found, expected = compared({"a": (4,), "b": (2, 2)}, [layer], both)

    check(found, expected)


def test_a_published_example_is_met():
    """Weight 50, leak 80, threshold 125, spikes at 10, 15, 20, 30: one spike, at step 22."""
    config, _ = chips["chip"](
        {"input": (1,)},
        [population("lif", 1, refractory=1e-6, cadc="dram")],
        [projection("input", "lif", [[55]])],
    )
    x = np.zeros((1, 40, 1), dtype=int)
    x[0, [10, 15, 20, 30]] = 1
    scaled = config.model_copy(update={"kappa": 50 / 55})

    raw = Emulator(scaled, IDEAL, cadc_period=1e-6).run({"input": x}, trial_seed=0)

    assert raw["lif"].spikes.cycle.tolist() == [22 * 125]
    cadc = raw["lif"].cadc.values[0, :, 0]
    assert cadc[11:16].tolist() == [85, 89, 92, 95, 96]
    assert cadc[22:24].tolist() == [80, 80]
