"""What scikit-learn asks of an estimator, without scikit-learn."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from weft.errors import NotFittedError, WeftValueError

__all__ = ["Estimator"]


class Estimator:
    """Parameters are the keyword arguments of the constructor, stored unchanged under their names."""

    @classmethod
    def _names(cls) -> list[str]:
        return list(inspect.signature(cls).parameters)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by name; ``deep`` is there for scikit-learn, no parameter is an estimator."""
        return {name: getattr(self, name) for name in self._names()}

    def set_params(self, **params: Any) -> Self:  # noqa: ANN401 - each parameter has its own type
        """Change parameters by name.

        Raises:
            WeftValueError: there is no such parameter.
        """
        for name, value in params.items():
            if name not in self._names():
                raise WeftValueError(
                    f"{type(self).__name__} has no parameter {name!r}; it has {', '.join(self._names())}"
                )
            setattr(self, name, value)
        return self

    if not TYPE_CHECKING:  # to a type checker every name would be an attribute

        def __getattr__(self, name: str) -> Any:  # noqa: ANN401
            """What ``fit`` learns, as long as it is not there."""
            learned = any(name in inspect.get_annotations(kind) for kind in type(self).__mro__)
            if learned and name.endswith("_"):
                raise NotFittedError(f"{self!r} has no {name} yet; call fit first")
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}", name=name, obj=self)

    def __repr__(self) -> str:
        changed = (f"{name}={value!r}" for name, value in self._changed().items())
        return f"{type(self).__name__}({', '.join(changed)})"

    def _changed(self) -> dict[str, Any]:
        """The parameters whose values are not those of the constructor."""
        default = {name: p.default for name, p in inspect.signature(type(self)).parameters.items()}
        # array_equal: the value may be an array by mistake, and has to be shown all the same.
        return {
            name: value
            for name, value in self.get_params().items()
            if not np.array_equal(value, default[name])
        }
