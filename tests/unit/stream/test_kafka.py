"""A topic of librdkafka's own mock broker."""

from __future__ import annotations

import json

import numpy as np
import pytest

from weft.errors import ParseError
from weft.stream import KafkaSource

kafka = pytest.importorskip("confluent_kafka")


@pytest.fixture
def broker():
    """The producer's cluster is the broker of everyone who knows its address."""
    producer = kafka.Producer({"bootstrap.servers": "none", "test.mock.num.brokers": 1})
    found = producer.list_topics(timeout=10)
    address = ",".join(f"{b.host}:{b.port}" for b in found.brokers.values())
    yield producer, {"bootstrap.servers": address}
    producer.flush(10)


def send(producer, topic, events):
    for event in events:
        message = event if isinstance(event, bytes) else json.dumps(event).encode()
        producer.produce(topic, message, partition=0)
    assert producer.flush(10) == 0


def events(begin, end):
    return [{"source": f"u{i % 3}", "target": i % 5, "time": i} for i in range(begin, end)]


def test_every_message_once(broker):
    producer, config = broker
    send(producer, "events", [e | {"target": str(e["target"])} for e in events(0, 100)])
    source = KafkaSource(config, "events", end=True, poll=0.2, size=30)
    batches = [b for b in source.batches({}) if b is not None]
    assert np.concatenate([b.columns()["time"] for b in batches]).tolist() == list(range(100))
    for number, batch in enumerate(batches):
        rest = [b for b in source.batches(batch.end) if b is not None]
        expected = sum(len(b.time) for b in batches[number + 1 :])
        assert sum(len(b.time) for b in rest) == expected
        assert all(b.begin for b in rest)


def test_operations_and_ids(broker):
    producer, config = broker
    one = {"source": 1, "target": 2, "time": -3, "op": "delete", "eid": 9, "more": "ignored"}
    send(producer, "ops", [one])
    (batch,) = (b for b in KafkaSource(config, "ops", end=True, poll=0.2).batches({}) if b is not None)
    columns = batch.columns()
    assert (columns["op"].tolist(), columns["eid"].tolist(), columns["time"].tolist()) == ([1], [9], [-3])


@pytest.mark.parametrize(
    "message", [b"", b"{", b'{"source": 1, "target": 2}', b'{"source":1,"target":2,"time":1.5}']
)
def test_messages_that_are_no_events(broker, message):
    producer, config = broker
    send(producer, "wrong", [{"source": 1, "target": 2, "time": 3}, message])
    with pytest.raises(ParseError, match="partition 0, offset 1 holds no event"):
        list(KafkaSource(config, "wrong", end=True, poll=0.2).batches({}))
