"""What differs between the boards of the family, as data.

Figures that no source confirms are constants of their own here, with what is known about them.
"""

from __future__ import annotations

from dataclasses import dataclass

from ranvier.errors import DeviceError

from ..targets import target_named
from .registers import A2_REGISTERS, XA3_REGISTERS, RamMap, Registers, ram_map

CHIP_VERSION_A2 = (1, 1)
"""Version that an Audio 2 chip reports (rockpool 3.1.0, syns61201, read in the source)."""


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """Rule for how long to wait for T steps of N hidden neurons.

    The wait is ``T * N * (dt or 1) * factor / 100`` s, times ``recording`` when states are
    recorded, and never less than `MIN_TIMEOUT`.

    References
    ----------
    SynSense rockpool 3.1.0, the three XyloSamna classes.
    """

    factor: float
    uses_dt: bool
    recording: float


MIN_TIMEOUT = 1.0
"""Shortest wait, in s; rockpool has it for Audio 2 only and rounds short ones down to 0 s."""


@dataclass(frozen=True, kw_only=True)
class Board:
    """One board: its names in the SDK and what its firmware can do.

    Parameters
    ----------
    target : str
        Target of ranvier.
    namespace, board_namespace : str
        Where events and configuration, and where the measurement channels are.
    device_type : str
        ``device_type_name`` in the SDK's list of devices.
    hidden : {"reservoir", "hidden"}
        Name of the hidden layer in the configuration.
    hidden_neuron : str
        Class of its neurons.
    time : {"timestamp", "timestep"}
        Name of the time of an event.
    min_fxtree, min_unifirm : str
        Oldest firmware.
    power_channels : dict of str to str
        Measurement channel to our name.
    power_rate : float
        Default power samples per second.
    readout_filter, readout_type : str
        Graph node that lets read-outs through and the event type for it; empty on Audio 2.
    id_monitors : bool
        Whether monitors are lists of ids (else ranges).
    clears_state : bool
        Whether the configuration's ``clear_network_state`` works.
    timeouts : Timeouts
    registers : Registers or None
        None where no register map is published: no manual mode.
    ram : RamMap or None
        None where no map is published: no state read-out.
    """

    target: str
    namespace: str
    board_namespace: str
    device_type: str
    hidden: str
    hidden_neuron: str
    time: str
    min_fxtree: str
    min_unifirm: str
    power_channels: dict[str, str]
    power_rate: float
    readout_filter: str
    readout_type: str
    id_monitors: bool
    clears_state: bool
    timeouts: Timeouts
    registers: Registers | None
    ram: RamMap | None


_BOARDS = {
    "xylo-audio2": {
        "board_namespace": "xyloA2TestBoard",
        "hidden": "reservoir",
        "hidden_neuron": "ReservoirNeuron",
        "time": "timestamp",
        "power_channels": {
            "Io": "io_power",
            "IoAfe": "afe_ldo_power",
            "Logic": "snn_core_power",
            "LogicAfe": "afe_core_power",
        },
        "power_rate": 5.0,
        "readout_filter": "",
        "readout_type": "",
        "id_monitors": False,
        "clears_state": True,
        "timeouts": Timeouts(factor=1.0, uses_dt=True, recording=100.0),
        "registers": A2_REGISTERS,
    },
    "xylo-audio3": {
        "board_namespace": "xyloAudio3",
        "hidden": "hidden",
        "hidden_neuron": "HiddenNeuron",
        "time": "timestep",
        "power_channels": {
            "Io": "io_power",
            "AnalogLogic": "analog_power",
            "DigitalLogic": "digital_power",
        },
        "power_rate": 100.0,
        "readout_filter": "XyloAudio3OutputEventTypeFilter",
        "readout_type": "xyloAudio3::event::Readout",
        "id_monitors": True,
        "clears_state": False,
        "timeouts": Timeouts(factor=1.0, uses_dt=False, recording=100.0),
        "registers": XA3_REGISTERS,
    },
    "xylo-imu": {
        "board_namespace": "xyloImuBoards",
        "hidden": "hidden",
        "hidden_neuron": "HiddenNeuron",
        "time": "timestep",
        # The channels' names are not published: all that the SDK offers are recorded.
        "power_channels": {},
        # Not published; the rate of Audio 2.
        "power_rate": 5.0,
        "readout_filter": "XyloImuOutputEventTypeFilter",
        "readout_type": "xyloImu::event::Readout",
        "id_monitors": False,
        # Not published; tried if the SDK's configuration has the switch.
        "clears_state": True,
        "timeouts": Timeouts(factor=2.0, uses_dt=True, recording=30.0),
        "registers": None,
    },
}


def board_of(target: str) -> Board:
    """Return the board of a target.

    Raises
    ------
    DeviceError
        No board of this target is supported by the vendor's SDK any more.
    """
    if target not in _BOARDS:
        raise DeviceError(
            f"{target}: there is no board support; the vendor's SDK drives "
            f"{', '.join(_BOARDS)}. Use device='loopback'"
        )
    facts = target_named(target)
    values = {
        "namespace": "samna_namespace",
        "device_type": "device_type",
        "min_fxtree": "min_firmware_fxtree",
        "min_unifirm": "min_firmware_unifirm",
    }
    named = {name: str(facts.fact(fact).value) for name, fact in values.items()}
    return Board(target=target, ram=ram_map(target), **named, **_BOARDS[target])  # type: ignore[arg-type]  # the table's entries have the fields' types


def has_board(target: str) -> bool:
    """Whether the SDK drives boards of this target."""
    return target in _BOARDS
