"""Small Parquet files of the same rows in every way that a writer may have packed them, written by Arrow.

usage: python scripts/golden/tasks_parquet.py        (needs pyarrow)
writes test/golden/tasks/parquet/
"""

import json
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

OUT = pathlib.Path(__file__).parents[2] / "test" / "golden" / "tasks" / "parquet"

ROWS = [
    {"context": "The mirror of Quill was", "choices": [" black.", " blue."], "gold": 1},
    {"context": "caf\u00e9 \U0001f98a", "choices": [" a", " b", " c"], "gold": 0},
    {"context": "", "choices": ["Once", "Never", "Once and again", "Never again"], "gold": 3},
    {"context": None, "choices": [" a", " b"], "gold": 0},
    {"context": "no choices", "choices": [], "gold": 0},
    {"context": "the same", "choices": [" same", " same"], "gold": 1},
    {"context": "the same", "choices": [" same", " same"], "gold": 1},
]
TYPES = pa.schema([("context", pa.string()), ("choices", pa.list_(pa.string())), ("gold", pa.int64())])
WIDE = pa.schema([("context", pa.large_string()), ("choices", pa.large_list(pa.large_string())), ("gold", pa.int32())])

PLAIN = {"use_dictionary": False}
FILES = {
    "uncompressed": {"compression": "none"},
    "snappy": {"compression": "snappy"},
    "gzip": {"compression": "gzip"},
    "brotli": {"compression": "brotli"},
    "zstd": {"compression": "zstd"},
    "lz4": {"compression": "lz4"},
    "plain": {"compression": "snappy"} | PLAIN,
    "pages-v2": {"compression": "snappy", "data_page_version": "2.0"},
    "pages-v2-plain": {"compression": "gzip", "data_page_version": "2.0"} | PLAIN,
    "row-groups": {"compression": "snappy", "row_group_size": 2},
    "small-pages": {"compression": "snappy", "data_page_size": 1, "write_batch_size": 1} | PLAIN,
    "delta-lengths": {"compression": "none", "use_dictionary": False, "column_encoding": {"context": "DELTA_LENGTH_BYTE_ARRAY", "gold": "DELTA_BINARY_PACKED"}},
    "delta-texts": {"compression": "none", "use_dictionary": False, "column_encoding": {"context": "DELTA_BYTE_ARRAY"}},
}

if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    for name, options in FILES.items():
        pq.write_table(pa.Table.from_pylist(ROWS, schema=TYPES), OUT / f"{name}.parquet", store_schema=False, **options)
    pq.write_table(pa.Table.from_pylist(ROWS, schema=WIDE), OUT / "wide.parquet", store_schema=False)
    more = pa.Table.from_pylist(ROWS, schema=TYPES).append_column("embedding", pa.array([[float(i)] * 3 for i in range(len(ROWS))])).append_column("seen", pa.array([True] * len(ROWS)))
    pq.write_table(more, OUT / "more-columns.parquet", store_schema=False)
    pq.write_table(pa.Table.from_pylist([], schema=TYPES), OUT / "empty.parquet", store_schema=False)
    (OUT / "rows.json").write_text(json.dumps(ROWS, ensure_ascii=False, indent=1) + "\n")
    print(sum(path.stat().st_size for path in OUT.iterdir()), "bytes in", len(list(OUT.iterdir())), "files")
