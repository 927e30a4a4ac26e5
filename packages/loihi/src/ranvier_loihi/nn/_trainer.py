"""The training loop that hides itself: batch by batch, or all epochs by the core's `fit`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from ranvier.errors import InputError

from ._statistics import Statistic, Statistics

if TYPE_CHECKING:
    from ranvier.train import FitResult, History

Batches: TypeAlias = Iterable[tuple[Tensor, ...]]
Data: TypeAlias = Batches | Callable[[int], Batches]
Error: TypeAlias = Callable[[Any, Tensor], Tensor]


class Trainer:
    """Train, validate and test a network, and keep the statistics.

    Parameters
    ----------
    net : torch.nn.Module
        Gives the output; or ``(output, count)`` with ``count_log``, ``(output, net_loss)`` with
        ``lam``, ``(output, net_loss, count)`` with both.
    error : callable
        ``error(output, target)``, a scalar.
    optimizer : torch.optim.Optimizer
        Of the parameters of the network.
    stats : Statistics or None
        Where the numbers go; new ones by default.
    classifier : callable or None
        ``classifier(output)`` gives classes ``(batch,)``, for the accuracy.
    count_log : bool
        The network also gives event rates; `train`, `test` and `valid` hand them on.
    lam : float or None
        Factor of the loss that the network itself gives.

    References
    ----------
    lava-dl 0.6.0 documentation, slayer.utils.Assistant.
    """

    def __init__(
        self,
        net: nn.Module,
        error: Error,
        optimizer: Optimizer,
        *,
        stats: Statistics | None = None,
        classifier: Callable[[Tensor], Tensor] | None = None,
        count_log: bool = False,
        lam: float | None = None,
    ) -> None:
        self.net = net
        self.error = error
        self.optimizer = optimizer
        self.stats = Statistics() if stats is None else stats
        self.classifier = classifier
        self.count_log = count_log
        self.lam = lam

    def reduce_lr(self, factor: float = 10 / 3) -> None:
        """Divide every learning rate by a factor."""
        if factor <= 0:
            raise InputError(f"reduce_lr: factor is {factor}; it must be > 0")
        for group in self.optimizer.param_groups:
            group["lr"] /= factor

    def train(self, inputs: Tensor, target: Tensor) -> Any:
        """Take one step on a batch.

        Parameters
        ----------
        inputs : Tensor
            ``(batch, time, *shape)``.
        target : Tensor
            What the error and the classifier compare with, batch first.

        Returns
        -------
        Tensor or (Tensor, Tensor)
            Output, with ``count_log`` also the event rates.
        """
        self.net.train()
        loss, handed = self._measure(inputs, target, self.stats.training)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return handed

    def test(self, inputs: Tensor, target: Tensor) -> Any:
        """Measure a batch for the test statistics; as `train`, without a step."""
        return self._evaluate(inputs, target, self.stats.testing)

    def valid(self, inputs: Tensor, target: Tensor) -> Any:
        """Measure a batch for the validation statistics; as `train`, without a step."""
        return self._evaluate(inputs, target, self.stats.validation)

    def _evaluate(self, inputs: Tensor, target: Tensor, statistic: Statistic) -> Any:
        self.net.eval()
        with torch.no_grad():
            return self._measure(inputs, target, statistic)[1]

    def _measure(self, inputs: Tensor, target: Tensor, statistic: Statistic) -> tuple[Tensor, Any]:
        device = next(self.net.parameters()).device
        inputs, target = inputs.to(device), target.to(device)
        output, extra, count = self._parts(self.net(inputs))
        loss = self.error(output, target)
        n = len(inputs)
        statistic.num_samples += n
        statistic.loss_sum += float(loss.detach()) * n
        if self.classifier is not None:
            statistic.correct_samples += int((self.classifier(output.detach()) == target).sum())
        handed = (output, count) if self.count_log else output
        return self._total(loss, extra), handed

    def _total(self, loss: Tensor, extra: Tensor | None) -> Tensor:
        return loss if extra is None or self.lam is None else loss + self.lam * extra

    def _parts(self, answer: Any) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Split what the network gives into output, loss of its own and event rates."""
        wanted = 1 + self.count_log + (self.lam is not None)
        found = len(answer) if isinstance(answer, tuple) else 1
        if found != wanted:
            raise InputError(
                f"Trainer: the network gives {found} values, {wanted} are expected with "
                f"count_log={self.count_log} and lam={self.lam}; change these to suit it"
            )
        if wanted == 1:
            return answer, None, None
        return (
            answer[0],
            answer[1] if self.lam is not None else None,
            answer[-1] if self.count_log else None,
        )

    def fit(
        self,
        data: Data,
        epochs: int,
        *,
        validation: Data | None = None,
        directory: str | Path | None = None,
        keep_best: bool = True,
        stop: Callable[[History], bool] | None = None,
        scheduler: LRScheduler | None = None,
        monitor: str | None = None,
        mode: Literal["min", "max"] = "min",
        clip_gradient: float | None = None,
        seed: int = 0,
        resume: bool = True,
        show_progress: bool | None = None,
    ) -> FitResult:
        """Train for some epochs.

        Parameters
        ----------
        data : iterable of (inputs, target), or callable
            See `ranvier.train.fit`.
        epochs : int
            Epochs in all, >= 0.
        validation : like ``data``, or None
            Measured after every epoch.
        directory : path or None
            Where checkpoints, ``history.csv``, ``loss.txt`` and ``accuracy.txt`` are kept.
        keep_best : bool
            Leave the network in the state of its best epoch instead of the last.
        stop : callable or None
            ``stop(history)`` after each epoch; True ends the run.
        scheduler, monitor, mode, clip_gradient, seed, resume, show_progress
            See `ranvier.train.fit`.

        Returns
        -------
        FitResult
            History and best state; the statistics hold the same epochs.
        """
        from ranvier.train import fit

        done = 0

        def after_epoch(history: History) -> bool:
            nonlocal done
            for row in history.rows[done:]:
                self._log(row)
            done = len(history.rows)
            return bool(stop and stop(history))

        result = fit(
            self.net,
            data,
            loss=self._loss_of,
            epochs=epochs,
            optimizer=self.optimizer,
            validation=validation,
            metrics=self._metrics(),
            stop=after_epoch,
            directory=directory,
            scheduler=scheduler,
            monitor=monitor,
            mode=mode,
            clip_gradient=clip_gradient,
            seed=seed,
            resume=resume,
            show_progress=show_progress,
        )
        if keep_best and result.best is not None:
            self.net.load_state_dict(dict(result.best.network))
        if directory is not None:
            self.stats.save(directory)
        return result

    def _loss_of(self, answer: Any, target: Tensor) -> Tensor:
        output, extra, _ = self._parts(answer)
        return self._total(self.error(output, target), extra)

    def _metrics(self) -> dict[str, Callable[[Any, Tensor], float]]:
        metrics: dict[str, Callable[[Any, Tensor], float]] = {}
        classifier = self.classifier
        if self.lam is not None:
            metrics["error"] = lambda a, t: float(self.error(self._parts(a)[0].detach(), t))
        if classifier is not None:
            metrics["accuracy"] = lambda a, t: float(
                (classifier(self._parts(a)[0].detach()) == t).float().mean()
            )
        return metrics

    def _log(self, row: dict[str, float]) -> None:
        """Enter an epoch of `fit` into the statistics."""
        for prefix, statistic in (
            ("train", self.stats.training),
            ("validation", self.stats.validation),
        ):
            loss = row.get(f"{prefix}.error", row.get(f"{prefix}.loss"))
            accuracy = row.get(f"{prefix}.accuracy", None if loss is None else 0.0)
            statistic.append(loss, accuracy)
        self.stats.testing.append(None, None)
