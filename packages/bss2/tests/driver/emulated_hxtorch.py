"""An emulation of hxtorch, with the names, signatures and rules that its sources document.

Modules are called to connect them, run() fills their handles in place and forgets the connections.
What is not documented (``output_handle``, the arguments of a wrapper's function) is as the driver
expects it, in both forms. Calls in a wrong order and wrong arguments raise ContractError.
"""

from __future__ import annotations

import math
import os
import sys
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import torch

from ranvier_bss2.records import cadc_grid, grid_length, spike_grid

networks = sys.modules["bss2_emulated_networks"]
expect, told_population = networks.expect, networks.told_population
told_projection = networks.told_projection
OFF = {"leaky", "fire", "exponential", "subthreshold_adaptation", "spike_triggered_adaptation"}
RANGES = {
    "leak": (50, 160),
    "reset": (50, 160),
    "threshold": (50, 220),
    "tau_mem": (0.5e-6, 60e-6),
    "tau_syn": (0.3e-6, 30e-6),
    "i_synin_gm": (30, 800),
    "membrane_capacitance": (0, 63),
    "refractory_time": (0.04e-6, 32e-6),
    "holdoff_time": (0, 4e-6),
    "synapse_dac_bias": (30, 1022),
}


@dataclass
class Faults:
    """What goes wrong; nothing by default."""

    init_fails: str = ""
    init_interrupted: bool = False
    router_fails: str = ""
    run_fails: str = ""
    interrupted: bool = False
    release_fails: str = ""
    wrong_shape: bool = False
    madc_jitter: int = 0
    wrapper_by_name: bool = False
    lacks_output_handle: bool = False


class Mixed:
    def __init__(self, model_value, hardware_value):
        self.model_value, self.hardware_value = model_value, hardware_value


class Handle:
    fields: tuple = ()

    def __init__(self, *args, **values):
        args_by_name = dict(zip(self.fields, args, strict=False))
        unknown = set(values) - set(self.fields)
        if unknown:
            raise TypeError(f"unexpected keyword {sorted(unknown)}")
        for name in self.fields:
            setattr(self, name, values.get(name, args_by_name.get(name)))

    def put(self, **values):
        for name, value in values.items():
            setattr(self, name, value)


class LIFObservables(Handle):
    fields = ("current", "membrane_cadc", "membrane_madc", "spikes")


class LIObservables(Handle):
    fields = ("current", "membrane_cadc", "membrane_madc")


class AELIFObservables(Handle):
    fields = ("adaptation_cadc", "adaptation_madc", *LIFObservables.fields)


class NeuronHandle(Handle):
    fields = ("spikes", "membrane_cadc", "current", "membrane_madc")


class ReadoutNeuronHandle(Handle):
    fields = ("membrane_cadc", "current", "membrane_madc")


class SynapseHandle(Handle):
    fields = ("graded_spikes",)


class EmulatedHxtorch:
    """The stack. ``modules()`` is what goes into sys.modules.

    Attributes
    ----------
    calls : list of str
        What was asked for, in order.
    calibrations : list
        Calibration files given to instances.
    """

    def __init__(self, silicon, *, old=False, faults=None):
        self.silicon, self.old, self.faults = silicon, old, faults or Faults()
        self.calls, self.calibrations, self.connected = [], [], False
        self.built = []
        self.environments = []
        self.experiments = []
        self.space = self._space()
        self.module = SimpleNamespace(
            __name__="hxtorch",
            __spec__=None,
            init_hardware=self.init_hardware,
            init_hardware_minimal=self.init_hardware_minimal,
            release_hardware=self.release_hardware,
            get_unique_identifier=self.get_unique_identifier,
        )

    def modules(self):
        home = "hxtorch.snn" if self.old else "hxtorch.spiking"
        return {"hxtorch": self.module, home: self.space}

    def init_hardware(self, hwdb_path=None, ann=False):
        self._init(f"init ann={ann}" if ann else "init")

    def init_hardware_minimal(self):
        self._init("init minimal")

    def _init(self, call):
        self.calls.append(call)
        self.environments.append({k: v for k, v in os.environ.items() if "QUIGGELDY" in k})
        expect(not self.connected, "init_hardware twice")
        if self.faults.init_fails:
            raise RuntimeError(self.faults.init_fails)
        self.connected = True
        if self.faults.init_interrupted:
            raise KeyboardInterrupt

    def release_hardware(self):
        self.calls.append("release")
        if self.faults.release_fails:
            raise RuntimeError(self.faults.release_fails)
        self.connected = False

    def get_unique_identifier(self):
        self.need_connection()
        return self.silicon.identifier

    def need_connection(self):
        if not self.connected:
            raise RuntimeError("No connection present.")

    def _space(self):
        stack = self

        class Experiment(_Experiment):
            def __init__(self, mock=False, dt=1e-6):
                expect(mock is False, "mock=True runs on no chip")
                super().__init__(stack, dt)
                stack.experiments.append(self)

        names = {
            "Experiment": Experiment,
            "ExecutionInstance": lambda: _Instance(stack),
            "Synapse": Synapse,
            "SparseSynapse": SparseSynapse,
            "HXModuleWrapper": HXModuleWrapper,
            "parameter": SimpleNamespace(MixedHXModelParameter=Mixed),
            "morphology": SimpleNamespace(SingleCompartmentNeuron=_Structure),
            "run": self.run,
        }
        new = {
            "LIF": LIF,
            "LI": LI,
            "AELIF": AELIF,
            "LIFObservables": LIFObservables,
            "MixedHXModelParameter": Mixed,
        }
        old = {"Neuron": Neuron, "ReadoutNeuron": ReadoutNeuron, "NeuronHandle": NeuronHandle}
        return SimpleNamespace(__name__="hxtorch.spiking", **names, **(old if self.old else new))

    def run(self, experiment, runtime):
        self.calls.append(f"run {runtime}")
        self.need_connection()
        if type(runtime) is not int:
            raise ValueError("Requested runtime invalid.")
        if int(runtime * experiment.dt * 1e6 * 125) > 2**32 - 1:
            raise ValueError("Runtime is longer than the maximum of the timer.")
        if self.faults.router_fails:
            raise RuntimeError(self.faults.router_fails)
        graph = _Graph(experiment)
        graph.check()
        if self.faults.run_fails:
            raise RuntimeError(self.faults.run_fails)
        if self.faults.interrupted:
            raise KeyboardInterrupt
        populations, projections, inputs = graph.told(runtime)
        self.built.append((populations, projections))
        raw = self.silicon.run(populations, projections, inputs, dt=experiment.dt)
        for wrapper in experiment.wrappers:
            wrapper.data = {}
        for k, neuron in enumerate(graph.neurons):
            found = neuron.observed(raw, f"part{k}", runtime, experiment.dt, self.faults)
            mine = [w for w in experiment.wrappers if neuron in w.members.values()]
            if mine:
                mine[0].data[neuron] = found
            else:
                neuron.output_handle_.put(**found)
        for wrapper in experiment.wrappers:
            wrapper.fill(self.faults)
        experiment.calls = []
        return SimpleNamespace(time={}, health_info={})


class _Instance:
    def __init__(self, stack):
        self.stack, self.calibration = stack, None

    def load_calib(self, calib_path=None):
        expect(type(calib_path) is str, f"load_calib({calib_path!r})")
        self.calibration = calib_path
        self.stack.calibrations.append(calib_path)


class _Structure:
    def __init__(self, size, expand_horizontally=False):
        expect(type(size) is int and size >= 1, f"size {size!r}")
        self.size = size
        self.compartments = ("vertical", size)


class _Experiment:
    def __init__(self, stack, dt):
        self.stack, self.dt = stack, dt
        self.default_execution_instance = _Instance(stack)
        self.neurons, self.synapses, self.wrappers, self.calls = [], [], [], []


class _Module:
    handle = Handle

    def _register(self, experiment, execution_instance):
        expect(isinstance(experiment, _Experiment), "experiment")
        expect(isinstance(execution_instance, _Instance), "execution instance")
        self.experiment, self.instance = experiment, execution_instance
        self.output_handle_ = self.handle()
        if not experiment.stack.faults.lacks_output_handle:
            self.output_handle = self.output_handle_

    def __call__(self, *inputs):
        expect(inputs and all(isinstance(i, Handle) for i in inputs), "handles in")
        self.experiment.calls.append((self, inputs))
        return self.output_handle_


class Synapse(_Module):
    handle = SynapseHandle

    def __init__(
        self,
        in_features,
        out_features,
        experiment,
        execution_instance=None,
        chip_coordinate=None,
        device=None,
        dtype=None,
        transform=None,
        plasticity_rule=None,
    ):
        self._register(experiment, execution_instance)
        self.mask = np.ones((out_features, in_features), bool)
        bound = 1 / math.sqrt(in_features)
        self.weight = torch.nn.Parameter(
            torch.empty(out_features, in_features).uniform_(-bound, bound)
        )
        self.transform = transform
        experiment.synapses.append(self)

    def written(self):
        """Return what the two projections of a synapse get: rounded half away from zero."""
        t = self.transform(self.weight.detach()).double().numpy()
        exc, inh = np.trunc(np.maximum(t, 0) + 0.5), np.trunc(np.minimum(t, 0) - 0.5)
        return self._checked(exc.astype(int), inh.astype(int))

    @staticmethod
    def _checked(exc, inh):
        expect(exc.max(initial=0) <= 63 and inh.min(initial=0) >= -63, "weights beyond 63")
        return exc + inh


class SparseSynapse(Synapse):
    def __init__(self, connections, experiment, execution_instance=None, transform=None):
        expect(set(connections.unique().tolist()) <= {0.0, 1.0}, "connections are 0 or 1")
        n_in, n_out = connections.shape
        super().__init__(n_in, n_out, experiment, execution_instance, transform=transform)
        self.mask = connections.numpy().T > 0

    def written(self):
        t = self.transform(self.weight.detach()).double().numpy() * self.mask
        whole = np.trunc(t).astype(int)
        return self._checked(np.maximum(whole, 0), np.minimum(whole, 0))


class _Neurons(_Module):
    switches = ("leaky", "fire")

    def _init(self, size, experiment, instance, parameters, recording):
        self._register(experiment, instance)
        self.size, self.recording = size, SimpleNamespace(**recording)
        for name, value in parameters.items():
            expect(isinstance(value, Mixed), f"{name} = {value!r}: model and chip in one value")
            low, high = RANGES.get(name, (-math.inf, math.inf))
            chip = np.asarray(value.hardware_value, dtype=float)
            if chip.min() < low * (1 - 1e-6) or chip.max() > high * (1 + 1e-6):
                raise ValueError(f"{name} out of range")
        self.parameters = parameters
        structure = recording["neuron_structure"]
        self.circuits = 1 if structure is None else structure.size
        experiment.neurons.append(self)

    def _chip(self, name, default=0.0):
        value = self.parameters[name].hardware_value if name in self.parameters else default
        return np.asarray(value, dtype=float)

    def targets(self):
        tau_syn = self._chip("tau_syn")
        both = tau_syn if tau_syn.ndim == 2 or tau_syn.shape == (2,) else (tau_syn, tau_syn)
        return {
            "leak": self._chip("leak"),
            "reset": self._chip("reset", 80.0),
            "threshold": self._chip("threshold", 125.0),
            "tau_mem": self._chip("tau_mem"),
            "tau_syn_exc": both[0],
            "tau_syn_inh": both[1],
            "refractory": self._chip("refractory_time", 1e-6),
            "holdoff": self._chip("holdoff_time"),
            "i_synin_gm": self._chip("i_synin_gm"),
            "membrane_capacitance": self._chip("membrane_capacitance"),
            "synapse_dac_bias": self._chip("synapse_dac_bias"),
        }

    def model(self):
        known = {"tau_mem": "tau_mem", "tau_syn": "tau_syn", "refractory_time": "refractory"}
        found = {
            ours: np.asarray(self.parameters[name].model_value, dtype=float)
            for name, ours in known.items()
            if name in self.parameters
        }
        return {**found, "capacitance": found["tau_mem"]}

    def observed(self, raw, name, runtime, dt, faults):
        """Return the fields of the handle, (time, batch, n)."""
        r, own, length = self.recording, raw[name], grid_length(runtime, dt)
        found = {}
        if "fire" in self.switches and r.enable_spike_recording:
            dense = spike_grid(
                own.spikes, n_samples=raw.n_samples, size=self.size, length=length, dt=dt
            )
            found["spikes"] = torch.from_numpy(dense).permute(1, 0, 2)
        if r.enable_cadc_recording:
            rows = cadc_grid(
                own.cadc,
                length=length,
                dt=dt,
                interpolation=r.interpolation_mode,
                time_shift=r.cadc_time_shift,
                shift_to_first=r.shift_cadc_to_first,
                offset=r.trace_offset,
                scale=r.trace_scale,
            )
            found["membrane_cadc"] = torch.from_numpy(rows.astype(np.float32)).permute(1, 0, 2)
        if r.enable_madc_recording:
            times = np.repeat(own.madc.times[:, None], raw.n_samples, axis=1)
            times = times + faults.madc_jitter * np.arange(raw.n_samples)
            both = np.stack([times, own.madc.values.T.astype(np.int64)])
            found["membrane_madc"] = torch.from_numpy(both)
        if faults.wrong_shape:
            found = {k: v.permute(1, 0, 2) for k, v in found.items()}
        return found


def _recording(scope, *names):
    return {name: scope[name] for name in names}


_RECORDING = (
    "enable_spike_recording",
    "enable_cadc_recording",
    "enable_cadc_recording_placement_in_dram",
    "enable_madc_recording",
    "record_neuron_id",
    "placement_constraint",
    "trace_offset",
    "trace_scale",
    "cadc_time_shift",
    "shift_cadc_to_first",
    "interpolation_mode",
    "neuron_structure",
)
_FIRING = (
    "leak",
    "reset",
    "threshold",
    "tau_mem",
    "tau_syn",
    "i_synin_gm",
    "membrane_capacitance",
    "refractory_time",
    "synapse_dac_bias",
    "holdoff_time",
)
_READOUT = ("leak", "tau_mem", "tau_syn", "i_synin_gm", "membrane_capacitance", "synapse_dac_bias")
_ADAPTIVE = (
    *_FIRING,
    "exponential_slope",
    "exponential_threshold",
    "subthreshold_adaptation_strength",
    "spike_triggered_adaptation_increment",
    "tau_adap",
    "leak_adaptation",
)


class LIF(_Neurons):
    handle = LIFObservables

    def __init__(
        self,
        size,
        experiment,
        leak=80,
        reset=80,
        threshold=125,
        tau_mem=10e-6,
        tau_syn=10e-6,
        i_synin_gm=500,
        membrane_capacitance=None,
        refractory_time=1e-6,
        synapse_dac_bias=600,
        holdoff_time=0,
        method="superspike",
        alpha=50.0,
        execution_instance=None,
        enable_spike_recording=True,
        enable_cadc_recording=True,
        enable_cadc_recording_placement_in_dram=False,
        enable_madc_recording=False,
        record_neuron_id=None,
        placement_constraint=None,
        trace_offset=0.0,
        trace_scale=1.0,
        cadc_time_shift=0,
        shift_cadc_to_first=False,
        interpolation_mode="linear",
        neuron_structure=None,
    ):
        scope = locals()
        parameters = {name: scope[name] for name in _FIRING}
        self._init(size, experiment, execution_instance, parameters, _recording(scope, *_RECORDING))


class Neuron(_Neurons):
    """The name before September 2025: without a choice of the slow converter's memory."""

    handle = NeuronHandle

    def __init__(
        self,
        size,
        experiment,
        leak=80,
        reset=80,
        threshold=125,
        tau_mem=10e-6,
        tau_syn=10e-6,
        i_synin_gm=500,
        membrane_capacitance=None,
        refractory_time=1e-6,
        synapse_dac_bias=600,
        holdoff_time=0,
        method="superspike",
        alpha=50.0,
        execution_instance=None,
        enable_spike_recording=True,
        enable_cadc_recording=True,
        enable_madc_recording=False,
        record_neuron_id=None,
        placement_constraint=None,
        trace_offset=0.0,
        trace_scale=1.0,
        cadc_time_shift=0,
        shift_cadc_to_first=False,
        interpolation_mode="linear",
        neuron_structure=None,
    ):
        enable_cadc_recording_placement_in_dram = False
        scope = locals()
        parameters = {name: scope[name] for name in _FIRING}
        self._init(size, experiment, execution_instance, parameters, _recording(scope, *_RECORDING))


class LI(_Neurons):
    handle = LIObservables
    switches = ("leaky",)

    def __init__(
        self,
        size,
        experiment,
        leak=80,
        tau_mem=10e-6,
        tau_syn=10e-6,
        i_synin_gm=500,
        membrane_capacitance=None,
        synapse_dac_bias=600,
        execution_instance=None,
        enable_cadc_recording=True,
        enable_cadc_recording_placement_in_dram=False,
        enable_madc_recording=False,
        record_neuron_id=None,
        placement_constraint=None,
        trace_offset=0.0,
        trace_scale=1.0,
        cadc_time_shift=0,
        shift_cadc_to_first=False,
        interpolation_mode="linear",
        neuron_structure=None,
    ):
        enable_spike_recording = False
        scope = locals()
        parameters = {name: scope[name] for name in _READOUT}
        self._init(size, experiment, execution_instance, parameters, _recording(scope, *_RECORDING))


class ReadoutNeuron(LI):
    handle = ReadoutNeuronHandle


class AELIF(_Neurons):
    handle = AELIFObservables

    def __init__(
        self,
        size,
        experiment,
        leak=80,
        reset=80,
        threshold=125,
        tau_mem=10e-6,
        tau_syn=10e-6,
        i_synin_gm=500,
        membrane_capacitance=None,
        refractory_time=1e-6,
        synapse_dac_bias=600,
        holdoff_time=0,
        exponential_slope=50e-3,
        exponential_threshold=110,
        subthreshold_adaptation_strength=1,
        spike_triggered_adaptation_increment=1,
        clock_scale_adaptation_pulse=(5, 5),
        tau_adap=100e-6,
        leak_adaptation=None,
        leaky=True,
        fire=True,
        exponential=True,
        subthreshold_adaptation=True,
        spike_triggered_adaptation=True,
        method="superspike",
        alpha=50.0,
        execution_instance=None,
        enable_spike_recording=True,
        enable_cadc_recording=True,
        enable_cadc_recording_placement_in_dram=False,
        enable_madc_recording=False,
        record_neuron_id=None,
        placement_constraint=None,
        trace_offset=0.0,
        trace_scale=1.0,
        cadc_time_shift=0,
        shift_cadc_to_first=False,
        interpolation_mode="linear",
        neuron_structure=None,
    ):
        scope = locals()
        self.switches = tuple(sorted(name for name in OFF if scope[name]))
        parameters = {name: scope[name] for name in _ADAPTIVE}
        self._init(size, experiment, execution_instance, parameters, _recording(scope, *_RECORDING))

    def model(self):
        known = {
            "exponential_slope": "exp_slope",
            "exponential_threshold": "exp_threshold",
            "subthreshold_adaptation_strength": "a",
            "spike_triggered_adaptation_increment": "b",
            "tau_adap": "tau_adaptation",
            "leak_adaptation": "leak_adaptation",
            "leak": "leak",
            "reset": "reset",
            "threshold": "threshold",
        }
        found = {
            ours: np.asarray(self.parameters[name].model_value, dtype=float)
            for name, ours in known.items()
        }
        return {**super().model(), **found}


class HXModuleWrapper:
    def __init__(self, experiment, **modules):
        self.members = modules
        self.data = {}
        experiment.wrappers.append(self)

    def fill(self, faults):
        data = tuple(
            m.handle(**self.data[m]) if m in self.data else None for m in self.members.values()
        )
        if faults.wrapper_by_name:
            outputs = self.forward_func((), hw_data=data)
        else:
            outputs = self.forward_func((), data)
        for module, out in zip(self.members.values(), outputs, strict=True):
            if out is not None:
                module.output_handle_.put(**vars(out))


@dataclass
class _Graph:
    """What the calls since the last run connect."""

    experiment: _Experiment
    neurons: list = field(default_factory=list)

    def __post_init__(self):
        e = self.experiment
        called = [module for module, _ in e.calls]
        expect(len(called) == len(set(called)), "a module was called twice before a run")
        expect(set(called) == {*e.neurons, *e.synapses}, "modules were not called before the run")
        self.neurons = e.neurons
        self.inputs_of = dict(e.calls)
        self.made_by = {id(m.output_handle_): m for m in called}
        self.instances = list(dict.fromkeys(n.instance for n in self.neurons))

    def edges(self):
        """Return (source neuron or input handle, synapse, target neuron)."""
        for neuron in self.neurons:
            for handle in self.inputs_of[neuron]:
                synapse = self.made_by[id(handle)]
                expect(isinstance(synapse, Synapse), "a neuron is fed by synapses")
                (source,) = self.inputs_of[synapse]
                yield self.made_by.get(id(source), source), synapse, neuron

    def check(self):
        wrapped = [set(w.members.values()) for w in self.experiment.wrappers]
        after = {n: set() for n in self.neurons}
        for source, synapse, target in self.edges():
            if source not in after if isinstance(source, _Module) else True:
                continue
            if not any({source, synapse, target} <= members for members in wrapped):
                after[source].add(target)
        left = dict(after)
        while left:
            free = [n for n in left if not any(n in left[m] for m in left)]
            if not free:
                raise ValueError("Cannot sort modules with cyclic dependencies.")
            for n in free:
                del left[n]
        for instance in self.instances:
            own = [n for n in self.neurons if n.instance is instance]
            if sum(n.recording.enable_madc_recording for n in own) > 1:
                raise RuntimeError("MADC recording of one neuron per execution instance only.")
            for name in ("synapse_dac_bias", "i_synin_gm"):
                if len({float(n._chip(name)) for n in own}) > 1:
                    raise AttributeError(f"{name} must be equal for all neurons.")
            if sum(n.size * n.circuits for n in own) > 512:
                raise ValueError("Cannot register ID 0")
        memories = {
            n.recording.enable_cadc_recording_placement_in_dram
            for n in self.neurons
            if n.recording.enable_cadc_recording
        }
        if len(memories) > 1:
            raise RuntimeError("DRAM and SRAM CADC recording cannot be mixed.")

    def told(self, runtime):
        number = {n: k for k, n in enumerate(self.neurons)}
        instance = {i: k for k, i in enumerate(self.instances)}
        populations = []
        for k, n in enumerate(self.neurons):
            r = n.recording
            memory = "dram" if r.enable_cadc_recording_placement_in_dram else "sram"
            populations.append(
                told_population(
                    f"part{k}",
                    n.size,
                    switches=n.switches,
                    targets=n.targets(),
                    model=n.model(),
                    instance=instance[n.instance],
                    circuits=n.circuits,
                    cadc=memory if r.enable_cadc_recording else "off",
                    madc_neuron=r.record_neuron_id if r.enable_madc_recording else -1,
                )
            )
        inputs, weights = {}, {}
        for source, synapse, target in self.edges():
            if isinstance(source, _Module):
                start = f"part{number[source]}"
            else:
                start = f"input{id(source)}"
                rows = source.spikes
                expect(rows is not None, "input handles have spikes, by name")
                expect(rows.shape[0] == runtime, f"{rows.shape[0]} rows for {runtime} steps")
                expect(((rows == 0) | (rows == 1)).all(), "spikes are zeros and ones")
                inputs[start] = (rows.permute(1, 0, 2).numpy() > 0).astype(np.int64)
            key = (start, f"part{number[target]}")
            weight, mask = weights.get(key, (0, False))
            weights[key] = (weight + synapse.written(), mask | synapse.mask)
        projections = [
            told_projection(
                start,
                end,
                weight,
                connected=mask,
                delay=int(start.startswith("part") and int(start[4:]) >= int(end[4:])),
            )
            for (start, end), (weight, mask) in weights.items()
        ]
        return populations, projections, inputs
