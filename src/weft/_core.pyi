from typing import Any, overload

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

class Interner:
    def __init__(self) -> None: ...
    def add(self, bytes: Array, offsets: Array, out: Array) -> None: ...
    def add_pairs(
        self, a: Array, a_offsets: Array, b: Array, b_offsets: Array, out_a: Array, out_b: Array
    ) -> None: ...
    def bytes(self) -> int: ...
    def find(self, bytes: Array, offsets: Array, out: Array) -> None: ...
    def names(self, bytes: Array, offsets: Array) -> None: ...
    def size(self) -> int: ...

class RowCache:
    @overload
    def __init__(self, rows: int, width: int, kept: Array) -> None: ...
    @overload
    def __init__(self, rows: int, width: int, slots: int, sieve: bool) -> None: ...
    @overload
    def __init__(self, rows: int, width: int, slots: int, window: int, heat: Array) -> None: ...
    @property
    def counts(self) -> tuple[int, int, int, int]: ...
    @property
    def window(self) -> int: ...
    def begin(self, ids: Array, out: Array, missing: Array) -> int: ...
    def end(self, ids: Array, out: Array, there: bool) -> None: ...
    def expect(self, ids: Array) -> None: ...
    def fill(self, ids: Array, rows: Array) -> None: ...
    def forget(self) -> None: ...
    def take(self, file: RowFile, ids: Array, out: Array) -> None: ...

class RowFile:
    def __init__(
        self, path: str, offset: int, rows: int, width: int, depth: int, ring: bool, direct: bool
    ) -> None: ...
    @property
    def counts(self) -> tuple[int, int]: ...
    @property
    def direct(self) -> bool: ...
    @property
    def gap(self) -> int: ...
    @gap.setter
    def gap(self, bytes: int) -> None: ...
    @property
    def ring(self) -> bool: ...
    def measure_gap(self) -> None: ...
    def read(self, ids: Array, out: Array) -> None: ...

class TemporalRows:
    def __init__(self, nodes: int) -> None: ...
    @property
    def held(self) -> int: ...
    @property
    def nodes(self) -> int: ...
    @property
    def used(self) -> int: ...
    def append(self, source: Array, target: Array, time: Array, number: Array, both: bool) -> None: ...
    def compact(self) -> None: ...
    def expire(self, nodes: Array, before: int) -> None: ...
    def expire_all(self, before: int) -> None: ...
    def remove(self, source: Array, target: Array, time: Array, number: Array, both: bool) -> None: ...
    def sample(
        self,
        root: Array,
        time: Array,
        key: int,
        item: int,
        items: Array,
        lane: int,
        fanout: int,
        uniform: bool,
        replace: bool,
        inclusive: bool,
        window: int,
    ) -> tuple[Array, Array, Array, Array]: ...
    def view(self) -> TemporalView: ...

class TemporalView:
    @property
    def nodes(self) -> int: ...
    def sample(
        self,
        root: Array,
        time: Array,
        key: int,
        item: int,
        items: Array,
        lane: int,
        fanout: int,
        uniform: bool,
        replace: bool,
        inclusive: bool,
        window: int,
    ) -> tuple[Array, Array, Array, Array]: ...

def connected_components(indptr: Array, indices: Array, root: Array) -> None: ...
def count_lines(text: Array) -> int: ...
def decode_rows(codec: int, rows: Array, columns: int, out: Array) -> None: ...
def empty_huge(bytes: int) -> npt.NDArray[np.uint8]: ...
def encode_rows(codec: int, rows: Array, columns: int, out: Array) -> int: ...
def expand_rows(indptr: Array, out: Array) -> None: ...
def gather(table: Array, width: int, ids: Array, out: Array) -> None: ...
def gather_decoded(codec: int, table: Array, columns: int, ids: Array, out: Array) -> None: ...
def has_edges(indptr: Array, indices: Array, src: Array, dst: Array, out: Array) -> None: ...
def narrow_ids(ids: Array, out: Array) -> bool: ...
def neighbor(
    relations: list[tuple[Array, Array, Array, Array, int, int, int, Array]],
    seeds: list[Array],
    key: int,
    batch: int,
    replace: bool,
    disjoint: bool,
) -> tuple[list[tuple[Array, Array, list[int]]], list[tuple[Array, Array, Array, list[int]]]]: ...
def neighbor_wide(
    relations: list[tuple[Array, Array, Array, Array, int, int, int, Array]],
    seeds: list[Array],
    key: int,
    batch: int,
    replace: bool,
    disjoint: bool,
) -> tuple[list[tuple[Array, Array, list[int]]], list[tuple[Array, Array, Array, list[int]]]]: ...
def num_threads() -> int: ...
def parse_ints(
    text: Array,
    delimiter: int,
    quote: int,
    comments: Array,
    src: int,
    dst: int,
    weight: int,
    skip: bool,
    keep: int,
    out_src: Array,
    out_dst: Array,
    out_weight: Array,
) -> tuple[int, int, bool, list[tuple[int, int, int, int]]]: ...
def parse_strings(
    text: Array,
    delimiter: int,
    quote: int,
    comments: Array,
    src: int,
    dst: int,
    weight: int,
    skip: bool,
    keep: int,
    src_bytes: Array,
    src_offsets: Array,
    dst_bytes: Array,
    dst_offsets: Array,
    out_weight: Array,
) -> tuple[int, int, bool, list[tuple[int, int, int, int]]]: ...
def path_counts(
    indptr: Array,
    indices: Array,
    weight: Array,
    alias: Array,
    out_degree: Array,
    in_degree: Array,
    samples: float,
    keep: float,
    window: int,
    key: int,
    walks: Array,
) -> None: ...
def path_rows(
    indptr: Array,
    indices: Array,
    weight: Array,
    alias: Array,
    out_degree: Array,
    in_degree: Array,
    samples: float,
    keep: float,
    window: int,
    key: int,
    first: int,
    walks: Array,
    row_scale: Array,
    column_scale: Array,
    degree: Array,
    columns: Array,
    values: Array,
) -> int: ...
def philox_blocks(counters: Array, key: int, out: Array) -> None: ...
def philox_fill(out: Array, key: int, first: int, index: int, lane: int) -> None: ...
def rmat_edges(
    key: int, scale: int, a: int, ab: int, abc: int, first: int, src: Array, dst: Array
) -> None: ...
def scatter_edges(
    src: Array,
    dst: Array,
    weight: Array,
    num_nodes: int,
    shift: int,
    dst_bits: int,
    both_ways: bool,
    drop_loops: bool,
    offsets: Array,
    keys: Array,
    weights: Array,
) -> None: ...
def spmm(
    indptr: Array,
    indices: Array,
    value: Array,
    scale: Array,
    x: Array,
    width: int,
    alpha: float,
    loop: float,
    beta: float,
    gamma: float,
    out: Array,
) -> None: ...
def spmm_transposed(
    indptr: Array, indices: Array, value: Array, x: Array, width: int, out: Array
) -> None: ...
def set_num_threads(count: int) -> None: ...
def block_pairs(
    walks: Array,
    length: int,
    window: int,
    row_of: Array,
    sink: Array,
    most: int,
    rows: int,
    parts: int,
    out: Array,
    offset: Array,
) -> int: ...
def bucket_pairs(
    pairs: Array,
    scratch: Array,
    rows: int,
    head_first: int,
    heads: int,
    tail_first: int,
    tails: int,
    offset: Array,
) -> None: ...
def pairs_per_walk(length: int, window: int) -> int: ...
def sgns_train(
    vertex: Array,
    context: Array,
    width: int,
    rows: int,
    alias: Array,
    head_first: int,
    tail_first: int,
    pairs: Array,
    offset: Array,
    item: Array,
    key: int,
    total: int,
    negatives: int,
    negative_weight: float,
    learning_rate: float,
    weight_decay: float,
    loss: Array,
) -> None: ...
def window_pairs(walks: Array, length: int, window: int, row_of: Array, sink: Array, out: Array) -> int: ...
def sort_buckets(
    keys: list[Array],
    run_weights: list[Array],
    offsets: list[Array],
    shift: int,
    dst_bits: int,
    duplicates: int,
    degree: Array,
    indices: Array,
    weights: Array,
    counts: Array,
) -> None: ...

class IdIndex:
    def __init__(self, ids: Array | int) -> None: ...
    def find(self, ids: Array, out: Array) -> None: ...
    def map(self, ids: Array, out: Array) -> None: ...

class IdSet:
    def __init__(self, max_bitmap_bytes: int) -> None: ...
    def add(self, ids: Array) -> None: ...
    def bytes(self) -> int: ...
    def finish(self) -> int: ...
    def write(self, out: Array) -> None: ...

def alias_tables(indptr: Array, weight: Array, table: Array) -> None: ...
def probe_arithmetic(rounds: int) -> float: ...
def probe_random_reads(data: Array, reads: int, seed: int) -> int: ...
def walk(
    indptr: Array, indices: Array, starts: Array, length: int, key: int, first: int, out: Array
) -> None: ...
def walk_weighted(
    indptr: Array,
    indices: Array,
    alias: Array,
    starts: Array,
    length: int,
    key: int,
    first: int,
    out: Array,
) -> None: ...
def edge_filter(indptr: Array, indices: Array, directed: bool, words: Array) -> int: ...
def row_peaks(indptr: Array, indices: Array, weight: Array, peak: Array) -> None: ...
def walk2(
    indptr: Array,
    indices: Array,
    weight: Array,
    alias: Array,
    total: Array,
    peak: Array,
    words: Array,
    directed: bool,
    parallel: int,
    p: float,
    q: float,
    starts: Array,
    length: int,
    key: int,
    first: int,
    out: Array,
) -> None: ...
