"""Which boards are attached, and how to open one."""

from __future__ import annotations

import re
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ranvier.errors import DeviceError, RanvierError

from .boards import Board, board_of, has_board
from .options import DeployOptions
from .vendor import load_sdk, sdk_problem, speaking

if TYPE_CHECKING:
    from ranvier.artifacts import AbstractSession
    from ranvier.target import Target

    from ..config import XyloConfig

LOOPBACK = "loopback"


@dataclass(frozen=True)
class OpenBoard:
    """A board in our hands; ``stack`` gives it back."""

    board: Board
    name: str
    sdk: Any
    hdk: Any
    stack: ExitStack


def list_devices(target: Target) -> list[dict[str, str]]:
    """Return the attached boards of a target.

    Parameters
    ----------
    target : Target
        One of the family.

    Returns
    -------
    list of dict
        ``id`` and ``description``; or one entry with an empty ``id`` and ``problem`` if the SDK is
        missing or cannot look.
    """
    if not has_board(target.name):
        return []
    problem = sdk_problem()
    if not problem:
        try:
            return [
                {"id": name, "description": target.description}
                for name, _ in _attached(load_sdk(), board_of(target.name))
            ]
        except RanvierError as error:
            problem = str(error)
    return [{"id": "", "description": "", "problem": problem}]


def open_device(
    config: XyloConfig, device: str, options: DeployOptions | None = None
) -> AbstractSession:
    """Open a board, or the loopback, with a configuration.

    Parameters
    ----------
    config : XyloConfig
        What runs.
    device : str
        ``"loopback"`` or an id from `list_devices`.
    options : DeployOptions or None

    Raises
    ------
    MissingDependencyError
        A board is asked for and the SDK is not installed.
    DeviceError
        The board is absent, busy, has old firmware, or rejects the configuration. It is released
        before the error leaves.
    """
    chosen = options or DeployOptions()
    if device == LOOPBACK:
        from .loopback import LoopbackSession

        return LoopbackSession(config, chosen)
    if not has_board(config.target):
        raise DeviceError(
            f"{config.target}: device {device!r} cannot be opened, the vendor's SDK has no board "
            "support for this chip; use device='loopback'"
        )
    from .session import BoardSession

    with ExitStack() as stack:
        opened = _open(board_of(config.target), device, stack)
        session = BoardSession(config, opened, chosen)
        session.take_over(stack.pop_all())
        return session


def _attached(sdk: Any, board: Board) -> list[tuple[str, Any]]:
    with speaking(board.target, "looking for boards"):
        infos = [i for i in sdk.device.get_all_devices() if i.device_type_name == board.device_type]
    return [(f"{board.device_type}:{number}", info) for number, info in enumerate(infos)]


def _open(board: Board, device: str, stack: ExitStack) -> OpenBoard:
    sdk = load_sdk()
    attached = dict(_attached(sdk, board))
    if device not in attached:
        listed = ", ".join(attached) or "none"
        raise DeviceError(
            f"{board.target}: no board {device!r}; attached: {listed}. Check cable and power, on "
            "Linux also the udev rules that SynSense publishes for its boards, or use "
            "device='loopback'"
        )
    try:
        hdk = sdk.device.open_device(attached[device])
    except Exception as error:
        raise DeviceError(
            f"{device}: cannot be opened ({error}); another program may hold it"
        ) from error
    stack.callback(_give_back, sdk, hdk)
    _check_firmware(board, device, hdk)
    return OpenBoard(board, device, sdk, hdk, stack)


def _give_back(sdk: Any, hdk: Any) -> None:
    """Close the board; one that is gone needs no good-bye."""
    close = getattr(sdk.device, "close_device", None)  # rockpool never calls it: it may be absent
    if close is not None:
        with suppress(Exception):
            close(hdk)


def _check_firmware(board: Board, device: str, hdk: Any) -> None:
    with speaking(device, "reading the firmware versions"):
        found = hdk.get_firmware_versions()
    for part, needed in (("fxtree", board.min_fxtree), ("unifirm", board.min_unifirm)):
        version = str(getattr(found, part))
        if _numbers(version, device) < _numbers(needed, device):
            raise DeviceError(
                f"{device}: firmware {part} is {version}, needed is {needed} or newer; "
                "update the board's firmware with SynSense's tool"
            )


def _numbers(version: str, device: str) -> tuple[int, ...]:
    match = re.fullmatch(r"v?(\d+(?:\.\d+)*)(?:[-+].*)?", version.strip())
    if match is None:
        raise DeviceError(
            f"{device}: firmware version {version!r} cannot be read; update the board's firmware"
        )
    return tuple(int(part) for part in match[1].split("."))
