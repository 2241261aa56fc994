"""Who may ask at all: no page of another site, nobody by another name, and beyond the machine nobody without token."""

import pytest
from collector_fakes import logs

PROTOBUF = {"content-type": "application/x-protobuf"}


async def hello(_scope, _receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


@pytest.mark.parametrize("host", ["localhost", "localhost:1", "127.0.0.1:4318", "[::1]:4318", "me.localhost"])
async def test_names_of_this_machine_are_served_on_loopback(receiving, host):
    """Whatever port: it may be a forwarded one."""
    server = await receiving(others=hello)
    assert (await server.client.get("/", headers={"host": host})).text == "hello"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:4318", "localhost.evil.example", "10.0.0.1", ""])
@pytest.mark.parametrize("path", ["/", "/v1/logs", "/health"])
async def test_other_names_are_refused_on_loopback(receiving, host, path):
    """A page whose domain points at 127.0.0.1 (DNS rebinding) gets nothing, not even by GET."""
    server = await receiving(others=hello)
    response = await server.client.get(path, headers={"host": host})
    assert (response.status_code, response.json()["error"]["code"]) == (421, "misdirected")
    assert response.json()["error"]["message"].startswith(f"Host {host!r} is not this machine")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1"])
async def test_page_of_another_origin_cannot_change_anything(receiving, origin):
    """A form or script of any page reaches loopback, so its Origin must be ours."""
    server = await receiving(others=hello)
    headers = {"host": "localhost:4318", "origin": origin}
    sent = await server.client.post("/v1/logs", content=logs("a"), headers=PROTOBUF | headers)
    changed = await server.client.put("/api/v1/artifacts/x", headers=headers)
    assert [(r.status_code, r.json()["error"]["code"]) for r in (sent, changed)] == [(403, "forbidden")] * 2
    assert server.consumer.batches == []


async def test_own_pages_may_change_things_and_others_may_link_here(receiving):
    """The same origin is served, and so is a GET from anywhere: it changes nothing."""
    server = await receiving(others=hello)
    own = {"host": "localhost:4318", "origin": "http://localhost:4318"}
    assert (await server.client.post("/", headers=own)).text == "hello"
    assert (await server.client.get("/", headers=own | {"origin": "https://docs.example"})).text == "hello"


async def test_wide_endpoint_takes_otlp_only_with_its_token(receiving):
    """401 with a Status in the request's encoding; any Host is served, since its names are not known here."""
    server = await receiving(endpoint="0.0.0.0:0", token="secret", others=hello)

    async def send(**headers):
        return (await server.client.post("/v1/logs", content=logs("a"), headers=PROTOBUF | headers)).status_code

    assert await send() == 401
    assert await send(authorization="Bearer wrong") == 401
    assert await send(authorization="Bearer sécret".encode()) == 401
    assert server.consumer.batches == []
    assert await send(authorization="Bearer secret", host="trainer.example:4318") == 200


async def test_other_app_asks_for_the_token_itself(receiving):
    """It knows whether its callers are programs or people, and health is for everyone."""
    server = await receiving(endpoint="0.0.0.0:0", token="secret", others=hello)
    assert (await server.client.get("/")).text == "hello"
    assert (await server.client.get("/health")).status_code == 503


@pytest.mark.parametrize(("state", "status"), [("starting", 503), ("ok", 200), ("stopping", 503)])
async def test_health_is_503_unless_everything_is_at_work(receiving, state, status):
    """For whoever starts the collector and waits for it."""
    server = await receiving()
    server.health.status = state
    response = await server.client.get("/health")
    assert response.status_code == status
    assert sorted(response.json()) == ["status", "uptime_seconds", "version"]
    assert response.json()["status"] == state
