"""The fake API's door: keys, passwords, the demonstration's people, and sessions that end."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.web.fake_world import RefusedError, Row, World, at

PRINCIPALS: dict[str, Row] = {
    "agent-key": {"id": "pr-1", "name": "agent-1", "roles": ["agent"]},
    "supervisor-key": {"id": "pr-2", "name": "supervisor-1", "roles": ["supervisor"]},
}
AGENT_OF = {"agent-key": "agent-1"}
IDS = AGENT_OF | {"supervisor-key": "supervisor-1"}
"""A supervisor has an agent's row too, without an agent's rights."""

COOKIE = "parley_session"


class RefusedForNow(RefusedError):
    """Refused until some seconds are over."""

    def __init__(self, wait_s: int) -> None:
        super().__init__("too_many_attempts", "too many attempts", 429)
        self.wait_s = wait_s


class FakeSignIn:
    """Routes of sessions and passwords; the cookie is the key itself."""

    world: World

    def key_of(self, request: Request) -> str:
        key = request.cookies.get(COOKIE, "").partition(" ")[0]
        if key not in PRINCIPALS or self.world.door.is_shut:
            raise RefusedError("unauthenticated", "log in first", 401)
        return key

    def agent_of(self, request: Request) -> str | None:
        return AGENT_OF.get(self.key_of(request))

    async def session(self, request: Request) -> Response:
        if request.method == "POST":
            return self.admitted(self._key_by(await request.json()))
        if request.method == "DELETE":
            response = Response(status_code=204)
            response.delete_cookie(COOKIE)
            return response
        key = self.key_of(request)
        if request.headers.get("Parley-Attended") != "no":
            self.world.door.uses.append(key)
        body = {"principal": PRINCIPALS[key], "agent_id": IDS.get(key), "username": IDS.get(key)}
        moments = {"expires_at": at(self.world.door.left_s), "ends_at": at(self.world.door.ends_s)}
        return JSONResponse(body | moments | {"password": self.world.door.state})

    def _key_by(self, body: Row) -> str:
        if self.world.door.throttled_s:
            raise RefusedForNow(self.world.door.throttled_s)
        if "key" in body and body["key"] in PRINCIPALS:
            return str(body["key"])
        username = body.get("username", "")
        if "password" in body and self.world.door.passwords.get(username) == body["password"]:
            return next(key for key, name in IDS.items() if name == username)
        raise RefusedError("unauthenticated", "there is nobody with this", 401)

    def admitted(self, key: str) -> Response:
        self.world.door.is_shut = False
        response = Response(status_code=204)
        response.set_cookie(COOKIE, key, httponly=True, samesite="lax")
        return response

    async def demo_session(self, request: Request) -> Response:
        if not self.world.door.people:
            raise RefusedError("not_found", "nothing here", 404)
        if request.method == "GET":
            return JSONResponse({"items": self.world.door.people, "next_cursor": None})
        username = (await request.json())["username"]
        return self.admitted(next(key for key, name in IDS.items() if name == username))

    async def own_password(self, request: Request) -> Response:
        username = IDS[self.key_of(request)]
        body = await request.json()
        if (
            self.world.door.state != "none"
            and self.world.door.passwords[username] != body["current"]
        ):
            raise RefusedError("wrong_password", "the present password is another one")
        if body["new"] == "password":
            raise RefusedError("password_too_common", "choose another", 422)
        self.world.door.passwords[username], self.world.door.state = body["new"], "own"
        return self.admitted(self.key_of(request))
