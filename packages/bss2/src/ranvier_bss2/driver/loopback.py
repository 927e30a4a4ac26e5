"""The emulator behind the driver's records, without hardware."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from ranvier.artifacts import Recording
from ranvier.errors import DeviceError

from ..simulator import Bss2Session, SimulateOptions

if TYPE_CHECKING:
    from ..config import Bss2Config
    from .options import DeployOptions

NEEDS_STACK = (
    "path",
    "calibration",
    "nightly",
    "host",
    "user",
    "init",
    "ann",
    "placement",
    "margin",
)


class LoopbackSession(Bss2Session):
    """A chip without a chip.

    The emulator gives raw records as the driver's stacks do, and the same code makes recordings of
    them. Other than a chip it carries its state over between runs.

    Parameters
    ----------
    config : Bss2Config
        What runs.
    options : DeployOptions
        Virtual chip: preset, seed, single spreads; the others need a chip.

    Raises
    ------
    DeviceError
        An option needs a chip.
    """

    def __init__(self, config: Bss2Config, options: DeployOptions) -> None:
        asked = options.given(*NEEDS_STACK)
        if asked:
            raise DeviceError(
                f"bss2: the loopback has no chip and no software stack: leave out "
                f"{', '.join(asked)}, or open a chip"
            )
        chosen: dict[str, Any] = {"level": "emulator"}
        for name in ("preset", "chip_seed", "variability"):
            value = getattr(options, name)
            if value is not None:
                chosen[name] = value
        super().__init__(config, SimulateOptions(**chosen))

    def _run(
        self,
        inputs: Mapping[str, NDArray[Any]],
        *,
        record: Mapping[str, tuple[str, ...]],
        trial_seed: int | None,
    ) -> Recording:
        found = super()._run(inputs, record=record, trial_seed=trial_seed)
        return dataclasses.replace(found, provenance={**found.provenance, "session": "loopback"})
