"""Generated configurations, and an emulated Lava in this interpreter or another one."""

import importlib.util
import os
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from ranvier.artifacts import OutputChannel, Placement
from ranvier_loihi.config import (
    ConvSynapse,
    DenseSynapse,
    LoihiConfig,
    Population,
    SparseSynapse,
    Tap,
)


def _load_emulation():
    path = Path(__file__).with_name("emulated_lava.py")
    spec = importlib.util.spec_from_file_location("emulated_lava", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["emulated_lava"] = module
    spec.loader.exec_module(module)
    return module


emulation = _load_emulation()
VARIABLES = [
    "SLURM",
    "PARTITION",
    "BOARD",
    "LOIHI_GEN",
    "NXSDKHOST",
    "HOST_BINARY",
    "RANVIER_LAVA_PYTHON",
    "EMULATED_LAVA",
]


def lif(rng, name, shape, **changes):
    n = int(np.prod(shape))
    return Population(
        name=name,
        model="lif",
        shape=shape,
        decay_u=rng.choice([0, 300, 4000, 4096], n),
        decay_v=rng.integers(0, 1200, n),
        threshold=rng.integers(2, 60, n),
        **changes,
    )


def dense(rng, source, target, n_source, n_target, **changes):
    step, exp = 2, int(rng.integers(-3, 3))
    fields = {
        "source": source,
        "target": target,
        "weights": (rng.integers(-40, 60, (n_target, n_source)) * step).astype(np.int16),
        "weight_exp": exp,
    }
    return DenseSynapse(**{**fields, **changes})


def sparse(rng, source, target, n_source, n_target, *, delays=False):
    full = (
        rng.integers(-50, 60, (n_target, n_source)) * 2 * (rng.random((n_target, n_source)) < 0.5)
    )
    block, pointers, targets, weights = 3, [], [], []
    for first in range(0, n_target, block):
        part = full[first : first + block]
        row = [len(weights)]
        for j in range(n_source):
            hit = np.flatnonzero(part[:, j])
            targets += hit.tolist()
            weights += part[hit, j].tolist()
            row.append(len(weights))
        pointers.append(row)
    late = rng.integers(0, 5, len(weights)).astype(np.uint8) if delays else None
    return SparseSynapse(
        source=source,
        target=target,
        block=block,
        pointers=np.array(pointers),
        targets=np.array(targets, dtype=np.uint16),
        weights=np.array(weights, dtype=np.int16),
        delays=late,
        weight_exp=-1,
    )


def build(populations, synapses, *, inputs, outputs, target="loihi2", **changes):
    rows, slot = [], 0
    for p in populations:
        rows.append((p.name, np.arange(p.size), "neuron", slot + np.arange(p.size)))
        slot += p.size
    fields = {
        "target": target,
        "dt": 1e-3,
        "input_shapes": inputs,
        "outputs": tuple(
            OutputChannel(output=f"y{i}", node=n, quantity=q) for i, (n, q) in enumerate(outputs)
        ),
        "node_shapes": {p.name: p.shape for p in populations},
        "placement": Placement.from_rows(rows),
        "populations": tuple(populations),
        "synapses": tuple(synapses),
    }
    return LoihiConfig(**{**fields, **changes})


def dense_net(rng, **changes):
    """Two layers with biases, delays, a recurrence, a skip connection and a tap."""
    n = int(rng.integers(3, 9))
    one = lif(rng, "a", (n,), bias_mant=rng.integers(-3, 6, n), bias_exp=np.array([6]))
    two = lif(rng, "b", (4,), **changes)
    late = rng.integers(0, 6, (4, n)).astype(np.uint8)
    synapses = [
        dense(rng, "x", "a", 5, n),
        dense(rng, "a", "a", n, n, axon_delay=rng.integers(0, 4, n), weight_exp=1),
        dense(rng, "a", "b", n, 4, delays=late),
        dense(rng, "x", "b", 5, 4, weight_exp=0),
    ]
    tap = Tap(name="later", source="b", delay=np.array([2]))
    outputs = [("b", "spikes"), ("later", "spikes")]
    return build([one, two], synapses, inputs={"x": (5,)}, outputs=outputs, taps=(tap,))


def sparse_net(rng):
    pops = [lif(rng, "a", (7,)), lif(rng, "b", (4,))]
    synapses = [sparse(rng, "x", "a", 6, 7), sparse(rng, "a", "b", 7, 4, delays=True)]
    return build(pops, synapses, inputs={"x": (6,)}, outputs=[("b", "spikes")])


def conv_net(rng):
    """Convolutions with stride, padding, dilation and groups, then a dense read-out."""
    first = ConvSynapse(
        source="x",
        target="a",
        weights=(rng.integers(-30, 50, (4, 1, 3, 2)) * 2).astype(np.int16),
        input_shape=(2, 7, 6),
        stride=(2, 1),
        padding=(1, 0),
        dilation=(1, 2),
        groups=2,
    )
    second = ConvSynapse(
        source="a",
        target="b",
        weights=(rng.integers(-30, 50, (3, 4, 2, 3)) * 2).astype(np.int16),
        input_shape=first.output_shape,
    )
    n = int(np.prod(second.output_shape))
    pops = [
        lif(rng, "a", first.output_shape),
        lif(rng, "b", second.output_shape),
        lif(rng, "c", (3,)),
    ]
    synapses = [first, second, dense(rng, "b", "c", n, 3)]
    return build(pops, synapses, inputs={"x": (2, 7, 6)}, outputs=[("c", "spikes")])


def ternary_net(rng):
    """+1, 0 and -1 into a read-out with per-neuron registers."""
    n = 6
    ternary = Population(
        name="a",
        model="ternary",
        shape=(n,),
        decay_u=np.array([2000]),
        decay_v=np.array([100]),
        threshold=rng.integers(2, 9, n),
        threshold_low=-rng.integers(2, 9, n),
    )
    readout = lif(rng, "b", (3,)).model_copy(
        update={"spiking": False, "threshold": np.array([131071])}
    )
    synapses = [dense(rng, "x", "a", 4, n), dense(rng, "a", "b", n, 3, num_message_bits=8)]
    outputs = [("a", "value"), ("b", "v_mem")]
    return build([ternary, readout], synapses, inputs={"x": (4,)}, outputs=outputs)


def resonator_net(rng, model="rf"):
    n, angle = 5, np.linspace(0.3, 1.4, 5)
    pop = Population(
        name="a",
        model=model,
        shape=(n,),
        sin_decay=np.round(4000 * np.sin(angle)).astype(int),
        cos_decay=np.round(4000 * np.cos(angle)).astype(int),
        threshold=rng.integers(500, 4000, n),
    )
    synapses = [dense(rng, "x", "a", 4, n, port=port) for port in ("re", "im")]
    return build([pop], synapses, inputs={"x": (4,)}, outputs=[("a", "spikes")])


def delta_net(rng):
    """A driven encoder, a sigma-delta layer with bias, and a sum."""
    encoder = Population(
        name="a", model="delta", shape=(3,), threshold=rng.integers(200, 3000, 3), drive="x"
    )
    middle = Population(
        name="b",
        model="sigma_delta",
        shape=(4,),
        threshold=rng.integers(200, 3000, 4),
        bias_mant=rng.integers(-200, 200, 4),
        bias_exp=np.array([3]),
    )
    total = Population(name="c", model="sigma", shape=(2,))
    synapses = [
        dense(rng, "a", "b", 3, 4, num_message_bits=16, weight_exp=0),
        dense(rng, "b", "c", 4, 2, num_message_bits=16, weight_exp=0),
    ]
    return build(
        [encoder, middle, total],
        synapses,
        inputs={"x": (3,)},
        outputs=[("c", "value")],
        values=("x",),
    )


def driven_net(rng):
    """Values drive the bias of a layer, without any synapse before it."""
    first = lif(
        rng,
        "a",
        (3,),
        drive="x",
        drive_weight=np.array([76.0]),
        drive_offset=np.array([4.0]),
        bias_exp=np.array([6]),
    )
    pops = [first, lif(rng, "b", (4,))]
    synapses = [dense(rng, "a", "b", 3, 4)]
    outputs = [("b", "spikes")]
    return build(pops, synapses, inputs={"x": (3,)}, outputs=outputs, values=("x",))


NETWORKS = {
    "dense": dense_net,
    "sparse": sparse_net,
    "conv": conv_net,
    "ternary": ternary_net,
    "rf": resonator_net,
    "rf_iz": lambda rng: resonator_net(rng, "rf_iz"),
    "delta": delta_net,
    "driven": driven_net,
}


def random_input(rng, config, *, batch=1, steps=20):
    (shape,) = config.input_shapes.values()
    if config.values:
        return rng.normal(0, 2, (batch, steps, *shape))
    return (rng.random((batch, steps, *shape)) < 0.4).astype(np.int64)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _clean(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    before = set(threading.enumerate())
    emulation.clear()
    yield
    for thread in set(threading.enumerate()) - before:  # of calls that hung, still calling Lava
        thread.join(5.0)
    emulation.clear()


@pytest.fixture
def sdk(monkeypatch):
    """Put the emulated Lava with its extension for hardware into this interpreter."""
    for name, module in emulation.modules(hardware=True).items():
        monkeypatch.setitem(sys.modules, name, module)
    return emulation


@pytest.fixture
def board(sdk, monkeypatch):
    """Configure a board as well."""
    monkeypatch.setenv("SLURM", "1")
    return sdk


@pytest.fixture
def interpreter(tmp_path, monkeypatch):
    """Return a program that runs this Python with the emulated Lava on its path, and nothing else.

    `make(hardware=...)` writes it and configures it.
    """

    def make(*, hardware=False, faults="{}", body=None):
        tree = emulation.write_tree(tmp_path / "tree", hardware=hardware)
        numpy_home = Path(np.__file__).parents[1]
        program = tmp_path / "lava-python"
        call = body or (
            f"EMULATED_LAVA='{faults}' PYTHONPATH={tree}:{numpy_home} "
            f'exec {sys.executable} -S "$@"'
        )
        program.write_text(f"#!/bin/sh\n{call}\n", encoding="utf-8")
        os.chmod(program, 0o755)
        monkeypatch.setenv("RANVIER_LAVA_PYTHON", str(program))
        return program

    return make


@pytest.fixture
def networks():
    return NETWORKS
