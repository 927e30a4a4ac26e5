"""An emulation of pynn_brainscales.brainscales2, with the names that its sources document."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

networks = sys.modules["bss2_emulated_networks"]
expect = networks.expect
CELL = {
    "v_rest": 80,
    "v_reset": 70,
    "v_thresh": 125,
    "tau_m": 10,
    "tau_syn_E": 10,
    "tau_syn_I": 10,
    "cm": 63,
    "tau_refrac": 2,
    "i_synin_gm_E": 500,
    "i_synin_gm_I": 500,
    "synapse_dac_bias": 600,
}
GRID = 1e-6
"""Step of the emulator behind the stack, in s."""


class ConnectionError_(ValueError):
    """Stands for pynn's ConnectionError."""


@dataclass
class Faults:
    """What goes wrong; nothing by default."""

    setup_fails: str = ""
    run_fails: str = ""
    interrupted: bool = False
    end_fails: str = ""
    jitter: int = 0


class HXNeuron:
    def __init__(self):
        self.targets = None


class CalibHXNeuronCuba:
    def __init__(self, **parameters):
        expect(set(parameters) <= set(CELL), f"unknown {set(parameters) - set(CELL)}")
        self.targets = CELL | parameters


class SpikeSourceArray:
    def __init__(self, spike_times):
        self.spike_times = list(spike_times)


class SpikeSourcePoissonOnChip:
    def __init__(self, rate, seed):
        expect(type(rate) is float and rate >= 0 and type(seed) is int, "rate in Hz, seed")
        self.rate, self.seed = rate, seed


class StaticSynapse:
    def __init__(self, weight, delay=0):
        expect(delay == 0, "delays must be 0")
        self.weight = weight


class AllToAllConnector:
    pass


class Data:
    def __init__(self, **segment):
        self.segments = [SimpleNamespace(**segment)]


class Signal(np.ndarray):
    times = None


class Population:
    stack = None

    def __init__(self, size, cell):
        expect(self.stack.up, "Population before setup")
        self.size, self.cell, self.recorded, self.result = size, cell, {}, None
        if not isinstance(cell, SpikeSourceArray | SpikeSourcePoissonOnChip):
            self.stack.populations.append(self)

    def set(self, spike_times):
        expect(isinstance(self.cell, SpikeSourceArray), "set on a source only")
        expect(all(type(t) is float and t >= 0 for t in spike_times), "times are ms, >= 0")
        self.cell.spike_times = list(spike_times)

    def record(self, names, *, neurons=None):
        for name in names:
            expect(name in ("spikes", "v", "exc_synin", "inh_synin", "adaptation"), name)
            self.recorded[name] = neurons if neurons is not None else range(self.size)

    def __getitem__(self, which):
        expect(isinstance(which, slice), "a view is a slice")
        return View(self, range(*which.indices(self.size)))

    def get_data(self, name, *, neurons=None):
        expect(name in self.recorded and self.result is not None, f"{name} was not recorded")
        if name == "spikes":
            return Data(spiketrains=[self.result.trains[i] for i in range(self.size)])
        expect(list(neurons) == list(self.recorded["v"]), "not the recorded view")
        return Data(irregularlysampledsignals=[self.result.signal])


class View:
    def __init__(self, population, neurons):
        self.population, self.neurons = population, neurons

    def record(self, names):
        self.population.record(names, neurons=self.neurons)

    def get_data(self, name):
        return self.population.get_data(name, neurons=self.neurons)


class EmulatedPynn:
    """The stack; ``modules()`` is what goes into sys.modules."""

    def __init__(self, silicon, *, faults=None, dt=GRID):
        self.silicon, self.faults, self.dt = silicon, faults or Faults(), dt
        self.up, self.calls, self.setups, self.environments = False, [], [], []
        self.populations, self.projections = [], []
        self.stack = SimpleNamespace(
            __name__="pynn_brainscales.brainscales2",
            setup=self.setup,
            end=self.end,
            run=self.run,
            reset=self.reset,
            Population=type("Population", (Population,), {"stack": self}),
            Projection=self.projection,
            AllToAllConnector=AllToAllConnector,
            cells=SimpleNamespace(
                HXNeuron=HXNeuron,
                CalibHXNeuronCuba=CalibHXNeuronCuba,
                SpikeSourceArray=SpikeSourceArray,
                SpikeSourcePoissonOnChip=SpikeSourcePoissonOnChip,
            ),
            standardmodels=SimpleNamespace(synapses=SimpleNamespace(StaticSynapse=StaticSynapse)),
            helper=SimpleNamespace(
                chip_from_file=self.chip_from_file,
                chip_from_nightly=lambda: ("chip", "nightly"),
                nightly_calib_path=lambda: "/nightly/spiking_calix-native.pkl",
            ),
        )

    def modules(self):
        top = SimpleNamespace(__name__="pynn_brainscales", __spec__=None)
        return {"pynn_brainscales": top, "pynn_brainscales.brainscales2": self.stack}

    @staticmethod
    def chip_from_file(path):
        expect(type(path) is str, f"chip_from_file({path!r})")
        return ("chip", path)

    def setup(self, initial_config=None, neuronPermutation=None):
        self.calls.append("setup")
        self.environments.append({k: v for k, v in os.environ.items() if "QUIGGELDY" in k})
        expect(not self.up, "setup twice")
        if self.faults.setup_fails:
            raise RuntimeError(self.faults.setup_fails)
        if neuronPermutation is not None:
            expect(sorted(neuronPermutation) == list(range(512)), "a permutation of all circuits")
        self.up, self.populations, self.projections = True, [], []
        self.setups.append((initial_config, neuronPermutation))

    def end(self):
        self.calls.append("end")
        if self.faults.end_fails:
            raise RuntimeError(self.faults.end_fails)
        self.up = False

    def reset(self):
        expect(self.up, "reset before setup")

    def projection(self, source, target, connector, *, synapse_type, receptor_type):
        expect(isinstance(connector, AllToAllConnector), "connector")
        weight = np.asarray(synapse_type.weight)
        expect(weight.shape == (source.size, target.size), f"weights {weight.shape}")
        expect(weight.dtype.kind == "i", "weights are whole numbers")
        sign = {"excitatory": 1, "inhibitory": -1}[receptor_type]
        if (weight * sign < 0).any():
            raise ConnectionError_("weights of the wrong sign")
        self.projections.append((source, target, weight))

    def run(self, runtime):
        self.calls.append(f"run {runtime:g}")
        expect(self.up, "run before setup")
        if self.faults.run_fails:
            raise RuntimeError(self.faults.run_fails)
        if self.faults.interrupted:
            raise KeyboardInterrupt
        n_steps = round(runtime * 1e-3 / self.dt)
        told = [self._told(k, p) for k, p in enumerate(self.populations)]
        sources, projections = {}, []
        joined = {}
        for source, target, weight in self.projections:
            key = (source, target)
            joined[key] = joined.get(key, 0) + weight.T
        for (source, target), weight in joined.items():
            end = self.populations.index(target)
            if isinstance(source.cell, SpikeSourceArray):
                start, delay = f"source{id(source)}", 0
                rows = np.zeros((1, n_steps, 1), dtype=np.int64)
                steps = np.rint(np.array(source.cell.spike_times) * 1e-3 / self.dt).astype(int)
                rows[0, steps[steps < n_steps]] = 1
                sources[start] = rows
            elif isinstance(source.cell, SpikeSourcePoissonOnChip):
                start, delay, cell = f"source{id(source)}", 0, source.cell
                drawn = np.random.default_rng(cell.seed).random((1, n_steps, source.size))
                sources[start] = (drawn < cell.rate * self.dt).astype(np.int64)
            else:
                start = f"part{self.populations.index(source)}"
                delay = int(self.populations.index(source) >= end)
            projections.append(networks.told_projection(start, f"part{end}", weight, delay=delay))
        raw = self.silicon.run(told, projections, sources, dt=self.dt)
        for k, population in enumerate(self.populations):
            population.result = self._result(population, raw[f"part{k}"])

    def _told(self, k, population):
        t = population.cell.targets or CELL
        us = {"tau_mem": "tau_m", "tau_syn_exc": "tau_syn_E", "tau_syn_inh": "tau_syn_I"}
        targets = {ours: np.asarray(t[name]) * 1e-6 for ours, name in us.items()}
        targets |= {
            "leak": t["v_rest"],
            "reset": t["v_reset"],
            "threshold": t["v_thresh"],
            "refractory": np.asarray(t["tau_refrac"]) * 1e-6,
            "holdoff": 0.0,
            "i_synin_gm": t["i_synin_gm_E"],
            "membrane_capacitance": t["cm"],
            "synapse_dac_bias": t["synapse_dac_bias"],
        }
        model = {"tau_mem": targets["tau_mem"], "capacitance": targets["tau_mem"]}
        watched = population.recorded.get("v")
        return networks.told_population(
            f"part{k}",
            population.size,
            switches=("leaky", "fire"),
            targets=targets,
            model=model,
            cadc="off",
            madc_neuron=-1 if watched is None else watched[0],
        )

    def _result(self, population, own):
        spikes = own.spikes
        trains = [spikes.cycle[spikes.neuron == i] / 125e3 for i in range(population.size)]
        signal = None
        if own.madc is not None:
            signal = own.madc.values[0].astype(float)[:, None].view(Signal)
            signal.times = own.madc.times / 125e3 + self.faults.jitter * len(self.calls) / 125e3
        return SimpleNamespace(trains=trains, signal=signal)
