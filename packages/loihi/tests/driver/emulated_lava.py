"""An emulation of the vendor's Lava: processes, ports, runs, adapters, boards, and their faults.

Written from the published behaviour of Lava 0.10.0, with its own plain arithmetic; it imports
nothing of the package under test. It is put into ``sys.modules`` (`installed`) or written as files
for another interpreter (`write_tree`).
"""

import enum
import json
import os
import sys
import time
import types
from pathlib import Path

import numpy as np

M = 1 << 23
FAULTS = {}
CALLS = []
ALIVE = set()
LENIENT = ("LIF", "LIFReset", "Dense", "Sparse", "DelayDense", "DelaySparse")


def fault(name):
    given = FAULTS or json.loads(os.environ.get("EMULATED_LAVA", "{}"))
    return given.get(name)


def fail(name):
    CALLS.append(name)
    kind = fault(name)
    if kind == "error":
        raise RuntimeError(f"emulated failure of {name}")
    if kind == "hang":
        time.sleep(float(fault("seconds") or 30))
    if kind == "interrupt":
        raise KeyboardInterrupt
    if kind == "exit":
        os._exit(7)


def dz(p):
    return np.sign(p) * (np.abs(p) >> 12)


class Var:
    def __init__(self, process, name, init, shape):
        self.process, self.name, self.shape = process, name, shape
        self.init = np.asarray(init)

    def get(self):
        if not self.process.live:
            raise RuntimeError("get: the process is not running")
        return np.array(self.process.values[self.name], dtype=np.float64)

    def set(self, value):
        if not self.process.live:
            raise RuntimeError("set: the process is not running; use init")
        CALLS.append(f"set {self.name}")
        self.process.values[self.name] = np.array(value).astype(np.int64)


class Port:
    def __init__(self, process, shape, owner=None):
        self.process, self.shape = process, tuple(shape)
        self.owner = owner or self
        self.sources = []

    def reshape(self, new_shape):
        assert np.prod(new_shape) == np.prod(self.shape)
        return Port(self.process, new_shape, self.owner)

    def connect(self, other):
        if self.shape != other.shape:
            raise AssertionError(f"shapes {self.shape} and {other.shape} do not fit")
        other.sources.append(self)
        self.process.neighbours.append(other.process)
        other.process.neighbours.append(self.process)

    def recv(self):
        total = np.zeros(self.shape, dtype=np.int64)
        for port in self.sources:
            total = total + np.asarray(port.owner.value).reshape(self.shape)
        return total


class Process:
    count = 0
    phase = "neuron"

    def __init__(self, name=None):
        Process.count += 1
        self.name = name or f"Process_{Process.count}"
        self.neighbours, self.names, self.live, self.values = [], [], False, {}
        self.runtime = None

    def var(self, name, init, shape):
        setattr(self, name, Var(self, name, init, shape))
        self.names.append(name)

    def outport(self, name, shape):
        port = Port(self, shape)
        port.value = np.zeros(shape, dtype=np.int64)
        setattr(self, name, port)

    def into(self, name, shape):
        setattr(self, name, Port(self, shape))

    def start(self):
        for name in self.names:
            var = getattr(self, name)
            if var.shape == (1,) and var.init.size > 1 and type(self).__name__ not in LENIENT:
                raise ValueError(f"{name}: cannot broadcast {var.init.shape} into (1,)")
            self.values[name] = np.array(var.init)
        self.live = True

    def emit(self, t):
        pass

    def update(self, t):
        pass

    def take(self, t):
        pass

    def run(self, condition, run_cfg):
        fail("run")
        if self.runtime is None:
            self.runtime = Runtime(self, run_cfg)
        self.runtime.advance(condition.num_steps)
        for callback in run_cfg.callback_fxs:
            callback.measure(condition.num_steps)

    def stop(self):
        fail("stop")
        if self.runtime is not None:
            self.runtime.stop()

    @property
    def all_connected(self):
        found, waiting = [self], [self]
        while waiting:
            for other in waiting.pop().neighbours:
                if other not in found:
                    found.append(other)
                    waiting.append(other)
        return found


class Runtime:
    def __init__(self, process, run_cfg):
        fail("compile")
        self.processes, self.t = process.all_connected, 0
        hardware = isinstance(run_cfg, Loihi2HwCfg)
        for one in self.processes:
            if getattr(one, "adapter", False) and not hardware:
                raise RuntimeError("an adapter needs Loihi2HwCfg")
            if hardware:
                check_wiring(one)
            one.start()
            one.runtime = self
        ALIVE.add(self)

    def advance(self, steps):
        for _ in range(steps):
            self.t += 1
            for phase in ("emit", "update", "take"):
                for one in self.processes:
                    getattr(one, phase)(self.t)

    def stop(self):
        ALIVE.discard(self)
        for one in self.processes:
            one.live, one.runtime = False, None


def check_wiring(process):
    python = (SourceRingBuffer, SinkRingBuffer)
    for other in process.neighbours:
        if isinstance(process, python) and not getattr(other, "adapter", False):
            raise RuntimeError("a Python process is wired to a neuro core without adapter")
    if isinstance(process, Monitor):
        raise TypeError("no monitors on a chip")


class LIF(Process):
    def __init__(self, *, shape, u=0, v=0, du=0, dv=0, bias_mant=0, bias_exp=0, vth=10, name=None):
        super().__init__(name)
        self.shape = tuple(shape)
        for key, value in (("u", u), ("v", v), ("bias_mant", bias_mant), ("bias_exp", bias_exp)):
            self.var(key, np.zeros(shape, dtype=np.int64) + value, self.shape)
        for key, value in (("du", du), ("dv", dv), ("vth", vth)):
            self.var(key, np.asarray(value), (1,))
        self.into("a_in", shape)
        self.outport("s_out", shape)

    def fired(self, v):
        return (v > (self.values["vth"] << 6)).astype(np.int64)

    def reset(self, t):
        pass

    def update(self, t):
        self.reset(t)
        s = self.values
        u = dz(s["u"] * (4096 - (s["du"] + 1))) + (self.a_in.recv() << 6)
        u = np.where(u > M, u - 2 * M, np.where(u <= -M, u + 2 * M, u))
        bias = s["bias_mant"] << s["bias_exp"]
        v = np.clip(dz(s["v"] * (4096 - s["dv"])) + u + bias, -M + 1, M - 1)
        out = self.fired(v)
        s["u"], s["v"] = u, np.where(out != 0, 0, v)
        self.s_out.value = out


class LIFReset(LIF):
    def __init__(self, *, reset_interval=1, reset_offset=0, **other):
        super().__init__(**other)
        self.interval, self.offset = reset_interval, reset_offset

    def reset(self, t):
        if t % self.interval == self.offset % self.interval:
            self.values["u"] = np.zeros(self.shape, dtype=np.int64)
            self.values["v"] = np.zeros(self.shape, dtype=np.int64)


class TernaryLIF(LIF):
    def __init__(self, *, vth_hi=10, vth_lo=-10, **other):
        super().__init__(**other)
        self.var("vth_hi", np.asarray(vth_hi), (1,))
        self.var("vth_lo", np.asarray(vth_lo), (1,))

    def fired(self, v):
        high, low = self.values["vth_hi"] << 6, self.values["vth_lo"] << 6
        return (v > high).astype(np.int64) - (v < low)


class RF(Process):
    def __init__(self, shape, period, alpha, state_exp=0, decay_bits=0, vth=1, name=None):
        super().__init__(name)
        assert decay_bits == 12
        self.shape, self.state_exp = tuple(shape), state_exp
        angle = 2 * np.pi / period
        self.var("sin_decay", int((1 - alpha) * np.sin(angle) * 4096), (1,))
        self.var("cos_decay", int((1 - alpha) * np.cos(angle) * 4096), (1,))
        self.var("vth", int(vth * 2**state_exp), (1,))
        self.var("real", np.zeros(shape, dtype=np.int64), self.shape)
        self.var("imag", np.zeros(shape, dtype=np.int64), self.shape)
        self.into("a_real_in", shape)
        self.into("a_imag_in", shape)
        self.outport("s_out", shape)

    def update(self, t):
        s = self.values
        re, im, c, d = s["real"], s["imag"], s["cos_decay"], s["sin_decay"]
        new_re = dz(c * re) - dz(d * im) + (self.a_real_in.recv() << self.state_exp)
        new_im = dz(d * re) + dz(c * im) + (self.a_imag_in.recv() << self.state_exp)
        new_re, new_im = (np.clip(x, -M + 1, M - 1) for x in (new_re, new_im))
        s["real"], s["imag"], self.s_out.value = self.spike(new_re, new_im, im)

    def spike(self, re, im, old):
        return re, im, ((re >= self.values["vth"]) & (im >= 0) & (old < 0)).astype(np.int64)


class RF_IZ(RF):
    def spike(self, re, im, old):
        out = im >= self.values["vth"]
        return np.where(out, 0, re), np.where(out, self.values["vth"] - 1, im), out.astype(np.int64)


class ActivationMode(enum.IntEnum):
    UNIT = 0
    RELU = 1


class Delta(Process):
    def __init__(self, *, shape, vth, cum_error=False, spike_exp=0, state_exp=0):
        super().__init__()
        self.shape, self.spike_exp, self.state_exp = tuple(shape), spike_exp, state_exp
        self.var("vth", vth * (1 << (spike_exp + state_exp)), (1,))
        for name in ("act", "residue", "sigma"):
            self.var(name, np.zeros(shape, dtype=np.int64), self.shape)
        self.into("a_in", shape)
        self.outport("s_out", shape)

    def activation(self):
        return self.a_in.recv() << (self.spike_exp + self.state_exp)

    def update(self, t):
        s = self.values
        new = self.activation()
        d = new - s["act"] + s["residue"]
        sent = np.where(np.abs(d) >= s["vth"], d, 0)
        s["act"], s["residue"] = new, d - sent
        self.s_out.value = sent >> self.state_exp


class SigmaDelta(Delta):
    def __init__(self, *, shape, vth, bias=0, act_mode=ActivationMode.RELU, **other):
        super().__init__(shape=shape, vth=vth, **other)
        self.mode = act_mode
        self.var("bias", np.zeros(shape, dtype=np.int64) + bias, self.shape)

    def activation(self):
        s = self.values
        s["sigma"] = s["sigma"] + self.a_in.recv()
        total = s["sigma"] + s["bias"]
        return np.maximum(total, 0) if self.mode == ActivationMode.RELU else total


class Sigma(Process):
    def __init__(self, *, shape):
        super().__init__()
        self.var("sigma", np.zeros(shape, dtype=np.int64), tuple(shape))
        self.into("a_in", shape)
        self.outport("s_out", shape)

    def update(self, t):
        self.values["sigma"] = self.values["sigma"] + self.a_in.recv()
        self.s_out.value = self.values["sigma"]


class SignMode(enum.IntEnum):
    NULL = 0
    MIXED = 1
    EXCITATORY = 2
    INHIBITORY = 3


class Dense(Process):
    buffer = "a_buff"

    def __init__(
        self,
        *,
        weights,
        num_message_bits=0,
        weight_exp=0,
        num_weight_bits=8,
        sign_mode=SignMode.NULL,
        delays=None,
        max_delay=0,
        name=None,
    ):
        super().__init__(name)
        full = weights.toarray() if hasattr(weights, "toarray") else np.asarray(weights)
        self.w = stored(full.astype(np.int64), num_weight_bits, sign_mode)
        self.bits, self.exp = num_message_bits, weight_exp
        late = delays.toarray() if hasattr(delays, "toarray") else delays
        self.delays = np.zeros(self.w.shape, dtype=int) if late is None else np.asarray(late)
        depth = 1 + max(int(self.delays.max()), max_delay)
        n = self.w.shape[0]
        self.var("a_buff", np.zeros(n if late is None else (n, depth), dtype=np.int64), (n,))
        self.into("s_in", (self.w.shape[1],))
        self.outport("a_out", (n,))

    def emit(self, t):
        buff = self.values["a_buff"]
        self.a_out.value = buff.copy() if buff.ndim == 1 else buff[:, 0].copy()
        if buff.ndim == 2:
            buff = np.roll(buff, -1, axis=1)
            buff[:, -1] = 0
            self.values["a_buff"] = buff

    def take(self, t):
        s = self.s_in.recv()
        s = s if self.bits else (s != 0).astype(np.int64)
        buff = self.values["a_buff"]
        if buff.ndim == 1:
            self.values["a_buff"] = shifted(self.w @ s, self.exp)
            return
        for k in range(buff.shape[1]):
            buff[:, k] += shifted((self.w * (self.delays == k)) @ s, self.exp)


def stored(w, bits, mode):
    if mode == SignMode.NULL:
        mode = SignMode.EXCITATORY if w.min() >= 0 else SignMode.MIXED
        mode = SignMode.INHIBITORY if w.max() <= 0 and w.min() < 0 else mode
    sign = -1 if mode == SignMode.INHIBITORY else 1
    mixed = int(mode == SignMode.MIXED)
    w = np.clip(sign * w, -256 * mixed, 255)
    cut = 8 - bits + mixed
    return sign * ((w >> cut) << cut)


def shifted(acc, exp):
    return acc << exp if exp > 0 else acc >> -exp


class DelayDense(Dense):
    def __init__(self, *, delays, **other):
        super().__init__(delays=delays, **other)


class Sparse(Dense):
    pass


class DelaySparse(DelayDense):
    pass


class Conv(Process):
    def __init__(
        self,
        *,
        weight,
        weight_exp=0,
        input_shape=(1, 1, 1),
        padding=0,
        stride=1,
        dilation=1,
        groups=1,
        num_weight_bits=8,
        num_message_bits=0,
        name=None,
    ):
        super().__init__(name)
        self.weight, self.bits, self.groups = np.asarray(weight), num_message_bits, groups
        self.padding, self.stride, self.dilation = padding, stride, dilation
        sizes = [
            (n + 2 * p - d * (k - 1) - 1) // s + 1
            for n, p, d, k, s in zip(
                input_shape[:2], padding, dilation, self.weight.shape[1:3], stride, strict=True
            )
        ]
        shape = (*sizes, self.weight.shape[0])
        self.var("a_buf", np.zeros(shape, dtype=np.int64), shape)
        self.into("s_in", input_shape)
        self.outport("a_out", shape)

    def emit(self, t):
        self.a_out.value = self.values["a_buf"].copy()

    def take(self, t):
        s = self.s_in.recv()
        s = s if self.bits else (s != 0).astype(np.int64)
        (px, py), (dx, dy), (sx, sy) = self.padding, self.dilation, self.stride
        padded = np.pad(s, ((px, px), (py, py), (0, 0)))
        out = np.zeros_like(self.values["a_buf"])
        n_out, kx, ky, n_in = self.weight.shape
        for o in range(n_out):
            first = n_in * (o * self.groups // n_out)
            for x in range(out.shape[0]):
                for y in range(out.shape[1]):
                    window = padded[
                        x * sx : x * sx + dx * (kx - 1) + 1 : dx,
                        y * sy : y * sy + dy * (ky - 1) + 1 : dy,
                        first : first + n_in,
                    ]
                    out[x, y, o] = np.sum(window * self.weight[o, ::-1, ::-1])
        self.values["a_buf"] = (out + M) % (2 * M) - M


class SourceRingBuffer(Process):
    def __init__(self, *, data):
        super().__init__()
        self.var("data", np.asarray(data), np.shape(data))
        self.outport("s_out", np.shape(data)[:-1])

    def emit(self, t):
        data = self.values["data"]
        self.s_out.value = data[..., (t - 1) % data.shape[-1]]


class SinkRingBuffer(Process):
    def __init__(self, *, shape, buffer):
        super().__init__()
        self.var("data", np.zeros((*shape, buffer), dtype=np.int64), (*shape, buffer))
        self.into("a_in", shape)

    def take(self, t):
        data = self.values["data"]
        data[..., (t - 1) % data.shape[-1]] = self.a_in.recv()


class Monitor(Process):
    def probe(self, target, num_steps):
        self.target, self.steps = target, num_steps
        self.data = np.zeros((num_steps, *target.shape), dtype=np.float64)
        self.neighbours.append(target.process)
        target.process.neighbours.append(self)

    def take(self, t):
        self.data[t - 1] = self.target.process.values[self.target.name]

    def get_data(self):
        return {self.target.process.name: {self.target.name: self.data}}


class Adapter(Process):
    adapter = True

    def __init__(self, shape, num_message_bits=0):
        super().__init__()
        CALLS.append(f"{type(self).__name__} {tuple(shape)} {num_message_bits}")
        self.var("held", np.zeros(shape, dtype=np.int64), tuple(shape))
        self.into("inp", shape)
        self.outport("out", shape)

    def emit(self, t):
        self.out.value = self.values["held"].copy()

    def take(self, t):
        self.values["held"] = self.inp.recv()


class PyToNxAdapter(Adapter):
    pass


class PyToN3ConvAdapter(Adapter):
    pass


class NxToPyAdapter(Adapter):
    def take(self, t):
        self.values["held"] = self.inp.recv() & 0xFFFFFF


class Read(Adapter):
    def __init__(self, shape, interval, offset):
        assert (interval, offset) == (1, 0)
        super().__init__(shape)

    def connect_var(self, var):
        self.target = var
        self.neighbours.append(var.process)
        var.process.neighbours.append(self)

    def take(self, t):
        values = np.asarray(self.target.process.values[self.target.name])
        self.values["held"] = values.astype(np.int64) & 0xFFFFFF


class RunSteps:
    def __init__(self, num_steps, blocking=True):
        assert blocking
        self.num_steps = num_steps


class Loihi2SimCfg:
    callback_fxs = ()

    def __init__(self, select_tag=None):
        assert select_tag == "fixed_pt"


class Loihi2HwCfg:
    def __init__(self, select_tag=None, callback_fxs=None):
        self.callback_fxs = callback_fxs or []


class Loihi2Power:
    def __init__(self, num_steps):
        self.capacity = num_steps

    def measure(self, steps):
        self.static_power, self.total_power = np.array([0.5]), np.array([1.25])


class Loihi2ExecutionTime:
    def measure(self, steps):
        self.avg_time_per_step = 12.5
        self.execution_time_per_step = np.full(steps, 12.5)


class Loihi2Memory:
    def measure(self, steps):
        self.used = 3


class Loihi2Activity:
    def measure(self, steps):
        self.synaptic_operations = 7


class ChipGeneration(enum.Enum):
    N2A2 = "N2A2"
    N3B3 = "N3B3"
    N3C1 = "N3C1"


def use_slurm_host(partition=None, board=None, loihi_gen=ChipGeneration.N3B3):
    fail("host")
    CALLS.append(f"slurm {partition} {board} {loihi_gen.value}")


def use_ethernet_host(host_address, host_binary_path="default", loihi_gen=ChipGeneration.N3B3):
    fail("host")
    CALLS.append(f"ethernet {host_address} {host_binary_path} {loihi_gen.value}")


TREE = {
    "lava.proc.lif.process": ("LIF", "LIFReset", "TernaryLIF"),
    "lava.proc.rf.process": ("RF",),
    "lava.proc.rf_iz.process": ("RF_IZ",),
    "lava.proc.sdn.process": ("Delta", "SigmaDelta", "Sigma", "ActivationMode"),
    "lava.proc.dense.process": ("Dense", "DelayDense"),
    "lava.proc.sparse.process": ("Sparse", "DelaySparse"),
    "lava.proc.conv.process": ("Conv",),
    "lava.proc.monitor.process": ("Monitor",),
    "lava.utils.weightutils": ("SignMode",),
    "lava.magma.core.run_conditions": ("RunSteps",),
    "lava.magma.core.run_configs": ("Loihi2SimCfg", "Loihi2HwCfg"),
    "lava.proc.io.source": {"RingBuffer": "SourceRingBuffer"},
    "lava.proc.io.sink": {"RingBuffer": "SinkRingBuffer"},
}
HARDWARE_TREE = {
    "lava.proc.embedded_io.spike": ("PyToNxAdapter", "PyToN3ConvAdapter", "NxToPyAdapter"),
    "lava.proc.embedded_io.state": ("Read",),
    "lava.utils.loihi2_profiler": (
        "Loihi2Power",
        "Loihi2ExecutionTime",
        "Loihi2Memory",
        "Loihi2Activity",
    ),
    "lava.utils.loihi": ("ChipGeneration", "use_slurm_host", "use_ethernet_host"),
    "lava.magma.compiler.subcompilers.nc.ncproc_compiler": (),
}


def modules(*, hardware):
    """Return the emulated modules by name, packages included."""
    found = {}
    for name, contents in {**TREE, **(HARDWARE_TREE if hardware else {})}.items():
        module = types.ModuleType(name)
        names = contents if isinstance(contents, dict) else dict.fromkeys(contents)
        for public, own in names.items():
            setattr(module, public, globals()[own or public])
        found[name] = module
        parts = name.split(".")
        for length in range(1, len(parts)):
            package = types.ModuleType(".".join(parts[:length]))
            package.__path__ = []
            found.setdefault(package.__name__, package)
    return found


def write_tree(folder, *, hardware=False):
    """Write the package tree as files, for PYTHONPATH."""
    root = Path(folder)
    root.mkdir(parents=True, exist_ok=True)
    source = Path(__file__).read_text(encoding="utf-8")
    (root / "emulated_lava.py").write_text(source, encoding="utf-8")
    for name, contents in {**TREE, **(HARDWARE_TREE if hardware else {})}.items():
        path = root.joinpath(*name.split("."))
        path.parent.mkdir(parents=True, exist_ok=True)
        names = contents if isinstance(contents, dict) else dict.fromkeys(contents)
        lines = [f"from emulated_lava import {own or n} as {n}\n" for n, own in names.items()]
        path.with_suffix(".py").write_text("".join(lines), encoding="utf-8")
    return root


def clear():
    """Forget calls and faults, as a fresh interpreter would."""
    FAULTS.clear()
    CALLS.clear()
    ALIVE.clear()


sys.modules.setdefault("emulated_lava", sys.modules[__name__])
