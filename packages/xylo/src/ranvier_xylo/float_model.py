"""A mapped network in float64, in the chip's order of events: what the integers stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MAX_HIDDEN_SPIKES = 31


@dataclass(frozen=True, kw_only=True, eq=False)
class FloatNetwork:
    """Hidden and output neurons of the canonical model, with one step from spike to effect.

    Parameters
    ----------
    weights_in, weights_rec, weights_out : array
        ``(n_in, n_hid, S)``, ``(n_hid, n_hid, S)`` and ``(n_hid, n_out)``, of the canonical model:
        what a spike adds to the current in its step.
    alpha, beta, alpha_out, beta_out : array, (n_hid,), (n_hid, S), (n_out,), (n_out,)
        Decay factors.
    threshold, bias, threshold_out, bias_out : array, (n_hid,) and (n_out,)
        An infinite threshold never fires.
    aliases : array of int, (n_hid,)
        Neuron with a higher id that receives a copy of the spikes, -1 for none.
    """

    weights_in: Array
    weights_rec: Array
    weights_out: Array
    alpha: Array
    beta: Array
    alpha_out: Array
    beta_out: Array
    threshold: Array
    threshold_out: Array
    bias: Array
    bias_out: Array
    aliases: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class FloatRun:
    """Activity of a `FloatNetwork`.

    Parameters
    ----------
    spikes, spikes_out : array of int, (batch, time, n)
        Hidden spikes include those received through aliases, as on the chip.
    v_mem_out : array, (batch, time, n_out)
        Membranes after the reset.
    peak_i, peak_v, peak_i_out, peak_v_out : array, (n_hid,) and (n_out,)
        Largest magnitudes: currents right after the decay, membranes right before the reset.
    """

    spikes: NDArray[np.int64]
    spikes_out: NDArray[np.int64]
    v_mem_out: Array
    peak_i: Array
    peak_v: Array
    peak_i_out: Array
    peak_v_out: Array


def network_from_arrays(
    arrays: Mapping[str, NDArray[np.generic]], *, chip_decays: bool
) -> FloatNetwork:
    """Build the float model of a mapped network.

    Parameters
    ----------
    arrays : mapping of str to array
        As `ranvier_xylo.mapping.map_network` describes them.
    chip_decays : bool
        Take the decays of the shifts, with the gains that make up for them, instead of those
        wanted.
    """
    values = {name: np.asarray(array, dtype=np.float64) for name, array in arrays.items()}
    n_hid, n_in = values["threshold"].size, values["weights_in"].shape[0]
    w_in = np.zeros((n_in, n_hid, values["beta"].shape[1]))
    w_in[:, : values["weights_in"].shape[1]] = values["weights_in"]
    w_out = np.zeros((n_hid, values["threshold_out"].size))
    w_out[n_hid - len(values["weights_out"]) :] = values["weights_out"]
    w_rec = values["weights_rec"]
    decays = {n: values[n] for n in ("alpha", "beta", "alpha_out", "beta_out")}
    if chip_decays:
        decays = {
            "alpha": _decay(values["dash_mem"]),
            "beta": _decay(values["dash_syn"]),
            "alpha_out": _decay(values["dash_mem_out"]),
            "beta_out": _decay(values["dash_syn_out"]),
        }
        w_in, w_rec = (w * (values["gain"] * decays["beta"]) for w in (w_in, w_rec))
        w_out = w_out * (values["gain_out"] * decays["beta_out"])
    return FloatNetwork(
        weights_in=w_in,
        weights_rec=w_rec,
        weights_out=w_out,
        threshold=values["threshold"],
        threshold_out=values["threshold_out"],
        bias=values["bias"],
        bias_out=values["bias_out"],
        aliases=np.asarray(arrays["aliases"], dtype=np.int64),
        **decays,
    )


def _decay(dash: Array) -> Array:
    return 1.0 - np.exp2(-dash)


def run_float(net: FloatNetwork, counts: NDArray[np.integer]) -> FloatRun:
    """Simulate a float network from rest.

    Parameters
    ----------
    net : FloatNetwork
        The network.
    counts : array of int, (batch, time, n_in)
        Input spikes; counts above 15 are not cut.
    """
    batch, time, _ = counts.shape
    n_hid, n_syn = net.beta.shape
    n_out = net.threshold_out.size
    inputs = counts.astype(np.float64) @ net.weights_in.reshape(-1, n_hid * n_syn)
    w_rec = net.weights_rec.reshape(n_hid, n_hid * n_syn) if np.any(net.weights_rec) else None
    firing = AliasedFiring(net.aliases, net.threshold)
    i_syn, v_mem = np.zeros((batch, n_hid, n_syn)), np.zeros((batch, n_hid))
    i_out, v_out = np.zeros((batch, n_out)), np.zeros((batch, n_out))
    last = np.zeros((batch, n_hid))
    spikes = np.zeros((batch, time, n_hid), dtype=np.int64)
    spikes_out = np.zeros((batch, time, n_out), dtype=np.int64)
    traces = np.zeros((batch, time, n_out))
    peaks = [np.zeros(n) for n in (n_hid, n_hid, n_out, n_out)]
    for t in range(time):
        drive = inputs[:, t] if w_rec is None else inputs[:, t] + last @ w_rec
        i_syn = net.beta * i_syn + drive.reshape(batch, n_hid, n_syn)
        v_mem = net.alpha * v_mem + i_syn.sum(axis=2) + net.bias
        i_out = net.beta_out * i_out + last @ net.weights_out
        v_out = net.alpha_out * v_out + i_out + net.bias_out
        for peak, now in zip(peaks, (np.abs(i_syn).max(axis=2), v_mem, i_out, v_out), strict=True):
            np.maximum(peak, np.abs(now).max(axis=0, initial=0.0), out=peak)
        last, v_mem = firing.fire(v_mem)
        fired = v_out >= net.threshold_out
        v_out = v_out - np.where(fired, net.threshold_out, 0.0)
        spikes[:, t], spikes_out[:, t], traces[:, t] = last, fired, v_out
    return FloatRun(spikes, spikes_out, traces, *peaks)


class AliasedFiring:
    """Threshold, reset and aliases of the hidden neurons for a whole batch.

    Neurons fire in levels: those that receive nothing through an alias first, then their targets,
    on the chip against a cap of 31 spikes that includes what each has received.

    Parameters
    ----------
    aliases : array of int, (n_hid,)
        Targets, -1 for none.
    threshold : array, (n_hid,)
        Positive; infinite never fires.
    most : array or float
        Most spikes per step.
    shared : bool
        Whether ``most`` includes the spikes received, as on the chip, or only a neuron's own.
    """

    def __init__(
        self,
        aliases: NDArray[np.int64],
        threshold: Array,
        *,
        most: Array | float = MAX_HIDDEN_SPIKES,
        shared: bool = True,
    ) -> None:
        self._shared = shared
        self._aliases = aliases
        self._most = np.broadcast_to(np.asarray(most, dtype=np.float64), threshold.shape)
        self._threshold = threshold
        level = np.zeros(aliases.size, dtype=np.int64)
        for source in np.flatnonzero(aliases >= 0):  # ascending: aliases point upwards
            target = aliases[source]
            level[target] = max(level[target], level[source] + 1)
        self._levels = [np.flatnonzero(level == k) for k in range(int(level.max(initial=0)) + 1)]

    def fire(self, v_mem: Array) -> tuple[Array, Array]:
        """Return spike counts and membranes after the reset, both (batch, n_hid)."""
        with np.errstate(invalid="ignore"):
            wanted = np.maximum(np.floor(v_mem / self._threshold), 0.0)
        own = np.minimum(wanted, self._most)
        spikes = own
        if len(self._levels) > 1:
            spikes = np.zeros_like(own)
            for ids in self._levels:
                if self._shared:
                    own[:, ids] = np.minimum(wanted[:, ids], self._most[ids] - spikes[:, ids])
                spikes[:, ids] += own[:, ids]
                for source in ids[self._aliases[ids] >= 0]:
                    target = self._aliases[source]
                    spikes[:, target] += spikes[:, source]
                    if self._shared:
                        spikes[:, target] = np.minimum(spikes[:, target], self._most[target])
        threshold = np.where(np.isinf(self._threshold), 0.0, self._threshold)
        return spikes, v_mem - own * threshold
