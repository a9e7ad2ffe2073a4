"""mongodb: collections of documents, through MongoDB's own client library.

Source: mongodb_table(5).
"""

from __future__ import annotations

import os

from pyfix.tables.notice import warn
from pyfix.tables.queried import QueriedTable
from pyfix.tables.sql import library_missing
from pyfix.tables.table import Opening, TableError, fail_query
from pyfix.tables.template import Template

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Final

_LIMITS: Final = {"serverSelectionTimeoutMS": 5000, "timeoutMS": 10000}
"""Milliseconds: the library's own limits are half a minute, and none, where the URI says nothing."""


class MongodbTable(QueriedTable):
    """``mongodb:/file.cf``: the values of fields of the documents that a query finds."""

    kind = "mongodb"

    __slots__ = ("_client", "_collection", "_database", "_filter", "_owner", "_projection", "_uri")

    def __init__(self, name: str, opening: Opening) -> None:
        try:
            import bson.json_util  # noqa: F401  # all that lookups need: there may be a jail around them
            import pymongo
        except ImportError:
            raise library_missing(self.kind, "mongodb") from None
        super().__init__(name, opening)
        needed, text = self.parameters.needed, self.parameters.text
        self._uri: Final = needed("uri")
        self._database: Final = needed("dbname")
        self._collection: Final = needed("collection")
        self._filter: Final = Template(needed("query_filter"), self.parameters.name)
        self._projection: Final = self._wanted(text("projection"), text("result_attribute"))
        self.read_result_parameters()
        self._client: Any = None
        self._owner = 0
        try:
            if not self._uri.startswith(("mongodb://", "mongodb+srv://")):
                raise ValueError(f'"{self._uri}" does not begin with mongodb:// or mongodb+srv://')
            self._connected()
        except (pymongo.errors.PyMongoError, ValueError) as error:
            raise TableError(f"{self.name}: uri: {error}") from None

    def _wanted(self, projection: str, attributes: str) -> dict[str, Any]:
        """Return the projection of a search.  Raises TableError."""
        if projection and attributes:
            raise TableError(f"{self.name}: projection and result_attribute are both set; one must be empty")
        if not projection:
            return {"_id": 0, **dict.fromkeys(attributes.replace(",", " ").split(), 1)}
        try:
            parsed = _document(projection)
        except ValueError as error:
            raise TableError(f"{self.name}: projection: {error}") from None
        return {**parsed, "_id": 0}

    def _connected(self) -> Any:
        """Return the client, whose threads connect meanwhile; a child of ours has one of its own.

        They start when the table is opened: later they might start with a recipient's rights.
        """
        if self._client is None or self._owner != os.getpid():
            from pymongo import MongoClient

            said = self._uri.lower()
            limits: dict[str, Any] = {name: value for name, value in _LIMITS.items() if name.lower() not in said}
            self._client = MongoClient(self._uri, **limits)
            self._owner = os.getpid()
        return self._client

    def query(self, key: str) -> str | None:
        """Search, and take the fields one after the other.  Raises TableError."""
        from pymongo.errors import PyMongoError

        words = self._filter.expand(key, quote=quote_json)
        if words is None:
            return None
        try:
            search = _document(words)
        except ValueError as error:
            warn(f"{self.name}: query_filter {words}: {error}")
            fail_query(self)
        try:
            collection = self._connected()[self._database][self._collection]
            found = list(collection.find(search, self._projection))
        except (PyMongoError, OSError) as error:
            warn(f"{self.name}: query failed: {error}")
            fail_query(self)
        values = (value for document in found for name, field in document.items() for value in self._texts(name, field))
        return self.joined(values, key, f"{self.name}: ")

    def _texts(self, name: str, field: object) -> Iterator[str]:
        """Yield the texts in a field: strings, whole numbers, and those in lists."""
        if isinstance(field, str):
            yield field.partition("\0")[0]
        elif isinstance(field, int) and not isinstance(field, bool):
            yield str(int(field))
        elif isinstance(field, list):
            for value in field:
                yield from self._texts(name, value)
        else:
            warn(f"{self.name}: field {name}: type {type(field).__name__} is ignored")

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None and self._owner == os.getpid():
            self._client.close()
        self._client = None


def quote_json(text: str) -> str:
    """Return *text* as it stands between quotes in JSON.  Source: RFC 8259 section 7."""
    from json import dumps

    return dumps(text)[1:-1]


def _document(text: str) -> dict[str, Any]:
    """Return the document that *text* is, in JSON with MongoDB's extensions.  Raises ValueError."""
    from bson import json_util
    from bson.errors import BSONError

    try:
        parsed = json_util.loads(text)
    except (TypeError, BSONError) as error:
        raise ValueError(str(error)) from None
    if not isinstance(parsed, dict):
        raise ValueError("this is no document")
    return parsed
