"""Telling which nodes meet next: an encoder, a decoder, and what learns both.

Shapes: B events, C negatives, D columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from weft import rng
from weft.checks import check_int, check_real
from weft.errors import WeftValueError
from weft.graph.temporal import as_times
from weft.kernels.philox import philox_fill
from weft.kernels.temporal.form import checked
from weft.nn.temporal.decoder import LinkDecoder
from weft.sampling.temporal import unique_pairs

if TYPE_CHECKING:
    from weft.nn.temporal.encoder import TemporalEncoder

__all__ = ["TemporalLinks"]

I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]


class TemporalLinks:
    """A model of which nodes meet when, in the steps that a stream is worked through in.

    For each batch of events: :meth:`score` them, which changes nothing; :meth:`learn` from them, which
    changes weights but no memory; :meth:`observe` them, which changes memory but no weights. Have them in
    the graph then, or before: neighbours are strictly from before.

    All randomness is counted by steps, so that a model loaded from :meth:`state_dict` goes on bit for bit.

    Args:
        encoder: vectors of nodes at times.
        lr: learning rate of Adam.
        seed: of negatives and dropout, and of the weights of the decoder.
    """

    def __init__(self, encoder: TemporalEncoder, *, lr: float = 1e-3, seed: int = 0) -> None:
        check_real("temporal links: lr", lr, above=0.0)
        self.seed = check_int("temporal links: seed", seed, 0, (1 << 64) - 1)
        self.encoder = encoder
        self.net = nn.ModuleDict({"encoder": encoder, "decoder": LinkDecoder(encoder.dim)})
        trained = [p for p in self.net.parameters() if p.requires_grad]
        self.optimizer = torch.optim.Adam(trained, lr=lr, fused=True)
        self.steps = 0
        self._met = _Met()

    def _scores(self, source: I64, target: I64, time: I64) -> Tensor:
        """Logits ``[P]`` of pairs; each node at a time is worked out once."""
        node_S, time_S, source_P = unique_pairs(source, time)
        node_T, time_T, target_P = unique_pairs(target, time)
        vectors = self.encoder(np.concatenate([node_S, node_T]), np.concatenate([time_S, time_T]))
        at = torch.from_numpy(source_P), torch.from_numpy(target_P)
        return self.net["decoder"](*vectors.split([len(node_S), len(node_T)]), at)

    @torch.no_grad()
    def score(self, source: npt.ArrayLike, target: npt.ArrayLike, time: npt.ArrayLike) -> F32:
        """How likely pairs are to meet at times: logits, float32 ``[B]``; changes nothing.

        Args:
            source: nodes of the graph, integers ``[B]``.
            target: likewise.
            time: integers ``[B]``.

        Raises:
            WeftValueError: one is no node, or arrays do not fit.
        """
        u, v, t = _events("score links", source, target, time)
        self.net.eval()
        return self._scores(u, v, t).numpy()

    def learn(
        self,
        source: npt.ArrayLike,
        target: npt.ArrayLike,
        time: npt.ArrayLike,
        negative: npt.ArrayLike | None = None,
    ) -> float:
        """One step of Adam on binary cross-entropy; memory stays.

        Args:
            source: as of :meth:`score`.
            target: likewise.
            time: likewise.
            negative: a node for each event that its source did not meet; None: drawn uniformly from the
                targets of events that were observed, and of these.

        Returns:
            The loss.

        Raises:
            WeftValueError: one is no node, or arrays do not fit.
        """
        u, v, t = _events("learn links", source, target, time)
        if not len(u):
            return 0.0
        if negative is None:
            wrong = self._met.draw(v, len(v), rng.key(self.seed, rng.Op.NEGATIVE), self.steps)
        else:
            wrong, _ = checked("learn links", (negative, v), (np.int64, np.int64))
        self.net.train()
        # Dropout by step, not by what the process drew before: a run that goes on draws the same. The
        # generator itself, as torch.manual_seed keeps a trace of every call for devices to come: 0.6 ms each.
        before = torch.default_generator.get_state()
        torch.default_generator.manual_seed(
            (rng.key(self.seed, rng.Op.DROPOUT) + self.steps) & ((1 << 63) - 1)
        )
        try:
            scores = self._scores(np.concatenate([u, u]), np.concatenate([v, wrong]), np.concatenate([t, t]))
            wanted = torch.zeros(2 * len(u))
            wanted[: len(u)] = 1.0
            loss = nn.functional.binary_cross_entropy_with_logits(scores, wanted)
            self.optimizer.zero_grad()
            loss.backward()
        finally:
            torch.default_generator.set_state(before)
        self.optimizer.step()
        self.steps += 1
        self.encoder.step = self.steps
        return float(loss.detach())

    def observe(
        self,
        source: npt.ArrayLike,
        target: npt.ArrayLike,
        time: npt.ArrayLike,
        eid: npt.ArrayLike | None = None,
    ) -> None:
        """Take in events, after they were scored.

        Args:
            source: integers ``[B]``, in the order of time.
            target: likewise.
            time: likewise.
            eid: their ids, where the encoder has features of events.

        Raises:
            WeftValueError: arrays do not fit.
        """
        u, v, t = _events("observe links", source, target, time)
        ids = None if eid is None else checked("observe links", (eid, u), (np.int64, np.int64))[0]
        self.encoder.observe(u, v, t, ids)
        self._met.add(v)

    def reset(self) -> None:
        """Forget what was observed, as at the start of an epoch; what was learned stays."""
        self.encoder.reset()
        self._met = _Met()

    def state_dict(self) -> dict[str, Any]:
        """All that it takes to go on bit for bit, but the graph."""
        return {
            "net": self.net.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "steps": self.steps,
            "targets": torch.from_numpy(self._met.nodes.copy()),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what :meth:`state_dict` gave."""
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.steps = self.encoder.step = int(state["steps"])
        self._met = _Met()
        self._met.add(state["targets"].numpy())


class _Met:
    """Targets of events, each once, in the order in which they came."""

    def __init__(self) -> None:
        self.nodes = np.empty(0, np.int64)
        self._there = np.zeros(0, bool)

    def add(self, node: I64) -> None:
        if not len(node):
            return
        most = int(node.max()) + 1
        if most > len(self._there):
            self._there = np.concatenate([self._there, np.zeros(max(most, len(self._there)), bool)])
        new, first = np.unique(node[~self._there[node]], return_index=True)
        self._there[new] = True
        self.nodes = np.concatenate([self.nodes, new[np.argsort(first)]])

    def draw(self, here: I64, count: int, key: int, step: int) -> I64:
        """So many nodes of those that came, and of those that are here."""
        new = np.setdiff1d(here, self.nodes)
        pool = np.concatenate([self.nodes, new]) if len(new) else self.nodes
        words = philox_fill(-(-count // 4), key, index=step & 0xFFFFFFFF, lane=step >> 32).reshape(-1)[:count]
        return pool[(words.astype(np.uint64) * np.uint64(len(pool)) >> np.uint64(32)).astype(np.int64)]


def _events(what: str, *columns: npt.ArrayLike) -> tuple[I64, I64, I64]:
    u, v, t = checked(what, (columns[0], columns[1], as_times(columns[2])), (np.int64, np.int64, np.int64))
    if len(u) and min(u.min(), v.min()) < 0:
        raise WeftValueError(f"{what}: nodes count from 0 (got {min(u.min(), v.min())})")
    return u, v, t
