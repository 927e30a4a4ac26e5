"""Set-up of a worker process: one compute thread, and an end when its parent ends.

Imports nothing heavy: thread counts count only before numerical libraries are loaded.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
)
"""Environment variables by which numerical libraries choose their number of threads."""


def prepare_worker() -> None:
    """Make this process a worker of a pool: one thread, deaf to Ctrl-C, gone with its parent."""
    numba_is_loaded = "numba" in sys.modules  # it refuses another number once threads run
    for name in VARIABLES:
        if not (numba_is_loaded and name.startswith("NUMBA")):
            os.environ[name] = "1"
    os.environ["OMP_WAIT_POLICY"] = "passive"
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides and ends its workers
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Wait for the parent's end: a worker whose parent was killed would wait for jobs for ever."""
    from multiprocessing import connection, parent_process

    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
