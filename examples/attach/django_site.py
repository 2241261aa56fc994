"""Django: the handler by its class path, in the LOGGING dict of the settings.

    python django_site.py runserver

A whole site in one file, so that it can be read at once; in yours, LOGGING goes to settings.py.
"""

import logging
import sys

from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpRequest, HttpResponse
from django.urls import path

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {
        "runmill": {"class": "runmill.Handler"},
        "console": {"class": "logging.StreamHandler"},
    },
    "root": {"handlers": ["runmill", "console"], "level": "INFO"},
    # Django's own set-up has handlers on these two; `django.server` does not propagate.
    "loggers": {
        "django": {"level": "INFO"},
        "django.server": {"handlers": ["runmill", "console"], "level": "INFO", "propagate": False},
    },
}

settings.configure(
    DEBUG=True, SECRET_KEY="an example's", ROOT_URLCONF=__name__, LOGGING=LOGGING, ALLOWED_HOSTS=["127.0.0.1"]
)

log = logging.getLogger("shop")


def read_order(_request: HttpRequest, order: int) -> HttpResponse:
    log.info("order %d was read", order, extra={"order": order})
    return HttpResponse(f"order {order}\n")


def fail(_request: HttpRequest) -> HttpResponse:
    # Django logs it through `django.request`, with its traceback.
    raise RuntimeError("no such thing")


urlpatterns = [path("orders/<int:order>/", read_order), path("fail/", fail)]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
