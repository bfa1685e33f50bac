"""Events from a topic of Kafka; the positions are the run's own, so that nothing is committed there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from weft.checks import check_int, check_real
from weft.errors import MissingExtraError, ParseError, StorageError
from weft.stream.batch import ADD, DELETE, NO_ID, Batch, Offset

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["KafkaSource"]


class _Event(msgspec.Struct, forbid_unknown_fields=False):
    source: int | str
    target: int | str
    time: int
    op: str = "add"
    eid: int = NO_ID


class KafkaSource:
    """Messages that are JSON objects: source, target, time, and perhaps op (add or delete) and eid.

    Each message is taken once: the position in every partition is a part of the run's state, and is where
    reading goes on. No consumer group is joined or committed to. Between partitions there is no order, so
    give a lateness by which they may run apart.

    Args:
        config: of librdkafka, such as ``{"bootstrap.servers": "host:9092"}``.
        topic: its name.
        end: stop where partitions end now; False: wait for more.
        poll: seconds to wait for a message before nothing is said to have come.
        size: messages of a batch at most.

    Raises:
        MissingExtraError: confluent-kafka is not installed.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        topic: str,
        *,
        end: bool = False,
        poll: float = 1.0,
        size: int = 10_000,
    ) -> None:
        try:
            import confluent_kafka
        except ImportError:
            raise MissingExtraError("reading Kafka", "confluent-kafka", "kafka") from None
        self._kafka = cast("Any", confluent_kafka)
        self.name, self._topic = f"Kafka topic {topic}", topic
        self._config, self._end = dict(config), end
        self._poll, self._size = check_real("poll", poll, above=0), check_int("size", size, 1)

    def batches(self, offset: Offset) -> Iterator[Batch | None]:
        """See :class:`weft.stream.Source`; an offset has a part for each partition, ``topic:number``."""
        consumer = self._kafka.Consumer(
            {"group.id": "weft", **self._config, "enable.auto.commit": False, "enable.partition.eof": True}
        )
        try:
            yield from self._read(consumer, dict(offset))
        finally:
            consumer.close()

    def _read(self, consumer: Any, position: dict[str, int]) -> Iterator[Batch | None]:  # noqa: ANN401
        kafka = self._kafka
        try:
            found = consumer.list_topics(self._topic, timeout=10).topics[self._topic]
        except kafka.KafkaException as error:
            raise StorageError(f"{self.name}: {error}") from error
        if found.error is not None:
            raise StorageError(f"{self.name}: {found.error}")
        parts = sorted(found.partitions)
        begin = [
            kafka.TopicPartition(self._topic, part, position.get(self._part(part), kafka.OFFSET_BEGINNING))
            for part in parts
        ]
        consumer.assign(begin)
        ended: set[int] = set()
        while not (self._end and len(ended) == len(parts)):
            messages: list[Any] = []
            for message in consumer.consume(self._size, timeout=self._poll):
                if message.error() is None:
                    messages.append(message)
                    ended.discard(message.partition())
                elif message.error().code() == kafka.KafkaError._PARTITION_EOF:
                    ended.add(message.partition())
                else:
                    raise StorageError(f"{self.name}: {message.error()}")
            yield self._batch(messages, position) if messages else None

    def _part(self, number: int) -> str:
        return f"{self._topic}:{number}"

    def _batch(self, messages: list[Any], position: dict[str, int]) -> Batch:
        events = [self._event(message) for message in messages]
        # The log of a partition has holes where it was compacted: a batch begins where the last one ended.
        parts = {self._part(message.partition()) for message in messages}
        begin = {part: position[part] for part in parts if part in position}
        for message in messages:
            position[self._part(message.partition())] = message.offset() + 1
        return Batch(
            source=[event.source for event in events],
            target=[event.target for event in events],
            time=[event.time for event in events],
            op=[DELETE if event.op == "delete" else ADD for event in events],
            eid=[event.eid for event in events],
            begin=begin,
            end={part: position[part] for part in parts},
        )

    def _event(self, message: Any) -> _Event:  # noqa: ANN401
        try:
            return msgspec.json.decode(message.value() or b"", type=_Event)
        except msgspec.DecodeError as error:
            where = f"partition {message.partition()}, offset {message.offset():,}"
            raise ParseError(f"{self.name}, {where} holds no event: {error}") from None
