"""Start-up against a bare interpreter: ``python benchmarks/bench_startup.py``.

Each command runs in a fresh process, alternating with ``python -c pass``; the wall time above the
bare interpreter's is printed as best and median. The listing of targets must stay within 80 ms.
"""

import os
import statistics
import subprocess
import sys
import time

REPEATS = 25
LIMIT_MS = 80
BARE = ("-c", "pass")
CASES = {
    "ranvier targets": ("-m", "ranvier.cli", "targets"),
    "ranvier targets --json": ("-m", "ranvier.cli", "targets", "--json"),
    "ranvier --version": ("-m", "ranvier.cli", "--version"),
    "ranvier --help": ("-m", "ranvier.cli", "--help"),
    "import ranvier": ("-c", "import ranvier"),
    "entry points by importlib.metadata": (
        "-c",
        "from importlib.metadata import entry_points; entry_points(group='ranvier.chips')",
    ),
    "entry points as ranvier reads them": (
        "-c",
        "from ranvier.plugins._declared import declared_entry_points as d; d('ranvier.chips')",
    ),
}


def seconds(arguments):
    """Return the wall time of one process."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def measure(arguments):
    """Return best and median of what a command takes above the bare interpreter, in ms."""
    bare, own = [], []
    for _ in range(REPEATS):
        bare.append(seconds(BARE))
        own.append(seconds(arguments))
    best = min(own) - min(bare)
    typical = statistics.median(b - a for a, b in zip(bare, own, strict=True))
    return best * 1e3, typical * 1e3, min(bare) * 1e3


def main():
    seconds(BARE)
    for arguments in CASES.values():
        seconds(arguments)
    print(f"{REPEATS} processes each, {os.cpu_count()} cores, Python {sys.version.split()[0]}")
    print(f"{'above a bare interpreter':<38}{'best / ms':>12}{'median / ms':>14}{'bare / ms':>12}")
    best = {}
    for name, arguments in CASES.items():
        best[name], typical, bare = measure(arguments)
        print(f"{name:<38}{best[name]:>12.1f}{typical:>14.1f}{bare:>12.1f}")
    met = best["ranvier targets"] <= LIMIT_MS
    print(f"targets within {LIMIT_MS} ms: {'yes' if met else 'NO'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
