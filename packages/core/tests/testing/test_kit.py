import itertools
import json
import subprocess
import sys

import numpy as np
import pytest

import ranvier as rv
from ranvier.errors import ChipNotFoundError
from ranvier.testing import TargetConformance, run_conformance


class Instrument(TargetConformance):
    """The kit on the reference, with a session that a test may spoil."""

    target = "reference"
    spoil = staticmethod(lambda session: session)

    def __init__(self):
        self.name = "reference"

    def session(self, **wishes):
        return self.spoil(super().session(**wishes))


def spoiled(method, replacement):
    """Return an instrument whose sessions have one method replaced."""
    instrument = Instrument()

    def spoil(session):
        original = getattr(session, method)
        setattr(session, method, lambda *args, **kw: replacement(session, original, *args, **kw))
        return session

    instrument.spoil = spoil
    return instrument


def drop_a_spike(session, run, inputs, **options):
    inputs = {name: values.copy() for name, values in inputs.items()}
    for values in inputs.values():
        values[-1] = 0
    return run(inputs, **options)


def start_over(session, run, inputs, **options):
    session.reset()
    return run(inputs, **options)


_NOISE = itertools.count()


def add_noise(session, run, inputs, **options):
    rng = np.random.default_rng(next(_NOISE))
    noisy = {n: v + (rng.random(v.shape) < 0.2) for n, v in inputs.items()}
    return run(noisy, **options)


def shift_output(session, run, inputs, **options):
    late = {n: np.roll(v, 3, axis=1) for n, v in inputs.items()}
    return run(late, **options)


FAULTS = {
    "test_two_sessions_give_the_same_recording": ("_run", add_noise, ()),
    "test_a_batch_is_a_loop_over_its_samples": ("_run", drop_a_spike, ()),
    "test_chunks_give_the_same_as_one_run": ("_run", start_over, ((30, 30),)),
    "test_reset_returns_to_the_start": ("reset", lambda session, reset: None, ()),
    "test_state_carries_over_between_runs": ("_run", start_over, ()),
    "test_state_can_be_taken_and_put_back": ("set_state", lambda *_: None, ()),
    "test_state_of_a_stranger_is_refused": ("set_state", lambda *_: None, ()),
    "test_simulate_is_open_run_close": ("_run", shift_output, ()),
    "test_loopback_gives_what_the_simulator_gives": ("_run", shift_output, ()),
}


@pytest.mark.parametrize("check", FAULTS)
def test_a_faulty_session_fails_its_check(check):
    method, replacement, arguments = FAULTS[check]

    getattr(Instrument(), check)(*arguments)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        getattr(spoiled(method, replacement), check)(*arguments)


def test_late_spikes_fail_the_agreement_with_the_reference(monkeypatch):
    instrument = Instrument()
    simulate = rv.pipeline.simulate
    calls = itertools.count()

    def late(config, spikes, **options):
        shift = 4 * (next(calls) % 2)
        return simulate(config, np.roll(spikes, shift, axis=1), **options)

    instrument.test_spikes_agree_with_the_reference(0)
    monkeypatch.setattr("ranvier.pipeline.simulate", late)
    with pytest.raises(AssertionError, match=r"only .* of spikes agree"):
        instrument.test_spikes_agree_with_the_reference(0)


def test_a_deviation_that_is_none_fails_strictly():
    class Declared(TargetConformance):
        target = "reference"
        known_deviations = {"test_every_fact_has_a_source": "to be shown as unneeded"}  # noqa: RUF012

    own, shared = (
        getattr(kit.test_every_fact_has_a_source, "pytestmark", [])
        for kit in (Declared, TargetConformance)
    )

    assert [(m.name, m.kwargs["strict"]) for m in own] == [("xfail", True)]
    assert shared == []


@pytest.mark.parametrize(
    ("declared", "message"),
    [({"test_nothing": "why"}, "no check 'test_nothing'"),
     ({"test_reset_returns_to_the_start": ""}, "needs a reason")],
)  # fmt: skip
def test_a_wrong_declaration_is_refused(declared, message):
    with pytest.raises(TypeError, match=message):
        type("Wrong", (TargetConformance,), {"known_deviations": declared})


def test_checks_that_the_manifest_rules_out_are_skipped():
    with pytest.raises(pytest.skip.Exception, match=r"not applicable: .*'hidden_neurons'"):
        Instrument().test_a_network_that_is_too_large_is_refused_with_number_and_limit(
            "hidden_neurons"
        )


def test_kit_refuses_an_unknown_target():
    with pytest.raises(ChipNotFoundError, match="no-such-chip"):
        run_conformance("no-such-chip")


def conformance(*arguments, cwd):
    module = ["-m", "pytest", "--pyargs", "ranvier.testing.conformance", "-p", "no:cacheprovider"]
    return subprocess.run(
        [sys.executable, *module, *arguments], capture_output=True, text=True, cwd=cwd
    )


def test_kit_runs_by_module_name_and_counts_its_checks(tmp_path):
    done = conformance("--target", "reference", "-q", "-k", "manifest or fact", cwd=tmp_path)

    assert done.returncode == 0, done.stdout
    assert "reference: 2 checks applied: 2 passed, 0 failed" in done.stdout


def test_kit_without_a_target_says_how_to_name_one(tmp_path):
    done = conformance("-q", "-k", "fact_has_a_source", cwd=tmp_path)

    assert done.returncode == 1
    assert "--target NAME" in done.stdout


def test_kit_as_json_lists_every_check(tmp_path):
    code = "from ranvier.testing import run_conformance as run; raise SystemExit(run('reference', "
    code += "json=True, args=('-k', 'input_channels or fact_has_a_source')))"

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path
    )

    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["applied"], document["passed"], document["not_applicable"]) == (1, 1, 1)
    assert {check["outcome"] for check in document["checks"]} == {"passed", "not_applicable"}
    assert all("input_channels" in c["reason"] for c in document["checks"] if "reason" in c)
