"""Axons: trainable delays per channel, plain shifts, and the one step between two layers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ranvier.errors import GraphError

MAX_DELAY = 62
"""Steps; the longest axonal delay of the chip."""


def delay(x: Tensor, steps: float) -> Tensor:
    """Shift a signal in time; what leaves the window is lost, what enters it is zero.

    Parameters
    ----------
    x : Tensor
        ``(batch, time, *shape)``.
    steps : float
        Truncated towards zero; positive is later, negative earlier.

    Returns
    -------
    Tensor
        Of the shape of ``x``.
    """
    shift = int(steps)
    if shift == 0:
        return x
    gap = torch.zeros_like(x[:, : abs(shift)])
    return torch.cat((gap, x[:, :-shift]) if shift > 0 else (x[:, -shift:], gap), dim=1)


class _ShiftChannels(torch.autograd.Function):
    """Shift every channel by its own whole steps; ``x`` is ``(batch, time, channels, rest)``."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, delays: Tensor, history: Tensor) -> Tensor:
        steps = delays.to(torch.int64)
        padded = torch.cat((history, x), dim=1)
        index = _times(x, history.shape[1]) - steps[:, None]
        out = _take(padded, index, x)
        ctx.save_for_backward(out, steps, _take(padded, index[:1] - 1, x[:, :1]))
        return out

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        (g,) = grad_outputs
        out, steps, before = ctx.saved_tensors
        grad_x = grad_delays = None
        if ctx.needs_input_grad[0]:
            tail = g.new_zeros((g.shape[0], int(steps.max()) + 1, *g.shape[2:]))
            grad_x = _take(torch.cat((g, tail), dim=1), _times(g, 0) + steps[:, None], g)
        if ctx.needs_input_grad[1]:
            rise = out - torch.cat((before, out[:, :-1]), dim=1)
            grad_delays = -(g * rise).sum((0, 1, 3))
        return grad_x, grad_delays, None


def _times(x: Tensor, offset: int) -> Tensor:
    return torch.arange(x.shape[1], device=x.device)[:, None, None] + offset


def _take(padded: Tensor, index: Tensor, like: Tensor) -> Tensor:
    shape = (like.shape[0], index.shape[0], *like.shape[2:])
    return padded.gather(1, index.clamp(max=padded.shape[1] - 1)[None].expand(shape))


class Delay(nn.Module):
    """Delay every channel by its own trainable number of steps.

    Parameters
    ----------
    n_channels : int
        Neurons of a flat layer, or channels of a map: the first axis after time.
    max_delay : int
        Longest delay, in steps, 0..62.
    persistent_state : bool
        Keep what is still on its way for the next call, so that a signal may come in pieces.

    Attributes
    ----------
    delay : Parameter
        ``(n_channels,)``, in steps, drawn from U(0, 1), kept within 0..max_delay. A channel is
        shifted by its whole part.

    Notes
    -----
    With ``y`` the output, ``dL/ddelay[c] = -sum_t g[t] (y[t] - y[t-1])``, and the gradient of the
    input is ``g`` shifted back.

    References
    ----------
    lava-dl 0.6.0 documentation, slayer.axon.Delay.
    """

    history: Tensor | None

    def __init__(
        self, n_channels: int, max_delay: int = MAX_DELAY, *, persistent_state: bool = False
    ) -> None:
        super().__init__()
        if n_channels < 1:
            raise GraphError(f"Delay: n_channels is {n_channels}; it must be >= 1")
        if not 0 <= max_delay <= MAX_DELAY:
            raise GraphError(
                f"Delay: max_delay is {max_delay} steps, the chip has 0..{MAX_DELAY}; "
                "use a larger time step for longer delays"
            )
        self.max_delay = max_delay
        self.persistent_state = persistent_state
        self.delay = nn.Parameter(torch.rand(n_channels).clamp(max=float(max_delay)))
        self.register_buffer("history", None, persistent=False)

    def reset_state(self) -> None:
        """Forget what is on its way."""
        self.history = None

    @property
    def steps(self) -> Tensor:
        """Whole steps per channel, as exported, ``(n_channels,)`` of int64."""
        return self.delay.detach().clamp(0, self.max_delay).floor().to(torch.int64)

    def forward(self, x: Tensor) -> Tensor:
        """Shift ``(batch, time, n_channels, ...)``; same shape."""
        if x.shape[2] != len(self.delay):
            raise GraphError(
                f"Delay: input has {x.shape[2]} channels, the delays are for {len(self.delay)}"
            )
        with torch.no_grad():
            self.delay.clamp_(0, self.max_delay)
        flat = x.flatten(3) if x.dim() > 3 else x[..., None]
        history = self._history(flat)
        shifted: Tensor = _ShiftChannels.apply(flat, self.delay, history)  # type: ignore[no-untyped-call]
        if self.persistent_state:
            self.history = torch.cat((history, flat.detach()), dim=1)[:, -history.shape[1] :]
        return shifted.reshape(x.shape)

    def _history(self, flat: Tensor) -> Tensor:
        shape = (flat.shape[0], self.max_delay + 1, *flat.shape[2:])
        kept = self.history
        if self.persistent_state and kept is not None and kept.shape == shape:
            return kept.to(flat)
        return flat.new_zeros(shape)


class StepDelay(nn.Module):
    """The one step that a spike takes from a layer to the next.

    Parameters
    ----------
    persistent_state : bool
        The last step of a call becomes the first of the next.
    """

    last: Tensor | None

    def __init__(self, *, persistent_state: bool = False) -> None:
        super().__init__()
        self.persistent_state = persistent_state
        self.register_buffer("last", None, persistent=False)

    def reset_state(self) -> None:
        """Forget the step that waits."""
        self.last = None

    def forward(self, x: Tensor) -> Tensor:
        """Shift ``(batch, time, *shape)`` one step later."""
        first = torch.zeros_like(x[:, :1])
        if self.persistent_state:
            if self.last is not None and self.last.shape == first.shape:
                first = self.last.to(x)
            self.last = x[:, -1:].detach()
        return torch.cat((first, x[:, :-1]), dim=1)
