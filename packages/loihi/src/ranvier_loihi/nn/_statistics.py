"""Loss and accuracy by epoch: the formatted line, the text files, the learning curves."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ranvier.errors import FileError

_BLANK_MINIMUM = 26 * " "
"""Between loss and accuracy before there is a minimum."""


@dataclass
class Statistic:
    """Loss and accuracy of one data set.

    Attributes
    ----------
    loss_sum, correct_samples, num_samples : float, int, int
        Counters of the running epoch; `Trainer` adds to them.
    min_loss, max_accuracy : float or None
        Best of the finished epochs.
    loss_log, accuracy_log : list of float or None
        One entry per finished epoch, None where there was no sample.
    best_loss, best_accuracy : bool
        Whether the last finished epoch was the best so far; the first of equals is.
    """

    loss_sum: float = 0.0
    correct_samples: int = 0
    num_samples: int = 0
    min_loss: float | None = None
    max_accuracy: float | None = None
    loss_log: list[float | None] = field(default_factory=list)
    accuracy_log: list[float | None] = field(default_factory=list)
    best_loss: bool = False
    best_accuracy: bool = False

    @property
    def loss(self) -> float | None:
        """Mean loss per sample of the running epoch; None without samples."""
        return self.loss_sum / self.num_samples if self.num_samples else None

    @property
    def accuracy(self) -> float | None:
        """Share of correct samples of the running epoch; None without samples."""
        return self.correct_samples / self.num_samples if self.num_samples else None

    def reset(self) -> None:
        """Set the counters of the running epoch to zero."""
        self.loss_sum, self.correct_samples, self.num_samples = 0.0, 0, 0

    def update(self) -> None:
        """Finish the epoch: log its numbers, compare with the best, reset the counters."""
        self.append(self.loss, self.accuracy)
        self.reset()

    def append(self, loss: float | None, accuracy: float | None) -> None:
        """Log the numbers of a finished epoch."""
        self.loss_log.append(loss)
        self.accuracy_log.append(accuracy)
        self.best_loss = loss is not None and (self.min_loss is None or loss < self.min_loss)
        if self.best_loss:
            self.min_loss = loss
        self.best_accuracy = accuracy is not None and (
            self.max_accuracy is None or accuracy > self.max_accuracy
        )
        if self.best_accuracy:
            self.max_accuracy = accuracy

    @property
    def latest(self) -> tuple[float, float] | None:
        """Loss and accuracy of the running epoch, or of the last one before its first sample."""
        if self.loss is not None and self.accuracy is not None:
            return self.loss, self.accuracy
        if not self.loss_log or self.loss_log[-1] is None:
            return None
        return self.loss_log[-1], self.accuracy_log[-1] or 0.0

    def __str__(self) -> str:
        if self.latest is None:
            return "no sample yet"
        loss, accuracy = self.latest
        text = f"loss = {loss:11.5f}"
        low, high = self.min_loss, self.max_accuracy
        text += _BLANK_MINIMUM if low is None else f" (min = {low:11.5f})     "
        text += f"accuracy = {accuracy:.5f} "
        return text if high is None else f"{text}(max = {high:.5f}) "


class Statistics:
    """Loss and accuracy of training, validation and test.

    Attributes
    ----------
    training, validation, testing : Statistic
        By data set.

    References
    ----------
    lava-dl 0.6.0 documentation, slayer.utils.LearningStats, whose line and files these are.
    """

    def __init__(self) -> None:
        self.training = Statistic()
        self.validation = Statistic()
        self.testing = Statistic()
        self._printed = 0

    @property
    def _columns(self) -> tuple[tuple[str, Statistic], ...]:
        return (("Train", self.training), ("Valid", self.validation), ("Test ", self.testing))

    def update(self) -> None:
        """Finish the epoch of all three."""
        for _, statistic in self._columns:
            statistic.update()

    def __str__(self) -> str:
        """Give one line; validation and test appear where they have numbers."""
        parts = [f"Train {self.training}"]
        parts += [f"{name} {s}" for name, s in self._columns[1:] if s.latest is not None]
        return " | ".join(parts)

    def print(
        self,
        epoch: int,
        *,
        iteration: int | None = None,
        time_elapsed: float | None = None,
        header: str | None = None,
        total: int | None = None,
    ) -> None:
        """Print the running epoch over the lines of the last print.

        Parameters
        ----------
        epoch : int
            Number of the epoch; a new one starts new lines.
        iteration, total : int or None
            Batch of the epoch, and batches in all.
        time_elapsed : float or None
            Time of a sample, in s.
        header : str or None
            Lines printed before.
        """
        place = f"[Epoch {epoch:2d}" + ("" if iteration is None else f", batch {iteration}")
        place += "]" if total is None else f"/{total}]"
        took = "" if time_elapsed is None else f" {time_elapsed * 1e3:.2f} ms per sample"
        lines = [*(header or "").splitlines(), f"{place}{took}", str(self)]
        back = f"\033[{self._printed}A" if self._printed else ""
        print(back + "\n".join(f"\033[K{line}" for line in lines))
        self._printed = len(lines)

    def new_line(self) -> None:
        """Leave the printed lines where they are; the next print goes below."""
        self._printed = 0

    def save(self, path: str | Path = ".") -> tuple[Path, Path]:
        """Write ``loss.txt`` and ``accuracy.txt`` into a folder.

        Parameters
        ----------
        path : path
            Folder, made if need be.

        Returns
        -------
        tuple of Path
            The two files: a header, one line per epoch, columns of the data sets that were used;
            lines end in CR LF.
        """
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        files = folder / "loss.txt", folder / "accuracy.txt"
        for file, log in zip(files, ("loss_log", "accuracy_log"), strict=True):
            columns = [
                (name, getattr(s, log))
                for name, s in self._columns
                if any(v is not None for v in getattr(s, log))
            ]
            rows = ["# " + "".join(f"{name.strip()}{8 * ' '}" for name, _ in columns)]
            rows += [
                "".join(_cell(value) for value in row)
                for row in zip(*(values for _, values in columns), strict=True)
            ]
            file.write_text("".join(f"{row}\r\n" for row in rows), encoding="ascii", newline="")
        return files

    @classmethod
    def load(cls, path: str | Path) -> Statistics:
        """Read the files that `save` wrote.

        Raises
        ------
        FileError
            A file is missing or is no such table.
        """
        stats = cls()
        folder = Path(path)
        losses, accuracies = _table(folder / "loss.txt"), _table(folder / "accuracy.txt")
        for name, statistic in stats._columns:
            loss = losses.get(name.strip(), [])
            accuracy = accuracies.get(name.strip(), [None] * len(loss))
            for pair in zip(loss, accuracy, strict=True):
                statistic.append(*pair)
        return stats

    def plot(self, axes: Any = None, *, path: str | Path | None = None) -> Any:
        """Draw loss and accuracy over epochs.

        Parameters
        ----------
        axes : pair of matplotlib Axes or None
            A new figure with two panels by default.
        path : path or None
            File to save the figure to.

        Returns
        -------
        array of matplotlib Axes
            The two panels.
        """
        from ranvier.plotting import learning_curve

        if axes is None:
            from matplotlib import pyplot as plt

            _, axes = plt.subplots(1, 2, figsize=(12, 4), layout="constrained")
        for ax, log, quantity in zip(
            axes, ("loss_log", "accuracy_log"), ("loss", "accuracy"), strict=True
        ):
            curves = {
                name.strip(): [float("nan") if v is None else v for v in getattr(s, log)]
                for name, s in self._columns
                if any(v is not None for v in getattr(s, log))
            }
            best: Literal["lowest", "highest"] = "lowest" if quantity == "loss" else "highest"
            learning_curve(curves, ax=ax, quantity=quantity, best=best)
        if path is not None:
            axes[0].figure.savefig(path)
        return axes


def _cell(value: float | None) -> str:
    return f"{float('nan') if value is None else value:12.6f} "


def _table(path: Path) -> dict[str, list[float | None]]:
    try:
        header, *lines = path.read_text(encoding="ascii").splitlines()
        names = header.removeprefix("#").split()
        rows = [[float(v) for v in line.split()] for line in lines]
    except (OSError, ValueError) as error:
        raise FileError(f"{path}: not a table of learning statistics: {error}") from error
    if any(len(row) != len(names) for row in rows):
        raise FileError(f"{path}: a line has not the {len(names)} columns of the header")
    return {
        name: [None if row[i] != row[i] else row[i] for row in rows] for i, name in enumerate(names)
    }
