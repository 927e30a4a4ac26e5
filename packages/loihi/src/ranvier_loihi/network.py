"""The network between *map* and *quantize*: populations and connections, still in real numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import QuantizationError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def _floats(value: float = 0.0) -> Any:
    return field(default_factory=lambda: np.array([value]))


def _ints(value: int = 0) -> Any:
    return field(default_factory=lambda: np.array([value], dtype=np.int64))


@dataclass(frozen=True, kw_only=True, eq=False)
class MappedPopulation:
    """Neurons of one graph node in model units; arrays are ``(1,)`` or ``(n,)``.

    Parameters
    ----------
    name, model, shape, spiking, activation
        As in `ranvier_loihi.config.Population`.
    beta, alpha : array
        What is left of current and voltage after one step, 0..1; "rf": unused.
    threshold, threshold_low, bias, v_rest : array
        Model units; ``threshold`` and ``bias`` are relative to ``v_rest``.
    comparison : {">", ">="}
        How the graph compares.
    refractory : array of int, >= 1
        Steps from a spike to the next possible one.
    cosine, sine : array
        "rf", "rf_iz": damping times cosine and sine of the angle per step.
    drive : str or None
        Input node that drives the bias.
    drive_weight, drive_offset : array
        Gain and offset of that input.
    late : int
        Steps by which its signal is later than in the graph.
    """

    name: str
    model: str
    shape: tuple[int, ...]
    spiking: bool = True
    comparison: str = ">"
    activation: str = "relu"
    beta: Floats = _floats()
    alpha: Floats = _floats()
    threshold: Floats = _floats(1.0)
    threshold_low: Floats = _floats(-1.0)
    bias: Floats = _floats()
    v_rest: Floats = _floats()
    refractory: Ints = _ints(1)
    cosine: Floats = _floats()
    sine: Floats = _floats()
    drive: str | None = None
    drive_weight: Floats = _floats(1.0)
    drive_offset: Floats = _floats()
    late: int = 0

    @property
    def size(self) -> int:
        """Number of neurons."""
        return int(np.prod(self.shape, dtype=np.int64))

    def full(self, name: str) -> NDArray[Any]:
        """Return a parameter of every neuron, (n,)."""
        return np.broadcast_to(getattr(self, name), (self.size,))


@dataclass(frozen=True, kw_only=True, eq=False)
class MappedConnection:
    """Weights from an input or population to a population, in model units.

    Parameters
    ----------
    source, target, port
        As in `ranvier_loihi.config.SynapseBase`.
    kind : {"dense", "sparse", "conv"}
        Layout.
    weight : array
        "dense": (n_target, n_source); "sparse": (n_synapses,), rows of a CSR matrix (n_target,
        n_source); "conv": (c_out, c_in / groups, kh, kw), torch's orientation.
    indices, indptr : array of int
        "sparse": columns and row starts; empty otherwise.
    delay : array of int
        Programmed delay beyond the one step of a hop: (1,), (n_source,), or per synapse with the
        shape of ``weight`` ("dense" and "sparse").
    input_shape, stride, padding, dilation, groups
        "conv" only.
    """

    source: str
    target: str
    port: str
    kind: str
    weight: Floats
    indices: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    indptr: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    delay: Ints = _ints()
    input_shape: tuple[int, ...] = ()
    stride: tuple[int, ...] = (1, 1)
    padding: tuple[int, ...] = (0, 0)
    dilation: tuple[int, ...] = (1, 1)
    groups: int = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class MappedTap:
    """A signal that the host delays, see `ranvier_loihi.config.Tap`."""

    name: str
    source: str
    delay: Ints = _ints()


@dataclass(frozen=True, kw_only=True)
class LoihiNetwork:
    """Everything that `map` finds out about a graph, besides the places.

    Parameters
    ----------
    inputs : mapping of str to tuple of int
        Input nodes and their shapes.
    populations : tuple of MappedPopulation
        In topological order.
    connections : tuple of MappedConnection
        Several may join the same ends.
    taps : tuple of MappedTap
        What the host delays.
    """

    inputs: Mapping[str, tuple[int, ...]]
    populations: tuple[MappedPopulation, ...]
    connections: tuple[MappedConnection, ...]
    taps: tuple[MappedTap, ...] = ()

    def size_of(self, name: str) -> int:
        """Return the number of channels of an input or neurons of a population."""
        if name in self.inputs:
            return int(np.prod(self.inputs[name], dtype=np.int64))
        return next(p.size for p in self.populations if p.name == name)

    def to_parts(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return arrays and a JSON-able document, as a `MappedNetwork` carries them."""
        arrays: dict[str, NDArray[Any]] = {}
        document: dict[str, Any] = {"inputs": {n: list(s) for n, s in self.inputs.items()}}
        for kind in _PARTS:
            entries = []
            for number, item in enumerate(getattr(self, kind)):
                own = {f.name: getattr(item, f.name) for f in dataclasses.fields(item)}
                arrays |= {
                    f"{kind}/{number}/{k}": v for k, v in own.items() if isinstance(v, np.ndarray)
                }
                entries.append(
                    {
                        k: list(v) if isinstance(v, tuple) else v
                        for k, v in own.items()
                        if not isinstance(v, np.ndarray)
                    }
                )
            document[kind] = entries
        return arrays, document

    @classmethod
    def from_parts(
        cls, arrays: Mapping[str, NDArray[Any]], document: Mapping[str, Any]
    ) -> LoihiNetwork:
        """Build a network from what `to_parts` returned.

        Raises
        ------
        QuantizationError
            An array is missing, unknown or not finite.
        """
        parts: dict[str, tuple[Any, ...]] = {}
        seen: set[str] = set()
        for kind, cls_of in _PARTS.items():
            made = []
            for number, entry in enumerate(document[kind]):
                prefix = f"{kind}/{number}/"
                own = {k[len(prefix) :]: v for k, v in arrays.items() if k.startswith(prefix)}
                seen |= {prefix + k for k in own}
                wanted = {f.name for f in dataclasses.fields(cls_of)} - set(entry)
                if set(own) != wanted:
                    raise QuantizationError(
                        f"loihi: {kind}[{number}] has the arrays {sorted(own)}, expected "
                        f"{sorted(wanted)}; map the graph again"
                    )
                bad = [k for k, v in own.items() if not np.all(np.isfinite(v))]
                if bad:
                    raise QuantizationError(
                        f"loihi: {kind}[{number}]: {', '.join(bad)} has values that are not "
                        "finite; map the graph again"
                    )
                plain = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}
                made.append(cls_of(**plain, **own))
            parts[kind] = tuple(made)
        unknown = sorted(set(arrays) - seen)
        if unknown:
            raise QuantizationError(f"loihi: unknown arrays {unknown}; map the graph again")
        inputs = {n: tuple(s) for n, s in document["inputs"].items()}
        return cls(inputs=inputs, **parts)


_PARTS: dict[str, type[Any]] = {
    "populations": MappedPopulation,
    "connections": MappedConnection,
    "taps": MappedTap,
}
