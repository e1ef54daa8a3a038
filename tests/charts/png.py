"""Reads the pixels of a PNG with 8 bits a channel, so that a test can see a picture."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray


def pixels(data: bytes) -> NDArray[np.uint8]:
    """[height, width, 3 or 4]. Raises AssertionError for what is no such PNG."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    place, packed = 8, b""
    width = height = channels = 0
    while place < len(data):
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        body = data[place + 8 : place + 8 + length]
        assert zlib.crc32(kind + body) == struct.unpack(">I", data[place + 8 + length :][:4])[0]
        if kind == b"IHDR":
            width, height, depth, colour, *_ = struct.unpack(">IIBBBBB", body)
            assert depth == 8
            channels = {2: 3, 6: 4}[colour]
        elif kind == b"IDAT":
            packed += body
        place += 12 + length
    raw = np.frombuffer(zlib.decompress(packed), dtype=np.uint8).reshape(height, -1)
    assert raw.shape[1] == width * channels + 1
    return _unfiltered(raw[:, 1:], raw[:, 0], channels).reshape(height, width, channels)


def _unfiltered(
    rows: NDArray[np.uint8], filters: NDArray[np.uint8], size: int
) -> NDArray[np.uint8]:
    done = np.zeros((rows.shape[0] + 1, rows.shape[1] + size), dtype=np.uint8)
    for y, (row, kind) in enumerate(zip(rows, filters, strict=True), 1):
        if kind == 0:
            done[y, size:] = row
        elif kind == 2:
            done[y, size:] = row + done[y - 1, size:]
        else:
            for x in range(size, rows.shape[1] + size):
                left, up, corner = (
                    int(v) for v in (done[y, x - size], done[y - 1, x], done[y - 1, x - size])
                )
                guess = {1: left, 3: (left + up) // 2, 4: _paeth(left, up, corner)}[int(kind)]
                done[y, x] = (int(row[x - size]) + guess) % 256
    return done[1:, size:]


def _paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    return min((left, up, corner), key=lambda each: abs(guess - each))
