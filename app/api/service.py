"""What all requests of a worker share, as one typed object in `app.state.service`."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from starlette.types import Receive

from app.api.caching import IMMUTABLE, REVALIDATED
from app.api.keys import KeyRing
from app.drawing.renderer import Order, Renderer, is_light
from app.overload import Overloaded
from app.overload.batcher import MicroBatcher
from app.overload.limit import Limit
from app.overload.memory import UploadMemory
from app.overload.pool import BoundedPool
from app.overload.unsent import UnsentBytes
from app.request.error import invalid
from app.request.query import Query
from app.settings import Settings
from app.site.file import PageFile
from app.telemetry.counters import Counters
from app.telemetry.log import AccessLog

if TYPE_CHECKING:  # the start does not need it
    from app.telemetry.prometheus import Scrapes

P = ParamSpec("P")
T = TypeVar("T")

UPLOAD_BYTES = 5 * 2**22  # of all uploads that arrive or are read


@dataclass
class Service:
    """The state of a worker.

    `use` sets renderer, keys and batcher at the start, and again at each reload.
    """

    settings: Settings
    counters: Counters
    access_log: AccessLog | None = None
    renderer: Renderer = field(init=False)
    writes_digits: bool = field(init=False)  # the fast path knows no other alphabet
    keys: KeyRing = field(init=False)
    batcher: MicroBatcher[Order, bytes] = field(init=False)
    # The page's files, which may still be built, and for which renderer they are.
    page: tuple[Renderer, asyncio.Task[dict[str, PageFile]]] | None = None
    scrapes: "Scrapes | None" = None  # made by the first request of the metrics
    draining: bool = False  # the process will end soon: not ready, but requests are answered

    def __post_init__(self) -> None:
        settings = self.settings
        self.pool = BoundedPool(settings.heavy_threads, settings.heavy_queue, self.counters.queue)
        # One at a time, because each may take as much memory as its limits allow.
        self.readers = BoundedPool(threads=1, queue=settings.heavy_queue)
        self.upload_memory = UploadMemory(max(UPLOAD_BYTES, settings.max_upload_bytes))
        self.limit = Limit(settings.backlog, self._room)
        self.unsent = UnsentBytes(settings.max_unsent_bytes)

    def use(self, renderer: Renderer, keys: KeyRing) -> None:
        """Draw with a model, for those who have one of the keys, from now on.

        What waits in the old batcher is still drawn with the old model, as its ETag says.
        """
        self.renderer, self.keys = renderer, keys
        self.writes_digits = renderer.alphabet.kind == "digits"
        self.batcher = MicroBatcher(renderer.render, _digits)
        model, engine, precision = renderer.identity
        self.counters.describe(model=model, engine=engine, precision=precision)

    def _room(self) -> int:
        return self.batcher.room()

    def enter(self) -> asyncio.Future[None] | None:
        """Admit a request, see `Limit.enter`.

        Raises:
            Overloaded: too many requests wait, or too many bytes are unsent.
        """
        if self.unsent.full:
            raise Overloaded
        return self.limit.enter()

    @property
    def cache_scope(self) -> str:
        """Which caches may keep an answer: with keys set, only that of the client itself."""
        return "private" if self.keys else "public"

    def cache_control(self, query: Query) -> str:
        """How long the answer to a query may be kept, if it has one answer; see `caching`."""
        lifetime = REVALIDATED if query.asked_model is None else IMMUTABLE
        return f"{self.cache_scope}, {lifetime}"

    def check(self, query: Query) -> None:
        """Check a query against the operator's limit and the model that draws.

        Raises:
            InvalidRequest: it asks for too many pixels, for another model, or for the hand of
                another model; or the model was replaced by one of another alphabet after the
                query had been checked.
        """
        own = self.renderer.queries.generate
        if (query.alphabet, query.cell) != (own.alphabet, own.cell):
            raise invalid(
                "query", "was for a model that has just been replaced by another; ask again"
            )
        query.check_pixels(self.settings.max_pixels)
        query.check_model(self.renderer.model_hash)
        self.renderer.style_noise(query.asked_style)

    async def draw(self, order: Order, receive: Receive) -> bytes:
        """The file of a drawing: light ones in the next micro-batch, heavy ones on a thread.

        Args:
            order: what to draw.
            receive: of the ASGI request, whose body has been read.
        Raises:
            InvalidRequest: the style token does not belong to the model.
            Overloaded: too many heavy drawings wait, or too many bytes are unsent.
            ClientGone: the client left before a heavy drawing was done.
        """
        if is_light(order.query):
            return await self.batcher.result(order)
        return (await self.run(receive, order.query, self.renderer.render, [order]))[0]

    async def run(
        self,
        receive: Receive,
        query: Query,
        work: Callable[P, T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """The result of heavy work, see `BoundedPool.run`, with room for the answer to a query.

        Raises:
            Overloaded: too many heavy drawings wait, or too many bytes are unsent.
            ClientGone: the client left before the work was done.
        """
        with self.unsent.expected(query.pixels):
            return await self.pool.run(_disconnected(receive), work, *args, **kwargs)

    async def read(
        self, receive: Receive, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The result of reading an upload, see `BoundedPool.run`; one is read at a time."""
        return await self.readers.run(_disconnected(receive), work, *args, **kwargs)

    def close(self) -> None:
        """Drop all work that waits for a thread."""
        self.pool.close()
        self.readers.close()


def _digits(order: Order) -> int:
    return order.query.count


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
