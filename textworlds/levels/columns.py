"""Named arrays in one file that is mapped, not read: a zip archive of uncompressed .npy members, and format.json.

np.load opens such a file too. What a file says is not trusted: it is data, never pickled objects, and each of its faults
is a ValueError that names it. Nothing is read on opening but the archive's directory and a header for each array.
"""

import hashlib
import io
import json
import mmap
import os
import secrets
import struct
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from math import prod
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

META = "format.json"
MOST_META = 1 << 20  # bytes of format.json
MOST_HEADER = 1 << 12  # bytes of a .npy header
BLOCK = 1 << 24  # bytes that are written or hashed at once
ALIGNMENT = 64  # of each array in the file
LONG_MEMBER = 1 << 30  # bytes from which the archive's headers hold sizes of 64 bits
PADDING = struct.Struct("<HH")  # a private field of a member's header, whose content is zeros
PADDING_ID = 0xD935  # the field for alignment, as in Android's zipalign
LOCAL_HEADER = struct.Struct("<4s22xHH")  # its signature, and the lengths of the name and of the fields after it
LOCAL_SIZE, LONG_FIELD = 30, 20  # bytes
FIXED_TIME = (1980, 1, 1, 0, 0, 0)
UNIX = 3


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a new file beside `path` that takes its place once all is written; if that fails, `path` is as before."""
    path = os.path.realpath(path)
    beside = f"{path}.{secrets.token_hex(4)}.tmp"
    try:
        with open(beside, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.remove(beside)
        raise


def write_columns(path: str | os.PathLike[str], columns: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> None:
    """Write arrays, and `meta` with their checksum as "sha256"; the same content gives the same bytes."""
    digest = hashlib.sha256()
    with replacing(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, column in columns.items():
            digest.update(_head(name, column))
            with _new_member(archive, file, f"{name}.npy", column.nbytes) as member:
                npy.write_array_header_1_0(member, npy.header_data_from_array_1_0(column[:0]) | {"shape": column.shape})
                for block in _blocks(column):
                    digest.update(block)
                    member.write(block)
        text = json.dumps({**meta, "sha256": digest.hexdigest()}, indent=1, sort_keys=True) + "\n"
        with _new_member(archive, file, META, len(text)) as member:
            member.write(text.encode("ascii"))


def checksum(columns: Mapping[str, np.ndarray]) -> str:
    """Return the SHA-256 of arrays in their order: of each "NAME DTYPE SHAPE" and a newline, then its bytes."""
    digest = hashlib.sha256()
    for name, column in columns.items():
        digest.update(_head(name, column))
        for block in _blocks(column):
            digest.update(block)
    return digest.hexdigest()


def map_columns(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return what format.json says, and the arrays, read-only and mapped, in the file's order.

    Raises:
        OSError: if the file cannot be opened.
        ValueError: if it is no such file; the text names the file.
    """
    with open(path, "rb") as file:
        try:
            members = _members(file)
            memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            places = {member.filename: _place(memory, member) for member in members}
            if len(places) < len(members):
                raise ValueError("two members have the same name")
            if META not in places:
                raise ValueError(f"there is no {META} in it")
            meta = _meta(memory, *places.pop(META))
            return meta, {_column_name(name): _array(memory, name, *place) for name, place in places.items()}
        except ValueError as error:
            raise ValueError(f"{os.fsdecode(path)}: {error}") from None


def _head(name: str, column: np.ndarray) -> bytes:
    return f"{name} {column.dtype.str} {'x'.join(map(str, column.shape))}\n".encode("ascii")


def _blocks(column: np.ndarray) -> Iterator[memoryview]:
    """Return the bytes of an array in C order, some at a time."""
    rows = max(1, BLOCK * len(column) // max(1, column.nbytes))
    for start in range(0, len(column), rows):
        yield np.ascontiguousarray(column[start : start + rows]).reshape(-1).view(np.uint8).data


def _new_member(archive: zipfile.ZipFile, file: BinaryIO, name: str, size: int) -> Any:
    """Open a member to write to, whose content begins at a multiple of ALIGNMENT."""
    is_long = size >= LONG_MEMBER
    info = zipfile.ZipInfo(name, FIXED_TIME)
    info.create_system, info.external_attr = UNIX, 0o644 << 16
    start = file.tell() + LOCAL_SIZE + len(name) + LONG_FIELD * is_long + PADDING.size
    padding = -start % ALIGNMENT
    info.extra = PADDING.pack(PADDING_ID, padding) + bytes(padding)
    return archive.open(info, "w", force_zip64=is_long)


def _members(file: BinaryIO) -> list[zipfile.ZipInfo]:
    try:
        with zipfile.ZipFile(file) as archive:
            return archive.infolist()
    except Exception as error:  # of many kinds, as broken archives have many
        raise ValueError(f"not a zip archive, or cut short ({error})") from None


def _place(memory: mmap.mmap, member: zipfile.ZipInfo) -> tuple[int, int]:
    """Return where the content of a member begins and ends."""
    start, name = member.header_offset, member.filename
    if not 0 <= start <= len(memory) - LOCAL_SIZE:
        raise ValueError(f"cut short: {name!r} would lie outside")
    signature, *lengths = LOCAL_HEADER.unpack(memory[start : start + LOCAL_SIZE])
    begin = start + LOCAL_SIZE + sum(lengths)
    if signature != b"PK\3\4" or begin + member.file_size > len(memory):
        raise ValueError(f"damaged or cut short at {name!r}")
    if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1 or member.compress_size != member.file_size:
        raise ValueError(f"{name!r} is compressed or encrypted; members are stored as they are")
    return begin, begin + member.file_size


def _meta(memory: mmap.mmap, begin: int, end: int) -> dict[str, Any]:
    if end - begin > MOST_META:
        raise ValueError(f"{META} is larger than {MOST_META:,} bytes")
    try:
        meta = json.loads(memory[begin:end])
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{META} is not JSON ({error})") from None
    if not isinstance(meta, dict):
        raise ValueError(f"{META} holds no JSON object")
    return meta


def _column_name(name: str) -> str:
    if not name.endswith(".npy"):
        raise ValueError(f"{name!r} is not a column; those end in .npy")
    return name.removesuffix(".npy")


def _array(memory: mmap.mmap, name: str, begin: int, end: int) -> np.ndarray:
    """Return the array of a member that lies at [begin, end), read-only and mapped."""
    stream = io.BytesIO(memory[begin : min(end, begin + MOST_HEADER)])
    try:
        if npy.read_magic(stream) != (1, 0):
            raise ValueError("it is not of version 1.0")
        shape, is_fortran, dtype = npy.read_array_header_1_0(stream)
    except Exception as error:  # of many kinds, as broken headers have many
        raise ValueError(f"{name!r} has no header of a .npy file ({error})") from None
    if dtype.kind not in "biuf" or dtype.shape or is_fortran:
        raise ValueError(f"{name!r} holds {dtype}; columns are plain numbers in C order")
    if any(isinstance(length, bool) or length < 0 for length in shape):
        raise ValueError(f"{name!r} has the shape {shape}")
    begin += stream.tell()
    if prod(shape) * dtype.itemsize != end - begin:
        raise ValueError(f"{name!r} holds {end - begin:,} bytes, which are no {dtype}{list(shape)}")
    if begin == end:
        return np.zeros(shape, dtype)
    return np.frombuffer(memory, dtype, prod(shape), begin).reshape(shape)
