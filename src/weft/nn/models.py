"""PyG's models by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

from torch_geometric.nn import models as pyg

from weft.errors import WeftValueError

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["DEGREES", "MODELS", "Degrees", "ModelName", "model"]

ModelName = Literal["sage", "gat", "gcn", "gin", "rgcn"]
MODELS: tuple[str, ...] = get_args(ModelName)
Degrees = Literal["graph", "batch"]
DEGREES: tuple[str, ...] = get_args(Degrees)

_HEADS = 8
# What the papers and the examples of PyG use.
_DROPOUT = {"sage": 0.5, "gat": 0.6, "gcn": 0.5, "gin": 0.5, "rgcn": 0.5}


def model(
    name: str,
    in_channels: int,
    hidden: int,
    out: int,
    layers: int = 2,
    *,
    dropout: float | None = None,
    heads: int = _HEADS,
    degrees: Degrees = "graph",
) -> Module:
    """A model of :mod:`torch_geometric.nn.models`, whose weights torch's generator draws.

    - ``sage``: ``GraphSAGE``, mean of the neighbours (Hamilton et al., NeurIPS 2017); ReLU.
    - ``gat``: ``GAT`` (Veličković et al., ICLR 2018); ELU, heads side by side, their mean at the end.
    - ``gcn``: ``GCN`` (Kipf, Welling, ICLR 2017); ReLU. Its edge weights come from ``degrees``: of
      the ``graph`` (:class:`weft.nn.GcnNorm`), so that it is the model on the whole graph; or of the
      ``batch``, as PyG takes them, which makes it another one when neighbours are sampled.
    - ``gin``: ``GIN`` (Xu et al., ICLR 2019); batch norm, ReLU.
    - ``rgcn``: R-GCN (Schlichtkrull et al., ESWC 2018) of one type of edges, which is ``sage``; of several
      see :func:`weft.nn.rgcn`.

    Args:
        name: which.
        in_channels: columns of the features.
        hidden: width of the layers between; ``gat``: of all heads together.
        out: width of the last layer.
        layers: how many; as many as hops are sampled.
        dropout: between layers, and on the attention of ``gat``; None: 0.6 for ``gat``, else 0.5.
        heads: of ``gat``.
        degrees: of ``gcn``.

    Raises:
        WeftValueError: there is no such model or kind of degrees, or a size is none.
    """
    if name not in MODELS:
        raise WeftValueError(f"there is no model {name!r}; give one of {', '.join(MODELS)}")
    for what, size in (("in_channels", in_channels), ("hidden", hidden), ("out", out), ("layers", layers)):
        if size < 1:
            raise WeftValueError(f"model {name}: {what} must be at least 1 (got {size})")
    rate = _DROPOUT[name] if dropout is None else dropout
    if not 0 <= rate < 1:
        raise WeftValueError(f"model {name}: dropout must lie within 0 .. 1, below 1 (got {rate:g})")
    if degrees not in DEGREES:
        raise WeftValueError(f"model {name}: degrees must be graph or batch (got {degrees!r})")
    if degrees != "graph" and name != "gcn":
        raise WeftValueError(f"model {name}: degrees are those of a gcn")
    shared: dict[str, Any] = {"num_layers": layers, "out_channels": out, "dropout": rate}
    if name in ("sage", "rgcn"):  # of one type, R-GCN's mean and root are those of SAGE
        return pyg.GraphSAGE(in_channels, hidden, **shared)
    if name == "gcn":
        return pyg.GCN(in_channels, hidden, normalize=degrees == "batch", **shared)
    if name == "gin":
        return pyg.GIN(in_channels, hidden, norm="batch_norm", **shared)
    if heads < 1 or hidden % heads:
        raise WeftValueError(f"model gat: hidden={hidden} must be a multiple of heads={heads}")
    return pyg.GAT(in_channels, hidden, heads=heads, act="elu", **shared)
