"""The numbers of one Xylo network and its state, as plain integer arrays."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import InputError

IntArray = NDArray[np.integer[Any]]

INT16_MIN, INT16_MAX = -(2**15), 2**15 - 1
MAX_SHIFT = 7
MAX_DASH = 15
MAX_INPUT_COUNT = 15
MAX_SPIKES = 31


@dataclass(frozen=True, kw_only=True, eq=False)
class CoreArrays:
    """The registers of one Xylo core that decide its numbers.

    Checked on construction; the arrays are copied and made read-only.

    Parameters
    ----------
    weights_in : array, shape (n_in, n_ien, 1 or 2), -128..127
        From input channel to hidden neuron and synapse. Column ``j`` is hidden neuron ``j``; the
        hidden neurons from ``n_ien`` on have no input.
    weights_rec : array, shape (n_hidden, n_hidden, 1 or 2), -128..127
        From hidden neuron (first axis) to hidden neuron and synapse.
    weights_out : array, shape (n_oen, n_out), -128..127
        Rows are the *last* ``n_oen`` hidden neurons.
    threshold, threshold_out : array, shapes (n_hidden,) and (n_out,), 0..32767
        A neuron fires while its membrane is at or above its threshold.
    dash_mem, dash_mem_out, dash_syn_out : array, shapes (n_hidden,), (n_out,), (n_out,), 0..15
        Decay shifts.
    dash_syn : array, shape (n_hidden, 2), 0..15
        Decay shifts of the two synapses of each hidden neuron.
    bias, bias_out : array, shapes (n_hidden,) and (n_out,), -32768..32767, optional
        Added to the membrane in every step; zero if absent. Only version 2 has it.
    aliases : array, shape (n_hidden,), -1..n_hidden-1, optional
        Neuron that receives a copy of this neuron's spikes in the same step, -1 for none.
    weight_shift_in, weight_shift_rec, weight_shift_out : int, 0..7
        Left shift of all weights of a class.
    version : {1, 2}
        Membrane rule: 1 for SYNS61300, 2 for all later chips. They differ at the rails only.

    Raises
    ------
    InputError
        A shape does not fit the others, a value is no integer or outside its range. All problems
        are named at once.
    """

    weights_in: IntArray
    weights_rec: IntArray
    weights_out: IntArray
    threshold: IntArray
    threshold_out: IntArray
    dash_mem: IntArray
    dash_mem_out: IntArray
    dash_syn: IntArray
    dash_syn_out: IntArray
    bias: IntArray | None = None
    bias_out: IntArray | None = None
    aliases: IntArray | None = None
    weight_shift_in: int = 0
    weight_shift_rec: int = 0
    weight_shift_out: int = 0
    version: int = 2

    def __post_init__(self) -> None:
        """Fill in the optional arrays, check everything, and freeze copies."""
        n_hidden, n_out = np.size(self.threshold), np.size(self.threshold_out)
        self._default("bias", np.zeros(n_hidden, np.int16))
        self._default("bias_out", np.zeros(n_out, np.int16))
        self._default("aliases", np.full(n_hidden, -1, np.int16))
        problems = self._scalar_problems()
        for name, (shape, low, high, dtype) in self._rules().items():
            array = np.asarray(getattr(self, name))
            found = _array_problems(name, array, shape, low, high)
            problems += found
            if not found:
                frozen = np.array(array, dtype, order="C")
                frozen.flags.writeable = False
                object.__setattr__(self, name, frozen)
        if not problems and self.version == 1 and (np.any(self.bias) or np.any(self.bias_out)):
            problems.append("bias: version 1 has none, found nonzero values; use version 2")
        if problems:
            raise InputError("xylo core: " + "; ".join(problems))

    @property
    def n_in(self) -> int:
        """Number of input channels."""
        return int(self.weights_in.shape[0])

    @property
    def n_hidden(self) -> int:
        """Number of hidden neurons."""
        return int(self.threshold.shape[0])

    @property
    def n_out(self) -> int:
        """Number of output neurons."""
        return int(self.threshold_out.shape[0])

    def _default(self, name: str, value: IntArray) -> None:
        if getattr(self, name) is None:
            object.__setattr__(self, name, value)

    def _scalar_problems(self) -> list[str]:
        names = ("weight_shift_in", "weight_shift_rec", "weight_shift_out")
        found = [
            f"{name} is {getattr(self, name)}, allowed are 0..{MAX_SHIFT}"
            for name in names
            if getattr(self, name) not in range(MAX_SHIFT + 1)
        ]
        if self.version not in (1, 2):
            found.append(f"version is {self.version}, allowed are 1 and 2")
        return found

    def _rules(self) -> dict[str, tuple[tuple[Any, ...], int, int, type[np.integer[Any]]]]:
        """Shape (several sizes may be allowed), range and dtype of each array."""
        n, o, synapses = np.size(self.threshold), np.size(self.threshold_out), (1, 2)
        weight, dash = (-128, 127, np.int8), (0, MAX_DASH, np.int16)
        limit, bias = (0, INT16_MAX, np.int16), (INT16_MIN, INT16_MAX, np.int16)
        return {
            "weights_in": ((None, range(n + 1), synapses), *weight),
            "weights_rec": ((n, n, synapses), *weight),
            "weights_out": ((range(n + 1), o), *weight),
            "threshold": ((n,), *limit),
            "threshold_out": ((o,), *limit),
            "dash_mem": ((n,), *dash),
            "dash_mem_out": ((o,), *dash),
            "dash_syn": ((n, 2), *dash),
            "dash_syn_out": ((o,), *dash),
            "bias": ((n,), *bias),
            "bias_out": ((o,), *bias),
            "aliases": ((n,), -1, n - 1, np.int16),
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class CoreState:
    """Everything a core remembers from one step to the next.

    Parameters
    ----------
    i_syn, i_syn2, v_mem : array, shape (batch, n_hidden), int16
        Both synaptic currents and the membranes of the hidden neurons.
    spikes : array, shape (batch, n_hidden), uint8, 0..31
        Spikes of the last step, aliases included; they reach their targets in the next one.
    i_syn_out, v_mem_out : array, shape (batch, n_out), int16
        Current and membrane of the output neurons.
    """

    i_syn: NDArray[np.int16]
    i_syn2: NDArray[np.int16]
    v_mem: NDArray[np.int16]
    spikes: NDArray[np.uint8]
    i_syn_out: NDArray[np.int16]
    v_mem_out: NDArray[np.int16]

    @classmethod
    def zeros(cls, batch: int, n_hidden: int, n_out: int) -> CoreState:
        """Return the state after a reset."""

        def hidden() -> NDArray[np.int16]:
            return np.zeros((batch, n_hidden), np.int16)

        return cls(
            i_syn=hidden(),
            i_syn2=hidden(),
            v_mem=hidden(),
            spikes=np.zeros((batch, n_hidden), np.uint8),
            i_syn_out=np.zeros((batch, n_out), np.int16),
            v_mem_out=np.zeros((batch, n_out), np.int16),
        )

    def checked(self, batch: int, n_hidden: int, n_out: int) -> CoreState:
        """Return a contiguous copy, or raise InputError naming every field that does not fit."""
        problems: list[str] = []
        copies: dict[str, Any] = {}
        for field in fields(self):
            array = np.asarray(getattr(self, field.name))
            shape = (batch, n_out if field.name.endswith("_out") else n_hidden)
            spikes = field.name == "spikes"
            low, high = (0, MAX_SPIKES) if spikes else (INT16_MIN, INT16_MAX)
            problems += _array_problems(f"state.{field.name}", array, shape, low, high)
            copies[field.name] = np.array(array, np.uint8 if spikes else np.int16, order="C")
        if problems:
            raise InputError("xylo core: " + "; ".join(problems))
        return CoreState(**copies)


def _array_problems(
    name: str, array: NDArray[Any], shape: tuple[Any, ...], low: int, high: int
) -> list[str]:
    """Compare an array with its shape (int, choice of ints, or None for any size) and range."""
    if not np.issubdtype(array.dtype, np.integer):
        return [f"{name} has dtype {array.dtype}, give integers"]
    pairs = zip(array.shape, shape, strict=False)
    if array.ndim != len(shape) or any(not _fits(size, allowed) for size, allowed in pairs):
        return [f"{name} has shape {array.shape}, needed is ({', '.join(map(_show, shape))})"]
    if array.size and (array.min() < low or array.max() > high):
        return [f"{name} spans {array.min()}..{array.max()}, allowed are {low}..{high}"]
    return []


def _fits(size: int, allowed: Any) -> bool:
    return allowed is None or (size == allowed if isinstance(allowed, int) else size in allowed)


def _show(allowed: Any) -> str:
    if isinstance(allowed, range):
        return f"0..{allowed[-1]}"
    return "any" if allowed is None else " or ".join(map(str, np.atleast_1d(allowed)))
