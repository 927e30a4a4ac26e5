"""What modules pass on, and what a run fills."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

from torch import Tensor


@dataclass(eq=False)
class Handle:
    """Results of one call of a module: empty until the experiment runs, then never changed.

    A handle that is made by hand, with tensors, is an input.
    """

    def __repr__(self) -> str:
        """Name the fields that hold something."""
        shown = [f"{n}={_shape(v)}" for n, v in self.tensors().items()]
        return f"{type(self).__name__}({', '.join(shown) or 'empty'})"

    def tensors(self) -> dict[str, Tensor]:
        """Return all fields that hold something, by name."""
        named = ((f.name, getattr(self, f.name)) for f in fields(self))
        return {name: value for name, value in named if value is not None}


class Later:
    """A field that may hold a function: it is called when the field is first read."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = f"_{name}"

    def __get__(self, handle: object, owner: type | None = None) -> Tensor | None:
        if handle is None:
            return None  # the default
        found = handle.__dict__[self._name]
        if callable(found) and not isinstance(found, Tensor):
            found = handle.__dict__[self._name] = found()
        value: Tensor | None = found
        return value

    def __set__(self, handle: object, value: Tensor | Callable[[], Tensor] | None) -> None:
        handle.__dict__[self._name] = value


@dataclass(eq=False, repr=False)
class SynapseHandle(Handle):
    """Results of a synapse.

    Parameters
    ----------
    graded_spikes : Tensor, (batch, time, n)
        Weighted spikes, in model units. Computed when they are first read; if the weights have
        been changed since the run, they are those of the run, without gradients.
    """

    graded_spikes: Later = Later()


@dataclass(eq=False, repr=False)
class LIObservables(Handle):
    """Results of neurons that do not fire.

    Parameters
    ----------
    membrane_cadc : Tensor, (batch, time, n)
        Membrane on the grid of the experiment, in model units; the numeric backend gives its own.
    current : Tensor, (batch, time, n)
        Synaptic current of the model.
    membrane_madc : Tensor, (2, batch, samples)
        Of the neuron that the fast converter records: times in cycles of 8 ns, and values: LSB
        (0..1023) from a chip, model units of every step from the numeric backend.
    """

    membrane_cadc: Tensor | None = None
    current: Tensor | None = None
    membrane_madc: Tensor | None = None


@dataclass(eq=False, repr=False)
class LIFObservables(Handle):
    """Results of neurons that fire.

    The order of the fields is that of old programs, ``NeuronHandle(spikes)``. Newer versions of
    hxtorch sort them by name and take a single value for the current: use keywords.

    Parameters
    ----------
    spikes : Tensor, (batch, time, n)
        0 or 1.
    membrane_cadc, current, membrane_madc : Tensor
        See `LIObservables`; the membrane after the reset.
    """

    spikes: Tensor | None = None
    membrane_cadc: Tensor | None = None
    current: Tensor | None = None
    membrane_madc: Tensor | None = None


@dataclass(eq=False, repr=False)
class AELIFObservables(LIFObservables):
    """Results of neurons with all terms; fields that the switches leave out stay None.

    Parameters
    ----------
    spikes, membrane_cadc, current, membrane_madc : Tensor
        See `LIFObservables`.
    adaptation_cadc : Tensor, (batch, time, n)
        Adaptation, in model units.
    adaptation_madc : Tensor, (2, batch, samples)
        As ``membrane_madc``, of the adaptation.
    """

    adaptation_cadc: Tensor | None = None
    adaptation_madc: Tensor | None = None


NeuronHandle = LIFObservables
ReadoutNeuronHandle = LIObservables


def _shape(value: Tensor) -> str:
    return "x".join(str(n) for n in value.shape)
