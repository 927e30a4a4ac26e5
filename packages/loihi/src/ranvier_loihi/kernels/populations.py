"""Populations laid out for the compiled loops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import InputError, SimulationError

from ..config import Population
from .layout import Array, Encoder, Lif, Out, Resonator, Span

STATE_TOP = 1 << 23
SAFE_INPUT = 1 << 17
"""With inputs up to this size currents stay within 24 bits, and the loop within 32."""
_BELOW_ALL = -(1 << 24)
_STATES = {
    "lif": ("u", "v", "waiting"),
    "ternary": ("u", "v", "waiting"),
    "rf": ("re", "im"),
    "rf_iz": ("re", "im"),
    "delta": ("activation", "residual"),
    "sigma_delta": ("sigma", "activation", "residual"),
    "sigma": ("sigma",),
}
_TRACES = {
    "lif": ("i_syn", "v_mem", None, None),
    "ternary": ("i_syn", "v_mem", None, None),
    "rf": ("re", "im", None, None),
    "rf_iz": ("re", "im", None, None),
    "delta": (None, "activation", "residual", "value"),
    "sigma_delta": ("sigma", "activation", "residual", "value"),
    "sigma": ("sigma", None, None, "value"),
}
State = dict[str, Array]


@dataclass(frozen=True, eq=False)
class PreparedPopulation:
    """One population: its registers, and how it advances.

    Parameters
    ----------
    source : Population
        Of the configuration.
    registers : Lif, Resonator, Encoder or None
        As the loop reads them.
    dtype : type
        Of states and inputs: int32 or int64.
    bias : array, (1, n)
        Added to the voltage; "lif" and "ternary".
    """

    source: Population
    registers: Any
    dtype: type[np.signedinteger[Any]]
    bias: Array

    @property
    def size(self) -> int:
        """Number of neurons."""
        return self.source.size

    @property
    def ports(self) -> tuple[str, ...]:
        """Inputs."""
        return ("re", "im") if self.source.model in ("rf", "rf_iz") else ("in",)

    @property
    def states(self) -> tuple[str, ...]:
        """Names of the state arrays, (batch, n) each."""
        names = _STATES[self.source.model]
        return names if self._waits else tuple(n for n in names if n != "waiting")

    @property
    def _waits(self) -> bool:
        return int(np.max(self.source.refractory)) > 1

    @property
    def traces(self) -> tuple[str | None, ...]:
        """Quantity of each trace of `Out`, None where there is none."""
        return _TRACES[self.source.model]

    def at_rest(self, batch: int) -> State:
        """Return the state before the first step, (batch, n)."""
        state = {n: np.zeros((batch, self.size), dtype=self.dtype) for n in self.states}
        if "v" in state:
            state["v"][:] = self.source.register("v_initial")
        return state

    def checked(self, name: str, values: Any, batch: int) -> Array:
        """Return a state array as the loop needs it; raises `InputError` if it does not fit."""
        array = np.asarray(values)
        where = f"state {self.source.name}/{name}"
        if array.shape != (batch, self.size) or array.dtype.kind not in "iu":
            raise InputError(
                f"{where}: {array.dtype} {array.shape}, expected integers ({batch}, {self.size})"
            )
        limit = STATE_TOP if self.dtype is np.int32 else 1 << 62
        if array.size and max(-int(array.min()), int(array.max())) > limit:
            raise InputError(f"{where}: {array.min()}..{array.max()}, allowed are up to +-{limit}")
        return np.array(array, dtype=self.dtype)

    def driven(self, values: NDArray[np.int64]) -> Array:
        """Return what mantissas (or messages) of the drive do in each step, (time, n)."""
        if self.source.model == "delta":
            return values
        total = (values + self.source.register("bias_mant")) << self.source.register("bias_exp")
        return np.ascontiguousarray(total, dtype=self.dtype)

    def advance(
        self, x: list[Array], state: State, drive: Array | None, out: Out, span: Span
    ) -> None:
        """Advance by a span; ``x`` has an array (chunk, n) per port, ``state`` one sample."""
        from . import _graded, _neurons

        model = self.source.model
        if model in ("lif", "ternary"):
            bias = self.bias if drive is None else drive
            span = span._replace(
                interval=self.source.reset_interval, offset=self.source.reset_offset
            )
            waiting = state.get("waiting", state["u"][:0])
            _neurons.lif(x[0], state["u"], state["v"], self.registers, waiting, bias, out, span)
        elif model in ("rf", "rf_iz"):
            resets = model == "rf_iz"
            _graded.resonate(
                x[0], x[1], state["re"], state["im"], self.registers, resets, out, span
            )
        elif model == "sigma":
            _graded.add_up(x[0], state["sigma"], out, span)
        else:
            sigma = state.get("sigma", state["activation"])
            messages = _NO_DRIVE if drive is None else drive
            _graded.delta(
                x[0], sigma, state["activation"], state["residual"], self.registers, messages, out,
                span,
            )  # fmt: skip


_NO_DRIVE = np.zeros((0, 0), dtype=np.int64)


def prepare_population(population: Population, *, largest_input: int) -> PreparedPopulation:
    """Lay a population out.

    Parameters
    ----------
    population : Population
        From the configuration.
    largest_input : int
        No step brings more than this, in either direction.

    Raises
    ------
    SimulationError
        A bias or drive that its model has no place for.
    """
    model = population.model
    biased = model in ("lif", "ternary", "sigma_delta")
    if not biased and np.any(population.bias_mant):
        raise SimulationError(
            f"loihi: population {population.name!r}: model {model!r} has no bias; "
            "set bias_mant to 0"
        )
    if population.drive is not None and model not in ("lif", "ternary", "delta"):
        raise SimulationError(
            f"loihi: population {population.name!r}: model {model!r} cannot be driven by an input; "
            "use 'lif', 'ternary' or 'delta'"
        )
    narrow = model in ("lif", "ternary") and largest_input <= SAFE_INPUT
    dtype = np.int32 if narrow else np.int64
    bias = population.register("bias_mant") << population.register("bias_exp")
    return PreparedPopulation(
        population, _registers(population, dtype, bias), dtype, bias.astype(dtype)[None]
    )


def _registers(p: Population, dtype: type[np.signedinteger[Any]], bias: Array) -> Any:
    def register(name: str) -> Array:
        return p.register(name).astype(dtype)

    if p.model in ("lif", "ternary"):
        low = p.register("threshold_low") << 6
        return Lif(
            keep_u=(4096 - register("decay_u")).astype(dtype),
            keep_v=(4096 - register("decay_v")).astype(dtype),
            high=(p.register("threshold") << 6).astype(dtype),
            low=(low if p.model == "ternary" else np.full(p.size, _BELOW_ALL)).astype(dtype),
            refractory=register("refractory"),
        )
    if p.model in ("rf", "rf_iz"):
        return Resonator(
            register("cos_decay"), register("sin_decay"), register("threshold"), p.state_exp
        )
    if p.model == "sigma":
        return None
    return Encoder(
        bias=bias,
        high=register("threshold"),
        spike_exp=p.spike_exp,
        state_exp=p.state_exp,
        sums=p.model == "sigma_delta",
        rectified=p.activation == "relu",
    )
