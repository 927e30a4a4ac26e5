"""Checks of bad input: refused with a reason, and without a trace in the state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ..errors import InputError
from .subject import Subject, assert_same_signals, run


def _with(value: float) -> Callable[[Any], Any]:
    """Return a spoiler that puts one value into a raster."""

    def spoil(spikes: Any) -> Any:
        values = spikes.astype(np.float64)
        values.flat[1] = value
        return values

    return spoil


BAD_INPUTS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "nan": (_with(np.nan), "NaN"),
    "infinite": (_with(np.inf), "infinite"),
    "negative": (_with(-1.0), "negative"),
    "fractional": (_with(0.5), "fractional"),
    "one channel too many": (lambda s: np.concatenate([s, s[..., :1]], axis=-1), "expected"),
    "one axis too many": (lambda s: s[None, None], "expected"),
    "text": (lambda s: s.astype(str), "numeric"),
    "unknown input": (lambda s: {"no_such_input": s}, "no_such_input"),
}


class InputChecks(Subject):
    """Input that is no spike train never reaches the chip."""

    @pytest.mark.parametrize("fault", BAD_INPUTS)
    def test_bad_input_is_refused_with_its_fault(self, fault: str) -> None:
        spoil, word = BAD_INPUTS[fault]
        with self.session() as session, pytest.raises(InputError, match=word):
            run(session, spoil(self.spikes()))

    def test_lengths_beyond_the_input_are_refused(self) -> None:
        spikes = self.spikes()
        with self.session() as session, pytest.raises(InputError, match="lengths"):
            run(session, spikes, lengths=[spikes.shape[1] + 1] * len(spikes))

    def test_input_beyond_its_length_is_refused(self) -> None:
        spikes = self.spikes()
        with self.session() as session, pytest.raises(InputError, match="beyond its length"):
            run(session, np.ones_like(spikes), lengths=[1] * len(spikes))

    def test_refused_input_leaves_the_state_alone(self) -> None:
        first, second = self.spikes(seed=1), self.spikes(seed=2)
        with self.session() as session:
            run(session, first)
            expected = run(session, second, record=True)
            session.reset()
            run(session, first)
            with pytest.raises(InputError):
                run(session, -second - 1)
            assert_same_signals(run(session, second, record=True), expected)

    def test_another_batch_size_needs_a_reset(self) -> None:
        with self.session() as session:
            run(session, self.spikes(batch=3))
            session.reset()
            assert run(session, self.spikes(batch=2)).output.shape[0] == 2

    def test_booleans_and_small_integers_are_counts(self) -> None:
        spikes = self.spikes()
        with self.session() as session:
            expected = run(session, spikes, record=True)
            for dtype in (np.bool_, np.uint8, np.float32):
                session.reset()
                assert_same_signals(run(session, spikes.astype(dtype), record=True), expected)
