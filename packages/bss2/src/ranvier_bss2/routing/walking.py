"""One event followed through crossbar, buses, drivers and rows to the synapses that it opens.

This is the readable form of the routing; `ranvier_bss2.routing.connections` gives the same for all
sources at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ranvier.errors import InputError

from ..layout import ROW_MODES
from ..targets import Limits, limits_of
from .events import Event, node_exists
from .registers import RoutingRegisters


@dataclass(frozen=True)
class Opened:
    """A synapse that an event opens.

    Parameters
    ----------
    array, bus, driver, row, column : int
        Where: array (also the row of the circuit), bus and driver of the array, synapse row, and
        column.
    weight : int
        0..63.
    sign : {1, -1}
        1 excites, -1 inhibits.
    """

    array: int
    bus: int
    driver: int
    row: int
    column: int
    weight: int
    sign: int

    @property
    def circuit(self) -> int:
        """Circuit that receives it."""
        return self.array * limits_of().columns + self.column


def walk(registers: RoutingRegisters, instance: int, event: Event) -> tuple[Opened, ...]:
    """Follow one event.

    Parameters
    ----------
    registers : RoutingRegisters
        Configuration, or `Registers` of a layout.
    instance : int
        Execution instance.
    event : Event
        From `ranvier_bss2.routing.neuron_event`, `ranvier_bss2.routing.external_event` or
        `ranvier_bss2.routing.background_event`.

    Returns
    -------
    tuple of Opened
        Also those of weight 0. Rows that are disabled open nothing.

    Raises
    ------
    InputError
        There is no such execution instance.

    Notes
    -----
    A node passes an event if ``label & mask == target``. A driver takes it if
    ``(address ^ position) & mask == 0``, where driver d has position ``d div 4`` on bus
    ``d mod 4``. A synapse opens if its label is that of the event. The mask is read as the
    documentation of the register puts it; no chip was at hand to confirm it.

    References
    ----------
    grenade @6ac13f3; halco @065e894.
    """
    count = registers.row_mode.shape[0]
    if not 0 <= instance < count:
        raise InputError(f"bss2: execution instance {instance} does not exist; use 0..{count - 1}")
    limits = limits_of()
    found: list[Opened] = []
    for array, bus in _reached(registers, instance, event=event, limits=limits):
        for position in range(limits.drivers // limits.buses):
            driver = position * limits.buses + bus
            mask = int(registers.driver_mask[instance, array, driver])
            if (event.row_address ^ position) & mask == 0:
                for row in (2 * driver, 2 * driver + 1):
                    found.extend(_open(registers, instance, event=event, at=(array, bus, row)))
    return tuple(found)


def _reached(
    registers: RoutingRegisters, instance: int, *, event: Event, limits: Limits
) -> Iterator[tuple[int, int]]:
    """Yield array and bus behind every node that passes an event."""
    for output in range(limits.arrays * limits.buses):
        node = (instance, output, event.entrance)
        passes = (event.label & int(registers.node_mask[node])) == registers.node_target[node]
        there = node_exists(output, event.entrance, limits)
        if there and registers.node_enabled[node] and passes:
            yield divmod(output, limits.buses)


def _open(
    registers: RoutingRegisters, instance: int, *, event: Event, at: tuple[int, int, int]
) -> Iterator[Opened]:
    """Yield the synapses of a row that listen to an event."""
    array, bus, row = at
    mode = ROW_MODES[int(registers.row_mode[instance, array, row])]
    if mode == "disabled":
        return
    sign = 1 if mode == "excitatory" else -1
    labels = registers.synapse_label[instance, array, row]
    weights = registers.synapse_weight[instance, array, row]
    for column in (labels == event.synapse_label).nonzero()[0].tolist():
        yield Opened(array, bus, row // 2, row, column, int(weights[column]), sign)
