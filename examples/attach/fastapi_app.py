"""uvicorn and FastAPI: the server's own log lines, and those of the program.

    python fastapi_app.py

uvicorn's loggers do not propagate: a handler on the root logger alone never sees a request. So it is named on each of
them, in uvicorn's own configuration, which keeps its console output as it is.
"""

import copy
import logging
import os

import uvicorn
from fastapi import FastAPI
from uvicorn.config import LOGGING_CONFIG

LOG_CONFIG = copy.deepcopy(LOGGING_CONFIG)
LOG_CONFIG["handlers"]["runmill"] = {"class": "runmill.Handler"}
LOG_CONFIG["root"] = {"handlers": ["runmill"], "level": "INFO"}
for name in ("uvicorn", "uvicorn.access"):  # uvicorn.error goes through "uvicorn"
    LOG_CONFIG["loggers"][name]["handlers"].append("runmill")

app = FastAPI()
log = logging.getLogger("shop")


@app.get("/orders/{order}")
async def read_order(order: int) -> dict[str, int]:
    log.info("order %d was read", order, extra={"order": order})
    return {"order": order}


if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ.get("PORT", "8000")), log_config=LOG_CONFIG)
