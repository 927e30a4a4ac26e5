"""Execution instances: runs of the chip, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ranvier.errors import InputError


@dataclass(eq=False)
class ExecutionInstance:
    """One run of the chip. Modules of different instances run one after the other, forward only.

    Parameters
    ----------
    calib_path : path, optional
        Calibration file, given to the driver by its name and never opened here.
    name : str, optional
        Shown in messages.
    """

    calib_path: Path | str | None = None
    name: str = ""

    def load_calib(self, path: Path | str) -> None:
        """Remember the calibration file that a real chip is to load.

        Raises
        ------
        InputError
            There is no such file.
        """
        if not Path(path).is_file():
            raise InputError(
                f"bss2: load_calib: no file {str(path)!r}; give the file that calix wrote, or "
                "leave it out for a virtual chip"
            )
        self.calib_path = Path(path)
