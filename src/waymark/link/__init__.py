"""Messages between two of our own processes: framing over a socket pair, and cutting into batches."""

from waymark.link.batches import batches
from waymark.link.link import MAX_FRAME_BYTES, FrameTooLarge, Link, LinkBroken

__all__ = ["MAX_FRAME_BYTES", "FrameTooLarge", "Link", "LinkBroken", "batches"]
