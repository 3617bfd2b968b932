"""From a URI on chain to a store.

The URI is a stranger's text: it chooses among the stores that are configured, and reaches no other host.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import httpx

from agent.delivery.blob_store import BlobStore
from agent.delivery.errors import UnknownStore
from agent.delivery.file_store import FileBlobStore
from agent.delivery.http_store import HttpBlobStore
from agent.protocol.units import BlobId

MAX_URI: Final = 256
"""Bytes; what the contracts store."""


class BlobStores:
    """The stores of one process by URI. A blob has no part in it: its digest stands on chain beside the URI."""

    def __init__(self, stores: Mapping[str, BlobStore]) -> None:
        self._stores = {uri.rstrip("/"): store for uri, store in stores.items()}

    def at(self, uri: bytes) -> BlobStore:
        """The store configured as `uri`.

        Raises:
            UnknownStore: none is.
        """
        text = uri[:MAX_URI].decode("utf-8", "replace").rstrip("/")
        store = self._stores.get(text)
        if store is None:
            raise UnknownStore(text, tuple(self._stores))
        return store

    async def fetch(self, uri: bytes, blob: BlobId, *, limit: int) -> bytes:
        """The content of `blob` out of the store at `uri`, checked.

        Raises:
            UnknownStore, BlobError: it cannot be had.
        """
        return await self.at(uri).fetch(blob, limit=limit)


def connect(uri: str, client: httpx.AsyncClient) -> BlobStore:
    """The store at a URI out of the operator's own configuration: `http://…`, `https://…` or `file:///directory`.

    Raises:
        ValueError: another scheme, or a relative directory.
    """
    parts = urlsplit(uri)
    if parts.scheme in {"http", "https"} and parts.hostname:
        return HttpBlobStore(uri, client)
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        return FileBlobStore(Path(unquote(parts.path)))
    raise ValueError(f"{uri!r} is no blob store: write http://host:port, https://host or file:///directory")
