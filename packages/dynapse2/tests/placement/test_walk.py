"""Every packet is walked to the CAM entries that it opens: nothing lost, nothing added."""

import runpy
import types
from pathlib import Path

import numpy as np
import pytest

nets = types.SimpleNamespace(
    **runpy.run_path(str(Path(__file__).with_name("placement_networks.py")))
)


def boards(rng):
    """A board of 1 to 4 chips whose cores are small enough to be shared out."""
    chips = int(rng.integers(1, 5))
    neurons = int(rng.choice([4, 8, 16, 256]))
    tags = int(rng.choice([24, 40, 2048]))
    usable = rng.random((chips, 4, tags)) < rng.choice([0.6, 0.9, 1.1])
    cam = rng.random((chips, 4, neurons, 12)) < rng.choice([0.8, 1.1])
    return nets.budget(
        chips=chips,
        neurons_per_core=neurons,
        synapses_per_neuron=12,
        tags=tags,
        tag_usable=usable,
        cam_usable=cam,
    )


@pytest.mark.parametrize("block", range(10))
def test_packets_of_generated_networks_open_exactly_the_intended_synapses(block):
    checked, cores, chips, splits, refused = 0, set(), set(), 0, 0
    for k in range(block * 100, block * 100 + 100):
        if checked == 20:
            break
        rng = np.random.default_rng(k)
        network, board = nets.random_network(rng, n_max=60 if k % 3 else 130), boards(rng)
        mapped = nets.Mapped(network, board, share=bool(k % 2), seed=k)
        if mapped.routes is None:
            assert mapped.errors
            refused += 1
            continue

        assert not mapped.errors
        assert nets.delivered(mapped) == nets.intended(network)
        nets.check_limits(mapped)
        checked += 1
        cores.add(len(set(mapped.places.position(board).tolist())))
        chips.add(len(set(mapped.places.chip.tolist())))
        splits += any(d.code == "DY130" for d in mapped.findings)
    assert checked == 20
    assert len(cores) > 3
    assert len(chips) > 1


def test_packets_split_for_want_of_tags_open_exactly_the_intended_synapses():
    outcomes = []
    for k in range(60):
        rng = np.random.default_rng(k)
        network = nets.random_network(rng, n_max=40, fan=16, kinds=5)
        usable = rng.random((2, 4, 20)) < 0.5
        board = nets.budget(chips=2, neurons_per_core=8, tags=20, tag_usable=usable)
        mapped = nets.Mapped(network, board, seed=k)
        if mapped.routes is None:
            assert all(value > limit for _, value, limit in mapped.errors)
            outcomes.append("refused")
            continue

        assert nets.delivered(mapped) == nets.intended(network)
        nets.check_limits(mapped)
        outcomes.append("split" if len(mapped.findings.items) else "plain")

    assert min(outcomes.count(name) for name in ("refused", "split", "plain")) >= 10


def test_network_on_sixteen_full_cores_opens_exactly_the_intended_synapses():
    rng = np.random.default_rng(5)
    n = 256
    rows = {
        (int(s), t, int(p)): float(w)
        for t in range(n)
        for s, p, w in zip(
            (t // 32 * 32 + rng.integers(0, 32, 6)) % n + 8,
            rng.integers(0, 4, 6),
            rng.uniform(0.1, 1, 6),
            strict=True,
        )
    }
    rows |= {(int(rng.integers(0, 8)), t, 0): 0.5 for t in range(n)}
    network = nets.Network(8, n, [(*k, w) for k, w in rows.items()], monitored=np.ones(n, bool))
    mapped = nets.Mapped(network, nets.budget(chips=4, neurons_per_core=16))

    assert mapped.errors == []
    assert len(set(mapped.places.position(mapped.board).tolist())) == 16
    assert nets.delivered(mapped) == nets.intended(network)
    nets.check_limits(mapped)
