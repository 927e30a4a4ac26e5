import numpy as np

import ranvier as rv
from ranvier.graph import LIF, Edge, Flatten, Graph, Input, Output


def test_an_output_behind_a_flatten_has_one_axis():
    neurons = LIF(shape=(2, 1, 3), tau_mem=4e-3, threshold=0.5, reset="to_value", comparison=">")
    graph = Graph(
        {
            "input": Input(shape=(2, 1, 3)),
            "neurons": neurons,
            "flat": Flatten(shape=(2, 1, 3)),
            "output": Output(shape=(6,)),
        },
        (Edge("input", "neurons"), Edge("neurons", "flat"), Edge("flat", "output")),
        1e-3,
    )
    spikes = (np.random.default_rng(0).random((2, 20, 2, 1, 3)) < 0.5).astype(int)

    recording = rv.simulate(rv.build(graph, "loihi2"), spikes, record=["spikes"])

    assert recording.output.shape == (2, 20, 6)
    assert recording.output.any()
    np.testing.assert_array_equal(recording.output, recording.raster("neurons").reshape(2, 20, 6))
