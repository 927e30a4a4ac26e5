"""Japanese Vowels: parse the recordings, whiten them and turn them into spike counts.

The data set (Kudo, Toyama and Shimbo, Pattern Recognition Letters 20, 1999; UCI Machine Learning
Repository) holds 12 linear-prediction cepstrum channels of 7 to 29 frames from nine male speakers.
It ships inside the wheel of ``aeon``, which is located but never imported.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ranvier.encoding import spread_counts

N_SPEAKERS = 8
"""Speakers 1 to 8: Xylo Audio 2 has eight outputs, the ninth speaker is left out."""
STEPS_PER_FRAME = 8
TAIL_STEPS = 8
"""Silent steps after the longest utterance in which the last spikes reach the output."""


@dataclass(frozen=True)
class Utterances:
    """Utterances of unequal length.

    Parameters
    ----------
    frames : tuple of array, each (n_frames, 12)
        LPC cepstrum coefficients.
    speakers : array of int, (n,)
        Speaker, counted from 0.
    """

    frames: tuple[NDArray[np.float64], ...]
    speakers: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.frames)

    def take(self, index: NDArray[np.int64]) -> Utterances:
        """Return some of the utterances."""
        return Utterances(tuple(self.frames[i] for i in index), self.speakers[index])


def find_recordings() -> Path:
    """Return the folder of the data set inside the installed ``aeon`` package."""
    spec = find_spec("aeon")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(
            "demo: the recordings come with aeon, which is not installed; "
            "run `nox -s demo`, or: pip install --no-deps aeon"
        )
    return Path(next(iter(spec.submodule_search_locations)), "datasets", "data", "JapaneseVowels")


def read_ts(path: Path, *, n_speakers: int = N_SPEAKERS) -> Utterances:
    """Read a ``.ts`` file: one case per line, channels apart by ``:``, the class last.

    Parameters
    ----------
    path : Path
        File of the UEA/UCR time-series archive's format.
    n_speakers : int
        Speakers with a higher number are left out.
    """
    frames, speakers = [], []
    in_data = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        text = line.strip()
        if not in_data or not text:
            in_data = in_data or text.lower() == "@data"
            continue
        *channels, label = text.split(":")
        try:
            values = np.array([[float(v) for v in c.split(",")] for c in channels]).T
            speaker = int(label) - 1
        except ValueError as error:
            raise SystemExit(f"demo: {path.name}, line {number}: {error}") from error
        if speaker < n_speakers:
            frames.append(values)
            speakers.append(speaker)
    return Utterances(tuple(frames), np.array(speakers, dtype=np.int64))


@dataclass(frozen=True)
class Whitener:
    """z-score, principal components and unit variance, fitted on training frames.

    Parameters
    ----------
    mean, scale : array, (12,)
        Of the raw channels.
    matrix : array, (12, n_components)
        Whitened principal components.
    """

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    matrix: NDArray[np.float64]

    @classmethod
    def fit(cls, utterances: Utterances, *, n_components: int = 8) -> Whitener:
        """Fit on all frames of the training utterances."""
        frames = np.concatenate(utterances.frames)
        mean, scale = frames.mean(0), frames.std(0)
        normal = (frames - mean) / scale
        variance, axes = np.linalg.eigh(np.cov(normal.T))
        best = np.argsort(variance)[::-1][:n_components]
        return cls(mean, scale, axes[:, best] / np.sqrt(variance[best]))

    def __call__(self, frames: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return whitened components, (n_frames, n_components)."""
        return np.asarray((frames - self.mean) / self.scale @ self.matrix)


@dataclass(frozen=True)
class Encoder:
    """Whitened components as spike counts on 16 channels: positive parts, then negative parts.

    Parameters
    ----------
    whitener : Whitener
        Fitted on the training set.
    gain : float
        Spikes per step and unit of a component.
    noise : float
        Standard deviation of the augmentation, in units of each raw channel's deviation.
    """

    whitener: Whitener
    gain: float = 1.0

    def __call__(
        self, utterances: Utterances, *, noise: float = 0.0, rng: np.random.Generator | None = None
    ) -> NDArray[np.int64]:
        """Return counts ``(n, time, 16)``, padded with silence to one length.

        Parameters
        ----------
        utterances : Utterances
            What to encode.
        noise : float
            Standard deviation of Gaussian noise on the raw frames, in deviations of each channel.
        rng : Generator or None
            Needed with noise.
        """
        n_steps = 29 * STEPS_PER_FRAME + TAIL_STEPS
        counts = np.zeros((len(utterances), n_steps, 16), dtype=np.int64)
        for row, frames in enumerate(utterances.frames):
            if noise and rng is not None:
                frames = frames + noise * self.whitener.scale * rng.standard_normal(frames.shape)
            parts = self.whitener(frames) * self.gain
            signed = np.concatenate([np.maximum(parts, 0), np.maximum(-parts, 0)], axis=1)
            steps = spread_counts(signed, steps=STEPS_PER_FRAME, scale=STEPS_PER_FRAME)
            counts[row, : len(steps)] = np.minimum(steps, 15)
        return counts
