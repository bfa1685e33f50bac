"""Which parameter is whose: refused where a method would ignore it, and left out of what is saved."""

from __future__ import annotations

import inspect
from typing import get_args

import numpy as np
import pytest

from weft.embed import NodeEmbedding
from weft.embed.methods import FACTOR, NAMES, SKIP_GRAM, Method, check_own, methods_of, own
from weft.errors import WeftValueError
from weft.graph import Graph

# A value of each that is not the default.
OTHER = {
    "epochs": 7,
    "walk_length": 5,
    "window": 2,
    "p": 2.0,
    "q": 0.5,
    "order": "both",
    "samples": 3.0,
    "propagate": False,
    "num_negatives": 2,
    "negative_weight": 1.0,
    "learning_rate": 0.01,
    "weight_decay": 0.001,
    "patience": 2,
    "validation": 0.1,
    "parts": 2,
    "scratch": "/tmp",
    "tensorboard": "curves",
}
SHARED = {"method", "dim", "seed", "memory", "progress", "on_progress"}


def test_the_table_names_every_method_and_parameter():
    assert get_args(Method) == tuple(NAMES) == (*SKIP_GRAM, *FACTOR)
    parameters = set(inspect.signature(NodeEmbedding).parameters)
    assert parameters == OTHER.keys() | SHARED
    assert {name for name in parameters if methods_of(name) == tuple(NAMES)} == SHARED


@pytest.mark.parametrize("method", NAMES)
@pytest.mark.parametrize("name", OTHER)
def test_a_parameter_of_another_method_is_refused(method, name):
    model = NodeEmbedding(**{"method": method, name: OTHER[name]})
    if method in methods_of(name):
        check_own(method, {name: name})
        return
    message = rf"{name}={OTHER[name]!r} does nothing with {method}, only with {methods_of(name)[0]}"
    for asked in (model.check_params, lambda: model.fit(Graph.from_edges([0], [1]))):
        with pytest.raises(WeftValueError, match=message):
            asked()


def test_the_message_lists_the_methods():
    with pytest.raises(WeftValueError, match=r"only with deepwalk, node2vec and lightne; leave it out"):
        check_own("line", {"window": "--window"})
    with pytest.raises(WeftValueError, match=r"^--no-propagate does nothing with line, only with prone and"):
        check_own("line", {"propagate": "--no-propagate"})


def test_a_default_may_be_written():
    graph = Graph.from_edges([0, 1], [1, 2])
    plain = NodeEmbedding(method="prone", dim=4).fit_transform(graph)
    written = NodeEmbedding(method="prone", dim=4, epochs=np.float64(1000), window=None).fit_transform(graph)
    np.testing.assert_array_equal(written, plain)


def test_the_method_may_change_before_its_parameters_do():
    model = NodeEmbedding(method="node2vec", p=0.5).set_params(method="prone")
    assert "p=0.5" in repr(model)
    model.set_params(p=1.0).check_params()


def test_own():
    params = {"method": "line", "order": 1, "p": 2.0, "epochs": 3}
    assert own("line", params) == {"method": "line", "order": 1, "epochs": 3}
    assert own("prone", params) == {"method": "line"}
