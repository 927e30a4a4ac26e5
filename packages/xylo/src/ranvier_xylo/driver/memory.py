"""The chip's state, read from its memory."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import DeviceError

from .link import Link
from .registers import A2_CTRL1, A2_MEM_CLK_BIT, A2_RAM_ACTIVE_BIT, RamMap

if TYPE_CHECKING:
    from ..config import XyloConfig


@contextmanager
def ram_access(link: Link, vendor: Any, *, timeout: float) -> Iterator[None]:
    """Give the host access to the chip's memory, and take it back on every way out."""
    if link.board.target == "xylo-audio2":
        off = link.read_registers([A2_CTRL1], timeout=timeout)[0]
        active = off | 1 << A2_RAM_ACTIVE_BIT
        on, back = (active, active | 1 << A2_MEM_CLK_BIT), (active, off)
        _write_ctrl1(link, on)
        with _undone(lambda: _write_ctrl1(link, back)):
            yield
    elif hasattr(vendor.debug, "ram_access_enable"):
        _enable(link, vendor, True)
        with _undone(lambda: _enable(link, vendor, False)):
            yield
    else:
        yield


@contextmanager
def _undone(undo: Any) -> Iterator[None]:
    """Call ``undo`` at the end; after an error its own failure must not hide the first one."""
    try:
        yield
    except BaseException:
        with suppress(DeviceError):
            undo()
        raise
    undo()


def _write_ctrl1(link: Link, values: tuple[int, int]) -> None:
    for value in values:
        link.write_registers({A2_CTRL1: value})


def _enable(link: Link, vendor: Any, on: bool) -> None:
    vendor.debug.ram_access_enable = on
    link.apply(vendor)


def memory_of(link: Link) -> RamMap:
    """Return the memory map, or raise `DeviceError` where none is published."""
    if link.board.ram is None:
        raise DeviceError(
            f"{link.name}: the memory map of this chip is not published; record states in "
            "accelerated mode instead"
        )
    return link.board.ram


def read_traces(
    link: Link, config: XyloConfig, traces: Collection[str], *, timeout: float
) -> dict[str, NDArray[np.int64]]:
    """Read states of the moment, ``(n_hid,)`` or ``(n_out,)`` each; needs `ram_access`."""
    ram, n_hid = memory_of(link), config.n_hid
    found = {}
    for name in traces:
        out = name.endswith("_out")
        first = getattr(ram, name.removesuffix("_out")) + (n_hid if out else 0)
        size = config.n_out if out else n_hid
        words = link.read_memory(range(first, first + size), timeout=timeout)
        found[name] = np.array(words, dtype=np.int64).astype(np.uint16).view(np.int16)
    return {name: values.astype(np.int64) for name, values in found.items()}
