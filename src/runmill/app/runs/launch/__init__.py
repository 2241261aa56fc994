"""Scripts run for the user: what is to be run, the process that watches over it, and what it said.

``submit`` writes a job and starts a runner; the runner (``python -m runmill.app.runs.launch.runner``) starts the
script, keeps its output as the run's log, and says how the run ended. ``runmill run`` does the runner's work in the
foreground.
"""
