"""ContinuousSeries: signals sampled at given times, with interpolation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from ranvier.errors import InputError

from . import algebra
from .binning import EDGE_GUARD, FloatArray, as_times, check_step, count_bins, read_only

if TYPE_CHECKING:
    from .animation import Animation

Interpolation = Literal["previous", "linear"]


@dataclass(frozen=True, init=False, eq=False, repr=False)
class ContinuousSeries:
    """Signals on numbered channels, known at sample times and interpolated between them.

    Parameters
    ----------
    times : array_like, shape (time,)
        Sample times, in s, strictly increasing, at least one.
    samples : array_like, shape (time, n) or (time,)
        Values, finite, in ``unit``.
    t_stop : float, optional
        End of the last sample's validity, in s, not before the last time (default).
    interpolation : {"previous", "linear"}
        Value between two samples: that of the earlier one, or the straight line.
    extrapolate : bool
        Whether the first and the last value hold outside ``[times[0], t_stop]``. Otherwise asking
        there is an error; never NaN.
    periodic : bool
        Whether the series repeats with period ``t_stop - times[0]``.
    unit, name : str
        Text for axis labels and titles.

    Raises
    ------
    InputError
        Shapes differ, times do not increase, or a number is NaN or infinite.

    Examples
    --------
    >>> ramp = ContinuousSeries([0.0, 1.0], [[0.0], [2.0]], interpolation="linear")
    >>> float(ramp(0.25)[0])
    0.5
    """

    times: FloatArray
    samples: FloatArray
    t_stop: float
    interpolation: Interpolation
    extrapolate: bool
    periodic: bool
    unit: str
    name: str

    def __init__(
        self,
        times: npt.ArrayLike,
        samples: npt.ArrayLike,
        *,
        t_stop: float | None = None,
        interpolation: Interpolation = "previous",
        extrapolate: bool = False,
        periodic: bool = False,
        unit: str = "",
        name: str = "",
    ) -> None:
        seconds = as_times(times)
        values = _as_samples(samples, seconds)
        stop = float(seconds[-1]) if t_stop is None else float(t_stop)
        if not (np.isfinite(stop) and stop >= seconds[-1]):
            raise InputError(f"events: t_stop {stop} s lies before the last time {seconds[-1]} s")
        if interpolation not in ("previous", "linear"):
            raise InputError(f"events: interpolation {interpolation!r}; use 'previous' or 'linear'")
        if periodic and stop == seconds[0]:
            raise InputError("events: a periodic series needs a duration above 0; give t_stop")
        fields = {
            "times": read_only(seconds),
            "samples": read_only(values),
            "t_stop": stop,
            "interpolation": interpolation,
            "extrapolate": bool(extrapolate),
            "periodic": bool(periodic),
            "unit": str(unit),
            "name": str(name),
        }
        for field, value in fields.items():
            object.__setattr__(self, field, value)

    @classmethod
    def from_clocked(
        cls,
        samples: npt.ArrayLike,
        dt: float,
        *,
        t_start: float = 0.0,
        interpolation: Interpolation = "previous",
        extrapolate: bool = False,
        periodic: bool = False,
        unit: str = "",
        name: str = "",
    ) -> ContinuousSeries:
        """Return the series of samples on a regular clock.

        Parameters
        ----------
        samples : array_like, shape (time, n) or (time,)
            Sample k is valid from ``t_start + k·dt`` until the next.
        dt : float
            Clock period, in s, > 0.
        t_start : float
            Time of the first sample, in s.
        interpolation, extrapolate, periodic, unit, name
            As in the class.

        Returns
        -------
        ContinuousSeries
            ``t_stop`` is ``t_start + time·dt``.
        """
        step = check_step(dt)
        values = np.asarray(samples)
        count = values.shape[0] if values.ndim else 0
        return cls(
            t_start + np.arange(count) * step,
            values,
            t_stop=t_start + count * step,
            interpolation=interpolation,
            extrapolate=extrapolate,
            periodic=periodic,
            unit=unit,
            name=name,
        )

    # -- views -----------------------------------------------------------------------------------

    @property
    def t_start(self) -> float:
        """Time of the first sample, in s."""
        return float(self.times[0])

    @property
    def duration(self) -> float:
        """``t_stop - t_start``, in s."""
        return self.t_stop - self.t_start

    @property
    def num_channels(self) -> int:
        """Number of channels."""
        return int(self.samples.shape[1])

    def __len__(self) -> int:
        return int(self.times.size)

    def __repr__(self) -> str:
        name = f"{self.name!r}, " if self.name else ""
        return (
            f"ContinuousSeries({name}{len(self)} samples, {self.num_channels} channels, "
            f"{self.t_start:.6g} s to {self.t_stop:.6g} s, {self.interpolation})"
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ContinuousSeries):
            return NotImplemented
        plain = ("t_stop", "interpolation", "extrapolate", "periodic", "unit", "name")
        return (
            all(getattr(self, field) == getattr(other, field) for field in plain)
            and bool(np.array_equal(self.times, other.times))
            and bool(np.array_equal(self.samples, other.samples))
        )

    __hash__ = None  # type: ignore[assignment]

    def __call__(self, times: npt.ArrayLike) -> FloatArray:
        """Return the values at given times.

        Parameters
        ----------
        times : array_like, shape (m,) or ()
            Times, in s, in any order.

        Returns
        -------
        float64 array, shape (m, n) or (n,)

        Raises
        ------
        InputError
            A time is outside the series, which neither extrapolates nor repeats.
        """
        scalar = np.ndim(times) == 0
        asked = as_times(np.atleast_1d(np.asarray(times, dtype=np.float64)))
        guard = EDGE_GUARD * (float(np.diff(self.times).min()) if len(self) > 1 else 0.0)
        if self.periodic:
            asked = self.t_start + np.mod(asked - self.t_start, self.duration)
        elif not self.extrapolate:
            self._check_inside(asked, guard)
        index = np.searchsorted(self.times, asked + guard, side="right") - 1
        values = self.samples[np.maximum(index, 0)]
        if self.interpolation == "linear":
            values = self._line(asked)
        return values[0] if scalar else values

    def resample(self, times: npt.ArrayLike) -> ContinuousSeries:
        """Return the series sampled at other times (in s, increasing)."""
        seconds = as_times(times)
        stop = max(self.t_stop, float(seconds[-1])) if seconds.size else self.t_stop
        return replace(self, times=seconds, samples=self(seconds), t_stop=stop, periodic=False)

    def to_clocked(self, dt: float) -> FloatArray:
        """Return the values at ``t_start + k·dt`` below ``t_stop``, shape (time, n)."""
        count = max(1, count_bins(self.t_start, self.t_stop, dt=dt))
        return self(self.t_start + np.arange(count) * dt)

    def clip(self, t_start: float | None = None, t_stop: float | None = None) -> ContinuousSeries:
        """Return the window ``[t_start, t_stop]``, in s, with interpolated samples at its ends.

        Raises
        ------
        InputError
            The window is reversed, or leaves a series that neither extrapolates nor repeats.
        """
        start = self.t_start if t_start is None else float(t_start)
        stop = self.t_stop if t_stop is None else float(t_stop)
        if stop < start:
            raise InputError(f"events: t_stop {stop} s lies before t_start {start} s")
        self(np.array([start, stop]))
        inner = self._sample_times(start, stop)
        ends = [stop] if self.interpolation == "linear" and stop > start else []
        times = np.unique(np.concatenate([[start], inner, ends]))
        return replace(self, times=times, samples=self(times), t_stop=stop, periodic=False)

    # -- editing and arithmetic (documented in ranvier.events.algebra) ---------------------------

    def merge(self, *others: ContinuousSeries) -> ContinuousSeries:
        """Return the samples of several series in one: see :func:`algebra.merge`."""
        return algebra.merge(self, *others)

    def append_time(self, *others: ContinuousSeries) -> ContinuousSeries:
        """Return series one after the other: see :func:`algebra.append_time`."""
        return algebra.append_time(self, *others)

    def append_channels(self, *others: ContinuousSeries) -> ContinuousSeries:
        """Return the channels of series side by side: see :func:`algebra.append_channels`."""
        return algebra.append_channels(self, *others)

    def __add__(self, other: Any) -> ContinuousSeries:
        return algebra.total(self, other, np.add)

    def __sub__(self, other: Any) -> ContinuousSeries:
        return algebra.total(self, other, np.subtract)

    def __mul__(self, other: Any) -> ContinuousSeries:
        return algebra.product(self, other, np.multiply, sign="·")

    def __truediv__(self, other: Any) -> ContinuousSeries:
        return algebra.product(self, other, np.divide, sign="/")

    def __neg__(self) -> ContinuousSeries:
        return replace(self, samples=-self.samples)

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other: Any) -> ContinuousSeries:
        return algebra.total(-self, other, np.add)

    # -- pictures --------------------------------------------------------------------------------

    def show(self, ax: Any = None) -> Any:
        """Draw the channels over time and return the matplotlib Axes.

        Raises
        ------
        MissingDependencyError
            matplotlib is not installed.
        """
        from .drawing import draw_continuous

        return draw_continuous(self, ax)

    def anim(
        self, path: Any = None, *, duration: float = 5.0, frame_rate: float = 24.0
    ) -> Animation:
        """Return an animation of the traces, and write it when a path is given.

        Parameters and errors are those of :meth:`EventSeries.anim`.
        """
        from .animation import animate

        return animate(self, path, duration=duration, frame_rate=frame_rate)

    # -- internals -------------------------------------------------------------------------------

    def _check_inside(self, asked: FloatArray, guard: float) -> None:
        """Raise InputError when a time is outside the series."""
        outside = (asked < self.t_start - guard) | (asked > self.t_stop + guard)
        if outside.any():
            raise InputError(
                f"events: {int(outside.sum())} of {asked.size} times lie outside "
                f"[{self.t_start}, {self.t_stop}] s (first: {asked[outside][0]} s); "
                "set extrapolate=True or periodic=True, or clip the times"
            )

    def _line(self, asked: FloatArray) -> FloatArray:
        """Return linearly interpolated values, shape (m, n)."""
        times, samples = self.times, self.samples
        if self.periodic and self.t_stop > times[-1]:
            times = np.append(times, self.t_stop)
            samples = np.concatenate([samples, samples[:1]])
        columns = [np.interp(asked, times, samples[:, c]) for c in range(samples.shape[1])]
        return np.stack(columns, axis=1)

    def _sample_times(self, start: float, stop: float) -> FloatArray:
        """Return the sample times in ``(start, stop)``, repeated when periodic."""
        times = self.times
        if self.periodic:
            first = int(np.floor((start - self.t_start) / self.duration))
            last = int(np.ceil((stop - self.t_start) / self.duration))
            times = np.concatenate([times + k * self.duration for k in range(first, last + 1)])
        inside: FloatArray = times[(times > start) & (times < stop)]
        return inside


def _as_samples(samples: npt.ArrayLike, times: FloatArray) -> FloatArray:
    """Return samples (time, n) that fit the times, or raise InputError."""
    try:
        values = np.array(samples, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"events: samples are not numbers: {error}") from error
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or values.shape[0] != times.size or values.size == 0:
        raise InputError(
            f"events: samples have shape {values.shape} for {times.size} times; "
            "must be (time, n) with at least one of each"
        )
    if not np.isfinite(values).all():
        bad = int(np.count_nonzero(~np.isfinite(values)))
        raise InputError(f"events: {bad} of {values.size} samples are NaN or infinite")
    if times.size > 1 and not np.diff(times).min() > 0:
        raise InputError("events: sample times must increase strictly; sort and merge duplicates")
    return values
