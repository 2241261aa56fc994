"""The part of a Run that logs values and reads them back."""
# ruff: noqa: FBT001, FBT002 - the signatures are those of Azure ML v1

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from runmill.app.runs.images import draw, find_image_type, is_drawable
from runmill.app.runs.metric_files import MetricFile, address_of, metric_file
from runmill.app.runs.run_files import FileCalls
from runmill.app.runs.service_limits import look_at_call
from runmill.app.runs.shapes import MetricSeries, is_logged, old_shapes, series_of
from runmill.app.runs.values import Scalar, is_number, to_columns, to_document, to_items, to_name, to_scalar, to_step
from runmill.errors import InvalidArgument
from runmill.model import MetricPoint

__all__ = ["MetricCalls"]

_INT64_END = 2**63


class MetricCalls(FileCalls):
    """``log`` and its kin return in microseconds: the value is in the journal then, and survives the process."""

    def log(self, name: str, value: object, description: str = "", step: int | None = None) -> None:
        """Log one value; values of one name form a series in the order they were logged.

        Args:
            name: Of the metric.
            value: int, float, str, bool or None, or what NumPy, torch and pandas have for these.
            description: Of the metric; kept.
            step: Where the value stands on the x axis; by default its position.

        Raises:
            InvalidArgument: A list, a dict, ...: the text says which call takes it. Nothing was logged.
        """
        # The usual call costs these checks and one tuple; everything else is made into such a call first.
        if (
            (type(value) is float or (type(value) is int and -_INT64_END <= value < _INT64_END))
            and type(name) is str
            and name
            and (step is None or type(step) is int)
            and type(description) is str
        ):
            self._recorder.value(name, "scalar", value, step, description)
            return
        where = f"run.log({name!r})"
        plain_name, plain_step = to_name(name, where), to_step(step, where)
        self._recorder.value(plain_name, "scalar", to_scalar(value, where), plain_step, _text(description))

    def log_list(self, name: str, value: Iterable[object], description: str = "") -> None:
        """Log several values at once: any iterable of scalars, or a one-dimensional array.

        Lists under one name append to each other; an empty one leaves an empty list. Raises InvalidArgument for
        nested lists and for what is not iterable; nothing was logged then.
        """
        where = f"run.log_list({name!r})"
        plain_name, items = to_name(name, where), to_items(value, where)
        if not items:
            self._recorder.nothing(plain_name, "list", [], _text(description))
        look_at_call(self._link.outlet, self._recorder.key, "rows", len(items))
        for item in items:
            self._recorder.value(plain_name, "list", item, None, _text(description))

    def log_row(self, name: str, description: str | None = None, **kwargs: object) -> None:
        """Log one row of a table, a keyword argument a column; rows and tables of one name append to each other.

        Columns called ``name`` or ``description`` need ``log_table``. Raises InvalidArgument when there is no column,
        or a cell is not a scalar.
        """
        where = f"run.log_row({name!r})"
        cells = {column: to_scalar(cell, f"{where}, column {column!r}") for column, cell in kwargs.items()}
        if not cells:
            raise InvalidArgument(f"{where}: a row needs a column; give some as keyword arguments: epoch=1, loss=0.5.")
        self._log_rows(to_name(name, where), "row", [cells], description)

    def log_table(self, name: str, value: Mapping[str, object], description: str = "") -> None:
        """Log many rows at once: a dict of equally long columns (lists, tuples, arrays, series) or a data frame.

        Raises InvalidArgument for columns of different length and for cells that are not scalars; nothing was logged.
        """
        where = f"run.log_table({name!r})"
        plain_name, columns = to_name(name, where), to_columns(value, where)
        rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
        if not rows:
            self._recorder.nothing(plain_name, "table", dict(columns), _text(description))
        self._log_rows(plain_name, "table", rows, description)

    def log_image(self, name: str, path: object = None, plot: object = None, description: str = "") -> None:
        """Log an image: a file by its *path*, or a *plot* (pyplot or a figure), which becomes a PNG.

        A figure is taken as the second argument too. Images of one name form a history.

        Raises:
            InvalidArgument: Both or none were given, or the file is no image.
            FileNotFoundError: There is no such file.
        """
        where = f"run.log_image({name!r})"
        plain_name = to_name(name, where)
        if is_drawable(path) and plot is None:
            path, plot = None, path
        if (path is None) == (plot is None):
            raise InvalidArgument(f"{where}: give either path= (an image file) or plot= (pyplot or a figure).")
        kept = self._keep_plot(plain_name, plot, where) if path is None else self._keep_image(path, where)
        self._recorder.document(plain_name, "image", {"path": kept}, _text(description))

    def log_confusion_matrix(self, name: str, value: "Mapping[str, object] | str", description: str = "") -> None:
        """Log a confusion matrix: a dict or JSON text with ``class_labels`` and ``matrix`` under ``data``."""
        self._log_document("confusion_matrix", name, value, description)

    def log_accuracy_table(self, name: str, value: "Mapping[str, object] | str", description: str = "") -> None:
        """Log an accuracy table: a dict or JSON text, ROC and precision-recall curves are drawn from it."""
        self._log_document("accuracy_table", name, value, description)

    def log_residuals(self, name: str, value: "Mapping[str, object] | str", description: str = "") -> None:
        """Log a histogram of residuals: a dict or JSON text with ``bin_edges`` and ``bin_counts`` under ``data``."""
        self._log_document("residuals", name, value, description)

    def log_predictions(self, name: str, value: "Mapping[str, object] | str", description: str = "") -> None:
        """Log predicted against true values in bins: a dict or JSON text."""
        self._log_document("predictions", name, value, description)

    def get_metrics(
        self, name: str | None = None, recursive: bool = False, run_type: str | None = None, populate: bool = False
    ) -> dict[str, object]:
        """Give what was logged, everything that a ``log`` call returned from included.

        A value that was logged once comes bare, several as a list in log order; rows and tables as a dict of columns.
        Images and JSON documents come as their address, or with *populate* as a MetricFile.

        Args:
            name: Only this metric; an unknown one gives an empty dict.
            recursive: Give ``{run_id: metrics}`` for this run and all below it that have metrics.
            run_type: With *recursive*, only descendants of this type.
            populate: Read images and documents.

        Raises:
            Unavailable: The store cannot be read now.
        """
        client = self._link.fresh_client()
        columns = client.values(self.id, name, recursive=recursive, run_type=run_type)

        def to_file(run_id: str, point: MetricPoint) -> "str | MetricFile":
            return metric_file(client, run_id, point) if populate else address_of(run_id, point)

        found = old_shapes(filter(is_logged, columns), to_file)
        return dict(found) if recursive else found.get(self.id, {})

    def get_series(self, name: str | None = None) -> list[MetricSeries]:
        """Give every point with its step and time, a series for each metric and column; always lists.

        What a ``log`` call returned from is in it. Raises Unavailable.
        """
        return series_of(filter(is_logged, self._link.fresh_client().points(self.id, name)))

    def _log_rows(self, name: str, kind: str, rows: "list[dict[str, Scalar]]", description: str | None) -> None:
        look_at_call(self._link.outlet, self._recorder.key, "rows", len(rows))
        numeric = all(is_number(cell) for cells in rows for cell in cells.values())
        for cells in rows:
            self._recorder.row(name, kind, cells, _text(description), numeric=numeric)

    def _log_document(self, kind: str, name: str, value: object, description: str) -> None:
        where = f"run.log_{kind}({name!r})"
        self._recorder.document(to_name(name, where), kind, to_document(value, where), _text(description))

    def _keep_plot(self, name: str, plot: object, where: str) -> str:
        if not is_drawable(plot):
            raise InvalidArgument(f"{where}: plot must have a savefig method (pyplot or a figure), got {plot!r}.")
        # Nanoseconds that rise: two plots of one name never get the same file.
        path = f"{name.replace('/', '_')}_{self._recorder.now_unix_nano()}.png"
        self._keep(path, draw(plot), "image/png")
        return path

    def _keep_image(self, path: object, where: str) -> str:
        if not isinstance(path, str | os.PathLike):
            raise InvalidArgument(f"{where}: path must name an image file, got {path!r}.")
        media_type = find_image_type(Path(path))
        if media_type is None:
            raise InvalidArgument(
                f"{where}: {os.fspath(path)!r} is not a PNG, JPEG, GIF, BMP, TIFF, WebP, PNM or SVG image."
            )
        is_inside = not Path(path).is_absolute() and ".." not in Path(path).parts
        kept = Path(path).as_posix() if is_inside else Path(path).name
        self._keep(kept, Path(path), media_type)
        return kept


def _text(description: object) -> str:
    return "" if description is None else str.__str__(description) if isinstance(description, str) else str(description)
