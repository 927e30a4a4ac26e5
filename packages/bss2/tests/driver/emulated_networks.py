"""The chip behind the emulated stacks: a network in, the emulator's records out.

The network is built from what a stack was told, and from nothing else: populations with targets,
whole weights, recording. It is placed anew; networks with the same populations and dense
projections land on the same circuits.
"""

import runpy
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ranvier_bss2 import VirtualChip
from ranvier_bss2.emulator import Emulator
from ranvier_bss2.network import TARGETS, BssPopulation, BssProjection, Readout
from ranvier_bss2.nodes import MODEL

chips = runpy.run_path(str(Path(__file__).parents[1] / "small_chips.py"))
REST = {**chips["MODEL"], "leak": 80.0, "reset": 80.0, "threshold": 125.0}


class ContractError(AssertionError):
    """The driver broke a rule of the stack."""


def expect(condition, message):
    if not condition:
        raise ContractError(message)


@dataclass
class Silicon:
    """A chip that is told everything again before every run."""

    chip: VirtualChip = field(default_factory=lambda: VirtualChip.of(0, "ideal"))
    identifier: str = "hicann-x-v3 chip 42"
    trial_seed: int = 0

    def run(self, populations, projections, inputs, *, dt):
        """Run from rest; inputs (batch, time, n) by name."""
        sizes = {name: (values.shape[2],) for name, values in inputs.items()}
        config, _ = chips["chip"](sizes, populations, projections, dt=dt)
        emulator = Emulator(config, self.chip)
        return emulator.run(inputs, trial_seed=self.trial_seed)


def told_population(name, n, *, switches, targets, model=None, instance=0, circuits=1, **readout):
    """Return a population with these targets; values per neuron or the same for all."""
    filled = {k: np.broadcast_to(np.asarray(targets[k], float), (n,)).copy() for k in TARGETS}
    values = {**REST, **(model or {})}
    return BssPopulation(
        name=name,
        shape=(n,),
        switches=tuple(switches),
        model={k: np.broadcast_to(np.asarray(values[k], float), (n,)).copy() for k in MODEL},
        targets=filled,
        readout=Readout(trace_scale=np.ones(n), trace_offset=np.zeros(n), **readout),
        circuits=circuits,
        instance=instance,
    )


def told_projection(source, target, weight, *, connected=None, delay=0):
    weight = np.asarray(weight, dtype=float)
    there = np.ones(weight.shape, bool) if connected is None else np.asarray(connected, bool)
    return BssProjection(source=source, target=target, weight=weight, connected=there, delay=delay)
