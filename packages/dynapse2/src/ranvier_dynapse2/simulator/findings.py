"""What a run should say about its configuration."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ranvier.diagnostics import Diagnostic

from .. import diagnostics as codes
from ..config import CAM_FLAGS, Dynapse2Config
from ..routing import delivered, lost, place_of
from .board import placed_positions, switch

UNMODELLED = (
    "ho_enable",
    "ho_active",
    "ho_so_de",
    "de_conductance",
    "deam_alpha",
    "denm_alpha",
    "de_mux",
)
"""Latches that change what a neuron does, and that the model does not have."""
_SHOWN = 3


def board_findings(config: Dynapse2Config) -> tuple[Diagnostic, ...]:
    """Return what a board would do otherwise than the simulation, or not at all.

    Parameters
    ----------
    config : Dynapse2Config
        The board.
    """
    return (
        *_lost_packets(config),
        *_killed(config),
        *_unmodelled(config),
        *_unheard(config),
    )


def _lost_packets(config: Dynapse2Config) -> Iterator[Diagnostic]:
    found = lost(config)
    if not found:
        return
    shown = ", ".join(
        f"{_sender(p.channel, (p.chip, p.core, p.neuron))} tag {p.tag} hops ({p.x_hop}, {p.y_hop})"
        for p in found[:_SHOWN]
    )
    yield codes.PACKET_LOST.at(
        None, f"{len(found)} packet(s) leave the board: {shown}", value=len(found), limit=0
    )


def _sender(channel: int | None, place: tuple[int | None, int | None, int | None]) -> str:
    if channel is not None:
        return f"channel {channel}"
    return "chip {} core {} neuron {}".format(*place)


def _killed(config: Dynapse2Config) -> Iterator[Diagnostic]:
    off = switch(config, "soif_kill")
    for name, own in placed_positions(config).items():
        count = int(off[own].sum())
        if count:
            message = f"{count} of {own.size} neuron(s) are switched off and stay silent"
            yield codes.NEURON_KILLED.at(name, message, value=count, limit=0)


def _unmodelled(config: Dynapse2Config) -> Iterator[Diagnostic]:
    for name in UNMODELLED:
        count = int(switch(config, name).sum())
        if count:
            message = f"latch {name} is on in {count} neuron(s)"
            yield codes.SWITCH_IGNORED.at(None, message, value=count)
    for bit, name in enumerate(CAM_FLAGS):
        count = int(np.count_nonzero(config.cam_flags & (1 << bit)))
        if count:
            message = f"flag {name} is on in {count} CAM entries"
            yield codes.SWITCH_IGNORED.at(None, message, value=count)


def _unheard(config: Dynapse2Config) -> Iterator[Diagnostic]:
    """Report outputs whose spikes would not reach the host, or not as theirs."""
    places = placed_positions(config)
    heard = {(h.chip, h.core, h.neuron): h.unique for h in delivered(config)}
    for node in dict.fromkeys(c.node for c in config.outputs if c.quantity == "spikes"):
        own = [heard.get(place_of(config, int(p))) for p in places[node]]
        silent, mixed = own.count(None), own.count(False)
        if silent:
            message = f"{silent} of {len(own)} output neuron(s) have no word that reports spikes"
            yield codes.OUTPUT_UNHEARD.at(node, message, value=silent, limit=0)
        if mixed:
            message = f"{mixed} of {len(own)} output neuron(s) report with another's tag and hops"
            yield codes.OUTPUT_AMBIGUOUS.at(node, message, value=mixed, limit=0)
