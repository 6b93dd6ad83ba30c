"""Which request waits, which is refused, which thread does heavy work. Knows no HTTP."""

from app.request.error import Reason, RequestError

RETRY_AFTER_S = 1


class Overloaded(RequestError):
    """There is more work than the service can do; the client should come back later."""

    def __init__(self) -> None:
        super().__init__(
            Reason.OVERLOADED, f"The service is overloaded; retry in {RETRY_AFTER_S} s."
        )


class ClientGone(RequestError):
    """The client closed its connection, so the answer has no receiver."""

    def __init__(self) -> None:
        super().__init__(Reason.CLIENT_GONE, "The client closed its connection.")
