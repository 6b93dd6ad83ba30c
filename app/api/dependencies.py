"""What routes depend on: the service, a key where keys are set, parameters given once."""

from collections.abc import Callable, Coroutine
from typing import Annotated, TypeVar
from urllib.parse import parse_qsl

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from app.api.keys import Unauthorized
from app.api.service import Service
from app.request.error import invalid
from app.request.query import Query

AnyQuery = TypeVar("AnyQuery", bound=Query)
ASKED = "asked_query"  # an attribute of the dependency: the query that it checks

api_key = APIKeyHeader(name="X-API-Key", scheme_name="apiKey", auto_error=False)
bearer = HTTPBearer(scheme_name="bearer", description="The key as a token.", auto_error=False)


async def get_service(request: Request) -> Service:
    """The service; a coroutine, because FastAPI runs plain functions on a thread."""
    service: Service = request.app.state.service
    return service


ServiceDep = Annotated[Service, Depends(get_service)]


async def require_key(
    request: Request,
    service: ServiceDep,
    _key: Annotated[str | None, Security(api_key)],
    _token: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)],
) -> None:
    """Check the key of a request. The two schemes describe it in the OpenAPI document.

    Raises:
        Unauthorized: keys are set, and the request has none of them.
    """
    if not service.keys.admits(request.scope["headers"]):
        raise Unauthorized


def asked(base: type[AnyQuery]) -> Callable[..., Coroutine[None, None, AnyQuery]]:
    """The dependency that checks the query string by what the model that draws can write.

    The framework can only check queries that never change, and would take the last of a parameter
    that is given twice.

    Args:
        base: the query for models of the ten digits.
    """

    async def checked(request: Request, service: ServiceDep) -> AnyQuery:
        query = service.renderer.queries.of(base)
        return query.model_validate(_parameters(request, query))

    setattr(checked, ASKED, base)  # for the OpenAPI document
    return checked


def _parameters(request: Request, query: type[Query]) -> dict[str, str]:
    """The parameters of a request.

    Raises:
        InvalidRequest: one is given twice; it is named, if it is one of the query's.
    """
    text = request.scope["query_string"].decode("latin-1")
    found: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, errors="replace"):
        if name in found:
            raise invalid(name if name in query.names() else "query", "is given twice")
        found[name] = value
    return found
