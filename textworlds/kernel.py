"""Compile kernels with Numba: on first use, once per machine, and never from a stale cache."""

import hashlib
import os
import sys
import types
from collections.abc import Callable
from functools import cache, cached_property
from typing import Any, cast

import numpy as np

OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}


_COMPILED: dict[tuple[str, bool], Callable[..., Any]] = {}  # by digest, and whether kernels are compiled


class Kernel:
    """A function of integers and arrays that Numba compiles when it is first called.

    Numba is imported then, not before, so that importing the package stays cheap. Two faults of Numba's disk cache are
    dealt with here: it misses edits made in other files, and it never finds again a kernel that closes over another
    kernel. Each compiled kernel's name therefore carries a digest of its code, of the constants it reads and of all
    kernels it calls, and `bind` gives a kernel its callees as globals of a copy rather than as closure cells.

    With NUMBA_DISABLE_JIT=1 the same functions run as plain Python.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        bound: dict[str, Any] | None = None,
        is_lean: bool = False,
        is_apart: bool = False,
        is_inner: bool = False,
    ) -> None:
        self.function = function
        self.bound = bound or {}
        self.is_lean = is_lean
        self.is_apart = is_apart
        self.is_inner = is_inner  # only called by other kernels: without the wrappers that Python calls it through
        self.__doc__ = function.__doc__
        self.__name__ = function.__name__

    def bind(self, **bound: Any) -> "Kernel":
        """Return the same kernel with the global names in `bound`, here and in all it calls, standing for others."""
        return self._with(bound={**self.bound, **bound}) if bound.keys() & self.all_names else self

    def lean(self) -> "Kernel":
        """Return the same kernel, with all it calls, compiled without reference counts.

        Only for kernels that allocate nothing. Counting the references to the arrays that calls pass on is atomic, and
        takes up to nine tenths of a step that is worth ten nanoseconds.
        """
        return self._with(is_lean=True)

    def apart(self) -> "Kernel":
        """Return the same kernel, called where it is used and not copied there.

        For large kernels: copying them makes their callers slow to compile, and no faster.
        """
        return self._with(is_apart=True)

    def entry(self, *examples: Any) -> Callable[..., Any]:
        """Return the compiled function for arguments of the types that the examples have.

        Calling it takes a tenth of the microseconds that Numba spends on finding out the types, and nothing checks them:
        only for those who make all arguments themselves, with the same dtypes, dimensions and contiguity each time.
        """
        if not compiles():
            return self.compiled
        from numba import typeof

        dispatcher: Any = self.compiled
        return cast(Callable[..., Any], dispatcher.compile(tuple(typeof(example) for example in examples)))

    def _with(self, **changed: Any) -> "Kernel":
        same = {"bound": self.bound, "is_lean": self.is_lean, "is_apart": self.is_apart, "is_inner": self.is_inner}
        return Kernel(self.function, **{**same, **changed})

    def __call__(self, *arguments: Any) -> Any:
        return self.compiled(*arguments)

    @cached_property
    def compiled(self) -> Callable[..., Any]:
        """The function that Numba made; call this one in a hot loop."""
        key = self.digest, compiles()
        if key not in _COMPILED:
            _COMPILED[key] = self._compile()
        return _COMPILED[key]

    def _compile(self) -> Callable[..., Any]:
        names = {name: value.compiled if isinstance(value, Kernel) else value for name, value in self.reads.items()}
        code = self.function.__code__
        scope = {**self.function.__globals__, **names}
        copy = types.FunctionType(code, scope, code.co_name, self.function.__defaults__)
        copy.__module__ = self.function.__module__
        copy.__qualname__ = f"{code.co_name}_{self.digest[:16]}"
        if not compiles():
            return copy
        from numba import njit

        _announce_compiling()
        options: dict[str, Any] = {**OPTIONS, "_nrt": not self.is_lean, "forceinline": not self.is_apart}
        options |= {"no_cfunc_wrapper": True, "no_cpython_wrapper": self.is_inner}
        if self.is_inner and not self.is_apart:  # part of its callers, and kept with them
            return njit(copy, **options)
        try:
            return njit(copy, cache=True, **options)
        except RuntimeError:  # no folder that a cache could be written to
            return njit(copy, **options)

    @cached_property
    def reads(self) -> dict[str, Any]:
        """The globals that the function's code names, with those that were bound."""
        scope = {**self.function.__globals__, **self.bound}
        found = {name: scope[name] for name in sorted(_names(self.function.__code__)) if name in scope}
        return {name: self._as_callee(value) if isinstance(value, Kernel) else value for name, value in found.items()}

    def _as_callee(self, callee: "Kernel") -> "Kernel":
        return callee.bind(**self.bound)._with(is_lean=self.is_lean or callee.is_lean, is_inner=True)

    @cached_property
    def all_names(self) -> set[str]:
        """The global names that this kernel and all that it calls use."""
        callees = (value for value in self.reads.values() if isinstance(value, Kernel))
        return _names(self.function.__code__).union(*(callee.all_names for callee in callees))

    @cached_property
    def digest(self) -> str:
        """A hash of all that decides what the compiled kernel does."""
        digest = hashlib.sha256(
            f"{OPTIONS}{self.is_lean}{self.is_apart}{self.is_inner}{_code_key(self.function.__code__)}".encode()
        )
        for name, value in self.reads.items():
            digest.update(f"{name}={_value_key(value)};".encode())
        return digest.hexdigest()


def kernel(function: Callable[..., Any]) -> Kernel:
    """Make a function of integers and arrays a kernel; the decorator for all compiled code."""
    return Kernel(function)


def compiles() -> bool:
    """Return whether kernels are compiled; NUMBA_DISABLE_JIT=1 says no."""
    return os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0")


@cache
def _announce_compiling() -> None:
    """From now on, say so on stderr when one of our kernels is first compiled rather than found in the cache."""
    from numba.core import event

    class Announcer(event.Listener):
        has_spoken = False

        def on_start(self, event: Any) -> None:
            is_ours = event.data["dispatcher"].py_func.__module__.startswith("textworlds.")
            if is_ours and not self.has_spoken:
                self.has_spoken = True
                print("textworlds: compiling, once on this machine; it can take half a minute", file=sys.stderr)

        def on_end(self, event: Any) -> None:
            pass

    event.register("numba:compile", Announcer())


def _names(code: types.CodeType) -> set[str]:
    inner = (const for const in code.co_consts if isinstance(const, types.CodeType))
    return set(code.co_names).union(*(_names(const) for const in inner))


def _code_key(code: types.CodeType) -> str:
    consts = [_code_key(const) if isinstance(const, types.CodeType) else repr(const) for const in code.co_consts]
    return f"{code.co_code.hex()}{code.co_names}{code.co_varnames}{consts}"


def _value_key(value: Any) -> str:
    if isinstance(value, Kernel):
        return value.digest
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{value.shape}{value.tobytes().hex()}"
    if isinstance(value, type | types.ModuleType | types.FunctionType | types.BuiltinFunctionType):
        return f"{value.__name__}{getattr(value, '_fields', '')}"
    return repr(value)
