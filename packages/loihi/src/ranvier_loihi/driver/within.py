"""A call into the vendor's software that may hang."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ranvier.errors import DeviceError, DeviceTimeoutError, RanvierError

STOP_TIMEOUT = 10.0
"""Longest wait for a clean end after an error, in s."""


def within(seconds: float, action: Callable[[], Any], *, device: str, doing: str) -> Any:
    """Do something in a thread and wait for it; an interrupt ends the wait.

    Parameters
    ----------
    seconds : float
        Longest wait.
    action : callable
        What is done.
    device, doing : str
        For messages: ``"loihi2:slurm"``, ``"running 100 steps"``.

    Returns
    -------
    object
        What the action returned.

    Raises
    ------
    DeviceTimeoutError
        It took longer.
    DeviceError
        The vendor's software raised something.
    """
    result: list[Any] = []
    failure: list[BaseException] = []

    def call() -> None:
        try:
            result.append(action())
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise DeviceTimeoutError(
            f"{device}: {doing} took more than {seconds:g} s; allow more with timeout="
        )
    if not failure:
        return result[0]
    if isinstance(failure[0], RanvierError):
        raise failure[0]
    raise DeviceError(
        f"{device}: {doing} failed: {failure[0] or type(failure[0]).__name__}; see the vendor's "
        "output above, then open the device again"
    ) from failure[0]


def stopped(stop: Callable[[], None], *, device: str) -> None:
    """End the vendor's runtime after an error; what goes wrong now is not reported."""
    with suppress(DeviceError):
        within(STOP_TIMEOUT, stop, device=device, doing="stopping")
