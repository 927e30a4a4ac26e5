"""Diagnostics of experiments written with `ranvier_bss2.nn`."""

from __future__ import annotations

from ranvier.diagnostics import DiagnosticCode

HARDWARE_AS_MODEL = DiagnosticCode(
    "BS240",
    "error",
    "A value of the chip stands where a value of the model is meant.",
    "give times in s, and codes as MixedHXModelParameter(model, hardware)",
)
"""A capacitance of 63 (a code) or a time constant of 10 (us) would switch the dynamics off."""
MODEL_AS_HARDWARE = DiagnosticCode(
    "BS241",
    "error",
    "A value of the model stands where a value of the chip is meant.",
    "give both: MixedHXModelParameter(model, hardware)",
)
"""A plain potential is model value and calibration target at once."""
SIZES_DIFFER = DiagnosticCode(
    "BS242",
    "error",
    "Modules that are joined have different sizes.",
    "make in_features, out_features and size equal where modules meet",
)
"""Sources and targets of a synapse, or spikes and a synapse."""
BAD_RUNTIME = DiagnosticCode(
    "BS243",
    "error",
    "The runtime is no number of steps that can be run.",
    "give a whole number of steps >= 1, shorter than the chip's timer",
)
"""A runtime is counted in dt."""
CALLED_TWICE = DiagnosticCode(
    "BS244",
    "error",
    "A module or its result is used several times in one run.",
    "make a module for every place: on the chip, it is there once",
)
"""A projection has one source and one target, a neuron exists once."""
MISPLACED_MODULE = DiagnosticCode(
    "BS245",
    "error",
    "A module gets what it cannot take.",
    "order the modules: spikes, synapses, neurons, dropout behind neurons",
)
"""Neurons take what synapses give, synapses take spikes."""
BAD_INPUT = DiagnosticCode(
    "BS246",
    "error",
    "Input spikes are missing or do not fit.",
    "give spikes (batch, time, n), all with equal batch and time, or set Experiment(layout=...)",
)
"""Handles that no module fills are inputs."""
NO_CHIP = DiagnosticCode(
    "BS247",
    "error",
    "The backend has no chip to run on.",
    "name a device, Experiment(device=...), or choose another backend",
)
"""Devices are named, never picked."""
TRAINED_PARAMETER = DiagnosticCode(
    "BS248",
    "error",
    "A trained neuron parameter cannot be written to the chip.",
    "give make_trainable a set_on_chip_func, or train it with another backend",
)
"""Targets of a calibrated chip are fixed."""
BAD_CHOICE = DiagnosticCode(
    "BS249",
    "error",
    "A setting of a module or an experiment is out of range.",
    "choose one of the values that the message names",
)
"""Names of backends, surrogates, layouts, readouts; sizes and scales."""
