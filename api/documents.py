"""Documents known by name: a manifest of trusted ones, and hashes that development clients register (APQ)."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from graphql import GraphQLError

from core.errors import ConfigurationError

MAX_REGISTERED = 1_000
MAX_CHARACTERS = 8_000
_OPERATION = re.compile(r"(?:query|mutation|subscription)\s+([_A-Za-z]\w*)")


def _not_found() -> GraphQLError:
    return GraphQLError("PersistedQueryNotFound", extensions={"code": "PERSISTED_QUERY_NOT_FOUND"})


def _not_supported() -> GraphQLError:
    return GraphQLError("PersistedQueryNotSupported", extensions={"code": "PERSISTED_QUERY_NOT_SUPPORTED"})


def read_manifest(file: Path) -> dict[str, str]:
    """Texts by id from a JSON file: an object of id and text, as relay-compiler and persisted-query tools write it.

    Apollo's manifest (`operations` with `id` and `body`) is understood too. Raises ConfigurationError.
    """
    try:
        given = msgspec.json.decode(file.read_bytes())
        if isinstance(given, dict) and isinstance(given.get("operations"), list):
            given = {entry["id"]: entry["body"] for entry in given["operations"]}
        return msgspec.convert(given, dict[str, str])
    except (OSError, msgspec.DecodeError, msgspec.ValidationError, KeyError, TypeError) as error:
        raise ConfigurationError(f"TRUSTED_DOCUMENTS: {file} is no manifest of documents: {error}") from error


class Documents:
    """Finds the text of a request. With `only_trusted` nothing outside the manifest is executed."""

    def __init__(
        self, manifest: Mapping[str, str] | None = None, *, only_trusted: bool = False, registers: bool = False
    ) -> None:
        self._manifest = dict(manifest or {})
        self._texts = set(self._manifest.values())
        self._only_trusted = only_trusted
        self._registers = registers
        self._registered: OrderedDict[str, str] = OrderedDict()

    @property
    def operations(self) -> frozenset[str]:
        """Names of the operations in the manifest."""
        found = (match.group(1) for text in self._texts for match in _OPERATION.finditer(text))
        return frozenset(islice(found, MAX_REGISTERED))

    def text_of(self, query: str | None, document_id: str | None, extensions: Mapping[str, Any]) -> str:
        """The document to execute.

        Raises PERSISTED_QUERY_NOT_FOUND for an unknown id or hash, PERSISTED_QUERY_NOT_SUPPORTED for any hash where
        there are neither trusted documents nor registered ones, FORBIDDEN for a text outside the manifest in
        allow-list mode, BAD_USER_INPUT for a hash that is not that of the text.
        """
        if document_id is not None:
            text = self._manifest.get(document_id.removeprefix("sha256:")) or self._manifest.get(document_id)
            if text is None:
                raise _not_found()
            return text
        persisted = extensions.get("persistedQuery")
        if isinstance(persisted, dict):
            return self._persisted(query, str(persisted.get("sha256Hash") or ""))
        return self._allowed(query or "")

    def _allowed(self, text: str) -> str:
        if self._only_trusted and text not in self._texts:
            raise GraphQLError("Only trusted documents are executed here.", extensions={"code": "FORBIDDEN"})
        return text

    def _persisted(self, query: str | None, digest: str) -> str:
        if query is None:
            text = self._manifest.get(digest) or self._registered.get(digest)
            if text is None:  # who is told that there is no use stops asking twice each time
                raise _not_found() if self._registers or self._manifest else _not_supported()
            return text
        if hashlib.sha256(query.encode()).hexdigest() != digest:
            raise GraphQLError("The hash is not that of the document.", extensions={"code": "BAD_USER_INPUT"})
        if self._registers and len(query) <= MAX_CHARACTERS:
            self._registered[digest] = query
            if len(self._registered) > MAX_REGISTERED:
                self._registered.popitem(last=False)
        return self._allowed(query)
