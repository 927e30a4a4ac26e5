"""Settings around a network: the leak that discharges the chips, and analogue monitors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ranvier.errors import DeviceError

LEAK_BIASES = ("SOIF_LEAK_N", "DEAM_ETAU_P", "DEGA_ITAU_P", "DENM_ETAU_P", "DESC_ITAU_P")
LEAK_CODE = (5, 255)
"""Largest leak of membrane and synapses: discharges a chip (rockpool 3.1.0, devices/dynapse)."""

Codes = list[tuple[Any, int, int]]


def set_leak(vendor: Any) -> Codes:
    """Set the leak of membrane and synapses to its largest on every core; return what was there."""
    before: Codes = []
    for chip in vendor.chips:
        for core in chip.cores:
            for name in LEAK_BIASES:
                parameter = core.parameters[name]
                before.append((parameter, int(parameter.coarse_value), int(parameter.fine_value)))
                parameter.coarse_value, parameter.fine_value = LEAK_CODE
    return before


def restore(codes: Codes) -> None:
    """Write back what `set_leak` returned."""
    for parameter, coarse, fine in codes:
        parameter.coarse_value, parameter.fine_value = coarse, fine


def monitor_analogue(
    vendor: Any, places: Sequence[tuple[int, int, int]], sadc: Sequence[str]
) -> None:
    """Let cores put out the analogue signals of one neuron each, and convert some of them.

    Parameters
    ----------
    vendor : object
        Changed in place.
    places : sequence of (chip, core, slot)
        At most one per core.
    sadc : sequence of str
        Names of a core's ``sadc_enables``.

    Raises
    ------
    DeviceError
        Two neurons share a core, signals are chosen but no neuron, or the SDK knows no signal of a
        name.
    """
    cores = [place[:2] for place in places]
    twice = sorted({core for core in cores if cores.count(core) > 1})
    if twice:
        raise DeviceError(
            f"dynapse2: monitor_neurons: {cores.count(twice[0])} neurons of chip {twice[0][0]} "
            f"core {twice[0][1]}; a core puts out the signals of 1; take neurons of different cores"
        )
    if sadc and not places:
        raise DeviceError(
            f"dynapse2: sadc: {', '.join(sadc)} of 0 neurons; say of which with monitor_neurons="
        )
    for chip, number, slot in places:
        core = vendor.chips[chip].cores[number]
        core.neuron_monitoring_on, core.monitored_neuron = True, slot
        unknown = [name for name in sadc if not hasattr(core.sadc_enables, name)]
        if unknown:
            raise DeviceError(
                f"dynapse2: sadc: a core has no signal {', '.join(unknown)}; names are those of "
                "the SDK's sadc_enables, such as soif_mem"
            )
        for name in sadc:
            setattr(core.sadc_enables, name, True)
