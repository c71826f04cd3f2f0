"""Opaque stream cursors: a version byte, the epoch of the database and a position, in base64url."""

from __future__ import annotations

import base64
import binascii
import struct
from typing import NamedTuple

from graphql import GraphQLError

_VERSION = 1
_FORMAT = struct.Struct(">BIQ")


class Cursor(NamedTuple):
    """`epoch` changes when a database is restored; `position` is the global order of events."""

    epoch: int
    position: int


def encode_cursor(epoch: int, position: int) -> str:
    return base64.urlsafe_b64encode(_FORMAT.pack(_VERSION, epoch, position)).rstrip(b"=").decode()


def decode_cursor(text: str) -> Cursor:
    """The cursor behind `text`; raises a BAD_USER_INPUT GraphQLError when it is none of ours."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        version, epoch, position = _FORMAT.unpack(raw)
        if version != _VERSION or position > 2**63 - 1:
            raise ValueError("unknown version")
    except (ValueError, struct.error, binascii.Error, UnicodeEncodeError) as error:
        raise GraphQLError(
            "The cursor is malformed; use one that an event of this API carried.",
            extensions={"code": "BAD_USER_INPUT", "argument": "after"},
        ) from error
    return Cursor(epoch, position)
