"""Pictures of the analogue chip: calibration, the two converters, alignment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ranvier.errors import InputError, MissingDependencyError
from ranvier.events import style

from .records import CLOCK, MADC_PER_CADC, RawRecords

if TYPE_CHECKING:
    from ranvier.artifacts import Recording

    from .alignment import Alignment
    from .calibration import CalibrationResult

Floats = NDArray[np.float64]
_NAMES = {
    "cadc": "CADC",
    "leak": "leak",
    "reset": "reset",
    "threshold": "threshold",
    "tau_mem": "membrane time constant",
    "tau_syn_exc": "time constant, exciting",
    "tau_syn_inh": "time constant, inhibiting",
    "strength_exc": "strength, exciting",
    "strength_inh": "strength, inhibiting",
}
_LSB = ("cadc", "leak", "reset", "threshold")
_COLUMNS = 3


def calibration_spread(
    result: CalibrationResult, *, quantities: tuple[str, ...] | None = None, bins: int = 40
) -> Any:
    """Draw how circuits deviate from their targets, before and after the calibration.

    Parameters
    ----------
    result : CalibrationResult
        What a calibration found.
    quantities : tuple of str or None
        Of `ranvier_bss2.calibration.QUANTITIES`; None: all.
    bins : int
        Of each histogram, >= 1.

    Returns
    -------
    matplotlib Figure
        One histogram per quantity: LSB for the converter and potentials, percent for the others.

    Raises
    ------
    InputError
        A quantity is unknown, or ``bins`` is below 1.
    MissingDependencyError
        matplotlib is not installed.
    """
    chosen = tuple(_NAMES) if quantities is None else tuple(quantities)
    unknown = [n for n in chosen if n not in _NAMES]
    if unknown or not chosen or bins < 1:
        raise InputError(
            f"calibration_spread: quantities {unknown or chosen}, bins {bins}; known quantities: "
            f"{', '.join(_NAMES)}; at least one bin"
        )
    rows = -(-len(chosen) // _COLUMNS)
    columns = min(_COLUMNS, len(chosen))
    figure, axes = _pyplot().subplots(
        rows, columns, figsize=(3.1 * columns, 2.3 * rows), layout="constrained", squeeze=False
    )
    for ax, name in zip(axes.flat, chosen, strict=False):
        _spread_of(style.plain(ax), result, name, bins)
    for ax in axes.flat[len(chosen) :]:
        ax.set_visible(False)
    axes.flat[0].legend(frameon=False, fontsize=8)
    for ax in axes[:, 0]:
        ax.set_ylabel("circuits", fontsize=8)
    passed = int(result.mask.sum())
    figure.suptitle(
        f"chip {result.chip_seed}: {passed} of {result.mask.size} circuits meet all targets",
        fontsize=10,
    )
    return figure


def converter_traces(
    records: RawRecords | Recording,
    node: str,
    *,
    neuron: int = 0,
    sample: int = 0,
    events: ArrayLike = (),
    ax: Any = None,
    title: str = "",
) -> Any:
    """Draw a membrane as both converters show it: coarse and slow, fine and fast.

    Parameters
    ----------
    records : RawRecords or Recording
        A run; the fast converter is drawn where it recorded this neuron.
    node : str
        Population.
    neuron, sample : int
        Which neuron of it, and which element of the batch.
    events : array_like, (k,)
        Times of input spikes, in s, drawn as lines.
    ax : matplotlib Axes, optional
        Where to draw. Default: a new figure.
    title : str
        Title of the axes.

    Returns
    -------
    matplotlib Axes
        In LSB of the CADC; one is taken to be four of the MADC, see
        `ranvier_bss2.records.MADC_PER_CADC`.

    Raises
    ------
    InputError
        Nothing was sampled, or there is no such neuron or sample.
    MissingDependencyError
        matplotlib is not installed.
    """
    slow, fast = _samples(records, node, neuron, sample)
    ax = style.new_axes(ax)
    everything = np.concatenate([part[0] for part in (slow, fast) if part is not None])
    factor, _ = style.time_axis(ax, float(everything.min()), float(everything.max()))
    for at in np.asarray(events, dtype=np.float64).reshape(-1):
        ax.axvline(at * factor, color=style.GREY, linewidth=0.8, linestyle=":")
    if fast is not None:
        ax.plot(fast[0] * factor, fast[1], color=style.colour(4), linewidth=0.8, label="MADC")
    if slow is not None:
        ax.plot(
            slow[0] * factor, slow[1], color=style.colour(0), linewidth=1.0, label="CADC",
            marker="o", markersize=2.5,
        )  # fmt: skip
    ax.set_ylabel("membrane (LSB of the CADC)")
    ax.set_title(title, fontsize=10)
    style.legend(ax)
    return ax


def alignment_steps(alignment: Alignment) -> Any:
    """Draw what an alignment measured on each neuron, and the numbers that follow.

    Parameters
    ----------
    alignment : Alignment
        Of a layer.

    Returns
    -------
    matplotlib Figure
        Baseline and threshold in LSB; model units per LSB; drive per weight LSB of both
        receptors, with the weight scale in the title.

    Raises
    ------
    MissingDependencyError
        matplotlib is not installed.
    """
    figure, axes = _pyplot().subplots(1, 3, figsize=(9.6, 2.8), layout="constrained")
    potentials, scales, drives = (style.plain(ax) for ax in axes)
    _dots(potentials, alignment.baseline, "baseline", 0)
    if np.isfinite(alignment.threshold).any():
        _dots(potentials, alignment.threshold, "threshold", 1)
    potentials.set(ylabel="reading (LSB)", title="at rest, and where it fires")
    _dots(scales, alignment.trace_scale, "trace scale", 2)
    scales.set(
        ylabel="model units per LSB", title=f"trace scale 1/{1 / alignment.mean_trace_scale:.1f}"
    )
    _dots(drives, alignment.slope_exc, "exciting", 0)
    _dots(drives, alignment.slope_inh, "inhibiting", 1)
    drives.set(
        ylabel="drive per weight LSB (LSB)", title=f"weight scale {alignment.weight_scale:.1f}"
    )
    for ax in (potentials, scales, drives):
        ax.set_xlabel("neuron")
        ax.title.set_fontsize(10)
        ax.xaxis.get_major_locator().set_params(integer=True)
    for ax in (potentials, drives):
        ax.margins(y=0.3)
        ax.legend(frameon=False, fontsize=8, loc="upper right", ncols=2)
    return figure


def aligned_traces(
    chip: ArrayLike,
    model: ArrayLike,
    *,
    alignment: Alignment | None = None,
    dt: float = 1e-6,
    neuron: int = 0,
    ax: Any = None,
    title: str = "",
) -> Any:
    """Draw a trace of the chip over that of the model.

    Parameters
    ----------
    chip : array_like, (time, n)
        Traces of the chip on the time grid: in LSB with ``alignment``, else in model units.
    model : array_like, (time, n)
        Traces of the model.
    alignment : Alignment or None
        Turns LSB into model units, and shifts the trace.
    dt : float
        Time step, in s.
    neuron : int
        Which neuron.
    ax : matplotlib Axes, optional
        Where to draw. Default: a new figure.
    title : str
        Title of the axes.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    InputError
        The arrays are not (time, n), or there is no such neuron.
    MissingDependencyError
        matplotlib is not installed.
    """
    measured, wanted = (np.asarray(x, dtype=np.float64) for x in (chip, model))
    if any(x.ndim != 2 or not 0 <= neuron < x.shape[1] for x in (measured, wanted)):
        raise InputError(
            f"aligned_traces: chip has the shape {measured.shape}, model {wanted.shape}; expected "
            f"(time, n) with a neuron {neuron}"
        )
    at = np.arange(len(measured)) * dt
    shown = measured[:, neuron]
    if alignment is not None:
        shown = alignment.trace_scale[neuron] * (shown - alignment.trace_offset[neuron])
        at = at - alignment.time_shift * dt
    ax = style.new_axes(ax)
    factor, _ = style.time_axis(ax, 0.0, float(max(len(measured), len(wanted)) * dt))
    ax.plot(at * factor, shown, color=style.colour(0), linewidth=1.2, label="chip")
    ax.plot(
        np.arange(len(wanted)) * dt * factor, wanted[:, neuron], color=style.colour(1),
        linewidth=1.2, linestyle="--", label="model",
    )  # fmt: skip
    ax.set_ylabel("membrane (model units)")
    ax.set_title(title, fontsize=10)
    style.legend(ax)
    return ax


def _spread_of(ax: Any, result: CalibrationResult, name: str, bins: int) -> None:
    factor, unit = (1.0, "LSB") if name in _LSB else (100.0, "%")
    before, after = (factor * values for values in result.deviations(name))
    both = np.concatenate([before, after])
    low, high = (float(x) for x in np.percentile(both, [0.5, 99.5]))
    edges = np.linspace(low - 1e-6, high + 1e-6, bins + 1)
    ax.hist(before, bins=edges, color=style.GREY, alpha=0.6, label="before")
    ax.hist(after, bins=edges, color=style.colour(0), alpha=0.8, label="after")
    was, now = (factor * value for value in result.spread(name))
    ax.set_title(f"{_NAMES[name]}: {was:.2g} to {now:.2g} {unit}", fontsize=9)
    ax.set_xlabel(f"deviation ({unit})", fontsize=8)
    ax.set_yscale("symlog", linthresh=10)


def _dots(ax: Any, values: Floats, label: str, number: int) -> None:
    neurons = np.arange(values.size)
    ax.scatter(neurons, values, s=style.MARKER_AREA, color=style.colour(number), label=label)
    ax.axhline(np.nanmean(values), color=style.colour(number), linewidth=0.8, linestyle="--")


def _samples(
    records: RawRecords | Recording, node: str, neuron: int, sample: int
) -> tuple[tuple[Floats, Floats] | None, tuple[Floats, Floats] | None]:
    """Return times in s and values in LSB of the CADC, of both converters."""
    if isinstance(records, RawRecords):
        found = _raw_samples(records, node, neuron, sample)
    else:
        found = _recorded_samples(records, node, neuron, sample)
    if found == (None, None):
        raise InputError(
            f"converter_traces: no samples of neuron {neuron} of {node!r} in sample {sample}; "
            "record it with the CADC or the MADC"
        )
    return found


def _raw_samples(
    records: RawRecords, node: str, neuron: int, sample: int
) -> tuple[tuple[Floats, Floats] | None, tuple[Floats, Floats] | None]:
    own = records[node]
    slow = fast = None
    if not 0 <= sample < records.n_samples:
        return None, None
    if own.cadc is not None and 0 <= neuron < own.cadc.values.shape[2]:
        slow = own.cadc.times / CLOCK, own.cadc.values[sample, :, neuron].astype(np.float64)
    if own.madc is not None and own.madc.neuron == neuron:
        fast = own.madc.times / CLOCK, own.madc.values[sample] / MADC_PER_CADC
    return slow, fast


def _recorded_samples(
    records: Recording, node: str, neuron: int, sample: int
) -> tuple[tuple[Floats, Floats] | None, tuple[Floats, Floats] | None]:
    found: list[tuple[Floats, Floats] | None] = []
    for quantity, per_lsb, which in (("v_mem", 1.0, neuron), ("madc", MADC_PER_CADC, 0)):
        trace = records.signals.get((node, quantity))
        values = getattr(trace, "values", None)
        flat = None if values is None else values.reshape(*values.shape[:2], -1)
        if flat is None or not (0 <= sample < flat.shape[0] and 0 <= which < flat.shape[2]):
            found.append(None)
            continue
        times = np.asarray(getattr(trace, "times", ()), dtype=np.float64)
        found.append((times, flat[sample, :, which] / per_lsb))
    return found[0], found[1]


def _pyplot() -> Any:
    try:
        from matplotlib import pyplot
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            "matplotlib is needed for pictures but not installed; install it with: "
            "pip install 'ranvier-bss2[plot]'",
            name="matplotlib",
        ) from error
    return pyplot
