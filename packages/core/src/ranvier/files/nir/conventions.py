"""How each framework turns the fields of a NIR neuron into steps.

NIR fixes differential equations; time step, integration, reset style and the size of a spike's
effect are the frameworks' own. A `Convention` states them, so that a graph reproduces the steps
of the framework that wrote the file.

References
----------
NIR modules of snnTorch 1.0.0, norse 1.1.0, sinabs 3.1.3, rockpool 3.1.0, spikingjelly 2.0.0 and
hxtorch, the Lava script of the NIR documentation; step equations compared by experiment.
Exporter faults: norse/norse#411, jeshraghian/snntorch#334 and #410.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

UNLIMITED = 2**31 - 1
"""Spikes per step of frameworks that set no limit."""


@dataclass(frozen=True)
class Convention:
    """One framework's reading of NIR.

    With ``d`` the decay factor of a state and ``g = 1 - d`` (``dt / tau`` in the Euler scheme):

    Parameters
    ----------
    decay : str
        How time constants become factors.
    membrane_gain : {"r", "leak", "one"}
        Gain on the input of LIF and LI: ``r g``, ``g`` (r ignored) or 1 (both ignored).
    synapse_gain : {"file", "decay"}
        Gain on the input of CubaLIF and CubaLI: ``w_in g_syn r g_mem``, or ``d_syn`` where the
        input is added before the decay and r and w_in only encode dt.
    integrator_gain : {"r", "one"}
        Gain on the input of IF and I: ``r dt`` or 1.
    leak_first : bool
        LI decays after adding its input.
    reset : {"to_value", "subtract"}
        Default reset.
    reset_known : bool
        Whether the framework has only this reset; otherwise the default is a guess.
    own_v_reset : bool
        Whether ``v_reset`` of the file is used; frameworks that reset to 0 ignore it.
    erases_input : bool
        Whether CubaLIF also loses the input of the step after a reset to a value.
    max_spikes : int
        Most spikes in a step, with reset "subtract".
    comparison : str
        ``">"`` or ``">="``.
    starts_at_rest : bool
        Whether the membrane starts at v_leak; otherwise at 0, and v_leak acts as a drive.
    leak : bool
        Whether v_leak is used at all.
    dt : float or None
        Fixed step of the exporter, in s.
    time_unit : float or None
        Seconds per unit of the file; None: time constants count steps.
    dt_in_r : {"tau/r", "rockpool", ""}
        How r encodes dt.
    tau_fault : bool
        Time constants shorter than a step were multiplied by dt on export.
    map_delay : int
        Steps by which linear maps deliver late.
    unsupported : tuple of str
        Node types that the framework has no equations for.
    """

    name: str
    decay: str = "euler"
    membrane_gain: Literal["r", "leak", "one"] = "r"
    synapse_gain: Literal["file", "decay"] = "file"
    integrator_gain: Literal["r", "one"] = "r"
    leak_first: bool = False
    reset: str = "to_value"
    reset_known: bool = True
    own_v_reset: bool = True
    erases_input: bool = False
    max_spikes: int = 1
    comparison: str = ">"
    starts_at_rest: bool = False
    leak: bool = True
    dt: float | None = None
    time_unit: float | None = 1.0
    dt_in_r: str = "tau/r"
    tau_fault: bool = False
    map_delay: int = 0
    unsupported: tuple[str, ...] = ()


_ALL = (
    # The equations of the standard in the Euler scheme.
    Convention("nir"),
    # v += a (v_leak - v + x), z = v > threshold, v = 0.
    Convention(
        "norse",
        membrane_gain="leak",
        integrator_gain="one",
        own_v_reset=False,
        tau_fault=True,
    ),
    # v = beta v + r a x; zero reset one step late, or subtraction. Exports with dt = 0.1 ms.
    Convention(
        "snntorch",
        integrator_gain="one",
        reset="subtract",
        reset_known=False,
        own_v_reset=False,
        erases_input=True,
        dt=1e-4,
    ),
    # v = exp(-1 / tau) v + x with tau in steps, floor(v / threshold) spikes.
    Convention(
        "sinabs",
        decay="exponential",
        membrane_gain="one",
        integrator_gain="one",
        reset="subtract",
        own_v_reset=False,
        max_spikes=UNLIMITED,
        comparison=">=",
        leak=False,
        time_unit=None,
        dt_in_r="",
        unsupported=("CubaLI", "CubaLIF"),
    ),
    # i = beta (i + x), v = alpha v + i, floor(v / threshold) spikes; r = tau exp(-dt / tau) / dt.
    Convention(
        "rockpool",
        decay="exponential",
        membrane_gain="one",
        synapse_gain="decay",
        leak_first=True,
        reset="subtract",
        own_v_reset=False,
        max_spikes=UNLIMITED,
        comparison=">=",
        dt_in_r="rockpool",
        unsupported=("I", "IF"),
    ),
    # As the standard, but v >= threshold, and the membrane starts at v_reset = v_leak.
    Convention("spikingjelly", comparison=">=", starts_at_rest=True),
    # v = (1 - a) v + a x, v = 0; a Dense process delivers one step late.
    Convention(
        "lava",
        membrane_gain="leak",
        own_v_reset=False,
        dt=1e-4,
        map_delay=1,
    ),
    # Time constants in ms and dt = 1 us; otherwise the equations of the standard.
    Convention("hxtorch", starts_at_rest=True, dt=1e-6, time_unit=1e-3),
)
CONVENTIONS: Mapping[str, Convention] = MappingProxyType({c.name: c for c in _ALL})
"""Known conventions by name."""
