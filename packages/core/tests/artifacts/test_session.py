import numpy as np
import pytest

from ranvier.artifacts import AbstractSession, Recording, SpikeTrain
from ranvier.artifacts.session import check_inputs, check_lengths, select_quantities
from ranvier.errors import InputError, SimulationError

SHAPES = {"x": (3,)}


class Echo(AbstractSession):
    """Emits its input and remembers how many steps it ran."""

    def __init__(self, **options):
        super().__init__(input_shapes=SHAPES, dt=1e-3, **options)
        self.steps = 0

    def recordable(self):
        return {"x": ("spikes",)}

    def get_state(self):
        return {"steps": np.array([self.steps])}

    def set_state(self, state):
        self.steps = int(state["steps"][0])

    def reset(self):
        self.steps = 0

    def _run(self, inputs, *, record, trial_seed):
        self.steps += inputs["x"].shape[1]
        train = SpikeTrain.from_raster(inputs["x"], dt=1e-3)
        return Recording({("x", "spikes"): train}, 1e-3, outputs={"y": ("x", "spikes")})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.ones((2, 4)), r"shape \(2, 4\), expected \(\[batch,\] time, 3\)"),
        (np.ones((1, 1, 1, 3)), "expected"),
        (np.full((4, 3), np.nan), "NaN or infinite"),
        (np.full((4, 3), -1), "spike count -1 is negative"),
        (np.full((4, 3), 0.5), "spike count 0.5 is fractional"),
        (np.full((4, 3), 2**31), "beyond 2"),
        (np.full((4, 3), "a"), "not numeric"),
        (np.ones((4, 3), dtype=complex), "not numeric"),
        ({"z": np.ones((4, 3))}, r"got inputs \['z'\], expected \['x'\]"),
    ],
)
def test_bad_counts_are_refused_with_their_fault(values, message):
    with pytest.raises(InputError, match=message):
        check_inputs(values, SHAPES, counts=True)


def test_real_values_pass_where_they_are_taken():
    arrays, batched = check_inputs(np.full((4, 3), -0.5), SHAPES, counts=False)

    assert arrays["x"].dtype == np.float64
    assert not batched


def test_counts_become_int64_with_a_batch_axis():
    arrays, batched = check_inputs(np.ones((4, 3), dtype=bool), SHAPES, counts=True)

    assert (arrays["x"].dtype, arrays["x"].shape, batched) == (np.int64, (1, 4, 3), False)


def test_several_inputs_need_a_mapping_of_one_length():
    shapes = {"a": (1,), "b": (1,)}

    with pytest.raises(InputError, match="pass a mapping by name"):
        check_inputs(np.ones((4, 1)), shapes, counts=True)
    with pytest.raises(InputError, match="inputs differ in batch or time"):
        check_inputs({"a": np.ones((4, 1)), "b": np.ones((5, 1))}, shapes, counts=True)


@pytest.mark.parametrize("lengths", [[1], [1.0, 2.0], [-1, 2], [1, 9]])
def test_bad_lengths_are_refused(lengths):
    with pytest.raises(InputError, match="lengths"):
        check_lengths(lengths, n_samples=2, n_steps=8)


def test_lengths_travel_to_the_recording():
    spikes = np.zeros((2, 4, 3), dtype=int)
    spikes[0, :2] = 1

    assert Echo().run(spikes, lengths=[2, 4]).lengths.tolist() == [2, 4]
    with pytest.raises(InputError, match="sample 0 has input beyond its length 1"):
        Echo().run(spikes, lengths=[1, 4])


AVAILABLE = {"a": ("spikes", "v_mem"), "b": ("spikes",)}


@pytest.mark.parametrize(
    ("record", "chosen"),
    [
        ((), {}),
        (False, {}),
        (True, AVAILABLE),
        ("v_mem", {"a": ("v_mem",)}),
        (["spikes"], {"a": ("spikes",), "b": ("spikes",)}),
        (["b.spikes"], {"b": ("spikes",)}),
        (["a", "spikes"], {"a": ("spikes", "v_mem"), "b": ("spikes",)}),
    ],
)
def test_quantities_are_chosen_by_name_node_or_both(record, chosen):
    assert select_quantities(record, AVAILABLE) == chosen


def test_unknown_quantity_lists_quantities_and_nodes():
    with pytest.raises(InputError, match=r"'i_syn'.*\['spikes', 'v_mem'\].*\['a', 'b'\]"):
        select_quantities(["i_syn"], AVAILABLE)


def test_stream_carries_the_state_over():
    session = Echo()

    parts = list(session.stream([np.ones((2, 3), dtype=int)] * 3))

    assert [part.output.shape for part in parts] == [(2, 3)] * 3
    assert session.steps == 6


def test_state_is_an_attribute():
    session = Echo()
    session.run(np.ones((2, 3), dtype=int))

    session.state = {"steps": np.array([7])}

    assert session.state["steps"].tolist() == [7]


def test_closed_session_and_update_say_what_to_do():
    session = Echo()
    with pytest.raises(SimulationError, match="cannot be updated with int; open a new one"):
        session.update(3)
    session.close()
    with pytest.raises(SimulationError, match="closed; open a new one"):
        session.run(np.ones((2, 3)))
