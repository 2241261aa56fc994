"""Jupyter and IPython: the first cell of a notebook. Run it as often as you like: each record is sent once.

Libraries log as they do in a script; what a cell prints stays in the notebook.
"""

import logging

import runmill

# `force` replaces what an earlier run of this cell (or a library) left on the root logger.
logging.basicConfig(level=logging.INFO, handlers=[runmill.Handler(service_name="notebook")], force=True)

logging.getLogger("analysis").info("the notebook is attached")
