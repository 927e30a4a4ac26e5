"""Families: the blocks of one kind of neuron under the names that slayer's users know."""

from __future__ import annotations

from typing import Any

from ranvier.errors import GraphError

from ._adrf import AdaptiveResonateFire, AdaptiveResonateFireIzhikevich
from ._alif import Alif
from ._blocks import Block, DenseBlock
from ._cuba import Cuba
from ._input import InputBlock
from ._kwta import KWTABlock
from ._map_blocks import ConvBlock, ConvTBlock, PoolBlock, UnpoolBlock
from ._neuron import LoihiNeuron
from ._readout import AffineBlock, OutputBlock
from ._recurrent import RecurrentBlock
from ._reshape import AverageBlock, FlattenBlock, TimeDecimationBlock
from ._resonate import ResonateFire, ResonateFireIzhikevich
from ._sigma_delta import SigmaDelta

_COMMON: dict[str, type[Block]] = {
    "Input": InputBlock,
    "Flatten": FlattenBlock,
    "Average": AverageBlock,
    "Dense": DenseBlock,
    "Conv": ConvBlock,
    "ConvT": ConvTBlock,
    "Pool": PoolBlock,
    "Unpool": UnpoolBlock,
}
_SPIKING: dict[str, type[Block]] = {
    **_COMMON,
    "TimeDecimation": TimeDecimationBlock,
    "KWTA": KWTABlock,
    "Recurrent": RecurrentBlock,
}
_ALL: dict[str, type[Block]] = {**_SPIKING, "Affine": AffineBlock}
_GRADED: dict[str, type[Block]] = {**_COMMON, "Output": OutputBlock}


class UnknownBlockError(GraphError, AttributeError):
    """A family has no such block."""


class Family:
    """The blocks of one kind of neuron, as attributes: ``cuba.Dense``.

    Parameters
    ----------
    name : str
        Name of the family.
    neuron : subclass of LoihiNeuron
        Neuron of its blocks.
    blocks : dict of str to subclass of Block
        Blocks by their name in the family.
    shifts : bool
        Whether the output of a block comes one step later by default.

    Raises
    ------
    UnknownBlockError
        On access: the family has no block of this name.
    """

    def __init__(
        self,
        name: str,
        neuron: type[LoihiNeuron],
        *,
        blocks: dict[str, type[Block]],
        shifts: bool = True,
    ) -> None:
        self.name = name
        self.neuron = neuron
        self.blocks = {
            own: _block(name, own, kind, neuron=neuron, shifts=shifts)
            for own, kind in blocks.items()
        }

    def __getattr__(self, name: str) -> Any:
        """Give a block."""
        blocks = self.__dict__.get("blocks", {})
        if name in blocks:
            return blocks[name]
        if name.startswith("_") or name not in {**_ALL, **_GRADED}:
            raise AttributeError(name)
        others = [f.name for f in FAMILIES if name in f.blocks]
        raise UnknownBlockError(
            f"{self.name}.{name}: there is no such block; {name} exists for {', '.join(others)}, "
            f"and {self.name} has {', '.join(blocks)}"
        )

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.blocks]

    def __repr__(self) -> str:
        return f"{self.name}: {', '.join(self.blocks)}"


def _block(
    family: str, name: str, kind: type[Block], *, neuron: type[LoihiNeuron], shifts: bool
) -> type[Block]:
    """Fix the neuron of a block; pickle finds the class through the family."""
    fixed = {
        "neuron_class": neuron,
        "family": family,
        "shifts": shifts,
        "__doc__": kind.__doc__,
        "__module__": __name__,
        "__qualname__": f"{family}.{name}",
    }
    return type(name, (kind,), fixed)


cuba = Family("cuba", Cuba, blocks=_ALL)
"""Current-based leaky integrate-and-fire."""
alif = Family("alif", Alif, blocks=_SPIKING)
"""Leaky integrate-and-fire with adaptive threshold."""
rf = Family("rf", ResonateFire, blocks=_ALL)
"""Resonate-and-fire on phase."""
rf_iz = Family("rf_iz", ResonateFireIzhikevich, blocks=_ALL)
"""Resonate-and-fire on amplitude, with a reset."""
adrf = Family("adrf", AdaptiveResonateFire, blocks=_SPIKING)
"""Resonate-and-fire on phase with adaptive threshold."""
adrf_iz = Family("adrf_iz", AdaptiveResonateFireIzhikevich, blocks=_SPIKING)
"""Resonate-and-fire on amplitude with adaptive threshold."""
sigma_delta = Family("sigma_delta", SigmaDelta, blocks=_GRADED, shifts=False)
"""Sigma-delta: graded changes."""

FAMILIES = (cuba, alif, rf, rf_iz, adrf, adrf_iz, sigma_delta)
"""All families."""
