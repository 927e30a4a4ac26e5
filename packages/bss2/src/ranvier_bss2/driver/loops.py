"""Groups of populations that feed each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ranvier.errors import DeviceError

if TYPE_CHECKING:
    from .plan import Plan


def groups_of(plan: Plan) -> list[tuple[int, ...]]:
    """Return the numbers of parts in an order in which every group is fed by earlier ones.

    A group has several parts, or one that feeds itself, where there is recurrence.

    Parameters
    ----------
    plan : Plan
        Network.

    Raises
    ------
    DeviceError
        Parts of different execution instances feed each other.

    References
    ----------
    Tarjan, SIAM J. Comput. 1(2) (1972): strongly connected components, here by reachability.
    """
    parts = range(len(plan.parts))
    after = {k: {f.target for f in plan.feeds if f.source == k} for k in parts}
    reach = {k: _reached(k, after) for k in parts}
    group = {
        k: tuple(j for j in parts if j == k or (j in reach[k] and k in reach[j])) for k in parts
    }
    for members in set(group.values()):
        instances = sorted({plan.parts[k].instance for k in members})
        if len(instances) > 1:
            names = ", ".join(sorted({repr(plan.parts[k].population.name) for k in members}))
            raise DeviceError(
                f"bss2: {names} feed each other across execution instances {instances}, which run "
                "one after the other; put them into one instance"
            )
    order = sorted(set(group.values()), key=lambda g: (len(_before(g, reach)), g))
    return order


def is_loop(plan: Plan, group: tuple[int, ...]) -> bool:
    """Return whether parts of a group feed each other or themselves."""
    return any(f.source in group and f.target in group for f in plan.feeds)


def _reached(start: int, after: dict[int, set[int]]) -> set[int]:
    found: set[int] = set()
    edge = [start]
    while edge:
        new = after[edge.pop()] - found
        found |= new
        edge.extend(new)
    return found


def _before(group: tuple[int, ...], reach: dict[int, set[int]]) -> set[int]:
    return {k for k, found in reach.items() if group[0] in found and k not in group}
