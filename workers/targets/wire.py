"""Frames on the channel to a guest; guest/src/wire.h is the other side.

A frame is a header of 20 bytes and a payload, all little-endian. Its checksum is over both.
"""

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum

from workers.targets.errors import ChannelError

MAGIC = 0x5A464D4D
VERSION = 1
MOST_BYTES = 1 << 20
_HEADER = struct.Struct("<IBBHII")
_CHECKSUM = struct.Struct("<I")
HEADER_BYTES = _HEADER.size + _CHECKSUM.size


class Kind(IntEnum):
    """What a frame is for."""

    PING = 1
    RUN = 2
    EXECUTE = 3
    READY = 0x81
    PONG = 0x82
    TRACE = 0x83
    EXECUTED = 0x84
    ERROR = 0x85


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame; `sequence` is the host's number, an answer carries that of its question."""

    kind: Kind
    sequence: int
    payload: bytes


def encode_frame(frame: Frame) -> bytes:
    """The bytes of a frame. ChannelError for a payload that is too long."""
    if len(frame.payload) > MOST_BYTES:
        raise ChannelError(f"a frame of {len(frame.payload)} bytes; the longest has {MOST_BYTES}")
    header = _HEADER.pack(MAGIC, VERSION, frame.kind, 0, frame.sequence, len(frame.payload))
    return header + _CHECKSUM.pack(zlib.crc32(header + frame.payload)) + frame.payload


class FrameReader:
    """Makes frames of bytes as they come, in pieces of any size. ChannelError for what can be no frame."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def add(self, data: bytes) -> None:
        """Take what came."""
        self._bytes += data

    def take(self) -> Frame | None:
        """The next whole frame, None while it is not there yet."""
        if len(self._bytes) < HEADER_BYTES:
            return None
        magic, version, kind, _, sequence, length = _HEADER.unpack_from(self._bytes)
        if magic != MAGIC:
            raise ChannelError(f"the guest sent {bytes(self._bytes[:8])!r} where a frame starts")
        if version != VERSION:
            raise ChannelError(f"the guest sent a frame of version {version}; this mmfuzz reads {VERSION}")
        if length > MOST_BYTES:
            raise ChannelError(f"the guest sent a frame of {length} bytes; the longest has {MOST_BYTES}")
        if kind not in set(Kind):
            raise ChannelError(f"the guest sent a frame of kind {kind}, which there is not")
        if len(self._bytes) < HEADER_BYTES + length:
            return None
        payload = bytes(self._bytes[HEADER_BYTES : HEADER_BYTES + length])
        (checksum,) = _CHECKSUM.unpack_from(self._bytes, _HEADER.size)
        if zlib.crc32(bytes(self._bytes[: _HEADER.size]) + payload) != checksum:
            raise ChannelError("the guest sent a frame with a wrong checksum")
        del self._bytes[: HEADER_BYTES + length]
        return Frame(Kind(kind), sequence, payload)
