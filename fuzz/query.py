"""The query string of every endpoint."""

from starlette.datastructures import QueryParams

from app.api.routes import route_queries
from app.request.error import InvalidRequest
from app.request.query import Query
from app.request.schemas import GenerateQuery
from app.server.plain_request import plain_request

MESSAGE_LIMIT = 2_000  # characters: an answer does not grow with the request
QUERIES = tuple(route_queries().values())


def seeds() -> list[bytes]:
    """Valid queries of each kind."""
    return [
        b"digits=2018&seed=7&rows=3&variation=0.2&temperature=0.8&spacing=tight&gap=-4&scale=4",
        b"digits=0&ink=1a237e&paper=transparent&format=svg&model=0123456789abcdef&style=abc_-=",
        b"from=2018&to=2019&frames=24&fps=12&walk=0.5&format=gif",
        b"digit=7&cells=11&span=2&style=AAAA",
        b"count=1000&length=4&format=zip&seed=4294967295",
        b"digits=%32%30&seed=1;x=2&label=7&&=&a",
    ]


def try_bytes(data: bytes) -> None:
    """A query is refused with `InvalidRequest`, or its canonical spelling asks for the same."""
    values = dict(QueryParams(data.decode("latin-1")))
    for kind in QUERIES:
        query = _parsed(kind, values)
        if query is not None:
            again = _parsed(kind, dict(QueryParams(query.canonical())))
            if again is None or again.canonical() != query.canonical():
                raise AssertionError(query)
    _try_fast_path(data)


def _parsed(kind: type[Query], values: dict[str, str]) -> Query | None:
    try:
        return kind.model_validate(values)
    except InvalidRequest as error:
        if len(str(error)) > MESSAGE_LIMIT:
            raise AssertionError(str(error)) from error
        return None


def _try_fast_path(data: bytes) -> None:
    """The fast path reads a query as the ordinary route does, or leaves it to that."""
    fast = plain_request(b"GET /generate?" + data + b" HTTP/1.1\r\nHost: a\r\n\r\n")
    if fast is not None:
        ordinary = GenerateQuery.model_validate(dict(QueryParams(data.decode("latin-1"))))
        if fast.query != ordinary:
            raise AssertionError(fast)
