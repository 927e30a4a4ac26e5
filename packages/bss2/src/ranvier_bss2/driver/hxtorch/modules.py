"""The modules of hxtorch that a configuration needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..loops import is_loop
from ..vendor import load
from .parameters import parameters_of
from .stack import ADAPTIVE, COORDINATES, FIRING, MORPHOLOGY, READOUT, Stack, accepted
from .wrapper import wrap

if TYPE_CHECKING:
    from ...config import Bss2Config
    from ..options import DeployOptions
    from ..plan import Part, Plan

SWITCHES = (
    "leaky",
    "fire",
    "exponential",
    "subthreshold_adaptation",
    "spike_triggered_adaptation",
)


@dataclass(frozen=True, eq=False)
class Synapses:
    """One synapse module: from an input or part to a part."""

    source: str | int | None
    target: int
    module: Any


@dataclass(eq=False)
class Network:
    """All modules of an experiment.

    Attributes
    ----------
    experiment : object
        hxtorch's Experiment.
    neurons : dict of int to module
        By number of the part.
    synapses : list of Synapses
        A source of None is silent: it feeds parts that nothing else does.
    wrappers : list of module
        Of loops.
    """

    experiment: Any
    neurons: dict[int, Any] = field(default_factory=dict)
    synapses: list[Synapses] = field(default_factory=list)
    wrappers: list[Any] = field(default_factory=list)


class Builder:
    """Builds the modules of a configuration.

    Parameters
    ----------
    stack : Stack
        hxtorch.
    config : Bss2Config
        What shall run.
    plan : Plan
        Its network.
    options : DeployOptions
        Placement.
    """

    def __init__(
        self, stack: Stack, config: Bss2Config, plan: Plan, *, options: DeployOptions
    ) -> None:
        self.stack, self.config, self.plan, self.options = stack, config, plan, options

    def network(self, groups: list[tuple[int, ...]], *, calibration: str | None) -> Network:
        """Return all modules, registered in a new experiment.

        Parameters
        ----------
        groups : list of tuple of int
            Parts that feed each other, see `ranvier_bss2.driver.loops.groups_of`.
        calibration : str or None
            File for every execution instance.
        """
        experiment = self.stack.snn.Experiment(mock=False, dt=self.config.chip_dt)
        instances = self._instances(experiment, calibration)
        net = Network(experiment)
        for part in self.plan.parts:
            where = {"experiment": experiment, "execution_instance": instances[part.instance]}
            self._add_synapses(net, part, where)
            net.neurons[part.number] = self._neurons(part, where)
        for number, group in enumerate(g for g in groups if is_loop(self.plan, g)):
            net.wrappers.append(wrap(self.stack, experiment, self._members(net, group, number)))
        return net

    def _instances(self, experiment: Any, calibration: str | None) -> list[Any]:
        found = [experiment.default_execution_instance]
        found += [self.stack.snn.ExecutionInstance() for _ in range(1, self.config.instances)]
        if calibration is not None:
            for instance in found:
                instance.load_calib(calibration)
        return found

    def _add_synapses(self, net: Network, part: Part, where: Mapping[str, Any]) -> None:
        for feed in self.plan.into(part):
            for weight, connected in feed.pieces(self.config.limits.weight_max):
                module = self._synapse(weight, connected, where)
                net.synapses.append(Synapses(feed.source, part.number, module))
        if not self.plan.into(part):
            nothing = np.zeros((part.size, 1), dtype=np.int64)
            module = self._synapse(nothing, nothing == 0, where)
            net.synapses.append(Synapses(None, part.number, module))

    def _synapse(
        self, weight: NDArray[np.int64], connected: NDArray[np.bool_], where: Mapping[str, Any]
    ) -> Any:
        """Return a module that holds integer weights, (n_target, n_source), as they are."""
        torch = self.stack.torch
        n_out, n_in = weight.shape
        if connected.all():
            module = self.stack.snn.Synapse(n_in, n_out, transform=unchanged, **where)
        else:
            mask = torch.tensor(connected.T.tolist(), dtype=torch.float32)
            module = self.stack.snn.SparseSynapse(mask, transform=unchanged, **where)
        exact = torch.tensor(weight.tolist(), dtype=torch.float32)
        with torch.no_grad():
            module.weight.copy_(exact)
        return module

    def _neurons(self, part: Part, where: Mapping[str, Any]) -> Any:
        switches, cadc = set(part.population.switches), part.population.cadc
        adaptive = bool(switches - {"leaky", "fire"}) or "leaky" not in switches
        names = ADAPTIVE if adaptive else FIRING if part.fires else READOUT
        arguments = {
            "size": part.size,
            **where,
            **parameters_of(part, self.stack, adaptive=adaptive),
            "enable_cadc_recording": cadc != "off",
            "enable_madc_recording": part.madc_index >= 0,
            "trace_offset": 0.0,
            "trace_scale": 1.0,
            "cadc_time_shift": 0,
            "shift_cadc_to_first": False,
            "interpolation_mode": part.population.interpolation,
        }
        if part.madc_index >= 0:
            arguments["record_neuron_id"] = part.madc_index
        if part.fires:
            arguments["enable_spike_recording"] = True
        if adaptive:
            arguments |= {name: name in switches for name in SWITCHES}
        arguments |= self._places(part)
        dram = {"enable_cadc_recording_placement_in_dram": (cadc == "dram", False)}
        return accepted(self.stack.name(*names), arguments, dram)

    def _places(self, part: Part) -> dict[str, Any]:
        """Return structure and places of neurons, where they are not the stack's defaults."""
        size = part.circuits.shape[1]
        found: dict[str, Any] = {}
        if size > 1 or self.options.placement == "config":
            structure = self.stack.name(*MORPHOLOGY)(size)
        if size > 1:
            found["neuron_structure"] = structure
        if self.options.placement == "config":
            halco = load(COORDINATES, path="hxtorch")
            found["placement_constraint"] = [
                halco.LogicalNeuronOnDLS(
                    structure.compartments, halco.AtomicNeuronOnDLS(halco.EnumRanged_512_(first))
                )
                for first in part.circuits[:, 0].tolist()
            ]
        return found

    def _members(self, net: Network, group: tuple[int, ...], number: int) -> dict[str, Any]:
        """Return the modules of a loop by name."""
        found = {
            f"synapse_{number}_{k}": s.module
            for k, s in enumerate(net.synapses)
            if s.target in group and s.source in group
        }
        return found | {f"neuron_{number}_{k}": net.neurons[k] for k in group}


def unchanged(weight: Any) -> Any:
    """Return weights as they are: they are the configuration's integers already.

    hxtorch rounds what its transform returns to the nearest integer; a whole number stays the same
    under rounding and under truncation.
    """
    return weight
