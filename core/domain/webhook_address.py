"""Where a webhook may point, and which network addresses we never connect to."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from core.errors import InvalidInput

MAX_URL = 2_000

_REFUSED_4 = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; some clouds keep their metadata here
        "127.0.0.0/8",
        "168.63.129.16/32",  # a cloud's own platform service, though the address looks public
        "169.254.0.0/16",  # link-local, with the metadata service of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_GLOBAL_6 = ipaddress.ip_network("2000::/3")
"""All that is not in here is refused: loopback, mapped and translated IPv4, unique local, link-local, multicast."""
_REFUSED_6 = tuple(
    ipaddress.ip_network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo among them, which carries an IPv4 address
        "2001:db8::/32",
        "2002::/16",  # 6to4 carries one too
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)
_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*\.?", re.ASCII)
_LOCAL_ENDINGS = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "home.arpa", "onion")


@dataclass(frozen=True, slots=True)
class Target:
    """A webhook's address in parts; `host` is a name or an IP address without brackets."""

    scheme: str
    host: str
    port: int


def is_allowed_address(address: str, allow_loopback: bool = False) -> bool:
    """May we connect to this IP address: globally routed unicast, or loopback where a test asks for it.

    From the special-purpose registries of IANA; an IPv6 form of an IPv4 address is refused whatever it stands for.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        if allow_loopback and ip.is_loopback:
            return True
        return not any(ip in network for network in _REFUSED_4)
    if allow_loopback and ip == ipaddress.IPv6Address("::1"):
        return True
    if ip.scope_id is not None:
        return False
    return ip in _GLOBAL_6 and not any(ip in network for network in _REFUSED_6)


def check_webhook_url(url: str, allow_loopback: bool = False) -> Target:
    """The parts of an address that a webhook may have; what its name resolves to is judged anew at every connection.

    `https` always; `http` too where loopback is allowed. Raises InvalidInput.
    """

    def refuse(reason: str) -> InvalidInput:
        return InvalidInput(reason, path=("input", "url"), field="url", value=url[:200])

    if not 0 < len(url) <= MAX_URL or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise refuse(f"A webhook's URL has 1 to {MAX_URL} plain ASCII characters.")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as error:
        raise refuse("This is not a URL.") from error
    if parts.scheme not in (("https", "http") if allow_loopback else ("https",)):
        raise refuse("A webhook's URL begins with https://.")
    if "@" in parts.netloc:
        raise refuse("A webhook's URL carries no user name or password; check the signature instead.")
    if "#" in url:
        raise refuse("A webhook's URL carries no fragment.")
    if not host or port == 0:
        raise refuse("A webhook's URL names a host.")
    _check_host(host, "[" in parts.netloc, allow_loopback, refuse)
    return Target(parts.scheme, host, port or (443 if parts.scheme == "https" else 80))


def _check_host(host: str, is_bracketed: bool, allow_loopback: bool, refuse: Callable[[str], InvalidInput]) -> None:
    last = host.rstrip(".").rpartition(".")[2]
    if is_bracketed or last.isdigit() or last.startswith("0x"):
        # Anything that a resolver could read as a number must be an address in its ordinary form.
        if not is_allowed_address(host, allow_loopback):
            raise refuse(f"We deliver to public addresses only, not to {host}.")
        return
    if len(host) > 253 or not _HOST.fullmatch(host):
        raise refuse("The host of a webhook is a DNS name in ASCII (xn-- for others) or an IP address.")
    name = host.rstrip(".")
    if allow_loopback and name == "localhost":
        return
    if "." not in name or any(name == ending or name.endswith(f".{ending}") for ending in _LOCAL_ENDINGS):
        raise refuse(f"We deliver to public hosts only, not to {name}.")
