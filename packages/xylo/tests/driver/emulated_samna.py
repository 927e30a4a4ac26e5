"""An emulation of the vendor's SDK, built from what rockpool 3.1.0 relies on, with a chip inside.

The chip is the integer core; it is programmed through the SDK's configuration object only. Calls in
a wrong order, unknown fields and wrong arguments raise ContractError. `Faults` makes it misbehave.
"""

import copy
import enum
import time
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import numpy as np

from ranvier_xylo.kernels import CoreArrays, CoreState, prepare, run
from ranvier_xylo.kernels.core import TRACES

DEVICE_TYPES = {
    "xylo-audio2": "XyloA2TestBoard",
    "xylo-audio3": "XyloAudio3TestBoard",
    "xylo-imu": "XyloImuTestBoard",
}
NAMESPACES = {"xylo-audio2": "xyloCore2", "xylo-audio3": "xyloAudio3", "xylo-imu": "xyloImu"}
FIRMWARE = {
    "xylo-audio2": ("0.11.5", "1.1.3"),
    "xylo-audio3": ("0.12.2", "1.6.0"),
    "xylo-imu": ("0.11.5", "1.1.3"),
}
OperationMode = enum.Enum("OperationMode", ["AcceleratedTime", "RealTime", "Manual"])
InputSource = enum.Enum("InputSource", ["SpikeEvents", "DigitalMicrophone"])


class ContractError(AssertionError):
    """The driver broke a rule of the SDK."""


@dataclass
class Faults:
    """What goes wrong; nothing by default."""

    firmware: tuple | None = None
    version: tuple = (1, 1)
    busy: bool = False
    listing: bool = False
    rejects: str = ""
    apply_fails: bool = False
    silent: bool = False
    states_silent: bool = False
    never_ready: bool = False
    start_time: int | None = None
    lost_step: int | None = None
    short_readout: bool = False
    disconnects_after_events: int | None = None
    interrupts_at_poll: int | None = None
    power_left_on: bool = False
    power_is_nan: bool = False
    close_fails: bool = False


class Struct:
    """An object of the SDK: setting a field that it does not have raises AttributeError."""

    def __init__(self, **fields):
        self.__dict__.update(fields)

    def __setattr__(self, name, value):
        if name not in self.__dict__:
            raise AttributeError(f"{type(self).__name__} object has no attribute {name!r}")
        self.__dict__[name] = value


def expect(condition, message):
    if not condition:
        raise ContractError(message)


def event_types(*, timed, ticks):
    """Event classes with fixed fields; ``timed`` is the name of the time field."""

    def make(name, **defaults):
        def init(self, **given):
            unknown = set(given) - set(defaults)
            expect(not unknown, f"{name} has no fields {sorted(unknown)}")
            Struct.__init__(self, **{**defaults, **given})

        return type(name, (Struct,), {"__init__": init})

    lists = ("neuron_v_mems", "neuron_i_syns", "hidden_spikes", "output_v_mems", "output_spikes")
    return SimpleNamespace(
        Spike=make("Spike", neuron_id=0, **{timed: None}),
        TriggerProcessing=make("TriggerProcessing", **({"target_timestep": None} if ticks else {})),
        TriggerReadout=make("TriggerReadout"),
        ReadRegisterValue=make("ReadRegisterValue", address=0),
        WriteRegisterValue=make("WriteRegisterValue", address=0, data=0),
        ReadMemoryValue=make("ReadMemoryValue", address=0),
        ReadVersion=make("ReadVersion"),
        Version=make("Version", major=0, minor=0),
        RegisterValue=make("RegisterValue", address=0, data=0),
        MemoryValue=make("MemoryValue", address=0, data=0),
        Readout=make("Readout", **{timed: 0}, **dict.fromkeys(lists, ())),
    )


def neuron_types(target):
    """Configuration classes of a board, as makers of strict objects."""
    audio2 = target == "xylo-audio2"

    def hidden():
        second = {"i_syn2_decay": 0} if audio2 else {}
        common = {"i_syn_decay": 0, "v_mem_decay": 0, "threshold": 0, "v_mem_bias": 0}
        return Struct(**common, **second, alias_target=None)

    def out():
        return Struct(i_syn_decay=0, v_mem_decay=0, threshold=0, v_mem_bias=0)

    def rng(start, stop):
        return range(start, stop)

    space = {"XyloConfiguration": lambda: configuration(target), "OutputNeuron": out}
    space["ReservoirNeuron" if audio2 else "HiddenNeuron"] = hidden
    if target != "xylo-audio3":
        space["NeuronRange"] = rng
    return SimpleNamespace(**space)


def configuration(target):
    audio2, audio3, imu = (target == f"xylo-{name}" for name in ("audio2", "audio3", "imu"))
    nothing = [] if audio3 else range(0)
    names = ("i_syn", "spike", "v_mem", *(("i_syn2",) if audio2 else ()))
    debug = {f"monitor_neuron_{name}": nothing for name in names}
    debug |= {"always_update_omp_stat": False}
    second = {"syn2_weights": []} if audio2 else {}
    fields = {
        "input": Struct(weights=[], weight_bit_shift=0, **second),
        "reservoir" if audio2 else "hidden": Struct(
            weights=[], weight_bit_shift=0, neurons=[], aliasing=False, **second
        ),
        "readout": Struct(weights=[], weight_bit_shift=0, neurons=[]),
        "bias_enable": False,
        "enable_hibernation_mode": False,
        "operation_mode": None,
    }
    if audio2 or imu:
        clocks = ("isyn", "isyn2", "ra", "bias", "hm")
        debug |= {f"{name}_clock_enable": False for name in clocks} | {"ram_power_enable": False}
        fields |= {"clear_network_state": False}
    if audio2:
        fields |= {"synapse2_enable": False}
    else:
        fields |= {"time_resolution_wrap": 0}
    if audio3:
        debug |= {"ram_access_enable": False, "sdm_clock_ratio": 0}
        fields |= {
            "input_source": InputSource.SpikeEvents,
            "digital_frontend": Struct(
                filter_bank=Struct(dn_enable=False, use_global_iaf_threshold=False),
                pdm_preprocessing=Struct(clock_direction=0, clock_edge=0),
            ),
        }
    if imu:
        debug |= {"imu_if_clk_enable": False, "imu_if_clock_freq_div": 0}
        fields |= {
            "imu_if_input_enable": False,
            "input_interface": Struct(configuration_timeout=0),
        }
    found = Struct(**fields, debug=Struct(**debug))
    found.__dict__["to_json"] = lambda: f'{{"emulated": "{target}"}}'
    return found


def core_arrays(target, config):
    """Read a configuration as the chip would."""
    hidden = config.reservoir if target == "xylo-audio2" else config.hidden
    weights_in, weights_rec = [
        np.array(hidden_or_in.weights) for hidden_or_in in (config.input, hidden)
    ]
    n = len(hidden.neurons)
    expect(weights_rec.shape == (n, n), f"hidden weights {weights_rec.shape} for {n} neurons")
    tables = [weights_in[..., None], weights_rec[..., None]]
    if target == "xylo-audio2":
        expect(config.debug.isyn_clock_enable and config.debug.ram_power_enable, "memories are off")
        expect(config.debug.ra_clock_enable or not hidden.aliasing, "alias memory is off")
        expect(config.debug.bias_clock_enable or not config.bias_enable, "bias memory is off")
        expect(weights_in.shape[1] == n and len(config.readout.weights) == n, "not all hidden")
        if config.synapse2_enable:
            expect(config.debug.isyn2_clock_enable, "second synapse memory is off")
            second = [np.array(part.syn2_weights) for part in (config.input, hidden)]
            tables = [np.stack([a[..., 0], b], -1) for a, b in zip(tables, second, strict=True)]
    targets = [neuron.alias_target for neuron in hidden.neurons]
    expect(hidden.aliasing or set(targets) == {None}, "aliases without aliasing")
    expect(all(t is None or t > i for i, t in enumerate(targets)), "an alias points downwards")

    def of(neurons, name):
        return np.array([getattr(neuron, name, 1) for neuron in neurons])

    out = config.readout.neurons
    return CoreArrays(
        weights_in=tables[0],
        weights_rec=tables[1],
        weights_out=np.array(config.readout.weights).reshape(-1, len(out)),
        threshold=of(hidden.neurons, "threshold"),
        threshold_out=of(out, "threshold"),
        dash_mem=of(hidden.neurons, "v_mem_decay"),
        dash_mem_out=of(out, "v_mem_decay"),
        dash_syn=np.stack([of(hidden.neurons, k) for k in ("i_syn_decay", "i_syn2_decay")], 1),
        dash_syn_out=of(out, "i_syn_decay"),
        bias=of(hidden.neurons, "v_mem_bias") * config.bias_enable,
        bias_out=of(out, "v_mem_bias") * config.bias_enable,
        aliases=np.array([-1 if t is None else t for t in targets]),
        weight_shift_in=config.input.weight_bit_shift,
        weight_shift_rec=hidden.weight_bit_shift,
        weight_shift_out=config.readout.weight_bit_shift,
    )


class Stream:
    """A sink buffer of the SDK."""

    def __init__(self, sdk, accepts=None):
        self.sdk, self.events, self.accepts = sdk, [], accepts

    def put(self, event):
        if self.accepts in (None, type(event).__name__):
            self.events.append(event)

    def get_events(self):
        found, self.events = self.events, []
        return found

    def get_events_blocking(self, timeout):
        expect(isinstance(timeout, int) and timeout > 0, "timeout is a positive number of ms")
        self.sdk.poll()
        if not self.events:
            time.sleep(min(timeout, 5) / 1000)
        found, self.events = self.events[:1], self.events[1:]  # they trickle in
        return found

    def clear_events(self):
        self.events = []


class StateSink:
    """The SDK's buffer of neuron states (Audio 2)."""

    def __init__(self, sdk):
        self.sdk, self.config, self.rows = sdk, None, []

    def set_configuration(self, config):
        self.config = copy.copy(config)

    def reset(self):
        self.rows = []

    def put_state(self, row):
        expect(self.config is not None, "the state buffer has no configuration")
        if not self.sdk.faults.states_silent:
            self.rows.append(row)

    def _lists(self, name, monitor):
        chosen = list(getattr(self.config.debug, f"monitor_neuron_{monitor}"))
        return np.array([row[name] for row in self.rows])[:, chosen].T.tolist()

    def get_output_spike(self):
        self.sdk.poll()
        n_out = len(self.config.readout.neurons)
        rows = np.array([row["output_spikes"] for row in self.rows]).reshape(-1, n_out)
        return rows.T.tolist()

    def get_output_v_mem(self):
        return [row["v_mem"][-len(self.config.readout.neurons) :] for row in self.rows]

    def get_reservoir_v_mem(self):
        return self._lists("v_mem", "v_mem")

    def get_reservoir_i_syn(self):
        return self._lists("i_syn", "i_syn")

    def get_reservoir_i_syn2(self):
        return self._lists("i_syn2", "i_syn2")

    def get_reservoir_spike(self):
        return self._lists("spikes", "spike")


class Graph:
    """EventFilterGraph: chains source, optional filter and sink."""

    def __init__(self, sdk):
        self.sdk, self.running = sdk, False
        sdk.graphs.append(self)

    def sequential(self, nodes):
        source, *middle, sink = nodes
        if middle:
            expect(middle[0] in self.sdk.filters, f"no filter {middle[0]!r}")
            chosen = SimpleNamespace(set_desired_type=lambda kind: self._select(sink, kind))
            sink.accepts = "nothing"
            self.sdk.chip.sinks.append((self, sink))
            return [source, chosen, sink]
        if sink == "model sink":
            source.graph = self
        else:
            expect(source == "model source", "the chain must start at the model")
            self.sdk.chip.sinks.append((self, sink))
        return list(nodes)

    def _select(self, sink, kind):
        expect(kind in self.sdk.filters.values(), f"no event type {kind!r}")
        sink.accepts = kind.rsplit("::", 1)[-1]

    def start(self):
        self.running = True

    def stop(self):
        self.sdk.log("graph.stop")
        self.running = False


class Source:
    def __init__(self, sdk, graph=None):
        self.sdk, self.graph = sdk, graph

    def write(self, events):
        expect(isinstance(events, list), "write takes a list")
        expect(self.graph is None or self.graph.running, "the graph is not started")
        self.sdk.check_open()
        self.sdk.chip.take(events)


class Chip:
    """The integer core behind configuration, events, registers and memory."""

    def __init__(self, sdk, target):
        self.sdk, self.target, self.sinks = sdk, target, []
        self.ns = getattr(sdk, NAMESPACES[target])
        self.power_on()

    def power_on(self):
        self.config = self.net = self.state = self.last_outputs = None
        self.now, self.pending, self.received = 0, {}, 0
        self.registers, self.listening, self.ready = {1: 1}, False, False

    # configuration
    def apply_configuration(self, config):
        self.sdk.check_open()
        self.sdk.log("apply_configuration", config.operation_mode)
        expect(self.sdk.validated is config, "apply without validate_configuration")
        if self.sdk.faults.apply_fails:
            raise RuntimeError("USB transfer failed")
        arrays = core_arrays(self.target, config)
        sizes = (1, arrays.n_hidden, arrays.n_out)
        if self.state is None or getattr(config, "clear_network_state", False):
            self.state = CoreState.zeros(*sizes)
        self.net, self.sizes = prepare(arrays), sizes
        self.config = copy.copy(config)
        self.config.__dict__["debug"] = copy.copy(config.debug)
        self.listening = (
            self.target == "xylo-imu" and config.operation_mode is OperationMode.RealTime
        )

    def get_source_node(self):
        return "model source"

    def get_sink_node(self):
        return "model sink"

    # events
    def take(self, events):
        for number, event in enumerate(events):
            self.received += 1
            limit = self.sdk.faults.disconnects_after_events
            if limit is not None and self.received > limit:
                raise RuntimeError("device disconnected")
            name = type(event).__name__
            expect(isinstance(event, getattr(self.ns.event, name)), f"foreign event {name}")
            getattr(self, f"_on_{name}")(event, first=number == 0)

    def _time(self, event):
        return getattr(event, self.sdk.time)

    def _on_Spike(self, event, first):
        expect(isinstance(event.neuron_id, int) and 0 <= event.neuron_id < 16, "bad channel")
        when = self._time(event)
        mode = self.config.operation_mode
        if mode is OperationMode.Manual:
            expect(when is None, "spikes have no time in manual mode")
            when = self.now
        else:
            expect(mode is OperationMode.AcceleratedTime, "spikes from the host in real time")
            expect(when is not None and when >= self.now, f"spike in the past: {when} < {self.now}")
            if self.target == "xylo-audio2":
                self.advance(when)
        counts = self.pending.setdefault(when, np.zeros(16, np.int64))
        counts[event.neuron_id] += 1
        expect(counts[event.neuron_id] <= 15, "more than 15 spikes per channel and step")

    def _on_TriggerProcessing(self, event, first):
        mode = self.config.operation_mode if self.config else None
        target = getattr(event, "target_timestep", None)
        if mode is OperationMode.RealTime:
            self.listening = True
        elif target is not None:
            expect(mode is OperationMode.AcceleratedTime, "target_timestep in another mode")
            self.advance(target)
        elif self.net is None:
            self.sdk.log("initial step")
        else:
            expect(mode is OperationMode.Manual, "a step without target in accelerated time")
            self.advance(self.now + 1)
            self.ready = not self.sdk.faults.never_ready

    def _on_TriggerReadout(self, event, first):
        expect(self.config.operation_mode is OperationMode.AcceleratedTime, "read-out too early")
        self.sdk.log("TriggerReadout")
        offset = {"xylo-audio2": 0, "xylo-audio3": 0 if self.now else -1, "xylo-imu": -1}
        when = self.now + offset[self.target]
        if self.sdk.faults.start_time is not None:
            when = self.sdk.faults.start_time
        self.emit(self.ns.event.Readout(**{self.sdk.time: when}))

    def _on_ReadVersion(self, event, first):
        major, minor = self.sdk.faults.version
        self.emit(self.ns.event.Version(major=major, minor=minor))

    def _on_ReadRegisterValue(self, event, first):
        self.emit(self.ns.event.RegisterValue(address=event.address, data=self.register(event)))

    def register(self, event):
        flags = 0
        if self.last_outputs is not None:
            flags = sum(int(s) << i for i, s in enumerate(self.last_outputs))
        audio2 = self.target == "xylo-audio2"
        special = (
            {21: flags | self.ready << 16} if audio2 else {0x152: flags, 0x153: int(self.ready)}
        )
        return special.get(event.address, self.registers.get(event.address, 0))

    def _on_WriteRegisterValue(self, event, first):
        self.sdk.log("register", event.address, event.data)
        if self.target == "xylo-audio2" and event.address in (17, 18, 19, 20):
            expect(event.data == 0, "input registers are only cleared")
            words = self.pending.get(self.now)
            if words is not None:
                part = event.address - 17
                words[4 * part : 4 * part + 4] = 0
        if event.address == 1:
            on = [event.data >> bit & 1 for bit in (16, 17)]
            expect(on != [1, 0], "memory clock on without active memory")
        self.registers[event.address] = event.data

    def _on_ReadMemoryValue(self, event, first):
        if self.target == "xylo-audio2":
            readable = self.registers[1] >> 16 & 3 == 3
        else:
            readable = self.config.debug.ram_access_enable
        expect(readable, "memory is read without access")
        # The first word of a burst comes out as zero.
        data = 0 if first else self.memory()[event.address]
        self.emit(self.ns.event.MemoryValue(address=event.address, data=data))

    def memory(self):
        first = {
            "xylo-audio2": {"i_syn": 0x7E00, "i_syn2": 0x81F0, "v_mem": 0x85D8, "spikes": 0xA150},
            "xylo-audio3": {"i_syn": 0x1200, "i_syn2": 0x1600, "v_mem": 0x19E0, "spikes": 0x3980},
        }[self.target]
        words = {}
        for name, start in first.items():
            values = list(getattr(self.state, name)[0])
            if name in ("i_syn", "v_mem"):
                values += list(getattr(self.state, f"{name}_out")[0])
            words |= {start + i: int(v) & 0xFFFF for i, v in enumerate(values)}
        return words

    # time
    def advance(self, until):
        while self.now < until:
            counts = self.pending.pop(self.now, np.zeros(16, np.int64))
            self.step(counts[: self.net.n_in])

    def listen(self, steps):
        for _ in range(steps):
            sensor = self.sdk.sensor
            counts = sensor[self.now] if self.now < len(sensor) else np.zeros(self.net.n_in)
            self.step(counts.astype(np.int64))

    def step(self, counts):
        result = run(self.net, counts[None, None], state=self.state, record=TRACES)
        self.state, self.last_outputs = result.state, result.spikes[0, 0]
        traces = {name: values[0, 0] for name, values in result.traces.items()}
        row = {
            "i_syn": np.concatenate([traces["i_syn"], traces["i_syn_out"]]),
            "v_mem": np.concatenate([traces["v_mem"], traces["v_mem_out"]]),
            "i_syn2": traces["i_syn2"],
            "spikes": traces["spikes"],
            "output_spikes": self.last_outputs,
        }
        now, self.now = self.now, self.now + 1
        if now == self.sdk.faults.lost_step:
            return
        debug, n_out = self.config.debug, self.sizes[2]
        outputs = row["output_spikes"].tolist()
        readout = self.ns.event.Readout(
            neuron_v_mems=row["v_mem"][list(debug.monitor_neuron_v_mem)].tolist(),
            neuron_i_syns=row["i_syn"][list(debug.monitor_neuron_i_syn)].tolist(),
            hidden_spikes=row["spikes"][list(debug.monitor_neuron_spike)].tolist(),
            output_v_mems=row["v_mem"][-n_out:].tolist(),
            output_spikes=outputs[:-1] if self.sdk.faults.short_readout else outputs,
            **{self.sdk.time: now},
        )
        self.emit(readout, row)

    def emit(self, event, row=None):
        if self.sdk.faults.silent:
            return
        for graph, sink in self.sinks:
            expect(graph is None or graph.running, "the graph is not started")
            if isinstance(sink, StateSink):
                if row is not None:
                    sink.put_state(row)
            else:
                sink.put(event)


class PowerMonitor:
    def __init__(self, sdk, channels):
        self.sdk, self.channels, self.active = sdk, list(channels), sdk.faults.power_left_on
        self.sink = None

    def get_source_node(self):
        return self

    def is_auto_power_measurement_active(self):
        return self.active

    def start_auto_power_measurement(self, rate):
        self.sdk.log("power.start", rate)
        if self.active:
            raise RuntimeError("Auto measurement is already active")
        self.active = True

    def stop_auto_power_measurement(self):
        self.sdk.log("power.stop")
        expect(self.active, "nothing to stop")
        self.active = False
        for number, channel in enumerate(self.channels):
            values = (
                [float("nan")] * 2 if self.sdk.faults.power_is_nan else [number + 1, number + 2]
            )
            for value in [*values, float("nan")]:
                self.sink.put(SimpleNamespace(channel=channel, value=value * 1e-3))


class Hdk:
    """An opened board."""

    def __init__(self, sdk):
        self.sdk, self.closed = sdk, False
        boards = {"xylo-audio2": "xyloA2TestBoard", "xylo-audio3": "xyloAudio3"}
        space = getattr(sdk, boards.get(sdk.target, "xyloImuBoards"))
        self.monitor = PowerMonitor(sdk, space.MeasurementChannels)

    def get_firmware_versions(self):
        fxtree, unifirm = self.sdk.faults.firmware or FIRMWARE[self.sdk.target]
        return SimpleNamespace(fxtree=fxtree, unifirm=unifirm)

    def get_power_monitor(self):
        return self.monitor


class Audio2Hdk(Hdk):
    def get_xylo_model(self):
        return self.sdk.chip

    def get_afe_model(self):
        return SimpleNamespace(
            set_saer_interface_enable=lambda on: self.sdk.log("afe.set_saer_interface_enable", on)
        )

    def get_io_module(self):
        log = self.sdk.log
        handler = SimpleNamespace(
            set_main_clk_rate=lambda f: log("set_main_clk_rate", f),
            set_operation_mode=self._operate,
        )
        return SimpleNamespace(
            get_xylo_handler=lambda: handler, write_config=lambda a, v: log("write_config", a, v)
        )

    def _operate(self, mode):
        self.sdk.log("set_operation_mode", mode)
        self.sdk.chip.listening = mode is OperationMode.RealTime


class LaterHdk(Hdk):
    """Audio 3 and IMU."""

    def get_model(self):
        return self.sdk.chip

    def get_model_source_node(self):
        return "model source"

    def get_model_sink_node(self):
        return "model sink"


class Audio3Hdk(LaterHdk):
    def reset_board_soft(self, defaults):
        self.sdk.log("reset_board_soft", defaults.main_clock_frequency)
        self.sdk.chip.power_on()

    def get_stop_watch(self):
        return SimpleNamespace(start=lambda: self.sdk.log("stop_watch.start"))


@dataclass
class EmulatedSamna:
    """The module ``samna`` with one board of a target attached."""

    target: str
    faults: Faults = field(default_factory=Faults)
    sensor: np.ndarray = field(default_factory=lambda: np.zeros((0, 1), np.int64))
    boards: int = 1

    def __post_init__(self):
        self.calls, self.graphs, self.validated, self.hdk, self.polls = [], [], None, None, 0
        self.n_opened = self.n_closed = 0
        self.time = "timestamp" if self.target == "xylo-audio2" else "timestep"
        names = {"xylo-audio3": ("XyloAudio3", "xyloAudio3"), "xylo-imu": ("XyloImu", "xyloImu")}
        self.filters = {
            f"{cls}OutputEventTypeFilter": f"{space}::event::Readout"
            for key, (cls, space) in names.items()
            if key == self.target
        }
        space = SimpleNamespace(
            event=event_types(timed=self.time, ticks=self.target != "xylo-audio2"),
            configuration=neuron_types(self.target),
            OperationMode=OperationMode,
            InputSource=InputSource,
            NeuronStateSinkNode=lambda: StateSink(self),
            validate_configuration=self._validate,
            XyloAudio3TestBoardDefaultConfig=lambda: Struct(
                main_clock_frequency=50_000_000, pdm_clock_frequency=1_562_500
            ),
        )
        channels = {
            "xylo-audio2": ("xyloA2TestBoard", ["Io", "IoAfe", "Logic", "LogicAfe"]),
            "xylo-audio3": ("xyloAudio3", ["Io", "AnalogLogic", "DigitalLogic"]),
            "xylo-imu": ("xyloImuBoards", ["Io", "Core"]),
        }
        board, members = channels[self.target]
        setattr(self, NAMESPACES[self.target], space)
        if not hasattr(self, board):
            setattr(self, board, SimpleNamespace())
        getattr(self, board).MeasurementChannels = enum.Enum("MeasurementChannels", members)
        self.device = SimpleNamespace(
            get_all_devices=self._list, open_device=self._open, close_device=self._close
        )
        self.graph = SimpleNamespace(
            EventFilterGraph=lambda: Graph(self),
            JitSink=lambda: Stream(self),
            sink_from=self._sink_from,
            source_to=lambda node: Source(self),
        )
        self.BasicSinkNode_xylo_core2_event_output_event = lambda: Stream(self)
        self.BasicSourceNode_xylo_core2_event_input_event = lambda: Source(self)
        self.chip = Chip(self, self.target)

    def log(self, *call):
        self.calls.append(call)

    def names(self):
        return [call[0] for call in self.calls]

    def check_open(self):
        expect(self.hdk is not None and not self.hdk.closed, "the board is not open")

    def poll(self):
        self.polls += 1
        if self.polls == self.faults.interrupts_at_poll:
            raise KeyboardInterrupt
        if self.chip.listening:
            self.chip.listen(3)

    @property
    def released(self):
        """Whether everything opened was closed, once, with graphs stopped and power off."""
        stopped = not any(graph.running for graph in self.graphs)
        off = self.hdk is None or not self.hdk.monitor.active
        return self.n_opened == self.n_closed and stopped and off

    def _list(self):
        if self.faults.listing:
            raise RuntimeError("no USB permission")
        infos = [SimpleNamespace(device_type_name=DEVICE_TYPES[self.target])] * self.boards
        return [SimpleNamespace(device_type_name="OtherBoard"), *infos]

    def _open(self, info):
        expect(info.device_type_name == DEVICE_TYPES[self.target], "another board was opened")
        if self.faults.busy:
            raise RuntimeError("device is already opened")
        kinds = {"xylo-audio2": Audio2Hdk, "xylo-audio3": Audio3Hdk, "xylo-imu": LaterHdk}
        self.log("open_device")
        self.n_opened += 1
        self.hdk = kinds[self.target](self)
        return self.hdk

    def _close(self, hdk):
        expect(not hdk.closed, "closed twice")
        self.log("close_device")
        hdk.closed = True
        self.n_closed += 1
        if self.faults.close_fails:
            raise RuntimeError("device is gone")

    def _validate(self, config):
        self.log("validate_configuration")
        if self.faults.rejects:
            return False, self.faults.rejects
        self.validated = config
        return True, ""

    def _sink_from(self, node):
        stream = Stream(self)
        if isinstance(node, PowerMonitor):
            node.sink = stream
        else:
            expect(node == "model source", "unknown node")
            self.chip.sinks.append((None, stream))
        return stream


def with_faults(sdk, **faults):
    """Change the faults of a running emulation."""
    sdk.faults = replace(sdk.faults, **faults)
