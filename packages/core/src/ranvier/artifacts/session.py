"""One abstraction over reference, simulator, loopback and silicon."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, SimulationError
from ..events import ContinuousSeries, EventSeries, as_raster
from ..events.batch import RasterInput
from .recording import Recording

State = dict[str, NDArray[Any]]


class AbstractSession(ABC):
    """An open chip, simulated or real. State carries over between runs until `reset`.

    A subclass implements `_run`, `get_state`, `set_state` and `reset`, and releases what it holds
    in `_close`. Inputs arrive there validated: int64 counts (or float64 values on targets that
    take them), batched, C-contiguous.

    Parameters
    ----------
    input_shapes : mapping of str to tuple of int
        Shape of every Input node.
    dt : float or None
        Time step, in s, > 0, on which series are rastered; None: series are refused.
    spiking : bool
        Whether inputs are spike counts (else real values).
    """

    def __init__(
        self,
        *,
        input_shapes: Mapping[str, tuple[int, ...]],
        dt: float | None = None,
        spiking: bool = True,
    ) -> None:
        self._input_shapes = dict(input_shapes)
        self._dt = dt
        self._spiking = spiking
        self._closed = False

    @abstractmethod
    def _run(
        self,
        inputs: Mapping[str, NDArray[Any]],
        *,
        record: Mapping[str, tuple[str, ...]],
        trial_seed: int | None,
    ) -> Recording:
        """Advance by the length of the inputs ``{input: (batch, time, *shape)}``."""

    @abstractmethod
    def recordable(self) -> Mapping[str, tuple[str, ...]]:
        """Return the quantities that can be recorded, by graph node."""

    @abstractmethod
    def get_state(self) -> State:
        """Return a copy of the state, named arrays with a leading batch axis."""

    @abstractmethod
    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Set what `get_state` returned."""

    @abstractmethod
    def reset(self) -> None:
        """Return to the state before the first step."""

    def update(self, config: Any) -> None:
        """Replace the configuration, writing only what changed. Not every session can."""
        raise SimulationError(
            f"{type(self).__name__} cannot be updated with {type(config).__name__}; open a new one"
        )

    def _close(self) -> None:  # noqa: B027 - most sessions hold nothing
        """Release what the session holds; called once."""

    @property
    def state(self) -> State:
        """The state as named arrays, (batch, ...)."""
        return self.get_state()

    @state.setter
    def state(self, state: Mapping[str, NDArray[Any]]) -> None:
        self.set_state(state)

    def run(
        self,
        spikes: Any,
        *,
        record: Sequence[str] | bool = (),
        lengths: Sequence[int] | NDArray[np.int64] | None = None,
        trial_seed: int | None = None,
    ) -> Recording:
        """Advance by the length of the input.

        Parameters
        ----------
        spikes : array, series, list of these, or mapping of str to any of these
            Counts ``([batch,] time, *input_shape)``, an `EventSeries` (or `ContinuousSeries` where
            real values are taken), or a list of samples of unequal length; a mapping by input name
            for several inputs, which start and end together. The recording's outputs come in kind.
        record : sequence of str, or bool
            Quantities besides the outputs: ``"spikes"`` (of every neuron node), ``"v_mem"``, or
            ``"node.quantity"`` for one node. True takes everything there is.
        lengths : array of int, (batch,), or None
            Valid steps of each sample of a ragged batch; input beyond them must be zero.
        trial_seed : int or None
            Seed of the noise of this run, on targets that have noise.

        Returns
        -------
        Recording
            Keyed by the graph's node names.

        Raises
        ------
        InputError
            Shape, type or range of the input, an unknown name in ``record``, bad ``lengths``.
        SimulationError
            The session is closed.
        """
        if self._closed:
            raise SimulationError("this session is closed; open a new one")
        given = self._from_series(spikes)
        if isinstance(given, dict):
            spikes = {name: part.values for name, part in given.items()}
            given = _common(given)
            lengths = given.lengths
        elif given is not None:
            spikes, lengths = given.values, given.lengths
        inputs, batched = check_inputs(spikes, self._input_shapes, counts=self._spiking)
        n_samples, n_steps = next(iter(inputs.values())).shape[:2]
        checked = check_lengths(lengths, n_samples=n_samples, n_steps=n_steps)
        if checked is not None:
            check_padding(inputs, checked)
        wanted = select_quantities(record, self.recordable())
        result = self._run(inputs, record=wanted, trial_seed=trial_seed)
        if given is None:
            return dataclasses.replace(result, batched=batched, lengths=checked)
        starts = given.t_starts if given.as_series else ()
        return dataclasses.replace(
            result, batched=given.kind == "list", lengths=checked, t_starts=starts
        )

    def _from_series(self, spikes: Any) -> RasterInput | dict[str, RasterInput] | None:
        """Return series and lists of samples on the grid; None for what is an array already."""
        if isinstance(spikes, Mapping):
            if set(spikes) != set(self._input_shapes) or not any(
                map(_holds_series, spikes.values())
            ):
                return None
            return {
                name: self._on_grid(spikes[name], shape)
                for name, shape in self._input_shapes.items()
            }
        samples = spikes if isinstance(spikes, list | tuple) and spikes else (spikes,)
        series = isinstance(samples[0], EventSeries | ContinuousSeries)
        ragged = len({np.shape(s)[:1] for s in samples}) > 1 if not series else False
        if not series and not ragged:
            return None
        if len(self._input_shapes) != 1:
            raise InputError(
                f"input: several inputs {list(self._input_shapes)}; pass a mapping by name"
            )
        return self._on_grid(spikes, next(iter(self._input_shapes.values())))

    def _on_grid(self, data: Any, shape: tuple[int, ...]) -> RasterInput:
        if self._dt is None:
            raise InputError("input: series need a session with a time step; pass arrays")
        return as_raster(data, dt=self._dt, shape=shape)

    def stream(self, source: Iterable[Any], **options: Any) -> Iterator[Recording]:
        """Run chunk after chunk of an input, yielding one recording each; state carries over."""
        for chunk in source:
            yield self.run(chunk, **options)

    def close(self) -> None:
        """Release what the session holds. Closing twice is harmless."""
        if not self._closed:
            self._closed = True
            self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _holds_series(data: Any) -> bool:
    first = data[0] if isinstance(data, list | tuple) and data else data
    return isinstance(first, EventSeries | ContinuousSeries)


def _common(parts: Mapping[str, RasterInput]) -> RasterInput:
    """Return the way back that all inputs share: their kind, starts and lengths.

    Raises
    ------
    InputError
        Inputs are of different kinds, or do not start and end together.
    """
    found = {
        name: (part.kind, part.t_starts, part.values.shape[1], np.asarray(part.lengths).tolist())
        for name, part in parts.items()
    }
    first = next(iter(found.values()))
    odd = next((name for name, entry in found.items() if entry != first), None)
    if odd is not None:
        raise InputError(
            f"input {odd!r}: is {found[odd][0]} from {found[odd][1]} s over {found[odd][2]} steps, "
            f"{next(iter(found))!r} is {first[0]} from {first[1]} s over {first[2]} steps; give "
            "all inputs in one kind with the same start and duration (t_start, t_stop)"
        )
    return next(iter(parts.values()))


def check_inputs(
    spikes: Any, shapes: Mapping[str, tuple[int, ...]], *, counts: bool
) -> tuple[dict[str, NDArray[Any]], bool]:
    """Return inputs by name as batched arrays, and whether they had a batch axis.

    Raises
    ------
    InputError
        A missing or unknown input, a wrong shape, NaN, negative or fractional counts.
    """
    if isinstance(spikes, Mapping):
        given = dict(spikes)
    elif len(shapes) == 1:
        given = {next(iter(shapes)): spikes}
    else:
        raise InputError(f"input: several inputs {list(shapes)}; pass a mapping by name")
    if set(given) != set(shapes):
        raise InputError(f"input: got inputs {sorted(given)}, expected {sorted(shapes)}")
    arrays: dict[str, NDArray[Any]] = {}
    batched: set[bool] = set()
    for name, shape in shapes.items():
        array, has_batch = _checked_input(name, given[name], shape, counts=counts)
        arrays[name] = array
        batched.add(has_batch)
    sizes = {array.shape[:2] for array in arrays.values()}
    if len(sizes) != 1 or len(batched) != 1:
        raise InputError(f"input: inputs differ in batch or time: {sorted(sizes)}")
    return arrays, batched.pop()


def _checked_input(
    name: str, values: Any, shape: tuple[int, ...], *, counts: bool
) -> tuple[NDArray[Any], bool]:
    try:
        array = np.asarray(values)
        numeric = array.dtype.kind in "biuf"
    except (TypeError, ValueError) as error:
        raise InputError(f"input {name!r}: not a rectangular numeric array: {error}") from error
    if not numeric:
        raise InputError(f"input {name!r}: dtype {array.dtype} is not numeric")
    has_batch = array.ndim == len(shape) + 2
    if array.ndim not in (len(shape) + 1, len(shape) + 2) or array.shape[-len(shape) :] != shape:
        raise InputError(
            f"input {name!r}: shape {array.shape}, expected ([batch,] time, "
            f"{', '.join(map(str, shape))})"
        )
    if not np.all(np.isfinite(array)):
        raise InputError(f"input {name!r}: has NaN or infinite values")
    if counts:
        if array.size and array.min() < 0:
            raise InputError(
                f"input {name!r}: spike count {array.min()} is negative; counts are >= 0"
            )
        if array.dtype.kind == "f" and np.any(array != np.floor(array)):
            bad = array[array != np.floor(array)].flat[0]
            raise InputError(
                f"input {name!r}: spike count {bad:g} is fractional; counts are whole numbers"
            )
        if array.size and array.max() > np.iinfo(np.int32).max:
            raise InputError(f"input {name!r}: spike count {array.max()} is beyond 2**31 - 1")
    result = np.ascontiguousarray(array, dtype=np.int64 if counts else np.float64)
    return (result if has_batch else result[None]), has_batch


def check_lengths(lengths: Any, *, n_samples: int, n_steps: int) -> NDArray[np.int64] | None:
    """Return ``lengths`` as int64 (batch,), or None; raises `InputError` when out of range."""
    if lengths is None:
        return None
    values = np.asarray(lengths)
    if values.shape != (n_samples,) or values.dtype.kind not in "iu":
        raise InputError(
            f"lengths: shape {values.shape} of {values.dtype}, expected {n_samples} integers"
        )
    if values.size and (values.min() < 0 or values.max() > n_steps):
        raise InputError(f"lengths: must be in 0..{n_steps}, got {values.min()}..{values.max()}")
    return values.astype(np.int64)


def check_padding(inputs: Mapping[str, NDArray[Any]], lengths: NDArray[np.int64]) -> None:
    """Raise `InputError` if a sample has input beyond its length."""
    for name, array in inputs.items():
        beyond = np.arange(array.shape[1])[None] >= lengths[:, None]
        active = array.astype(bool).any(axis=tuple(range(2, array.ndim)))
        bad = np.flatnonzero((active & beyond).any(1))
        if bad.size:
            raise InputError(
                f"input {name!r}: sample {bad[0]} has input beyond its length {lengths[bad[0]]}; "
                "pad ragged batches with zeros"
            )


def select_quantities(
    record: Sequence[str] | bool, available: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """Return the quantities to record by node.

    Raises
    ------
    InputError
        A name that no node offers; the message lists what can be recorded.
    """
    if record is True:
        return dict(available)
    names = [record] if isinstance(record, str) else list(record or ())
    chosen: dict[str, list[str]] = {}
    for name in names:
        hits = [
            (node, quantity)
            for node, quantities in available.items()
            for quantity in quantities
            if name in (quantity, f"{node}.{quantity}", node)
        ]
        if not hits:
            offers = sorted({q for quantities in available.values() for q in quantities})
            raise InputError(
                f"record: {name!r} is not recordable; quantities: {offers}, "
                f"nodes: {list(available)}, or 'node.quantity'"
            )
        for node, quantity in hits:
            if quantity not in chosen.setdefault(node, []):
                chosen[node].append(quantity)
    return {node: tuple(quantities) for node, quantities in chosen.items()}
