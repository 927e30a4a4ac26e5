"""An emulation of the vendor's SDK, built from what rockpool 3.1.0 and lab scripts rely on.

Inside is the simulator, programmed through the SDK's configuration object only: its registers are
read into a configuration of its own, with one input channel per kind of packet that arrives. Calls
in a wrong order, unknown fields and wrong arguments raise ContractError. `Faults` makes it
misbehave. Chips rest until the first time step, ``start_delay`` after the clock was read, and
compute in steps of ``dt`` from there.
"""

import enum
import time
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np

from ranvier.artifacts import OutputChannel, Placement
from ranvier_dynapse2.biases import CORE_BIASES, SCALE_FACTORS, published_table
from ranvier_dynapse2.config import LATCHES, Dynapse2Config
from ranvier_dynapse2.simulator import Dynapse2Session

CORES, NEURONS, ENTRIES, WORDS, PERIOD = 4, 256, 64, 4, 1 << 32
LEAKS = ("SOIF_LEAK_N", "DEAM_ETAU_P", "DEGA_ITAU_P", "DENM_ETAU_P", "DESC_ITAU_P")
SHARED = ("LBWR_VB_P", "PG_BUF_N")
GLOBAL = ("R2R_BUFFER_AMPB", "R2R_BUFFER_CCB")
SADC = (
    "soif_mem",
    "soif_refectory",
    "soad_dpi",
    "soca_dpi",
    "deam_edpi",
    "deam_idpi",
    "denm_edpi",
    "denm_idpi",
    "dega_idpi",
    "desc_idpi",
    "sy_w42",
    "sy_w21",
    "soho_sogain",
    "soho_degain",
)
Dendrite = enum.IntEnum(
    "Dendrite", {"none": 0, "ampa": 1024, "gaba": 512, "nmda": 256, "shunt": 128}
)
INDEX = {Dendrite.none: 0, Dendrite.ampa: 1, Dendrite.gaba: 2, Dendrite.nmda: 3, Dendrite.shunt: 4}
ResetType = enum.Enum("ResetType", ["PowerCycle", "ConfigReset"])


class ContractError(AssertionError):
    """The driver broke a rule of the SDK."""


def expect(condition, message):
    if not condition:
        raise ContractError(message)


@dataclass
class Faults:
    """What goes wrong; nothing by default."""

    busy: bool = False
    listing: bool = False
    bitfile_refused: bool = False
    drops_writes: bool = False
    lacks_bias: bool = False
    apply_fails: bool = False
    rejects: tuple = ()
    read_back_differs: bool = False
    errors_in_run: tuple = ()
    no_clock: bool = False
    no_marker: bool = False
    runaway: str = ""
    disconnects_at_poll: int | None = None
    interrupts_at_poll: int | None = None
    stray: tuple = ()
    doubles: bool = False
    before_and_after: bool = False
    returned_y: int | None = None
    close_fails: bool = False
    late_clock: bool = False


class Synapse:
    __slots__ = ("dendrite", "mismatched_delay", "precise_delay", "stp", "tag", "weight")

    def __init__(self):
        self.dendrite, self.weight, self.tag = Dendrite.none, [False] * 4, 0
        self.stp = self.precise_delay = self.mismatched_delay = False

    def packed(self):
        fits = type(self.dendrite) is Dendrite and type(self.tag) is int and 0 <= self.tag < 2048
        if not fits:
            raise ContractError(f"synapse with dendrite {self.dendrite!r} and tag {self.tag!r}")
        flags = (self.stp, self.precise_delay, self.mismatched_delay)
        return (INDEX[self.dendrite], mask(self.weight), self.tag, mask([*flags, False]))


class Destination:
    __slots__ = ("core", "tag", "x_hop", "y_hop")

    def __init__(self):
        self.core, self.x_hop, self.y_hop, self.tag = [False] * 4, 0, 0, 0

    def packed(self):
        for value, least, most in ((self.x_hop, -7, 7), (self.y_hop, -7, 7), (self.tag, 0, 2047)):
            expect(isinstance(value, int) and least <= value <= most, f"{value!r} in a destination")
        return (mask(self.core), self.x_hop, self.y_hop, self.tag)


_BITS = {tuple(bool(k >> b & 1) for b in range(4)): k for k in range(16)}


def mask(bits):
    if type(bits) is not list or tuple(bits) not in _BITS:
        raise ContractError(f"{bits!r} is no list of 4 bools")
    return _BITS[tuple(bits)]


EMPTY = (Synapse().packed(),) * ENTRIES
SILENT = (Destination().packed(),) * WORDS
_NO_SYNAPSES = [Synapse() for _ in range(ENTRIES)]


def unpacked_synapse(row):
    found = Synapse()
    found.dendrite = list(INDEX)[row[0]]
    found.weight, found.tag = [bool(row[1] >> k & 1) for k in range(4)], row[2]
    found.stp, found.precise_delay, found.mismatched_delay = (
        bool(row[3] >> k & 1) for k in range(3)
    )
    return found


def unpacked_destination(row):
    found = Destination()
    found.core = [bool(row[0] >> k & 1) for k in range(4)]
    found.x_hop, found.y_hop, found.tag = row[1:]
    return found


class Neuron:
    """Lists are copied on their way in and out, as the SDK's fixed-size arrays are."""

    __slots__ = ("_cam", "_sram", *(f"latch_{name}" for name in LATCHES))

    def __init__(self):
        self._cam, self._sram = EMPTY, SILENT
        for name in LATCHES:
            setattr(self, f"latch_{name}", False)

    @property
    def synapses(self):
        return list(_NO_SYNAPSES) if self._cam is EMPTY else [*map(unpacked_synapse, self._cam)]

    @synapses.setter
    def synapses(self, rows):
        expect(isinstance(rows, list) and len(rows) == ENTRIES, "synapses are a list of 64")
        packed = tuple([row.packed() for row in rows])
        self._cam = EMPTY if packed == EMPTY else packed

    @property
    def destinations(self):
        return [*map(unpacked_destination, self._sram)]

    @destinations.setter
    def destinations(self, rows):
        expect(isinstance(rows, list) and len(rows) == WORDS, "destinations are a list of 4")
        self._sram = tuple(row.packed() for row in rows)

    def clone(self):
        found = Neuron.__new__(Neuron)
        for name in Neuron.__slots__:
            setattr(found, name, getattr(self, name))
        return found


class Parameter:
    __slots__ = ("coarse_value", "fine_value", "type")

    def __init__(self, coarse=0, fine=0, kind="P"):
        self.coarse_value, self.fine_value, self.type = coarse, fine, kind

    def code(self):
        expect(self.coarse_value in range(6) and self.fine_value in range(256), "code out of range")
        expect(self.type in ("N", "P"), f"type {self.type!r}")
        return self.coarse_value, self.fine_value


class Parameters(dict):
    """A map of biases: names are fixed."""

    def __init__(self, names, *, by_value=False):
        super().__init__({n: Parameter(1, 10, "N" if n.endswith("_N") else "P") for n in names})
        self.by_value = by_value

    def __setitem__(self, name, value):
        expect(name in self, f"no bias {name}")
        super().__setitem__(name, value)

    def __getitem__(self, name):
        found = super().__getitem__(name)
        return Parameter(*found.code(), found.type) if self.by_value else found

    def clone(self):
        found = Parameters(self, by_value=self.by_value)
        for name, p in self.items():
            dict.__setitem__(found, name, Parameter(*p.code(), p.type))
        return found


class Struct:
    """An object of the SDK: setting a field that it does not have raises AttributeError."""

    def __init__(self, **fields):
        self.__dict__.update(fields)

    def __setattr__(self, name, value):
        if name not in self.__dict__:
            raise AttributeError(f"{type(self).__name__} object has no attribute {name!r}")
        self.__dict__[name] = value


class Core(Struct):
    def __init__(self, sdk):
        names = [n for n in SCALE_FACTORS if n not in SHARED + GLOBAL]
        if sdk.faults.lacks_bias:
            names.remove("SOIF_DC_P")
        super().__init__(
            neurons=[Neuron() for _ in range(NEURONS)],
            parameters=Parameters(names, by_value=sdk.faults.drops_writes),
            neuron_monitoring_on=False,
            monitored_neuron=0,
            sadc_enables=Struct(**dict.fromkeys(SADC, False)),
            enable_syaw_stdbuf_an=False,
        )

    def clone(self):
        found = Core.__new__(Core)
        found.__dict__.update(self.__dict__)
        found.__dict__["neurons"] = [n.clone() for n in self.neurons]
        found.__dict__["parameters"] = self.parameters.clone()
        found.__dict__["sadc_enables"] = Struct(**self.sadc_enables.__dict__)
        return found


MAPS = ("global_parameters", "shared_parameters01", "shared_parameters23")


class Chip(Struct):
    def __init__(self, sdk):
        maps = {name: Parameters(GLOBAL if name == MAPS[0] else SHARED) for name in MAPS}
        super().__init__(cores=[Core(sdk) for _ in range(CORES)], **maps)

    def clone(self):
        found = Chip.__new__(Chip)
        found.__dict__.update({name: getattr(self, name).clone() for name in MAPS})
        found.__dict__["cores"] = [c.clone() for c in self.cores]
        return found


class Configuration(Struct):
    def __init__(self, sdk):
        super().__init__(chips=[Chip(sdk) for _ in range(sdk.chips)])

    def clone(self):
        found = Configuration.__new__(Configuration)
        found.__dict__["chips"] = [c.clone() for c in self.chips]
        return found


class GridEvent:
    __slots__ = ("event", "timestamp")

    def __init__(self):
        self.event, self.timestamp = Destination(), 0

    def packed(self):
        expect(isinstance(self.event, Destination), "the event of a grid event is a destination")
        stamp = self.timestamp
        expect(isinstance(stamp, int) and 0 <= stamp < PERIOD, f"time stamp {stamp!r} of 32 bits")
        return (stamp, *self.event.packed())


def grid_event(stamp, tag, x, y):
    found = GridEvent()
    found.event.tag, found.event.x_hop, found.event.y_hop = int(tag), int(x), int(y)
    found.event.core, found.timestamp = [True] * 4, int(stamp) % PERIOD
    return found


def all_cores(configuration):
    return [core for chip in configuration.chips for core in chip.cores]


def leaks(configuration):
    return all(c.parameters[n].code() == (5, 255) for c in all_cores(configuration) for n in LEAKS)


def read_registers(configuration):
    """Return the arrays of a configuration of the driver's kind, by field."""
    size = (len(configuration.chips), CORES, NEURONS)
    cam = np.zeros((*size, ENTRIES, 4), np.int64)
    sram = np.zeros((*size, WORDS, 4), np.int64)
    latches = np.zeros((*size, len(LATCHES)), bool)
    for h, chip in enumerate(configuration.chips):
        for c, core in enumerate(chip.cores):
            for n, neuron in enumerate(core.neurons):
                if neuron._cam is not EMPTY:
                    cam[h, c, n] = neuron._cam
                sram[h, c, n] = neuron._sram
                latches[h, c, n] = [getattr(neuron, f"latch_{name}") for name in LATCHES]
    codes = np.array(
        [[c.parameters[n].code() for n in CORE_BIASES] for c in all_cores(configuration)]
    )
    codes = codes.reshape(size[0], CORES, len(CORE_BIASES), 2).astype(np.uint8)
    return {
        "cam_dendrite": cam[..., 0].astype(np.uint8),
        "cam_mask": cam[..., 1].astype(np.uint8),
        "cam_tag": cam[..., 2].astype(np.uint16),
        "cam_flags": cam[..., 3].astype(np.uint8),
        "sram_used": sram[..., 0] > 0,
        "sram_cores": sram[..., 0].astype(np.uint8),
        "sram_x": sram[..., 1].astype(np.int8),
        "sram_y": sram[..., 2].astype(np.int8),
        "sram_tag": sram[..., 3].astype(np.uint16),
        "latches": latches,
        "bias_coarse": codes[..., 0],
        "bias_fine": codes[..., 1],
    }


def rebuilt_config(registers, packets, *, dt, model):
    """Return a configuration of the registers alone, with a channel per kind of packet."""
    chips = len(registers["latches"])
    used = (registers["cam_dendrite"] > 0).any(-1) | registers["sram_used"].any(-1)
    chip, core, slot = np.nonzero(used)
    n = chip.size
    rows = [(0, i, *at, 0) for i, at in enumerate(zip(chip, core, slot, strict=True))]
    for channel, (cores, x, _, tag) in enumerate(packets):
        rows += [(1, channel, x, k, tag, 1) for k in range(CORES) if cores >> k & 1]
    columns = [np.ascontiguousarray(c) for c in np.array(rows, np.int64).reshape(-1, 6).T]
    kinds = {"cores": np.uint8, "x": np.int8, "y": np.int8, "tag": np.uint16}
    table = np.array(packets, np.int64).reshape(-1, 4)
    return Dynapse2Config(
        target="dynapse2",
        dt=dt,
        input_shapes={"in": (max(len(packets), 1),)},
        node_shapes={"all": (n,)},
        outputs=(OutputChannel(output="out", node="all"),),
        placement=Placement(("all", "in"), ("neuron", "input"), *columns),
        chips=chips,
        model=model,
        bias_names=CORE_BIASES,
        chip_bias_coarse=np.zeros((chips, 0), np.uint8),
        chip_bias_fine=np.zeros((chips, 0), np.uint8),
        input_channel=np.arange(len(packets)),
        **{f"input_{name}": table[:, k].astype(kinds[name]) for k, name in enumerate(kinds)},
        i_scale=np.full((chips, CORES), 1e-8),
        drive_factor=np.ones((chips, CORES)),
        bias_table=published_table().currents,
        **registers,
    ), (chip, core, slot)


class Model:
    """What the board's chips are told."""

    def __init__(self, sdk):
        self.sdk, self.errors = sdk, []
        self.current = Configuration(sdk)

    def reset(self, kind, chips):
        self.sdk.check_open()
        expect(isinstance(kind, ResetType), f"{kind!r} is no ResetType")
        expect(chips == (1 << self.sdk.chips) - 1, f"mask {chips:b} of chips")
        self.sdk.log("reset", kind.name)
        self.current = Configuration(self.sdk)

    def get_configuration(self):
        self.sdk.check_open()
        found = self.current.clone()
        if self.sdk.faults.read_back_differs and self.sdk.count("apply") > 1:
            neuron = next(n for c in all_cores(found) for n in c.neurons if n._cam is not EMPTY)
            rows = neuron.synapses
            entry = next(s for s in rows if s.dendrite)
            entry.tag ^= 1
            neuron.synapses = rows
        return found

    def apply_configuration(self, configuration):
        self.sdk.check_open()
        expect(isinstance(configuration, Configuration), "apply takes a Dynapse2Configuration")
        expect(self.sdk.applicable, "apply before the board was asked for its model")
        if self.sdk.faults.apply_fails:
            raise RuntimeError("USB transfer failed")
        self.current = configuration.clone()
        self.sdk.log("apply", "leak" if leaks(configuration) else "network")
        self.errors += self.sdk.faults.rejects

    def clear_error_queue(self):
        self.sdk.check_open()
        self.errors = []

    def get_error_events(self):
        self.sdk.check_open()
        found, self.errors = self.errors, []
        return found

    def set_sadc_sample_period_ms(self, period):
        expect(isinstance(period, int), "the period is an int")
        self.sdk.log("sadc period", period)

    def get_sadc_values(self, chip):
        cores = self.current.chips[chip].cores
        on = [n for c in cores for n in SADC if getattr(c.sadc_enables, n)]
        return [0.25 * (chip + 1)] * len(on)


class Board:
    """An opened board: packets in, events out."""

    def __init__(self, sdk):
        self.sdk, self.closed, self.model = sdk, False, Model(sdk)
        self.queue, self.clock = [], None
        self.late, self.silent_until = [], 0.0

    def configure_opal_kelly(self, bitfile):
        expect(isinstance(bitfile, str), "the bit file is a path as text")
        expect(not self.sdk.applicable, "the FPGA is configured after the model was used")
        self.sdk.log("configure_opal_kelly", bitfile)
        return not self.sdk.faults.bitfile_refused

    def reset_fpga(self):
        self.sdk.check_open()
        self.sdk.log("reset_fpga")

    def get_model(self):
        self.sdk.check_open()
        self.sdk.applicable = True
        return self.model

    def input_interface_write_events(self, port, events):
        self.sdk.check_open()
        expect(port == 0 and isinstance(events, list), "control packets go to port 0, as a list")
        for stamp, cores, x, y, tag in (e.packed() for e in events):
            expect((stamp, cores, x, y, tag) == (0, 15, -7, -7, 2047), "no control packet")
            self.sdk.time = (self.sdk.time + 7) % PERIOD
            if not self.sdk.faults.no_clock:
                self.queue.append(grid_event(self.sdk.time, 2047, -6, -7))
        if self.sdk.faults.late_clock:
            self.late = self.queue[-1:]
            del self.queue[-1:]
        self.clock = self.queue[-1].timestamp if self.queue else self.sdk.time
        self.sdk.log("clock")

    def grid_bus_write_events(self, events):
        self.sdk.check_open()
        expect(isinstance(events, list), "events are a list")
        expect(self.clock is not None, "events before the clock was read")
        expect(not leaks(self.model.current), "events while the chips leak")
        packed = [e.packed() for e in events]
        ahead = np.array([(p[0] - self.clock) % PERIOD for p in packed])
        expect(np.all(ahead < PERIOD // 2), "an event in the past")
        expect(np.all(np.diff(ahead) >= 0), "events are not sorted by time")
        self.sdk.log("run", len(packed))
        self.sdk.packets.append(packed)
        self._run(packed, ahead)
        if self.late:
            self.silent_until = time.monotonic() + 0.02
        self.clock = None

    def _run(self, packed, ahead):
        sdk, start = self.sdk, round(self.sdk.start_delay * 1e6)
        returns = [
            grid_event(p[0], p[4], p[2] + 1, p[3])
            for p in packed
            if p[2] == -7 and not (sdk.faults.no_marker and p[4] == 2047)
        ]
        inner = [k for k, p in enumerate(packed) if p[2] != -7]
        kinds = sorted({packed[k][1:] for k in inner})
        width = round(sdk.dt * 1e6)
        steps = max(1, -(-(int(ahead[-1]) - start) // width))
        counts = np.zeros((steps, max(len(kinds), 1)), np.int64)
        for k in inner:
            step = (int(ahead[k]) - start) // width
            if step < steps:
                counts[step, kinds.index(packed[k][1:])] += 1
        spikes = self._spikes(kinds, counts)
        self.queue += returns + self._monitored(spikes, start)
        self.queue += [grid_event(self.clock + start + t, *rest) for t, *rest in sdk.faults.stray]
        self.queue.sort(key=lambda e: (e.timestamp - self.clock) % PERIOD)
        self.model.errors += sdk.faults.errors_in_run
        sdk.time = (self.clock + int(ahead[-1])) % PERIOD

    def _spikes(self, kinds, counts):
        registers = read_registers(self.model.current)
        config, places = rebuilt_config(registers, kinds, dt=self.sdk.dt, model=self.sdk.model)
        recording = Dynapse2Session(config).run(counts)
        step, neuron = np.nonzero(recording.raster("all"))
        found = recording.raster("all")[step, neuron]
        chip, core, slot = (p[neuron] for p in places)
        return registers, zip(step, found, chip, core, slot, strict=True)

    def _monitored(self, spikes, start):
        sdk, width, found = self.sdk, round(self.sdk.dt * 1e6), []
        registers, rows = spikes
        for step, count, chip, core, slot in rows:
            at = (chip, core, slot)
            words = registers["sram_used"][at] & (registers["sram_x"][at] == -7)
            for word in np.flatnonzero(words):
                tag, y = registers["sram_tag"][(*at, word)], registers["sram_y"][(*at, word)]
                y = y if sdk.faults.returned_y is None else sdk.faults.returned_y
                for j in range(count):
                    time = self.clock + start + step * width + 3 + j * (width - 3) // count
                    found.append(grid_event(time, tag, -6 + chip, y))
                    if sdk.faults.doubles:
                        found.append(grid_event(time + 1, tag, -6 + chip, y))
        if sdk.faults.before_and_after and found:
            first = found[0].event
            for time in (self.clock + 5, self.clock + start + 10**9):
                found.append(grid_event(time, first.tag, first.x_hop, first.y_hop))
        return found

    def leave(self, count):
        """Put old control packets into the queue."""
        self.queue = [grid_event(self.sdk.time - 500, 2047, -6, -7)] * count

    def read_events(self):
        self.sdk.check_open()
        self.sdk.poll()
        if self.sdk.faults.runaway and self.sdk.count("run"):
            self.sdk.time += 10_000 if self.sdk.faults.runaway == "running" else 0
            self.queue.append(grid_event(self.sdk.time + 1, 1999, -6, -7))
        if time.monotonic() < self.silent_until:
            found, self.late = self.late, []
            return found
        found, self.queue = self.queue[:200], self.queue[200:]
        return found


@dataclass
class EmulatedSamna:
    """The module ``samna`` with boards attached."""

    chips: int = 1
    faults: Faults = field(default_factory=Faults)
    boards: int = 1
    dt: float = 1e-3
    start_delay: float = 0.1
    time: int = 1_000_000
    model: str = "merged_synapse"

    def __post_init__(self):
        self.calls, self.packets, self.board, self.polls = [], [], None, 0
        self.n_opened = self.n_closed = 0
        self.applicable = False
        self.dynapse2 = SimpleNamespace(
            Dynapse2Configuration=lambda: Configuration(self),
            Dynapse2Synapse=Synapse,
            Dynapse2Destination=Destination,
            Dynapse2Parameter=Parameter,
            NormalGridEvent=GridEvent,
            ResetType=ResetType,
            Dendrite=Dendrite,
        )
        self.device = SimpleNamespace(
            get_all_devices=self._list, open_device=self._open, close_device=self._close
        )

    def log(self, *call):
        self.calls.append(call)

    def names(self):
        return [" ".join(map(str, call)) for call in self.calls]

    def count(self, name):
        return sum(call[0] == name for call in self.calls)

    def check_open(self):
        expect(self.board is not None and not self.board.closed, "the board is not open")

    def poll(self):
        self.polls += 1
        if self.polls == self.faults.interrupts_at_poll:
            raise KeyboardInterrupt
        if self.faults.disconnects_at_poll and self.polls >= self.faults.disconnects_at_poll:
            raise RuntimeError("device disconnected")

    @property
    def released(self):
        """Whether everything opened was closed, once."""
        return self.n_opened == self.n_closed

    @property
    def discharged(self):
        """Whether the chips were left with the largest leak."""
        return self.board is None or leaks(self.board.model.current)

    def _list(self):
        if self.faults.listing:
            raise RuntimeError("no USB permission")
        infos = [
            SimpleNamespace(
                device_type_name="DYNAP-SE2 Stack",
                serial_number=f"00{k}",
                usb_bus_number=1,
                usb_device_address=k + 4,
                logic_version=3,
                daughter_board_num=1,
            )
            for k in range(self.boards)
        ]
        return [SimpleNamespace(device_type_name="OtherBoard"), *infos]

    def _open(self, info):
        expect("DYNAP-SE2" in info.device_type_name, "another board was opened")
        if self.faults.busy:
            raise RuntimeError("device is already opened")
        self.log("open_device", info.serial_number)
        self.n_opened += 1
        self.applicable = False
        self.board = Board(self)
        return self.board

    def _close(self, board):
        expect(not board.closed, "closed twice")
        self.log("close_device")
        board.closed = True
        self.n_closed += 1
        if self.faults.close_fails:
            raise RuntimeError("device is gone")
