"""How the chip is reached: ids of devices, and the environment that the stack reads."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ranvier.errors import DeviceError, MissingDependencyError

from .vendor import MODULES, Path, stack_problem

if TYPE_CHECKING:
    from .options import DeployOptions

LOCAL = "SLURM_FPGA_IPS"
"""Set by the cluster for a job that holds a chip."""
ENABLED, ADDRESS, PORT, USER = (
    "QUIGGELDY_ENABLED",
    "QUIGGELDY_IP",
    "QUIGGELDY_PORT",
    "QUIGGELDY_USER_NO_MUNGE",
)
"""Read by the stack for remote access, where users share the time of a chip."""
REMOTE = "quiggeldy"
_FORMS = "'hxtorch', 'pynn' or 'auto', also with ':quiggeldy:<host>:<port>', or 'loopback'"


@dataclass(frozen=True)
class Access:
    """Which stack, and which variables it needs to find the chip.

    Parameters
    ----------
    name : str
        Id of the device.
    path : {"hxtorch", "pynn"}
        Stack.
    environment : mapping of str to str
        Variables that are set while the session lasts.
    """

    name: str
    path: Path
    environment: Mapping[str, str]


def access_of(device: str, options: DeployOptions) -> Access:
    """Return how a device is reached.

    Parameters
    ----------
    device : str
        ``"hxtorch"``, ``"pynn"`` or ``"auto"``, alone or followed by
        ``":quiggeldy:<host>:<port>"``.
    options : DeployOptions
        Path, host, port and user.

    Raises
    ------
    DeviceError
        No such device, or id and options contradict each other.
    MissingDependencyError
        The stack is not installed; for ``"auto"``: neither of them.
    """
    stack, _, rest = device.partition(":")
    if stack not in ("auto", *MODULES):
        raise DeviceError(f"bss2: no device {device!r}; devices: {_FORMS}")
    host, port = _remote(device, rest, options)
    if options.user is not None and host is None:
        raise DeviceError(
            f"{device}: user={options.user!r} is for remote access; give host and port as well"
        )
    if stack != "auto" and options.path not in ("auto", stack):
        raise DeviceError(
            f"{device}: path={options.path!r} contradicts the device's id; leave one of them out"
        )
    path = _chosen(stack if stack != "auto" else options.path)
    changes = {} if host is None else {ENABLED: "1", ADDRESS: host, PORT: str(port)}
    if options.user is not None:
        changes[USER] = options.user
    name = path if host is None else f"{path}:{REMOTE}:{host}:{port}"
    return Access(name, path, changes)


def _remote(device: str, rest: str, options: DeployOptions) -> tuple[str | None, int | None]:
    """Return host and port from an id's end, or from the options."""
    if not rest:
        return options.host, options.port
    kind, _, place = rest.partition(":")
    host, _, port = place.rpartition(":")
    if kind != REMOTE or not host or not port.isdigit() or not 0 < int(port) < 1 << 16:
        raise DeviceError(f"bss2: no device {device!r}; devices: {_FORMS}")
    if options.host is not None and (options.host, options.port) != (host, int(port)):
        raise DeviceError(
            f"{device}: host={options.host!r}, port={options.port} contradict the device's id; "
            "leave them out"
        )
    return host, int(port)


def _chosen(path: str) -> Path:
    wanted: tuple[Path, ...] = tuple(p for p in MODULES if path in (p, "auto"))
    problems = {p: stack_problem(p) for p in wanted}
    usable = [p for p, problem in problems.items() if not problem]
    if not usable:
        first = wanted[0]
        raise MissingDependencyError(problems[first], name=MODULES[first])
    return usable[0]


def configured_access() -> tuple[str, str]:
    """Return the end of a device's id and a description of the access that is set up.

    Returns
    -------
    tuple of str
        ``("", "FPGA ...")`` on the cluster, ``(":quiggeldy:<host>:<port>", ...)`` for remote
        access, and empty strings if there is none.
    """
    host, port = os.environ.get(ADDRESS, ""), os.environ.get(PORT, "")
    if os.environ.get(ENABLED) == "1" and host and port:
        return f":{REMOTE}:{host}:{port}", f"shared chip behind {host}:{port}"
    local = os.environ.get(LOCAL, "")
    return "", f"FPGA {local}" if local else ""


@contextmanager
def environment(changes: Mapping[str, str]) -> Iterator[None]:
    """Set variables, and put back what was there before."""
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
