"""Hand-made .net files, old and new, written with h5py alone."""

import h5py
import numpy as np
import pytest

from ranvier.graph import Graph

CUBA = {"type": "CUBA", "iDecay": 4096, "vDecay": 410, "vThMant": 64}
LOIHI = {
    **CUBA,
    "type": "LOIHI",
    "refDelay": 1,
    "wgtExp": 0,
    "tauRho": 1,
    "scaleRho": 1,
    "theta": 4096,
}


def dense(n_out=3, n_in=4, *, neuron=CUBA, **fields):
    """Return the datasets of a dense layer whose weights are even."""
    weight = (np.arange(n_out * n_in, dtype=np.float32).reshape(n_out, n_in) - 5) * 2
    base = {"type": "dense", "shape": [n_out], "inFeatures": n_in, "outFeatures": n_out}
    return {**base, "weight": weight, "neuron": neuron, **fields}


def conv(shape_in=(2, 6, 6), channels=3, kernel=3, *, neuron=CUBA, **fields):
    """Return the datasets of a conv layer with stride 1 and no padding."""
    c, h, w = shape_in
    weight = np.arange(channels * c * kernel * kernel, dtype=np.float32) * 2 - 40
    return {
        "type": "conv",
        "shape": [channels, h - kernel + 1, w - kernel + 1],
        "inChannels": c,
        "outChannels": channels,
        "kernelSize": [kernel, kernel],
        "stride": [1, 1],
        "padding": [0, 0],
        "dilation": [1, 1],
        "groups": 1,
        "weight": weight.reshape(channels, c, kernel, kernel),
        "neuron": neuron,
        **fields,
    }


def fill(group, fields):
    for name, value in fields.items():
        if isinstance(value, dict):
            fill(group.create_group(name), value)
        elif value is not None:
            group[name] = value


@pytest.fixture
def net(tmp_path):
    """Return a function that writes layers, given as nested dictionaries, to a .net file."""

    def write(*layers, name="net.net", numbers=None):
        path = tmp_path / name
        with h5py.File(path, "w") as file:
            root = file.create_group("layer")
            for number, layer in zip(numbers or range(len(layers)), layers, strict=True):
                fill(root.create_group(str(number)), layer)
        return path

    return write


@pytest.fixture
def parts():
    """Return the makers of layers."""
    return {"dense": dense, "conv": conv, "CUBA": CUBA, "LOIHI": LOIHI}


@pytest.fixture
def bare():
    """Return a function that takes the notes off a graph, which are not in a .net file."""
    return lambda graph: Graph(graph.nodes, graph.edges, graph.dt)


@pytest.fixture
def codes():
    """Return a function that lists the codes of diagnostics."""
    return lambda diagnostics: [d.code for d in diagnostics]
