"""The target under test, and what all checks of the kit share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from .. import pipeline
from ..artifacts import AbstractSession, ChipConfig, MappedNetwork, Recording
from ..graph import Graph
from ..plugins import manager
from ..target import Target
from .capabilities import Capabilities
from .networks import example_network, example_spikes
from .pytest_plugin import NOT_APPLICABLE, PROPERTY


class Subject:
    """Base of the checks; gives them the target, its networks and configurations."""

    target: ClassVar[str] = ""
    known_deviations: ClassVar[dict[str, str]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        """Expect the declared deviations of a target to fail."""
        super().__init_subclass__(**options)
        for name, reason in cls.__dict__.get("known_deviations", {}).items():
            check = getattr(cls, name, None)
            if not name.startswith("test_") or check is None:
                raise TypeError(f"{cls.__name__}.known_deviations: the kit has no check {name!r}")
            if not reason:
                raise TypeError(f"{cls.__name__}.known_deviations: {name!r} needs a reason")
            setattr(cls, name, pytest.mark.xfail(reason=reason, strict=True)(_copy(check)))

    @pytest.fixture(autouse=True)
    def _subject(
        self, request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
    ) -> None:
        """Choose the target: that of the class, or that of the command line."""
        name = type(self).target or request.config.getoption("ranvier_target", None)
        if not name:
            pytest.fail("conformance: name a target with --target NAME, or set `target`")
        self.name: str = name
        record_property(PROPERTY, name)

    @property
    def chip(self) -> Target:
        """The target as its manifest describes it."""
        return manager().target(self.name)

    @property
    def able(self) -> Capabilities:
        """What the kit may ask of it."""
        return Capabilities(self.chip)

    def network(self, **wishes: Any) -> Graph:
        """Return a network for the target; override it for a chip with neuron kinds of its own."""
        self.needs(self.able.neuron is not None, "no CubaLIF or LIF among the node kinds")
        return example_network(self.chip, **wishes)

    def mapped(self, **wishes: Any) -> MappedNetwork:
        """Return that network mapped."""
        return pipeline.map(self.network(**wishes), self.name)

    def config(self, **wishes: Any) -> ChipConfig:
        """Return that network as configuration, built once."""
        return _built(self.network(**wishes), self.name)

    def session(self, **wishes: Any) -> AbstractSession:
        """Open its simulation."""
        return pipeline.open_simulation(self.config(**wishes))

    def spikes(self, *, batch: int = 3, n_steps: int = 60, seed: int = 0) -> NDArray[np.int64]:
        """Return input for it, (batch, n_steps, *shape)."""
        return example_spikes(self.network(), batch=batch, n_steps=n_steps, seed=seed)

    def implements(self, hook: str) -> bool:
        """Say whether the target's plugin implements a hook."""
        return manager().implements(hook, self.chip)

    def needs(self, condition: object, reason: str) -> None:
        """Skip a check that the manifest rules out."""
        if not condition:
            pytest.skip(f"{NOT_APPLICABLE}: {reason}")


def run(session: AbstractSession, spikes: Any, **options: Any) -> Recording:
    """Run with a fixed seed for targets that have noise."""
    return session.run(spikes, trial_seed=0, **options)


def assert_same_signals(one: Recording, other: Recording) -> None:
    """Compare all signals of two recordings, exactly."""
    assert set(one.signals) == set(other.signals)
    for node, quantity in one.signals:
        left, right = one.raw(node, quantity), other.raw(node, quantity)
        np.testing.assert_array_equal(left, right, err_msg=f"{node}.{quantity} differs")


@functools.lru_cache(maxsize=64)
def _built(graph: Graph, target: str) -> ChipConfig:
    return pipeline.build(graph, target)


def _copy(check: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of its own, so that a mark does not reach other targets."""

    @functools.wraps(check)
    def own(*args: Any, **fixtures: Any) -> Any:
        return check(*args, **fixtures)

    own.pytestmark = list(getattr(check, "pytestmark", []))  # type: ignore[attr-defined]
    return own
