"""cocoindex on a checkout, to measure beside `millrace index` with `embed.engine = "hash"`: walk, split, an embedder that
costs next to nothing and counts, one row per chunk in Postgres.

    pip install cocoindex==1.0.26 asyncpg pgvector numpy
    python scripts/peers/peer_cocoindex.py FOLDER postgres://... STATE_FOLDER

A second run with the same STATE_FOLDER is incremental. Prints one line of JSON."""

import asyncio
import hashlib
import json
import os
import pathlib
import resource
import sys
import time
import uuid
from dataclasses import dataclass
from typing import Annotated

os.environ["COCOINDEX_DISABLE_USAGE_TRACKING"] = "1"

import asyncpg
import cocoindex as coco
import numpy as np
from cocoindex.connectors import localfs, postgres
from cocoindex.ops.text import RecursiveSplitter, detect_code_language
from cocoindex.resources.file import PatternFilePathMatcher
from numpy.typing import NDArray
from pgvector.asyncpg import register_vector

FOLDER, URL, STATE = pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
# The extensions of the languages that `millrace index` looks into, and what it skips by name.
TAKEN = ["**/*." + e for e in "rs py pyi ts tsx js go java c h sh sql md toml yaml json txt s html css proto".split()]
LEFT = ["**/.*", "**/node_modules", "**/dist", "**/*.min.js", "**/*.lock"]
POOL = coco.ContextKey[asyncpg.Pool]("pool")
SPLITTER = RecursiveSplitter()
embedded = 0


@dataclass
class Chunk:
    id: uuid.UUID
    path: str
    start: int
    code: str
    embedding: Annotated[NDArray, "384"]


def embed(text: str) -> NDArray:
    global embedded
    embedded += 1
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "little")
    vector = np.random.default_rng(seed).standard_normal(384).astype(np.float32)
    return vector / np.linalg.norm(vector)


@coco.fn(memo=True)
async def one(file, table) -> None:
    try:
        text = await file.read_text()
    except UnicodeDecodeError:
        return
    path = str(file.file_path.path)
    language = detect_code_language(filename=path)
    for nth, chunk in enumerate(SPLITTER.split(text, 1000, min_chunk_size=300, chunk_overlap=300, language=language)):
        key = uuid.uuid5(uuid.NAMESPACE_URL, f"{path}#{nth}")
        table.declare_row(
            row=Chunk(key, path, chunk.start.char_offset, chunk.text, embed(chunk.text))
        )


@coco.fn
async def whole() -> None:
    columns = {
        "id": postgres.ColumnDef(type="uuid"),
        "path": postgres.ColumnDef(type="text"),
        "start": postgres.ColumnDef(type="int"),
        "code": postgres.ColumnDef(type="text"),
        "embedding": postgres.ColumnDef(type="vector(384)"),
    }
    schema = postgres.TableSchema(columns, ["id"])
    table = await postgres.mount_table_target(POOL, "coco_chunks", schema, pg_schema_name="public")
    files = localfs.walk_dir(
        FOLDER, recursive=True, path_matcher=PatternFilePathMatcher(included_patterns=TAKEN, excluded_patterns=LEFT)
    )
    await coco.mount_each(one, files.items(), table)


@coco.lifespan
async def lifespan(builder):
    builder.settings.db_path = STATE
    async with asyncpg.create_pool(URL, init=register_vector) as pool:
        builder.provide(POOL, pool)
        yield


began = time.time()
coco.App("peer", whole).update_blocking()
used = resource.getrusage(resource.RUSAGE_SELF)
print(
    json.dumps(
        {
            "seconds": round(time.time() - began, 2),
            "cpu": round(used.ru_utime + used.ru_stime, 2),
            "peak_mib": used.ru_maxrss // 1024,
            "chunks_embedded": embedded,
        }
    )
)
