"""Networks of `ranvier_loihi.nn` in files, and files through the whole pipeline."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import ranvier
from ranvier_loihi.files import export, read_net, write_net

torch = pytest.importorskip("torch")
from ranvier_loihi.nn import (  # noqa: E402 - needs torch
    Network,
    adrf,
    adrf_iz,
    alif,
    cuba,
    rf,
    rf_iz,
    sigma_delta,
)

CUBA = {"threshold": 0.4, "current_decay": 0.5, "voltage_decay": 0.2}
RF = {"threshold": 0.3, "period": 8.0, "decay": 0.05}
ADAPTIVE = {"threshold_step": 0.1, "threshold_decay": 0.1, "refractory_decay": 0.25}


def networks():
    """Return one network per family and kind of block."""
    torch.manual_seed(0)
    neuron = {**CUBA, "shared_param": False}
    return {
        "dense": Network(cuba.Dense(CUBA, 4, 5, weight_scale=3), cuba.Dense(CUBA, 5, 2)),
        "delays": Network(cuba.Dense(CUBA, 4, 5, delay=True), cuba.Dense(CUBA, 5, 2, delay=True)),
        "channels": Network(cuba.Dense(neuron, 4, 5)),
        "recurrent": Network(cuba.Recurrent(CUBA, 4, 3)),
        "read-out": Network(cuba.Dense(CUBA, 4, 3), cuba.Affine(CUBA, 3, 2)),
        "input": Network(
            cuba.Input({**CUBA, "current_decay": 1.0}, in_shape=(4,), weight=1.0, bias=0.5),
            cuba.Dense(CUBA, 4, 3),
        ),
        "alif": Network(alif.Dense(CUBA | ADAPTIVE, 4, 3)),
        "rf": Network(rf.Dense(RF, 4, 3), rf.Dense(RF, 3, 2)),
        "rf recurrent": Network(rf.Recurrent(RF, 4, 3)),
        "rf_iz": Network(rf_iz.Dense(RF, 4, 3)),
        "adrf": Network(adrf.Dense(RF | ADAPTIVE, 4, 3), adrf_iz.Dense(RF | ADAPTIVE, 3, 3)),
        "sigma delta": Network(
            sigma_delta.Dense({"threshold": 0.1}, 4, 3),
            sigma_delta.Output({"threshold": 0.1}, 3, 2),
        ),
    }


@pytest.mark.parametrize("name", networks())
def test_every_family_comes_back_from_its_file(tmp_path, name):
    graph = networks()[name].to_graph(dt=1e-3)

    write_net(graph, tmp_path / "a.net")
    again = read_net(tmp_path / "a.net")

    kinds = [graph.nodes[n].kind for n in graph.neurons]
    assert kinds == [again.nodes[n].kind for n in again.neurons]
    for one, two in zip(graph.neurons, again.neurons, strict=True):
        old, new = graph.nodes[one], again.nodes[two]
        for field in old.to_fields()[0]:
            assert_array_equal(old.parameter(field), new.parameter(field), err_msg=field)


@pytest.mark.parametrize(
    "name", ["dense", "delays", "recurrent", "read-out", "input", "rf", "rf_iz", "sigma delta"]
)
def test_a_file_runs_through_build_and_export_unchanged(tmp_path, name):
    write_net(networks()[name].to_graph(dt=1e-3), tmp_path / "trained.net")
    graph = ranvier.read(tmp_path / "trained.net")

    config = ranvier.build(graph, "loihi2")
    (path,) = export(config, tmp_path / "out", "net")

    again = read_net(path)
    for name, node in graph.nodes.items():
        for field, values in node.to_fields()[0].items():
            expected = np.broadcast_to(values, np.shape(getattr(again.nodes[name], field)))
            assert_array_equal(expected, getattr(again.nodes[name], field), err_msg=field)
    assert [e.delay for e in again.edges] == [e.delay for e in graph.edges]
