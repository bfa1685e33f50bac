"""Continuous learning: sources, watermark, prequential evaluation, exactly-once snapshots."""

from weft.stream.batch import ADD, DELETE, NO_ID, Batch, Source
from weft.stream.iterated import IteratorSource
from weft.stream.kafka import KafkaSource
from weft.stream.logistic import NeighborLogistic
from weft.stream.loop import Run, run
from weft.stream.models import MODELS, Model
from weft.stream.parquet import ParquetSource
from weft.stream.settings import Settings
from weft.stream.text import TextSource
from weft.stream.watermark import Watermark

__all__ = [
    "ADD",
    "DELETE",
    "MODELS",
    "NO_ID",
    "Batch",
    "IteratorSource",
    "KafkaSource",
    "Model",
    "NeighborLogistic",
    "ParquetSource",
    "Run",
    "Settings",
    "Source",
    "TextSource",
    "Watermark",
    "run",
]
