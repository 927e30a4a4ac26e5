"""Events at the inputs of the crossbar, and the nodes that exist there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import InputError

from ..targets import Limits

LABEL_MASK = 0x3F
"""Bits 0-5: the label of a synapse."""
ADDRESS_SHIFT, ADDRESS_MASK = 6, 0x1F
"""Bits 6-10: the row address."""
OUTPUT_SHIFT = 8
"""Bits 8-10 of a neuron's event: its output."""
EXTERNAL_LABEL_MAX = (1 << 14) - 1


@dataclass(frozen=True)
class Event:
    """An event at an input of the crossbar.

    Parameters
    ----------
    entrance : int
        Crossbar input: 0-7 neurons, 8-11 external links, 12-19 background generators.
    label : int
        14 bits.
    """

    entrance: int
    label: int

    @property
    def synapse_label(self) -> int:
        """Label that synapses compare, 0..63."""
        return self.label & LABEL_MASK

    @property
    def row_address(self) -> int:
        """Address that drivers compare, 0..31."""
        return self.label >> ADDRESS_SHIFT & ADDRESS_MASK


def neuron_event(circuit: int, address: int, limits: Limits) -> Event:
    """Return the event of a circuit.

    Parameters
    ----------
    circuit : int
        0..511.
    address : int
        Its event address, 0..255.
    limits : Limits
        Of the target.

    Raises
    ------
    InputError
        The circuit does not exist, or it sends nothing.
    """
    if not 0 <= circuit < limits.neuron_circuits:
        last = limits.neuron_circuits - 1
        raise InputError(f"bss2: circuit {circuit} does not exist; use 0..{last}")
    if not 0 <= address <= limits.event_address_max:
        raise InputError(
            f"bss2: circuit {circuit} sends no events (address {address}); walk the first circuit "
            "of a firing neuron"
        )
    output = circuit % limits.columns // (limits.columns // limits.event_outputs)
    return Event(output, output << OUTPUT_SHIFT | address)


def external_event(link: int, label: int, limits: Limits) -> Event:
    """Return an event that the host sends.

    Parameters
    ----------
    link : int
        0..3.
    label : int
        0..16383.
    limits : Limits
        Of the target.

    Raises
    ------
    InputError
        Link or label does not exist.
    """
    if not 0 <= link < limits.external_links or not 0 <= label <= EXTERNAL_LABEL_MAX:
        raise InputError(
            f"bss2: link {link}, label {label} does not exist; use links "
            f"0..{limits.external_links - 1} and labels 0..{EXTERNAL_LABEL_MAX}"
        )
    return Event(limits.event_outputs + link, label)


def background_event(source: int, label: int, limits: Limits) -> Event:
    """Return an event of a background generator.

    Parameters
    ----------
    source : int
        0..7.
    label : int
        0..16383.
    limits : Limits
        Of the target.

    Raises
    ------
    InputError
        Generator or label does not exist.
    """
    if not 0 <= source < limits.background_sources or not 0 <= label <= EXTERNAL_LABEL_MAX:
        raise InputError(
            f"bss2: background generator {source}, label {label} does not exist; use generators "
            f"0..{limits.background_sources - 1} and labels 0..{EXTERNAL_LABEL_MAX}"
        )
    return Event(limits.event_outputs + limits.external_links + source, label)


def channel_labels(label: int, mask: int) -> NDArray[np.int64]:
    """Return the labels of a background generator's channels, (n,).

    Parameters
    ----------
    label : int
        Of the first channel; bits under the mask are ignored.
    mask : int
        Bits that are drawn for each event; channel c has the bits of c there, lowest first.

    Examples
    --------
    >>> channel_labels(0b1000, 0b101).tolist()
    [8, 9, 12, 13]
    """
    bits = [b for b in range(mask.bit_length()) if mask >> b & 1]
    channel = np.arange(1 << len(bits), dtype=np.int64)
    labels = np.full(channel.size, label & ~mask, dtype=np.int64)
    for place, bit in enumerate(bits):
        labels |= (channel >> place & 1) << bit
    return labels


def node_exists(output: Any, entrance: Any, limits: Limits) -> Any:
    """Return whether the crossbar has a node; works on numbers and on arrays.

    Neurons reach one bus of each array and one output to the host; links reach all buses and the
    output of their number; a generator reaches its own bus and one output to the host.

    References
    ----------
    halco @065e894, crossbar nodes; grenade @6ac13f3.
    """
    buses, neurons, links = limits.buses, limits.event_outputs, limits.external_links
    to_host = output >= buses * limits.arrays
    neuron = (entrance < neurons) & (output % buses == entrance % buses)
    is_link = (entrance >= neurons) & (entrance < neurons + links)
    link = is_link & ((to_host == 0) | (output % buses == entrance - neurons))
    generator = entrance - neurons - links
    own = (output == generator) | (to_host & (output % buses == generator % buses))
    return neuron | link | ((generator >= 0) & own)
