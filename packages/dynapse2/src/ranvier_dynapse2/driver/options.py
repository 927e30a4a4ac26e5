"""What a user may choose when a configuration goes to a board."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..mismatch import MAX_MISMATCH

_LAB = "Aramatos/dynapse2_adaptation"
_ROCKPOOL = "rockpool 3.1.0, devices/dynapse/hardware"


def _seconds(default: float, description: str) -> Any:
    return Field(default, ge=0, allow_inf_nan=False, description=description)


class DeployOptions(BaseModel):
    """Options of the verb *deploy*; every field describes itself.

    Figures without a source are choices of this driver. The sources disagree on hops and pauses,
    and nothing here was tried on a board, so that all of it can be set.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    bitfile: Path | None = Field(
        None, description="Bit file of the board's FPGA; none: the board is configured already."
    )
    reset: Literal["power-cycle", "config", "none"] = Field(
        "power-cycle", description=f"How the chips are reset when the board is opened ({_LAB})."
    )
    reset_fpga: bool = Field(True, description=f"Reset the FPGA, and its clock with it ({_LAB}).")
    verify: bool = Field(
        True, description="Read the configuration back after writing it, and compare."
    )
    settle: float = _seconds(
        0.5, f"Pause after a configuration was written, in s; 0.1 to 1 in use ({_LAB})."
    )
    reset_pause: float = _seconds(1.0, f"Pause after a reset of the chips, in s ({_LAB}).")
    start_delay: float = _seconds(
        0.1, f"From reading the clock to the first time step, in s ({_ROCKPOOL})."
    )
    poll_interval: float = _seconds(
        1e-3, f"Pause between two looks for events, in s ({_ROCKPOOL})."
    )
    read_timeout: float = _seconds(
        60.0, f"Longest wait for the end of a run, beyond its duration, in s ({_ROCKPOOL})."
    )
    clock_timeout: float = _seconds(20.0, f"Longest wait for the clock, in s ({_ROCKPOOL}).")
    idle_time: float = _seconds(
        0.1, "A run has ended when nothing came for this long after its end, in s."
    )
    end: Literal["marker", "duration"] = Field(
        "marker",
        description="marker: the end is the return of control packets sent last "
        f"({_ROCKPOOL}); duration: it is when the time is over on the host's clock.",
    )
    dt_fpga: float = Field(
        1e-6,
        gt=0,
        allow_inf_nan=False,
        description=f"Tick of the board's time stamps, in s ({_ROCKPOOL}).",
    )
    wrap: Literal["refuse", "send"] = Field(
        "refuse",
        description="A run that would cross the end of the 32-bit clock is refused, or sent with "
        "times that start again at 0; whether a board takes these is not known.",
    )
    wrap_margin: float = _seconds(
        60.0, f"A run must end this long before the clock does, in s ({_LAB})."
    )
    control_tag: int = Field(
        2047, ge=0, le=2047, description=f"Tag of control packets ({_ROCKPOOL})."
    )
    control_hop: int = Field(
        -7,
        ge=-7,
        le=7,
        description="Hops of control packets along both axes; they come back with one less to go "
        f"along x ({_ROCKPOOL}).",
    )
    control_packets: int = Field(
        3, ge=1, le=64, description=f"Control packets sent at a time ({_ROCKPOOL}; {_LAB}: 1, 32)."
    )
    monitor_y: int | Literal["written", "any"] = Field(
        "written",
        description="y hop with which a monitored neuron's events return: as its SRAM has it, "
        "anything, or this number. rockpool 3.1.0 writes and sees -7, "
        f"{_LAB} writes and sees 0.",
    )
    double_window: float = _seconds(
        0.0,
        "Events of one neuron that follow its last within less than this count once, in s; 2e-6 "
        f"for the classic exponential neuron, which may repeat events ({_LAB}).",
    )
    echo_inputs: bool = Field(
        False,
        description="Send every input spike back to the host as well, with tag 1024 + channel, and "
        f"record what returns as spikes of the input ({_LAB}, with the input's own tag).",
    )
    monitor_neurons: tuple[tuple[str, int], ...] = Field(
        (),
        description="Neurons whose analogue signals the cores put out, as (graph node, index); at "
        "most one per core.",
    )
    sadc: tuple[str, ...] = Field(
        (),
        description="Signals of the monitored neurons to convert, names of the SDK's sadc_enables "
        "of a core such as 'soif_mem'; the session's attribute sadc has the values.",
    )
    sadc_period_ms: int | None = Field(
        None, ge=1, description="Sample period of the converters, in ms; none: the SDK's default."
    )
    mismatch: float | None = Field(
        None,
        ge=0,
        le=MAX_MISMATCH,
        description="Loopback only: deviation of a virtual chip's parameters, 0.05 is 5 %.",
    )
    chip_seed: int | None = Field(
        None, ge=0, description="Loopback only: seed that names the virtual chip."
    )
