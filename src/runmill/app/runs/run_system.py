"""The part of a Run that knows its machine: measured by the sampler, read apart from what was logged."""

import time
from collections.abc import Iterable

from runmill.app.runs.run_part import RunPart
from runmill.app.runs.shapes import MetricSeries, is_logged, series_of
from runmill.journal.records import REQUEST
from runmill.otlp.journalled import run_attributes
from runmill.otlp.measurements import Measurement, encode_measurements

__all__ = ["SystemCalls"]


class SystemCalls(RunPart):
    """What is measured is no run metric: ``get_metrics`` leaves it out."""

    def get_system_metrics(self) -> list[MetricSeries]:
        """Give what was measured of the machine and the process, a series for each metric and column.

        Names and units are those of OpenTelemetry's semantic conventions. Raises Unavailable.
        """
        return series_of(each for each in self._link.fresh_client().points(self.id) if not is_logged(each))

    def keep_measured(self, measurements: Iterable[Measurement]) -> None:
        """Keep what was measured now. Not for a program to call: the sampler does."""
        outlet, key, now = self._link.outlet, self._recorder.key, time.time_ns()
        resource = {**outlet.resource, **run_attributes(key)}
        outlet.write((REQUEST, "metrics", encode_measurements(resource, measurements, time_unix_nano=now)))
