"""The board that options describe: chips, usable tags, usable CAM entries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import DiagnosticCode, Findings

from .. import diagnostics as codes
from ..placement import errata_tags
from ..targets import Limits
from .options import MapOptions

Bools = NDArray[np.bool_]

PUBLISHED = "published"


def tag_pool_of(options: MapOptions, limits: Limits, findings: Findings) -> Bools | None:
    """Return the usable tags, (chips, 4, 2048); None for all of them, or after an error."""
    if options.tag_pool is None:
        return None
    cores = (limits.chips, limits.cores_per_chip)
    shape = (*cores, limits.tags)
    if options.tag_pool == PUBLISHED:
        return np.broadcast_to(errata_tags(limits), shape)
    pool = _loaded(options.tag_pool, codes.BAD_TAG_POOL, findings)
    if pool is None:
        return None
    shapes = [(limits.cores_per_chip, limits.tags), (limits.chips * cores[1], limits.tags)]
    if pool.dtype != np.bool_ or pool.shape not in shapes:
        message = (
            f"{options.tag_pool} holds {pool.dtype} of shape {pool.shape}, must be bool of shape "
            f"{shapes[0]} or {shapes[1]}"
        )
        findings.add(codes.BAD_TAG_POOL.at(None, message, value=str(pool.shape)))
        return None
    if pool.shape == shapes[0]:
        return np.broadcast_to(pool, shape)
    return np.asarray(pool.reshape(shape))


def cam_usable_of(options: MapOptions, limits: Limits, findings: Findings) -> Bools | None:
    """Return the usable CAM entries, (chips, 4, 256, 64); None for all, or after an error.

    A profile of fewer chips than the board may have leaves the others unusable: nothing is known
    of them.
    """
    if options.cam_profile is None:
        return None
    profile = _loaded(options.cam_profile, codes.BAD_CAM_PROFILE, findings)
    if profile is None:
        return None
    core = (limits.cores_per_chip, limits.neurons_per_core, limits.synapses_per_neuron)
    good_shape = profile.shape == core or (
        profile.shape[1:] == core and profile.shape[0] <= limits.chips
    )
    if profile.dtype.kind not in "fiu" or not good_shape:
        message = (
            f"{options.cam_profile} holds {profile.dtype} of shape {profile.shape}, must be "
            f"numbers of shape {core}, or (chips, *that) with chips <= {limits.chips}"
        )
        findings.add(codes.BAD_CAM_PROFILE.at(None, message, value=str(profile.shape)))
        return None
    if not np.all((profile >= 0) & (profile <= 1)):
        message = f"{options.cam_profile} has values outside 0..1, all are probabilities"
        findings.add(codes.BAD_CAM_PROFILE.at(None, message))
        return None
    usable = np.zeros((limits.chips, *core), dtype=np.bool_)
    known = limits.chips if profile.ndim == len(core) else len(profile)
    usable[:known] = profile <= options.cam_error_max
    return usable


def _loaded(path: str, code: DiagnosticCode, findings: Findings) -> NDArray[Any] | None:
    try:
        array = np.load(Path(path), allow_pickle=False)
    except OSError as error:
        findings.add(code.at(None, f"{path} cannot be read: {error.strerror or error}", value=path))
        return None
    except (ValueError, EOFError):
        message = f"{path} cannot be read: it is no .npy file of numbers, or is truncated"
        findings.add(code.at(None, message, value=path))
        return None
    if not isinstance(array, np.ndarray):
        findings.add(code.at(None, f"{path} is an archive, must be a single array", value=path))
        return None
    return array
