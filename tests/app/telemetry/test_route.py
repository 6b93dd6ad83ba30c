import pytest
from fastapi.routing import iter_route_contexts

from app.api.routes import route_paths
from app.main import create_app
from app.settings import Settings
from app.telemetry.route import OTHER, RouteNames


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/generate", "/generate"),
        ("/generate/", "/generate"),
        ("/generate/x/y", "/generate"),
        ("/docs-assets/swagger-ui.css", "/docs-assets"),
        ("/page/page.css", "/page"),
        ("/", "/"),
        ("", "/"),
        ("//", "/"),
        ("/generateX", OTHER),
        ("/Generate", OTHER),
        ("/wp-admin/setup.php", OTHER),
        (OTHER, OTHER),
    ],
)
def test_name_of_a_path(path: str, name: str) -> None:
    routes = RouteNames(["/generate", "/docs-assets", "/page/{name}", "/"])
    assert routes.find(path) == (routes.names.index(name), name)


def test_every_address_of_the_application_has_a_name() -> None:
    names = RouteNames(route_paths())
    paths = {str(route.path) for route in iter_route_contexts(create_app(Settings()).routes)}
    assert {"/", "/generate", "/metrics", "/docs-assets"} <= paths
    assert [path for path in paths if names.find(path) == (0, OTHER)] == []
