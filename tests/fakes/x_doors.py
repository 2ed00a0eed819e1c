"""Who may call the fake X, and how often: OAuth 1.0a, the app's token, limits with headers."""

import base64
import hashlib
import hmac
import re
import time
from collections import defaultdict
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote

from starlette.requests import Request

QUARTER_S, DAY_S = 900, 86_400
LIMITS = {
    "POST upload": (500, QUARTER_S),
    "POST metadata": (500, QUARTER_S),
    "GET mentions": (300, QUARTER_S),
    "GET search": (300, QUARTER_S),
    "GET own": (900, QUARTER_S),
    "GET messages": (15, QUARTER_S),
    "GET conversation": (15, QUARTER_S),
    "POST message": (15, QUARTER_S),
    "POST post": (100, QUARTER_S),
    "DELETE post": (50, QUARTER_S),
    "GET stream": (50, QUARTER_S),
    "GET rules": (450, QUARTER_S),
    "POST rules": (100, QUARTER_S),
    "GET me": (75, QUARTER_S),
}
MESSAGES_A_DAY = 1_440


@dataclass(frozen=True)
class Person:
    """Somebody's keys for the app."""

    user_id: str
    token: str
    token_secret: str


@dataclass
class App:
    consumer_key: str
    consumer_secret: str
    bearer_token: str
    people: list[Person] = field(default_factory=list)


def caller_of(request: Request, app: App, public_url: str) -> str | None:
    """Return the user's id, "app", or None when nobody is believed."""
    said = request.headers.get("authorization", "")
    if said.startswith("Bearer "):
        return "app" if said.removeprefix("Bearer ") == app.bearer_token else None
    if not said.startswith("OAuth "):
        return None
    protocol = {n: unquote(v) for n, v in re.findall(r'(\w+)="([^"]*)"', said)}
    person = next((one for one in app.people if one.token == protocol.get("oauth_token")), None)
    if person is None or protocol.get("oauth_consumer_key") != app.consumer_key:
        return None
    if abs(int(protocol.get("oauth_timestamp", "0")) - time.time()) > 300:
        return None
    offered = protocol.pop("oauth_signature", "")
    address = public_url.rstrip("/") + request.url.path
    wanted = _signature(request, address, protocol, f"{app.consumer_secret}&{person.token_secret}")
    return person.user_id if hmac.compare_digest(offered, wanted) else None


def _signature(request: Request, address: str, protocol: dict[str, str], key: str) -> str:
    """Sign once more, by other code than the connector's."""
    pairs = [*parse_qsl(request.url.query, keep_blank_values=True), *protocol.items()]
    encoded = sorted(f"{quote(name, '')}={quote(value, '')}" for name, value in pairs)
    base = "&".join([request.method, quote(address, ""), quote("&".join(encoded), "")])
    return base64.b64encode(hmac.digest(key.encode(), base.encode(), hashlib.sha1)).decode()


class Limits:
    """Counts calls of each caller in fixed windows."""

    def __init__(self) -> None:
        self.of = dict(LIMITS)
        self.messages_a_day = MESSAGES_A_DAY
        self._used: dict[tuple[str, str, int], int] = defaultdict(int)

    def lift(self) -> None:
        """Let everybody call as often as they like."""
        self.of = {name: (10**6, window_s) for name, (_, window_s) in LIMITS.items()}
        self.messages_a_day = 10**6

    def count(self, name: str, caller: str) -> tuple[bool, dict[str, str]]:
        """Return whether one more call is taken, and the headers that tell of it."""
        most, window_s = self.of[name]
        is_taken, left, reset_s = self._count(name, caller, most, window_s)
        headers = {
            "x-rate-limit-limit": str(most),
            "x-rate-limit-remaining": str(left),
            "x-rate-limit-reset": str(reset_s),
        }
        if name != "POST message" or not is_taken:
            return is_taken, headers
        is_taken, left, reset_s = self._count("day", caller, self.messages_a_day, DAY_S)
        return is_taken, headers | {
            "x-user-limit-24hour-limit": str(self.messages_a_day),
            "x-user-limit-24hour-remaining": str(left),
            "x-user-limit-24hour-reset": str(reset_s),
        }

    def _count(self, name: str, caller: str, most: int, window_s: int) -> tuple[bool, int, int]:
        window = int(time.time()) // window_s
        key = (name, caller, window)
        is_taken = self._used[key] < most
        self._used[key] += is_taken
        return is_taken, most - self._used[key], (window + 1) * window_s
