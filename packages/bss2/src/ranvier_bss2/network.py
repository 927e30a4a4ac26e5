"""The network between *map* and *quantize*: populations and projections, weights still real."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import QuantizationError

from .nodes import MODEL

Floats: TypeAlias = NDArray[np.float64]
Cadc: TypeAlias = Literal["off", "sram", "dram"]

TARGETS = (
    "leak",
    "reset",
    "threshold",
    "tau_mem",
    "tau_syn_exc",
    "tau_syn_inh",
    "refractory",
    "holdoff",
    "i_synin_gm",
    "membrane_capacitance",
    "synapse_dac_bias",
)
"""What the chip is calibrated to, per neuron: potentials in LSB of the CADC, times in s, codes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Readout:
    """What is recorded of a population, and how records become traces in model units.

    Parameters
    ----------
    cadc : {"off", "sram", "dram"}
        Whether and through which memory the slow converter samples.
    madc_neuron : int
        Neuron that the fast converter samples, -1: none.
    trace_scale : array, (n,)
        Model units per LSB, > 0.
    trace_offset : array, (n,)
        LSB that are taken off before scaling.
    shift_to_first : bool
        Take off the first sample instead of ``trace_offset``.
    time_shift : int
        Steps by which traces are moved to earlier times.
    interpolation : {"linear", "nn"}
        Between samples.
    """

    cadc: Cadc = "sram"
    madc_neuron: int = -1
    trace_scale: Floats
    trace_offset: Floats
    shift_to_first: bool = False
    time_shift: int = 0
    interpolation: Literal["linear", "nn"] = "linear"


@dataclass(frozen=True, kw_only=True, eq=False)
class BssPopulation:
    """Neurons of one layer.

    Parameters
    ----------
    name : str
        Graph node.
    shape : tuple of int
        Shape; n neurons, flattened C-major.
    switches : tuple of str
        Those of `ranvier_bss2.nodes.SWITCHES` that are on.
    model : mapping of str to array, (n,)
        `ranvier_bss2.nodes.MODEL`, in model units; times in s of the chip.
    targets : mapping of str to array, (n,)
        `TARGETS`; times in s of the chip.
    readout : Readout
        Recording.
    circuits : int
        Circuits of the chip per neuron, >= 1.
    instance : int
        Execution instance, from 0: instances run one after the other. Of a population that is
        split over several, the first.
    split : tuple of int
        Neurons in each of the instances from ``instance`` on, in order; empty: all in one.
    late : int
        Steps by which its signal is later than in the graph.
    """

    name: str
    shape: tuple[int, ...]
    switches: tuple[str, ...]
    model: Mapping[str, Floats]
    targets: Mapping[str, Floats]
    readout: Readout
    circuits: int = 1
    instance: int = 0
    split: tuple[int, ...] = ()
    late: int = 0

    @property
    def size(self) -> int:
        """Number of neurons."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def neuron_instance(self) -> NDArray[np.int64]:
        """Execution instance of every neuron, (n,)."""
        sizes = self.split or (self.size,)
        return self.instance + np.repeat(np.arange(len(sizes)), sizes).astype(np.int64)


@dataclass(frozen=True, kw_only=True)
class BssBackground:
    """A background generator as a source.

    Parameters
    ----------
    name : str
        Graph node.
    shape : tuple of int
        Shape; n channels, a power of two.
    regular : bool
        Whether events come at even distances.
    period : int
        Cycles of the event clock between two events or draws, >= 1.
    rate : int
        Largest number of 1..255 whose draw emits; 0 is off.
    seed : int
        Of the draws.
    generator : int
        0..7, -1: a free one.
    """

    name: str
    shape: tuple[int, ...]
    regular: bool
    period: int
    rate: int
    seed: int
    generator: int = -1

    @property
    def size(self) -> int:
        """Number of channels."""
        return int(np.prod(self.shape, dtype=np.int64))


@dataclass(frozen=True, kw_only=True, eq=False)
class BssProjection:
    """Weights from an input, a generator or a population to a population.

    Parameters
    ----------
    source, target : str
        Input, background generator or population, and population.
    weight : array, (n_target, n_source)
        Synaptic weight in LSB of the chip, before rounding; > 0 excites. One neuron-to-neuron
        weight beyond 63 takes several synapses.
    connected : array of bool, (n_target, n_source)
        Where synapses are allocated, also for weights of 0; all where True everywhere.
    delay : int
        0: spikes of a step act in the same step (forward); 1: in the next one (recurrence).
    """

    source: str
    target: str
    weight: Floats
    connected: NDArray[np.bool_]
    delay: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class BssNetwork:
    """Everything that *map* finds out about a graph, besides the places.

    Parameters
    ----------
    dt : float
        Time step on the chip, in s.
    time_scale : float
        Chip seconds per second of the graph.
    inputs : mapping of str to tuple of int
        Input nodes and their shapes.
    populations : tuple of BssPopulation
        In topological order.
    projections : tuple of BssProjection
        Several may join the same ends.
    backgrounds : tuple of BssBackground
        Generators on the chip that drive populations.
    """

    dt: float
    time_scale: float
    inputs: Mapping[str, tuple[int, ...]]
    populations: tuple[BssPopulation, ...]
    projections: tuple[BssProjection, ...] = field(default_factory=tuple)
    backgrounds: tuple[BssBackground, ...] = ()

    def population(self, name: str) -> BssPopulation:
        """Return a population by name."""
        return next(p for p in self.populations if p.name == name)

    def background(self, name: str) -> BssBackground | None:
        """Return a background generator by name, None if there is none of that name."""
        return next((b for b in self.backgrounds if b.name == name), None)

    def size_of(self, name: str) -> int:
        """Return the number of channels of an input or generator, or neurons of a population."""
        if name in self.inputs:
            return int(np.prod(self.inputs[name], dtype=np.int64))
        generator = self.background(name)
        if generator is not None:
            return generator.size
        return self.population(name).size

    def to_parts(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return arrays and a JSON-able document, as a `MappedNetwork` carries them."""
        arrays: dict[str, NDArray[Any]] = {}
        populations = []
        for number, p in enumerate(self.populations):
            at = f"populations/{number}"
            arrays |= {f"{at}/model/{k}": p.model[k] for k in MODEL}
            arrays |= {f"{at}/targets/{k}": p.targets[k] for k in TARGETS}
            arrays[f"{at}/trace_scale"] = p.readout.trace_scale
            arrays[f"{at}/trace_offset"] = p.readout.trace_offset
            plain = {n: getattr(p, n) for n in ("name", "circuits", "instance", "late")}
            plain |= {n: list(getattr(p, n)) for n in ("shape", "switches", "split")}
            plain["readout"] = {n: getattr(p.readout, n) for n in _READOUT}
            populations.append(plain)
        projections = []
        for number, q in enumerate(self.projections):
            arrays[f"projections/{number}/weight"] = q.weight
            arrays[f"projections/{number}/connected"] = q.connected
            projections.append({"source": q.source, "target": q.target, "delay": q.delay})
        document = {
            "dt": self.dt,
            "time_scale": self.time_scale,
            "inputs": {n: list(s) for n, s in self.inputs.items()},
            "populations": populations,
            "projections": projections,
            "backgrounds": [
                {**dataclasses.asdict(b), "shape": list(b.shape)} for b in self.backgrounds
            ],
        }
        return arrays, document

    @classmethod
    def from_parts(
        cls, arrays: Mapping[str, NDArray[Any]], document: Mapping[str, Any]
    ) -> BssNetwork:
        """Build a network from what `to_parts` returned.

        Raises
        ------
        QuantizationError
            An array is missing or not finite.
        """
        bad = [n for n, v in arrays.items() if not np.all(np.isfinite(v))]
        if bad:
            raise QuantizationError(
                f"bss2: {', '.join(sorted(bad))}: values that are not finite; map the graph again"
            )
        try:
            populations = tuple(
                _population(arrays, f"populations/{k}", entry)
                for k, entry in enumerate(document["populations"])
            )
            projections = tuple(
                BssProjection(
                    weight=arrays[f"projections/{k}/weight"],
                    connected=arrays[f"projections/{k}/connected"].astype(np.bool_),
                    **entry,
                )
                for k, entry in enumerate(document["projections"])
            )
        except KeyError as error:
            raise QuantizationError(
                f"bss2: the mapped network lacks {error}; map the graph again"
            ) from error
        return cls(
            dt=document["dt"],
            time_scale=document["time_scale"],
            inputs={n: tuple(s) for n, s in document["inputs"].items()},
            populations=populations,
            projections=projections,
            backgrounds=tuple(
                BssBackground(**{**entry, "shape": tuple(entry["shape"])})
                for entry in document.get("backgrounds", ())
            ),
        )


_READOUT = ("cadc", "madc_neuron", "shift_to_first", "time_shift", "interpolation")


def _population(
    arrays: Mapping[str, NDArray[Any]], at: str, entry: Mapping[str, Any]
) -> BssPopulation:
    readout = Readout(
        trace_scale=arrays[f"{at}/trace_scale"],
        trace_offset=arrays[f"{at}/trace_offset"],
        **entry["readout"],
    )
    plain: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in entry.items() if k != "readout"
    }
    return BssPopulation(
        model={k: arrays[f"{at}/model/{k}"] for k in MODEL},
        targets={k: arrays[f"{at}/targets/{k}"] for k in TARGETS},
        readout=readout,
        **plain,
    )
