"""Lava processes of a configuration, checked before any is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import Diagnostic
from ranvier.errors import DeviceError

from .. import diagnostics as codes
from ..config import ConvSynapse, LoihiConfig
from .description import describe
from .layout import shape_conflicts
from .worker.lava_worker import Network, Sdk

WIDE_CONVOLUTION = 256


def network_findings(config: LoihiConfig, *, hardware: bool = False) -> list[Diagnostic]:
    """Return what Lava has no process for, as errors, and what is known to go wrong on a chip."""
    found = []
    fed = {s.target for s in config.synapses}
    for p in config.populations:
        if p.model == "lif" and np.any(p.refractory > 1):
            most = int(np.max(p.refractory))
            found.append(codes.NO_REFRACTORY.at(p.name, f"refractory {most}", value=most, limit=1))
        if p.reset_interval and p.model != "lif":
            found.append(codes.NO_PERIODIC_RESET.at(p.name, f"model {p.model!r}"))
        if p.model not in ("lif", "ternary") and np.any(p.v_initial):
            found.append(codes.NO_INITIAL_STATE.at(p.name, f"model {p.model!r}"))
        if p.model not in ("lif", "ternary", "sigma_delta") and np.any(p.bias_mant):
            found.append(codes.NO_BIAS_HERE.at(p.name, f"model {p.model!r}"))
        if p.drive is not None and (
            p.model not in ("lif", "ternary", "delta") or (p.model == "delta" and p.name in fed)
        ):
            found.append(codes.NO_DRIVE_HERE.at(p.name, f"model {p.model!r}, {p.drive!r}"))
        if hardware and (np.any(p.v_initial) or (p.model == "sigma_delta" and np.any(p.bias_mant))):
            found.append(codes.EARLY_START.at(p.name, "it has a bias or an initial voltage"))
    for s in config.synapses:
        if isinstance(s, ConvSynapse):
            found += _convolution_findings(s, hardware=hardware)
        elif np.ptp(s.axon_delay) and np.any(s.weights & ((1 << max(0, -s.weight_exp)) - 1)):
            text = f"exponent {s.weight_exp}, axon delays up to {int(np.max(s.axon_delay))}"
            found.append(codes.DELAYS_ROUND_APART.at(f"{s.source} -> {s.target}", text))
    for name, views in shape_conflicts(config).items():
        shapes = ", ".join(map(str, sorted(views)))
        found.append(codes.SHAPES_DIFFER.at(name, f"convolutions see it as {shapes}"))
    return found


def _convolution_findings(synapse: ConvSynapse, *, hardware: bool) -> list[Diagnostic]:
    name, found = f"{synapse.source} -> {synapse.target}", []
    most = int(np.max(synapse.axon_delay))
    if most:
        found.append(codes.NO_CONVOLUTION_DELAY.at(name, f"delay {most}", value=most, limit=0))
    width = synapse.input_shape[2]
    if hardware and width >= WIDE_CONVOLUTION:
        text = f"the input is {width} wide; spikes near x = 256 n - 1 may be lost"
        limit = WIDE_CONVOLUTION - 1
        found.append(codes.WIDE_CONVOLUTION.at(name, text, value=width, limit=limit))
    return found


def check_network(config: LoihiConfig, *, hardware: bool = False) -> tuple[Diagnostic, ...]:
    """Return the warnings of `network_findings`.

    Raises
    ------
    DeviceError
        Lava cannot run the network; all reasons at once.
    """
    found = network_findings(config, hardware=hardware)
    errors = [d for d in found if d.severity == "error"]
    if errors:
        reasons = "; ".join(str(d) for d in errors)
        raise DeviceError(
            f"{config.target}: Lava cannot run this network: {reasons}. Use device='loopback', "
            "which runs all of it"
        )
    return tuple(found)


def build_lava_network(
    config: LoihiConfig,
    sdk: Any = None,
    *,
    inputs: Mapping[str, NDArray[Any]] | None = None,
    steps: int = 1,
    record: Mapping[str, tuple[str, ...]] | None = None,
    hardware: bool = False,
    reset_shift: int = 0,
) -> Network:
    """Build the Lava processes of a configuration, wired and ready to run.

    Parameters
    ----------
    config : LoihiConfig
        What shall run.
    sdk : object or None
        Lava's classes by name; None imports them from the installed Lava.
    inputs : mapping of str to array, (steps, n), or None
        Signals of the inputs; None: silence.
    steps : int, >= 1
        Length of the ring buffers.
    record : mapping of str to tuple of str
        Quantities to probe, by population.
    hardware : bool
        Insert the adapters that a chip needs.
    reset_shift : int
        Steps by which periodic resets come later.

    Returns
    -------
    Network
        ``processes``, ``sources``, ``sinks`` and ``probes`` by name.

    Raises
    ------
    DeviceError
        Lava has no process for a part of it; all reasons at once.
    """
    check_network(config, hardware=hardware)
    made = describe(config, record=record, reset_shift=reset_shift)
    arrays = dict(made.arrays)
    for entry in made.job["sources"]:
        name = entry["name"]
        silence = np.zeros((steps, config.size_of(name)), dtype=np.int64)
        arrays[f"source/{name}"] = made.layouts[name].to_ring((inputs or {}).get(name, silence))
    return Network(made.job, arrays, sdk=sdk or Sdk(), steps=steps, hardware=hardware)
