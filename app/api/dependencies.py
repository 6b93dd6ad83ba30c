"""What routes depend on: the service, a key where keys are set, parameters given once."""

from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from app.api.keys import Unauthorized
from app.api.service import Service, service_of
from app.request import schemas
from app.request.dataset import DatasetQuery
from app.request.error import invalid

QUERIES = (
    schemas.GenerateQuery,
    schemas.RestyleQuery,
    schemas.MorphQuery,
    schemas.LatentMapQuery,
    DatasetQuery,
)
NAMES = {name for query in QUERIES for name in query.names()}

api_key = APIKeyHeader(name="X-API-Key", scheme_name="apiKey", auto_error=False)
bearer = HTTPBearer(scheme_name="bearer", description="The key as a token.", auto_error=False)


async def get_service(request: Request) -> Service:
    """The service; a coroutine, because FastAPI runs plain functions on a thread."""
    return service_of(request)


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


async def refuse_repeated(request: Request) -> None:
    """Refuse a parameter that is given twice, of which the framework would take the last.

    Raises:
        InvalidRequest: names it, if it is one of ours.
    """
    seen = set()
    text = request.scope["query_string"].decode("latin-1")
    for name, _ in parse_qsl(text, keep_blank_values=True, errors="replace"):
        if name in seen:
            raise invalid(name if name in NAMES else "query", "is given twice")
        seen.add(name)
