"""From real weights to codes, and to synapses of the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import QuantizationError

from ..config import ConvSynapse, DenseSynapse, SparseSynapse
from ..network import MappedConnection
from ..weights import SignMode, sign_mode_of
from ._units import whole

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
EXPONENTS = (-8, 7)
"""Least and largest weight exponent."""
DELTA_EXPONENT_MAX = 15
"""Largest exponent into sigma-delta neurons, whose states have 18 fractional bits."""
QUICK = 4096
"""Weights that are looked at first: most networks that are not exact show it there."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Codes:
    """Weights of a connection as the chip holds them.

    Parameters
    ----------
    values : array of int
        Shape of the connection's weight.
    exponent : int
        ``values * 2**exponent`` is the weight in units of exponent 0.
    sign_mode : {"mixed", "excitatory", "inhibitory"}
    bits : int
        Fewest bits that hold the values.
    """

    values: Ints
    exponent: int
    sign_mode: SignMode
    bits: int


def limit_of(mode: SignMode) -> int:
    """Return the largest magnitude of both signs that a sign mode holds."""
    return 254 if mode == "mixed" else 255


def bits_of(values: Ints, mode: SignMode) -> int:
    """Return the fewest weight bits (1..8) that hold codes exactly; 9 if none do.

    Examples
    --------
    >>> bits_of(np.array([-8, 16]), "mixed"), bits_of(np.array([1, 4]), "excitatory")
    (6, 8)
    """
    joined = int(np.bitwise_or.reduce(np.abs(values), axis=None)) if values.size else 0
    zeros = (joined & -joined).bit_length() - 1 if joined else 8
    return max(1, 8 + (mode == "mixed") - zeros)


def exact_codes(
    weight: Floats, unit: float, *, kernel: bool = False, top: int = EXPONENTS[1]
) -> Codes | None:
    """Return codes that are the weights exactly, or None.

    Parameters
    ----------
    weight : array
        Model units.
    unit : float
        Code of a weight of 1.0 with exponent 0.
    kernel : bool
        Whether it is a convolution, which has no exponent.
    top : int
        Largest exponent.
    """
    if whole(weight.reshape(-1)[:QUICK] * unit) is None:
        return None
    own = sign_mode_of(weight)
    modes: tuple[SignMode, ...] = (
        (own, "mixed") if own == "inhibitory" else (own,)
    )  # only mixed weights reach -256
    for exponent in range(1 if kernel else top + 1):
        values = whole(weight * (unit * 2.0**-exponent))
        if values is None:
            return None
        for mode in modes:
            least = -256 if mode == "mixed" else -255
            bits = bits_of(values, mode)
            fits = int(values.min(initial=0)) >= least and int(values.max(initial=0)) <= 255
            if fits and bits <= 8:
                return Codes(values=values, exponent=exponent, sign_mode=mode, bits=bits)
    return None


def exponent_for(largest: float, unit: float, mode: SignMode) -> int:
    """Return the least exponent with which the largest weight fits; may be above the limit."""
    if largest <= 0 or unit <= 0:
        return 0
    needed = int(np.ceil(np.log2(largest * unit / (limit_of(mode) + 0.5)) - 1e-12))
    return max(EXPONENTS[0], needed)


def rounded_codes(weight: Floats, unit: float, *, exponent: int) -> Codes:
    """Return the nearest codes with a given exponent; too large ones are clipped."""
    mode = sign_mode_of(weight)
    step, top = (2 if mode == "mixed" else 1), limit_of(mode)
    values = step * np.rint(weight * (unit * 2.0**-exponent / step)).astype(np.int64)
    least = -256 if mode == "mixed" else -top
    values = np.clip(values, least, top)
    return Codes(values=values, exponent=exponent, sign_mode=mode, bits=bits_of(values, mode))


def rounding_power(weight: Floats, unit: float, *, exponent: int) -> float:
    """Return the mean square error of rounded weights, in model units; infinite if one clips."""
    mode = sign_mode_of(weight)
    step = 2.0 if mode == "mixed" else 1.0
    grain = step * 2.0**exponent / unit
    codes = weight / grain
    if float(np.abs(codes).max(initial=0.0)) * step > limit_of(mode) + 0.5 * step:
        return float("inf")
    return float(np.mean(np.square(np.rint(codes) - codes)) * grain**2) if codes.size else 0.0


def synapse_of(
    connection: MappedConnection, codes: Codes, *, message_bits: int, n_source: int
) -> Any:
    """Return the synapse of the configuration.

    Raises
    ------
    QuantizationError
        Arrays of the connection do not fit each other.
    """
    axon, delays = _delays(connection)
    common = {
        "source": connection.source,
        "target": connection.target,
        "port": connection.port,
        "weight_exp": codes.exponent,
        "num_weight_bits": codes.bits,
        "sign_mode": codes.sign_mode,
        "num_message_bits": message_bits,
        "axon_delay": axon,
    }
    if connection.kind == "dense":
        return DenseSynapse(**common, weights=_frozen(codes.values, np.int16), delays=delays)
    if connection.kind == "conv":
        names = ("input_shape", "stride", "padding", "dilation", "groups")
        own = {name: getattr(connection, name) for name in names}
        return ConvSynapse(**common, **own, weights=_frozen(codes.values, np.int16))
    return SparseSynapse(**common, **_blocks(connection, codes.values, delays, n_source=n_source))


def _blocks(
    connection: MappedConnection,
    values: Ints,
    delays: NDArray[np.uint8] | None,
    *,
    n_source: int,
) -> dict[str, Any]:
    from ..sparse import blocked_from_csr

    narrow = bool(values.min(initial=0) >= -128 and values.max(initial=0) <= 127)
    return dict(
        blocked_from_csr(
            connection.indptr,
            connection.indices,
            values.astype(np.int8 if narrow else np.int16),
            delays,
            n_source=n_source,
        )
    )


def _frozen(values: NDArray[Any], dtype: type[np.generic]) -> NDArray[Any]:
    result = values.astype(dtype)
    result.setflags(write=False)
    return result


def _delays(connection: MappedConnection) -> tuple[Ints, NDArray[np.uint8] | None]:
    """Return delays per source and, only where sources are not enough, per synapse."""
    delay = connection.delay
    if delay.shape == (1,) or (delay.ndim == 1 and connection.kind != "sparse"):
        return delay.astype(np.int64), None
    if delay.shape != connection.weight.shape:
        if delay.ndim == 1:
            return delay.astype(np.int64), None
        raise QuantizationError(
            f"loihi: {connection.source!r} -> {connection.target!r}: delays have shape "
            f"{delay.shape}, the weights {connection.weight.shape}; map the graph again"
        )
    if delay.size and int(delay.min()) == int(delay.max()):
        return np.array([int(delay.flat[0])]), None
    if delay.ndim == 2 and bool(np.all(delay == delay[:1])):
        return delay[0].astype(np.int64), None
    if int(delay.min(initial=0)) < 0 or int(delay.max(initial=0)) > 255:
        raise QuantizationError(
            f"loihi: {connection.source!r} -> {connection.target!r}: delays are "
            f"{delay.min()}..{delay.max()} steps, allowed are 0..62; map the graph again"
        )
    return np.zeros(1, dtype=np.int64), _frozen(delay, np.uint8)
