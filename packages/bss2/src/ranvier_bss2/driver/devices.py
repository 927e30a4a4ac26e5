"""Which chips can be reached, and how to open one."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from .access import access_of, configured_access, environment
from .options import DeployOptions
from .vendor import MODULES, Path, stack_problem

if TYPE_CHECKING:
    from ranvier.artifacts import AbstractSession
    from ranvier.target import Target

    from ..config import Bss2Config

LOOPBACK = "loopback"
_NO_ACCESS = (
    "no access to a chip is set up: on the cluster, start the job with one (SLURM_FPGA_IPS is then "
    "set); elsewhere set QUIGGELDY_ENABLED=1, QUIGGELDY_IP and QUIGGELDY_PORT, or give host= and "
    "port="
)


def list_devices(target: Target) -> list[dict[str, str]]:
    """Return the chips that the environment gives access to; never raises, imports nothing.

    Parameters
    ----------
    target : Target
        The one of this plugin.

    Returns
    -------
    list of dict
        ``id``, such as ``"hxtorch"`` or ``"hxtorch:quiggeldy:<host>:<port>"``, and
        ``description``; or one entry with an empty ``id`` and ``problem`` if no stack is installed
        or no access is set up. Whether the chip answers is found out when it is opened.
    """
    problems: dict[Path, str] = {path: stack_problem(path) for path in MODULES}
    usable = [path for path, problem in problems.items() if not problem]
    if not usable:
        return [{"id": "", "description": "", "problem": next(iter(problems.values()))}]
    end, what = configured_access()
    if not what:
        return [{"id": "", "description": "", "problem": f"bss2: {_NO_ACCESS}"}]
    text = f"{target.description} ({what}, through {{}})"
    return [{"id": f"{path}{end}", "description": text.format(path)} for path in usable]


def open_device(
    config: Bss2Config, device: str, options: DeployOptions | None = None
) -> AbstractSession:
    """Open a chip, or the loopback, with a configuration.

    Parameters
    ----------
    config : Bss2Config
        What runs.
    device : str
        ``"loopback"``, an id from `list_devices`, ``"hxtorch"``, ``"pynn"`` or ``"auto"``.
    options : DeployOptions or None
        None takes the defaults.

    Raises
    ------
    MissingDependencyError
        A chip is asked for and the stack is not installed.
    DeviceError
        The chip is absent, does not answer, or the configuration cannot run through this stack; all
        such reasons are in one error. It is released before the error leaves.
    """
    chosen = options or DeployOptions()
    if device == LOOPBACK:
        from .loopback import LoopbackSession

        return LoopbackSession(config, chosen)
    from .session import BoardSession

    access = access_of(device, chosen)
    with ExitStack() as stack:
        stack.enter_context(environment(access.environment))
        session = BoardSession(config, access, options=chosen, resources=stack)
        session.take_over(stack.pop_all())
        return session
