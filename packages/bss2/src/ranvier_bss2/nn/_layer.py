"""What all neurons have in common."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ranvier.diagnostics import Diagnostic

from .. import diagnostics as codes
from ..network import TARGETS
from ..nodes import MODEL, AnalogNeuron
from ..numerics import NeuronParameters
from ._handles import LIFObservables, LIObservables
from ._module import HXModule, graded_handle, input_error
from ._parameters import ChipParameter, MixedHXModelParameter, Value, numbers_of, parameter_of
from ._readout import RecordSettings

if TYPE_CHECKING:
    from ..alignment import Alignment
    from ._experiment import Experiment

Out = TypeVar("Out", bound=LIFObservables | LIObservables)
Input: TypeAlias = Value | ChipParameter
TIMES = (
    "tau_mem",
    "tau_syn",
    "membrane_capacitance",
    "refractory_time",
    "holdoff_time",
    "tau_adap",
)
LONGEST = 10_000
"""Longest time that is taken for one of the model, in steps."""
NOMINAL_CAPACITANCE = 10e-6
"""Capacitance of the model, in s, that the code 63 stands for (hxtorch @3bfc7aa)."""
CAPACITANCE_MAX = 63.0

MODEL_NAMES = {
    "leak": "leak",
    "reset": "reset",
    "threshold": "threshold",
    "tau_mem": "tau_mem",
    "tau_syn": "tau_syn",
    "membrane_capacitance": "capacitance",
    "refractory_time": "refractory",
    "exponential_slope": "exp_slope",
    "exponential_threshold": "exp_threshold",
    "subthreshold_adaptation_strength": "a",
    "spike_triggered_adaptation_increment": "b",
    "tau_adap": "tau_adaptation",
    "leak_adaptation": "leak_adaptation",
}
"""Names of parameters here, and in `ranvier_bss2.nodes.MODEL`."""
TARGET_NAMES = {
    "leak": ("leak",),
    "reset": ("reset",),
    "threshold": ("threshold",),
    "tau_mem": ("tau_mem",),
    "tau_syn": ("tau_syn_exc", "tau_syn_inh"),
    "refractory_time": ("refractory",),
    "holdoff_time": ("holdoff",),
    "i_synin_gm": ("i_synin_gm",),
    "membrane_capacitance": ("membrane_capacitance",),
    "synapse_dac_bias": ("synapse_dac_bias",),
}
"""Names of parameters here, and in `ranvier_bss2.network.TARGETS`."""
UNUSED: Mapping[str, float] = {
    "leak": 80.0,
    "reset": 80.0,
    "threshold": 125.0,
    "refractory": 1e-6,
    "holdoff": 0.0,
}
"""Targets of neurons that have no such parameter."""


class NeuronLayer(HXModule[Out]):
    """Neurons of one layer.

    Parameters
    ----------
    size : int
        Number of neurons, >= 1.
    experiment : Experiment
        To which they belong.
    switches : tuple of str
        Of `ranvier_bss2.nodes.SWITCHES`.
    parameters : mapping of str to value or parameter
        By the names of `MODEL_NAMES` and `TARGET_NAMES`.
    recording : RecordSettings
        What is recorded.
    alpha : float
        Steepness of the surrogate gradient.
    method : str
        Name of the surrogate.
    """

    kind: ClassVar[str] = "neurons"
    observables: ClassVar[type[LIFObservables] | type[LIObservables]]
    exact_capacitance: ClassVar[bool] = False
    """Whether the model's capacitance is always its membrane time constant."""
    cadc_readout: Literal["voltage", "adaptation"] = "voltage"
    madc_readout: Literal["voltage", "adaptation"] = "voltage"

    def __init__(
        self,
        size: int,
        experiment: Experiment,
        *,
        switches: tuple[str, ...],
        parameters: Mapping[str, Input],
        recording: RecordSettings,
        alpha: float = 50.0,
        method: str = "superspike",
    ) -> None:
        super().__init__(experiment, recording.execution_instance, name=self.kind)
        self.size, self.switches, self.recording = size, switches, recording
        self.alpha, self.method = alpha, method
        self.parameter_names = tuple(parameters)
        for name, value in parameters.items():
            self.add_module(name, parameter_of(value))
        if problems := [*self._setting_problems(), *self._value_problems()]:
            raise input_error(*problems)
        self._kept: tuple[tuple[bytes, ...], NeuronParameters] | None = None

    def parameter(self, name: str) -> ChipParameter:
        """Return a parameter of the neurons by its name."""
        found = self._modules.get(name)
        return cast("ChipParameter", self.get_submodule(name) if found is None else found)

    @property
    def fires(self) -> bool:
        """Whether the neurons fire."""
        return "fire" in self.switches

    def forward(self, *inputs: object, out: Out | None = None) -> Out:
        """Record a call.

        Parameters
        ----------
        *inputs : handles of synapses
            They are summed.
        out : handle, optional
            An empty handle to fill, which closes a loop: it was given to synapses before.
        """
        handles = tuple(graded_handle(self, given) for given in inputs)
        if not handles:
            raise self._misplaced(None, "handles of synapses")
        result = self.observables() if out is None else out
        if not isinstance(result, self.observables) or result.tensors():
            raise self._misplaced(out, f"an empty {self.observables.__name__} as out")
        return self._record(handles, result)  # type: ignore[arg-type]

    def use_alignment(self, alignment: Alignment) -> None:
        """Turn records into traces as an alignment measured, from now on."""
        self.recording = dataclasses.replace(
            self.recording,
            trace_scale=alignment.trace_scale,
            trace_offset=alignment.trace_offset,
            cadc_time_shift=int(alignment.time_shift),
        )

    def model_values(self) -> dict[str, NDArray[np.float64]]:
        """Return the values of the model by the names of `ranvier_bss2.nodes.MODEL`, (size,)."""
        found = {
            MODEL_NAMES[name]: numbers_of(self.parameter(name).model_value, self.size)
            for name in self.parameter_names
            if name in MODEL_NAMES
        }
        if self.exact_capacitance:
            found |= {"capacitance": found["tau_mem"], "refractory": np.zeros(self.size)}
        found.setdefault("leak_adaptation", found["leak"])
        missing = {n: np.full(self.size, v) for n, v in _defaults().items() if n not in found}
        every = found | missing
        return {name: every[name] for name in MODEL}

    def target_values(self) -> dict[str, NDArray[np.float64]]:
        """Return the targets of the chip by the names of `ranvier_bss2.network.TARGETS`."""
        found = {
            target: numbers_of(self.parameter(name).hardware_value, self.size)
            for name in self.parameter_names
            for target in TARGET_NAMES.get(name, ())
        }
        return {n: found.get(n, np.full(self.size, UNUSED.get(n, 0.0))) for n in TARGETS}

    def neuron_parameters(self) -> NeuronParameters:
        """Return the neurons ready to run; the same object as long as no value changes."""
        given = (self.parameter(n).model_value for n in self.parameter_names if n in MODEL_NAMES)
        key = tuple(value.detach().cpu().numpy().tobytes() for value in given)
        if self._kept is None or self._kept[0] != key:
            own = NeuronParameters.of_values(
                self.model_values(), dt=self.experiment.dt, switches=self.switches, n=self.size
            )
            self._kept = (key, own)
        return self._kept[1]

    def trained(self) -> dict[str, Tensor]:
        """Return the parameters that get gradients, by the names of the model."""
        return {
            MODEL_NAMES[name]: self.parameter(name).model_value
            for name in self.parameter_names
            if name in MODEL_NAMES and self.parameter(name).trainable
        }

    def extra_repr(self) -> str:
        """Show the size and the switches."""
        return f"{self.size}, {', '.join(self.switches)}"

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is made anew when needed."""
        return self.__dict__ | {"_kept": None}

    def _setting_problems(self) -> list[Diagnostic]:
        found = []
        if self.size < 1:
            found.append(f"size is {self.size}, must be >= 1")
        if self.method != "superspike":
            found.append(f"method is {self.method!r}, there is only 'superspike'")
        if not self.alpha > 0:
            found.append(f"alpha is {self.alpha}, must be > 0")
        found += self.recording.problems(self.size) if self.size >= 1 else []
        return [codes.BAD_CHOICE.at(self.name, text) for text in found]

    def _value_problems(self) -> list[Diagnostic]:
        found: list[Diagnostic] = []
        limit = LONGEST * self.experiment.dt
        for name in self.parameter_names:
            value = self.parameter(name).model_value.detach()
            if tuple(value.shape) not in ((), (1,), (self.size,)):
                text = f"{name} has shape {tuple(value.shape)}, expected a number or ({self.size},)"
                found.append(codes.BAD_CHOICE.at(self.name, text))
            elif name in TIMES and float(value.max()) > limit:
                found.append(self._not_a_time(name, float(value.max()), limit))
        return found

    def _not_a_time(self, name: str, value: float, limit: float) -> Diagnostic:
        text = f"{name} of the model is {value:g} s, more than {LONGEST} steps ({limit:g} s)"
        hint = f"times are in s; for {value:g} us give {value * 1e-6:g}"
        if name == "membrane_capacitance":
            hint = (
                f"if {value:g} is the 6-bit code of the chip, give "
                f"MixedHXModelParameter({NOMINAL_CAPACITANCE:g}, {value:g}): the model's is in s"
            )
        return codes.HARDWARE_AS_MODEL.at(self.name, text, value=value, limit=limit, hint=hint)


def default_capacitance() -> MixedHXModelParameter:
    """Return the capacitance that is taken where none is given: 10 us and the code 63."""
    return MixedHXModelParameter(NOMINAL_CAPACITANCE, CAPACITANCE_MAX)


@cache
def _defaults() -> dict[str, float]:
    """Return what the graph's neuron takes for values that a layer does not have."""
    blank = AnalogNeuron(shape=(1,))
    return {name: float(np.ravel(getattr(blank, name))[0]) for name in MODEL}
