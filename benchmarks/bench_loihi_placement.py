"""Placement of Loihi networks: ``python benchmarks/bench_loihi_placement.py [--small]``.

1e5 neurons with 1e7 recurrent synapses onto Loihi 2, one thread, must take at most 60 s. The
neurons connect within planted clusters with some strays, and their names are shuffled; cores and
spikes between cores are printed beside those of layer order alone. Compilation is not counted: a
small network is placed first. ``--small`` runs a tenth of it.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import resource
import sys
import time

import numpy as np

from ranvier.diagnostics import Findings
from ranvier_loihi.network import LoihiNetwork, MappedConnection, MappedPopulation
from ranvier_loihi.placement import Budget, occupancy, place_network
from ranvier_loihi.placement._chips import core_traffic
from ranvier_loihi.placement._connectivity import connectivity
from ranvier_loihi.placement._cost import Caps
from ranvier_loihi.placement._fill import fill
from ranvier_loihi.targets import limits_of

LIMIT = 60.0
FAN_IN, CLUSTER = 100, 400
CASES = (("90 % local", 0.9), ("99 % local", 0.99), ("random", 0.0))


def network(n, *, local, seed=0):
    """Sparse recurrent population: a share of the synapses stays within shuffled clusters."""
    rng = np.random.default_rng(seed)
    label = rng.permutation(n) // CLUSTER
    members = np.argsort(label, kind="stable")
    target = np.repeat(np.arange(n), FAN_IN)
    near = members[label[target] * CLUSTER + rng.integers(0, CLUSTER, target.size)]
    far = rng.integers(0, n, target.size)
    connection = MappedConnection(
        source="cells",
        target="cells",
        port="in",
        kind="sparse",
        weight=np.ones(target.size),
        indices=np.where(rng.random(target.size) < local, near, far),
        indptr=np.arange(n + 1) * FAN_IN,
    )
    cells = MappedPopulation(name="cells", model="lif", shape=(n,))
    return LoihiNetwork(inputs={}, populations=(cells,), connections=(connection,))


def between_cores(net, core):
    """Return the spikes from core to core of a placement."""
    traffic = core_traffic(net, core)
    return traffic.sum() - np.trace(traffic)


def measure(name, n, *, local, budget):
    """Place one network and print what it took."""
    graph = network(n, local=local)
    findings = Findings()
    start, cpu = time.perf_counter(), time.process_time()
    placement = place_network(graph, budget, seed=0, findings=findings)
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    if placement is None:
        print(f"{name:<14}{'does not fit':>12}: {[str(d) for d in findings]}")
        return wall
    net = connectivity(graph, budget)
    order = fill(net, Caps.of(budget), np.arange(n), np.arange(n))
    core = (placement.chip * budget.cores_per_chip + placement.core).astype(np.int32)
    full = max(max(use.shares.values()) for use in occupancy(graph, placement, budget))
    if full > 1:
        raise SystemExit(f"{name}: a limit is exceeded, {100 * full:.1f} %")
    print(
        f"{name:<14}{wall:>10.1f}{cpu:>10.1f}{np.unique(core).size:>8}{order.max() + 1:>14}"
        f"{between_cores(net, core):>12.3g}{between_cores(net, order):>14.3g}"
    )
    return wall


def main():
    n = 10_000 if "--small" in sys.argv[1:] else 100_000
    budget = Budget.of(limits_of("loihi2"), chips=16)
    place_network(network(2000, local=0.9), budget, seed=0, findings=Findings())
    print(f"{n} neurons, {n * FAN_IN} synapses, clusters of {CLUSTER}, {os.cpu_count()} cores")
    print(
        f"{'':<14}{'wall / s':>10}{'CPU / s':>10}{'cores':>8}{'(layer order)':>14}"
        f"{'traffic':>12}{'(layer order)':>14}"
    )
    slowest = max(measure(name, n, local=local, budget=budget) for name, local in CASES)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"slowest {slowest:.1f} s, bar {LIMIT:.0f} s; at most {memory:.2f} GiB resident")
    return 0 if slowest <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
