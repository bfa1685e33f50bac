"""What decides the result of a run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from weft.checks import check_choice, check_flag, check_int, check_real
from weft.errors import WeftValueError

__all__ = ["Settings"]

_63 = (1 << 63) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of a run; every one of them is a part of its result.

    Attributes:
        lateness: by how much an event may be older than the newest and still be sorted in, in the unit of
            time.
        round_size: events of a round, deletions among them; after each there is a line of metrics.
        batch_size: events that are scored before any of them is taken in.
        warmup: events of the first round, which are not scored but learned from alone.
        epochs: passes over these, and over all events when the model is trained anew.
        frozen: learn nothing after the first round, but when the model is trained anew.
        replay: events of the past that are learned again for each new one, drawn uniformly.
        retrain: rounds after each of which a new model learns from all events; 0: never.
        window: events so much older than the newest are forgotten; None: none.
        negatives: that an event is ranked among, for the MRR; the last of them is that of the AP.
        historical: the share of these that may be targets of the same source from before.
        directed: events are found from their sources alone.
        bipartite: sources and targets are of two kinds: the same id is another node as the other.
        deletes: what a deletion takes out that names no event: the events of its ``pair``, or all of its
            ``target``. One with the id of an event takes out that, if it is of the pair.
        seed: of everything that is drawn.
    """

    lateness: int = 0
    round_size: int = 1000
    batch_size: int = 200
    warmup: int = 0
    epochs: int = 1
    frozen: bool = False
    replay: float = 0.5
    retrain: int = 0
    window: int | None = None
    negatives: int = 20
    historical: float = 0.5
    directed: bool = False
    bipartite: bool = False
    deletes: Literal["pair", "target"] = "pair"
    seed: int = 0

    def __post_init__(self) -> None:
        check_int("lateness", self.lateness, 0, _63)
        for name in ("round_size", "batch_size", "epochs", "negatives"):
            check_int(name, getattr(self, name), 1, _63)
        for name in ("warmup", "retrain"):
            check_int(name, getattr(self, name), 0, _63)
        for name in ("frozen", "directed", "bipartite"):
            check_flag(name, getattr(self, name))
        check_real("replay", self.replay, least=0)
        if check_real("historical", self.historical, least=0) > 1:
            raise WeftValueError(f"historical must be at most 1 (got {self.historical:g})")
        if self.window is not None:
            check_int("window", self.window, 1, _63)
        check_choice("deletes", self.deletes, ("pair", "target"))
        if self.directed and self.deletes == "target":
            raise WeftValueError("deletes='target' needs events to be found from their targets: not directed")
        check_int("seed", self.seed, 0, (1 << 64) - 1)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)
