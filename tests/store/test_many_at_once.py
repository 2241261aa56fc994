"""Four processes that write one store and four that read it, for two minutes: a lake, and a folder by its server."""

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from processes import running
from runmill import store as stores
from runmill.store.query import LogQuery

SECONDS = 120
MANY = 4
ROWS = 50

WRITE = """
import sys, time
sys.path.insert(0, sys.argv[2])
from store_columns import delivery, log, point
from runmill import errors, store
name, opened = sys.argv[3], store.open(sys.argv[1])
until, sequence, refused = time.monotonic() + float(sys.argv[4]), 0, 0
while time.monotonic() < until:
    rows = {"run_id": f"run-{name}", "service": name}
    logs = [log(**rows, body=f"{name} {sequence} {n}") for n in range(50)]
    try:
        opened.append([delivery(name, sequence, logs=logs, points=[point(float(sequence), **rows)])])
        sequence += 1
    except errors.Refused:  # as a sender does: the same batch again
        refused += 1
opened.close()
print(f'[{sequence}, {refused}]')
"""
READ = """
import json, sys, time
from collections import Counter
from runmill import store
from runmill.store.query import LogQuery, RunQuery
opened, until, seen, cursor, looks = store.open(sys.argv[1]), time.monotonic() + float(sys.argv[4]), Counter(), 0, 0
while time.monotonic() < until:
    page = opened.logs(LogQuery(limit=10_000, committed_after=cursor))
    cursor = page.records[-1].cursor if page.records else cursor
    # What is seen in the order of commits is each writer's own order, whole batches, none twice.
    for record in page.records:
        name, sequence, n = record.body.split()
        assert int(sequence) * 50 + int(n) == seen[name], (record.body, seen[name])
        seen[name] += 1
    for run in opened.runs(RunQuery()):
        counted = sum(count for _, count in opened.loggers(run.run_id))
        [summary] = opened.metrics([run.run_id])[run.run_id]
        assert counted >= seen[run.service] or not page.more_after, (counted, seen)
        assert summary.count - 1 == summary.last_value, summary
    looks += 1
opened.close()
print(json.dumps([looks, sum(seen.values())]))
"""


LOG = """
import logging, sys, time
import runmill
logger, name = logging.getLogger("many"), sys.argv[3]
logger.addHandler(runmill.Handler())
logger.setLevel("INFO")
until, count = time.monotonic() + float(sys.argv[4]), 0
while time.monotonic() < until:
    for count in range(count + 1, count + 501):
        logger.info("%s %s", name, count)
    assert runmill.flush(60) == 0
print(f'[{count}]')
"""
ASK = """
import json, sys, time
from collections import Counter
import httpx
client, until = httpx.Client(base_url=sys.argv[1], trust_env=False, timeout=60), time.monotonic() + float(sys.argv[4])
seen, cursor, looks = Counter(), 0, 0
def ask(path, **parameters):
    return client.get(path, params=parameters).raise_for_status().json()
while time.monotonic() < until:
    records = ask("/api/v1/logs", limit=10_000, committed_after=cursor)["records"]
    cursor = records[-1]["cursor"] if records else cursor
    for record in records:
        name, number = record["body"].split()
        seen[name] += 1
        assert int(number) == seen[name], (record["body"], seen[name])
    counted = {service["name"]: service["count"] for service in ask("/api/v1/services")["services"]}
    assert all(counted[name] >= count for name, count in seen.items()), (counted, seen)
    assert ask("/api/v1/logs", limit=200, text="writer1")["records"] or not seen["writer1"]
    looks += 1
print(json.dumps([looks, sum(seen.values())]))
"""


def start(code: str, url: str, name: str, **environment: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", code, url, str(Path(__file__).parent), name, str(SECONDS)]
    given = {**os.environ, **environment}
    return subprocess.Popen(command, env=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: "subprocess.Popen[str]") -> list[int]:
    said, complained = process.communicate(timeout=SECONDS + 120)
    assert process.returncode == 0, complained
    # The engine draws how far it is where it takes a program for a person's session, as it does one that is no file.
    found: list[int] = json.loads(said.splitlines()[-1])
    return found


@pytest.mark.long
@pytest.mark.timeout(SECONDS + 300)
def test_many_write_and_many_read(lake_url):
    """Every reader sees each writer's batches whole and in order, and at the end each is there once."""
    writers = [start(WRITE, lake_url, f"writer{n}") for n in range(MANY)]
    readers = [start(READ, lake_url, f"reader{n}") for n in range(MANY)]
    written = [ended(process) for process in writers]
    read = [ended(process) for process in readers]
    print(f"batches and refusals {written}, looks and records seen {read}")
    assert all(batches > 0 for batches, _ in written)
    assert all(looks > 0 for looks, _ in read)
    with closing(stores.open(lake_url)) as store:
        assert [sum(count for _, count in store.loggers(f"run-writer{n}")) for n in range(MANY)] == [
            batches * ROWS for batches, _ in written
        ]
        for n, (batches, _) in enumerate(written):
            newest = store.logs(LogQuery(run_id=f"run-writer{n}", limit=10_000)).records
            assert len({record.body for record in newest}) == min(10_000, batches * ROWS)


@pytest.mark.long
@pytest.mark.timeout(SECONDS + 300)
def test_many_log_to_one_server_and_many_read_from_it(tmp_path):
    """Every reader sees each program's records in order, and at the end each is there once."""
    with running(tmp_path / "server") as server:
        writers = [
            start(
                LOG, server.endpoint, name,
                RUNMILL_ENDPOINT=server.endpoint, RUNMILL_HOME=str(tmp_path / name), OTEL_SERVICE_NAME=name,
            )
            for name in (f"writer{n}" for n in range(MANY))
        ]  # fmt: skip
        readers = [start(ASK, server.endpoint, f"reader{n}") for n in range(MANY)]
        written = [ended(process) for process in writers]
        read = [ended(process) for process in readers]
        print(f"records {written}, looks and records seen {read}")
        answer = httpx.get(f"{server.endpoint}/api/v1/services", trust_env=False, timeout=60).json()
        counted = {service["name"]: service["count"] for service in answer["services"]}
        assert counted == {f"writer{n}": count for n, [count] in enumerate(written)}
        assert all(looks > 0 for looks, _ in read)
