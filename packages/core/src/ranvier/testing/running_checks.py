"""Checks of sessions: determinism, batch, chunks, state, recordings."""

from __future__ import annotations

import numpy as np
import pytest

from .. import pipeline
from ..artifacts import SpikeTrain
from ..errors import InputError, RanvierError, SimulationError
from .subject import Subject, assert_same_signals, run


class RunningChecks(Subject):
    """A run depends on configuration, input and state, and on nothing else."""

    def test_two_sessions_give_the_same_recording(self) -> None:
        spikes = self.spikes()
        with self.session() as one, self.session() as other:
            assert_same_signals(run(one, spikes, record=True), run(other, spikes, record=True))

    def test_the_example_network_fires(self) -> None:
        with self.session() as session:
            recording = run(session, self.spikes(), record=["spikes"])
        for name in self.network().neurons:
            assert recording.raster(name).any(), f"{name} is silent; nothing would be compared"

    def test_without_input_a_network_without_bias_is_silent(self) -> None:
        self.needs(self.able.exact, "analogue neurons may fire on their own")
        with self.session() as session:
            assert not run(session, np.zeros_like(self.spikes())).output.any()

    def test_a_batch_is_a_loop_over_its_samples(self) -> None:
        spikes = self.spikes()
        with self.session() as session:
            batch = run(session, spikes, record=True)
            for number, sample in enumerate(spikes):
                session.reset()
                single = run(session, sample[None], record=True)
                for node, quantity in batch.signals:
                    one = single.raw(node, quantity)[0]
                    np.testing.assert_array_equal(batch.raw(node, quantity)[number], one)

    @pytest.mark.parametrize("lengths", [(1, 59), (30, 30), (7, 1, 22, 30)])
    def test_chunks_give_the_same_as_one_run(self, lengths: tuple[int, ...]) -> None:
        spikes = self.spikes(n_steps=sum(lengths))
        chunks = np.split(spikes, np.cumsum(lengths)[:-1], axis=1)
        with self.session() as session:
            whole = run(session, spikes, record=True)
            session.reset()
            parts = list(session.stream(chunks, record=True, trial_seed=0))
        for node, quantity in whole.signals:
            joined = np.concatenate([p.raw(node, quantity) for p in parts], axis=1)
            np.testing.assert_array_equal(joined, whole.raw(node, quantity))

    def test_reset_returns_to_the_start(self) -> None:
        spikes = self.spikes()
        with self.session() as session:
            first = run(session, spikes, record=True)
            session.reset()
            assert_same_signals(run(session, spikes, record=True), first)

    def test_state_carries_over_between_runs(self) -> None:
        spikes = self.spikes()
        with self.session() as session:
            first = run(session, spikes, record=True)
            second = run(session, spikes, record=True)
        pairs = [(first.raw(*key), second.raw(*key)) for key in first.signals]
        assert any(not np.array_equal(one, other) for one, other in pairs)

    def test_state_can_be_taken_and_put_back(self) -> None:
        first, second = self.spikes(seed=1), self.spikes(seed=2)
        with self.session() as session, self.session() as other:
            run(session, first)
            state = session.state
            expected = run(session, second, record=True)
            session.state = state
            assert_same_signals(run(session, second, record=True), expected)
            other.state = state
            assert_same_signals(run(other, second, record=True), expected)

    def test_state_is_a_copy(self) -> None:
        spikes = self.spikes()
        with self.session() as session:
            run(session, spikes)
            taken = session.state
            before = {name: values.copy() for name, values in taken.items()}
            run(session, self.spikes(seed=1))
            for name, values in taken.items():
                np.testing.assert_array_equal(values, before[name])

    def test_state_of_a_stranger_is_refused(self) -> None:
        with self.session() as session:
            run(session, self.spikes())
            state = session.state
            self.needs(state, "the session has no state")
            with pytest.raises(RanvierError):
                session.state = {**state, "no_such_state": np.zeros(3)}
            with pytest.raises(RanvierError):
                session.state = {name: values[..., :0] for name, values in state.items()}

    def test_a_sample_without_batch_axis_comes_back_in_kind(self) -> None:
        sample = self.spikes(batch=1)[0]
        with self.session() as session:
            single = run(session, sample, record=True)
            session.reset()
            batch = run(session, sample[None], record=True)
        assert single.output.ndim == sample.ndim
        np.testing.assert_array_equal(single.output, batch.output[0])

    def test_recordings_are_keyed_by_the_graph_and_have_its_shapes(self) -> None:
        graph, spikes = self.network(), self.spikes()
        with self.session() as session:
            offers = session.recordable()
            recording = run(session, spikes, record=True)
        assert set(offers) <= set(graph.nodes)
        for node, quantities in offers.items():
            for quantity in quantities:
                values = recording.raw(node, quantity)
                assert values.shape[2:] == graph.nodes[node].output_shape
                assert (node, quantity) in recording
        for name in graph.neurons:
            assert name in offers, f"nothing can be recorded of {name!r}"

    def test_spikes_are_whole_numbers_of_at_least_one(self) -> None:
        with self.session() as session:
            recording = run(session, self.spikes(), record=["spikes"])
        for signal in recording.signals.values():
            if isinstance(signal, SpikeTrain):
                assert signal.count.dtype.kind == "i"
                assert (signal.count >= 1).all()
                assert (signal.tick >= 0).all()
                assert (signal.tick < signal.n_ticks).all()

    def test_output_has_batch_time_and_the_output_shape(self) -> None:
        graph, spikes = self.network(), self.spikes()
        with self.session() as session:
            recording = run(session, spikes)
        expected = (*spikes.shape[:2], *graph.nodes[graph.outputs[0]].output_shape)
        assert recording.output.shape == expected
        assert list(recording.outputs) == list(graph.outputs)

    def test_recording_changes_nothing(self) -> None:
        spikes = self.spikes()
        with self.session() as session:
            bare = run(session, spikes)
            session.reset()
            full = run(session, spikes, record=True)
        np.testing.assert_array_equal(bare.output, full.output)

    def test_recording_is_opt_in(self) -> None:
        with self.session() as session:
            recording = run(session, self.spikes())
        assert set(recording.signals) == set(recording.outputs.values())

    def test_an_unknown_quantity_is_refused_with_what_there_is(self) -> None:
        with self.session() as session, pytest.raises(InputError, match="v_mem"):
            run(session, self.spikes(), record=["no_such_quantity"])

    def test_a_closed_session_runs_no_more(self) -> None:
        with self.session() as session:
            pass
        session.close()
        with pytest.raises(SimulationError, match="closed"):
            run(session, self.spikes())

    def test_simulate_is_open_run_close(self) -> None:
        spikes = self.spikes()
        with self.session() as session:
            expected = run(session, spikes, record=True)
        simulated = pipeline.simulate(self.config(), spikes, record=True, trial_seed=0)
        assert_same_signals(simulated, expected)
