"""The live side of the API: one reader of the event stream per process, bounded buffers, resume without loss."""

from api.live.cursor import Cursor, decode_cursor, encode_cursor
from api.live.event import LiveEvent, LiveFilter
from api.live.hub import LiveHub
from api.live.sharing import ReadsUnderWay, SharedRead, once
from api.live.subscription import StreamsClosing, Subscription

__all__ = [
    "Cursor",
    "LiveEvent",
    "LiveFilter",
    "LiveHub",
    "ReadsUnderWay",
    "SharedRead",
    "StreamsClosing",
    "Subscription",
    "decode_cursor",
    "encode_cursor",
    "once",
]
