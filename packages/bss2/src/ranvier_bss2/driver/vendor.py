"""The vendor's software stack: found without importing it, its errors turned into ours."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeAlias

from ranvier.errors import DeviceError, MissingDependencyError, RanvierError

Path: TypeAlias = Literal["hxtorch", "pynn"]
MODULES: dict[Path, str] = {"hxtorch": "hxtorch", "pynn": "pynn_brainscales"}
"""Top-level module of each path."""
PYNN = "pynn_brainscales.brainscales2"
_ADVICE = (
    "it has no wheel, so that pip cannot install it: use the group's container image, a kernel of "
    "the EBRAINS lab, or the modules on the cluster; mapping, simulation and device='loopback' "
    "need none"
)
_CAUSES = (
    (
        "no connection present",
        "no chip is connected: open the device again, and check SLURM_FPGA_IPS or the QUIGGELDY_* "
        "variables",
    ),
    (
        "in-degree",
        "the stack's router gives every signed input two rows per circuit, 256 rows per circuit "
        "and 64 per bus: use more circuits per neuron, or distribute the layer (partition)",
    ),
    (
        "padi-bus",
        "too many rows on one bus: place sources in other columns, or distribute the layer",
    ),
    (
        "no router of portfolio",
        "the stack found no routes: use placement='stack', or distribute layers over execution "
        "instances",
    ),
    (
        "unsuccessfulrouting",
        "the stack found no routes: use placement='stack', or distribute layers over execution "
        "instances",
    ),
    (
        "cannot register",
        "neurons overlap or do not fit: use placement='stack', or distribute layers over "
        "execution instances",
    ),
    ("cyclic dependencies", "a loop was not wrapped; please report this network"),
    (
        "cannot both be active",
        "record no traces (cadc='off') together with a plasticity rule",
    ),
    (
        "requested runtime invalid",
        "the stack refuses the run's length: use whole steps",
    ),
    (
        "check_kernel",
        "kernel and software version do not match the calibration: choose the kernel that made it",
    ),
)
_OTHERWISE = "check the connection to the chip, then open it again"


def load(name: str, *, path: Path) -> Any:
    """Return a module of the stack.

    Parameters
    ----------
    name : str
        Module to import.
    path : {"hxtorch", "pynn"}
        Stack that it belongs to.

    Raises
    ------
    MissingDependencyError
        The stack is not installed.
    DeviceError
        It is installed but cannot be imported.
    """
    problem = stack_problem(path)
    if problem:
        raise MissingDependencyError(problem, name=MODULES[path])
    try:
        return sys.modules[name] if name in sys.modules else importlib.import_module(name)
    except Exception as error:
        raise DeviceError(
            f"bss2: {name} is installed but cannot be imported ({error}); check that container, "
            "kernel and modules belong together"
        ) from error


def stack_problem(path: Path) -> str:
    """Return why a stack cannot be used, or an empty string; nothing is imported."""
    name = MODULES[path]
    if name in sys.modules:
        return ""
    try:
        there = importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        there = False
    return "" if there else f"bss2: {name} is not installed; {_ADVICE}"


def find_name(space: Any, *names: str) -> Any:
    """Return the first of some names, which may have dots, that a module has.

    Parameters
    ----------
    space : module
        Where to look.
    *names : str
        The present name first, then those of earlier releases.

    Raises
    ------
    DeviceError
        It has none of them.
    """
    for name in names:
        found = space
        for part in name.split("."):
            found = getattr(found, part, None)
        if found is not None:
            return found
    where = getattr(space, "__name__", "the stack")
    raise DeviceError(
        f"bss2: {where} has none of the names {', '.join(names)}; this release of the stack is not "
        "known to the driver, use one of 2024 to 2026"
    )


@contextmanager
def speaking(device: str, action: str) -> Iterator[None]:
    """Turn whatever the stack raises during an action into one `DeviceError` with advice.

    Parameters
    ----------
    device : str
        Id of the device, for the message.
    action : str
        What was being done: "initialising the chip".
    """
    try:
        yield
    except RanvierError:
        raise
    except Exception as error:
        text = str(error) or type(error).__name__
        raise DeviceError(f"{device}: {action} failed: {text}; {_advice(error)}") from error


def _advice(error: Exception) -> str:
    text = f"{type(error).__name__} {error}".lower()
    return next((advice for key, advice in _CAUSES if key in text), _OTHERWISE)
