"""Node embeddings in scikit-learn's style."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
import numpy.typing as npt

from weft.checks import check_choice, check_int, check_real, given
from weft.config import parse_bytes
from weft.embed.curves import check_curves
from weft.embed.estimator import Estimator
from weft.embed.factor import Factor
from weft.embed.methods import FACTOR, NAMES, Method, check_own
from weft.embed.plan import Plan
from weft.embed.skipgram import SkipGram
from weft.embed.warm import Known, WarmStart
from weft.errors import WeftTypeError, WeftValueError
from weft.graph import Graph
from weft.kernels.walk2 import check_bias
from weft.progress import check_shown

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from weft.embed.estimate import Estimate
    from weft.embed.family import AnyPlan, Family
    from weft.embed.learn import Keeping
    from weft.graph import Ids
    from weft.progress import Shown

__all__ = ["NodeEmbedding"]


class NodeEmbedding(Estimator):
    """A vector for every node, by skip-gram over random walks or edges, or by a factored matrix.

    DeepWalk: Perozzi, Al-Rfou, Skiena, KDD 2014. node2vec: Grover, Leskovec, KDD 2016. LINE: Tang, Qu, Wang,
    Zhang, Yan, Mei, WWW 2015. Trained as in GraphVite: Zhu, Xu, Qu, Tang, WWW 2019, whose published defaults
    these are where no measurement stands beside them. ProNE: Zhang, Dong, Wang, Tang, Ding, IJCAI 2019.
    LightNE: Qiu, Dhulipala, Tang, Peng, Wang, SIGMOD 2021. The result depends on the graph, the parameters
    and the seed alone: not on the number of threads, nor on the memory, nor on the CPU.

    Args:
        method: ``deepwalk`` trains on pairs of nodes near each other in a walk; ``node2vec`` too, each step
            of whose walks depends on the one before; ``line`` on edges. ``prone`` factors the matrix of
            edges, ``lightne`` one of sampled walks, in a fraction of the time. Parameters that are not a
            method's own keep their defaults; with other values it is refused.
        dim: of the vectors.
        epochs: one epoch is as many pairs as the graph has edges, an undirected edge counting once (deepwalk,
            node2vec, line). ``"auto"``: rounds of 500, 1000 and 2000, in each of which the learning rate
            falls from its beginning to nearly 0; the third only if the second has made the score on hidden
            edges rise.
        walk_length: steps of a walk (deepwalk, node2vec).
        window: how many steps apart in a walk the nodes of a pair may be (deepwalk, node2vec, lightne);
            ``"auto"`` or None: by the density of the graph, ``ln 1600 / ln(edges / nodes)``, rounded up,
            within 1 .. 10. No more than ``walk_length`` is used, with a ``UserWarning``.
        p: going back to the node before weighs 1/p, within 1e-6 .. 1e6 (node2vec).
        q: going on to a node that the one before has no edge to weighs 1/q, against 1 for others, within
            1e-6 .. 1e6 (node2vec). With p and q 1, walks are deepwalk's.
        order: of proximity (line). 2: nodes with the same neighbours come near each other, by a table of
            vertex and one of context vectors; 1: linked nodes do, by one table, whichever way an edge leads;
            ``"both"``: half of the dimensions each, the first order's before the second's. With the first
            order, the tables must fit into ``memory``.
        samples: walks over an edge (lightne); ``"auto"`` or None: such that 128 million of their ends are
            looked at, within 1 .. 1000. More are more precise, and take more time and memory.
        propagate: whether vectors are sent through a filter of the graph's Laplacian at the end (prone,
            lightne).
        num_negatives: that each pair is held against, drawn in proportion to in-degree^0.75 and shared by
            four pairs of different heads. This and the next five: deepwalk, node2vec, line.
        negative_weight: of all negatives of a pair together, against 1 for the pair.
        learning_rate: at the beginning; it falls linearly to 1e-4 of itself.
        weight_decay: 0 for none.
        patience: stop when so many scores in a row have not risen by more than their standard error. None:
            with ``epochs="auto"`` one; otherwise never, and nothing is hidden. With a number of epochs there
            are twenty scores. In either case the vectors of the best score are kept.
        validation: share of the edges to hide for the score, at most 20,000; none that is a node's last. They
            are not learned.
        seed: 0 to 2**64 - 1.
        parts: the tables are cut into so many; ``"auto"`` or None: by their size. Another number gives other
            vectors, of the same quality; how many threads can work grows with it.
        memory: bytes the process may have resident, or a text such as ``"4GiB"``; None: nine tenths of what
            the machine has left. With less than the tables need, they pass through memory part by part; the
            vectors are the same. Factorisations must fit.
        scratch: a folder on a local disk for what does not fit; None: the system's for temporary files.
        progress: show a bar with pairs per second, loss and time left; ``"lines"``: write that as a line
            every ten seconds.
        tensorboard: a folder for curves of loss, speed, learning rate and score; needs the package of
            that name (deepwalk, node2vec, line).
        on_progress: called after each pool with the pairs trained so far, all pairs, and the mean loss; by
            prone and lightne after each step with the steps done, all steps, and NaN.

    Attributes:
        embedding_: float32 ``[N, dim]``, row i for node i. A node without out-edges keeps its initial vector.
            By prone and lightne vectors have length 1, or are 0 where nothing is known.
        context_: float32 ``[N, dim]``, the vectors of nodes as neighbours of others; in the first order the
            same as ``embedding_``; with prone and lightne None.
        loss_history_: float64 ``[S, 2]``: pairs trained so far, mean loss since the row before; without
            rows where nothing is trained.
        score_history_: float64 ``[K, 3]``: pairs trained so far, the score on hidden edges (the probability
            that one has a higher cosine than a pair that is no edge), and its standard error.
        untrained_: how many nodes have no out-edge.
        ids_: of the nodes.
        updates_: how many times ``partial_fit`` went on since ``fit``. After it, ``loss_history_``,
            ``score_history_``, ``untrained_`` and ``plan_`` are those of its own run.
        plan_: the sizes of the run, a ``Plan``, whose pairs are the most there could be, or a ``FactorPlan``.
    """

    embedding_: npt.NDArray[np.float32]
    context_: npt.NDArray[np.float32] | None
    loss_history_: npt.NDArray[np.float64]
    score_history_: npt.NDArray[np.float64]
    untrained_: int
    ids_: Ids
    updates_: int
    plan_: AnyPlan

    def __init__(
        self,
        *,
        method: Method = "deepwalk",
        dim: int = 128,
        # GraphVite: 2000. BlogCatalog at 1000: 36.4/41.4/42.9; at 2000, in twice the time: 36.1/41.8/43.7.
        epochs: float | Literal["auto"] = 1000,
        walk_length: int = 40,
        window: int | Literal["auto"] | None = "auto",
        p: float = 1.0,
        q: float = 1.0,
        order: Literal[1, 2, "both"] = 2,
        samples: float | Literal["auto"] | None = "auto",
        propagate: bool = True,
        num_negatives: int = 3,
        negative_weight: float = 5.0,
        learning_rate: float = 0.025,
        # GraphVite: 0.005. BlogCatalog at 100 M pairs, window 5: 34.7/38.8/39.7 without, 31.0/33.5/34.2 with.
        weight_decay: float = 0.0,
        patience: int | None = None,
        validation: float = 0.02,
        seed: int = 0,
        parts: int | Literal["auto"] | None = "auto",
        memory: int | str | None = None,
        scratch: str | os.PathLike[str] | None = None,
        progress: Shown = False,
        tensorboard: str | os.PathLike[str] | None = None,
        on_progress: Callable[[int, int, float], None] | None = None,
    ) -> None:
        self.method = method
        self.dim = dim
        self.epochs = epochs
        self.walk_length = walk_length
        self.window = window
        self.p = p
        self.q = q
        self.order = order
        self.samples = samples
        self.propagate = propagate
        self.num_negatives = num_negatives
        self.negative_weight = negative_weight
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.patience = patience
        self.validation = validation
        self.seed = seed
        self.parts = parts
        self.memory = memory
        self.scratch = scratch
        self.progress = progress
        self.tensorboard = tensorboard
        self.on_progress = on_progress

    def plan(self, graph: Graph) -> AnyPlan:
        """What ``fit`` would do and take, without doing it.

        Raises:
            WeftTypeError: ``graph`` is not a graph, or a parameter has the wrong type.
            WeftValueError: a parameter is out of range, or the graph has no edges.
            BudgetError: the run does not fit into ``memory``.
            StorageError: ``scratch`` lacks the room for what does not.
        """
        self._check_graph(graph)
        plan = self._family().plan(graph)
        self._say_what_is_cut(plan)
        return plan

    def _say_what_is_cut(self, plan: AnyPlan) -> None:
        """Warn where walks are too short for the window; of an update, the first run has said so."""
        window, first = given("window", self.window), not vars(self).get("updates_")
        if first and isinstance(plan, Plan) and window is not None and plan.window < window:
            warnings.warn(
                f"window={window} is more than the {plan.length} steps of a walk: window {plan.window} is "
                f"used; pairs farther apart need walk_length={window} (--walk-length)",
                UserWarning,
                stacklevel=3,
            )

    def estimate(self, graph: Graph, plan: AnyPlan) -> Estimate:
        """How long ``fit`` will take on a machine as busy as now, judged by a second or so of its work.

        Raises:
            StorageError: ``scratch`` cannot be written to.
        """
        return self._family().estimate(graph, plan)

    def fit(
        self,
        graph: Graph,
        *,
        plan: AnyPlan | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        every_minutes: float = 10.0,
        resume: bool = False,
    ) -> Self:
        """Learn the vectors.

        With ``checkpoint``, a killed run can be continued, and the vectors are those of a run that was never
        disturbed, to the bit. SIGINT (Ctrl-C) and SIGTERM then end the run after the pool in work, with a
        last checkpoint. The directory stays after ``fit``: remove it once the vectors are safe.

        prone and lightne keep no checkpoint: they are short, and give the same again. A run whose loss says
        that its vectors tell no node from another ends with a ``UserWarning``.

        Args:
            graph: at least one edge; edge weights, if any, are respected.
            plan: what :meth:`plan` gave for this graph and these parameters; None: it is made now.
            checkpoint: a directory for the state of the run, replaced again and again; None: none is kept.
            every_minutes: between checkpoints; 0: after every pool; ``inf``: only when a signal ends the run.
            resume: go on from the checkpoint if there is one, else begin.

        Raises:
            WeftTypeError: ``graph`` is not a graph, or a parameter has the wrong type.
            WeftValueError: a parameter is out of range, the graph has no edges, ``plan`` is of
                others, training diverged, or the checkpoint belongs to a run with another graph or other
                parameters, or is in use by one.
            FormatError: the checkpoint is damaged, or something else is there.
            BudgetError: the run does not fit into ``memory``.
            StorageError: a checkpoint cannot be written; the one before is intact.
            Interrupted: a signal came; the checkpoint holds the state.
        """
        keeping = self._family().keeping(checkpoint, every_minutes, resume)
        if plan is None:
            plan = self.plan(graph)
        else:
            self._check_graph(graph)
            self._family().check_plan(graph, plan)
        self._learn(graph, plan, keeping)
        self.updates_ = 0
        return self

    def partial_fit(
        self,
        graph: Graph,
        *,
        epochs: float = 100.0,
        learning_rate: float | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        every_minutes: float = 10.0,
        resume: bool = False,
    ) -> Self:
        """Go on learning after edges and nodes have come or gone.

        Nodes are known again by their ids. Old ones begin with their vectors, new ones with the mean of their
        neighbours', which are learned further, old and new alike. A model that has learned nothing yet is
        fitted. prone and lightne cannot go on from vectors: fit again, and train anew what reads them, for a
        factorisation has other axes each time.

        Args:
            graph: as it is now, whole.
            epochs: of the whole graph.
            learning_rate: at the beginning; None: half of the model's.
            checkpoint: as in :meth:`fit`.
            every_minutes: as in :meth:`fit`.
            resume: as in :meth:`fit`.

        Raises:
            WeftTypeError: as in :meth:`fit`.
            WeftValueError: as in :meth:`fit`; or no node of the graph is known, or ``dim`` has changed.
            FormatError: as in :meth:`fit`.
            BudgetError: as in :meth:`fit`.
            StorageError: as in :meth:`fit`.
            Interrupted: as in :meth:`fit`.
        """
        self._family().check_further()
        keeping = self._family().keeping(checkpoint, every_minutes, resume)
        if not hasattr(self, "embedding_"):
            return self.fit(graph, checkpoint=checkpoint, every_minutes=every_minutes, resume=resume)
        step = self._further(check_real("epochs", epochs, above=0), learning_rate)
        step._check_graph(graph)
        if self.embedding_.shape[1] != step.dim:
            raise WeftValueError(
                f"partial_fit: the vectors have {self.embedding_.shape[1]} dimensions, dim is {step.dim}; "
                "another dim needs fit"
            )
        assert self.context_ is not None
        start = WarmStart(graph, Known(self.ids_, self.embedding_, self.context_), seed=int(step.seed))
        step._learn(graph, step.plan(graph), keeping, start)
        self.embedding_, self.context_ = step.embedding_, step.context_
        self.loss_history_, self.score_history_ = step.loss_history_, step.score_history_
        self.untrained_, self.plan_ = step.untrained_, step.plan_
        self.ids_, self.updates_ = step.ids_, step.updates_
        return self

    def _further(self, epochs: float, learning_rate: float | None) -> NodeEmbedding:
        """The estimator of one update: it draws other numbers than those before it."""
        self.check_params()
        rate = self.learning_rate / 2 if learning_rate is None else learning_rate
        step = NodeEmbedding(**self.get_params())
        step.set_params(epochs=epochs, learning_rate=rate, patience=None)
        step.updates_ = self.updates_ + 1
        step.seed = (int(self.seed) + step.updates_ * 0x9E3779B97F4A7C15) % (1 << 64)
        return step

    def _family(self) -> Family:
        """Who does the work, with the parameters as they are now."""
        self.check_params()
        return Factor(self) if self.method in FACTOR else SkipGram(self)

    def _learn(
        self, graph: Graph, plan: AnyPlan, keeping: Keeping | None, start: WarmStart | None = None
    ) -> None:
        """One run."""
        learned = self._family().learn(graph, plan, keeping, start)
        self.embedding_, self.context_ = learned.vertex, learned.context
        self.loss_history_, self.score_history_ = learned.history, learned.scores
        self.untrained_ = int(np.count_nonzero(graph.degree() == 0))
        self.ids_, self.plan_ = graph.ids, plan

    def fit_transform(self, graph: Graph) -> npt.NDArray[np.float32]:
        """``fit``, then the vectors."""
        return self.fit(graph).embedding_

    def _check_graph(self, graph: Graph) -> None:
        """Refuse what vectors cannot be learned from, and parameters that cannot be."""
        if not isinstance(graph, Graph):
            raise WeftTypeError(
                f"fit takes a weft.Graph (got {type(graph).__name__}); see Graph.open and Graph.from_edges"
            )
        self.check_params()
        if graph.num_edges == 0:
            raise WeftValueError(
                f"fit: the graph has {graph.num_nodes:,} nodes and no edges; vectors are learned from edges"
            )

    def check_params(self) -> None:
        """Check the parameters, without a graph.

        Raises:
            WeftTypeError: a parameter has the wrong type.
            WeftValueError: a parameter is out of range, or the method would ignore it.
            MissingExtraError: ``tensorboard`` is given, and it is not installed.
        """
        check_choice("method", self.method, tuple(NAMES))
        check_int("dim", self.dim, 1, 1 << 16)
        if not (isinstance(self.epochs, str) and self.epochs == "auto"):
            check_real("epochs", self.epochs, above=0)
        check_int("walk_length", self.walk_length, 1, 1 << 20)
        if (window := given("window", self.window)) is not None:
            check_int("window", window, 1)
        check_bias(check_real("p", self.p, above=0), check_real("q", self.q, above=0))
        check_choice("order", self.order, (1, 2, "both"))
        if self.method == "line" and self.order == "both" and self.dim < 2:
            raise WeftValueError(f"order='both' gives each order half of dim (got dim={self.dim})")
        if (samples := given("samples", self.samples)) is not None:
            check_real("samples", samples, above=0)
        if not isinstance(self.propagate, bool | np.bool_):
            raise WeftTypeError(f"propagate must be True or False (got {self.propagate!r})")
        check_int("num_negatives", self.num_negatives, 1, 1024)
        check_real("negative_weight", self.negative_weight, above=0)
        check_real("learning_rate", self.learning_rate, above=0)
        check_real("weight_decay", self.weight_decay, least=0)
        if self.patience is not None:
            check_int("patience", self.patience, 1)
        if check_real("validation", self.validation, above=0) >= 1:
            raise WeftValueError(f"validation must be below 1, such as 0.02 (got {self.validation:g})")
        check_int("seed", self.seed, 0, (1 << 64) - 1)
        if (parts := given("parts", self.parts)) is not None:
            check_int("parts", parts, 1, 1024)
        if self.memory is not None:
            parse_bytes(self.memory)
        for name, folder in (("scratch", self.scratch), ("tensorboard", self.tensorboard)):
            if folder is not None and not isinstance(folder, str) and not hasattr(folder, "__fspath__"):
                raise WeftTypeError(f"{name} must be a folder (got {folder!r})")
        check_shown(self.progress)
        if self.on_progress is not None and not callable(self.on_progress):
            raise WeftTypeError(f"on_progress must be callable (got {self.on_progress!r})")
        changed = {name: value for name, value in self._changed().items() if value is not None}
        check_own(self.method, {name: f"{name}={value!r}" for name, value in changed.items()})
        if self.tensorboard is not None:
            check_curves()
