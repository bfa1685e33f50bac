"""What scikit-learn asks of an estimator, without scikit-learn."""

from __future__ import annotations

import inspect
from typing import Any, Self

from weft.errors import WeftValueError

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

    def __repr__(self) -> str:
        defaults = {name: p.default for name, p in inspect.signature(type(self)).parameters.items()}
        changed = [f"{name}={v!r}" for name, v in self.get_params().items() if v != defaults[name]]
        return f"{type(self).__name__}({', '.join(changed)})"
