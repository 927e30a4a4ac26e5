"""Run a described network with the vendor's Lava; needs numpy and lava, nothing of this project.

It is a program for another interpreter: ``python lava_worker.py about|run|check-net ...``; sessions
in this interpreter use its classes as well. A job is an ``.npz`` file with a JSON document
(``job``) and the arrays that it names.

References
----------
Lava 0.10.0 documentation: processes Dense, Sparse, Conv, LIF, RF, Delta, SigmaDelta, RingBuffer,
Monitor; run configurations Loihi2SimCfg and Loihi2HwCfg.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Any

import numpy as np

HARDWARE_MODULE = "lava.magma.compiler.subcompilers.nc.ncproc_compiler"
IN_STEPS = 1
"""Steps that the adapter in front of a chip adds."""
OUT_STEPS = 1
"""Steps that the adapter behind a chip adds."""
_HOME = {
    "LIF": "lava.proc.lif.process",
    "LIFReset": "lava.proc.lif.process",
    "TernaryLIF": "lava.proc.lif.process",
    "RF": "lava.proc.rf.process",
    "RF_IZ": "lava.proc.rf_iz.process",
    "Delta": "lava.proc.sdn.process",
    "SigmaDelta": "lava.proc.sdn.process",
    "Sigma": "lava.proc.sdn.process",
    "ActivationMode": "lava.proc.sdn.process",
    "Dense": "lava.proc.dense.process",
    "DelayDense": "lava.proc.dense.process",
    "Sparse": "lava.proc.sparse.process",
    "DelaySparse": "lava.proc.sparse.process",
    "Conv": "lava.proc.conv.process",
    "Monitor": "lava.proc.monitor.process",
    "SignMode": "lava.utils.weightutils",
    "RunSteps": "lava.magma.core.run_conditions",
    "Loihi2SimCfg": "lava.magma.core.run_configs",
    "Loihi2HwCfg": "lava.magma.core.run_configs",
}
_MODULES = {
    "source": "lava.proc.io.source",
    "sink": "lava.proc.io.sink",
    "spike_io": "lava.proc.embedded_io.spike",
    "state_io": "lava.proc.embedded_io.state",
    "profiler": "lava.utils.loihi2_profiler",
    "loihi": "lava.utils.loihi",
}
STATES = {
    "LIF": ("u", "v"),
    "LIFReset": ("u", "v"),
    "TernaryLIF": ("u", "v"),
    "RF": ("real", "imag"),
    "RF_IZ": ("real", "imag"),
    "Delta": ("act", "residue"),
    "SigmaDelta": ("sigma", "act", "residue"),
    "Sigma": ("sigma",),
    "Dense": ("a_buff",),
    "DelayDense": ("a_buff",),
    "Sparse": ("a_buff",),
    "DelaySparse": ("a_buff",),
    "Conv": ("a_buf",),
}
"""What must be kept for a network to go on where it ended, by class."""
_PROFILE = {
    "Loihi2Power": ("static_power", "vdd_power", "vddm_power", "vddio_power", "total_power"),
    "Loihi2ExecutionTime": ("avg_time_per_step", "execution_time_per_step"),
    "Loihi2Memory": (),
    "Loihi2Activity": (),
}


class Sdk:
    """The vendor's classes by name, imported when they are first asked for."""

    def __getattr__(self, name: str) -> Any:
        if name in _MODULES:
            return importlib.import_module(_MODULES[name])
        if name in _HOME:
            return getattr(importlib.import_module(_HOME[name]), name)
        raise AttributeError(f"no class {name!r} of the vendor's SDK is used here")


class Network:
    """Lava processes of a described network, and their runs.

    Parameters
    ----------
    job : mapping
        ``sources``, ``processes``, ``links``, ``sinks``, ``probes``; see `describe` of the driver.
    arrays : mapping of str to array
        What the job names; sources under ``"source/<name>"``, shape ``(..., steps)``.
    sdk : Sdk
        The vendor's classes.
    steps : int
        Length of the ring buffers, >= 1.
    hardware : bool
        Insert the adapters that a chip needs.
    state : mapping of str to array
        ``"<process>/<variable>"`` to start from.
    """

    def __init__(
        self,
        job: Mapping[str, Any],
        arrays: Mapping[str, Any],
        *,
        sdk: Any,
        steps: int,
        hardware: bool = False,
        state: Mapping[str, Any] | None = None,
    ) -> None:
        self.sdk, self.steps, self.hardware = sdk, steps, hardware
        self.elapsed = 0
        self.processes: dict[str, Any] = {}
        self.sources: dict[str, Any] = {}
        self.sinks: dict[str, Any] = {}
        self.probes: dict[str, tuple[Any, Any]] = {}
        self.profilers: dict[str, Any] = {}
        self._job, self._started = job, False
        self._ports: dict[str, Any] = {}
        self._anchors: list[Any] = []
        self._stopped = False
        self._classes = {p["name"]: p["class"] for p in (*job["processes"], *job["links"])}
        self._shapes = {p["name"]: tuple(p["shape"]) for p in job["processes"]}
        self._build(arrays, state or {})

    def _build(self, arrays: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        for entry in self._job["processes"]:
            self.processes[entry["name"]] = self._process(entry, arrays)
        for entry in self._job["sources"]:
            self._add_source(entry, arrays[f"source/{entry['name']}"])
        for entry in self._job["links"]:
            self.processes[entry["name"]] = self._process(entry, arrays)
            self._connect(entry)
        for name in self._job["sinks"]:
            self._add_sink(name, self.processes[name].s_out, self._shapes[name])
        for name, variable in self._job["probes"]:
            self._add_probe(name, variable)
        for key, values in state.items():
            name, variable = key.rsplit("/", 1)
            getattr(self.processes[name], variable).init = np.asarray(values)

    def _process(self, entry: Mapping[str, Any], arrays: Mapping[str, Any]) -> Any:
        given = {k: self._value(v, arrays) for k, v in entry["args"].items()}
        process = getattr(self.sdk, entry["class"])(**given)
        given |= {k: self._value(v, arrays) for k, v in entry.get("init", {}).items()}
        for name, value in given.items():
            variable: Any = getattr(process, name, None)
            if name in entry.get("init", {}):
                variable.init = value
            if isinstance(value, np.ndarray) and getattr(variable, "shape", None) == (1,):
                variable.shape = value.shape  # declared for one value, taken for every neuron
        return process

    def _value(self, value: Any, arrays: Mapping[str, Any]) -> Any:
        """Return what an argument of the document stands for."""
        if isinstance(value, dict):
            if "array" in value:
                return arrays[value["array"]]
            if "csr" in value:
                return _csr(arrays, value["csr"], value["shape"])
            return getattr(getattr(self.sdk, value["enum"]), value["member"])
        return tuple(value) if isinstance(value, list) else value

    def _add_source(self, entry: Mapping[str, Any], data: Any) -> None:
        source = self.sdk.source.RingBuffer(data=data)
        self.sources[entry["name"]] = source
        port = source.s_out
        if self.hardware:
            adapters = self.sdk.spike_io
            bits = {"num_message_bits": int(entry["message_bits"])}
            kind = adapters.PyToN3ConvAdapter if entry["conv"] else adapters.PyToNxAdapter
            adapter = kind(shape=tuple(entry["shape"]), **bits)
            self.processes[f"adapter/{entry['name']}"] = adapter
            port.connect(adapter.inp)
            port = adapter.out
        self._shapes[entry["name"]] = tuple(entry["shape"])
        self._ports[entry["name"]] = port
        for target in entry["drives"]:
            self._join(port, entry["shape"], self.processes[target].a_in, self._shapes[target])

    def _connect(self, entry: Mapping[str, Any]) -> None:
        link, source, target = self.processes[entry["name"]], entry["source"], entry["target"]
        own = self._ports.get(source)
        port = self.processes[source].s_out if own is None else own
        self._join(port, self._shapes[source], link.s_in, entry["in_shape"])
        into = getattr(self.processes[target], entry["port"])
        self._join(link.a_out, entry["out_shape"], into, self._shapes[target])

    def _join(self, port: Any, shape: Sequence[int], into: Any, wanted: Sequence[int]) -> None:
        if tuple(shape) != tuple(wanted):
            port = port.reshape(tuple(wanted))
        port.connect(into)

    def _add_sink(self, name: str, port: Any, shape: tuple[int, ...]) -> None:
        sink = self.sdk.sink.RingBuffer(shape=shape, buffer=self.steps)
        if self.hardware:
            adapter = self.sdk.spike_io.NxToPyAdapter(shape=shape, num_message_bits=24)
            self.processes[f"adapter/out/{name}"] = adapter
            port.connect(adapter.inp)
            port = adapter.out
        port.connect(sink.a_in)
        self.sinks[name] = sink

    def _add_probe(self, name: str, variable: str) -> None:
        var = getattr(self.processes[name], variable)
        if not self.hardware:
            monitor = self.sdk.Monitor()
            monitor.probe(var, self.steps)
            self.probes[f"{name}/{variable}"] = (monitor, var)
            return
        reader = self.sdk.state_io.Read(shape=self._shapes[name], interval=1, offset=0)
        reader.connect_var(var)
        sink = self.sdk.sink.RingBuffer(shape=self._shapes[name], buffer=self.steps)
        reader.out.connect(sink.a_in)
        self.probes[f"{name}/{variable}"] = (sink, reader)

    def anchors(self) -> list[Any]:
        """Return one process of each part of the network that hangs together."""
        group = {name: name for name in self._shapes}

        def root(name: str) -> str:
            while group[name] != name:
                name = group[name]
            return name

        pairs = [(e["source"], e["target"]) for e in self._job["links"]]
        pairs += [(e["name"], t) for e in self._job["sources"] for t in e["drives"]]
        for one, other in pairs:
            group[root(one)] = root(other)
        roots = {root(p["name"]) for p in self._job["processes"]}
        return [self.processes[name] for name in sorted(roots)]

    def run_config(self, *, profile: bool = False, steps: int = 0) -> Any:
        """Return the vendor's run configuration, with profilers if they are wanted."""
        if not self.hardware:
            return self.sdk.Loihi2SimCfg(select_tag="fixed_pt")
        if not profile:
            return self.sdk.Loihi2HwCfg()
        made = self.sdk.profiler
        self.profilers = {n: getattr(made, n) for n in _PROFILE if hasattr(made, n)}
        self.profilers = {
            n: cls(num_steps=steps) if n == "Loihi2Power" else cls()
            for n, cls in self.profilers.items()
        }
        return self.sdk.Loihi2HwCfg(callback_fxs=list(self.profilers.values()))

    def start(self, *, profile: bool = False) -> None:
        """Prepare the run configuration."""
        self._config = self.run_config(profile=profile, steps=self.steps)
        self._anchors = self.anchors()

    def advance(self, steps: int, drives: Mapping[str, Any] | None = None) -> None:
        """Run some steps; with drives, biases ``{process: (steps, *shape)}`` change on the way."""
        given = dict(drives or {})
        changes = {0, steps}
        for values in given.values():
            rows = np.asarray(values).reshape(steps, -1)
            changes |= set((1 + np.flatnonzero(np.any(rows[1:] != rows[:-1], axis=1))).tolist())
        points = sorted(changes)
        for first, last in pairwise(points):
            for name, values in given.items():
                if first == 0 or np.any(values[first] != values[first - 1]):
                    self._write(name, values[first])
            self._run(last - first)

    def _write(self, name: str, values: Any) -> None:
        variable = self.processes[name].bias_mant
        if self._started:
            variable.set(values)
        else:
            variable.init = values

    def _run(self, steps: int) -> None:
        for anchor in self._anchors:
            condition = self.sdk.RunSteps(num_steps=steps, blocking=True)
            anchor.run(condition=condition, run_cfg=self._config)
            if self._stopped:  # while this call hung, the caller gave up
                anchor.stop()
                return
        self._started = True
        self.elapsed += steps

    def load(self, data: Mapping[str, Any]) -> None:
        """Write the inputs of the next steps, (..., n) each, into the ring buffers."""
        for name, values in data.items():
            variable = self.sources[name].data
            shape = (*self._shapes[name], self.steps)
            ring = np.asarray(variable.get() if self._started else variable.init).reshape(shape)
            ring = _ints(ring)
            ring[..., self._positions(values.shape[-1])] = values
            if self._started:
                variable.set(ring)
            else:
                variable.init = ring

    def _positions(self, steps: int) -> Any:
        return (self.elapsed + np.arange(steps)) % self.steps

    def signals(self, steps: int) -> dict[str, Any]:
        """Return what the last steps gave: ``sink/<name>`` and ``probe/<name>/<variable>``."""
        where = (self.elapsed - steps + np.arange(steps)) % self.steps
        found = {f"sink/{name}": _ints(s.data.get())[..., where] for name, s in self.sinks.items()}
        for key, (reader, var) in self.probes.items():
            if self.hardware:
                found[f"probe/{key}"] = _ints(reader.data.get())[..., where]
            else:
                values = reader.get_data()[var.process.name][var.name]
                found[f"probe/{key}"] = np.moveaxis(_ints(values)[where], 0, -1)
        if self.hardware:
            found = {key: sign_extended(values) for key, values in found.items()}
        return found

    def state(self, only: Iterable[str] | None = None) -> dict[str, Any]:
        """Return what is needed to go on, ``"<process>/<variable>"``, of all or some processes."""
        found = {}
        names = self._classes if only is None else sorted(only)
        for name in names:
            kind = self._classes[name]
            for variable in STATES[kind]:
                found[f"{name}/{variable}"] = _ints(getattr(self.processes[name], variable).get())
        return found

    def profile(self) -> dict[str, Any]:
        """Return what the profilers measured, by profiler and attribute."""
        return {name: _results(p, _PROFILE[name]) for name, p in self.profilers.items()}

    def stop(self) -> None:
        """End the vendor's runtime; every part is stopped, the first error leaves."""
        failure: BaseException | None = None
        self._stopped = True
        for anchor in self._anchors:
            try:
                anchor.stop()
            except BaseException as error:
                failure = failure or error
        if failure is not None:
            raise failure


def sign_extended(values: Any) -> Any:
    """Return 24-bit words as signed integers: ``(x << 8) >> 8`` in 32 bits."""
    return ((np.asarray(values).astype(np.int64).astype(np.int32) << 8) >> 8).astype(np.int64)


def _ints(values: Any) -> Any:
    return np.rint(np.asarray(values)).astype(np.int64)


def _csr(arrays: Mapping[str, Any], key: str, shape: Sequence[int]) -> Any:
    sparse = importlib.import_module("scipy.sparse")
    parts = tuple(arrays[f"{key}/{part}"] for part in ("data", "indices", "indptr"))
    return sparse.csr_matrix(parts, shape=tuple(shape))


def _results(profiler: Any, names: Iterable[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    public = [n for n in vars(profiler) if not n.startswith("_")]
    for name in dict.fromkeys((*names, *public)):
        with suppress(Exception):  # a profiler may have nothing to say about this board
            value = np.asarray(getattr(profiler, name))
            if value.dtype.kind in "iuf":
                found[name] = value.tolist()
    return found


def run_job(job: Mapping[str, Any], arrays: Mapping[str, Any], sdk: Any) -> dict[str, Any]:
    """Build, run and stop a network once.

    Parameters
    ----------
    job : mapping
        The description, with ``steps``, ``hardware``, ``profile``.
    arrays : mapping of str to array
        With ``source/...``, ``drive/<process>`` (steps, *shape) and ``state/<process>/<variable>``.
    sdk : Sdk
        The vendor's classes.

    Returns
    -------
    dict of str to array
        ``sink/...``, ``probe/...``, ``state/...`` (not from a chip), ``profile`` as JSON.
    """
    steps, hardware = int(job["steps"]), bool(job.get("hardware"))
    if hardware and job.get("host"):
        use_host(sdk, job["host"])
    prefixed = dict(_below(arrays, "state/"))
    network = Network(job, arrays, sdk=sdk, steps=steps, hardware=hardware, state=prefixed)
    network.start(profile=bool(job.get("profile")))
    try:
        network.advance(steps, dict(_below(arrays, "drive/")))
        found: dict[str, Any] = network.signals(steps)
        if not hardware:
            found |= {f"state/{k}": v for k, v in network.state().items()}
    except BaseException:
        with suppress(Exception):
            network.stop()
        raise
    network.stop()
    found["profile"] = np.array(json.dumps(network.profile()))
    return found


def _below(arrays: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    return ((k[len(prefix) :], v) for k, v in arrays.items() if k.startswith(prefix))


def use_host(sdk: Any, host: Mapping[str, Any]) -> None:
    """Tell the SDK where the board is: over SLURM, or over Ethernet if there is an address."""
    module = sdk.loihi
    chosen = {"loihi_gen": getattr(module.ChipGeneration, host["generation"])}
    if host.get("address"):
        if host.get("binary"):
            chosen["host_binary_path"] = host["binary"]
        module.use_ethernet_host(host["address"], **chosen)
    else:
        module.use_slurm_host(partition=host.get("partition"), board=host.get("board"), **chosen)


def about() -> dict[str, Any]:
    """Return versions, and what of the vendor's software this interpreter has."""
    found: dict[str, Any] = {"python": platform.python_version(), "numpy": np.__version__}
    found["hardware"] = False
    try:
        importlib.import_module(_HOME["LIF"])
    except Exception as error:
        found["problem"] = f"Lava cannot be imported: {type(error).__name__}: {error}"
        return found
    with suppress(ImportError):
        found["hardware"] = importlib.util.find_spec(HARDWARE_MODULE) is not None
    found["lava"] = _version("lava-nc")
    found["lava_dl"] = _version("lava-dl")
    return found


def _version(distribution: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def check_net(path: str) -> dict[str, Any]:
    """Open a ``.net`` file with the vendor's reader and return its layers."""
    reader = importlib.import_module("lava.lib.dl.netx.hdf5")
    network = reader.Network(net_config=path)
    layers = [{"type": type(x).__name__, "shape": _shape_of(x)} for x in network.layers]
    return {"layers": layers, "table": str(network)}


def _shape_of(layer: Any) -> list[int]:
    shape = getattr(layer, "shape", None)
    return [int(n) for n in (layer.out.shape if shape is None else shape)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("about")
    for name, first in (("run", "job"), ("check-net", "net")):
        command = commands.add_parser(name)
        command.add_argument(first)
        command.add_argument("result")
    given = parser.parse_args(arguments)
    if given.command == "about":
        print(json.dumps(about()))
        return 0
    if given.command == "check-net":
        report = check_net(given.net)
        with open(given.result, "w", encoding="utf-8") as file:
            json.dump(report, file)
        return 0
    with np.load(given.job, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    result = run_job(json.loads(str(arrays.pop("job"))), arrays, Sdk())
    with open(given.result, "wb") as binary:
        np.savez(binary, **result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
