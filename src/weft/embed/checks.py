"""Checks of parameters; each message gives the name, the value and what is allowed."""

from __future__ import annotations

import math
from typing import Any

from weft.errors import WeftTypeError, WeftValueError

__all__ = ["check_choice", "check_int", "check_real"]


def check_int(name: str, value: Any, low: int, high: int | None = None) -> int:  # noqa: ANN401
    """An integer in ``low .. high``."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise WeftTypeError(f"{name} must be an integer (got {value!r})")
    number = int(value.__index__())
    if number < low or (high is not None and number > high):
        allowed = f"at least {low}" if high is None else f"in {low} .. {high}"
        raise WeftValueError(f"{name} must be {allowed} (got {number})")
    return number


def check_real(name: str, value: Any, *, above: float | None = None, least: float | None = None) -> float:  # noqa: ANN401
    """A finite number, greater than ``above`` or not less than ``least``."""
    if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
        raise WeftTypeError(f"{name} must be a number (got {value!r})")
    number = float(value)
    if not math.isfinite(number):
        raise WeftValueError(f"{name} must be finite (got {number})")
    if above is not None and number <= above:
        raise WeftValueError(f"{name} must be greater than {above:g} (got {number:g})")
    if least is not None and number < least:
        raise WeftValueError(f"{name} must be at least {least:g} (got {number:g})")
    return number


def check_choice(name: str, value: Any, choices: tuple[object, ...]) -> None:  # noqa: ANN401
    """One of ``choices``."""
    if isinstance(value, bool) or value not in choices:
        raise WeftValueError(f"{name} must be one of {', '.join(map(repr, choices))} (got {value!r})")
