"""Tells files that are no EDI as a partner sends it, in plain words: web pages, JSON, UTF-16, EBCDIC."""

from __future__ import annotations

import re

from core.edi.interchanges import Fault, Level, Severity

_MARK = b"\xef\xbb\xbf"
_PADDING = b" \t\r\n\x00\x1a"
_MARKUP = re.compile(rb"<(!doctype|html|head|body|\?xml)\b", re.IGNORECASE)
_JSON = re.compile(rb'[{\[]\s*["{\[]')
_UTF16 = re.compile(rb"\xff\xfe|\xfe\xff|(?:I\x00S\x00A|U\x00N\x00[AB])\x00|\x00(?:I\x00S\x00A|U\x00N\x00[AB])")
# A header of either standard in ASCII, not within a text of JSON.
_HEADER = re.compile(rb'(?<![A-Za-z0-9"\\])(?:ISA([^A-Za-z0-9 \r\n"])..\1|UN[AB][^A-Za-z0-9 \r\n"])', re.DOTALL)
# ISA, UNA and UNB in EBCDIC; these letters are the same on all of its code pages.
_EBCDIC = (b"\xc9\xe2\xc1", b"\xe4\xd5\xc1", b"\xe4\xd5\xc2")


def foreign_fault(data: bytes) -> Fault | None:
    """Why none of `data` can be read; None where it may be EDI.

    What stands before a header may look like JSON or EBCDIC. A web page is refused with a header too: marks in a page
    (`&gt;`) can no longer be told from its own.
    """
    if _UTF16.match(data):
        return _refusal("utf16", "The file is UTF-16; EDI needs one byte for a mark. Send it as ASCII or UTF-8.")
    head = data[:4096].removeprefix(_MARK).lstrip(_PADDING)
    if head.startswith(_EBCDIC) and not _HEADER.search(data):
        return _refusal("ebcdic", "The file is EBCDIC: it has to be translated to ASCII on its way.")
    if _MARKUP.match(head):
        return _refusal("markup", "The file is a web page or XML, not an EDI file as a partner sends it.")
    if _JSON.match(head) and not _HEADER.search(data):
        return _refusal("json", "The file is JSON, not an EDI file as a partner sends it.")
    return None


def _refusal(code: str, message: str) -> Fault:
    return Fault(Level.FILE, Severity.ERROR, code, message, offset=0)
