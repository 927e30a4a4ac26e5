"""Networks for the tests of placement, and a walk of every packet in plain Python."""

from collections import Counter, defaultdict

import numpy as np

from ranvier.diagnostics import Findings
from ranvier_dynapse2.placement import Budget, allocate_tags, group_sources, place_neurons
from ranvier_dynapse2.targets import limits_of


def budget(*, chips=1, **changes):
    """A board; small ones make limits bind with few neurons."""
    if not changes:
        return Budget.of(limits_of(), chips=chips)
    sizes = {
        "cores_per_chip": 4,
        "neurons_per_core": 256,
        "synapses_per_neuron": 64,
        "destinations": 4,
        "tags": 2048,
        **{k: v for k, v in changes.items() if k not in ("tag_usable", "cam_usable")},
    }
    cores = (chips, sizes["cores_per_chip"])
    cam = (*cores, sizes["neurons_per_core"], sizes["synapses_per_neuron"])
    return Budget(
        chips=chips,
        tag_usable=changes.get("tag_usable", np.ones((*cores, sizes["tags"]), bool)),
        cam_usable=changes.get("cam_usable", np.ones(cam, bool)),
        **sizes,
    )


class Network:
    """Synapses, clusters and monitored neurons; sources are channels, then neurons."""

    def __init__(self, n_channels, n, synapses, *, clusters=None, monitored=None):
        self.n_channels, self.n = n_channels, n
        self.synapses = synapses
        self.cluster = np.zeros(n, int) if clusters is None else np.asarray(clusters)
        self.monitored = np.zeros(n, bool) if monitored is None else np.asarray(monitored)

    def grouped(self, *, share=True):
        rows = np.array(self.synapses, dtype=float).reshape(-1, 4)
        source, target, port = rows[:, :3].T.astype(int)
        return group_sources(
            self.n_channels + self.n, source, target, port, rows[:, 3], share=share
        )

    def permuted(self, order):
        """Rename neuron i to order[i]."""
        c = self.n_channels
        synapses = [
            (s if s < c else c + order[s - c], order[t], p, w) for s, t, p, w in self.synapses
        ]
        back = np.argsort(order)
        return Network(
            c, self.n, synapses, clusters=self.cluster[back], monitored=self.monitored[back]
        )


class Mapped:
    """A network placed and with tags, or the findings that say why not."""

    def __init__(self, network, board, *, share=True, seed=0):
        self.network, self.board = network, board
        self.findings = Findings()
        self.grouped = network.grouped(share=share)
        common = {
            "n_channels": network.n_channels,
            "monitored": network.monitored,
            "budget": board,
            "findings": self.findings,
        }
        self.places = place_neurons(network.cluster, self.grouped, seed=seed, **common)
        self.routes = None
        if self.places is not None:
            self.routes = allocate_tags(self.grouped, self.places, **common)

    @property
    def errors(self):
        return [(d.code, d.value, d.limit) for d in self.findings.errors()]


def random_network(rng, *, n_max=60, fan=8, kinds=4):
    """Recurrent network with copies of sources, several ports, clusters and silent sources."""
    n, n_channels = int(rng.integers(1, n_max)), int(rng.integers(0, 12))
    sources = n_channels + n
    levels = rng.uniform(0.1, 2.0, 3)
    blocks = int(rng.integers(1, 5))
    synapses = {}
    for target in range(n):
        for _ in range(int(rng.integers(0, fan // 2 + 1))):
            near = rng.random() < 0.7
            source = int(rng.integers(0, sources))
            if near and source >= n_channels:
                block = target * blocks // n
                inside = [i for i in range(n) if i * blocks // n == block]
                source = n_channels + int(rng.choice(inside))
            synapses[source, target, int(rng.integers(0, 4))] = float(rng.choice(levels))
    rows = [(s, t, p, w) for (s, t, p), w in synapses.items()]
    for twin in rng.integers(0, sources, int(rng.integers(0, 4))):  # make copies of one source
        model = int(rng.integers(0, sources))
        rows = [r for r in rows if r[0] != twin or r[0] == model]
        rows += [(int(twin), t, p, w) for s, t, p, w in rows if s == model != twin]
    clusters = rng.integers(0, int(rng.integers(1, kinds)), n)
    return Network(
        n_channels, n, rows, clusters=clusters, monitored=rng.random(n) < rng.choice([0, 0.5, 1])
    )


def delivered(mapped):
    """Walk every packet of every source into the CAM entries that it opens.

    Returns the synapses (source, target, port, weight) that result, how often each.
    """
    grouped, places, routes = mapped.grouped, mapped.places, mapped.routes
    tag_at = {}
    for group, chip, cores, tag in zip(*routes, strict=True):
        for core in range(mapped.board.cores_per_chip):
            if cores >> core & 1:
                assert (group, chip, core) not in tag_at, "two packets of a group meet in a core"
                tag_at[group, chip, core] = tag
    cam = defaultdict(list)  # (chip, core) -> entries
    for group, target, port, weight in zip(*grouped[1:], strict=True):
        where = int(places.chip[target]), int(places.core[target])
        cam[where].append((tag_at[(group, *where)], int(target), int(port), float(weight)))
    found = Counter()
    for source, group in enumerate(grouped.group):
        for member, chip, cores, tag in zip(*routes, strict=True):
            if member != group:
                continue
            for core in range(mapped.board.cores_per_chip):
                if cores >> core & 1:
                    for own, target, port, weight in cam[int(chip), core]:
                        if own == tag:
                            found[source, target, port, weight] += 1
    return found


def intended(network):
    return Counter((s, t, p, w) for s, t, p, w in network.synapses)


def check_limits(mapped):
    """Recount every limit with plain loops."""
    board, network = mapped.board, mapped.network
    places, routes, grouped = mapped.places, mapped.routes, mapped.grouped
    entries = Counter(int(t) for t in grouped.synapse_target)
    taken, owner = set(), {}
    for i in range(network.n):
        place = int(places.chip[i]), int(places.core[i]), int(places.slot[i])
        assert 0 <= place[0] < board.chips
        assert 0 <= place[1] < board.cores_per_chip
        assert 0 <= place[2] < board.neurons_per_core
        assert place not in taken
        taken.add(place)
        assert owner.setdefault(place[:2], network.cluster[i]) == network.cluster[i]
        assert entries[i] <= int(board.cam_usable[place].sum())
    packets, used = Counter(), defaultdict(set)
    for group, chip, cores, tag in zip(*routes, strict=True):
        packets[int(group)] += 1
        assert cores > 0
        for core in range(board.cores_per_chip):
            if cores >> core & 1:
                assert board.tag_usable[chip, core, tag]
                assert tag not in used[int(chip), core]
                used[int(chip), core].add(tag)
    for i, group in enumerate(grouped.group[network.n_channels :]):
        if group >= 0:
            assert packets[int(group)] <= board.destinations - int(network.monitored[i])
