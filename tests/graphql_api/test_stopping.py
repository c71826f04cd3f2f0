"""A process that is told to stop ends its streams before its server closes what is left with codes of its own."""

import asyncio
import json
import logging
import os
import signal

import pytest

from api import app
from core.settings import Settings

pytestmark = pytest.mark.anyio


async def heard(told: list[str], count: int) -> None:
    async with asyncio.timeout(30):
        while len(told) < count:
            await asyncio.sleep(0.01)


async def test_streams_end_before_the_server_hears_of_the_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    before = signal.signal(signal.SIGTERM, lambda *_: told.append("server"))
    open_streams = 2
    monkeypatch.setattr(app, "DRAIN_SECONDS", 600.0)
    try:
        undo = app._on_stop(lambda: told.append("drain"), lambda: open_streams == 0)
        os.kill(os.getpid(), signal.SIGTERM)
        await heard(told, 1)
        await asyncio.sleep(0.1)  # whatever would come too early has time to
        assert told == ["drain"]
        open_streams = 0
        await heard(told, 2)
        assert told == ["drain", "server"]
        os.kill(os.getpid(), signal.SIGTERM)  # a second signal does not wait
        await asyncio.sleep(0)
        assert told == ["drain", "server", "server"]
        undo()
        told.clear()
        monkeypatch.setattr(app, "DRAIN_SECONDS", 0.05)
        open_streams = 1
        undo = app._on_stop(lambda: told.append("drain"), lambda: open_streams == 0)
        os.kill(os.getpid(), signal.SIGTERM)
        await heard(told, 2)
        assert told == ["drain", "server"]  # a stream that does not end holds nobody up
        undo()
    finally:
        signal.signal(signal.SIGTERM, before)


def test_lines_of_the_server_are_json_too(capfd: pytest.CaptureFixture[str]) -> None:
    app.configure_logging(Settings(env="test"))
    server = logging.getLogger("uvicorn.error")
    server.setLevel(logging.INFO)
    server.info('%s - "WebSocket %s" [accepted]', "127.0.0.1", "/graphql")
    server.info("connection open")
    try:
        raise OSError("password=hunter2")
    except OSError:
        server.exception("Exception in %s", "application")
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [(line["event"], line["level"], line["error"]) for line in lines] == [
        ("Exception in application", "error", "OSError")
    ]
