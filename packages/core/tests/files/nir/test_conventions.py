import math
import runpy
from pathlib import Path
from types import SimpleNamespace

import nir
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import ranvier
from ranvier.errors import FileError, InputError
from ranvier.files import graph_from_nir

HERE = Path(__file__).parent
frameworks = SimpleNamespace(**runpy.run_path(str(HERE / "frameworks.py")))
run = runpy.run_path(str(HERE.parent / "canonical.py"))["run"]
few = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 2**32 - 1)


def single(node, weight=1.0):
    """Input, one weight, one neuron, output."""
    linear = nir.Linear(weight=np.array([[weight]]))
    return nir.NIRGraph.from_list(linear, node)


def emitted(graph, x):
    """What the only output of a graph emits, (time,)."""
    return run(graph, np.asarray(x, dtype=float)[:, None])[graph.outputs[0]][:, 0]


def arrays(**fields):
    return {name: np.array([value]) for name, value in fields.items()}


def drawn(seed, steps=80):
    rng = np.random.default_rng(seed)
    return rng, rng.normal(0.6, 1.5, steps), 1e-3


@given(seeds)
@few
def test_nir_lif_is_forward_euler_of_its_equation(seed):
    rng, x, dt = drawn(seed)
    fields = {
        "tau": rng.uniform(2, 30) * dt,
        "r": rng.uniform(0.5, 20),
        "v_leak": rng.uniform(-0.2, 0.2),
        "v_threshold": rng.uniform(0.5, 2),
        "v_reset": rng.uniform(-0.5, 0.3),
    }

    graph = graph_from_nir(single(nir.LIF(**arrays(**fields))), dt=dt)

    expected = frameworks.nir_lif(x, dt=dt, **fields)
    np.testing.assert_array_equal(emitted(graph, x), expected)


@given(seeds)
@few
def test_nir_cuba_lif_uses_the_new_current_and_both_gains(seed):
    rng, x, dt = drawn(seed)
    fields = {
        "tau_mem": rng.uniform(2, 30) * dt,
        "tau_syn": rng.uniform(2, 30) * dt,
        "r": rng.uniform(0.5, 20),
        "w_in": rng.uniform(0.5, 20),
        "v_leak": rng.uniform(-0.2, 0.2),
        "v_threshold": rng.uniform(0.5, 2),
        "v_reset": rng.uniform(-0.5, 0.3),
    }

    graph = graph_from_nir(single(nir.CubaLIF(**arrays(**fields))), dt=dt)

    expected = frameworks.nir_cuba(x, dt=dt, **fields)
    np.testing.assert_array_equal(emitted(graph, x), expected)


@given(seeds)
@few
def test_exponential_scheme_is_a_zero_order_hold(seed):
    rng, x, dt = drawn(seed)
    fields = {
        "tau": rng.uniform(1, 30) * dt,
        "r": rng.uniform(1, 20),
        "v_leak": rng.uniform(-0.2, 0.2),
        "v_threshold": rng.uniform(0.5, 2),
    }

    graph = graph_from_nir(
        single(nir.LIF(**arrays(**fields))), dt=dt, scheme="exponential", reset="subtract"
    )

    expected = frameworks.exact_lif(x, dt=dt, **fields)
    np.testing.assert_array_equal(emitted(graph, x), expected)


@given(seeds)
@few
def test_norse_ignores_r_and_resets_to_zero(seed):
    rng, x, dt = drawn(seed)
    fields = {
        "tau": rng.uniform(2, 30) * dt,
        "v_leak": rng.uniform(-0.2, 0.2),
        "v_threshold": rng.uniform(0.05, 0.3),
    }
    node = nir.LIF(**arrays(**fields, r=7.0, v_reset=-0.5))

    graph = graph_from_nir(single(node), dt=dt, convention="norse")

    expected = frameworks.norse_lif(x, dt=dt, **fields)
    np.testing.assert_array_equal(emitted(graph, x), expected)
    lost = {d["message"].split()[0] for d in graph.metadata["diagnostics"]}
    assert {"r", "v_reset"} <= lost


def test_norse_export_fault_of_the_time_constant_is_undone_and_reported():
    node = nir.LIF(**arrays(tau=10e-3 * 1e-3, r=1.0, v_leak=0.0, v_threshold=1.0))

    graph = graph_from_nir(single(node), dt=1e-3, convention="norse")

    np.testing.assert_allclose(graph.nodes["lif"].tau_mem, 10e-3, rtol=1e-12)
    assert [d["code"] for d in graph.metadata["diagnostics"]] == ["CORE003"]


@given(seeds)
@few
def test_snntorch_zero_reset_one_step_late_gives_the_same_spikes(seed):
    rng, x, dt = drawn(seed)
    fields = {"tau": rng.uniform(2, 30) * dt, "v_threshold": rng.uniform(0.5, 2)}
    r = fields["tau"] / dt
    node = nir.LIF(**arrays(**fields, r=r, v_leak=0.0))

    graph = graph_from_nir(single(node), dt=dt, convention="snntorch", reset="to_value")

    expected = frameworks.snntorch_leaky_zero(x, r=r, dt=dt, **fields)
    np.testing.assert_array_equal(emitted(graph, x), expected)


@given(seeds)
@few
def test_snntorch_immediate_subtraction_gives_the_same_spikes(seed):
    rng, x, dt = drawn(seed)
    fields = {"tau": rng.uniform(2, 30) * dt, "v_threshold": rng.uniform(0.5, 2)}
    r = rng.uniform(0.5, 2) * fields["tau"] / dt
    node = nir.LIF(**arrays(**fields, r=r, v_leak=0.0))

    graph = graph_from_nir(single(node), dt=dt, convention="snntorch", reset="subtract")

    expected = frameworks.snntorch_leaky_subtract(x, r=r, dt=dt, **fields)
    np.testing.assert_array_equal(emitted(graph, x), expected)


@given(seeds)
@few
def test_snntorch_synaptic_loses_the_input_of_the_step_after_a_spike(seed):
    rng, x, dt = drawn(seed)
    fields = {
        "tau_mem": rng.uniform(2, 30) * dt,
        "tau_syn": rng.uniform(2, 30) * dt,
        "v_threshold": rng.uniform(1, 5),
    }
    gains = {"r": fields["tau_mem"] / dt, "w_in": fields["tau_syn"] / dt}
    node = nir.CubaLIF(**arrays(**fields, **gains, v_leak=0.0))

    graph = graph_from_nir(single(node), dt=dt, convention="snntorch", reset="to_value")

    expected = frameworks.snntorch_synaptic_zero(x, dt=dt, **fields)
    np.testing.assert_array_equal(emitted(graph, x), expected)


def test_snntorch_states_the_reset_it_guesses():
    node = nir.LIF(**arrays(tau=1e-3, r=10.0, v_leak=0.0, v_threshold=1.0))

    graph = graph_from_nir(single(node), convention="snntorch")

    assert graph.metadata["reset"] == "subtract"
    assert any("reset='to_value'" in d["hint"] for d in graph.metadata["diagnostics"])


@given(seeds)
@few
def test_sinabs_counts_time_constants_in_steps_and_emits_several_spikes(seed):
    rng, x, dt = drawn(seed)
    fields = {"tau_steps": rng.uniform(1, 30), "v_threshold": rng.uniform(0.3, 1)}
    node = nir.LIF(
        **arrays(tau=fields["tau_steps"], r=1.0, v_leak=0.0, v_threshold=fields["v_threshold"])
    )

    graph = graph_from_nir(single(node), dt=dt, convention="sinabs")

    expected = frameworks.sinabs_lif(x, **fields)
    np.testing.assert_array_equal(emitted(graph, x), expected)


@given(seeds)
@few
def test_rockpool_adds_before_it_decays(seed):
    rng, x, dt = drawn(seed)
    fields = {
        "tau_mem": rng.uniform(1, 30) * dt,
        "tau_syn": rng.uniform(1, 30) * dt,
        "v_threshold": rng.uniform(0.5, 3),
    }
    r = fields["tau_mem"] * math.exp(-dt / fields["tau_mem"]) / dt
    node = nir.CubaLIF(**arrays(**fields, r=r, v_leak=0.0, w_in=1.0))

    graph = graph_from_nir(single(node), convention="rockpool")

    assert graph.dt == pytest.approx(dt, rel=1e-5)
    expected = frameworks.rockpool_cuba(x, dt=dt, **fields)
    np.testing.assert_array_equal(emitted(graph, x), expected)


@given(seeds)
@few
def test_rockpool_lif_has_unit_gain(seed):
    rng, x, dt = drawn(seed)
    fields = {"tau": rng.uniform(1, 30) * dt, "v_threshold": rng.uniform(0.5, 3)}
    r = fields["tau"] * math.exp(-dt / fields["tau"]) / dt
    node = nir.LIF(**arrays(**fields, r=r, v_leak=0.0))

    graph = graph_from_nir(single(node), dt=dt, convention="rockpool")

    expected = frameworks.rockpool_lif(x, dt=dt, **fields)
    np.testing.assert_array_equal(emitted(graph, x), expected)


def test_rockpool_li_decays_its_input_too():
    x = np.random.default_rng(0).normal(size=40)
    node = nir.LI(**arrays(tau=5e-3, r=1.0, v_leak=0.0))

    graph = graph_from_nir(single(node), dt=1e-3, convention="rockpool")

    expected = frameworks.rockpool_li(x, tau=5e-3, dt=1e-3)
    np.testing.assert_allclose(emitted(graph, x), expected, rtol=1e-12)


@given(seeds)
@few
def test_spikingjelly_starts_at_its_reset_value(seed):
    rng, x, dt = drawn(seed)
    fields = {
        "tau": rng.uniform(2, 30) * dt,
        "r": 1.0,
        "v_threshold": rng.uniform(0.1, 0.4),
        "v_reset": rng.uniform(-0.4, 0.05),
    }
    node = nir.LIF(**arrays(**fields, v_leak=fields["v_reset"]))

    graph = graph_from_nir(single(node), dt=dt, convention="spikingjelly")

    expected = frameworks.spikingjelly_lif(x, dt=dt, **fields)
    np.testing.assert_array_equal(emitted(graph, x), expected)


def test_spikingjelly_fires_at_the_threshold_and_nir_only_above():
    node = nir.LIF(**arrays(tau=2e-3, r=2.0, v_leak=0.0, v_threshold=1.0, v_reset=0.0))

    at, above = (
        emitted(graph_from_nir(single(node), dt=1e-3, convention=c), [1.0])
        for c in ("spikingjelly", "nir")
    )

    assert (at[0], above[0]) == (1, 0)


def test_spikingjelly_refuses_a_rest_that_differs_from_the_reset():
    node = nir.LIF(**arrays(tau=2e-3, r=2.0, v_leak=0.0, v_threshold=1.0, v_reset=-0.5))

    with pytest.raises(FileError, match=r"node 'lif'.*v_leak = v_reset.*convention='nir'"):
        graph_from_nir(single(node), dt=1e-3, convention="spikingjelly")


def test_hxtorch_reads_time_constants_as_milliseconds():
    node = nir.CubaLIF(**arrays(tau_mem=0.01, tau_syn=0.02, r=1.0, v_leak=0.0, v_threshold=1.0))

    graph = graph_from_nir(single(node), convention="hxtorch")

    assert graph.dt == 1e-6
    np.testing.assert_allclose(graph.nodes["cubalif"].tau_mem, 1e-5)


def test_unknown_convention_lists_the_known_ones():
    with pytest.raises(InputError, match=r"convention 'torch' must be one of nir, norse"):
        graph_from_nir(single(nir.I(r=np.array([1.0]))), convention="torch")


DT = 1e-4
IF_UNIT = nir.IF(**arrays(r=1.0, v_threshold=1.0))
LIF_UNIT = nir.LIF(**arrays(tau=10 * DT, r=1.0, v_leak=0.0, v_threshold=1.0))
LIF_STEP = nir.LIF(**arrays(tau=10 * DT, r=10.0, v_leak=0.0, v_threshold=1.0))
LIF_RESET = nir.LIF(**arrays(tau=10 * DT, r=10.0, v_leak=0.0, v_threshold=1.0, v_reset=-0.5))
LIF_PAPER = nir.LIF(**arrays(tau=2.5e-3, r=1.0, v_leak=0.0, v_threshold=0.1))
CUBA_STEP = nir.CubaLIF(
    **arrays(tau_mem=10 * DT, tau_syn=5 * DT, r=10.0, w_in=5.0, v_leak=0.0, v_threshold=1.0)
)
SAME_FILE = [
    (IF_UNIT, "snntorch", "111111"),
    (IF_UNIT, "norse", "111111"),
    (LIF_UNIT, "snntorch", "000000"),
    (LIF_UNIT, "norse", "000000"),
    (LIF_UNIT, "sinabs", "111111"),
    (LIF_UNIT, "spikingjelly", "000000"),
    (LIF_STEP, "snntorch", "111111"),
    (LIF_STEP, "norse", "000000"),
    (LIF_STEP, "sinabs", "111111"),
    (LIF_STEP, "spikingjelly", "111111"),
    (LIF_RESET, "snntorch", "111111"),
    (LIF_RESET, "norse", "000000"),
    (LIF_RESET, "sinabs", "111111"),
    (CUBA_STEP, "snntorch", "111111"),
    (CUBA_STEP, "norse", "111111"),
    (CUBA_STEP, "spikingjelly", "111111"),
    (LIF_PAPER, "snntorch", "001001"),
    (LIF_PAPER, "norse", "001001"),
    (LIF_PAPER, "spikingjelly", "001001"),
]


@pytest.mark.parametrize(("node", "convention", "spikes"), SAME_FILE)
def test_one_file_gives_the_spikes_that_each_framework_gives(node, convention, spikes):
    """Constant input 1.2, six steps; what the frameworks' own importers emit."""
    reset = "to_value" if node is LIF_PAPER else None

    graph = graph_from_nir(single(node), dt=DT, convention=convention, reset=reset)

    assert "".join(str(int(n)) for n in emitted(graph, [1.2] * 6)) == spikes


def test_sinabs_if_emits_the_carried_remainder_as_a_second_spike():
    """Published as 111121 in float32; five remainders of 0.2 are a tie, so the input is 1.21."""
    graph = graph_from_nir(single(IF_UNIT), dt=DT, convention="sinabs")

    assert "".join(str(int(n)) for n in emitted(graph, [1.21] * 6)) == "111121"


def test_sinabs_takes_seconds_for_steps_and_forgets_within_one():
    """Twelve spikes in every step, as published; 1.2 / 0.1 is a tie, so the input is 1.21."""
    graph = graph_from_nir(single(LIF_PAPER), dt=DT, convention="sinabs")

    assert list(emitted(graph, [1.21] * 6)) == [12] * 6


def test_rockpool_guessing_dt_gives_its_own_spikes():
    """Its importer takes dt = tau_mem / (1 + r), not the dt of the file."""
    graph = graph_from_nir(single(CUBA_STEP), dt=10 * DT / 11, convention="rockpool")

    assert "".join(str(int(n)) for n in emitted(graph, [1.2] * 6)) == "113334"


GAPS = [6, 15, 4, 3, 0, 2, 1, 2, 0, 1, *[0] * 10, 13, *[0] * 11, 5, 0]
"""Silent slots of ten steps before each input spike; fourteen follow the last one."""
PUBLISHED = nir.LIF(**arrays(tau=2.5e-3, r=1.0, v_leak=0.0, v_threshold=0.1))
IN_STEPS = nir.LIF(**arrays(tau=25.0, r=1.0, v_leak=0.0, v_threshold=0.1))


def published_input():
    """Input spikes of the paper's single-LIF experiment, 1000 steps of 0.1 ms."""
    x = np.zeros(1000)
    slot = 0
    for gap in GAPS:
        slot += gap + 1
        x[(slot - 1) * 10] = 1.0
    return x


@pytest.mark.parametrize(
    ("node", "options", "weight", "steps"),
    [
        (PUBLISHED, {"convention": "norse"}, 1.0, [460, 510, 710, 760]),
        (PUBLISHED, {"convention": "snntorch", "reset": "to_value"}, 1.0, [460, 510, 710, 760]),
        (PUBLISHED, {"convention": "nir"}, 1.0, [460, 510, 710, 760]),
        (PUBLISHED, {"convention": "lava"}, 1.0, [461, 511, 711, 761]),
        (PUBLISHED, {"convention": "rockpool"}, 0.04, [450, 500, 710, 760]),
        (IN_STEPS, {"convention": "sinabs"}, 0.04, [450, 500, 710, 760]),
    ],
    ids=["norse", "snntorch", "nir", "lava", "rockpool", "sinabs"],
)
def test_single_lif_of_the_nir_paper_spikes_when_published(node, options, weight, steps):
    """Spike times published with the NIR paper (single LIF, dt = 0.1 ms)."""
    graph = graph_from_nir(single(node, weight), dt=DT, **options)

    x = published_input()
    simulated = ranvier.simulate(ranvier.build(graph, "reference"), x.astype(int)[:, None]).output
    assert list(np.flatnonzero(emitted(graph, x))) == steps
    assert list(np.flatnonzero(simulated)) == steps
