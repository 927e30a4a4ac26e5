"""Which boards are attached, and how to open one."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ranvier.errors import DeviceError, RanvierError

from ..targets import target_named
from .options import DeployOptions
from .vendor import load_sdk, sdk_problem, speaking

if TYPE_CHECKING:
    from ranvier.artifacts import AbstractSession
    from ranvier.target import Target

    from ..config import Dynapse2Config

LOOPBACK = "loopback"


@dataclass(frozen=True)
class OpenBoard:
    """A board in our hands; ``stack`` gives it back."""

    name: str
    sdk: Any
    board: Any
    stack: ExitStack


def list_devices(target: Target) -> list[dict[str, str]]:
    """Return the attached boards; never raises.

    Parameters
    ----------
    target : Target
        The one of this plugin.

    Returns
    -------
    list of dict
        ``id``, such as ``"DYNAP-SE2:0 (serial 12)"``, and ``description``; or one entry with an
        empty ``id`` and ``problem`` if the SDK is missing or cannot look.
    """
    problem = sdk_problem()
    if not problem:
        try:
            return [
                {"id": name, "description": _described(info, target)}
                for name, info in _attached(load_sdk())
            ]
        except RanvierError as error:
            problem = str(error)
    return [{"id": "", "description": "", "problem": problem}]


def open_device(
    config: Dynapse2Config, device: str, options: DeployOptions | None = None
) -> AbstractSession:
    """Open a board, or the loopback, with a configuration.

    Parameters
    ----------
    config : Dynapse2Config
        What runs.
    device : str
        ``"loopback"``, an id from `list_devices`, or its part before the serial number.
    options : DeployOptions or None
        None takes the defaults.

    Raises
    ------
    MissingDependencyError
        A board is asked for and the SDK is not installed.
    DeviceError
        The board is absent, busy, has too few chips, does not answer, or does not hold what is
        written to it. It is released before the error leaves.
    """
    chosen = options or DeployOptions()
    if device == LOOPBACK:
        from .loopback import LoopbackSession

        return LoopbackSession(config, chosen)
    from .session import BoardSession

    with ExitStack() as stack:
        opened = _open(device, stack)
        session = BoardSession(config, opened, chosen)
        session.take_over(stack.pop_all())
        return session


def _attached(sdk: Any) -> list[tuple[str, Any]]:
    kind = str(target_named().fact("device_type").value)
    with speaking("dynapse2", "looking for boards"):
        infos = [i for i in sdk.device.get_all_devices() if kind in i.device_type_name]
    return [(_id(kind, number, info), info) for number, info in enumerate(infos)]


def _id(kind: str, number: int, info: Any) -> str:
    serial = getattr(info, "serial_number", "")
    return f"{kind}:{number} (serial {serial})" if serial else f"{kind}:{number}"


def _described(info: Any, target: Target) -> str:
    known = {
        "USB bus": getattr(info, "usb_bus_number", None),
        "address": getattr(info, "usb_device_address", None),
        "logic version": getattr(info, "logic_version", None),
        "daughter boards": getattr(info, "daughter_board_num", None),
    }
    facts = ", ".join(f"{name} {value}" for name, value in known.items() if value is not None)
    return f"{info.device_type_name} ({facts})" if facts else target.description


def _open(device: str, stack: ExitStack) -> OpenBoard:
    sdk = load_sdk()
    attached = dict(_attached(sdk))
    short = {name.partition(" (")[0]: name for name in attached}
    name = short.get(device, device)
    if name not in attached:
        listed = ", ".join(attached) or "none"
        raise DeviceError(
            f"dynapse2: no board {device!r}; attached: {listed}. Check cable and power, on Linux "
            "also the udev rules that SynSense publishes for its boards, or use device='loopback'"
        )
    try:
        board = sdk.device.open_device(attached[name])
    except Exception as error:
        raise DeviceError(
            f"{name}: cannot be opened ({error}); another program may hold it"
        ) from error
    stack.callback(_give_back, sdk, board)
    return OpenBoard(name, sdk, board, stack)


def _give_back(sdk: Any, board: Any) -> None:
    """Close the board; one that is gone needs no good-bye."""
    with suppress(Exception):
        sdk.device.close_device(board)
