"""What no placement can hold, found before one is tried."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import DiagnosticCode, Findings

from .. import diagnostics as codes
from ..network import LoihiNetwork
from ._connectivity import Net, bounds_of
from .budget import Budget

Bounds = Mapping[str, tuple[int, int]]


def check_neurons(network: LoihiNetwork, net: Net, budget: Budget, findings: Findings) -> None:
    """Report neurons that do not fit an empty core, and kinds beyond the whole board."""
    bounds = {
        name: (start - net.n_inputs, stop - net.n_inputs)
        for name, (start, stop) in bounds_of(network).items()
        if name not in network.inputs
    }
    axons = _distinct(net, limit=budget.axons_in)
    text = "has up to {} sources, a core has {} input axons"
    _report(codes.FAN_IN_TOO_LARGE, text, axons, budget.axons_in, bounds, findings)
    words = _words(net, budget)
    text = "needs up to {} words of synaptic memory, a core has {}"
    _report(codes.SYNAPSES_TOO_LARGE, text, words, budget.synapse_words, bounds, findings)
    reach = _least_reach(net, budget)
    text = "reaches at least {} cores, a core has {} output axons"
    _report(codes.FAN_OUT_TOO_LARGE, text, reach, budget.axons_out, bounds, findings)
    _check_kinds(net, budget, findings)


def least_cores(net: Net, budget: Budget) -> int:
    """Return a number of cores that no placement can do without."""
    payload = int(np.count_nonzero(~net.free[net.segment])) * budget.bits_per_synapse
    words = -(-payload // budget.bits_per_word)
    return max(1, -(-net.n // budget.neurons), -(-words // budget.synapse_words))


def report_full(needed: int, budget: Budget, findings: Findings, *, least: bool = False) -> None:
    """Report that the board has too few cores."""
    chips = -(-needed // budget.cores_per_chip)
    findings.add(
        codes.BOARD_FULL.at(
            None,
            f"{'at least ' if least else ''}{needed} cores needed, {budget.cores} available "
            f"({budget.chips} chip(s) of {budget.cores_per_chip})",
            value=needed,
            limit=budget.cores,
            hint=f"use a larger board, of {chips} or more chips (chips={chips}), prune weights, or "
            "make layers smaller",
        )
    )


def _report(
    code: DiagnosticCode,
    text: str,
    values: NDArray[np.int64],
    limit: int,
    bounds: Bounds,
    findings: Findings,
) -> None:
    for name, (start, stop) in bounds.items():
        over = int(np.count_nonzero(values[start:stop] > limit))
        if over:
            most = int(values[start:stop].max())
            what = "a neuron" if over == 1 else f"each of {over} neurons"
            message = f"{what} {text.format(most, limit)}"
            findings.add(code.at(name, message, value=most, limit=limit))


def _distinct(net: Net, *, limit: int) -> NDArray[np.int64]:
    """Return the sources of each neuron; exact where that matters."""
    counts = np.diff(net.row)
    for i in np.flatnonzero(counts > limit):
        counts[i] = np.unique(net.source[net.segment[net.row[i] : net.row[i + 1]]]).size
    return counts


def _words(net: Net, budget: Budget) -> NDArray[np.int64]:
    """Return the words that each neuron needs alone on a core; exact where that matters."""
    paid = np.concatenate([[0], np.cumsum(~net.free[net.segment])])
    words: NDArray[np.int64] = (paid[net.row[1:]] - paid[net.row[:-1]]) * budget.words(1)
    owner = np.repeat(np.arange(net.n), np.diff(net.kernel_row))
    np.add.at(words, owner, -(-net.kernel_bits[net.kernel] // budget.bits_per_word))
    for i in np.flatnonzero(words > budget.synapse_words):
        own = net.segment[net.row[i] : net.row[i + 1]]
        counts = np.unique(own[~net.free[own]], return_counts=True)[1]
        kernels = net.kernel[net.kernel_row[i] : net.kernel_row[i + 1]]
        words[i] = sum(budget.words(int(n)) for n in counts) + sum(
            -(-int(b) // budget.bits_per_word) for b in net.kernel_bits[kernels]
        )
    return words


def _least_reach(net: Net, budget: Budget) -> NDArray[np.int64]:
    """Return how many cores the targets of each neuron take at least; exact where it matters."""
    fan = np.bincount(net.source[net.segment], minlength=net.n_inputs + net.n)[net.n_inputs :]
    for i in np.flatnonzero(-(-fan // budget.neurons) > budget.axons_out):
        entries = np.flatnonzero(net.source[net.segment] == net.n_inputs + i)
        fan[i] = np.unique(np.searchsorted(net.row, entries, side="right")).size
    least: NDArray[np.int64] = -(-fan // budget.neurons)
    return least


def _check_kinds(net: Net, budget: Budget, findings: Findings) -> None:
    for code, numbers, limit, what in (
        (codes.TOO_MANY_GROUPS, net.group, budget.groups, "sets of neuron parameters"),
        (codes.TOO_MANY_THRESHOLDS, net.threshold, budget.thresholds, "thresholds"),
    ):
        kinds, most = int(numbers.max(initial=-1)) + 1, limit * budget.cores
        if kinds > most:
            message = f"{kinds} different {what}, {budget.cores} cores hold {limit} each ({most})"
            findings.add(code.at(None, message, value=kinds, limit=most))
