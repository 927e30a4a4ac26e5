"""The emulator behind the driver's records, without hardware."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray
from pydantic import ValidationError

from ranvier.artifacts import Recording
from ranvier.errors import DeviceError

from ..simulator import Bss2Session, SimulateOptions

if TYPE_CHECKING:
    from ..chip import VirtualChip
    from ..config import Bss2Config
    from .options import DeployOptions

NEEDS_STACK = (
    "path",
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
        Virtual chip: preset, seed, single spreads, or its calibration (.rv); the others need a
        chip.
    chip : VirtualChip or None
        For programs: a chip that options cannot name; None takes theirs.

    Raises
    ------
    DeviceError
        An option needs a chip, or the calibration is none of a virtual chip.
    """

    def __init__(
        self, config: Bss2Config, options: DeployOptions, *, chip: VirtualChip | None = None
    ) -> None:
        asked = options.given(*NEEDS_STACK)
        if asked:
            raise DeviceError(
                f"bss2: the loopback has no chip and no software stack: leave out "
                f"{', '.join(asked)}, or open a chip"
            )
        chosen: dict[str, Any] = {"level": "emulator"}
        for name in ("preset", "chip_seed", "variability", "calibration"):
            value = getattr(options, name)
            if value is not None:
                chosen[name] = value
        try:
            simulated = SimulateOptions(**chosen)
        except ValidationError as error:
            found = "; ".join(e["msg"].removeprefix("Value error, ") for e in error.errors())
            raise DeviceError(f"bss2: loopback: {found}") from error
        super().__init__(config, simulated, chip=chip)

    def _run(
        self,
        inputs: Mapping[str, NDArray[Any]],
        *,
        record: Mapping[str, tuple[str, ...]],
        trial_seed: int | None,
    ) -> Recording:
        found = super()._run(inputs, record=record, trial_seed=trial_seed)
        return dataclasses.replace(found, provenance={**found.provenance, "session": "loopback"})
