"""LIFEncoder: one leaky integrate-and-fire neuron per signal, gains fitted to a firing rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ranvier.errors import InputError

from .checks import FloatArray, finite_array, positive

Counts = npt.NDArray[np.int64]
Signs = Literal["positive", "both"]
_MAX_GAIN = 1e12
_BISECTIONS = 48


@dataclass(frozen=True, eq=False)
class LIFEncoder:
    """Encode signals as spikes of one neuron per channel, after fitting a gain per channel.

    Parameters
    ----------
    gain : array, shape (channels,)
        Multiplies the signal, ≥ 0; channels are the outputs: n, or 2·n with ``signs="both"``.
    tau_mem : float
        Membrane time constant, in s, > 0.
    dt : float
        Time step, in s, > 0.
    signs : {"positive", "both"}
        Whether neurons see the positive part of each signal only, or the positive parts on the
        first n channels and the negative parts on the next n.

    Raises
    ------
    InputError
        A parameter is out of range.

    Notes
    -----
    With threshold 1, x the rectified signal and a = exp(-dt/tau_mem)::

        V[t] = a·V[t-1] + (1 - a)·gain·x[t],   S[t] = floor(V[t]) if V[t] ≥ 1,   V[t] ← V[t] - S[t]

    The factor 1 - a makes the gain independent of dt: constant x settles at V = gain·x.

    References
    ----------
    Gerstner et al., "Neuronal Dynamics", Cambridge 2014, section 1.3 (equation, exactly
    integrated over a step of constant input).
    """

    gain: FloatArray
    tau_mem: float
    dt: float
    signs: Signs = "positive"

    def __post_init__(self) -> None:
        """Check the parameters."""
        gain = finite_array(self.gain, where="LIFEncoder").copy()
        if gain.ndim != 1 or gain.size == 0 or gain.min() < 0:
            raise InputError(
                f"LIFEncoder: gain of shape {gain.shape} must be (channels,), none below 0"
            )
        positive(self.tau_mem, where="LIFEncoder", name="tau_mem")
        positive(self.dt, where="LIFEncoder", name="dt")
        if self.signs not in ("positive", "both"):
            raise InputError(f"LIFEncoder: signs {self.signs!r}; use 'positive' or 'both'")
        gain.flags.writeable = False
        object.__setattr__(self, "gain", gain)

    @classmethod
    def fit(
        cls,
        signals: npt.ArrayLike,
        *,
        target_rate: float,
        tau_mem: float,
        dt: float,
        lengths: npt.ArrayLike | None = None,
        signs: Signs = "positive",
        allow_silent: bool = False,
    ) -> LIFEncoder:
        """Choose each gain so that the channel's mean rate on training data hits a target.

        Parameters
        ----------
        signals : array_like, shape (time, n) or (batch, time, n)
            Training signals, finite.
        target_rate : float
            Mean firing rate of every output channel, in Hz, > 0.
        tau_mem, dt, signs
            As in the class.
        lengths : array_like of int, shape (batch,), optional
            Steps of each sample that count, when shorter ones are padded at their end.
        allow_silent : bool
            Whether channels without any drive get gain 0 instead of being an error.

        Returns
        -------
        LIFEncoder

        Raises
        ------
        InputError
            A parameter is out of range, or channels have no positive drive; all are named.

        Notes
        -----
        Bisection of log gain between 1e-12 and 1e12 over the smallest drive scale; the gain whose
        rate was nearest to the target is kept. The rate moves in steps of one spike of the
        training data, which bounds the remaining difference.
        """
        where = "LIFEncoder.fit"
        positive(target_rate, where=where, name="target_rate")
        x = finite_array(signals, where=where, ndim=2)
        drive = _rectified(x[None] if x.ndim == 2 else x, signs)
        if drive.ndim != 3:
            raise InputError(f"{where}: signals have shape {x.shape}, must be (batch, time, n)")
        valid = _valid_steps(drive.shape[:2], lengths, where)
        drive = drive * valid[..., None]
        peak = drive.max(axis=(0, 1), initial=0.0)
        silent = np.flatnonzero(peak == 0)
        if silent.size and not allow_silent:
            raise InputError(
                f"{where}: channels {silent[:16].tolist()} ({silent.size} of {peak.size}) have no "
                "positive drive and cannot fire; drop them, or set allow_silent=True"
            )
        probe = cls(np.ones(peak.size), tau_mem=tau_mem, dt=dt, signs=signs)
        target = target_rate * dt * float(valid.sum())
        relative = probe._bisect(drive / np.where(peak > 0, peak, 1.0), valid, target)
        gain = np.where(peak > 0, relative / np.where(peak > 0, peak, 1.0), 0.0)
        return cls(gain, tau_mem=tau_mem, dt=dt, signs=signs)

    def transform(self, signals: npt.ArrayLike) -> Counts:
        """Return the spikes of signals; every sample starts from V = 0.

        Parameters
        ----------
        signals : array_like, shape (time, n) or (batch, time, n)
            Finite, n as in training.

        Returns
        -------
        int64 array, shape (time, channels) or (batch, time, channels)
            Spike counts.

        Raises
        ------
        InputError
            The number of channels differs, or a value is not finite.
        """
        x = finite_array(signals, where="LIFEncoder", ndim=2)
        drive = _rectified(x, self.signs)
        if drive.shape[-1] != self.gain.size:
            raise InputError(
                f"LIFEncoder: signals of shape {x.shape} give {drive.shape[-1]} channels, fitted "
                f"are {self.gain.size}"
            )
        return self._spikes(drive * self.gain)

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the encoder as arrays of numbers, to be stored in any file."""
        return {
            "gain": np.array(self.gain),
            "tau_mem": np.asarray(self.tau_mem, dtype=np.float64),
            "dt": np.asarray(self.dt, dtype=np.float64),
            "both_signs": np.asarray(self.signs == "both"),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> LIFEncoder:
        """Return the encoder of :meth:`to_arrays`.

        Raises
        ------
        InputError
            An array is missing or out of range.
        """
        missing = {"gain", "tau_mem", "dt", "both_signs"} - set(arrays)
        if missing:
            raise InputError(
                f"LIFEncoder: arrays {sorted(missing)} missing; save to_arrays() whole"
            )
        return cls(
            np.asarray(arrays["gain"], dtype=np.float64),
            tau_mem=float(arrays["tau_mem"]),
            dt=float(arrays["dt"]),
            signs="both" if bool(arrays["both_signs"]) else "positive",
        )

    def _spikes(self, drive: FloatArray) -> Counts:
        """Return the spike counts of scaled drives (..., time, channels)."""
        alpha = np.exp(-self.dt / self.tau_mem)
        counts = np.zeros(drive.shape, dtype=np.int64)
        v = np.zeros(drive[..., 0, :].shape) if drive.shape[-2] else drive
        for t in range(drive.shape[-2]):
            v = alpha * v + (1 - alpha) * drive[..., t, :]
            fired = np.floor(v)
            counts[..., t, :] = fired
            v = v - fired
        return counts

    def _bisect(self, drive: FloatArray, valid: npt.NDArray[np.bool_], target: float) -> FloatArray:
        """Return the gains at which the channels' spike numbers are nearest to a target."""
        low, high = np.full((2, drive.shape[-1]), np.log(_MAX_GAIN)) * np.array([[-1.0], [1.0]])
        best: FloatArray = np.exp(low)
        error = np.full(drive.shape[-1], np.inf)
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            spikes = self._spikes(drive * np.exp(middle)) * valid[..., None]
            number = spikes.sum(axis=(0, 1))
            nearer = np.abs(number - target) < error
            best = np.where(nearer, np.exp(middle), best)
            error = np.minimum(error, np.abs(number - target))
            low, high = (
                np.where(number < target, middle, low),
                np.where(number < target, high, middle),
            )
        return best


def _rectified(signals: FloatArray, signs: Signs) -> FloatArray:
    """Return the positive parts, or positive and negative parts side by side."""
    parts = [np.maximum(signals, 0.0)]
    if signs == "both":
        parts.append(np.maximum(-signals, 0.0))
    return np.concatenate(parts, axis=-1)


def _valid_steps(
    shape: tuple[int, ...], lengths: npt.ArrayLike | None, where: str
) -> npt.NDArray[np.bool_]:
    """Return which steps count, shape (batch, time)."""
    batch, steps = shape
    if lengths is None:
        return np.ones((batch, steps), dtype=bool)
    number = np.asarray(lengths)
    if number.shape != (batch,) or ((number < 0) | (number > steps)).any():
        raise InputError(
            f"{where}: lengths of shape {number.shape} must be ({batch},), each 0 to {steps}"
        )
    return np.arange(steps) < number[:, None]
