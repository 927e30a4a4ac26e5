"""Checks of *map* and *quantize*: determinism, limits, options, malformed networks."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from .. import pipeline
from ..errors import InputError, MappingError, RanvierError, ResourceError
from ..graph import Neuron
from ..plugins import manager
from .capabilities import SIZES
from .networks import oversized_network, unsupported_network
from .subject import Subject

STRANGE = "no_such_option"


class BuildingChecks(Subject):
    """The same network gives the same configuration; what does not fit is refused in full."""

    def test_the_example_network_maps_without_loss(self) -> None:
        self.needs(self.able.exact, "an analogue chip changes every network")
        config = self.config()
        assert [str(d) for d in config.diagnostics if d.severity == "loss"] == []

    def test_mapping_twice_gives_the_same_network(self) -> None:
        assert self.mapped().content_hash == self.mapped().content_hash

    def test_quantizing_twice_gives_the_same_configuration(self) -> None:
        mapped = self.mapped()
        assert pipeline.quantize(mapped) == pipeline.quantize(mapped)

    def test_build_is_map_and_quantize(self) -> None:
        assert pipeline.build(self.network(), self.name) == pipeline.quantize(self.mapped())

    def test_configuration_names_target_inputs_and_outputs_of_the_graph(self) -> None:
        graph, config = self.network(), self.config()
        assert config.target == self.name
        assert config.dt == pytest.approx(graph.dt)
        assert config.input_shapes == {n: graph.nodes[n].output_shape for n in graph.inputs}
        assert [channel.output for channel in config.outputs] == list(graph.outputs)
        assert {channel.node for channel in config.outputs} <= set(graph.nodes)

    def test_every_neuron_of_the_graph_has_a_place(self) -> None:
        graph, placement = self.network(), self.config().placement
        for name in graph.neurons:
            rows = placement.node_id == placement.node.index(name)
            placed = np.unique(placement.index[rows])
            np.testing.assert_array_equal(placed, np.arange(graph.nodes[name].size))

    def test_latency_is_a_number_of_steps_of_nodes_of_the_graph(self) -> None:
        latency = self.config().latency
        assert set(latency) <= set(self.network().nodes)
        assert all(isinstance(steps, int) and steps >= 0 for steps in latency.values())

    @pytest.mark.parametrize("resource", SIZES)
    def test_a_network_that_is_too_large_is_refused_with_number_and_limit(
        self, resource: str
    ) -> None:
        self.needs(resource in self.chip.facts, f"the manifest has no fact {resource!r}")
        limit = self.chip.limit(resource)
        with pytest.raises(MappingError) as caught:
            pipeline.map(oversized_network(self.chip, resource), self.name)
        assert str(limit + 1) in str(caught.value), "the message does not say what was needed"
        assert str(limit) in str(caught.value), "the message does not say what there is"
        assert any(d.value == limit + 1 and d.limit == limit for d in caught.value.diagnostics)
        if isinstance(caught.value, ResourceError):
            assert caught.value.needed > caught.value.available

    def test_an_unknown_neuron_kind_is_refused_by_node_name(self) -> None:
        found = unsupported_network(self.chip)
        self.needs(found is not None, "every neuron kind of the core is accepted")
        assert found is not None
        graph, name = found
        with pytest.raises(MappingError, match=name):
            pipeline.map(graph, self.name)

    @pytest.mark.parametrize("verb", ["map", "quantize", "simulate", "deploy"])
    def test_an_unknown_option_is_refused_by_name(self, verb: str) -> None:
        with pytest.raises(InputError, match=STRANGE):
            pipeline.checked_options(verb, self.chip, {STRANGE: 1})

    def test_a_mapped_network_without_its_arrays_is_refused(self) -> None:
        mapped = self.mapped()
        self.needs(mapped.arrays, "mapped networks have no arrays")
        with pytest.raises(RanvierError):
            pipeline.quantize(dataclasses.replace(mapped, arrays={}))

    def test_a_mapped_network_with_values_that_are_not_finite_is_refused(self) -> None:
        mapped = self.mapped()
        floats = [n for n, v in mapped.arrays.items() if v.dtype.kind == "f" and v.size]
        self.needs(floats, "mapped networks have no real values")
        spoilt = {name: np.full_like(mapped.arrays[name], np.nan) for name in floats}
        with pytest.raises(RanvierError):
            pipeline.quantize(dataclasses.replace(mapped, arrays={**mapped.arrays, **spoilt}))

    def test_a_configuration_with_an_unknown_register_is_refused(self) -> None:
        model = manager().call("ranvier_config_model", self.chip, target=self.chip)
        arrays, document = self.config().to_payload()
        with pytest.raises(ValueError, match="no_such_register"):
            model.from_payload(arrays, {**document, "no_such_register": 1})

    def test_the_summary_names_the_target(self) -> None:
        assert self.name in str(self.config())

    def test_neurons_keep_their_shape_in_the_configuration(self) -> None:
        graph, shapes = self.network(), self.config().node_shapes
        for name in shapes:
            node = graph.nodes[name]
            assert shapes[name] == node.output_shape
        assert {n for n in graph.neurons if isinstance(graph.nodes[n], Neuron)} <= set(shapes)
