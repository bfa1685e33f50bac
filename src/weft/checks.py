"""Checks of parameters; each message gives the name, the value and what is allowed."""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

from weft.errors import WeftTypeError, WeftValueError

__all__ = ["check_choice", "check_flag", "check_int", "check_minutes", "check_path", "check_real", "given"]

T = TypeVar("T")


def given(name: str, value: T | str | None) -> T | None:
    """A value the user chose; None where the graph decides, for ``"auto"`` or None.

    Raises:
        WeftValueError: it is another text.
    """
    if isinstance(value, str):
        if value != "auto":
            raise WeftValueError(f"{name} must be a number, or 'auto' to have it chosen (got {value!r})")
        return None
    return value


def check_int(name: str, value: Any, low: int, high: int | None = None) -> int:  # noqa: ANN401
    """An integer in ``low .. high``."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise WeftTypeError(f"{name} must be an integer (got {value!r})")
    if number < low or (high is not None and number > high):
        allowed = f"at least {low}" if high is None else f"in {low} .. {high}"
        raise WeftValueError(f"{name} must be {allowed} (got {number})")
    return number


def check_real(name: str, value: Any, *, above: float | None = None, least: float | None = None) -> float:  # noqa: ANN401
    """A finite number, greater than ``above`` or not less than ``least``."""
    try:
        number = None if isinstance(value, (bool, str)) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = None
    if number is None:
        raise WeftTypeError(f"{name} must be a number (got {value!r})")
    if not math.isfinite(number):
        raise WeftValueError(f"{name} must be finite (got {number})")
    if above is not None and number <= above:
        raise WeftValueError(f"{name} must be greater than {above:g} (got {number:g})")
    if least is not None and number < least:
        raise WeftValueError(f"{name} must be at least {least:g} (got {number:g})")
    return number


def check_choice(name: str, value: Any, choices: tuple[object, ...]) -> None:  # noqa: ANN401
    """One of ``choices``."""
    # An array is no choice, nor can it be looked for: it has no truth.
    if isinstance(value, bool) or not isinstance(value, Hashable) or value not in choices:
        raise WeftValueError(f"{name} must be one of {', '.join(map(repr, choices))} (got {value!r})")


def check_flag(name: str, value: Any) -> bool:  # noqa: ANN401
    """True or False; NumPy's too."""
    if isinstance(value, bool) or type(value).__name__ in ("bool", "bool_"):
        return bool(value)
    raise WeftTypeError(f"{name} must be True or False (got {value!r})")


def check_minutes(name: str, value: Any) -> float:  # noqa: ANN401
    """A number of minutes of at least 0; infinity is one."""
    if isinstance(value, bool | str) or not hasattr(value, "__float__"):
        raise WeftTypeError(f"{name} must be a number (got {value!r})")
    if not float(value) >= 0:
        raise WeftValueError(f"{name} must be at least 0 (got {value:g})")
    return float(value)


def check_path(name: str, value: Any) -> Path:  # noqa: ANN401
    """A path."""
    try:
        return Path(os.fsdecode(value) if isinstance(value, bytes) else value)
    except TypeError:
        raise WeftTypeError(f"{name} must be a path (got {value!r})") from None
