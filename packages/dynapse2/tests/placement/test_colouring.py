"""Tags for packets into one chip: exact against exhaustive search."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ranvier_dynapse2.placement._colouring import (
    Coloured,
    Shortage,
    best_fit,
    exact_fit,
    partitions,
)

MASKS = st.lists(st.integers(1, 15), max_size=7)


def usable_of(kinds):
    """Tags that are usable in the cores of each mask, (4, tags)."""
    return np.array([[kind >> core & 1 for kind in kinds] for core in range(4)], dtype=bool)


def possible(masks, kinds):
    """Whether tags exist for all packets, by trying all."""
    if not masks:
        return True
    for tag, kind in enumerate(kinds):
        if kind & masks[0] == masks[0]:
            left = [*kinds[:tag], kind ^ masks[0], *kinds[tag + 1 :]]
            if possible(masks[1:], left):
                return True
    return False


def cuts(masks, spare):
    """All ways to split packets: (extra packets, masks sent), few extra packets first."""
    ways = [
        [cut for cut in partitions(m) if len(cut) <= 1 + more]
        for m, more in zip(masks, spare, strict=True)
    ]
    found = [list(itertools.chain(*way)) for way in itertools.product(*ways)]
    return sorted((len(sent) - len(masks), sent) for sent in found)


def check(coloured, masks, usable):
    taken = set()
    sent = {}
    for packet, mask, tag in zip(*coloured, strict=True):
        for core in range(4):
            if mask >> core & 1:
                assert usable[core, tag]
                assert (core, tag) not in taken
                taken.add((core, tag))
        assert sent.get(packet, 0) & mask == 0
        sent[packet] = sent.get(packet, 0) | mask
    assert sent == dict(enumerate(masks))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(MASKS, st.lists(st.integers(0, 15), min_size=1, max_size=6))
def test_quick_assignment_keeps_every_rule_or_names_a_shortage(masks, kinds):
    usable = usable_of(kinds)
    result = best_fit(np.array(masks, dtype=np.int64), usable)

    if isinstance(result, Coloured):
        check(result, masks, usable)
    else:
        assert result.needed > result.available
        assert result.mask in masks


@settings(max_examples=200, deadline=None, derandomize=True)
@given(MASKS, st.integers(1, 6))
def test_quick_assignment_fails_only_when_impossible_if_all_tags_are_usable(masks, tags):
    kinds = [15] * tags
    result = best_fit(np.array(masks, dtype=np.int64), usable_of(kinds))

    assert isinstance(result, Coloured) == possible(sorted(masks), kinds)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.integers(1, 15), st.integers(0, 3)), min_size=1, max_size=4),
    st.lists(st.integers(0, 15), min_size=1, max_size=4),
)
def test_exact_assignment_splits_as_few_packets_as_possible(packets, kinds):
    masks, spare = [m for m, _ in packets], [k for _, k in packets]
    usable = usable_of(kinds)
    result = exact_fit(np.array(masks), np.array(spare), usable)
    least = next((more for more, sent in cuts(masks, spare) if possible(sent, kinds)), None)

    assert (result is None) == (least is None)
    if result is not None:
        check(result, masks, usable)
        assert result.packet.size - len(masks) == least
        counts = np.bincount(result.packet, minlength=len(masks))
        assert np.all(counts <= 1 + np.array(spare))


def test_complementary_packets_share_a_tag():
    masks = np.array([0b0011, 0b1100, 0b0101, 0b1010, 0b0111, 0b1000])
    result = best_fit(masks, np.ones((4, 3), bool))

    assert isinstance(result, Coloured)
    assert np.unique(result.tag).size == 3


def test_shortage_counts_the_tags_that_are_left():
    result = best_fit(np.array([0b1111, 0b0011, 0b0110]), np.ones((4, 2), bool))

    assert result == Shortage(0b0110, 1, 0)


@pytest.mark.parametrize(("mask", "count"), [(0, 1), (1, 1), (3, 2), (7, 5), (15, 15)])
def test_partitions_are_counted_by_the_bell_numbers(mask, count):
    found = partitions(mask)

    assert len(set(found)) == len(found) == count
    assert all(sum(cut) == mask for cut in found)
