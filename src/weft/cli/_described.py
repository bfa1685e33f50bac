"""What there is to know of a directory that is no graph: vectors, a model, predictions, a checkpoint.

All of it stands in manifests and small arrays: nothing is loaded, and torch is not needed.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from weft.config import show_bytes
from weft.graph._rows import edge_name

if TYPE_CHECKING:
    from weft.graph.format import DirectoryReader

__all__ = ["FACTS", "describe"]

# No settings, but said apart.
_OF_RESULT = ("estimator", "graph", "classes", "scores", "unscored", "updates", "method")


def describe(reader: DirectoryReader) -> dict[str, Any]:
    """The facts of an open directory, by name; the kind must be one of :data:`FACTS`."""
    manifest = reader.manifest
    arrays = [f"{name} {a.dtype} {list(a.shape)}" for name, a in reader.arrays.items()]
    size = sum(file.stat().st_size for file in reader.path.iterdir() if file.is_file())
    return FACTS[manifest.format](reader) | {
        "arrays": arrays,
        "size": show_bytes(size),
        "made_by": manifest.created_by,
        "written": _written(reader),
    }


def _embedding(reader: DirectoryReader) -> dict[str, Any]:
    meta, config = reader.meta, reader.meta["config"]
    said = config.get("estimator") == "Trained"
    facts: dict[str, Any] = {
        "what": "predictions of a model (weft predict)" if said else "vectors of nodes",
        "nodes": meta["num_nodes"],
        "dimensions": meta["dim"],
        "ids": meta["ids"].get("kind"),
        "method": config.get("method"),
        "of_graph": config.get("graph"),
        "settings": {name: value for name, value in config.items() if name not in _OF_RESULT},
    }
    if said:
        return facts | {"classes": len(config.get("classes", ())), "scores": config.get("scores", {})}
    history, scores = reader.get("history"), reader.arrays.get("scores")
    if len(history):
        facts |= {
            "trained_pairs": int(history[-1, 0]),
            "loss": f"{history[0, 1]:.3f} at first, {history[-1, 1]:.3f} at the end",
        }
    if scores is not None and len(scores):
        facts["score"] = round(float(scores[:, 1].max()), 4)
    return facts | {
        "updates": config.get("updates", 0),
        "hidden_edges": len(reader.arrays["holdout"]) if "holdout" in reader.arrays else 0,
        "can_be_updated": bool(meta.get("tied")) or "context" in reader.arrays,
    }


def _model(reader: DirectoryReader) -> dict[str, Any]:
    meta, settings, source = reader.meta, reader.meta["settings"], reader.meta["source"]
    history, targets = reader.get("history"), meta["targets"]
    facts: dict[str, Any] = {
        "what": "a trained model (weft train)",
        "model": settings.get("model"),
        "task": settings.get("task"),
        "features": meta["in_channels"],
        "classes": None if targets is None else targets.get("count"),
        "settings": {name: value for name, value in settings.items() if name not in ("model", "task")},
        "epochs_done": len(history),
        "kept_epoch": int(meta["scores"].get("epoch", 0)),
        "scores": {name: value for name, value in meta["scores"].items() if name != "epoch"},
        "score_is": meta["score_name"],
        "split": [
            f"{part} {len(reader.arrays[f'split_{part}']):,}"
            for part in ("train", "val", "test")
            if f"split_{part}" in reader.arrays
        ],
        "seconds": round(float(history[:, 3].sum()), 1) if len(history) else 0.0,
    }
    if len(history):
        facts["loss"] = f"{history[0, 1]:.4f} in the first epoch, {history[-1, 1]:.4f} in the last"
    if types := meta.get("types"):
        facts |= {
            "tells_nodes_of": types["target"],
            "features": types["in_channels"],
            "learned_vectors": types["vectors"],
            "edge_types": [edge_name(kind) for kind in types["edge_types"]],
        }
    return facts | {
        "of_graph": source.get("graph"),
        "nodes": source.get("nodes"),
        "stored_edges": source.get("edges"),
        "of_features": source.get("features"),
    }


def _checkpoint(reader: DirectoryReader) -> dict[str, Any]:
    meta, params = reader.meta, reader.meta.get("params", {})
    graph, plan = meta.get("graph", {}), meta.get("plan", {})
    trains = "num_neighbors" in params
    facts: dict[str, Any] = {
        "what": f"the checkpoint of an unfinished run of weft {'train' if trains else 'embed or update'}",
        "model" if trains else "method": params.get("model" if trains else "method"),
        "batches_done" if trains else "pairs_done": meta["pairs"],
    }
    if plan.get("pairs"):
        facts["share"] = f"{meta['pairs'] / plan['pairs']:.0%}"
    return facts | {
        "settings": params,
        "nodes": graph.get("nodes"),
        "stored_edges": graph.get("edges"),
        "next": "the same command with --resume goes on from it",
    }


def _stream(reader: DirectoryReader) -> dict[str, Any]:
    meta, params = reader.meta, reader.meta["params"]
    return {
        "what": "the state of a run of weft stream",
        "model": params["model"],
        "rounds": meta["rounds"],
        "events_left": len(reader.arrays["time"]),
        "settings": {name: value for name, value in params.items() if name != "model"},
        "next": "the same command with --resume goes on from it",
    }


def _events(reader: DirectoryReader) -> dict[str, Any]:
    meta, eid = reader.meta, reader.arrays["index_eid"]
    return {
        "what": "a graph of events (weft.graph.TemporalGraph)",
        "nodes": meta["num_nodes"],
        "events": meta["num_events"],
        "directed": meta["directed"],
        "arrived": meta["next"],
        "ids": "given" if eid.shape[0] else "by the order of arrival",
        "types": "type" in reader.arrays,
    }


def _written(reader: DirectoryReader) -> str:
    at = (reader.path / "manifest.json").stat().st_mtime
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


FACTS = {
    "weft.embedding": _embedding,
    "weft.model": _model,
    "weft.checkpoint": _checkpoint,
    "weft.stream": _stream,
    "weft.temporalgraph": _events,
}
"""What says the facts of a directory, by its format."""
