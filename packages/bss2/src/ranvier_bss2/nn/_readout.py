"""What is recorded of a layer, and how records become traces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypedDict

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from ..network import Cadc, Readout
from ._instances import ExecutionInstance

Source = Literal["voltage", "adaptation"]


class RecordOptions(TypedDict, total=False):
    """Settings that all neurons have besides those of their model; all are optional.

    Parameters
    ----------
    execution_instance : ExecutionInstance or None
        Run of the chip in which they take part.
    enable_spike_recording : bool
        Whether spikes come from the chip; otherwise from the model. Default True.
    enable_cadc_recording : bool
        Whether the slow converter samples membranes; otherwise the model gives them. Default True.
    enable_cadc_recording_placement_in_dram : bool
        Deeper memory with slower samples: 204800 instead of 100. Default False.
    enable_madc_recording : bool
        Whether the fast converter samples one neuron. Default False.
    record_neuron_id : int or None
        Which one; default 0.
    placement_constraint : array of int, (size,) or (size, circuits), or None
        Circuits of the neurons, 0..511.
    trace_offset : float or array, (size,), in LSB
        Taken off records before they are scaled. Default 0.
    trace_scale : float or array, (size,)
        Model units per LSB, > 0. Default 1.
    cadc_time_shift : int
        Steps by which traces move to earlier times. Default 0.
    shift_cadc_to_first : bool
        Take off the first sample instead of ``trace_offset``. Default False.
    interpolation_mode : {"linear", "nn"}
        Between samples. Default "linear".
    neuron_structure : int or None
        Circuits per neuron, >= 1; more are taken where fan-in asks for them. Default 1.
    """

    execution_instance: ExecutionInstance | None
    enable_spike_recording: bool
    enable_cadc_recording: bool
    enable_cadc_recording_placement_in_dram: bool
    enable_madc_recording: bool
    record_neuron_id: int | None
    placement_constraint: ArrayLike | None
    trace_offset: float | Tensor | NDArray[np.float64]
    trace_scale: float | Tensor | NDArray[np.float64]
    cadc_time_shift: int
    shift_cadc_to_first: bool
    interpolation_mode: Literal["linear", "nn"]
    neuron_structure: int | None


@dataclass(frozen=True, kw_only=True, eq=False)
class RecordSettings:
    """The same with defaults; see `RecordOptions`."""

    execution_instance: ExecutionInstance | None = None
    enable_spike_recording: bool = True
    enable_cadc_recording: bool = True
    enable_cadc_recording_placement_in_dram: bool = False
    enable_madc_recording: bool = False
    record_neuron_id: int | None = None
    placement_constraint: ArrayLike | None = None
    trace_offset: float | Tensor | NDArray[np.float64] = 0.0
    trace_scale: float | Tensor | NDArray[np.float64] = 1.0
    cadc_time_shift: int = 0
    shift_cadc_to_first: bool = False
    interpolation_mode: Literal["linear", "nn"] = "linear"
    neuron_structure: int | None = None

    @property
    def madc_neuron(self) -> int:
        """Neuron that the fast converter samples, -1: none."""
        return (self.record_neuron_id or 0) if self.enable_madc_recording else -1

    @property
    def cadc(self) -> Cadc:
        """Memory of the slow converter."""
        if not self.enable_cadc_recording:
            return "off"
        return "dram" if self.enable_cadc_recording_placement_in_dram else "sram"

    @property
    def circuits(self) -> int:
        """Least number of circuits per neuron."""
        return self.neuron_structure or 1

    def problems(self, size: int) -> list[str]:
        """Return what does not fit a layer of ``size`` neurons."""
        found = []
        for name in ("trace_offset", "trace_scale"):
            value = numbers(getattr(self, name))
            if value.shape not in ((), (1,), (size,)) or not np.isfinite(value).all():
                found.append(f"{name} has shape {value.shape}, expected a number or ({size},)")
            elif name == "trace_scale" and not np.all(value > 0):
                found.append(f"trace_scale is {value.min():g} at its lowest, must be > 0")
        if self.interpolation_mode not in ("linear", "nn"):
            found.append(f"interpolation_mode is {self.interpolation_mode!r}; use linear or nn")
        if self.circuits < 1:
            found.append(f"neuron_structure is {self.neuron_structure}, must be >= 1 circuits")
        if not -1 <= self.madc_neuron < size:
            found.append(f"record_neuron_id is {self.record_neuron_id}, there are {size} neurons")
        given = self.placement_constraint
        if given is not None and np.shape(given)[:1] != (size,):
            found.append(f"placement_constraint has {len(np.atleast_1d(given))} rows for {size}")
        return found

    def readout(self, size: int) -> Readout:
        """Return the same for a network."""
        return Readout(
            cadc=self.cadc,
            madc_neuron=self.madc_neuron,
            trace_scale=np.array(np.broadcast_to(numbers(self.trace_scale), (size,))),
            trace_offset=np.array(np.broadcast_to(numbers(self.trace_offset), (size,))),
            shift_to_first=self.shift_cadc_to_first,
            time_shift=self.cadc_time_shift,
            interpolation=self.interpolation_mode,
        )


def numbers(value: ArrayLike | Tensor) -> NDArray[np.float64]:
    """Return a value as an array in double precision."""
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().to(torch.float64).numpy()
    return np.asarray(value, dtype=np.float64)
