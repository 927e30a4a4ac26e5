"""Many float32 at once inside compiled loops.

Loops over rows of a hundred neurons that read a dozen arrays are not vectorised by the compiler:
the checks for overlap cost as much as the work. The operations here are written on LLVM's vectors
of `WIDTH` floats, which it lowers to what the processor has: several registers, so that one step
does not wait for the one before. All arithmetic is IEEE, rounded after every operation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils, types
from numba.extending import intrinsic, models, register_model

WIDTH = 64
"""Floats that are computed at once."""
_FLOATS = ir.VectorType(ir.FloatType(), WIDTH)
_BITS = ir.VectorType(ir.IntType(1), WIDTH)
_BYTES = ir.VectorType(ir.IntType(8), WIDTH)
_INT = ir.IntType(32)
_Build = Callable[..., Any]
_kernel: Callable[[_Build], Any] = intrinsic


class _Floats(types.Type):
    """Numba's type of a vector of floats."""


class _Bits(types.Type):
    """Numba's type of a vector of truth values."""


@register_model(_Floats)
class _FloatsModel(models.PrimitiveModel):
    """One vector register."""

    def __init__(self, manager: Any, owner: Any) -> None:
        super().__init__(manager, owner, _FLOATS)  # type: ignore[no-untyped-call]


@register_model(_Bits)
class _BitsModel(models.PrimitiveModel):
    """One mask register."""

    def __init__(self, manager: Any, owner: Any) -> None:
        super().__init__(manager, owner, _BITS)  # type: ignore[no-untyped-call]


_floats, _bits = _Floats("floats"), _Bits("bits")


def _operation(result: Any, arguments: int, build: _Build) -> Any:
    """Make an operation on vectors of floats."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return build(builder, *values)

    def one(typing: Any, a: Any) -> Any:
        return result(_floats), codegen

    def two(typing: Any, a: Any, b: Any) -> Any:
        return result(_floats, _floats), codegen

    return _kernel(one if arguments == 1 else two)


def _magnitude(builder: Any, value: Any) -> Any:
    kind = ir.FunctionType(_FLOATS, [_FLOATS])
    function = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
        builder.module, kind, f"llvm.fabs.v{WIDTH}f32"
    )
    return builder.call(function, [value])


add = _operation(_floats, 2, lambda b, x, y: b.fadd(x, y))
subtract = _operation(_floats, 2, lambda b, x, y: b.fsub(x, y))
multiply = _operation(_floats, 2, lambda b, x, y: b.fmul(x, y))
divide = _operation(_floats, 2, lambda b, x, y: b.fdiv(x, y))
above = _operation(_bits, 2, lambda b, x, y: b.fcmp_ordered(">", x, y))
differs = _operation(_bits, 2, lambda b, x, y: b.fcmp_unordered("!=", x, y))
magnitude = _operation(_floats, 1, _magnitude)


@_kernel
def bits_of(typing: Any, mask: Any) -> Any:
    """Give the lanes of a mask as the bits of a whole number, the first lane lowest."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.bitcast(values[0], ir.IntType(WIDTH))

    return types.uint64(_bits), codegen


@_kernel
def lowest_of(typing: Any, bits: Any) -> Any:
    """Give the place of the lowest bit that is set; of 0, the number of bits."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.cttz(values[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), codegen


@_kernel
def spread(typing: Any, value: Any) -> Any:
    """Repeat a float32 in all lanes."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        empty = ir.Constant(_FLOATS, ir.Undefined)
        first = builder.insert_element(empty, values[0], ir.Constant(_INT, 0))
        zeros = ir.Constant(ir.VectorType(_INT, WIDTH), [0] * WIDTH)
        return builder.shuffle_vector(first, first, zeros)

    return _floats(types.float32), codegen


@_kernel
def choose(typing: Any, mask: Any, a: Any, b: Any) -> Any:
    """Give ``a`` where the mask is true, else ``b``."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.select(*values)

    return _floats(_bits, _floats, _floats), codegen


def _pointer(context: Any, builder: Any, kind: Any, values: Any, vector: Any) -> Any:
    data = context.make_array(kind)(context, builder, values[0]).data
    return builder.bitcast(builder.gep(data, [values[1]]), vector.as_pointer())


@_kernel
def load(typing: Any, row: Any, place: Any) -> Any:
    """Read lanes from a place of a contiguous row of float32."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        pointer = _pointer(context, builder, signature.args[0], values, _FLOATS)
        return builder.load(pointer, align=4)

    return _floats(row, types.intp), codegen


@_kernel
def store(typing: Any, row: Any, place: Any, value: Any) -> Any:
    """Write lanes to a place of a contiguous row of float32."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        pointer = _pointer(context, builder, signature.args[0], values, _FLOATS)
        builder.store(values[2], pointer, align=4)
        return context.get_dummy_value()

    return types.void(row, types.intp, _floats), codegen


@_kernel
def load_mask(typing: Any, row: Any, place: Any) -> Any:
    """Read truth values from a place of a contiguous row of uint8: true where not 0."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        pointer = _pointer(context, builder, signature.args[0], values, _BYTES)
        zeros = ir.Constant(_BYTES, [0] * WIDTH)
        return builder.icmp_unsigned("!=", builder.load(pointer, align=1), zeros)

    return _bits(row, types.intp), codegen


@_kernel
def store_mask(typing: Any, row: Any, place: Any, value: Any) -> Any:
    """Write truth values as 0 or 1 to a place of a contiguous row of uint8."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        pointer = _pointer(context, builder, signature.args[0], values, _BYTES)
        builder.store(builder.zext(values[2], _BYTES), pointer, align=1)
        return context.get_dummy_value()

    return types.void(row, types.intp, _bits), codegen
