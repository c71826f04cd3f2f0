"""The web process, but it says which process answers, and dies by SIGKILL between commit and reply when it is asked to."""

import os
import signal
from typing import Any

from api.app import create_app


def make() -> Any:
    """For `uvicorn --factory`."""
    app = create_app()

    async def mortal(scope: Any, receive: Any, send: Any) -> None:
        dies = any(name == b"x-die" for name, _ in scope.get("headers", ()))

        async def tell(message: Any) -> None:
            if message["type"] == "http.response.start":
                if dies:
                    os.kill(os.getpid(), signal.SIGKILL)
                message["headers"] = [*message["headers"], (b"x-process", str(os.getpid()).encode())]
            await send(message)

        await app(scope, receive, tell if scope["type"] == "http" else send)

    return mortal
