import subprocess
import sys

import pytest

from ranvier.errors import ChipNotFoundError
from ranvier_loihi.targets import boards_of, limits_of, manifest, target_named


def test_both_generations_are_offered():
    assert [t.name for t in manifest().targets] == ["loihi1", "loihi2"]


@pytest.mark.parametrize(
    ("target", "neurons", "axons", "groups"),
    [("loihi1", 1024, 4096, 32), ("loihi2", 4095, 16000, 8)],
)
def test_limits_are_those_of_the_manifest(target, neurons, axons, groups):
    limits = limits_of(target)

    assert (limits.neurons_per_core, limits.axons_in_per_core) == (neurons, axons)
    assert limits.groups_per_core == groups
    assert limits.delay_max == 62


def test_derived_entries_of_the_cost_table_are_marked_uncertain():
    facts = target_named("loihi2").facts
    derived = (
        "neurons_per_core",
        "axons_in_per_core",
        "axons_out_per_core",
        "synapse_words_per_core",
        "groups_per_core",
        "overhead_bits_per_synapse",
    )

    assert {facts[name].certainty for name in derived} == {"uncertain"}


def test_boards_are_named_with_their_chips():
    assert boards_of("loihi1")["kapoho-bay"] == 2
    assert boards_of("loihi2")["hala-point"] == 1152


def test_an_unknown_target_is_refused_with_the_known_ones():
    with pytest.raises(ChipNotFoundError, match="loihi1, loihi2"):
        target_named("loihi3")


def test_importing_the_package_loads_nothing_heavy():
    code = (
        "import sys, ranvier_loihi, ranvier_loihi.plugin\n"
        "print(*(m for m in ('torch', 'numba', 'scipy', 'pymetis', 'matplotlib', 'lava')"
        " if m in sys.modules))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == []
