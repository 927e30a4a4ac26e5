"""Clock, reset and identity of a board."""

from __future__ import annotations

from typing import Any

from ranvier.errors import DeviceError

from .boards import CHIP_VERSION_A2, Board
from .link import Link
from .registers import A2_CLOCK_CONFIG, A2_CLOCK_SOURCE
from .vendor import speaking

PDM_CLOCK_DIVIDER = 32
"""Audio 3: main clock over the clock of its microphone (rockpool 3.1.0)."""


def set_clock(sdk: Any, hdk: Any, board: Board, *, name: str, clock: float) -> float:
    """Set the main clock and return the one that the board can make, in Hz.

    On Audio 3 this is a soft reset of the board. It must happen before the streams are wired.

    Raises
    ------
    DeviceError
        The board has no published way, or cannot make the clock.
    """
    with speaking(name, "setting the main clock"):
        if board.target == "xylo-audio3":
            soft_reset(sdk, hdk, name=name, clock=clock)
            return clock
        if board.target == "xylo-audio2":
            wait = round(A2_CLOCK_SOURCE / clock / 2 - 1)
            if wait < 0:
                raise DeviceError(
                    f"{name}: the main clock can be {A2_CLOCK_SOURCE / 2e6:g} MHz at most, asked "
                    f"for are {clock / 1e6:g} MHz; use a smaller clock="
                )
            hdk.get_io_module().write_config(A2_CLOCK_CONFIG, wait)
            return A2_CLOCK_SOURCE / (2 * (wait + 1))
    raise DeviceError(
        f"{name}: how to set the main clock of this board is not published; leave clock= out"
    )


def soft_reset(sdk: Any, hdk: Any, *, name: str, clock: float | None) -> None:
    """Reset an Audio 3 board; everything must be written again afterwards."""
    with speaking(name, "resetting the board"):
        defaults = sdk.xyloAudio3.XyloAudio3TestBoardDefaultConfig()
        if clock is not None:
            defaults.main_clock_frequency = int(clock)
            defaults.pdm_clock_frequency = int(clock / PDM_CLOCK_DIVIDER)
        hdk.reset_board_soft(defaults)


def start_audio2(link: Link, *, timeout: float) -> None:
    """Initialise an Audio 2 chip with one step, check its version, and keep its microphone quiet.

    Raises
    ------
    DeviceError
        The chip reports another version.
    """
    with speaking(link.name, "switching the analogue front end off"):
        link.hdk.get_afe_model().set_saer_interface_enable(False)
    link.write([link.events.TriggerProcessing()])
    request = link.events.ReadVersion()
    version = link.ask(request, "Version", timeout=timeout, what="version of the chip")
    found = (int(version.major), int(version.minor))
    if found != CHIP_VERSION_A2:
        raise DeviceError(
            f"{link.name}: the chip is version {found[0]}.{found[1]}, this driver knows "
            f"{CHIP_VERSION_A2[0]}.{CHIP_VERSION_A2[1]}; choose the target that the board has"
        )
    link.clear()
