"""The part of a Run that says how it stands, ends it and waits for its end."""
# ruff: noqa: FBT001, FBT002 - the signatures are those of Azure ML v1

import traceback
from dataclasses import replace
from typing import Any, Final

from runmill import model
from runmill.app.runs.active import active_runs
from runmill.app.runs.details import details_of
from runmill.app.runs.run_files import FileCalls
from runmill.app.runs.waiting import wait_for_end
from runmill.errors import InvalidArgument
from runmill.journal.records import EVENT, Event
from runmill.journal.wills import Will
from runmill.otlp import runs

__all__ = ["ENDED_STATUSES", "SCRIPT_RUN_TYPE", "EndCalls"]

ENDED_STATUSES: Final = frozenset({"Completed", "Failed", "Canceled"})
SCRIPT_RUN_TYPE: Final = "azureml.scriptrun"
"""The type that Azure ML v1 gave to runs of submitted scripts; programs filter by it."""
_END_FLUSH_SECONDS: Final = 5.0
_DIED: Final = (
    "the run's process died without a word: it was killed (by a signal, for want of memory, with its machine) or left "
    "by os._exit"
)


class EndCalls(FileCalls):
    """Ending a run never fails for the network's sake: what could not be delivered in time is delivered later."""

    _sets_status: bool
    """False in a launched script: whoever launched it knows the exit code and says how the run ended."""

    @property
    def status(self) -> str:
        """The status as last known here; ``get_status`` asks the store."""
        return self._state.status

    def get_status(self) -> str:
        """Read the status, unless the run is known to have ended. Raises Unavailable."""
        return self.status if self.status in ENDED_STATUSES else self._refresh().status

    def get_detailed_status(self) -> dict[str, Any]:
        """Read the status and, of a failed run, the error."""
        return {"status": self.get_status(), "details": dict(self._state.error or {})}

    def start(self) -> None:
        """Say that the run is at work."""
        self._update({"status": "Running"}, status="Running")

    def complete(self, _set_status: bool = True) -> None:
        """Upload the outputs folder and end the run as Completed; a second end changes nothing."""
        self._end("Completed", None, says_status=_set_status)
        self._deliver()

    def fail(
        self,
        error_details: "str | BaseException | None" = None,
        error_code: str | None = None,
        _set_status: bool = True,
    ) -> None:
        """End the run as Failed, with what is known of the reason.

        Args:
            error_details: Text, or the exception: its type and traceback are kept too.
            error_code: A word for the kind of error; ``UserError`` by default.

        Raises:
            InvalidArgument: *error_details* is something else.
        """
        self._end("Failed", _error(error_details, error_code), says_status=_set_status)
        self._deliver()

    def cancel(self) -> None:
        """End the run as Canceled.

        A script that was submitted is asked to end: by SIGTERM, by SIGKILL if it goes on. That takes a moment;
        ``wait_for_completion`` tells when it is done.
        """
        if self._is_run_elsewhere() and self._state.status not in ENDED_STATUSES:
            self._update({"status": "CancelRequested"}, status="CancelRequested")
        else:
            self._end("Canceled", None, says_status=True)
        self._deliver()

    def flush(self, timeout_seconds: float = 300) -> None:
        """Return when the store has everything that was logged. Raises Unavailable when that takes longer.

        Nothing needs this to be safe: it is for handing over to another process that reads at once.
        """
        self._link.flush(timeout_seconds)

    def get_details(self) -> dict[str, Any]:
        """Give the facts of the run under the keys of Azure ML v1. Raises Unavailable."""
        return details_of(self._refresh(), self._log_names(), self._link.client())

    def get_details_with_logs(self) -> dict[str, Any]:
        """Give the same with the text of each log file in place of its address."""
        details = self.get_details()
        client = self._link.client()
        texts = {name: client.file_bytes(self.id, name).decode(errors="replace") for name in details["logFiles"]}
        return {**details, "logFiles": texts}

    def wait_for_completion(
        self, show_output: bool = False, wait_post_processing: bool = False, raise_on_error: bool = True
    ) -> dict[str, Any]:
        """Return ``get_details()`` when the run has ended, within a second of its end.

        Args:
            show_output: Print the run's log lines as they come, and a summary.
            wait_post_processing: The outputs are there when a run ends, so this makes no difference.
            raise_on_error: Raise when the run failed; else its error is in the details.

        Raises:
            RunFailed: The run failed; the text is its error.
            Unavailable: The store cannot be read.
        """
        del wait_post_processing
        self._link.flush()
        wait_for_end(
            self._link.client(),
            self.id,
            self._link.portal,
            show_output=show_output,
            raises=raise_on_error,
            before_look=self._before_look,
        )
        return self.get_details()

    def _before_look(self) -> None:
        """Nothing, where somebody else says how the run ends; of a submitted script see `ScriptRun`."""

    def _is_run_elsewhere(self) -> bool:
        """Say whether a launcher watches over it, who alone can end it."""
        return self._state.type == SCRIPT_RUN_TYPE or not self._sets_status

    def _end(self, status: model.RunStatus, error: "dict[str, Any] | None", *, says_status: bool) -> None:
        if self._state.status in ENDED_STATUSES:
            return
        self._keep_outputs()
        if says_status and self._sets_status:
            body: dict[str, Any] = {"status": status, **({"error": error} if error else {})}
            # First of all its will is revoked: a process killed between the two leaves a run without an end, which is
            # less wrong than one with the wrong end.
            active_runs().remove(self._recorder.key)
            ended = self._recorder.event(runs.ENDED, body)
            self._state = replace(self._state, status=status, end_time_unix_nano=ended, error=error)

    def _deliver(self) -> None:
        # Not `flush`, which raises: it is in the journal, and a collector that is away is no fault of the run's.
        self._link.outlet.flush(_END_FLUSH_SECONDS)

    def _end_with_process(self, error: BaseException | None) -> None:
        """End as the process does, Completed when *error* is None; the outlet delivers at its own exit."""
        if error is None:
            self._end("Completed", None, says_status=True)
        else:
            self._end("Failed", _error(error, None), says_status=True)

    def _leave_will(self) -> Will | None:
        error = {"code": "ProcessDied", "message": _DIED}
        event = Event(EVENT, 0, self._recorder.key, runs.ENDED, {"status": "Failed", "error": error}, None)
        return self._link.outlet.leave_will(tuple(event), name=self.id)


def _error(details: "str | BaseException | None", code: str | None) -> dict[str, Any]:
    known: dict[str, Any] = {"code": code or "UserError"}
    if details is None:
        return known
    if isinstance(details, str):
        return {**known, "message": str.__str__(details)}
    if isinstance(details, BaseException):
        name = type(details).__name__
        return {
            **known,
            "message": f"{name}: {details}" if str(details) else name,
            "debug_type": name,
            "debug_message": str(details),
            "debug_stack_trace": "".join(traceback.format_exception(details)),
        }
    raise InvalidArgument(f"run.fail: error_details must be text or an exception, got {details!r}.")
