"""Which devices there are, and how to open one."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, Any

from ranvier.errors import DeviceError, MissingDependencyError, RanvierError

from .options import DeployOptions
from .worker import worker
from .worker.lava_worker import HARDWARE_MODULE

if TYPE_CHECKING:
    from ranvier.artifacts import AbstractSession
    from ranvier.target import Target

    from ..config import LoihiConfig

LOOPBACK, IN_PROCESS, WORKER = "loopback", "lava-cpu", "lava-worker"
_CPU_MODULE = "lava.proc.lif.process"
_NO_SDK = (
    "loihi: the vendor's extension for hardware, Lava-Loihi, is not installed; Intel gives it to "
    "members of its research community. Simulation, device='loopback' and, with an interpreter "
    "that has lava-nc, device='lava-worker' need none of it"
)


def list_devices(target: Target) -> list[dict[str, str]]:
    """Return the devices of a target: the loopback, Lava on the CPU, and configured boards.

    Parameters
    ----------
    target : Target
        One of the family.

    Returns
    -------
    list of dict
        ``id`` and ``description``; entries with an empty ``id`` and ``problem`` say what is
        missing. Nothing of the vendor's software is imported.
    """
    found = [{"id": LOOPBACK, "description": "the bit-exact simulator behind the driver"}]
    if _has(_CPU_MODULE):
        found.append({"id": IN_PROCESS, "description": "Lava's CPU backend in this interpreter"})
    found += _boards(target, "", has_sdk=_has(HARDWARE_MODULE))
    found += _behind_the_worker(target)
    return found


def _boards(target: Target, prefix: str, *, has_sdk: bool) -> list[dict[str, str]]:
    from .hardware import device_name, host_of

    host = host_of(target.name, DeployOptions())
    if has_sdk and host is not None:
        return [{"id": prefix + device_name(target.name, host), "description": target.description}]
    if prefix:
        return []
    problem = _NO_SDK
    if has_sdk:
        problem = (
            "loihi: no board is configured; set SLURM=1 (and PARTITION or BOARD), or NXSDKHOST to "
            "a board's address"
        )
    return [{"id": "", "description": "", "problem": problem}]


def _behind_the_worker(target: Target) -> list[dict[str, str]]:
    try:
        found = worker.about()
    except RanvierError as error:
        return [{"id": "", "description": "", "problem": str(error)}]
    if found.get("problem"):
        problem = (
            f"lava-worker: Python {found.get('python')}: {found['problem']}; Lava 0.10 needs "
            "Python 3.10"
        )
        return [{"id": "", "description": "", "problem": problem}]
    text = f"Lava {found.get('lava') or '?'} on the CPU of Python {found.get('python')}"
    boards = _boards(target, f"{WORKER}:", has_sdk=bool(found.get("hardware")))
    return [{"id": WORKER, "description": text}, *boards]


def open_device(
    config: LoihiConfig, device: str, options: DeployOptions | None = None
) -> AbstractSession:
    """Open a device with a configuration.

    Parameters
    ----------
    config : LoihiConfig
        What runs.
    device : str
        ``"loopback"``, ``"lava-cpu"`` (Lava in this interpreter), ``"lava-worker"`` (Lava in the
        interpreter ``RANVIER_LAVA_PYTHON``), or an id from `list_devices`.
    options : DeployOptions or None

    Raises
    ------
    MissingDependencyError
        Lava, or its extension for hardware, is not installed here.
    DeviceError
        There is no such device, it does not answer, or it cannot run the network.
    """
    chosen = options or DeployOptions()
    if device == LOOPBACK:
        from .loopback import LoopbackSession

        return LoopbackSession(config, chosen)
    from .session import InProcessRunner, LavaSession

    if device == IN_PROCESS:
        _need(_CPU_MODULE, "loihi: Lava is not installed in this interpreter; use 'lava-worker'")
        return LavaSession(config, InProcessRunner(device, chosen), chosen)
    if device.split(":")[0] == WORKER:
        return _open_worker(config, device, chosen)
    return _open_board(config, device, chosen)


def _open_worker(config: LoihiConfig, device: str, options: DeployOptions) -> AbstractSession:
    from .session import LavaSession

    found = worker.about(options.python)
    if found.get("problem"):
        raise DeviceError(
            f"{device}: Python {found.get('python')}: {found['problem']}; Lava 0.10 needs Python "
            "3.10"
        )
    python = worker.find_python(options.python)
    runner = worker.WorkerRunner(device, python, timeout=options.timeout)
    if device == WORKER:
        return LavaSession(config, runner, options)
    if not found.get("hardware"):
        raise DeviceError(f"{device}: {python} has Lava, but not its extension for hardware")
    host = _host(config, device.partition(":")[2], options)
    return LavaSession(config, runner, options, hardware=True, host=host)


def _open_board(config: LoihiConfig, device: str, options: DeployOptions) -> AbstractSession:
    from .hardware import HardwareSession

    if device.split(":")[0] != config.target:
        raise DeviceError(
            f"{config.target}: there is no device {device!r}; known are {LOOPBACK!r}, "
            f"{IN_PROCESS!r}, {WORKER!r} and '{config.target}:<board or host>'"
        )
    host = _host(config, device, options)
    _need(HARDWARE_MODULE, _NO_SDK)
    return HardwareSession(config, host, options)


def _host(config: LoihiConfig, device: str, options: DeployOptions) -> dict[str, Any]:
    """Return where a board is; its id must agree with options and environment."""
    from .hardware import device_name, host_of

    host = host_of(config.target, options)
    if host is None or device_name(config.target, host) != device:
        configured = "none" if host is None else device_name(config.target, host)
        raise DeviceError(
            f"{config.target}: no board {device!r}; configured: {configured}. Set SLURM=1 (and "
            "PARTITION or BOARD) or NXSDKHOST, or the options partition, board, host"
        )
    return host


def _has(module: str) -> bool:
    """Say whether a module could be imported; only its parent packages are."""
    if module in sys.modules:
        return True
    try:
        return importlib.util.find_spec(module) is not None
    except Exception:  # a parent package may be missing, or not fit this Python
        return False


def _need(module: str, message: str) -> None:
    if not _has(module):
        raise MissingDependencyError(message, name=module.partition(".")[0])
