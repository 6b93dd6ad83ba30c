import asyncio
from dataclasses import replace

import pytest
from starlette.types import Message

from app.api.keys import KeyRing
from app.api.service import Service
from app.drawing.renderer import Order, open_renderer
from app.request.error import InvalidRequest
from app.request.schemas import GenerateQuery
from app.settings import Settings
from app.telemetry.counters import Counters
from model.checkpoint import PRETRAINED


@pytest.fixture(scope="module")
def service() -> Service:
    service = Service(Settings(), Counters())
    service.use(open_renderer(PRETRAINED, "onnx", "int8"), KeyRing())
    return service


def order(digits: str, **others: str) -> Order:
    return Order(GenerateQuery.model_validate({"digits": digits, **others}), seed=7)


async def stays() -> Message:
    await asyncio.sleep(60)
    return {"type": "http.disconnect"}


def test_bad_style_fails_its_own_request_and_none_of_its_batch(service: Service) -> None:
    async def scene() -> list[bytes | BaseException]:
        orders = [order("1"), order("2", style="AAAAAAAA"), order("3")]
        drawings = [service.draw(one, stays) for one in orders]
        return await asyncio.gather(*drawings, return_exceptions=True)

    first, bad, third = asyncio.run(scene())
    assert isinstance(bad, InvalidRequest)
    assert [first, third] == service.renderer.render([order("1"), order("3")])


def test_drawing_that_waits_during_a_reload_is_drawn_with_its_own_model(service: Service) -> None:
    other = replace(service.renderer, precision="float")

    def blank(*_: object) -> list[bytes]:
        return [b"of the new model"]

    async def scene() -> bytes:
        waiting = asyncio.ensure_future(service.draw(order("1"), stays))
        await asyncio.sleep(0)
        service.use(other, KeyRing())
        return await waiting

    before = service.renderer
    object.__setattr__(other, "render", blank)
    try:
        assert asyncio.run(scene()) == before.render([order("1")])[0]
    finally:
        service.use(before, KeyRing())
