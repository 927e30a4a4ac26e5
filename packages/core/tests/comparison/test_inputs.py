import numpy as np
import pytest

from ranvier.comparison import Poisson
from ranvier.comparison.inputs import chunk_size_for, seed_of_chunk, stimulus_from
from ranvier.errors import InputError


def test_poisson_spikes_have_their_rate_and_seed(graph):
    one, same, other = (
        Poisson(rate=200.0, n_samples=50, n_steps=100, seed=s).draw(graph)["in"] for s in (0, 0, 1)
    )

    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    assert one.shape == (50, 100, 3)
    assert one.max() == 1
    assert one.mean() == pytest.approx(1 - np.exp(-0.2), abs=0.01)


@pytest.mark.parametrize("fields", [{"n_samples": 0}, {"n_steps": 0}, {"seed": -1}, {"rate": -1.0}])
def test_poisson_input_out_of_range_is_refused(fields):
    with pytest.raises(InputError, match="give"):
        Poisson(**fields)


def test_chunks_are_the_whole_in_order(graph, spikes):
    stimulus = stimulus_from(graph, spikes, [40, 40, 40, 40, 40, 40])

    chunks = list(stimulus.chunks(4))

    assert [first for first, _ in chunks] == [0, 4]
    joined = np.concatenate([part.arrays["in"] for _, part in chunks])
    np.testing.assert_array_equal(joined, spikes)
    assert [len(part.lengths) for _, part in chunks] == [4, 2]


def test_padding_appends_silent_steps(graph, spikes):
    padded = stimulus_from(graph, spikes, None).padded(3)["in"]

    np.testing.assert_array_equal(padded[:, :40], spikes)
    assert padded.shape[1] == 43
    assert not padded[:, 40:].any()


def test_input_beyond_a_length_is_refused(graph, spikes):
    with pytest.raises(InputError, match="beyond its length"):
        stimulus_from(graph, spikes, [1] * 6)


def test_chunks_depend_on_sizes_only_and_hold_a_sample_at_least(graph, spikes, monkeypatch):
    stimulus = stimulus_from(graph, spikes, None)

    assert chunk_size_for(graph, stimulus) == 2**22 // (40 * 9)
    monkeypatch.setattr("ranvier.comparison.inputs._VALUES_PER_CHUNK", 10)
    assert chunk_size_for(graph, stimulus) == 1


def test_seeds_of_chunks_differ_and_the_first_is_the_given_one():
    seeds = [seed_of_chunk(7, first) for first in (0, 4, 8)]

    assert seeds[0] == 7
    assert len(set(seeds)) == 3
    assert seeds == [seed_of_chunk(7, first) for first in (0, 4, 8)]
