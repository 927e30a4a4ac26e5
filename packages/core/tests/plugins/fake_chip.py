"""A tiny chip package written into a folder: counts inputs, emits them again."""

MANIFEST = """
api_version = {api}
distribution = "ranvier-{chip}"

[targets.{target}]
description = "repeats its input"
nature = "digital"
node_kinds = ["Input", "Output"]

[targets.{target}.facts]
channels = {{ value = 4, source = "made up" }}
"""

PLUGIN = """
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ranvier.artifacts import AbstractSession, ChipConfig, MappedNetwork, OutputChannel
from ranvier.artifacts import Placement, Recording, SpikeTrain
from ranvier.diagnostics import Diagnostic
from ranvier.plugins import hookimpl

NAME = "{target}"


class Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    gain: int = Field(1, ge=1, le=3, description="spikes out per spike in")
    lossy: bool = Field(False, description="report a loss")


class Config(ChipConfig):
    gain: int = 1


class Session(AbstractSession):
    def __init__(self, config):
        super().__init__(input_shapes=config.input_shapes, dt=config.dt)
        self.config, self.total, self.released = config, 0, 0

    def recordable(self):
        return {{"input": ("spikes",)}}

    def get_state(self):
        return {{"total": np.array([self.total])}}

    def set_state(self, state):
        self.total = int(state["total"][0])

    def reset(self):
        self.total = 0

    def _close(self):
        self.released += 1

    def _run(self, inputs, *, record, trial_seed):
        counts = inputs["input"] * self.config.gain
        self.total += int(counts.sum())
        train = SpikeTrain.from_raster(counts, dt=self.config.dt)
        return Recording({{("input", "spikes"): train}}, self.config.dt,
                         outputs={{"output": ("input", "spikes")}})


@hookimpl
def ranvier_map(graph, target, options):
    if target.name != NAME:
        return None
    loss = Diagnostic("FK001", "loss", "the gain is rough", hint="use another chip")
    return MappedNetwork(
        target=NAME, graph=graph, placement=Placement.from_rows([]), arrays={{}},
        settings={{"gain": options.gain}}, diagnostics=(loss,) if options.lossy else ())


@hookimpl
def ranvier_quantize(mapped):
    graph = mapped.graph
    return Config(
        target=NAME, dt=graph.dt, gain=mapped.settings["gain"], placement=mapped.placement,
        input_shapes={{n: graph.nodes[n].output_shape for n in graph.inputs}},
        outputs=(OutputChannel(output="output", node="input"),),
        diagnostics=mapped.diagnostics)


@hookimpl
def ranvier_simulate(config):
    return Session(config)


@hookimpl
def ranvier_deploy(config, device):
    return Session(config) if device == "loopback" else None


@hookimpl
def ranvier_config_model(target):
    return Config


@hookimpl
def ranvier_options(verb, target):
    return Options if verb == "map" else None


@hookimpl
def ranvier_devices(target):
    return [{{"id": "usb-1", "description": "a board"}}]
"""


def write_chip(folder, chip, *, target=None, api=1, manifest=MANIFEST, plugin=PLUGIN):
    """Write the package ``fake_CHIP`` below a folder and return its plugin's module name."""
    package = folder / f"fake_{chip}"
    package.mkdir()
    names = {"chip": chip, "target": target or f"{chip}-1", "api": api}
    (package / "__init__.py").write_text("")
    (package / "manifest.toml").write_text(manifest.format(**names))
    (package / "plugin.py").write_text(plugin.format(**names))
    return f"fake_{chip}.plugin"


def declare(folder, name, entries):
    """Write a distribution's metadata that declares chips: {name: module}."""
    metadata = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [f"{chip} = {module}" for chip, module in entries.items()]
    (metadata / "entry_points.txt").write_text("\n".join(["[ranvier.chips]", *lines, ""]))
