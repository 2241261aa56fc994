"""Celery: the worker's lines and those of its tasks, with the id of the task on each.

    celery --app celery_worker worker            # in one terminal
    python celery_worker.py                      # in another: asks for two sums

Celery takes the handlers off the root logger when a worker starts, and says by signal when it has put its own there:
that is the place to add ours. Its pool forks; each child has a journal of its own.
"""

import logging
import os
import tempfile
from pathlib import Path

from celery import Celery, current_task
from celery.signals import after_setup_logger, after_setup_task_logger
from celery.utils.log import get_task_logger

import runmill

# A broker made of files, so that the example needs no server: put your own address here.
QUEUE = Path(os.environ.get("QUEUE", Path(tempfile.gettempdir()) / "celery-example"))
QUEUE.mkdir(parents=True, exist_ok=True)

app = Celery("celery_worker", broker="filesystem://")
app.conf.broker_transport_options = {
    "data_folder_in": str(QUEUE),
    "data_folder_out": str(QUEUE),
    "control_folder": str(QUEUE / "control"),
}
log = get_task_logger(__name__)


def add_task(record: logging.LogRecord) -> bool:
    """Put the task that runs on the record: it becomes an attribute like any `extra`."""
    if current_task:
        record.task_name, record.task_id = current_task.name, current_task.request.id
    return True


@after_setup_logger.connect  # the root logger
@after_setup_task_logger.connect  # "celery.task", which does not propagate
def attach(logger: logging.Logger, **_: object) -> None:
    handler = runmill.Handler()
    handler.addFilter(add_task)
    logger.addHandler(handler)


@app.task
def add(x: int, y: int) -> int:
    log.info("adding %d and %d", x, y)
    return x + y


if __name__ == "__main__":
    for number in range(2):
        add.delay(number, 10)
