import numpy as np
import pytest
import torch

import ranvier.nn as rnn
from ranvier.errors import GraphError


def spikes():
    x = torch.zeros(2, 8, 3)
    x[0, :4, 1] = 1.0
    x[0, 4:, 2] = 1.0
    x[0, 7, 1] = 1.0
    x[1, :, 0] = 1.0
    return x


def test_rate_decides_for_the_most_active_neuron():
    assert rnn.Rate()(spikes()).tolist() == [1, 0]


def test_confidence_is_the_share_of_the_rate():
    confidence = rnn.Rate().confidence(spikes())

    np.testing.assert_allclose(confidence[0], [0.0, 5 / 9, 4 / 9], atol=1e-5)


@pytest.mark.parametrize(("mode", "total"), [("softmax", 1.0), ("probability", 1.0)])
def test_confidences_sum_to_one(mode, total):
    confidence = rnn.Rate(mode=mode).confidence(spikes())

    np.testing.assert_allclose(confidence.sum(-1), total, atol=1e-5)


def test_silence_has_no_confidence():
    assert not rnn.Rate().confidence(torch.zeros(1, 5, 3)).any()


def test_the_moving_window_follows_the_activity():
    decision = rnn.MovingWindow(3)(spikes())

    assert decision.shape == (2, 8)
    assert decision[0].tolist() == [1, 1, 1, 1, 1, 2, 2, 2]


def test_the_window_counts_the_steps_before_the_first_as_silent():
    rate = rnn.MovingWindow(4).rate(spikes())

    np.testing.assert_allclose(rate[0, :5, 1], [0.25, 0.5, 0.75, 1.0, 0.75])


def test_log_softmax_is_the_log_of_softmax():
    found = rnn.MovingWindow(4, mode="logsoftmax").confidence(spikes()).exp()

    torch.testing.assert_close(found, rnn.MovingWindow(4, mode="softmax").confidence(spikes()))


def test_an_empty_window_is_refused():
    with pytest.raises(GraphError, match="time_window is 0"):
        rnn.MovingWindow(0)
