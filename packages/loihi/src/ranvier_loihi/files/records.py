"""Layers as they are written: names, types and shapes of the datasets that netx opens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .source import LAYERS

Record = Mapping[str, Any]
"""Datasets of one layer by name; neuron settings under ``"neuron/..."``."""
_REAL = ("weight", "weight_rec", "weight/real", "weight/imag", "bias", "delay")
_RECURRENT = ("weight_rec/real", "weight_rec/imag")
_FLAGS = ("neuron/gradedSpike", "neuron/sigma_output")
_VARIABLE_TEXT = ("neuron/type", "neuron/activation")


def image_of(records: Sequence[Record]) -> bytes:
    """Return the bytes of a .net file.

    Parameters
    ----------
    records : sequence of mapping
        Layers in order. ``type`` becomes a fixed-length text of 10 bytes and shape (1,), texts of
        the neuron are of variable length, weights, biases and delays float32, flags bool, and
        everything else int64.
    """
    from ranvier.files.hdf5 import build_image

    def fill(file: Any) -> None:
        layers = file.create_group(LAYERS)
        for number, record in enumerate(records):
            group = layers.create_group(str(number))
            for name, value in record.items():
                _write(group, name, value)

    return build_image(fill)


def _write(group: Any, name: str, value: Any) -> None:
    if name == "type":
        group.create_dataset(name, data=np.array([value.encode("ascii")], dtype="S10"))
    elif name in _VARIABLE_TEXT:
        group[name] = str(value)
    elif name in _FLAGS:
        group[name] = np.bool_(value)
    elif name in _REAL or name in _RECURRENT:
        group[name] = np.asarray(value, dtype=np.float32)
    else:
        group[name] = np.asarray(value, dtype=np.int64)
