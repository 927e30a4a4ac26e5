import numpy as np
import pytest

from ranvier_dynapse2.biases import BiasCode, published_table
from ranvier_dynapse2.layout import LAYOUT
from ranvier_dynapse2.quantization._refractory import BIAS, blocked_steps, refractory_code

MILLISECOND = float(LAYOUT.pulse_current(1e-3, LAYOUT.c_ref))


def steps(i_ref, *, dt=1e-3, model="merged_synapse"):
    return blocked_steps(i_ref, layout=LAYOUT, dt=dt, model=model)


def chosen(i_ref, *, dt=1e-3, model="merged_synapse", table=None):
    table = table or published_table()
    return refractory_code(i_ref, table=table, layout=LAYOUT, dt=dt, model=model)


def test_one_millisecond_blocks_one_step_of_one_millisecond():
    assert steps(MILLISECOND) == 1
    assert steps(MILLISECOND, model="four_synapse") == 1


def test_a_period_just_above_a_step_blocks_two():
    assert steps(MILLISECOND / 1.009) == 2
    assert steps(MILLISECOND / 1.009, model="four_synapse") == 2


def test_the_float32_timer_keeps_residues_that_whole_steps_do_not():
    periods = np.arange(1, 60) * 1e-3
    currents = LAYOUT.pulse_current(periods, LAYOUT.c_ref)

    merged = [steps(i) for i in currents]
    four = [steps(i, model="four_synapse") for i in currents]

    assert four == list(range(1, 60))
    assert merged != four
    assert set(np.subtract(merged, four)) <= {0, 1}


def test_long_periods_are_counted_without_walking_through_them():
    assert steps(MILLISECOND / 1000, dt=1e-6) == pytest.approx(1_000_000, rel=1e-6)


def test_the_closest_code_of_the_default_would_block_a_second_step():
    nearest = published_table().code(BIAS, MILLISECOND)

    assert nearest == BiasCode(2, 53)
    assert steps(float(published_table().current(BIAS, *nearest))) == 2


def test_the_chosen_code_blocks_as_many_steps_and_is_the_closest_that_does():
    code, got = chosen(MILLISECOND)

    row = published_table().row(BIAS)
    error = np.abs(row - MILLISECOND)
    same = [
        (c, f)
        for c, f in zip(*np.nonzero(error <= 0.2 * MILLISECOND), strict=True)
        if steps(float(row[c, f])) == 1
    ]
    assert got == 1
    assert error[code] == min(error[at] for at in same)


@pytest.mark.parametrize("factor", [0.13, 0.31, 0.7, 1.3, 1.5, 2.4, 3.6])
def test_periods_between_multiples_of_a_step_keep_the_closest_code(factor):
    current = MILLISECOND / factor

    code, got = chosen(current)

    assert code == published_table().code(BIAS, current)
    assert got == steps(current)


def test_without_a_neighbour_that_blocks_as_many_the_closest_code_is_taken():
    coarse = np.full((2, 6, 256), 1e-7)
    coarse[:, 2, 40] = 0.5 * MILLISECOND / 1.05
    from ranvier_dynapse2.biases import BiasTable

    code, got = chosen(MILLISECOND, table=BiasTable(coarse))

    assert code == BiasCode(2, 40)
    assert got == 2


@pytest.mark.parametrize("model", ["merged_synapse", "four_synapse"])
@pytest.mark.parametrize("factor", [0.3, 1.0, 1.009, 1.5, 2.0, 2.02, 3.0, 7.0, 7.3, 20.0])
def test_the_neuron_model_blocks_as_many_steps(model, factor):
    from ranvier_dynapse2.dpi import DpiParameters, run_layer
    from ranvier_dynapse2.nodes import Dpi

    def interval(i_ref):
        node = Dpi(shape=(1,), model=model, i_ref=np.array(i_ref))
        parameters = DpiParameters.of_node(node, dt=1e-3)
        x = np.zeros((1, 400, parameters.n_ports), dtype=np.float32)
        x[..., 0] = 300.0
        times = np.flatnonzero(run_layer(parameters, x).spikes[0, :, 0])
        return int(np.diff(times)[-1])

    shortest = interval(100 * MILLISECOND)

    assert interval(MILLISECOND / factor) - shortest == steps(MILLISECOND / factor, model=model) - 1
