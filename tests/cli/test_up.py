"""`runmill up` and `serve`: one port, one server a home, an orderly end."""

import os
import re
import signal
import socket
import ssl
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest
import trustme
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from processes import runmill, running
from runmill.collector.config import DEFAULT_FILE
from runmill.home import Home, Server


def one_log(body: str) -> bytes:
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add()
    record.body.string_value = body
    record.time_unix_nano = 1_700_000_000_000_000_000
    return request.SerializeToString()


def send(endpoint: str, body: str, **headers: str) -> httpx.Response:
    content_type = {"Content-Type": "application/x-protobuf"}
    return httpx.post(f"{endpoint}/v1/logs", content=one_log(body), headers=content_type | headers, trust_env=False)


@pytest.mark.slow
def test_one_port_takes_otlp_and_answers_for_api_portal_and_health(home: Path):
    """What is posted as OTLP is there to read on the same port as soon as the post is answered."""
    with running(home) as server:
        assert send(server.endpoint, "hello").status_code == 200
        [record] = server.get("/api/v1/logs").json()["records"]
        assert record["body"] == "hello"
        assert server.get("/").headers["content-type"].startswith("text/html")
        assert server.get("/health").json()["status"] == "ok"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_in_order(home: Path, number: signal.Signals):
    """A stopped server exits 0, leaves no server.json, and what it acknowledged is in the store."""
    with running(home) as server:
        send(server.endpoint, "kept")
        status, said = server.stop(number)
    assert (status, Home(home).find_server()) == (0, None)
    announced = rf"runmill \S+: {re.escape(server.endpoint)}, gRPC 127.0.0.1:\d+ \(home {home}\); Ctrl-C stops.\n"
    assert re.fullmatch(announced, said)
    assert "kept" in runmill("logs", home=home).stdout


@pytest.mark.slow
def test_hangup_reads_the_configuration_anew(home: Path, tmp_path: Path):
    """SIGHUP: what is wrong is said and changes nothing, what is right is at work on the same address."""
    file = tmp_path / "config.yaml"
    file.write_text(DEFAULT_FILE.read_text())
    with running(home, "up", "--endpoint", "127.0.0.1:0", "--config", str(file)) as server:
        assert server.process.stderr is not None
        announced = server.process.stderr.readline()
        for text, expected, status in (
            ("receivers: {}", "The new configuration is not used, and the one before goes on: ", 200),
            (DEFAULT_FILE.read_text().replace("20MiB", "10"), f"{file}: read anew, and at work.", 413),
        ):
            file.write_text(text)
            server.process.send_signal(signal.SIGHUP)
            assert server.process.stderr.readline().startswith(expected)
            assert send(server.endpoint, "x").status_code == status
        assert (server.stop()[0], "gRPC" in announced) == (0, True)


@pytest.mark.slow
def test_an_open_live_view_does_not_keep_it_from_stopping(home: Path):
    """SIGTERM ends streams too: the server is gone long before its limit for slow requests."""
    with running(home) as server, httpx.stream("GET", f"{server.endpoint}/api/v1/logs/stream", trust_env=False) as live:
        assert live.status_code == 200
        assert server.stop()[0] == 0


@pytest.mark.slow
def test_a_server_does_without_what_the_engine_would_load_for_nothing(home: Path):
    """Where pandas is installed, a server that stored and read something has neither it nor Arrow's datasets mapped."""
    assert find_spec("pandas") is not None, "this says nothing where it is not installed"
    with running(home) as server:
        send(server.endpoint, "kept")
        [record] = server.get("/api/v1/logs", text="kept").json()["records"]
        mapped = Path(f"/proc/{server.process.pid}/maps").read_text()
    loaded = [name for name in ("_duckdb", "pyarrow/lib", "pandas", "pyarrow/_dataset") if name in mapped]
    assert (record["body"], loaded) == ("kept", ["_duckdb", "pyarrow/lib"])


@pytest.mark.slow
def test_the_configuration_says_how_much_memory_the_store_may_take(home: Path):
    """`memory_limit` of the exporter `run_store` is the engine's, the portal's queries included."""
    limit = "exporters.run_store.memory_limit=100MiB"
    with running(home, "up", "--endpoint", "127.0.0.1:0", "--set", limit):
        asked = runmill("sql", "select current_setting('memory_limit') as limit", "--json", home=home)
    assert asked.stdout == '{"limit":"100.0 MiB"}\n'


@pytest.mark.slow
def test_a_second_server_of_a_home_says_who_has_it(home: Path):
    """The second `up` fails with the first one's process and address."""
    with running(home) as server:
        second = runmill("up", home=home)
    assert (second.returncode, second.stdout) == (1, "")
    assert second.stderr == (
        f"runmill: {home} is taken: process {server.process.pid} serves it at {server.endpoint}. "
        "Use that one, stop it, or name another home with --home.\n"
    )


@pytest.mark.slow
def test_a_taken_port_makes_it_choose_another_and_say_so(home: Path):
    """The default port being in use is no failure; another one is announced."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        # One that is asked for by HTTP and by gRPC.
        taken = dict.fromkeys(("RUNMILL_ENDPOINT_HTTP", "RUNMILL_ENDPOINT_GRPC"), f"127.0.0.1:{port}")
        with running(home, "up", environment=taken) as server:
            assert server.get("/health").status_code == 200
            _, said = server.stop()
    assert said.count(f"127.0.0.1:{port} is taken by another program; using port ") == 2


def test_a_taken_port_that_was_asked_for_is_an_error(home: Path):
    """With --endpoint nothing else will do: status 1 and the address."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        endpoint = f"127.0.0.1:{other.getsockname()[1]}"
        done = runmill("up", "--endpoint", endpoint, home=home)
    assert (done.returncode, endpoint in done.stderr, "Traceback" in done.stderr) == (1, True, False)


@pytest.mark.slow
def test_idle_exit_stops_a_server_nobody_needs(home: Path):
    """Without requests and running runs it ends by itself, with status 0."""
    with running(home, "up", "--endpoint", "127.0.0.1:0", "--idle-exit", "0.2") as server:
        assert server.ended()[0] == 0


@pytest.mark.slow
def test_a_server_beyond_loopback_wants_its_token(home: Path):
    """On 0.0.0.0 nothing is taken or shown without the token; with it, programs and browsers get in."""
    arguments = ("up", "--endpoint", "0.0.0.0:0")
    with running(home, *arguments, environment={"RUNMILL_TOKEN": "secret"}) as server:
        assert send(server.endpoint, "no").status_code == 401
        assert server.get("/api/v1/logs").status_code == 401
        assert send(server.endpoint, "yes", Authorization="Bearer secret").status_code == 200
        assert "yes" in runmill("logs", home=home).stdout
        browser = httpx.get(f"{server.endpoint}/?token=secret", trust_env=False, follow_redirects=False)
        assert (browser.status_code, "set-cookie" in browser.headers) == (303, True)


@pytest.mark.slow
def test_a_server_with_tls_is_read_by_the_commands(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Its address is https, and the commands trust what the senders of this machine are told to trust."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    tls = f"receivers.otlp.protocols.http.tls={{cert_file: {tmp_path}/server.pem, key_file: {tmp_path}/server.pem}}"
    with running(home, "up", "--endpoint", "127.0.0.1:0", "--set", tls) as server:
        trust = ssl.create_default_context(cafile=tmp_path / "ca.pem")
        headers = {"Content-Type": "application/x-protobuf"}
        url = f"{server.endpoint}/v1/logs"
        assert httpx.post(url, content=one_log("hidden"), headers=headers, verify=trust).status_code == 200
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(tmp_path / "ca.pem"))
        assert (url[:8], "hidden" in runmill("logs", home=home).stdout) == ("https://", True)


@pytest.mark.slow
def test_insecure_lets_everybody_in(home: Path):
    """No token is asked for, of programs or of people."""
    with running(home, "up", "--endpoint", "0.0.0.0:0", "--insecure") as server:
        assert send(server.endpoint, "yes").status_code == 200
        assert server.get("/api/v1/logs").json()["records"][0]["body"] == "yes"


def test_collect_refuses_to_listen_wide_without_being_told(home: Path, monkeypatch: pytest.MonkeyPatch):
    """It has no place to show a token it would make, so the user must give one, or say that none is wanted."""
    monkeypatch.delenv("RUNMILL_TOKEN", raising=False)
    refused = runmill("collect", "--config", str(DEFAULT_FILE), "--endpoint", "0.0.0.0:0", home=home)
    assert (refused.returncode, "nothing keeps strangers out" in refused.stderr) == (2, True)


@pytest.mark.slow
def test_an_entry_left_by_a_killed_server_misleads_nobody(home: Path):
    """After kill -9 the commands read the store themselves, and the next server starts."""
    with running(home) as server:
        send(server.endpoint, "before the kill")
        os.kill(server.process.pid, signal.SIGKILL)
        server.ended()
    assert Home(home).find_server() == Server(server.endpoint, server.process.pid, server.server.token)
    assert "before the kill" in runmill("logs", home=home).stdout
    with running(home) as next_server:
        assert next_server.get("/health").status_code == 200


@pytest.mark.slow
def test_serve_shows_a_store_without_taking_data(home: Path):
    """`serve` answers for what is stored; OTLP posted to it is not taken."""
    with running(home) as server:
        send(server.endpoint, "stored")
    with running(home, "serve", "--endpoint", "127.0.0.1:0") as portal:
        [record] = portal.get("/api/v1/logs").json()["records"]
        assert record["body"] == "stored"
        assert send(portal.endpoint, "more").status_code in (404, 405)
        assert portal.stop()[0] == 0


@pytest.mark.parametrize("command", ["up", "serve"])
def test_a_home_that_cannot_be_written_is_said_in_words(tmp_path: Path, command: str):
    """A home below a file can never be: status 1 and the way out."""
    (tmp_path / "file").touch()
    done = runmill(command, home=tmp_path / "file" / "home")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"runmill: The home {tmp_path}/file/home cannot be written: Not a directory. "
        "Name another one with --home or RUNMILL_HOME.\n"
    )


def test_a_configuration_with_mistakes_is_status_2(home: Path, tmp_path: Path):
    """Every mistake is listed with its path, for `up` and `validate` alike."""
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(
        "receivers:\n  otlp:\n    protocols: {http: {endpoint: nowhere}}\nexporters:\n  run_stor: {}\n"
        "service:\n  pipelines:\n    logs: {receivers: [otlp], exporters: [nobody]}\n"
    )
    up, validate = runmill("up", "--config", str(wrong), home=home), runmill("validate", str(wrong), home=home)
    assert (up.returncode, validate.returncode) == (2, 2)
    assert up.stderr == validate.stderr
    for path in ("receivers.otlp.protocols.http.endpoint", "exporters.run_stor", "service.pipelines.logs"):
        assert f"{wrong}: {path}" in validate.stderr
