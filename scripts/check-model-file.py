#!/usr/bin/env python3
"""Reads a model file by the rules of safetensors with Python's standard library alone.

    python3 scripts/check-model-file.py MODEL

Prints the tensors and checks that they are aligned, without gaps and as large as their shapes say, and both checksums.
Exit status: 0 = all is well, 1 = it is not.
"""

import json
import re
import struct
import sys
import zlib

LENGTH_BYTES = 8
LONGEST_HEADER = 100_000_000
PIECE_BYTES = 1 << 20
ELEMENT_BYTES = {"I64": 8, "F32": 4, "I32": 4, "U32": 4, "U8": 1}


def read_header(file, size):
    """The header's bytes."""
    start = file.read(LENGTH_BYTES)
    if len(start) < LENGTH_BYTES:
        raise ValueError(f"only {len(start)} bytes")
    (length,) = struct.unpack("<Q", start)
    if length > min(LONGEST_HEADER, size - LENGTH_BYTES):
        raise ValueError(f"a header of {length} bytes in a file of {size}")
    return file.read(length)


def check_tensors(tensors, start, size):
    """Problems of the layout; prints each tensor. `start` is where the first one begins in the file."""
    end = 0
    for name, tensor in sorted(tensors.items(), key=lambda entry: entry[1]["data_offsets"]):
        dtype, shape, (first, last) = tensor["dtype"], tensor["shape"], tensor["data_offsets"]
        print(f"{name:40} {dtype:4} {shape} at {start + first}")
        if dtype not in ELEMENT_BYTES:
            yield f"{name} has the unknown type {dtype}"
            continue
        expected = ELEMENT_BYTES[dtype]
        if (start + first) % expected != 0:
            yield f"{name} is not aligned to {expected} bytes"
        for rows in shape:
            expected *= rows
        if last - first != expected:
            yield f"{name} has {last - first} bytes where its shape needs {expected}"
        if first != end:
            yield f"{name} begins at {first} where the tensor before it ends at {end}"
        end = last
    if start + end != size:
        yield f"{size} bytes where the tensors end at {start + end}"


def check_checksums(file, header, metadata):
    """Problems of the content; `file` stands at the first tensor."""
    unsigned = re.sub(rb'("header_crc32":")[0-9a-f]{8}(")', rb"\g<1>00000000\g<2>", header, count=1)
    found = f"{zlib.crc32(unsigned):08x}"
    if found != metadata.get("header_crc32"):
        yield f"checksum {found} of the header where {metadata.get('header_crc32')} is stated"
    checksum = 0
    while piece := file.read(PIECE_BYTES):
        checksum = zlib.crc32(piece, checksum)
    if f"{checksum:08x}" != metadata.get("crc32"):
        yield f"checksum {checksum:08x} of the tensors where {metadata.get('crc32')} is stated"


def check(path):
    """Problems of the file at `path`."""
    with open(path, "rb") as file:
        size = file.seek(0, 2)
        file.seek(0)
        header = read_header(file, size)
        tensors = json.loads(header)
        metadata = tensors.pop("__metadata__", {})
        for key in sorted(set(metadata) - {"config", "history"}):
            print(f"{key} = {metadata[key]}")
        yield from check_tensors(tensors, LENGTH_BYTES + len(header), size)
        yield from check_checksums(file, header, metadata)


def main():
    if len(sys.argv) != 2:
        sys.exit(f"Expected the path of a model file but received {len(sys.argv) - 1} arguments")
    try:
        problems = list(check(sys.argv[1]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        problems = [f"no safetensors file: {error}"]
    for problem in problems:
        print(f"{sys.argv[1]}: {problem}", file=sys.stderr)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
