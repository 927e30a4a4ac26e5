"""How long a run may take."""

from types import SimpleNamespace

import pytest

from ranvier_xylo.driver import DeployOptions
from ranvier_xylo.driver.accelerated import AcceleratedRunner
from ranvier_xylo.driver.boards import board_of


def runner(config, **options):
    link = SimpleNamespace(board=board_of(config.target))
    return AcceleratedRunner(link, config, None, DeployOptions(**options))


@pytest.mark.parametrize(
    ("target", "quiet", "recording"),
    # 100 000 steps of 1 ms, 9 hidden neurons
    [("xylo-audio2", 9.0, 900.0), ("xylo-audio3", 9e3, 9e5), ("xylo-imu", 18.0, 540.0)],
)
def test_wait_grows_with_steps_and_neurons_and_with_recording(
    target, quiet, recording, rng, make_config
):
    found = runner(make_config(rng, target))

    assert found.timeout(100_000) == pytest.approx(quiet)
    assert found.timeout(100_000, ("v_mem_out",)) == pytest.approx(quiet)
    assert found.timeout(100_000, ("v_mem",)) == pytest.approx(recording)


def test_short_runs_may_take_a_second(config):
    assert runner(config).timeout(1) == 1.0


def test_a_given_timeout_is_taken(config):
    assert runner(config, timeout=3.5).timeout(100_000, ("v_mem",)) == 3.5
