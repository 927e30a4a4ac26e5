"""The float network that a configuration stands for, kept beside the integers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import Array, ChipConfig, MappedNetwork
from ranvier.graph import Graph

if TYPE_CHECKING:
    from .config import XyloConfig

_SAME = ("alpha", "beta", "gain", "threshold", "bias")
_NAMES = ("weights_in", "weights_out", *_SAME, *(f"{name}_out" for name in _SAME))


class OriginFields(ChipConfig):
    """Fields that let the shadow run a configuration with its roundings switched off.

    All of them are present, or none. Recurrent weights are stored sparse.

    Parameters
    ----------
    origin_weights_in, origin_weights_out, origin_alpha, origin_beta, origin_gain, ... : array
        As `ranvier_xylo.mapping.map_network` describes them.
    origin_weights_rec, origin_rec_index : array, (n_nonzero,)
        Recurrent weights and their flat positions in (n_hid, n_hid, S).
    origin_max_spikes, origin_max_spikes_out : array, (n_hid,) and (n_out,)
        Spikes per step that the graph's neurons may emit.
    """

    origin_weights_in: Array | None = None
    origin_weights_rec: Array | None = None
    origin_rec_index: Array | None = None
    origin_weights_out: Array | None = None
    origin_alpha: Array | None = None
    origin_alpha_out: Array | None = None
    origin_beta: Array | None = None
    origin_beta_out: Array | None = None
    origin_gain: Array | None = None
    origin_gain_out: Array | None = None
    origin_threshold: Array | None = None
    origin_threshold_out: Array | None = None
    origin_bias: Array | None = None
    origin_bias_out: Array | None = None
    origin_max_spikes: Array | None = None
    origin_max_spikes_out: Array | None = None


def origin_of(mapped: MappedNetwork) -> dict[str, NDArray[np.generic]]:
    """Return the origin fields of a mapped network."""
    dense = np.asarray(mapped.arrays["weights_rec"])
    index = np.flatnonzero(dense)
    fields = {f"origin_{name}": np.asarray(mapped.arrays[name]) for name in _NAMES}
    sizes = {"hidden": dense.shape[0], "output": mapped.arrays["threshold_out"].size}
    return {
        **fields,
        "origin_weights_rec": dense.ravel()[index],
        "origin_rec_index": index.astype(np.int64),
        "origin_max_spikes": _max_spikes(mapped, mapped.graph, "hidden", sizes["hidden"]),
        "origin_max_spikes_out": _max_spikes(mapped, mapped.graph, "output", sizes["output"]),
    }


def _max_spikes(mapped: MappedNetwork, graph: Graph, port: str, size: int) -> NDArray[np.int64]:
    result = np.ones(size, dtype=np.int64)
    for node in mapped.placement.node:
        ids = mapped.placement.slots_of(node, port=port)
        result[ids] = getattr(graph.nodes[node], "max_spikes", 1)
    return result


def origin_problems(config: XyloConfig) -> list[str]:
    """Return origin fields that are missing or do not have the shape of the registers."""
    fields = {n: getattr(config, n) for n in OriginFields.model_fields if n.startswith("origin_")}
    given = {name: values for name, values in fields.items() if values is not None}
    if not given:
        return []
    problems = [f"{name} is missing" for name in fields if name not in given]
    shapes = {
        "origin_weights_in": config.weights_in.shape,
        "origin_weights_out": config.weights_out.shape,
        **{f"origin_{n}": config.dash_syn.shape for n in ("beta", "gain")},
        **{f"origin_{n}": (config.n_hid,) for n in ("alpha", "threshold", "bias", "max_spikes")},
        **{f"origin_{n}_out": (config.n_out,) for n in (*_SAME, "max_spikes")},
    }
    for name, shape in shapes.items():
        if name in given and given[name].shape != shape:
            problems.append(f"{name} has shape {given[name].shape}, expected {shape}")
    if len(given) == len(fields):
        problems += _index_problems(config)
    return problems


def _index_problems(config: XyloConfig) -> list[str]:
    index, values = np.asarray(config.origin_rec_index), np.asarray(config.origin_weights_rec)
    good = index.ndim == 1 and index.shape == values.shape and index.dtype.kind in "iu"
    if good and index.size:
        good = bool(index.min() >= 0 and index.max() < config.weights_rec.size)
    return [] if good else ["origin_rec_index does not fit origin_weights_rec"]


def recurrent_weights(config: XyloConfig) -> NDArray[np.float64]:
    """Return the dense recurrent weights of the origin, (n_hid, n_hid, S)."""
    dense = np.zeros(config.weights_rec.size)
    dense[np.asarray(config.origin_rec_index)] = np.asarray(config.origin_weights_rec)
    return dense.reshape(config.weights_rec.shape)
