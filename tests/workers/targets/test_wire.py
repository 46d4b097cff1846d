"""Frames on the channel to a guest."""

import pytest

from workers.targets.errors import ChannelError
from workers.targets.wire import HEADER_BYTES, MOST_BYTES, Frame, FrameReader, Kind, encode_frame

FRAME = Frame(Kind.PING, 7, b"payload")


def test_frames_come_out_as_they_went_in_whatever_the_pieces() -> None:
    reader = FrameReader()
    taken = []
    for byte in encode_frame(FRAME) + encode_frame(Frame(Kind.TRACE, 8, b"")):
        reader.add(bytes([byte]))
        while frame := reader.take():
            taken.append(frame)
    assert taken == [FRAME, Frame(Kind.TRACE, 8, b"")]


@pytest.mark.parametrize("place", range(HEADER_BYTES + len(FRAME.payload)))
def test_a_wrong_byte_anywhere_is_an_error_and_never_another_frame(place: int) -> None:
    data = bytearray(encode_frame(FRAME))
    data[place] ^= 0x40
    reader = FrameReader()
    reader.add(bytes(data))
    try:
        assert reader.take() is None, "a length that grew: the frame is waited for"
        assert 12 <= place < 16
    except ChannelError:
        pass


def test_a_payload_that_is_too_long_is_not_sent() -> None:
    with pytest.raises(ChannelError, match="longest"):
        encode_frame(Frame(Kind.RUN, 1, bytes(MOST_BYTES + 1)))
