"""The training loop: epochs over batches on Lightning Fabric, nothing hidden."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Adam, Optimizer
from torch.optim.lr_scheduler import LRScheduler

from ..errors import FileError, InputError
from ..files import load, save
from ._checkpoint import Checkpoint
from ._history import History, Mode
from ._progress import progress

Batches: TypeAlias = Iterable[tuple[Tensor, ...]]
Data: TypeAlias = Batches | Callable[[int], Batches]
Loss: TypeAlias = Callable[[Any, Tensor], Tensor]
Metric: TypeAlias = Callable[[Any, Tensor], Tensor | float]

LAST, BEST, CURVE = "last.rv", "best.rv", "history.csv"


@dataclass(frozen=True)
class FitResult:
    """What training leaves behind.

    Parameters
    ----------
    history : History
        Numbers by epoch.
    best : Checkpoint or None
        State of the epoch with the best monitored number; None if no epoch ran.
    stopped : bool
        Whether ``stop`` ended the run before the last epoch.
    """

    history: History
    best: Checkpoint | None
    stopped: bool


@dataclass(frozen=True)
class _Run:
    """Everything that stays the same over a run."""

    fabric: Fabric
    network: nn.Module
    optimizer: Optimizer
    scheduler: LRScheduler | None
    per_batch: bool
    loss: Loss
    metrics: Mapping[str, Metric]
    clip: float | None


def fit(
    network: nn.Module,
    data: Data,
    *,
    loss: Loss,
    epochs: int,
    optimizer: Optimizer | None = None,
    scheduler: LRScheduler | None = None,
    schedule_per_batch: bool = False,
    validation: Data | None = None,
    metrics: Mapping[str, Metric] | None = None,
    monitor: str | None = None,
    mode: Mode = "min",
    stop: Callable[[History], bool] | None = None,
    clip_gradient: float | None = None,
    directory: str | Path | None = None,
    resume: bool = True,
    seed: int = 0,
    fabric: Fabric | None = None,
    show_progress: bool | None = None,
) -> FitResult:
    """Train a network.

    Parameters
    ----------
    network : Module
        Trained in place; takes the first tensor of a batch.
    data : iterable of (input, target), or callable
        A loader, a `TensorBatches`, or a function of the epoch that returns one (augmentation).
    loss : callable
        ``loss(output, target)``, a scalar.
    epochs : int
        Epochs in all, those of a resumed run included, >= 0.
    optimizer : Optimizer or None
        Adam with rate 1e-3 by default.
    scheduler : LRScheduler or None
        Stepped after every epoch, or after every batch with ``schedule_per_batch``.
    validation : like ``data``, or None
        Measured after every epoch without gradients.
    metrics : mapping of str to callable
        ``metric(output, target)`` averaged over samples, ``"accuracy"``.
    monitor : str or None
        Column that decides the best epoch; ``"validation.loss"`` where there is validation data,
        else ``"train.loss"``, which makes the choice approximate (see the notes).
    mode : {"min", "max"}
        Whether lower or higher is better.
    stop : callable or None
        ``stop(history)`` after each epoch; True ends the run.
    clip_gradient : float or None
        Largest norm of the gradient.
    directory : path or None
        Where ``last.rv``, ``best.rv`` and ``history.csv`` are kept; None keeps nothing on disk.
    resume : bool
        Go on from ``last.rv`` if it is there.
    seed : int
        Every epoch starts from a seed made of this and its number, so a resumed run gives the
        numbers of an uninterrupted one. The caller's generators are left as they were.
    fabric : Fabric or None
        Device, precision and strategy; ``Fabric(accelerator="cpu", devices=1)`` by default,
        ``Fabric(accelerator="cuda", devices=4, strategy="ddp")`` for several GPUs. Each of several
        processes takes every n-th batch; batches that do not fill a round are left out.
    show_progress : bool or None
        None shows a bar on a terminal only.

    Returns
    -------
    FitResult

    Raises
    ------
    InputError
        No batch in the data, an unknown monitor, a loss that is not finite.
    FileError
        ``last.rv`` belongs to another network or another seed.

    Notes
    -----
    The numbers ``train.*`` are averages during the epoch: each batch is measured before the update
    that it causes, so they belong to no single state of the network, and the best epoch by
    ``train.*`` is approximate. The numbers ``validation.*`` are measured after the epoch, on
    exactly the state that ``best`` keeps.
    """
    if epochs < 0:
        raise InputError(f"fit: epochs is {epochs}, must be >= 0")
    engine = fabric or Fabric(accelerator="cpu", devices=1)
    engine.launch()
    chosen = optimizer or Adam(network.parameters(), lr=1e-3)
    folder = Path(directory) if directory is not None else None
    history, start = (
        _resumed(folder, network, chosen, scheduler, seed) if resume else (History(), 0)
    )
    module, prepared = engine.setup(network, chosen)
    run = _Run(
        engine, module, prepared, scheduler, schedule_per_batch, loss, metrics or {}, clip_gradient
    )
    watched = monitor or ("validation.loss" if validation is not None else "train.loss")
    best = _best_so_far(folder, history)
    stopped = bool(stop and len(history) and stop(history))
    with (
        torch.random.fork_rng(),
        progress(done=start, total=epochs, wanted=show_progress) as report,
    ):
        for epoch in range(start, epochs):
            if stopped:
                break
            torch.manual_seed(_epoch_seed(seed, epoch))
            row = _one_epoch(run, data, validation, epoch)
            history.append(row)
            is_best = history.best(watched, mode=mode) is history.rows[-1]
            if is_best or folder is not None:
                now = _checkpoint(run, network, history, seed)
            if is_best:
                best = now
                _keep(engine, folder, BEST, best)
            if folder is not None:
                _keep(engine, folder, LAST, now)
                if engine.is_global_zero:
                    history.to_csv(folder / CURVE)
            report(epoch, row)
            stopped = bool(stop and stop(history))
    return FitResult(history, best, stopped)


def _one_epoch(run: _Run, data: Data, validation: Data | None, epoch: int) -> dict[str, float]:
    """Train over the data, then measure over the validation data; return the numbers of both."""
    row: dict[str, float] = {"epoch": float(epoch)}
    row |= _one_pass(run, _batches(data, epoch), train=True)
    if validation is not None:
        row |= _one_pass(run, _batches(validation, epoch), train=False)
    if run.scheduler is not None and not run.per_batch:
        run.scheduler.step()
    return row


def _epoch_seed(seed: int, epoch: int) -> int:
    """Mix seed and epoch into one seed (multiplication by a large odd number, Knuth)."""
    return (seed * 2654435761 + epoch + 1) % 2**63


def _batches(data: Data, epoch: int) -> Batches:
    return data(epoch) if callable(data) else data


def _one_pass(run: _Run, batches: Batches, *, train: bool) -> dict[str, float]:
    """Go through the data once; return the averages over samples."""
    run.network.train(train)
    sums: dict[str, float] = {}
    samples = 0
    with torch.set_grad_enabled(train):
        for inputs, target in _share(batches, run.fabric):
            inputs, target = run.fabric.to_device((inputs, target))
            output = run.network(inputs)
            value = run.loss(output, target)
            if train:
                _step(run, value)
            n = len(target)
            samples += n
            numbers = {"loss": float(value.detach())}
            numbers |= {name: float(f(output, target)) for name, f in run.metrics.items()}
            for name, number in numbers.items():
                sums[name] = sums.get(name, 0.0) + number * n
    if not samples:
        raise InputError("fit: the data gave no batch")
    prefix = "train" if train else "validation"
    totals = torch.tensor([samples, *sums.values()], dtype=torch.float64)
    reduced = torch.as_tensor(run.fabric.all_reduce(totals, reduce_op="sum"))
    count, *parts = reduced.tolist()
    return {f"{prefix}.{name}": total / count for name, total in zip(sums, parts, strict=True)}


def _share(batches: Batches, fabric: Fabric) -> Batches:
    """Yield the batches of this process: one of every complete round over the processes."""
    if fabric.world_size == 1:
        yield from batches
        return
    turn: list[tuple[Tensor, ...]] = []
    for batch in batches:
        turn.append(batch)
        if len(turn) == fabric.world_size:
            yield turn[fabric.global_rank]
            turn.clear()


def _step(run: _Run, value: Tensor) -> None:
    if not math.isfinite(float(value.detach())):
        raise InputError(
            f"fit: the loss is {float(value.detach())}; "
            "lower the learning rate or clip the gradient"
        )
    run.optimizer.zero_grad()
    run.fabric.backward(value)
    if run.clip is not None:
        run.fabric.clip_gradients(run.network, run.optimizer, max_norm=run.clip)
    run.optimizer.step()
    if run.scheduler is not None and run.per_batch:
        run.scheduler.step()


def _checkpoint(run: _Run, network: nn.Module, history: History, seed: int) -> Checkpoint:
    return Checkpoint(
        epoch=len(history),
        network=deepcopy(network.state_dict()),
        optimizer=deepcopy(run.optimizer.state_dict()),
        scheduler=deepcopy(_plain_state(run.scheduler)),
        history=[dict(row) for row in history.rows],
        seed=seed,
    )


def _plain_state(scheduler: LRScheduler | None) -> dict[str, Any]:
    """Return what a scheduler counts, without bound functions, which it has by construction."""
    if scheduler is None:
        return {}
    return {k: v for k, v in scheduler.state_dict().items() if not callable(v)}


def _keep(engine: Fabric, folder: Path | None, name: str, checkpoint: Checkpoint) -> None:
    if folder is None or not engine.is_global_zero:
        return
    folder.mkdir(parents=True, exist_ok=True)
    save(checkpoint, folder / name)


def _best_so_far(folder: Path | None, history: History) -> Checkpoint | None:
    if folder is None or not len(history) or not (folder / BEST).exists():
        return None
    loaded = load(folder / BEST, kind="checkpoint")
    return loaded if isinstance(loaded, Checkpoint) else None


def _resumed(
    folder: Path | None,
    network: nn.Module,
    optimizer: Optimizer,
    scheduler: LRScheduler | None,
    seed: int,
) -> tuple[History, int]:
    """Restore everything from ``last.rv`` if it is there; return history and next epoch."""
    if folder is None or not (folder / LAST).exists():
        return History(), 0
    saved = load(folder / LAST, kind="checkpoint")
    if saved.seed != seed:
        raise FileError(
            f"{folder / LAST}: belongs to a run with seed {saved.seed}, this one has {seed}; "
            "choose another directory or resume=False"
        )
    try:
        network.load_state_dict(dict(saved.network))
        optimizer.load_state_dict(dict(saved.optimizer))
    except (RuntimeError, ValueError, KeyError) as error:
        raise FileError(
            f"{folder / LAST}: belongs to another network or optimizer "
            f"({' '.join(str(error).split())}); "
            "choose another directory or resume=False"
        ) from error
    if scheduler is not None:
        scheduler.load_state_dict(dict(saved.scheduler))
    return History([dict(row) for row in saved.history]), saved.epoch
