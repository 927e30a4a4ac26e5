import dataclasses
import json

import numpy as np
import pytest

from ranvier.errors import QuantizationError
from ranvier_bss2.layout import Layout
from ranvier_bss2.network import TARGETS, BssNetwork, BssPopulation, BssProjection, Readout
from ranvier_bss2.nodes import MODEL


def network():
    ones = np.ones(3)
    readout = Readout(trace_scale=ones / 45, trace_offset=ones * 80, cadc="dram", time_shift=-1)
    population = BssPopulation(
        name="lif",
        shape=(3, 1),
        switches=("leaky", "fire"),
        model=dict.fromkeys(MODEL, ones),
        targets=dict.fromkeys(TARGETS, ones),
        readout=readout,
        circuits=2,
        late=1,
    )
    projection = BssProjection(
        source="input", target="lif", weight=np.ones((3, 4)), connected=np.ones((3, 4), bool)
    )
    return BssNetwork(
        dt=1e-6,
        time_scale=1e-3,
        inputs={"input": (4,)},
        populations=(population,),
        projections=(projection,),
    )


def test_a_network_survives_its_parts():
    arrays, document = network().to_parts()
    again = BssNetwork.from_parts(arrays, json.loads(json.dumps(document)))

    arrays_again, document_again = again.to_parts()

    assert document_again == document
    assert set(arrays_again) == set(arrays)
    assert all(np.array_equal(arrays_again[n], arrays[n]) for n in arrays)
    assert again.size_of("input") == 4
    assert again.size_of("lif") == 3


def test_a_network_without_an_array_is_refused_by_its_name():
    arrays, document = network().to_parts()
    del arrays["projections/0/weight"]

    with pytest.raises(QuantizationError, match="projections/0/weight"):
        BssNetwork.from_parts(arrays, document)


def test_values_that_are_not_finite_are_refused_by_name():
    arrays, document = network().to_parts()

    with pytest.raises(QuantizationError, match="projections/0/weight"):
        BssNetwork.from_parts({**arrays, "projections/0/weight": np.full((3, 4), np.nan)}, document)


def test_a_layout_survives_its_parts_and_refuses_strangers():
    names = [f.name for f in dataclasses.fields(Layout) if f.name != "instances"]
    layout = Layout(instances=1, **{n: np.array([0, 1, 1]) for n in names})

    again = Layout.from_parts(layout.to_parts())

    assert all(np.array_equal(getattr(again, n), getattr(layout, n)) for n in names)
    with pytest.raises(QuantizationError, match="stranger"):
        Layout.from_parts({**layout.to_parts(), "stranger": np.zeros(1)})
