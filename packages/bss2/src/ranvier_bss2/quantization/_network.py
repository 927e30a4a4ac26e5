"""The verb *quantize*: from real weights and potentials to registers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from ranvier.artifacts import MappedNetwork
from ranvier.diagnostics import Findings, describe
from ranvier.errors import QuantizationError

from .. import diagnostics as codes
from ..config import Bss2Config
from ..config.ranges import applies
from ..layout import Layout
from ..network import BssNetwork, BssPopulation
from ..targets import target_named
from ._config import config_of, network_of, sizes_of
from ._weights import Ints, clip_weights, parts_of, report_weights, round_weights
from .adex import adex_codes
from .options import QuantizeOptions
from .refractory import refractory_settings


def quantize_network(mapped: MappedNetwork, options: QuantizeOptions) -> Bss2Config:
    """Turn a mapped network into the configuration of a chip.

    Weights are rounded half away from zero and cut to what their synapses hold, potentials are
    rounded to whole LSB. With calibration spikes, the scale of neurons that do not fire is chosen
    so that they use the range of the CADC.

    Parameters
    ----------
    mapped : MappedNetwork
        From `ranvier_bss2.mapping.map_network`.
    options : QuantizeOptions
        See there.

    Returns
    -------
    Bss2Config
        ``provenance["weights"]`` holds per projection the mean square error in LSB, its relation
        to the weights, the largest weight, and how many were cut or became zero.

    Raises
    ------
    QuantizationError
        A refractory time has no counter, or the mapped network was altered.
    InputError
        The calibration spikes do not fit the network.
    """
    network, layout = network_of(mapped)
    _refuse_altered(network, layout, mapped.target)
    findings = Findings()
    parts = parts_of(layout, network.projections, sizes_of(network))
    spikes = None
    if options.calibration is not None:
        from ._calibration import calibration_spikes

        samples = options.calibration_samples
        spikes = calibration_spikes(options.calibration, network, samples=samples)
    if spikes is not None and options.adjust_scale is not False:
        network = _adjusted(network, spikes, parts, mapped=mapped, options=options, found=findings)
    if options.round_potentials:
        network = _rounded_potentials(network, findings)
    _report_counters(network, findings)
    _report_codes(network, findings)
    rounded = [
        clip_weights(round_weights(q.weight), own)
        for q, own in zip(network.projections, parts, strict=True)
    ]
    report = {
        str(k): report_weights(k, q, w, findings=findings)
        for k, (q, w) in enumerate(zip(network.projections, rounded, strict=True))
    }
    extents = {} if spikes is None else _extents(network, spikes, rounded, mapped, findings)
    _raise_errors(findings, mapped.target)
    return config_of(
        network,
        layout,
        shown=mapped.settings["shown"],
        kappa=float(mapped.settings["kappa"]),
        weights=rounded,
        target=mapped.target,
        dt=mapped.graph.dt,
        latency=mapped.latency,
        diagnostics=(*mapped.diagnostics, *findings),
        provenance=_provenance(mapped, options, report, extents),
    )


def _adjusted(
    network: BssNetwork,
    spikes: Mapping[str, Ints],
    parts: Sequence[Ints],
    *,
    mapped: MappedNetwork,
    options: QuantizeOptions,
    found: Findings,
) -> BssNetwork:
    """Choose the scales of neurons that do not fire from calibration spikes."""
    from ._calibration import adjusted

    return adjusted(
        network,
        spikes,
        parts=parts,
        kappa=float(mapped.settings["kappa"]),
        fixed=mapped.settings.get("fixed", ()),
        margin=options.margin,
        findings=found,
    )


def _extents(
    network: BssNetwork,
    spikes: Mapping[str, Ints],
    rounded: Sequence[Ints],
    mapped: MappedNetwork,
    findings: Findings,
) -> dict[str, Any]:
    """Report what saturates on calibration spikes; return how far membranes and drives go."""
    from ._calibration import report_saturation

    level = target_named(mapped.target).fact("synapse_saturation").value
    return report_saturation(
        network,
        spikes,
        rounded,
        kappa=float(mapped.settings["kappa"]),
        saturation=float(level) if isinstance(level, int | float) else np.inf,
        findings=findings,
    )


def _raise_errors(findings: Findings, target: str) -> None:
    errors = findings.errors()
    if errors:
        heading = f"{target}: the network cannot be quantised, {len(errors)} problem(s)"
        raise QuantizationError(describe(errors, heading=heading), errors)


def _refuse_altered(network: BssNetwork, layout: Layout, target: str) -> None:
    """Report arrays that do not fit each other, before anything is indexed by them."""
    findings = Findings()
    for k, q in enumerate(network.projections):
        wanted = (network.size_of(q.target), network.size_of(q.source))
        for name, values in (("weight", q.weight), ("connected", q.connected)):
            if values.shape != wanted:
                text = f"{name} of projection {k} has shape {values.shape}, expected {wanted}"
                findings.add(codes.STATES_ALTERED.at(q.target, text))
    count = len(network.projections)
    number = layout.synapse_projection
    if number.size and not (int(number.min()) >= 0 and int(number.max()) < count):
        text = (
            f"synapses of projections {int(number.min())}..{int(number.max())}, there are {count}"
        )
        findings.add(codes.STATES_ALTERED.at(None, text))
    elif not findings.errors():
        findings.add(*_stray_synapses(network, layout))
    _raise_errors(findings, target)


def _stray_synapses(network: BssNetwork, layout: Layout) -> list[Any]:
    """Return synapses whose ends do not exist."""
    sizes = np.array(
        [[network.size_of(q.target), network.size_of(q.source)] for q in network.projections]
    ).reshape(-1, 2)
    own = sizes[layout.synapse_projection]
    ends = np.stack([layout.synapse_target, layout.synapse_source], axis=1)
    bad = int(np.sum(np.any((ends < 0) | (ends >= own), axis=1)))
    text = f"{bad} synapses have ends that do not exist"
    return [codes.STATES_ALTERED.at(None, text, value=bad, limit=0)] if bad else []


def _rounded_potentials(network: BssNetwork, findings: Findings) -> BssNetwork:
    """Round leak, reset and threshold; the leak potential keeps its meaning in the trace."""
    populations = []
    for p in network.populations:
        names = [n for n in ("leak", "reset", "threshold") if applies(n, p.switches)]
        whole = {n: round_weights(p.targets[n]).astype(np.float64) for n in names}
        change = max(float(np.abs(whole[n] - p.targets[n]).max()) for n in names)
        if change > 1e-9:
            text = f"by up to {change:.3g} LSB"
            findings.add(codes.POTENTIALS_ROUNDED.at(p.name, text, value=round(change, 6)))
        populations.append(dataclasses.replace(p, targets={**p.targets, **whole}))
    return dataclasses.replace(network, populations=tuple(populations))


def _report_counters(network: BssNetwork, findings: Findings) -> None:
    """Find the refractory counters of every execution instance, and say what they realise."""
    instances = {int(k) for p in network.populations for k in p.neuron_instance}
    for instance in sorted(instances):
        times, holds = _firing(network.populations, instance)
        if not times.size:
            continue
        try:
            found = refractory_settings(times, holds)
        except QuantizationError as error:
            text = f"execution instance {instance}: {error}"
            findings.add(codes.REFRACTORY_CLOCK.at(None, text))
            continue
        change = float(np.abs(found.refractory - times).max())
        text = (
            f"execution instance {instance}: refractory times change by up to "
            f"{change * 1e6:.3g} us (clock scales {found.fast_clock} and {found.slow_clock})"
        )
        findings.add(codes.REFRACTORY_COUNTED.at(None, text, value=change))


def _firing(populations: Sequence[BssPopulation], instance: int) -> tuple[Any, Any]:
    """Return refractory and holdoff times of the firing neurons of an instance."""
    own = [p for p in populations if "fire" in p.switches]
    here = [p.neuron_instance == instance for p in own]
    empty = np.zeros(0)
    times = [p.targets["refractory"][h] for p, h in zip(own, here, strict=True)]
    holds = [p.targets["holdoff"][h] for p, h in zip(own, here, strict=True)]
    return np.concatenate([*times, empty]), np.concatenate([*holds, empty])


def _report_codes(network: BssNetwork, findings: Findings) -> None:
    for p in network.populations:
        changed = adex_codes(p.model, p.switches).changed
        if changed:
            shown = ", ".join(f"{n} in {count} neuron(s)" for n, count in changed.items())
            text = f"the code is not the value for {shown}"
            findings.add(codes.ADEX_CODES.at(p.name, text, value=sum(changed.values())))


def _provenance(
    mapped: MappedNetwork,
    options: QuantizeOptions,
    weights: Mapping[str, Any],
    extents: Mapping[str, Any],
) -> dict[str, Any]:
    found = {
        "graph": mapped.graph.content_hash,
        "ranvier-bss2": version("ranvier-bss2"),
        "map": dict(mapped.settings.get("options", {})),
        "quantize": {
            **options.model_dump(mode="json", exclude={"calibration"}),
            "calibrated": options.calibration is not None,
        },
        "weights": dict(weights),
    }
    return found | {"calibration": dict(extents)} if extents else found
