"""A configuration as a plain description of Lava processes, which another interpreter can build."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config import ConvSynapse, LoihiConfig, Population, SparseSynapse
from .layout import Layout, layouts_of

CLASSES = {
    "lif": "LIF",
    "ternary": "TernaryLIF",
    "rf": "RF",
    "rf_iz": "RF_IZ",
    "delta": "Delta",
    "sigma_delta": "SigmaDelta",
    "sigma": "Sigma",
}
"""Lava process of each model, without periodic reset."""
VARIABLES: dict[str, dict[str, str]] = {
    "lif": {"i_syn": "u", "v_mem": "v"},
    "ternary": {"i_syn": "u", "v_mem": "v"},
    "rf": {"re": "real", "im": "imag"},
    "rf_iz": {"re": "real", "im": "imag"},
    "delta": {"activation": "act", "residual": "residue"},
    "sigma_delta": {"sigma": "sigma", "activation": "act", "residual": "residue"},
    "sigma": {"sigma": "sigma"},
}
"""Variable of the Lava process behind each recordable quantity."""
_PORTS = {"in": "a_in", "re": "a_real_in", "im": "a_imag_in"}
DECAY_BITS = 12


@dataclass(frozen=True)
class Description:
    """A network in Lava's terms.

    Parameters
    ----------
    job : dict
        JSON-able: ``sources``, ``processes``, ``links``, ``sinks``, ``probes``.
    arrays : dict of str to array
        What the job names.
    layouts : dict of str to Layout
        Of every population and input.
    """

    job: dict[str, Any]
    arrays: dict[str, NDArray[Any]]
    layouts: dict[str, Layout]


@dataclass
class _Writer:
    config: LoihiConfig
    elapsed: int
    reset_shift: int
    layouts: dict[str, Layout] = field(default_factory=dict)
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)

    def keep(self, key: str, values: NDArray[Any]) -> dict[str, str]:
        self.arrays[key] = np.ascontiguousarray(values)
        return {"array": key}

    def register(self, population: Population, name: str, *, add: int = 0) -> Any:
        """Return a register as a number, or as an array in Lava's order."""
        values = np.asarray(getattr(population, name)) + add
        if values.shape == (1,):
            return int(values[0])
        ordered = self.layouts[population.name].register(values.astype(np.int64))
        return self.keep(f"{population.name}/{name}", ordered)

    def variable(self, population: Population, name: str, values: Any) -> dict[str, str]:
        array = np.asarray(values, dtype=np.int64)
        if array.shape != (1,):
            array = self.layouts[population.name].register(array)
        return self.keep(f"{population.name}/init/{name}", array)


def describe(
    config: LoihiConfig,
    *,
    record: Mapping[str, tuple[str, ...]] | None = None,
    elapsed: int = 0,
    reset_shift: int = 0,
) -> Description:
    """Describe a configuration that passed `network_findings`.

    Parameters
    ----------
    config : LoihiConfig
        What shall run.
    record : mapping of str to tuple of str
        Quantities wanted by population, besides its spikes or values.
    elapsed : int, >= 0
        Steps that ran before; periodic resets go on counting.
    reset_shift : int
        Steps by which periodic resets come later.

    Returns
    -------
    Description
    """
    writer = _Writer(config, elapsed, reset_shift, layouts_of(config))
    wanted = record or {}
    job = {
        "sources": [_source(writer, name) for name in _connected_inputs(config)],
        "processes": [_process(writer, p) for p in config.populations],
        "links": [_link(writer, number, s) for number, s in enumerate(config.synapses)],
        "sinks": [p.name for p in config.populations],
        "probes": [
            [p.name, VARIABLES[p.model][q]]
            for p in config.populations
            for q in wanted.get(p.name, ())
            if q in VARIABLES[p.model]
        ],
    }
    return Description(job, writer.arrays, writer.layouts)


def _connected_inputs(config: LoihiConfig) -> list[str]:
    used = {s.source for s in config.synapses}
    used |= {p.drive for p in config.populations if p.drive and not drives_bias(p)}
    return [name for name in config.input_shapes if name in used]


def drives_bias(population: Population) -> bool:
    """Say whether the driving input of a population is written to its bias, not to its input."""
    return population.model in ("lif", "ternary")


def _source(writer: _Writer, name: str) -> dict[str, Any]:
    links = [s for s in writer.config.synapses if s.source == name]
    return {
        "name": name,
        "shape": list(writer.layouts[name].shape),
        "conv": any(isinstance(s, ConvSynapse) for s in links),
        "message_bits": max([s.num_message_bits for s in links], default=16),
        "drives": [p.name for p in writer.config.populations if _is_fed(p, name)],
    }


def _is_fed(population: Population, name: str) -> bool:
    return population.drive == name and not drives_bias(population)


def _process(writer: _Writer, p: Population) -> dict[str, Any]:
    make = {"lif": _lif, "ternary": _lif, "rf": _resonator, "rf_iz": _resonator}.get(p.model, _sdn)
    shape = list(writer.layouts[p.name].shape)
    entry = {"name": p.name, "class": CLASSES[p.model], "shape": shape, **make(writer, p)}
    entry["args"] = {"shape": shape, **entry["args"]}
    return entry


def _lif(writer: _Writer, p: Population) -> dict[str, Any]:
    args = {
        "du": writer.register(p, "decay_u", add=-1),
        "dv": writer.register(p, "decay_v"),
        "bias_mant": writer.register(p, "bias_mant"),
        "bias_exp": writer.register(p, "bias_exp"),
        "v": writer.register(p, "v_initial"),
    }
    if p.model == "ternary":
        low = writer.register(p, "threshold_low")
        return {"args": {**args, "vth_hi": writer.register(p, "threshold"), "vth_lo": low}}
    args["vth"] = writer.register(p, "threshold")
    if not p.reset_interval:
        return {"args": args}
    args["reset_interval"] = p.reset_interval
    offset = p.reset_offset + writer.reset_shift - writer.elapsed
    return {"class": "LIFReset", "args": {**args, "reset_offset": offset % p.reset_interval}}


def _resonator(writer: _Writer, p: Population) -> dict[str, Any]:
    """Describe a resonator; its factors are set as they are, not through period and damping."""
    args = {"period": 4.0, "alpha": 0.0, "state_exp": p.state_exp, "decay_bits": DECAY_BITS}
    return {
        "args": args,
        "init": {
            "sin_decay": writer.variable(p, "sin_decay", p.sin_decay),
            "cos_decay": writer.variable(p, "cos_decay", p.cos_decay),
            "vth": writer.variable(p, "vth", p.threshold),
        },
    }


def _sdn(writer: _Writer, p: Population) -> dict[str, Any]:
    if p.model == "sigma":
        return {"args": {}}
    driven = p.drive is not None  # its messages have their fractional bits already
    shift = 0 if driven or p.model == "sigma_delta" else p.spike_exp
    args: dict[str, Any] = {"vth": 1, "spike_exp": shift, "state_exp": p.state_exp}
    init = {"vth": writer.variable(p, "vth", p.threshold)}
    if p.model == "sigma_delta":
        member = "RELU" if p.activation == "relu" else "UNIT"
        args["act_mode"] = {"enum": "ActivationMode", "member": member}
        bias = p.register("bias_mant") << p.register("bias_exp")
        init["bias"] = writer.variable(p, "bias", bias)
    return {"args": args, "init": init}


def _link(writer: _Writer, number: int, synapse: Any) -> dict[str, Any]:
    make = {"dense": _dense, "sparse": _sparse, "conv": _conv}[synapse.kind]
    name = f"synapse/{number}"
    entry = {
        "name": name,
        "source": synapse.source,
        "target": synapse.target,
        "port": _PORTS[synapse.port],
        **make(writer, name, synapse),
    }
    entry["args"]["num_message_bits"] = synapse.num_message_bits
    if not isinstance(synapse, ConvSynapse):
        entry["args"] |= {
            "weight_exp": synapse.weight_exp,
            "num_weight_bits": synapse.num_weight_bits,
            "sign_mode": {"enum": "SignMode", "member": synapse.sign_mode.upper()},
        }
        entry["in_shape"] = [writer.config.size_of(synapse.source)]
        entry["out_shape"] = [writer.config.size_of(synapse.target)]
    return entry


def _dense(writer: _Writer, name: str, synapse: Any) -> dict[str, Any]:
    rows = writer.layouts[synapse.target].order[:, None]
    columns = writer.layouts[synapse.source].order[None]
    weights = np.asarray(synapse.weights, dtype=np.int64)[rows, columns]
    args: dict[str, Any] = {"weights": writer.keep(f"{name}/weights", weights)}
    delays = np.zeros(synapse.weights.shape, dtype=np.int64) + synapse.axon_delay[None]
    if synapse.delays is not None:
        delays = delays + synapse.delays
    if not delays.any():
        return {"class": "Dense", "args": args}
    args["delays"] = writer.keep(f"{name}/delays", delays[rows, columns])
    return {"class": "DelayDense", "args": {**args, "max_delay": int(delays.max())}}


def _sparse(writer: _Writer, name: str, synapse: Any) -> dict[str, Any]:
    sources, targets = _coordinates(synapse)
    n_source, n_target = (writer.config.size_of(n) for n in (synapse.source, synapse.target))
    into = np.argsort(writer.layouts[synapse.target].order)[targets]
    from_ = np.argsort(writer.layouts[synapse.source].order)[sources]
    order = np.lexsort((from_, into))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(into, minlength=n_target))])
    delays = np.broadcast_to(synapse.axon_delay, (n_source,)).astype(np.int64)[sources]
    if synapse.delays is not None:
        delays = delays + synapse.delays

    def matrix(key: str, data: NDArray[Any]) -> dict[str, Any]:
        writer.keep(f"{key}/data", data[order].astype(np.int64))
        writer.keep(f"{key}/indices", from_[order].astype(np.int32))
        writer.keep(f"{key}/indptr", indptr.astype(np.int32))
        return {"csr": key, "shape": [n_target, n_source]}

    args: dict[str, Any] = {"weights": matrix(f"{name}/weights", synapse.weights)}
    if not delays.any():
        return {"class": "Sparse", "args": args}
    args["delays"] = matrix(f"{name}/delays", delays)
    return {"class": "DelaySparse", "args": {**args, "max_delay": int(delays.max())}}


def _coordinates(synapse: SparseSynapse) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return source and target of every synapse."""
    pointers = np.asarray(synapse.pointers)
    n_source = pointers.shape[1] - 1
    counts = np.diff(pointers, axis=1)
    sources = np.repeat(np.tile(np.arange(n_source), len(pointers)), counts.reshape(-1))
    blocks = np.repeat(np.arange(len(pointers)), counts.sum(axis=1))
    return sources, np.asarray(synapse.targets, dtype=np.int64) + blocks * synapse.block


def _conv(writer: _Writer, name: str, synapse: Any) -> dict[str, Any]:
    """Flip the kernel: Lava's Conv is a true convolution over (x, y)."""
    flipped = np.asarray(synapse.weights, dtype=np.int64)[:, :, ::-1, ::-1]
    args = {
        "weight": writer.keep(f"{name}/weight", flipped.transpose(0, 3, 2, 1)),
        "input_shape": list(synapse.input_shape[::-1]),
        "padding": list(synapse.padding[::-1]),
        "stride": list(synapse.stride[::-1]),
        "dilation": list(synapse.dilation[::-1]),
        "groups": synapse.groups,
    }
    shapes = {"in_shape": list(synapse.input_shape[::-1])}
    return {"class": "Conv", "args": args, **shapes, "out_shape": list(synapse.output_shape[::-1])}
