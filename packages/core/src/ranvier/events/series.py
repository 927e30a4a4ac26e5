"""EventSeries: spikes as a sorted list of times and channels, with a time base."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from ranvier.errors import InputError

from . import conversion, dtype, editing, windows
from .binning import FloatArray, IntArray, check_step
from .validation import equal, event_fields

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .animation import Animation


@dataclass(frozen=True, init=False, eq=False, repr=False)
class EventSeries:
    """Events on numbered channels within a time window ``[t_start, t_stop)``.

    Events are sorted by time on construction (events at one time keep their order); arrays are
    copies and read-only. Channels are flat numbers; ``shape`` says what they mean: ``(n,)`` neurons
    or inputs, ``(polarity, n)``, or ``(polarity, row, column)`` of a camera, numbered in C order.

    Parameters
    ----------
    times : array_like, shape (n_events,)
        Times, in s.
    channels : array_like of int, shape (n_events,)
        Flat channel numbers, 0 to the product of shape minus 1.
    payload : array_like, shape (n_events,), optional
        Values of graded events. None: plain events, each counts as 1.
    t_start, t_stop : float
        Window, in s. ``t_stop`` defaults to one microsecond after the last event.
    shape : int or tuple of int, optional
        Channel axes. Default: as many channels as the largest number needs.
    periodic : bool
        Whether the window repeats for ever when it is rastered or clipped beyond its ends.
    name : str
        Free text, used as title.

    Raises
    ------
    InputError
        Lengths differ, times are not finite or outside the window, or a channel is out of range.

    Examples
    --------
    >>> series = EventSeries([0.001, 0.0035], [0, 2], t_stop=0.005, shape=3)
    >>> series.raster(1e-3).sum(axis=0).tolist()
    [1, 0, 1]
    """

    times: FloatArray
    channels: IntArray
    payload: npt.NDArray[Any] | None
    t_start: float
    t_stop: float
    shape: tuple[int, ...]
    periodic: bool
    name: str

    def __init__(
        self,
        times: npt.ArrayLike,
        channels: npt.ArrayLike,
        *,
        payload: npt.ArrayLike | None = None,
        t_start: float = 0.0,
        t_stop: float | None = None,
        shape: int | tuple[int, ...] | None = None,
        periodic: bool = False,
        name: str = "",
    ) -> None:
        fields = event_fields(
            times, channels, payload=payload, t_start=t_start, t_stop=t_stop, shape=shape
        )
        fields |= {"periodic": bool(periodic), "name": str(name)}
        for field, value in fields.items():
            object.__setattr__(self, field, value)

    # -- conversion ------------------------------------------------------------------------------

    @classmethod
    def from_raster(
        cls,
        raster: npt.ArrayLike,
        dt: float,
        *,
        graded: bool = False,
        t_start: float = 0.0,
        periodic: bool = False,
        name: str = "",
    ) -> EventSeries:
        """Return the events of a raster, each at the centre of its bin.

        Parameters
        ----------
        raster : array_like, shape (time, *shape)
            Spike counts (integers ≥ 0): a count of 3 becomes three events. With ``graded=True``
            any finite numbers: a value other than 0 becomes one event with that payload.
        dt : float
            Width of a bin, in s, > 0.
        graded : bool
            See above.
        t_start : float
            Left edge of the first bin, in s.
        periodic, name
            As in the class.

        Returns
        -------
        EventSeries
            ``t_stop`` is ``t_start + time·dt``, so that ``.raster(dt)`` returns the same array.

        Raises
        ------
        InputError
            Counts are negative or fractional, values are not finite, or the rank is not 2 to 4.
        """
        step = check_step(dt)
        bins, numbers, payload, shape, steps = conversion.events_of_raster(raster, graded=graded)
        return cls(
            t_start + (bins + 0.5) * step,
            numbers,
            payload=payload,
            t_start=t_start,
            t_stop=t_start + steps * step,
            shape=shape,
            periodic=periodic,
            name=name,
        )

    @classmethod
    def from_structured(
        cls,
        events: npt.NDArray[Any],
        *,
        shape: int | tuple[int, ...] | None = None,
        t_start: float = 0.0,
        t_stop: float | None = None,
        name: str = "",
    ) -> EventSeries:
        """Return the events of a structured array.

        Parameters
        ----------
        events : structured array, shape (n_events,)
            Fields ``t`` (float: seconds; integer: microseconds, as in tonic) and either
            ``channel``, or ``x`` with optional ``y`` and ``p``; optional ``payload``. Where
            ``channel`` and x, y, p are both there, ``channel`` counts. A payload of 1 throughout
            means plain events.
        shape : int or tuple of int, optional
            Channel axes. Default: the smallest that fits.
        t_start, t_stop, name
            As in the class.

        Raises
        ------
        InputError
            A field is missing, or a coordinate is outside the shape.
        """
        times, numbers, payload, sizes = conversion.events_of_structured(events, shape)
        return cls(
            times, numbers, payload=payload, t_start=t_start, t_stop=t_stop, shape=sizes, name=name
        )

    @classmethod
    def from_tonic(
        cls,
        events: npt.NDArray[Any],
        *,
        sensor_size: tuple[int, int, int] | None = None,
        t_stop: float | None = None,
        name: str = "",
    ) -> EventSeries:
        """Return the events of a tonic array: t in integer microseconds, x, p and maybe y.

        ``sensor_size`` is tonic's (width, height, polarities); a height of 1 has no row axis.

        Raises
        ------
        InputError
            Times are not integers, a field is missing, or a coordinate is outside the sensor.
        """
        conversion.check_tonic(events)
        shape = None if sensor_size is None else conversion.shape_of_sensor(sensor_size)
        return cls.from_structured(events, shape=shape, t_stop=t_stop, name=name)

    def to_structured(self) -> npt.NDArray[Any]:
        """Return the events as array of :data:`EVENT_DTYPE`, shape (n_events,), times in s."""
        return conversion.structured_of_events(self.times, self.channels, self.payload, self.shape)

    def to_tonic(self) -> npt.NDArray[Any]:
        """Return the events in tonic's fields, times rounded to microseconds.

        Raises
        ------
        InputError
            The events carry a payload, which tonic's fields cannot hold.
        """
        if self.payload is not None:
            raise InputError("events: tonic arrays hold no payload; use to_structured()")
        return conversion.tonic_of_events(self.times, self.channels, self.shape)

    # -- views -----------------------------------------------------------------------------------

    def __len__(self) -> int:
        return int(self.times.size)

    def __repr__(self) -> str:
        kind = "events" if self.payload is None else "graded events"
        name = f"{self.name!r}, " if self.name else ""
        return (
            f"EventSeries({name}{len(self)} {kind}, shape={self.shape}, "
            f"{self.t_start:.6g} s to {self.t_stop:.6g} s)"
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, EventSeries):
            return NotImplemented
        mine, theirs = self.payload, other.payload
        same_payload = mine is theirs if mine is None or theirs is None else equal(mine, theirs)
        plain = ("t_start", "t_stop", "shape", "periodic", "name")
        return (
            same_payload
            and all(getattr(self, field) == getattr(other, field) for field in plain)
            and equal(self.times, other.times)
            and equal(self.channels, other.channels)
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def num_channels(self) -> int:
        """Number of channels, the product of ``shape``."""
        return dtype.size_of(self.shape)

    @property
    def duration(self) -> float:
        """``t_stop - t_start``, in s."""
        return self.t_stop - self.t_start

    @property
    def x(self) -> IntArray:
        """Column, or neuron, of each event, shape (n_events,)."""
        return dtype.split_channels(self.channels, self.shape)[0]

    @property
    def y(self) -> IntArray | None:
        """Row of each event; None unless the shape has rows."""
        return dtype.split_channels(self.channels, self.shape)[1] if len(self.shape) == 3 else None

    @property
    def p(self) -> IntArray | None:
        """Polarity of each event; None unless the shape has a polarity axis."""
        return dtype.split_channels(self.channels, self.shape)[2] if len(self.shape) > 1 else None

    def raster(
        self,
        dt: float,
        *,
        t_start: float | None = None,
        t_stop: float | None = None,
        num_bins: int | None = None,
        binary: bool = False,
    ) -> npt.NDArray[Any]:
        """Return the events binned on a regular grid.

        Parameters
        ----------
        dt : float
            Width of a bin, in s, > 0.
        t_start, t_stop : float, optional
            Window, in s. Default: the series' own. Outside the series a raster is empty, or
            repeats when the series is periodic.
        num_bins : int, optional
            Number of bins, instead of ``t_stop``.
        binary : bool
            Whether several events in one bin count as 1.

        Returns
        -------
        array, shape (time, *shape)
            int64 counts; for graded events the sums of payloads, in the payload's type.

        Raises
        ------
        InputError
            dt is not positive, both ends are given, or ``binary`` is asked of graded events.

        Notes
        -----
        An event within 1e-9 (relative) of a bin edge belongs to the upper bin: see
        :func:`bin_index`. No event of the window is lost at its end: one that rounding would push
        past the last bin stays in it.
        """
        return windows.raster(
            self, dt, t_start=t_start, t_stop=t_stop, num_bins=num_bins, binary=binary
        )

    # -- editing (documented in ranvier.events.editing) ------------------------------------------

    def clip(self, t_start: float | None = None, t_stop: float | None = None) -> EventSeries:
        """Return the window ``[t_start, t_stop)``, in s: see :func:`editing.clip`."""
        return editing.clip(self, t_start, t_stop)

    def __getitem__(self, key: slice | tuple[slice, Any]) -> EventSeries:
        """Return ``series[t_start:t_stop, channels]``, times in s: see :func:`editing.select`."""
        window, channels = key if isinstance(key, tuple) else (key, slice(None))
        return editing.select(self, window, channels)

    def chunks(self, duration: float) -> Iterator[EventSeries]:
        """Yield consecutive windows of a duration in s: see :func:`editing.chunks`."""
        return editing.chunks(self, duration)

    def merge(self, *others: EventSeries) -> EventSeries:
        """Return all events of series on the same channels: see :func:`editing.merge`."""
        return editing.merge(self, *others)

    def append_time(self, *others: EventSeries) -> EventSeries:
        """Return series one after the other: see :func:`editing.append_time`."""
        return editing.append_time(self, *others)

    def append_channels(self, *others: EventSeries) -> EventSeries:
        """Return the channels of series side by side: see :func:`editing.append_channels`."""
        return editing.append_channels(self, *others)

    def remap(
        self,
        mapping: Sequence[int] | npt.NDArray[Any],
        *,
        shape: int | tuple[int, ...] | None = None,
    ) -> EventSeries:
        """Return the events on other channels, -1 drops: see :func:`editing.remap`."""
        return editing.remap(self, mapping, shape=shape)

    def merge_polarities(self) -> EventSeries:
        """Return the events without their polarity axis: see :func:`editing.merge_polarities`."""
        return editing.merge_polarities(self)

    # -- pictures --------------------------------------------------------------------------------

    def show(self, ax: Any = None) -> Any:
        """Draw the events and return the matplotlib Axes.

        ``(n,)`` and ``(polarity, n)``: time against channel, one colour per polarity. Cameras:
        the events per pixel, polarity 1 minus polarity 0.

        Raises
        ------
        MissingDependencyError
            matplotlib is not installed.
        """
        from .drawing import draw_events

        return draw_events(self, ax)

    def anim(
        self, path: Any = None, *, duration: float = 5.0, frame_rate: float = 24.0
    ) -> Animation:
        """Return an animation of the events, and write it when a path is given.

        Parameters
        ----------
        path : str or path, optional
            Ending in ``.gif``, or in ``.html`` for one interactive page that needs no network.
        duration : float
            Playing time of the whole series, in s.
        frame_rate : float
            Frames per second of playing time.

        Raises
        ------
        FileError
            The file cannot be written, or its ending is neither.
        MissingDependencyError
            A GIF is asked for and matplotlib is not installed.
        """
        from .animation import animate

        return animate(self, path, duration=duration, frame_rate=frame_rate)
