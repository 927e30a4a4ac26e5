"""The verb *quantize*: from float weights to registers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import MappedNetwork, OutputChannel
from ranvier.errors import QuantizationError

from ..config import XyloConfig
from ..kernels import CoreRun
from ..origin import origin_of
from ..targets import Limits, limits_of
from ._activity import Activity, activity_of
from ._correction import drifts, with_biases
from ._fit import fit_candidates
from ._published import channel_scales, global_scales
from ._registers import FloatRegisters, Scales, float_registers, round_registers
from ._report import Measured, answer_of, findings_of, measure, weight_precision
from .options import QuantizeOptions


@dataclass(frozen=True, eq=False)
class Candidate:
    """A configuration with its scales and, given calibration spikes, its answer to them."""

    config: XyloConfig
    scales: Scales
    answer: CoreRun | None = None
    measured: Measured | None = None


def quantize_network(mapped: MappedNetwork, options: QuantizeOptions) -> XyloConfig:
    """Turn a mapped network into the registers of its chip.

    Parameters
    ----------
    mapped : MappedNetwork
        From `ranvier_xylo.mapping.map_network`.
    options : QuantizeOptions
        See there.

    Returns
    -------
    XyloConfig
        ``provenance["quantization"]`` holds, per layer, the signal-to-quantisation-noise ratio of
        the weights and, with calibration spikes, the agreement with the float network.

    Raises
    ------
    QuantizationError
        The mapped network was altered so that it has no codes.
    InputError
        The calibration spikes do not fit the network.
    """
    limits = limits_of(mapped.target)
    _refuse_shapes(mapped)
    floats = float_registers(mapped.arrays)
    _refuse_values(floats, mapped.target)
    calibrated = options.calibration is not None
    activity = (
        activity_of(mapped, options, limits) if calibrated or options.method == "fit" else None
    )
    best: Candidate | None = None
    for scales in _candidates(floats, activity, limits, options):
        config = _config(mapped, floats, scales, limits)
        best = _better(_tried(config, scales, activity), best)
    if best is None:
        raise QuantizationError(f"{mapped.target}: no candidate scales were found")
    if options.method == "fit" and options.bias_correction and limits.bias:
        best = _corrected(best, activity)
    return _reported(best, mapped, floats, options)


def _tried(config: XyloConfig, scales: Scales, activity: Activity | None) -> Candidate:
    """Measure a configuration if there are calibration spikes."""
    if activity is None or not activity.measured:
        return Candidate(config, scales)
    answer = answer_of(config, activity)
    return Candidate(config, scales, answer, measure(config, activity, answer))


def _better(new: Candidate, old: Candidate | None) -> Candidate:
    if old is None or old.measured is None or new.measured is None:
        return old or new
    return new if new.measured.score > old.measured.score else old


def _corrected(best: Candidate, activity: Activity | None) -> Candidate:
    """Take the leak's drift off the biases of hidden or output neurons where that helps."""
    if activity is None or best.answer is None:
        return best
    config = best.config
    hidden, output = drifts(config, activity.counts, best.answer)
    for in_hidden, in_output in ((True, True), (True, False), (False, True)):
        changed = with_biases(config, hidden * in_hidden, output * in_output)
        best = _better(_tried(changed, best.scales, activity), best)
    return best


def _refuse_shapes(mapped: MappedNetwork) -> None:
    """Raise if arrays of a mapped network are missing or do not fit each other."""
    found = {name: np.shape(values) for name, values in mapped.arrays.items()}
    n_hid, n_out = (found.get(n, (0,))[0] for n in ("threshold", "threshold_out"))
    n_syn = found.get("beta", (0, 1))[-1]
    n_in, n_ien = found.get("weights_in", (0, 0))[:2]
    n_oen = found.get("weights_out", (0,))[0]
    hidden = dict.fromkeys(("alpha", "dash_mem", "threshold", "bias", "aliases"), (n_hid,))
    synapse = dict.fromkeys(("beta", "gain", "dash_syn"), (n_hid, n_syn))
    output = dict.fromkeys((f"{name}_out" for name in (*hidden, *synapse)), (n_out,))
    del output["aliases_out"]
    expected = {
        "weights_in": (n_in, n_ien, n_syn),
        "weights_rec": (n_hid, n_hid, n_syn),
        "weights_out": (n_oen, n_out),
        "v_offset_out": (n_out,),
        **hidden,
        **synapse,
        **output,
    }
    wrong = [
        f"{name} has shape {found[name]}, expected {shape}" if name in found else f"no {name}"
        for name, shape in expected.items()
        if found.get(name) != shape
    ]
    if wrong or max(n_ien, n_oen) > n_hid:
        raise QuantizationError(
            f"{mapped.target}: the arrays of the mapped network do not fit: "
            f"{'; '.join(wrong) or 'more expansion neurons than hidden ones'}; map the graph again"
        )


def _refuse_values(floats: FloatRegisters, target: str) -> None:
    """Raise if a mapped network no longer holds what mapping guarantees."""
    bad = [
        name
        for name in ("weights_in", "weights_rec", "weights_out", "bias", "bias_out")
        if not np.all(np.isfinite(getattr(floats, name)))
    ]
    bad += [
        name for name in ("threshold", "threshold_out") if not np.all(getattr(floats, name) > 0)
    ]
    if bad:
        raise QuantizationError(
            f"{target}: {', '.join(bad)} hold values without a code (NaN, infinite, or thresholds "
            "that are not positive); map the graph again"
        )


def _candidates(
    floats: FloatRegisters, activity: Activity | None, limits: Limits, options: QuantizeOptions
) -> Iterator[Scales]:
    """Yield the scales of a method; several for "fit" with calibration spikes, to be tried."""
    if options.method == "global":
        yield global_scales(floats, limits, fuzzy_scaling=options.fuzzy_scaling)
    elif options.method == "channel" or activity is None:
        yield channel_scales(floats, limits)
    elif not activity.measured:
        yield next(fit_candidates(floats, activity, limits, headroom=options.headroom))
    else:
        # Room at the rails costs precision; whether it pays shows only on the chip's arithmetic.
        for headroom in sorted({1.0, options.headroom}, reverse=True):
            found = fit_candidates(floats, activity, limits, headroom=headroom)
            yield from islice(found, options.candidates)
        yield channel_scales(floats, limits)


def _config(
    mapped: MappedNetwork, floats: FloatRegisters, scales: Scales, limits: Limits
) -> XyloConfig:
    graph, arrays = mapped.graph, mapped.arrays
    n_syn = floats.dash_syn.shape[1]
    readout = mapped.settings["readout"]
    registers = round_registers(floats, scales, limits)
    return XyloConfig(
        target=mapped.target,
        dt=graph.dt,
        input_shapes={n: graph.nodes[n].output_shape for n in graph.inputs},
        outputs=tuple(
            OutputChannel(output=output, node=node, quantity=readout)
            for output, node in mapped.settings["shown"].items()
        ),
        node_shapes=_node_shapes(mapped),
        placement=mapped.placement,
        latency=dict(mapped.latency),
        diagnostics=mapped.diagnostics,
        **registers,
        weight_shift_in=scales.shift_in,
        weight_shift_rec=scales.shift_rec,
        weight_shift_out=scales.shift_out,
        dash_mem=arrays["dash_mem"],
        dash_syn=arrays["dash_syn"],
        dash_mem_out=arrays["dash_mem_out"],
        dash_syn_out=arrays["dash_syn_out"],
        aliases=arrays["aliases"],
        readout=readout,
        v_lsb=1.0 / scales.hidden,
        v_lsb_out=1.0 / scales.output,
        v_offset_out=arrays["v_offset_out"],
        i_lsb=np.repeat(1.0 / scales.hidden[:, None], n_syn, axis=1),
        i_lsb_out=1.0 / scales.output,
        **origin_of(mapped),
    )


def _node_shapes(mapped: MappedNetwork) -> dict[str, tuple[int, ...]]:
    inputs = mapped.graph.inputs
    return {n: mapped.graph.nodes[n].output_shape for n in mapped.placement.node if n not in inputs}


def _reported(
    best: Candidate,
    mapped: MappedNetwork,
    floats: FloatRegisters,
    options: QuantizeOptions,
) -> XyloConfig:
    config, measured = best.config, best.measured
    codes: Mapping[str, NDArray[Any]] = {
        name: getattr(config, name).astype(np.int64)
        for name in ("weights_in", "weights_rec", "weights_out")
    }
    precision = weight_precision(mapped, floats, codes, best.scales)
    layers: dict[str, dict[str, float]] = {n: {"sqnr_db": v} for n, v in precision.items()}
    for node, value in (measured.agreement if measured else {}).items():
        layers.setdefault(node, {})["agreement"] = value
    found = findings_of(config, precision, measured)
    provenance = {
        "graph": mapped.graph.content_hash,
        "ranvier-xylo": version("ranvier-xylo"),
        "map": dict(mapped.settings["options"]),
        "quantize": {
            **options.model_dump(exclude={"calibration"}),
            "calibrated": options.calibration is not None,
        },
        "quantization": layers,
    }
    return config.model_copy(
        update={"diagnostics": (*config.diagnostics, *found), "provenance": provenance}
    )
