import numpy as np
import pytest

from ranvier.errors import InputError
from ranvier_xylo.kernels import CoreArrays, CoreState


def registers(**changes):
    base = {
        "weights_in": np.zeros((2, 3, 1), int),
        "weights_rec": np.zeros((4, 4, 2), int),
        "weights_out": np.zeros((2, 1), int),
        "threshold": np.ones(4, int),
        "threshold_out": np.ones(1, int),
        "dash_mem": np.ones(4, int),
        "dash_mem_out": np.ones(1, int),
        "dash_syn": np.ones((4, 2), int),
        "dash_syn_out": np.ones(1, int),
    }
    return {**base, **changes}


def test_sizes_follow_from_the_arrays():
    arrays = CoreArrays(**registers())

    assert (arrays.n_in, arrays.n_hidden, arrays.n_out) == (2, 4, 1)


def test_arrays_are_copied_and_read_only():
    mine = np.ones(4, int)
    arrays = CoreArrays(**registers(threshold=mine))

    mine[:] = 9

    assert arrays.threshold.tolist() == [1, 1, 1, 1]
    with pytest.raises(ValueError, match="read-only"):
        arrays.threshold[0] = 2


def test_bias_and_aliases_default_to_none():
    arrays = CoreArrays(**registers())

    assert not arrays.bias.any()
    assert arrays.aliases.tolist() == [-1] * 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"weights_in": np.full((2, 3, 1), 128)},
            "weights_in spans 128..128, allowed are -128..127",
        ),
        ({"weights_in": np.zeros((2, 5, 1), int)}, r"needed is \(any, 0..4, 1 or 2\)"),
        ({"weights_rec": np.zeros((4, 3, 1), int)}, r"weights_rec has shape \(4, 3, 1\)"),
        ({"weights_out": np.zeros((2, 1))}, "weights_out has dtype float64, give integers"),
        ({"threshold": np.full(4, -1)}, "threshold spans -1..-1, allowed are 0..32767"),
        ({"dash_mem": np.full(4, 16)}, "dash_mem spans 16..16, allowed are 0..15"),
        ({"bias": np.full(4, 40000)}, "bias spans 40000..40000"),
        ({"aliases": np.full(4, 4)}, "aliases spans 4..4, allowed are -1..3"),
        ({"weight_shift_rec": 8}, "weight_shift_rec is 8, allowed are 0..7"),
        ({"version": 3}, "version is 3, allowed are 1 and 2"),
        ({"version": 1, "bias": np.ones(4, int)}, "version 1 has none.*use version 2"),
    ],
)
def test_values_outside_their_registers_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        CoreArrays(**registers(**changes))


def test_all_problems_are_named_at_once():
    with pytest.raises(InputError, match=r"version is 0.*dash_mem.*dash_syn_out"):
        CoreArrays(**registers(version=0, dash_mem=[-1] * 4, dash_syn_out=[1, 2]))


def test_a_state_after_reset_is_zero():
    state = CoreState.zeros(2, 4, 1)

    assert state.spikes.dtype == np.uint8
    assert state.v_mem.shape == (2, 4)
    assert state.v_mem_out.shape == (2, 1)
    assert not any(getattr(state, name).any() for name in vars(state))


def test_a_state_outside_16_bits_is_refused():
    state = CoreState(**{**vars(CoreState.zeros(1, 1, 1)), "i_syn": np.array([[40000]])})

    with pytest.raises(InputError, match=r"state.i_syn spans 40000..40000"):
        state.checked(1, 1, 1)
