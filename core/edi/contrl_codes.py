"""The words of CONTRL: actions (list 0083) and errors (list 0085) in short plain English of our own."""

from __future__ import annotations

REJECTED, ACKNOWLEDGED, RECEIVED = "4", "7", "8"

ERRORS = {
    "2": "syntax version or level not supported",
    "7": "not meant for this recipient",
    "12": "invalid value",
    "13": "missing",
    "14": "value not supported here",
    "15": "not supported here",
    "16": "too many parts",
    "17": "no agreement",
    "18": "unspecified error",
    "19": "wrong decimal mark",
    "20": "character cannot be a service mark",
    "21": "invalid character",
    "22": "invalid service mark",
    "23": "unknown sender",
    "24": "too old",
    "25": "test indicator not supported",
    "26": "duplicate",
    "27": "security function not supported",
    "28": "references do not match",
    "29": "count does not match",
    "30": "groups and messages mixed",
    "31": "more than one message type in a group",
    "32": "empty",
    "33": "stands outside of a message",
    "34": "nesting not allowed",
    "35": "too many repetitions",
    "36": "too many repetitions of a group of segments",
    "37": "wrong type of character",
    "38": "digit missing before the decimal mark",
    "39": "too long",
    "40": "too short",
    "41": "permanent communication error",
    "42": "temporary communication error",
    "43": "unknown recipient",
    "45": "separator at the end",
    "46": "character set not supported",
}
