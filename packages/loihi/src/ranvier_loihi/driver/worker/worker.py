"""Start the worker program in the interpreter that has Lava, and end it on every way out."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import DeviceError, DeviceTimeoutError

PYTHON_VARIABLE = "RANVIER_LAVA_PYTHON"
SCRIPT = Path(__file__).with_name("lava_worker.py")
ABOUT_TIMEOUT = 60.0
_TAIL = 1500
_GRACE = 5.0


def find_python(chosen: str | None = None) -> str:
    """Return the interpreter that has Lava.

    Parameters
    ----------
    chosen : str or None
        Path or name of a program; None: the environment's ``RANVIER_LAVA_PYTHON``.

    Raises
    ------
    DeviceError
        None is configured, or there is no such program.
    """
    name = chosen or os.environ.get(PYTHON_VARIABLE, "")
    if not name:
        raise DeviceError(
            f"lava-worker: no interpreter is configured; set {PYTHON_VARIABLE} to a Python 3.10 "
            "with lava-nc installed (python3.10 -m venv ...; pip install lava-nc)"
        )
    found = shutil.which(name)
    if found is None:
        raise DeviceError(
            f"lava-worker: {name!r} is no program that can be run; correct {PYTHON_VARIABLE}"
        )
    return found


def about(chosen: str | None = None, *, timeout: float = ABOUT_TIMEOUT) -> dict[str, Any]:
    """Return versions and abilities of the interpreter; ``problem`` if Lava does not import.

    Raises
    ------
    DeviceError
        There is no interpreter, or it fails.
    DeviceTimeoutError
        It does not answer.
    """
    output = _run(find_python(chosen), ["about"], timeout=timeout)
    try:
        found = json.loads(output.strip().splitlines()[-1])
    except (IndexError, ValueError) as error:
        raise DeviceError(
            f"lava-worker: the interpreter answered {output[-200:]!r}; it must be a Python"
        ) from error
    return dict(found)


def check_net(path: Path, *, python: str | None = None, timeout: float = 600.0) -> dict[str, Any]:
    """Open a ``.net`` file with the vendor's reader ``netx``.

    Parameters
    ----------
    path : Path
        The file.
    python : str or None
        Interpreter with lava-dl; None: that of the environment.
    timeout : float
        Longest wait, in s.

    Returns
    -------
    dict
        ``layers``, a list of ``type`` and ``shape`` (w, h, c), and the reader's ``table``.

    Raises
    ------
    DeviceError
        There is no interpreter, or the reader rejects the file.
    DeviceTimeoutError
        It takes longer.
    """
    with tempfile.TemporaryDirectory(prefix="ranvier-lava-") as folder:
        result = Path(folder) / "layers.json"
        arguments = ["check-net", str(Path(path).resolve()), str(result)]
        _run(find_python(python), arguments, timeout=timeout)
        return dict(json.loads(result.read_text(encoding="utf-8")))


class WorkerRunner:
    """Jobs in the interpreter that has Lava; one process per job.

    Parameters
    ----------
    name : str
        Id of the device.
    python : str
        The interpreter.
    timeout : float
        Longest wait for one job, in s.
    """

    def __init__(self, name: str, python: str, *, timeout: float) -> None:
        self.name, self._python, self._timeout = name, python, timeout

    def __call__(
        self, job: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> dict[str, NDArray[Any]]:
        """Run one job.

        Raises
        ------
        DeviceError
            The program ended with an error; the message has the end of what it printed.
        DeviceTimeoutError
            It took longer; it was ended.
        """
        with tempfile.TemporaryDirectory(prefix="ranvier-lava-") as folder:
            given, result = Path(folder) / "job.npz", Path(folder) / "result.npz"
            np.savez(given, job=np.array(json.dumps(dict(job))), **arrays)  # type: ignore[arg-type]
            arguments = ["run", str(given), str(result)]
            _run(self._python, arguments, timeout=self._timeout, name=self.name)
            if not result.exists():
                raise DeviceError(f"{self.name}: the worker ended without a result; run it again")
            with np.load(result, allow_pickle=False) as stored:
                return {name: stored[name] for name in stored.files}

    def close(self) -> None:
        """Hold nothing between jobs."""


def _run(
    python: str, arguments: Sequence[str], *, timeout: float, name: str = "lava-worker"
) -> str:
    """Run the program and return what it printed; the process group ends in any case."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                [python, str(SCRIPT), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
                start_new_session=True,
            )
        except OSError as error:
            raise DeviceError(f"{name}: {python} cannot be started: {error}") from error
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise DeviceTimeoutError(
                f"{name}: the worker took more than {timeout:g} s and was ended; allow more with "
                f"timeout=. It printed: {_tail(errors) or _tail(out) or 'nothing'}"
            ) from error
        finally:
            _end(process)
        if code:
            raise DeviceError(
                f"{name}: the worker ended with status {code}: {_tail(errors) or _tail(out)}"
            )
        out.seek(0)
        text: str = out.read().decode("utf-8", "replace")
        return text


def _tail(file: Any) -> str:
    file.seek(0)
    text: str = file.read().decode("utf-8", "replace").strip()
    return text if len(text) <= _TAIL else "..." + text[-_TAIL:]


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and what it started: Lava runs one process per part of a network."""
    running = process.poll() is None
    if os.name == "posix":
        _signal_group(process.pid, running=running)
    elif running:
        process.kill()
    if running:
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _signal_group(group: int, *, running: bool) -> None:
    import signal

    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        if running:
            raise
