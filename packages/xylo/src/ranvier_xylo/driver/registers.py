"""Addresses of registers and of the state memory, where they are published.

References
----------
SynSense rockpool 3.1.0: ``devices/xylo/syns61201/xa2_devkit_utils.py``,
``devices/xylo/syns65302/ram.py``. Read in the source, never tried on a board.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Registers:
    """Addresses and bits that stepping from the host needs.

    Parameters
    ----------
    output_flags : int
        Register with one bit per output neuron that fired in the last step.
    n_flags : int
        How many of its low bits those are.
    status, ready_bit : int
        Register and bit that tell that a step is finished.
    inputs : tuple of int
        Registers that collect the input spikes of the step.
    """

    output_flags: int
    n_flags: int
    status: int
    ready_bit: int
    inputs: tuple[int, ...]


A2_REGISTERS = Registers(
    output_flags=21, n_flags=8, status=21, ready_bit=16, inputs=(0x11, 0x12, 0x13, 0x14)
)
XA3_REGISTERS = Registers(
    output_flags=0x152,
    n_flags=32,
    status=0x153,
    ready_bit=0,
    inputs=(0x149, 0x14A, 0x14B, 0x14C),
)

A2_CTRL1, A2_TR_WRAP, A2_HM_TR_WRAP, A2_WO = 1, 3, 4, 14
A2_MANUAL_BIT, A2_MEM_CLK_BIT, A2_RAM_ACTIVE_BIT = 0, 16, 17
A2_WO_REAL_TIME = 0x10
A2_CLOCK_CONFIG = 0x21
"""Address of the board's clock divider, for ``write_config`` of its I/O module."""
A2_CLOCK_SOURCE = 100e6
"""Clock that the board divides, in Hz."""


@dataclass(frozen=True, kw_only=True)
class RamMap:
    """First addresses of the state in the chip's memory.

    Parameters
    ----------
    i_syn, i_syn2, v_mem, spikes : int
        ``i_syn`` and ``v_mem`` hold the hidden, then the output neurons, without a gap between
        those in use.
    """

    i_syn: int
    i_syn2: int
    v_mem: int
    spikes: int


A2_HIDDEN_SPIKES = 0xA150
"""Audio 2: hidden spike counts.

The source has 0xA150 in one routine and 0xA540 in another. With 0xA150 the memory map is without a
gap (aliases at 0x9D68 plus 1000 entries end there, 1000 further entries end at the fan-out counts
at 0xA538); 0xA540 lies inside the fan-out counts.
"""
A2_HIDDEN_SPIKES_OTHER = 0xA540
"""The other address that the source has for it."""

_MAPS = {
    "xylo-audio2": RamMap(i_syn=0x7E00, i_syn2=0x81F0, v_mem=0x85D8, spikes=A2_HIDDEN_SPIKES),
    "xylo-audio3": RamMap(i_syn=0x1200, i_syn2=0x1600, v_mem=0x19E0, spikes=0x3980),
}


def ram_map(target: str) -> RamMap | None:
    """Return the map of a target's state memory, None if none is published."""
    return _MAPS.get(target)
