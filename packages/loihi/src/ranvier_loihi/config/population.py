"""Neuron processes as the chip's registers describe them."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from ranvier.artifacts import Array

Model = Literal["lif", "ternary", "rf", "rf_iz", "delta", "sigma_delta", "sigma"]


class Population(BaseModel):
    """Neurons of one graph node; register arrays are ``(1,)`` (all alike) or ``(n,)``, integers.

    Parameters
    ----------
    name : str
        Name of the node in the graph.
    model : {"lif", "ternary", "rf", "rf_iz", "delta", "sigma_delta", "sigma"}
        Which arithmetic; see the page of the chip's arithmetic.
    shape : tuple of int
        Shape of the node; neurons are numbered C-major.
    spiking : bool
        Whether the graph sees its spikes; False for a read-out, whose threshold is the largest.
    decay_u, decay_v : array of int, 0..4096
        What a state loses per step, in 1/4096: the files' ``iDecay`` and ``vDecay``. Lava's ``du``
        is ``decay_u - 1``.
    threshold, threshold_low : array of int
        Mantissa: "lif", "ternary": fires above ``64 * threshold``; "rf", "rf_iz": at
        ``threshold`` in state units (2**state_exp per unit of input); delta kinds: smallest change
        that is sent, in state units. ``threshold_low`` (< 0) for "ternary" only.
    bias_mant, bias_exp : array of int
        ``bias_mant << bias_exp`` is added to the voltage in every step.
    refractory : array of int, 1..63
        Steps from a spike to the next possible one; 1: none. While it lasts the voltage is zero.
    v_initial : array of int
        Voltage before the first step.
    sin_decay, cos_decay : array of int
        "rf", "rf_iz": 4096 times damping times sine and cosine of the angle per step.
    activation : {"relu", "identity"}
        "sigma_delta".
    spike_exp, state_exp : int
        Fractional bits of messages and further ones of states.
    drive : str or None
        Input node whose values are written to the bias ("lif") or the input ("delta") of these
        neurons, instead of synapses.
    drive_weight, drive_offset : array of float
        ``bias_mant = trunc(drive_weight * x + drive_offset)``; "delta": message
        ``trunc(x * 2**spike_exp)``.
    reset_interval, reset_offset : int
        With an interval > 0, u = v = 0 before step t (counted from 1) where
        ``t mod interval == offset mod interval``.
    u_lsb, v_lsb : array of float
        Model units per unit of current (or real part, sum) and voltage (or imaginary part,
        activation).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    name: str
    model: Model
    shape: tuple[int, ...]
    spiking: bool = True
    decay_u: Array = Field(default_factory=lambda: np.array([4096]))
    decay_v: Array = Field(default_factory=lambda: np.array([0]))
    threshold: Array = Field(default_factory=lambda: np.array([64]))
    threshold_low: Array = Field(default_factory=lambda: np.array([0]))
    bias_mant: Array = Field(default_factory=lambda: np.array([0]))
    bias_exp: Array = Field(default_factory=lambda: np.array([0]))
    refractory: Array = Field(default_factory=lambda: np.array([1]))
    v_initial: Array = Field(default_factory=lambda: np.array([0]))
    sin_decay: Array = Field(default_factory=lambda: np.array([0]))
    cos_decay: Array = Field(default_factory=lambda: np.array([0]))
    activation: Literal["relu", "identity"] = "relu"
    spike_exp: int = Field(6, ge=0, le=12)
    state_exp: int = Field(6, ge=0, le=12)
    drive: str | None = None
    drive_weight: Array = Field(default_factory=lambda: np.array([1.0]))
    drive_offset: Array = Field(default_factory=lambda: np.array([0.0]))
    reset_interval: int = Field(0, ge=0)
    reset_offset: int = Field(0, ge=0)
    u_lsb: Array = Field(default_factory=lambda: np.array([1.0 / 4096]))
    v_lsb: Array = Field(default_factory=lambda: np.array([1.0 / 4096]))

    @property
    def size(self) -> int:
        """Number of neurons."""
        return int(np.prod(self.shape, dtype=np.int64))

    def register(self, name: str) -> NDArray[np.int64]:
        """Return a register of every neuron, (n,), int64 (float64 for the factors)."""
        values = np.asarray(getattr(self, name))
        dtype = np.int64 if values.dtype.kind in "iub" else np.float64
        return np.ascontiguousarray(np.broadcast_to(values, (self.size,)).astype(dtype))

    @property
    def graded(self) -> bool:
        """Whether it emits messages with a value rather than binary spikes."""
        return self.model in ("ternary", "delta", "sigma_delta", "sigma")


class Tap(BaseModel):
    """A signal that the host shows delayed: a Delay or a delayed edge in front of an Output.

    Parameters
    ----------
    name : str
        Name of the node in the graph under which it is recorded.
    source : str
        Population or input.
    delay : array of int, (1,) or (n,), >= 0
        Steps.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)
    name: str
    source: str
    delay: Array


def is_whole(values: Any) -> bool:
    """Say whether all values of an array are integers."""
    array = np.asarray(values)
    return array.dtype.kind in "iub"
