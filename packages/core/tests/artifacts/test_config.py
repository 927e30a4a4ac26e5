import dataclasses
import json

import numpy as np
import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ranvier.artifacts import Array, ChipConfig, MappedNetwork, OutputChannel, Placement
from ranvier.diagnostics import Diagnostic
from ranvier.errors import InputError
from ranvier.graph import LIF, Graph

LOSS = Diagnostic("XX001", "loss", "rounded", node="lif", value=3, limit=2)


class Registers(ChipConfig):
    weights: Array
    shift: int = Field(0, ge=0, le=7)


def placement():
    return Placement.from_rows(
        [("lif", [2, 0, 1], "neuron", [5, 3, 4]), ("lif", [0], "alias", [9])]
    )


def config(**changes):
    fields = {
        "target": "chip",
        "dt": 1e-3,
        "input_shapes": {"input": (2,)},
        "outputs": (OutputChannel(output="output", node="lif"),),
        "placement": placement(),
        "diagnostics": (LOSS,),
        "weights": np.arange(6, dtype=np.int8).reshape(2, 3),
    }
    return Registers(**{**fields, **changes})


def test_config_survives_its_payload_through_json():
    original = config()
    arrays, document = original.to_payload()

    again = Registers.from_payload(arrays, json.loads(json.dumps(document)))

    assert again == original
    assert again.weights.dtype == np.int8
    assert again.diagnostics == (LOSS,)


def test_equal_content_is_an_equal_config():
    assert config() == config()
    assert hash(config()) == hash(config())
    assert config(shift=1) != config()
    assert config(weights=np.zeros((2, 3), dtype=np.int8)) != config()


def test_registers_are_frozen():
    frozen = config()

    with pytest.raises(ValidationError, match="frozen"):
        frozen.shift = 3
    with pytest.raises(ValueError, match="read-only"):
        frozen.weights[0, 0] = 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shift": 8}, "less than or equal to 7"),
        ({"dt": 0.0}, "greater than 0"),
        ({"dt": float("inf")}, "finite"),
        ({"unknown": 1}, "unknown"),
        ({"weights": [object()]}, "not numeric"),
    ],
)
def test_bad_register_is_refused_by_name(changes, message):
    with pytest.raises(ValidationError, match=message):
        config(**changes)


def test_summary_shows_target_step_and_diagnostics():
    lines = str(config()).splitlines()

    assert lines[0] == "Registers for chip, dt = 0.001 s"
    assert lines[1].strip() == "XX001 loss: node 'lif': rounded"


def test_slots_are_ordered_by_neuron_and_chosen_by_port():
    table = placement()

    assert table.slots_of("lif", port="neuron").tolist() == [3, 4, 5]
    assert table.slots_of("lif", port="alias").tolist() == [9]
    assert table.slots_of("lif", port="none").tolist() == []
    assert len(table) == 4


def test_owners_are_ordered_by_slot():
    assert placement().owners_of(port="neuron") == [(3, "lif", 0), (4, "lif", 1), (5, "lif", 2)]


def test_unplaced_node_is_refused_with_those_that_are():
    with pytest.raises(InputError, match=r"'out' is not placed; placed: \['lif'\]"):
        placement().slots_of("out")


def test_empty_placement_survives_its_payload():
    empty = Placement.from_rows([])

    assert len(Placement.from_payload(*empty.to_payload())) == 0


def mapped():
    graph = Graph.sequential([LIF(shape=(3,), tau_mem=0.02)], dt=1e-3)
    return MappedNetwork(
        "chip", graph, placement(), {"w": np.ones(2)}, {"on": True}, {"lif": 1}, (LOSS,)
    )


def test_mapped_network_survives_its_payload_through_json():
    arrays, document = mapped().to_payload()

    again = MappedNetwork.from_payload(arrays, json.loads(json.dumps(document)))

    assert again.content_hash == mapped().content_hash
    assert again.graph == mapped().graph
    assert dict(again.latency) == {"lif": 1}


def test_mapped_network_tells_a_change_by_its_hash():
    changed = dataclasses.replace(mapped(), latency={"lif": 2})

    assert changed.content_hash != mapped().content_hash


def test_mapped_arrays_cannot_be_replaced():
    with pytest.raises(TypeError):
        mapped().arrays["w"] = np.zeros(2)


class Bank(BaseModel):
    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)
    name: str
    weights: Array


class Banks(ChipConfig):
    banks: tuple[Bank, ...]
    spare: dict[str, Bank] = Field(default_factory=dict)


def banks():
    fields = config().model_dump(exclude={"weights", "shift", "placement", "diagnostics"})
    parts = [Bank(name=n, weights=np.full(3, k, np.int8)) for k, n in enumerate("abc")]
    return Banks(**fields, placement=placement(), banks=parts, spare={"x": parts[0]})


def test_arrays_of_nested_models_are_stored_as_arrays():
    arrays, document = banks().to_payload()

    assert arrays["arrays/banks/1/weights"].tolist() == [1, 1, 1]
    assert document["banks"] == [{"name": "a"}, {"name": "b"}, {"name": "c"}]
    assert "arrays/spare/x/weights" in arrays


def test_nested_models_survive_their_payload_through_json():
    original = banks()
    arrays, document = original.to_payload()

    again = Banks.from_payload(arrays, json.loads(json.dumps(document)))

    assert again == original
    assert again.banks[2].weights.dtype == np.int8


def test_a_read_only_array_is_taken_as_it_is_and_any_other_copied():
    frozen = np.arange(3, dtype=np.int8)
    frozen.setflags(write=False)
    writable = np.arange(3, dtype=np.int8)
    view = writable[:]
    view.setflags(write=False)

    assert config(weights=frozen).weights is frozen
    for copied in (writable, view):
        held = config(weights=copied).weights
        writable[0] += 1
        assert held[0] == writable[0] - 1
