import runpy
from pathlib import Path

import numpy as np
import pytest

from ranvier.artifacts import OutputChannel
from ranvier.errors import InputError, RanvierError, SimulationError
from ranvier_dynapse2 import Dynapse2Session, SimulateOptions
from ranvier_dynapse2.config import LATCHES
from ranvier_dynapse2.dpi import run_layer
from ranvier_dynapse2.simulator import prepare_board

boards = runpy.run_path(str(Path(__file__).parents[1] / "random_configs.py"))
random_config, wired_config, replaced = (
    boards[n] for n in ("random_config", "wired_config", "replaced")
)
MODELS = ("merged_synapse", "four_synapse")
A, B, C = (0, 1, 20), (1, 3, 200), (1, 0, 7)


def spikes(batch=3, steps=60, shape=(6, 2), rate=0.25, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.random((batch, steps, *shape)) < rate).astype(np.int64)


@pytest.fixture(scope="module")
def config():
    return random_config(chips=2, used=10, fan_in=12, seed=1)[0]


def same(one, other):
    assert set(one.signals) == set(other.signals)
    for key in one.signals:
        np.testing.assert_array_equal(one.raw(*key), other.raw(*key), err_msg=str(key))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("mismatch", [0.0, 0.15])
def test_a_board_computes_what_its_intended_connections_compute(model, mismatch):
    """Against dense matrices, made from what the generator meant, not from the routing."""
    config, intended = random_config(chips=2, used=10, fan_in=12, seed=1, model=model)
    options = SimulateOptions(mismatch=mismatch, chip_seed=7)
    board = prepare_board(config, options)
    n, p = board.positions.size, board.parameters.n_ports
    base = [config.current(f"SYAM_W{k}_P").reshape(-1) for k in range(4)]
    weight = np.zeros((12 + n, n * p))
    local = {int(position): k for k, position in enumerate(board.positions)}
    for source, target, port, mask in intended.rows.tolist():
        level = sum(base[k][target // 256] for k in range(4) if mask >> k & 1) / 1e-8
        row = source if source < 12 else 12 + local[source - 12]
        if p == 1:
            weight[row, local[target]] += level * (-1) ** port
        else:
            weight[row, local[target] * p + port] += level
    x = spikes().reshape(3, 60, 12)
    names = ("i_ahp", "i_mem", "v_mem")
    expected = run_layer(board.parameters, x @ weight[:12], weight_rec=weight[12:].T, record=names)
    with Dynapse2Session(config, options) as session:
        recording = session.run(x.reshape(3, 60, 6, 2), record=True)
    total = 0
    for node in ("hidden", "out"):
        own = board.columns[node]
        np.testing.assert_array_equal(recording.raster(node), expected.spikes[:, :, own])
        total += int(recording.raster(node).sum())
        for name in names:
            np.testing.assert_allclose(
                recording.trace(node, name), expected.traces[name][:, :, own], rtol=2e-3, atol=1e-12
            )
    assert total > 100


def test_one_spike_walks_from_chip_to_chip_with_one_step_per_hop():
    config = wired_config(
        {"hidden": [A], "out": [B, C]},
        chips=2,
        channels=2,
        packets=[(1, 5, 0b0010, 0)],
        words=[(A, 1500, 0b1000, 1)],
        entries=[(A, 5, "ampa", 15)] * 12 + [(B, 1500, "ampa", 15)] * 12,
    )
    x = np.zeros((1, 12, 2), dtype=np.int64)
    x[0, 2, 1] = 30
    with Dynapse2Session(config) as session:
        recording = session.run(x, record=True)
        hidden = np.flatnonzero(recording.raster("hidden")[0, :, 0])
        rise = recording.trace("out", "i_syn")[0]
    assert hidden.size
    first = int(np.flatnonzero(np.diff(recording.trace("hidden", "i_syn")[0, :, 0]) > 1e-10)[0]) + 1
    assert first == 2
    moved = int(np.flatnonzero(np.diff(rise[:, 0]) > 1e-10)[0]) + 1
    assert moved == hidden[0] + 1
    assert rise[:, 1].max() < 1e-12
    with Dynapse2Session(config) as session:
        assert not session.run(np.zeros_like(x), record=True).raster("hidden").any()


@pytest.mark.parametrize("model", MODELS)
def test_a_batch_is_a_loop_and_chunks_are_one_run(config, model):
    options = SimulateOptions(model=model, mismatch=0.1, chip_seed=2)
    x = spikes()
    with Dynapse2Session(config, options) as session:
        whole = session.run(x, record=True)
        assert whole.raster("out").any()
        for number, sample in enumerate(x):
            session.reset()
            single = session.run(sample, record=True)
            for key in whole.signals:
                np.testing.assert_array_equal(single.raw(*key), whole.raw(*key)[number])
        session.reset()
        parts = list(session.stream(np.split(x, [1, 23, 50], axis=1), record=True))
        for key in whole.signals:
            joined = np.concatenate([p.raw(*key) for p in parts], axis=1)
            np.testing.assert_array_equal(joined, whole.raw(*key))


def test_state_can_be_taken_and_put_back_and_is_a_copy(config):
    with Dynapse2Session(config) as session, Dynapse2Session(config) as other:
        session.run(spikes())
        state = session.state
        before = {name: values.copy() for name, values in state.items()}
        expected = session.run(spikes(seed=1), record=True)
        for name, values in before.items():
            np.testing.assert_array_equal(state[name], values)
        other.state = state
        same(other.run(spikes(seed=1), record=True), expected)
        session.state = state
        same(session.run(spikes(seed=1), record=True), expected)


def test_state_before_the_first_run_is_at_rest(config):
    with Dynapse2Session(config) as session:
        state = session.state
        assert {len(values) for values in state.values()} == {1}
        np.testing.assert_array_equal(state["v_mem"], 0)
        fresh = session.run(spikes(batch=1), record=True)
        session.state = state
        same(session.run(spikes(batch=1), record=True), fresh)


def test_a_foreign_state_is_refused(config):
    other, _ = random_config(chips=1, used=5, seed=9)
    with Dynapse2Session(config) as session, Dynapse2Session(other) as stranger:
        state = session.state
        with pytest.raises(RanvierError, match="state"):
            session.state = stranger.state
        with pytest.raises(RanvierError, match="colour"):
            session.state = {**state, "colour": np.zeros(3)}
        with pytest.raises(RanvierError, match="lacks"):
            session.state = {name: v for name, v in state.items() if name != "timer"}
        with pytest.raises(RanvierError, match="state"):
            session.state = {name: v[..., :0] for name, v in state.items()}


def test_another_batch_size_needs_a_reset(config):
    with Dynapse2Session(config) as session:
        session.run(spikes(batch=3))
        with pytest.raises(SimulationError, match=r"holds 3 samples, the input 2; call reset"):
            session.run(spikes(batch=2))
        session.reset()
        session.run(spikes(batch=2))


def test_signals_have_the_units_and_shapes_of_the_graph(config):
    with Dynapse2Session(config) as session:
        offers = session.recordable()
        recording = session.run(spikes(), record=True)
    assert offers == dict.fromkeys(
        ("hidden", "out"), ("spikes", "i_syn", "i_ahp", "i_mem", "v_mem")
    )
    for node, names in offers.items():
        for name in names[1:]:
            signal = recording[node, name]
            assert signal.unit == ("V" if name == "v_mem" else "A")
            assert signal.values.dtype == np.float32
            assert signal.values.shape == (3, 60, *config.node_shapes[node])
    assert recording.output.shape == (3, 60, 20)
    np.testing.assert_array_equal(recording.output, recording.raster("out"))


def test_nodes_keep_their_shape():
    config, _ = random_config(chips=1, used=8, seed=2)
    shaped = replaced(config, node_shapes={"hidden": (24,), "out": (2, 4)})
    with Dynapse2Session(config) as flat, Dynapse2Session(shaped) as session:
        recording = session.run(spikes(), record=True)
        expected = flat.run(spikes(), record=True)
    assert recording.output.shape == (3, 60, 2, 4)
    np.testing.assert_array_equal(recording.output.reshape(3, 60, 8), expected.output)


def test_the_four_synapse_model_can_be_chosen_and_shows_its_currents(config):
    with Dynapse2Session(config, SimulateOptions(model="four_synapse")) as session:
        names = session.recordable()["out"]
        recording = session.run(spikes(), record=True)
    assert names == ("spikes", "i_ampa", "i_gaba", "i_nmda", "i_shunt", "i_ahp", "i_mem", "v_mem")
    assert recording.trace("out", "i_gaba").max() > 1e-9
    assert recording.provenance["model"] == "four_synapse"


def test_outputs_are_what_the_configuration_says(config):
    outputs = (
        OutputChannel(output="a", node="out", quantity="v_mem"),
        OutputChannel(output="b", node="hidden"),
    )
    with Dynapse2Session(replaced(config, outputs=outputs)) as session:
        recording = session.run(spikes())
    assert recording.outputs == {"a": ("out", "v_mem"), "b": ("hidden", "spikes")}
    assert set(recording.signals) == {("out", "v_mem"), ("hidden", "spikes")}


def test_an_output_of_the_other_model_is_refused(config):
    outputs = (OutputChannel(output="a", node="out", quantity="i_syn"),)
    with (
        Dynapse2Session(
            replaced(config, outputs=outputs), SimulateOptions(model="four_synapse")
        ) as session,
        pytest.raises(SimulationError, match="shows i_syn, the model 'four_synapse' has"),
    ):
        session.run(spikes())


def test_virtual_chips_differ_by_their_seed(config):
    def output(**options):
        with Dynapse2Session(config, SimulateOptions(**options)) as session:
            return session.run(spikes(), record=["v_mem"]).trace("out", "v_mem")

    ideal, one = output(), output(mismatch=0.2, chip_seed=1)
    np.testing.assert_array_equal(one, output(mismatch=0.2, chip_seed=1))
    assert not np.array_equal(one, output(mismatch=0.2, chip_seed=2))
    assert not np.array_equal(one, ideal)
    np.testing.assert_array_equal(ideal, output(chip_seed=5))


def killed(config, node, count):
    place = config.placement
    rows = np.flatnonzero(place.node_id == place.node.index(node))[:count]
    latches = np.array(config.latches)
    latches[place.chip[rows], place.core[rows], place.slot[rows], LATCHES.index("soif_kill")] = True
    return replaced(config, latches=latches)


def test_neurons_that_are_switched_off_stay_silent_at_rest_and_are_named(config):
    with Dynapse2Session(config) as session:
        assert session.run(spikes()).output[..., :5].any(axis=(0, 1)).all()
    with Dynapse2Session(killed(config, "out", 5)) as session:
        recording = session.run(spikes(), record=True)
    assert not recording.output[..., :5].any()
    assert recording.output[..., 5:].any()
    np.testing.assert_array_equal(recording.trace("out", "v_mem")[..., :5], 0.0)
    np.testing.assert_array_equal(
        recording.trace("out", "i_mem")[..., :5], np.float32(config.layout.i_o)
    )
    (finding,) = [d for d in recording.diagnostics if d.code == "DY231"]
    assert (finding.node, finding.value) == ("out", 5)


def test_a_board_without_a_neuron_that_runs_is_silent(config):
    off = killed(killed(config, "out", 20), "hidden", 60)
    with Dynapse2Session(off) as session:
        recording = session.run(spikes(), record=True)
    assert not recording.output.any()
    assert recording.trace("hidden", "v_mem").shape == (3, 60, 60)


def test_lost_packets_are_reported(config):
    x = np.array(config.sram_x)
    at = tuple(np.argwhere(config.sram_used & (config.sram_x == 0))[0])
    x[at] = 6
    with Dynapse2Session(replaced(config, sram_x=x)) as session:
        recording = session.run(spikes())
    (finding,) = [d for d in recording.diagnostics if d.code == "DY230"]
    assert (finding.severity, finding.value, finding.limit) == ("loss", 1, 0)
    assert f"chip {at[0]} core {at[1]} neuron {at[2]}" in finding.message
    assert "hops (6, 0)" in finding.message


def test_switches_without_a_model_are_reported(config):
    latches = np.array(config.latches)
    latches[0, 0, :3, LATCHES.index("ho_enable")] = True
    flags = np.array(config.cam_flags)
    flags[tuple(np.argwhere(config.cam_dendrite != 0)[:2].T)] = 1
    with Dynapse2Session(replaced(config, latches=latches, cam_flags=flags)) as session:
        found = [d for d in session.run(spikes()).diagnostics if d.code == "DY232"]
    assert [d.value for d in found] == [3, 2]
    assert "ho_enable" in found[0].message
    assert "stp" in found[1].message


def test_outputs_that_the_host_cannot_hear_are_reported(config):
    used = np.array(config.sram_used)
    words = {
        n: np.array(getattr(config, n)) for n in ("sram_tag", "sram_cores", "sram_x", "sram_y")
    }
    place = config.placement
    rows = np.flatnonzero(place.node_id == place.node.index("out"))
    first, second, third = (
        (int(place.chip[r]), int(place.core[r]), int(place.slot[r])) for r in rows[:3]
    )
    used[(*first, 0)] = False
    for values in words.values():
        values[(*first, 0)] = 0
    words["sram_tag"][(*second, 0)] = words["sram_tag"][(*third, 0)]
    with Dynapse2Session(replaced(config, sram_used=used, **words)) as session:
        found = {d.code: d for d in session.run(spikes()).diagnostics}
    assert found["DY233"].value == 1
    assert found["DY234"].value == 2
    assert found["DY233"].node == "out"


def test_a_board_as_mapped_has_no_findings(config):
    with Dynapse2Session(config) as session:
        assert session.run(spikes()).diagnostics == ()


def test_the_recording_says_what_ran(config):
    options = SimulateOptions(mismatch=0.1, chip_seed=3, mismatch_overrides={"c_mem": 0.2})
    x = spikes()
    with Dynapse2Session(config, options) as session:
        recording = session.run(x, record=["spikes"])
    told = recording.provenance
    assert (told["target"], told["session"], told["model"]) == (
        "dynapse2",
        "simulator",
        "merged_synapse",
    )
    assert told["config"] == config.content_hash
    assert (told["chip_seed"], told["mismatch"]) == (3, 0.1)
    assert told["mismatch_overrides"] == {"c_mem": 0.2}
    assert told["input_spikes"] == x.sum(axis=(0, 1)).ravel().tolist()
    assert told["neuron_spikes"]["out"] == recording.raster("out").sum(axis=(0, 1)).tolist()


def test_an_update_of_registers_keeps_the_state(config):
    k = config.bias_names.index("SOIF_LEAK_N")
    fine = np.array(config.bias_fine)
    fine[..., k] += 20
    faster = replaced(config, bias_fine=fine)
    with Dynapse2Session(config) as session, Dynapse2Session(faster) as other:
        session.run(spikes())
        other.state = session.state
        session.update(faster)
        assert session.config is faster
        same(session.run(spikes(seed=1), record=True), other.run(spikes(seed=1), record=True))


def test_an_update_with_other_neurons_starts_at_rest(config):
    off = killed(config, "out", 1)
    with Dynapse2Session(config) as session, Dynapse2Session(off) as fresh:
        session.run(spikes())
        session.update(off)
        same(session.run(spikes(), record=True), fresh.run(spikes(), record=True))


def test_an_update_with_a_stranger_is_refused(config):
    other, _ = random_config(chips=1, inputs=(5,), seed=9)
    with Dynapse2Session(config) as session:
        with pytest.raises(SimulationError, match="expected a Dynapse2Config, got int"):
            session.update(3)
        with pytest.raises(SimulationError, match=r"with inputs .* open a new session"):
            session.update(other)
        with pytest.raises(SimulationError, match=r"0\.002 s"):
            session.update(replaced(config, dt=2e-3))


def test_several_inputs_are_joined_in_order(config):
    two = replaced(
        config,
        input_shapes={"left": (4,), "right": (2, 4)},
        placement=_renamed(config.placement),
    )
    x = spikes()
    flat = x.reshape(3, 60, 12)
    with Dynapse2Session(config) as session, Dynapse2Session(two) as other:
        expected = session.run(x, record=True)
        recording = other.run(
            {"right": flat[..., 4:].reshape(3, 60, 2, 4), "left": flat[..., :4]}, record=True
        )
    same(recording, expected)


def _renamed(place):
    """The placement of two inputs instead of one."""
    rows = place.port_id == 1
    right = rows & (place.index >= 4)
    node = np.where(right, 3, place.node_id)
    index = np.where(right, place.index - 4, place.index)
    return type(place)(
        (*place.node[:2], "left", "right"),
        place.port,
        node,
        index,
        place.chip,
        place.core,
        place.slot,
        place.port_id,
    )


def test_bad_inputs_are_refused(config):
    with Dynapse2Session(config) as session:
        with pytest.raises(InputError, match="negative"):
            session.run(-spikes())
        with pytest.raises(InputError, match=r"shape \(60, 5\)"):
            session.run(np.zeros((60, 5), dtype=np.int64))
        with pytest.raises(InputError, match="colour"):
            session.run(spikes(), record=["colour"])


def test_signals_are_in_order_of_the_graph_whatever_the_order_of_the_placement(config):
    mixed = boards["shuffled_placement"](config)
    with Dynapse2Session(config) as session, Dynapse2Session(mixed) as other:
        same(other.run(spikes(), record=True), session.run(spikes(), record=True))
