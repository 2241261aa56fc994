"""The main path through real processes: a training script, a server, its store, the API and the commands."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from processes import RunningServer, runmill, running

EXAMPLE = Path(__file__).parents[2] / "examples" / "ridge_diabetes.py"
ALPHAS = [round(step * 0.05, 2) for step in range(20)]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server whose only run is the example's, trained by a process that ended."""
    folder = tmp_path_factory.mktemp("training")
    with running(tmp_path_factory.mktemp("home")) as server:
        environment = os.environ | {"RUNMILL_HOME": str(server.home), "RUNMILL_ENDPOINT": server.endpoint}
        done = subprocess.run(
            [sys.executable, "-W", "error", str(EXAMPLE)],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        yield server


@pytest.fixture(scope="module")
def run_path(trained: RunningServer) -> str:
    [run] = trained.get("/api/v1/runs").json()["runs"]
    return f"/api/v1/runs/{run['run_id']}"


def test_the_run_is_completed_and_described(trained: RunningServer, run_path: str):
    """The run's own end, name and tags arrive, not a guess about them."""
    run = trained.get(run_path).json()
    assert (run["experiment"], run["status"], run["number"]) == ("ridge-diabetes", "Completed", 1)
    assert run["tags"] == {"data": "diabetes", "best_alpha": "0.4"}
    assert run["end_time_unix_nano"] > run["start_time_unix_nano"]


def test_every_metric_point_is_there_in_order(trained: RunningServer, run_path: str):
    """Twenty alphas as they were logged, and an error for each; the best one is the known one."""
    points = trained.get(f"{run_path}/points").json()["points"]
    logged = {series["metric"]: series["value"] for series in points}
    assert logged["alpha"] == ALPHAS
    best_mse, best_alpha = min(zip(logged["mse"], logged["alpha"], strict=True))
    assert (best_alpha, round(best_mse, 2)) == (0.4, 3295.71)


def test_rows_arrive_by_column(trained: RunningServer, run_path: str):
    """A row metric is one series a column, of equal length."""
    metrics = trained.get(f"{run_path}/metrics").json()["metrics"]
    assert {(each["metric"], each["column"], each["count"]) for each in metrics if each["kind"] == "row"} == {
        ("mse by alpha", "alpha", 20),
        ("mse by alpha", "mse", 20),
    }


def test_native_logs_and_structlog_are_lines_of_the_run(trained: RunningServer, run_path: str):
    """Both ways of logging end in the run's log, with level, logger and typed fields."""
    records = trained.get(f"{run_path}/logs", limit="1000").json()["records"]
    native = next(record for record in records if record["logger"] == "ridge" and record["severity_text"] == "DEBUG")
    assert (native["body"], native["severity_number"]) == ("split the data", 5)
    assert native["attributes"].items() >= {"train_rows": 353, "test_rows": 89}.items()
    uploads = [record for record in records if record["logger"] == "ridge.models"]
    assert [record["attributes"]["alpha"] for record in uploads] == ALPHAS


def test_a_model_file_comes_back_byte_for_byte(trained: RunningServer, run_path: str):
    """Twenty files under the names they were given; what is downloaded has the hash that was logged."""
    files = trained.get(f"{run_path}/files").json()["files"]
    assert [file["path"] for file in files] == [f"outputs/ridge_{alpha:.2f}.pkl" for alpha in ALPHAS]
    model = trained.get(f"{run_path}/files/{files[0]['path']}")
    assert (len(model.content), model.headers["etag"].strip('"')) == (files[0]["size_bytes"], files[0]["sha256"])


def test_the_run_page_is_html_that_names_the_run(trained: RunningServer, run_path: str):
    """The page is complete without a script: the run's number, status and a log line are in it."""
    page = trained.get(run_path.removeprefix("/api/v1")).text
    for part in ("ridge-diabetes", "Completed", "best alpha is 0.40"):
        assert part in page


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("runs",), "ridge-diabetes"),
        (("show", "latest"), "best_alpha=0.4"),
        (("logs", "latest", "--grep", "best alpha"), "INFO     ridge best alpha is 0.40, mse 3295.71"),
        (("metrics", "latest"), "mse by alpha"),
        (("files", "latest"), "outputs/ridge_0.95.pkl"),
    ],
)
def test_the_commands_read_it(trained: RunningServer, arguments: tuple[str, ...], part: str):
    """What the API answers, the command line prints."""
    done = runmill(*arguments, home=trained.home)
    assert (done.returncode, done.stderr) == (0, "")
    assert part in done.stdout


def test_the_official_sdk_is_a_sender_like_any_other(tmp_path: Path):
    """Logs and metrics of opentelemetry-sdk, over its own exporters with gzip, are stored under their service."""
    with running(tmp_path) as server:
        resource = Resource.create({"service.name": "foreign"})
        export_logs(server.endpoint, resource)
        export_metrics(server.endpoint, resource)
        [record] = server.get("/api/v1/logs", service="foreign").json()["records"]
        facts = server.get("/api/v1/store").json()
    assert (record["body"], record["severity_number"], record["logger"]) == ("from elsewhere", 13, "library")
    assert record["attributes"] == {"tries": 3}
    assert (record["run_id"], facts["log_count"], facts["point_count"]) == (None, 1, 1)


def export_logs(endpoint: str, resource: Resource) -> None:
    exporter = OTLPLogExporter(endpoint=f"{endpoint}/v1/logs", compression=Compression.Gzip)
    provider = LoggerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    provider.get_logger("library").emit(
        severity_number=SeverityNumber.WARN, severity_text="WARN", body="from elsewhere", attributes={"tries": 3}
    )
    provider.shutdown()


def export_metrics(endpoint: str, resource: Resource) -> None:
    exporter = OTLPMetricExporter(endpoint=f"{endpoint}/v1/metrics", compression=Compression.Gzip)
    reader = PeriodicExportingMetricReader(exporter)
    provider = MeterProvider([reader], resource=resource, shutdown_on_exit=False)
    provider.get_meter("library").create_counter("requests").add(2)
    provider.shutdown()


def test_the_demo_shows_a_run_and_ends(tmp_path: Path):
    """Without a terminal `runmill demo` prints metrics, best alpha, lines and the page, stops its server, exits 0."""
    done = runmill("demo", "--home", str(tmp_path / "demo"), home=tmp_path)
    assert done.returncode == 0, done.stderr
    for part in (
        "Best alpha: 0.40 (mse 3295.71)",
        "ridge best alpha is 0.40, mse 3295.71",
        "Run page: http://127.0.0.1:",
    ):
        assert part in done.stdout
    assert not (tmp_path / "demo" / "server.json").exists()


def test_a_run_starts_its_own_collector_where_none_is_configured(tmp_path: Path):
    """With autostart on and no endpoint, a script needs nothing else: its run is complete and can be read."""
    script = (
        "import runmill\n"
        "run = runmill.Experiment(runmill.Workspace.from_config(), 'alone').start_logging(snapshot_directory=None)\n"
        "run.log('loss', 0.5)\n"
        "run.complete()\n"
        "print(run.get_metrics()['loss'])\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "RUNMILL_AUTOSTART"}
    home = tmp_path / "home"
    environment["RUNMILL_HOME"] = str(home)
    try:
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stdout) == (0, "0.5\n"), done.stderr
        [run] = [json.loads(line) for line in runmill("runs", "--json", home=home).stdout.splitlines()]
        assert (run["experiment"], run["status"]) == ("alone", "Completed")
    finally:
        stop_server(home)


def stop_server(home: Path) -> None:
    entry = home / "server.json"
    if entry.exists():
        os.kill(json.loads(entry.read_text())["pid"], 15)
