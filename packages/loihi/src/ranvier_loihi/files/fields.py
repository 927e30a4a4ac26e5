"""Names of the datasets that the .net format has, by layer type."""

from __future__ import annotations

_WINDOW = ("kernelSize", "stride", "padding", "dilation")
_NEURON = (
    "type",
    "iDecay",
    "vDecay",
    "vThMant",
    "refDelay",
    "gradedSpike",
    "weight_exp",
    "wgtExp",
    "thDecay",
    "refDecay",
    "vThStep",
    "sinDecay",
    "cosDecay",
    "activation",
    "sigma_output",
    "theta",
)
_COMMON = ("type", "shape", "delay", *(f"neuron/{n}" for n in _NEURON))
_WEIGHTS = ("weight", "weight/real", "weight/imag", "bias")
_DENSE = (*_COMMON, *_WEIGHTS, "inFeatures", "outFeatures")
_CONVOLUTION = (*_COMMON, *_WEIGHTS, *_WINDOW, "inChannels", "outChannels", "groups")
_KNOWN = {
    "input": (*_COMMON, "weight", "bias"),
    "dense": _DENSE,
    "dense_rec": (*_DENSE, "weight_rec", "weight_rec/real", "weight_rec/imag"),
    "conv": _CONVOLUTION,
    "convt": _CONVOLUTION,
    "pool": _CONVOLUTION,
    "unpool": _CONVOLUTION,
    "concat": ("type", "shape", "layers"),
}


def known_fields(kind: str) -> frozenset[str]:
    """Return the datasets that the reader understands in a layer of a type (in lower case)."""
    return frozenset(_KNOWN.get(kind, ("type", "shape")))
