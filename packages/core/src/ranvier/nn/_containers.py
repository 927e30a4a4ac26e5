"""Chains of modules: Sequential with the latency of a chip's hops, Residual."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, overload

import torch
from torch import Tensor, nn

from ranvier.errors import GraphError

from ._export import ToGraph
from ._neuron import Neuron, forget_states, holds_series, on_series, require_tensor
from ._recording import record as record_network

Named = tuple[str, nn.Module]


class Sequential(ToGraph, nn.Module):
    """Modules run one after the other, each over all time.

    Parameters
    ----------
    *modules : torch.nn.Module, (str, torch.nn.Module) or mapping
        The chain. Unnamed modules are called ``"0"``, ``"1"``, …
    latency : {0, 1}
        Steps that spikes take from one neuron layer to the next. Digital chips need one step
        per hop; a network trained with ``latency=1`` runs there at the same steps. The first
        neuron layer sees its input at once, and the last one's output is not delayed.

    Raises
    ------
    GraphError
        The chain is empty, a name is unusable, or a nested chain has another latency.

    Notes
    -----
    Modules are found by position, name or attribute (``net[0]``, ``net["out"]``, ``net.out``).
    Runs of `Linear` and neuron layers are computed together by event-driven kernels where that
    applies (CPU, float32, no hooks, no recording), with the same result.

    Examples
    --------
    >>> import torch
    >>> from ranvier.nn import LIF, Linear
    >>> net = Sequential(Linear(4, 8), LIF(8), Linear(8, 2), LIF(2), latency=1)
    >>> net(torch.ones(1, 20, 4)).shape
    torch.Size([1, 20, 2])
    """

    def __init__(
        self, *modules: nn.Module | Named | Mapping[str, nn.Module], latency: int = 0
    ) -> None:
        super().__init__()
        if latency not in (0, 1):
            raise GraphError(f"{type(self).__name__}: latency is {latency!r}; use 0 or 1")
        self.latency = latency
        for name, module in _named(modules):
            if "." in name or not name or hasattr(self, name):
                raise GraphError(f"{type(self).__name__}: a module cannot be called {name!r}")
            if isinstance(module, Sequential) and module.latency != latency:
                raise GraphError(
                    f"{type(self).__name__}: module {name!r} has latency={module.latency}, the "
                    f"chain around it {latency}; give both the same"
                )
            self.add_module(name, module)
        if not self._modules:
            raise GraphError(f"{type(self).__name__}: there is no module; give at least one")
        self._under_way: dict[str, Tensor] = {}

    @property
    def hops(self) -> dict[str, int]:
        """Delay in steps before each module, by name: the hops of this level of the chain.

        The delay of a hop stands before the first module after a neuron layer, if another neuron
        layer follows. A nested chain delays the hops inside it, and a `Residual` also its own.
        """
        names = list(self._modules)
        delays = dict.fromkeys(names, 0)
        waiting = self._starts_after_neurons
        for place, name in enumerate(names):
            module = self[name]
            target_follows = any(_has_neurons(self[later]) for later in names[place:])
            if waiting and target_follows and not _begins_with_residual(module):
                delays[name] = self.latency
                waiting = False
            waiting = waiting or _has_neurons(module)
        return delays

    @property
    def _starts_after_neurons(self) -> bool:
        return False

    def reset_state(self) -> None:
        """Forget the states of all modules in the chain, and the spikes under way."""
        self._under_way.clear()
        forget_states(self.children())

    def forward(self, x: Tensor, *, record: bool = False) -> Any:
        """Run the chain.

        Parameters
        ----------
        x : Tensor, series or list of series
            Spikes or currents, ``(batch, time, *shape)``. Series give series back, without
            gradients.
        record : bool
            Also return the traces of all neuron layers; see `ranvier.nn.record`.

        Returns
        -------
        Tensor or (Tensor, Record)
            Output of the last module, ``(batch, time, *shape)``, and the traces.
        """
        if holds_series(x):
            return on_series(self, x, record=record)
        if record:
            with record_network(self) as traces:
                return self.forward(x), traces
        require_tensor(x, type(self).__name__)
        return self._run(x)

    def _run(self, x: Tensor) -> Tensor:
        from ._fusion import run_chain

        return run_chain(self, x)

    def delayed(self, name: str, x: Tensor, steps: int) -> Tensor:
        """Delay the input of a module by the steps of its hop; carries over if it is stateful."""
        if not steps:
            return x
        past = self._under_way.get(name) if self.carries_over else None
        if past is None or past.shape[0] != x.shape[0]:
            past = x.new_zeros(x.shape[0], steps, *x.shape[2:])
        padded = torch.cat([past, x], 1)
        if self.carries_over:
            self._under_way[name] = padded[:, x.shape[1] :].detach()
        return padded[:, : x.shape[1]]

    @property
    def carries_over(self) -> bool:
        """Whether any neuron layer of the chain carries its state into the next call."""
        return any(m.stateful for m in self.modules() if isinstance(m, Neuron))

    def __len__(self) -> int:
        """Count the modules."""
        return len(self._modules)

    def __iter__(self) -> Iterator[nn.Module]:
        """Iterate over the modules."""
        return self.children()

    @overload
    def __getitem__(self, key: int | str) -> nn.Module: ...
    @overload
    def __getitem__(self, key: slice) -> Sequential: ...
    def __getitem__(self, key: int | str | slice) -> nn.Module:
        """Give a module by position or name; a slice gives a chain of the same modules."""
        if isinstance(key, slice):
            return Sequential(*list(self.named_children())[key], latency=self.latency)
        if isinstance(key, str):
            if key not in self._modules:
                raise KeyError(f"no module {key!r}; there are {', '.join(self._modules)}")
            return self.get_submodule(key)
        return list(self.children())[key]

    def extra_repr(self) -> str:
        """Describe latency and size."""
        count = sum(p.numel() for p in self.parameters())
        return f"latency={self.latency}, {count} trainable values"


class Residual(Sequential):
    """A block whose input is added to its output: ``block(x) + x``.

    Parameters
    ----------
    *modules : as in `Sequential`
        The block. Its output has the shape of its input.
    latency : {0, 1}
        Steps of a hop inside the block, the one into it included; the input that is added is not
        delayed.

    Raises
    ------
    GraphError
        As `Sequential`.

    Notes
    -----
    On Xylo a residual connection is an alias: when the source neuron fires, the target counts as
    firing in the same step. The source's spikes of step ``t`` thus join what the block's neurons
    emit in step ``t``, and those have seen the source's spikes of step ``t - 1``: with
    ``latency=1`` the block computes just that. The block is taken to stand behind a neuron layer.
    """

    @property
    def _starts_after_neurons(self) -> bool:
        return True

    def _run(self, x: Tensor) -> Tensor:
        y = super()._run(x)
        if y.shape != x.shape:
            raise GraphError(
                f"Residual: the input has shape {tuple(x.shape)} and the block gives "
                f"{tuple(y.shape)}; both must be equal"
            )
        return y + x


def _named(modules: tuple[Any, ...]) -> Iterator[Named]:
    """Give every module its name."""
    count = 0
    for entry in modules:
        if isinstance(entry, Mapping):
            yield from entry.items()
            count += len(entry)
        else:
            yield (str(count), entry) if isinstance(entry, nn.Module) else entry
            count += 1


def _has_neurons(module: nn.Module) -> bool:
    return any(isinstance(m, Neuron) for m in module.modules())


def _begins_with_residual(module: nn.Module) -> bool:
    if isinstance(module, Residual):
        return True
    return isinstance(module, Sequential) and _begins_with_residual(module[0])
