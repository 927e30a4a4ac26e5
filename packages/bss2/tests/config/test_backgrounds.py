"""Tables of background generators are checked like all registers."""

import runpy
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from ranvier import pipeline
from ranvier.graph import Edge, Graph, Linear
from ranvier_bss2 import Background
from ranvier_bss2.config import Bss2Config

helpers = runpy.run_path(str(Path(__file__).parents[1] / "small_graphs.py"))


@pytest.fixture(scope="module")
def config():
    """Two generators, of four channels and regular, into one layer."""
    graph = helpers["chain"](helpers["lif"](3))
    noise = Background(shape=(4,), period=2e-3, rate_code=9, seed=5, generator=1)
    clock = Background(shape=(1,), period=1e-3, regular=True, generator=2)
    weight = np.full((3, 4), 0.3)
    nodes = {**graph.nodes, "noise": noise, "a": Linear(weight=weight)}
    nodes |= {"clock": clock, "b": Linear(weight=weight[:, :1])}
    joined = [("noise", "a"), ("a", "layer0"), ("clock", "b"), ("b", "layer0")]
    edges = (*graph.edges, *(Edge(*ends) for ends in joined))
    return pipeline.build(Graph(nodes, edges, graph.dt, {}), "bss2")


def changed(config, **changes):
    """Return the message with which a configuration with other arrays is refused."""
    arrays, document = config.to_payload()
    for name, change in changes.items():
        key = f"arrays/background_{name}"
        arrays[key] = change(np.array(arrays[key]))
    with pytest.raises(ValidationError) as caught:
        Bss2Config.from_payload(arrays, document)
    return str(caught.value)


def entry(at, value):
    def change(values):
        values[at] = value
        return values

    return change


def test_a_configuration_with_generators_survives_its_payload(config):
    again = Bss2Config.from_payload(*config.to_payload())

    assert again == config
    assert again.backgrounds == config.backgrounds
    assert [(b.name, b.period, b.rate, b.regular) for b in again.backgrounds] == [
        ("noise", 250, 9, False),
        ("clock", 125, 255, True),
    ]


def test_the_summary_tells_what_generators_do(config):
    text = config.summary()

    assert "noise: background generator of 4 channel(s), a draw every 0.002 s, 9 of 255" in text
    assert "clock: background generator of 1 channel(s), an event every 0.001 s" in text


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("period", 0, "background_period is 0 at entry 0, allowed are 1..65535"),
        ("period", 65536, "allowed are 1..65535"),
        ("rate", 256, "allowed are 0..255"),
        ("seed", 1 << 32, "allowed are 0..4294967295"),
        ("generator", 8, "allowed are 0..7"),
        ("node", 2, "allowed are 0..1"),
        ("mask", 256, "allowed are 0..255"),
        ("label", 1 << 14, "allowed are 0..16383"),
        ("instance", 1, "allowed are 0..0"),
        ("mask", 1, "background_mask draws from 2 labels, its shape has 4"),
        ("label", 1, "has bits that are drawn; clear them"),
        ("generator", 2, "1 background generator(s) serve several nodes"),
        ("generator", 5, "node_enabled is False at execution instance 0, output 5, input 17"),
        ("regular", True, "is regular and has 4 channels"),
    ],
)
def test_settings_out_of_range_are_refused_with_number_and_limit(config, name, value, words):
    assert words in changed(config, **{name: entry(0, value)})


def test_a_node_without_a_generator_is_refused(config):
    assert "'noise': has no generator" in changed(config, node=entry(0, 1))


def test_rows_of_one_node_have_the_same_settings(config):
    arrays, document = config.to_payload()
    names = [n for n in arrays if n.startswith("arrays/background_")]
    rows = {n: np.append(arrays[n], arrays[n][0]) for n in names}
    rows["arrays/background_generator"][2] = 3
    rows["arrays/background_seed"][2] = 6

    with pytest.raises(ValidationError, match=r"background_seed is \[5, 6\], must be one value"):
        Bss2Config.from_payload({**arrays, **rows}, document)


def test_tables_of_unequal_length_and_type_are_refused(config):
    message = changed(config, rate=lambda v: v[:1], seed=lambda v: v.astype(float))

    assert "background_rate has shape (1,), expected (2,)" in message
    assert "background_seed is float64, expected integer" in message
