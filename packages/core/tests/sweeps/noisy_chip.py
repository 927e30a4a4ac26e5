"""A chip package written into a folder: a fixed pattern per chip, noise per trial."""

MANIFEST = """
api_version = 1
distribution = "ranvier-noisy"

[targets.noisy]
description = "drops spikes"
nature = "analogue"
node_kinds = ["Input", "Output"]
"""

PLUGIN = """
import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ranvier.artifacts import AbstractSession, ChipConfig, MappedNetwork, OutputChannel
from ranvier.artifacts import Placement, Recording, SpikeTrain
from ranvier.errors import MappingError
from ranvier.plugins import hookimpl


class MapOptions(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    limit: int = Field(8, ge=1, le=8, description="channels that there are")


class QuantizeOptions(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    gain: int = Field(1, ge=1, le=3, description="spikes out per spike in")


class SimulateOptions(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    chip_seed: int = Field(0, ge=0, description="which chip")
    noise: float = Field(0.0, ge=0, le=1, description="share of spikes that get lost")


class Config(ChipConfig):
    gain: int = 1


class Session(AbstractSession):
    def __init__(self, config, options):
        super().__init__(input_shapes=config.input_shapes, dt=config.dt)
        self.config, self.options = config, options

    def recordable(self):
        return {"input": ("spikes",)}

    def get_state(self):
        return {}

    def set_state(self, state):
        pass

    def reset(self):
        pass

    def _run(self, inputs, *, record, trial_seed):
        counts = inputs["input"] * self.config.gain
        chip = np.random.default_rng(self.options.chip_seed)
        alive = chip.random(counts.shape[2:]) < 0.7
        noise = np.random.default_rng([1, trial_seed]).random(counts.shape)
        counts = counts * alive * (noise >= self.options.noise)
        train = SpikeTrain.from_raster(counts, dt=self.config.dt)
        return Recording({("input", "spikes"): train}, self.config.dt,
                         outputs={"output": ("input", "spikes")})


@hookimpl
def ranvier_map(graph, target, options):
    if target.name != "noisy":
        return None
    n = graph.nodes["input"].output_shape[0]
    if n > options.limit:
        raise MappingError(f"noisy: {n} channels, there are {options.limit}; use fewer")
    return MappedNetwork(
        target="noisy", graph=graph, placement=Placement.from_rows([]), arrays={})


@hookimpl
def ranvier_quantize(mapped, options):
    graph = mapped.graph
    return Config(
        target="noisy", dt=graph.dt, gain=options.gain, placement=mapped.placement,
        input_shapes={n: graph.nodes[n].output_shape for n in graph.inputs},
        outputs=(OutputChannel(output="output", node="input"),))


@hookimpl
def ranvier_simulate(config, options):
    return Session(config, options)


@hookimpl
def ranvier_deploy(config, device):
    return None


@hookimpl
def ranvier_config_model(target):
    return Config


@hookimpl
def ranvier_options(verb, target):
    models = {"map": MapOptions, "quantize": QuantizeOptions, "simulate": SimulateOptions}
    return models.get(verb)
"""

MEASURES = '''
import os
import signal
import time
from pathlib import Path


def total(recording):
    return {"total": recording.output.sum(), "rate": recording.output.mean()}


def threads(recording):
    return {"threads": int(os.environ.get("NUMBA_NUM_THREADS", 0))}


def slow(recording):
    """Take as long as the environment says, and leave a note of this process there."""
    folder = os.environ.get("NOISY_PIDS")
    if folder:
        Path(folder, str(os.getpid())).touch()
        time.sleep(float(os.environ["NOISY_SECONDS"]))
    return total(recording)


def kill_worker(recording, marker, times):
    """End this process, but only so many times."""
    marks = len(list(Path(marker).iterdir()))
    if marks < times:
        Path(marker, f"{marks}-{os.getpid()}").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return total(recording)


def wrong(recording):
    return {"total": "many"}


def broken(recording):
    raise KeyError("no such node")
'''

FILES = {"__init__.py": "", "manifest.toml": MANIFEST, "plugin.py": PLUGIN, "measures.py": MEASURES}


def write_chip(folder):
    """Write the package ``noisy_chip_package`` so that it looks installed."""
    package = folder / "noisy_chip_package"
    package.mkdir()
    for name, text in FILES.items():
        (package / name).write_text(text)
    metadata = folder / "ranvier_noisy-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: ranvier-noisy\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[ranvier.chips]\nnoisy = noisy_chip_package.plugin\n"
    )
