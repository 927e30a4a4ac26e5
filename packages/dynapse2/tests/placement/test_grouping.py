"""Sources with equal synapses share a group; others do not."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ranvier.errors import InputError
from ranvier_dynapse2.placement import group_sources

synapse = st.tuples(
    st.integers(0, 7), st.integers(0, 3), st.integers(0, 3), st.sampled_from([0.25, 0.5, 1.0])
)


def grouped(rows, n_sources=8, **options):
    table = np.array(rows, dtype=float).reshape(-1, 4)
    source, target, port = table[:, :3].T.astype(int)
    return group_sources(n_sources, source, target, port, table[:, 3], **options)


def lists(rows):
    """Outgoing synapses of every source, parallel ones added up."""
    found = defaultdict(float)
    for s, t, p, w in rows:
        found[s, t, p] += w
    out = defaultdict(dict)
    for (s, t, p), w in found.items():
        out[s][t, p] = w
    return out


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(synapse, max_size=30))
def test_sources_share_a_group_exactly_when_their_synapses_are_equal(rows):
    result, out = grouped(rows), lists(rows)

    for a in range(8):
        assert (result.group[a] == -1) == (a not in out)
        for b in range(8):
            if a in out and b in out:
                assert (result.group[a] == result.group[b]) == (out[a] == out[b])


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(synapse, max_size=30), st.booleans())
def test_synapses_of_groups_give_back_those_of_every_source(rows, share):
    result, out = grouped(rows, share=share), lists(rows)

    for source, group in enumerate(result.group):
        of = result.synapse_group == group
        keys = zip(result.synapse_target[of], result.synapse_port[of], strict=True)
        assert dict(zip(keys, result.synapse_weight[of], strict=True)) == out.get(source, {})


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(synapse, max_size=30), st.booleans())
def test_synapses_are_sorted_by_target_then_group_then_port(rows, share):
    result = grouped(rows, share=share)

    keys = list(zip(result.synapse_target, result.synapse_group, result.synapse_port, strict=True))
    assert keys == sorted(set(keys))


def test_without_sharing_every_source_with_synapses_has_its_own_group():
    rows = [(0, 0, 0, 0.5), (2, 0, 0, 0.5), (3, 0, 0, 0.5)]

    np.testing.assert_array_equal(grouped(rows, 5, share=False).group, [0, -1, 1, 2, -1])
    np.testing.assert_array_equal(grouped(rows, 5).group, [0, -1, 0, 0, -1])


def test_groups_are_numbered_by_their_first_source():
    rows = [(0, 1, 0, 1.0), (1, 0, 0, 1.0), (2, 1, 0, 1.0), (3, 2, 0, 1.0)]

    np.testing.assert_array_equal(grouped(rows, 4).group, [0, 1, 0, 2])


def test_weights_that_differ_in_the_last_bit_do_not_share():
    rows = [(0, 0, 0, 0.5), (1, 0, 0, np.nextafter(0.5, 1))]

    assert grouped(rows, 2).n_groups == 2


def test_synapses_of_weight_zero_vanish():
    result = grouped([(0, 0, 0, 0.0), (1, 0, 0, 1.0), (1, 1, 0, 0.0)], 2)

    np.testing.assert_array_equal(result.group, [-1, 0])
    np.testing.assert_array_equal(result.synapse_target, [0])


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ((0, 0, 0, -1.0), "1 weights that are negative"),
        ((0, 0, 0, np.nan), "not finite"),
        ((9, 0, 0, 1.0), r"1 values of source outside 0\.\.7"),
        ((0, 0, 4, 1.0), r"1 values of port outside 0\.\.3"),
        ((0, -1, 0, 1.0), "1 values of target"),
    ],
)
def test_malformed_synapses_are_refused(row, text):
    with pytest.raises(InputError, match=text) as caught:
        grouped([row])
    assert "select the sign by the port" in str(caught.value)


def test_twins_are_found_in_a_large_network():
    rng = np.random.default_rng(0)
    n, fan = 4096, 64
    source = np.repeat(np.arange(2 * n), fan)
    target = rng.integers(0, n, (n, fan)).repeat(2, axis=0).ravel()
    result = group_sources(2 * n, source, target, np.zeros(source.size, int), np.ones(source.size))

    np.testing.assert_array_equal(result.group, np.arange(2 * n) // 2)
