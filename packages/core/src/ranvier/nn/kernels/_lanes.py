"""Sixteen float32 at once in compiled kernels: values of their own type, and what they can do.

The compiler turns loops over rows into vector code by itself, but with checks and remainders that
cost as much as the work in rows of a hundred neurons, and it cannot turn a loop that appends to a
list into the compress instruction. The operations here are LLVM's on ``<16 x float>``; it lowers
them to whatever the processor has (AVX-512, AVX2, NEON). Rows are padded to `WIDTH` by the caller.

Arithmetic is IEEE in the written order, except `fused` and the sums, which are for gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import llvmlite.binding as llvm  # type: ignore[import-untyped]
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, models, register_model

WIDTH = 16
_FLOATS = ir.VectorType(ir.FloatType(), WIDTH)
_BITS = ir.VectorType(ir.IntType(1), WIDTH)
_I32 = ir.IntType(32)
_INDICES = ir.VectorType(_I32, WIDTH)
_COMPRESS = llvm.llvm_version_info[0] >= 20


class _Lanes(types.Type):
    """Numba's type of sixteen float32."""


class _Mask(types.Type):
    """Numba's type of sixteen truth values."""


@register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):
    """Sixteen float32 are one vector register of LLVM."""

    def __init__(self, manager: Any, owner: Any) -> None:
        super().__init__(manager, owner, _FLOATS)  # type: ignore[no-untyped-call]


@register_model(_Mask)
class _MaskModel(models.PrimitiveModel):
    """Sixteen truth values are one vector of bits."""

    def __init__(self, manager: Any, owner: Any) -> None:
        super().__init__(manager, owner, _BITS)  # type: ignore[no-untyped-call]


_lanes, _mask = _Lanes("lanes"), _Mask("mask")
_Build = Callable[..., Any]
_in_kernels: Callable[[_Build], Any] = intrinsic


def _unary(argument: Any, result: Any, build: _Build) -> Any:
    """Make an operation on one value."""

    def operation(typing: Any, a: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return build(builder, *values)

        return result(argument), codegen

    return _in_kernels(operation)


def _binary(argument: Any, result: Any, build: _Build) -> Any:
    """Make an operation on two values of one type."""

    def operation(typing: Any, a: Any, b: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return build(builder, *values)

        return result(argument, argument), codegen

    return _in_kernels(operation)


def _call(builder: Any, name: str, result: Any, values: Sequence[Any]) -> Any:
    """Call an LLVM intrinsic."""
    kind = ir.FunctionType(result, [value.type for value in values])
    function = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
        builder.module, kind, name
    )
    return builder.call(function, values)


def _spread(builder: Any, value: Any, count: int = WIDTH) -> Any:
    """Repeat a scalar in all lanes."""
    vector = ir.VectorType(value.type, count)
    one = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(_I32, 0))
    return _shuffle(builder, one, one, [0] * count)


def _shuffle(builder: Any, a: Any, b: Any, lanes: Sequence[int]) -> Any:
    """Choose lanes of two vectors laid side by side."""
    choice = ir.Constant(ir.VectorType(_I32, len(lanes)), list(lanes))
    return builder.shuffle_vector(a, b, choice)


def _count(builder: Any, mask: Any) -> Any:
    """Count the true values."""
    return builder.zext(builder.ctpop(builder.bitcast(mask, ir.IntType(16))), ir.IntType(64))


spread = _unary(types.float32, _lanes, _spread)
floor = _unary(_lanes, _lanes, lambda b, x: _call(b, "llvm.floor.v16f32", _FLOATS, [x]))
absolute = _unary(_lanes, _lanes, lambda b, x: _call(b, "llvm.fabs.v16f32", _FLOATS, [x]))
add = _binary(_lanes, _lanes, lambda b, x, y: b.fadd(x, y))
subtract = _binary(_lanes, _lanes, lambda b, x, y: b.fsub(x, y))
multiply = _binary(_lanes, _lanes, lambda b, x, y: b.fmul(x, y))
divide = _binary(_lanes, _lanes, lambda b, x, y: b.fdiv(x, y))
smaller = _binary(_lanes, _lanes, lambda b, x, y: b.select(b.fcmp_ordered("<", y, x), y, x))
at_least = _binary(_lanes, _mask, lambda b, x, y: b.fcmp_ordered(">=", x, y))
above = _binary(_lanes, _mask, lambda b, x, y: b.fcmp_ordered(">", x, y))
differs = _binary(_lanes, _mask, lambda b, x, y: b.fcmp_unordered("!=", x, y))
count = _unary(_mask, types.int64, _count)


@_in_kernels
def fused(typing: Any, a: Any, b: Any, c: Any) -> Any:
    """Give ``a*b + c``, rounded once where the processor does that as fast."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return _call(builder, "llvm.fmuladd.v16f32", _FLOATS, values)

    return _lanes(_lanes, _lanes, _lanes), codegen


@_in_kernels
def choose(typing: Any, mask: Any, a: Any, b: Any) -> Any:
    """Give ``a`` where the mask is true, else ``b``."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.select(*values)

    return _lanes(_mask, _lanes, _lanes), codegen


def _address(context: Any, builder: Any, kind: Any, array: Any, place: Any, vector: Any) -> Any:
    """Point to lanes at a place of a contiguous row."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [place]), vector.as_pointer())


@_in_kernels
def load(typing: Any, row: Any, place: Any) -> Any:
    """Give the lanes at a place of a row of float32."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        address = _address(context, builder, signature.args[0], values[0], values[1], _FLOATS)
        return builder.load(address, align=4)

    return _lanes(row, types.intp), codegen


@_in_kernels
def store(typing: Any, row: Any, place: Any, value: Any) -> Any:
    """Write lanes at a place of a row of float32."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        address = _address(context, builder, signature.args[0], values[0], values[1], _FLOATS)
        builder.store(values[2], address, align=4)
        return context.get_dummy_value()

    return types.void(row, types.intp, _lanes), codegen


def _pack(builder: Any, value: Any, mask: Any, code: str) -> Any:
    """Move the lanes where the mask is true to the front."""
    nothing = ir.Constant(value.type, ir.Undefined)
    if _COMPRESS:
        name = f"llvm.experimental.vector.compress.v16{code}"
        return _call(builder, name, value.type, [value, mask, nothing])
    room = cgutils.alloca_once(builder, value.type)  # type: ignore[no-untyped-call]
    front = builder.bitcast(room, value.type.element.as_pointer())
    _call(builder, f"llvm.masked.compressstore.v16{code}", ir.VoidType(), [value, front, mask])
    return builder.load(room)


@_in_kernels
def append(typing: Any, row: Any, place: Any, value: Any, mask: Any) -> Any:
    """Write the lanes where the mask is true one after the other; up to 15 more are overwritten."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        address = _address(context, builder, signature.args[0], values[0], values[1], _FLOATS)
        builder.store(_pack(builder, values[2], values[3], "f32"), address, align=4)
        return context.get_dummy_value()

    return types.void(row, types.intp, _lanes, _mask), codegen


@_in_kernels
def append_index(typing: Any, row: Any, place: Any, first: Any, mask: Any) -> Any:
    """Write the numbers, ``first`` and up, of the lanes where the mask is true; as `append`."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        steps = ir.Constant(_INDICES, list(range(WIDTH)))
        numbers = builder.add(_spread(builder, builder.trunc(values[2], _I32)), steps)
        numbers = _pack(builder, numbers, values[3], "i32")
        bits = signature.args[0].dtype.bitwidth
        if bits < 32:
            numbers = builder.trunc(numbers, ir.VectorType(ir.IntType(bits), WIDTH))
        address = _address(context, builder, signature.args[0], values[0], values[1], numbers.type)
        builder.store(numbers, address, align=bits // 8)
        return context.get_dummy_value()

    return types.void(row, types.intp, types.int64, _mask), codegen


def _halved(builder: Any, a: Any, b: Any, part: int) -> Any:
    """Add the two halves of every ``2*part`` lanes of two vectors, side by side."""
    low = [lane for lane in range(2 * WIDTH) if lane // part % 2 == 0]
    high = [lane + part for lane in low]
    return builder.fadd(_shuffle(builder, a, b, low), _shuffle(builder, a, b, high))


@_in_kernels
def store_sums4(typing: Any, row: Any, place: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    """Write the sums over the lanes of four values to four places of a row."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        _, _, a, b, c, d = values
        total = _halved(builder, _halved(builder, a, b, 8), _halved(builder, c, d, 8), 4)
        total = _halved(builder, total, total, 2)
        total = _halved(builder, total, total, 1)
        four = _shuffle(builder, total, total, [0, 1, 2, 3])
        address = _address(context, builder, signature.args[0], values[0], values[1], four.type)
        builder.store(four, address, align=4)
        return context.get_dummy_value()

    return types.void(row, types.intp, _lanes, _lanes, _lanes, _lanes), codegen
