"""Small configurations for the tests of the simulator, and the comparison with the scalar model."""

import runpy
from pathlib import Path

import numpy as np

from ranvier.artifacts import OutputChannel, Placement
from ranvier_loihi.config import DenseSynapse, LoihiConfig, Population
from ranvier_loihi.simulator import LoihiSession

scalar_run = runpy.run_path(str(Path(__file__).with_name("scalar_lava.py")))["run"]
READ = {
    "lif": ("i_syn", "v_mem"),
    "ternary": ("i_syn", "v_mem"),
    "rf": ("re", "im"),
    "rf_iz": ("re", "im"),
    "delta": ("activation", "residual"),
    "sigma_delta": ("sigma", "activation", "residual"),
    "sigma": ("sigma",),
}


def population(name="a", n=3, model="lif", **fields):
    shape = n if isinstance(n, tuple) else (n,)
    arrays = {
        k: np.atleast_1d(v) if isinstance(v, int | float | list | np.ndarray) and k in ARRAYS else v
        for k, v in fields.items()
    }
    return Population(name=name, model=model, shape=shape, **arrays)


ARRAYS = (
    "decay_u",
    "decay_v",
    "threshold",
    "threshold_low",
    "bias_mant",
    "bias_exp",
    "refractory",
    "v_initial",
    "sin_decay",
    "cos_decay",
    "drive_weight",
    "drive_offset",
    "u_lsb",
    "v_lsb",
)


def dense(weights, source="input", target="a", **fields):
    weights = np.atleast_2d(np.asarray(weights, dtype=np.int16))
    return DenseSynapse(source=source, target=target, weights=weights, **fields)


def n_sources(s):
    return s.pointers.shape[1] - 1 if s.kind == "sparse" else s.weights.shape[1]


def network(populations, synapses, *, inputs=None, output=None, **fields):
    rows, slot = [], 0
    for p in populations:
        rows.append((p.name, np.arange(p.size), "neuron", slot + np.arange(p.size)))
        slot += p.size
    shown = output or populations[-1].name
    graded = next((p.graded for p in populations if p.name == shown), False)
    quantity = fields.pop("quantity", "value" if graded else "spikes")
    return LoihiConfig(
        target="loihi2",
        dt=1e-3,
        input_shapes=inputs or {"input": (n_sources(synapses[0]),)},
        outputs=(OutputChannel(output="output", node=shown, quantity=quantity),),
        node_shapes={p.name: p.shape for p in populations},
        placement=Placement.from_rows(rows),
        populations=tuple(populations),
        synapses=tuple(synapses),
        **fields,
    )


def observed(recording, config, sample=None):
    """Return all integers of a recording as ``{(population, quantity): (time, n)}``."""
    found = {}
    for p in config.populations:
        for quantity in READ[p.model]:
            found[p.name, quantity] = recording[p.name, quantity].values
        if p.graded:
            found[p.name, "out"] = recording[p.name, "value"].values
        elif p.spiking:
            found[p.name, "out"] = recording[p.name, "spikes"].raster()
    pick = 0 if sample is None else sample
    return {k: v[pick].reshape(v.shape[1], int(np.prod(v.shape[2:]))) for k, v in found.items()}


def assert_same_as_scalar(config, inputs):
    """Run both and compare every state and every message; returns recording and losses."""
    if not isinstance(inputs, dict):
        inputs = {next(iter(config.input_shapes)): inputs}
    inputs = {name: np.asarray(x) for name, x in inputs.items()}
    expected, lost = scalar_run(config, inputs)

    recording = LoihiSession(config).run(inputs, record=True)

    for key, values in observed(recording, config).items():
        np.testing.assert_array_equal(values, expected[key], err_msg=str(key))
    return recording, lost
