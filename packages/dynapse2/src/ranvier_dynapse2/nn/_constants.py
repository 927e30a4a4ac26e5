"""What one step needs of a layer's currents and capacitances, in float32.

The order of operations is that of rockpool 3.1.0, devices/dynapse/simulation: whether a neuron is
still refractory after one step depends on the last bit of its refractory time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..translation import SYNAPSES

Floats = NDArray[np.float32]


class Constants(NamedTuple):
    """Numbers of one step: ``x_syn`` ``(ports, n)``, the others ``(n,)`` or plain numbers.

    ``keep_x`` is what a state keeps per step, ``add_syn`` what a pulse adds relative to the steady
    state, ``add_ahp`` what it adds in A; ``ratio_x`` is gain over leak. ``volt`` is
    ``u_t / kappa``, ``charge`` that times the membrane capacitance. The feedback grows with the
    exponent ``kappa_fb`` of the voltage, and with the power ``power`` of the membrane current. The
    refractory time ``block`` and what a step takes off it, ``tick``, are in s with a merged synapse
    and in steps with four.
    """

    keep_syn: Floats
    add_syn: Floats
    ratio_syn: Floats
    scale: Floats
    keep_ahp: Floats
    add_ahp: Floats
    i_o: Floats
    leak: Floats
    gain: Floats
    ratio_mem: Floats
    i_dc: Floats
    i_f_nmda: Floats
    i_spkthr: Floats
    u_t: Floats
    kappa_fb: Floats
    volt: Floats
    charge: Floats
    power: Floats
    block: Floats
    tick: float
    dt: float


def repeat(constants: Constants, batch: int) -> Constants:
    """Repeat the numbers for samples side by side: lane ``b * n + i`` is neuron i of sample b."""
    if batch == 1:
        return constants
    parts = (np.tile(v, batch) if isinstance(v, np.ndarray) else v for v in constants)
    return Constants(*parts)  # type: ignore[arg-type]


def constants_of(values: Mapping[str, Floats], *, model: str, dt: float) -> Constants:
    """Resolve the numbers of one step.

    Parameters
    ----------
    values : mapping of str to float32 array, (n,)
        Every current and constant of `ranvier_dynapse2.nodes.Dpi`, and ``i_scale``.
    model : {"merged_synapse", "four_synapse"}
        The merged synapse is the AMPA one.
    dt : float
        Time step, in s.
    """
    v, step = values, np.float32(dt)
    merged = model == "merged_synapse"
    i_o = v["i_o"]
    kappa = (v["kappa_n"] + v["kappa_p"]) / np.float32(2)
    volt = v["u_t"] / kappa
    t_ref = v["v_th"] * v["c_ref"] / v["i_ref"]
    names = SYNAPSES[:1] if merged else SYNAPSES
    synapses = [_filter(v, name, step, "pulse") for name in names]
    keep_ahp, charge, leak_ahp, gain_ahp = _filter(v, "ahp", step, "pulse_ahp")
    leak, gain = _above(v["i_tau_mem"], i_o), _above(v["i_gain_mem"], i_o)
    steps = np.ceil(t_ref.astype(np.float64) / dt - 1e-6).astype(np.float32)
    keep_syn, add_syn, leak_syn, gain_syn = (np.stack(p) for p in zip(*synapses, strict=True))
    return Constants(
        keep_syn=keep_syn,
        add_syn=add_syn,
        ratio_syn=gain_syn / leak_syn,
        scale=v["i_scale"],
        keep_ahp=keep_ahp,
        add_ahp=charge * gain_ahp / leak_ahp * v["i_w_ahp"],
        i_o=i_o,
        leak=leak,
        gain=gain,
        ratio_mem=gain / leak,
        i_dc=v["i_dc"],
        i_f_nmda=v["i_f_nmda"],
        i_spkthr=v["i_spkthr"],
        u_t=v["u_t"],
        kappa_fb=kappa * kappa / (kappa + np.float32(1)),
        volt=volt,
        charge=volt * v["c_mem"],
        power=kappa / (kappa + np.float32(1)),
        block=t_ref if merged else steps,
        tick=float(step) if merged else 1.0,
        dt=float(step),
    )


def _filter(
    v: Mapping[str, Floats], name: str, step: np.float32, pulse: str
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return what a low-pass filter keeps per step, what a pulse adds, its leak and gain."""
    leak = _above(v[f"i_tau_{name}"], v["i_o"])
    gain = _above(v[f"i_gain_{name}"], v["i_o"])
    kappa = (v["kappa_n"] + v["kappa_p"]) / np.float32(2)
    tau = v["u_t"] / kappa * v[f"c_{name}"] / leak
    width = v["v_th"] * v[f"c_{pulse}"] / v[f"i_{pulse}"]
    return _exp(-step / tau), np.float32(1) - _exp(-width / tau), leak, gain


def _exp(x: Floats) -> Floats:
    """Return the correctly rounded exponential: the same on every machine."""
    return np.exp(x.astype(np.float64)).astype(np.float32)


def _above(values: Floats, i_o: Floats) -> Floats:
    """Return leak or gain currents, not below the dark current."""
    return np.asarray(np.maximum(values, i_o), dtype=np.float32)
