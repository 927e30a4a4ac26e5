"""Checks of payloads and files: what was saved is what comes back, and runs the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ..artifacts import ChipConfig, MappedNetwork, Recording
from ..errors import FileError
from ..pipeline import simulate
from ..plugins import manager
from .subject import Subject, assert_same_signals, run


class FileChecks(Subject):
    """Mapped network, configuration and recording survive their payload and their file."""

    def recorded(self) -> Recording:
        """Return a recording of everything."""
        with self.session() as session:
            return run(session, self.spikes(), record=True)

    def test_mapped_network_survives_its_payload(self) -> None:
        mapped = self.mapped()
        arrays, document = mapped.to_payload()
        again = MappedNetwork.from_payload(arrays, json.loads(json.dumps(document)))
        assert again.content_hash == mapped.content_hash

    def test_configuration_survives_its_payload(self) -> None:
        config = self.config()
        arrays, document = config.to_payload()
        model = manager().call("ranvier_config_model", self.chip, target=self.chip)
        assert model.from_payload(arrays, json.loads(json.dumps(document))) == config

    def test_recording_survives_its_payload(self) -> None:
        recording = self.recorded()
        arrays, document = recording.to_payload()
        again = Recording.from_payload(arrays, json.loads(json.dumps(document)))
        assert again.content_hash == recording.content_hash

    def test_mapped_network_survives_its_file(self, tmp_path: Path) -> None:
        from ..files import load, save

        mapped = self.mapped()
        save(mapped, tmp_path / "mapped.rv")
        again = load(tmp_path / "mapped.rv")
        assert isinstance(again, MappedNetwork)
        assert again.content_hash == mapped.content_hash

    def test_configuration_survives_its_file_and_runs_the_same(self, tmp_path: Path) -> None:
        from ..files import load, save

        config, spikes = self.config(), self.spikes()
        save(config, tmp_path / "config.rv")
        again = load(tmp_path / "config.rv")
        assert isinstance(again, ChipConfig)
        assert again == config
        before = simulate(config, spikes, record=True, trial_seed=0)
        assert_same_signals(simulate(again, spikes, record=True, trial_seed=0), before)

    def test_recording_survives_its_file(self, tmp_path: Path) -> None:
        from ..files import load, save

        recording = self.recorded()
        save(recording, tmp_path / "recording.rv")
        again = load(tmp_path / "recording.rv")
        assert isinstance(again, Recording)
        assert again.content_hash == recording.content_hash

    def test_a_truncated_configuration_is_refused(self, tmp_path: Path) -> None:
        from ..files import load, save

        path = tmp_path / "config.rv"
        save(self.config(), path)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(FileError):
            load(path)
