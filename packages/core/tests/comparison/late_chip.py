"""A chip that computes what the reference does, some steps later, with faults on demand."""

MANIFEST = """
api_version = 1
distribution = "ranvier-late"

[targets.late-1]
description = "the reference, later"
nature = "digital"
time_scale = 0.5
node_kinds = ["Input", "Output", "Linear", "LIF", "CubaLIF", "LI"]

[targets.late-2]
description = "the same, a newer one"
nature = "digital"
node_kinds = ["Input", "Output", "Linear", "LIF", "CubaLIF", "LI"]
"""

PLUGIN = """
import dataclasses

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ranvier.artifacts import AbstractSession, MappedNetwork, Placement, SpikeTrain
from ranvier.diagnostics import DiagnosticCode
from ranvier.errors import MappingError
from ranvier.graph import Neuron
from ranvier.plugins import hookimpl
from ranvier.reference import quantization, simulator
from ranvier.reference.config import ReferenceConfig

ROUGH = DiagnosticCode("LT001", "loss", "rough", "use another chip")
FULL = DiagnosticCode("LT002", "error", "full", "use fewer neurons")


class MapOptions(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    late: int = Field(2, ge=-2)
    full: bool = False


class RunOptions(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    drop: bool = Field(False, description="lose the first spike of every sample")
    crash: bool = False
    noise: float = 0.0


class Config(ReferenceConfig):
    pass


class Session(AbstractSession):
    def __init__(self, config, options):
        super().__init__(input_shapes=config.input_shapes, dt=config.dt)
        self.config, self.options = config, options
        self.inner = simulator.ReferenceSession(config)

    def recordable(self):
        return self.inner.recordable()

    def get_state(self):
        return self.inner.get_state()

    def set_state(self, state):
        self.inner.set_state(state)

    def reset(self):
        self.inner.reset()

    def _run(self, inputs, *, record, trial_seed):
        if self.options.crash:
            raise ZeroDivisionError("the chip caught fire")
        if self.options.noise:
            rng = np.random.default_rng(trial_seed)
            inputs = {n: a * (rng.random(a.shape) > self.options.noise) for n, a in inputs.items()}
        found = self.inner._run(inputs, record=record, trial_seed=trial_seed)
        late = self.config.latency
        signals = {k: moved(s, late.get(k[0], 0), self.options.drop)
                   for k, s in found.signals.items()}
        return dataclasses.replace(found, signals=signals, latency=late)


def moved(signal, late, drop):
    if isinstance(signal, SpikeTrain):
        keep = (signal.tick + late < signal.n_ticks) & (signal.tick + late >= 0)
        if drop:
            keep[np.unique(signal.sample, return_index=True)[1]] = False
        events = {n: getattr(signal, n)[keep] for n in ("sample", "tick", "index", "count")}
        return dataclasses.replace(signal, **events | {"tick": events["tick"] + late})
    values = np.zeros_like(signal.values)
    if late >= 0:
        values[:, late:] = signal.values[:, : values.shape[1] - late]
    else:
        values[:, :late] = signal.values[:, -late:]
    return dataclasses.replace(signal, values=values)


@hookimpl
def ranvier_map(graph, target, options):
    if options.full:
        raise MappingError("late: does not fit", [FULL.at("out", "has 3 neurons, 2 are there")])
    late = {n: options.late for n in graph.nodes if isinstance(graph.nodes[n], Neuron)}
    late |= {n: options.late for n in graph.outputs}
    return MappedNetwork(
        target=target.name, graph=graph, placement=Placement.from_rows([]), arrays={},
        latency=late, diagnostics=(ROUGH.at("out", "is rough"),))


@hookimpl
def ranvier_quantize(mapped):
    made = quantization.quantize_network(mapped)
    return Config(**{n: getattr(made, n) for n in type(made).model_fields})


@hookimpl
def ranvier_simulate(config, options):
    return Session(config, options)


@hookimpl
def ranvier_config_model(target):
    return Config


@hookimpl
def ranvier_options(verb, target):
    return {"map": MapOptions, "simulate": RunOptions}.get(verb)


@hookimpl
def ranvier_estimate(config, recording):
    steps = next(iter(recording.signals.values())).n_ticks
    return {
        "utilisation_neurons": {"value": 0.25, "unit": "fraction", "source": "counted"},
        "utilisation_weights": {"value": 0.5, "unit": "fraction", "source": "counted"},
        "power": {"value": 2.0, "unit": "W", "source": "a guess", "certainty": "uncertain"},
        "steps": {"value": steps, "unit": "steps", "source": "counted"},
    }
"""


def install(folder):
    """Write the package, and one whose plugin cannot be imported, so that they look installed."""
    for name, manifest, plugin in (
        ("late", MANIFEST, PLUGIN),
        ("shaky", MANIFEST.replace("late", "shaky"), "raise RuntimeError('no such library')"),
        ("torn", "api_version = 1", ""),
    ):
        package = folder / f"fake_{name}_chip"
        package.mkdir()
        (package / "__init__.py").write_text("")
        (package / "manifest.toml").write_text(manifest)
        (package / "plugin.py").write_text(plugin)
        metadata = folder / f"ranvier_{name}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: ranvier-{name}\nVersion: 1.0\n"
        )
        (metadata / "entry_points.txt").write_text(
            f"[ranvier.chips]\n{name} = fake_{name}_chip.plugin\n"
        )
