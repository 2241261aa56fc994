"""Pages of other sites may send OTLP where the configuration names them, and nothing else."""

import pytest
from collector_fakes import batch, logs

PROTOBUF = {"content-type": "application/x-protobuf"}
APP = "https://app.example.com"
CORS = {"cors": {"allowed_origins": ["https://*.example.com"], "allowed_headers": ["authorization"], "max_age": 600}}


def cors_headers(response):
    return {name: value for name, value in response.headers.items() if name.startswith("access-control-")}


async def test_named_origin_may_send(receiving):
    """Its browser asks first, then sends, and may read the answer."""
    server = await receiving(**CORS)
    asking = {"origin": APP, "access-control-request-method": "POST", "access-control-request-headers": "authorization"}
    asked = await server.client.options("/v1/logs", headers=asking)
    sent = await server.client.post("/v1/logs", content=logs("a"), headers=PROTOBUF | {"origin": APP})
    allowed = {"access-control-allow-origin": APP, "access-control-allow-credentials": "true"}
    assert (asked.status_code, cors_headers(asked)) == (
        204,
        allowed
        | {
            "access-control-allow-methods": "POST",
            "access-control-allow-headers": "content-type, content-encoding, authorization",
            "access-control-max-age": "600",
        },
    )
    assert (sent.status_code, cors_headers(sent), sent.headers["vary"]) == (200, allowed, "Origin")
    assert server.consumer.batches == [batch("a")]


@pytest.mark.parametrize("origin", ["https://example.com", "https://app.example.com.evil", "http://app.example.com"])
async def test_other_origins_are_refused(receiving, origin):
    """A preflight gets no leave, and what is sent all the same is not taken."""
    server = await receiving(**CORS)
    asked = await server.client.options("/v1/logs", headers={"origin": origin, "access-control-request-method": "POST"})
    sent = await server.client.post("/v1/logs", content=logs("a"), headers=PROTOBUF | {"origin": origin})
    assert (cors_headers(asked), sent.status_code, server.consumer.batches) == ({}, 403, [])


async def test_named_origin_may_send_otlp_only(receiving):
    """The portal and the API behind the same port stay closed to it."""
    server = await receiving(**CORS)
    assert (await server.client.put("/api/v1/artifacts/x", headers={"origin": APP})).status_code == 403


async def test_any_header_can_be_allowed_and_answers_exposed(receiving):
    """`*` repeats what the browser asks for."""
    server = await receiving(cors={"allowed_origins": [APP], "allowed_headers": ["*"], "exposed_headers": ["x-a"]})
    asking = {"origin": APP, "access-control-request-method": "POST", "access-control-request-headers": "x-b"}
    asked = await server.client.options("/v1/logs", headers=asking)
    sent = await server.client.post("/v1/logs", content=b"", headers=PROTOBUF | {"origin": APP})
    assert (asked.headers["access-control-allow-headers"], sent.headers["access-control-expose-headers"]) == (
        "x-b",
        "x-a",
    )
