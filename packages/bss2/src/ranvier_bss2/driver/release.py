"""Giving a chip back on every way out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from .vendor import speaking


def given_back(device: str, release: Callable[[], Any]) -> Callable[..., None]:
    """Return the end of a session: release the chip, and never hide an earlier error.

    Parameters
    ----------
    device : str
        Id of the device, for the message.
    release : callable
        What the stack does to release it.

    Returns
    -------
    callable
        For `contextlib.ExitStack.push`. A release that fails raises `DeviceError`, unless another
        error is on its way.
    """

    def end(*error: Any) -> None:
        under_way = sys.exc_info()[1] is not None or (bool(error) and error[0] is not None)
        try:
            with speaking(device, "releasing the chip"):
                release()
        except Exception:
            if not under_way:
                raise

    return end
