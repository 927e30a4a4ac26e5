"""What a user without torch gets: size of the installation, and everything but training."""

import subprocess
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

LIMIT_MB = 400

WITHOUT_TORCH = """
import sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "lightning_fabric", "samna"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, NoTorch())

import numpy as np
import ranvier as rv
from ranvier.graph import CubaLIF, Edge, Graph, Input, Linear, Output

rng = np.random.default_rng(0)
neurons = {"tau_mem": 4e-3, "tau_syn": 8e-3, "decay": "bitshift"}
graph = Graph(
    {
        "input": Input(shape=(6,)),
        "w1": Linear(weight=rng.normal(0, 0.4, (10, 6))),
        "hidden": CubaLIF(shape=(10,), max_spikes=31, **neurons),
        "w2": Linear(weight=rng.normal(0, 0.4, (3, 10))),
        "out": CubaLIF(shape=(3,), **neurons),
        "output": Output(shape=(3,)),
    },
    (
        Edge("input", "w1"),
        Edge("w1", "hidden"),
        Edge("hidden", "w2", delay=1),
        Edge("w2", "out"),
        Edge("out", "output"),
    ),
    1e-3,
)
spikes = rng.poisson(0.3, (4, 80, 6))
reference = rv.simulate(rv.build(graph, "reference"), spikes).output
for target in [name for name in rv.targets() if name.startswith("xylo")]:
    config = rv.quantize(rv.map(graph, target), calibration=spikes)
    simulated = rv.simulate(config, spikes).output
    with rv.deploy(config, device="loopback") as chip:
        assert np.array_equal(chip.run(spikes).output, simulated)
    assert np.mean(simulated == reference) > 0.97, np.mean(simulated == reference)
    assert simulated.sum() > 10
assert "torch" not in sys.modules
print("done")
"""


def needed(name: str, found: dict[str, Distribution]) -> dict[str, Distribution]:
    """Collect a distribution and everything it needs without extras."""
    try:
        dist = distribution(name)
    except PackageNotFoundError:
        return found
    key = dist.metadata["Name"].lower()
    if key in found:
        return found
    found[key] = dist
    for line in dist.requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            needed(requirement.name, found)
    return found


def size_of(dist: Distribution) -> int:
    paths = (Path(str(dist.locate_file(f))) for f in dist.files or ())
    return sum(p.stat().st_size for p in paths if p.is_file())


def test_core_and_one_chip_stay_below_the_limit():
    distributions = needed("ranvier-xylo", {})
    sizes = {name: size_of(dist) / 1e6 for name, dist in distributions.items()}

    assert {"ranvier", "numba", "numpy", "h5py"} <= set(sizes)
    assert "torch" not in sizes
    total = sum(sizes.values())
    assert total < LIMIT_MB, f"{total:.0f} MB: {sorted(sizes.items(), key=lambda s: -s[1])[:5]}"


def test_everything_but_training_works_without_torch():
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "done"
