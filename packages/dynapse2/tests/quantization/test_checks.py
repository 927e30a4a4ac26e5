import numpy as np
import pytest

from ranvier.artifacts import MappedNetwork
from ranvier.errors import QuantizationError


def altered(mapped, **arrays):
    return MappedNetwork(
        target=mapped.target,
        graph=mapped.graph,
        placement=mapped.placement,
        arrays={**mapped.arrays, **arrays},
        settings=mapped.settings,
    )


@pytest.mark.parametrize(
    ("name", "values", "text"),
    [
        ("chip", [0, 3], r"chip is 0..3, allowed are 0..0"),
        ("core", [0, 4], r"core is 0..4, allowed are 0..3"),
        ("slot", [0, 256], r"slot is 0..256, allowed are 0..255"),
        ("slot", [5, 5], "1 places hold several neurons"),
        ("slot", [5], r"slot has shape \(1,\), expected \(2,\)"),
        ("group", [0, 0], r"group has shape \(2,\), expected \(3,\)"),
        ("synapse_target", [0, 2], r"synapse_target is 0..2, allowed are 0..1"),
        ("synapse_port", [0, 4], r"synapse_port is 0..4, allowed are 0..3"),
        ("synapse_weight", [0.0, 1.0], "synapse_weight is 0, it must be > 0"),
        ("synapse_weight", [-1.0, 1.0], "synapse_weight is -1, it must be > 0"),
        ("route_tag", [2048], r"route_tag is 2048..2048, allowed are 0..2047"),
        ("route_cores", [16], r"route_cores is 16..16, allowed are 1..15"),
        ("route_chip", [1], r"route_chip is 1..1, allowed are 0..0"),
        ("i_scale", [1e-8, 0.0], "i_scale is 0, it must be > 0"),
        ("currents/i_tau_mem", [-1e-12, 1e-12], "i_tau_mem is -1e-12 A, it must be >= 0"),
        ("currents/i_ref", [0.0, 0.0], "i_ref is 0, it must be > 0"),
        ("cam_usable", np.ones((1, 4, 256, 63), dtype=bool), "cam_usable has shape"),
    ],
)
def test_altered_arrays_are_refused_with_numbers_and_advice(
    map_by_hand, quantized, name, values, text
):
    mapped = altered(map_by_hand(np.array([[1.0, 2.0]])), **{name: np.array(values)})

    with pytest.raises(QuantizationError, match=f"{text}.*map the graph again"):
        quantized(mapped)


def test_problems_are_listed_together(map_by_hand, quantized):
    mapped = map_by_hand(np.array([[1.0, 2.0]]))
    both = altered(mapped, route_tag=np.array([4000]), synapse_port=np.array([0, 7]))

    with pytest.raises(QuantizationError, match=r"synapse_port is 0..7.*route_tag is 4000"):
        quantized(both)
