"""The route of a request: the name under which it is counted, logged and traced."""

from collections.abc import Iterable

OTHER = "other"  # every unknown address: a client must not be able to add names
PROBES = frozenset({"/livez", "/metrics", "/readyz"})


class RouteNames:
    """The names of an application's routes, by index: 0 stands for every unknown address."""

    def __init__(self, paths: Iterable[str]) -> None:
        """The first segment of each path is a name: `/page/{name}` is counted as `/page`.

        Args:
            paths: of the routes.
        """
        self.names = (OTHER, *sorted({_top(path) for path in paths}))
        self._found = {name: (index, name) for index, name in enumerate(self.names)}

    def find(self, path: str) -> tuple[int, str]:
        """The index and the name of the route of a requested path."""
        found = self._found.get(path)
        return self._found.get(_top(path), (0, OTHER)) if found is None else found


def _top(path: str) -> str:
    return "/" + path[1:].partition("/")[0]
