"""gunicorn: the arbiter's lines, every worker's, and the access log.

    gunicorn --config gunicorn_conf.py gunicorn_conf:application

The logging is set up in the arbiter, before it forks. Each worker still has its own journal, its own `process.pid` and
`service.instance.id`: runmill notices the fork. The same holds with `preload_app`, where the application is imported
(and may log) before the fork.
"""

import logging
import os

bind = os.environ.get("BIND", "127.0.0.1:8000")
workers = 2
preload_app = os.environ.get("PRELOAD") == "1"

logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"short": {"format": "%(asctime)s [%(process)d] %(levelname)s %(message)s"}},
    "handlers": {
        "runmill": {"class": "runmill.Handler"},
        "console": {"class": "logging.StreamHandler", "formatter": "short"},
    },
    "root": {"handlers": ["runmill", "console"], "level": "INFO"},
    # gunicorn sets `propagate` to False on both unless it is said here.
    "loggers": {
        "gunicorn.error": {"handlers": [], "level": "INFO", "propagate": True},
        "gunicorn.access": {"handlers": [], "level": "INFO", "propagate": True},
    },
}

log = logging.getLogger("shop")


def application(environ, start_response):
    """The WSGI application; yours will be in a module of its own."""
    log.info("asked for %s", environ["PATH_INFO"])
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
