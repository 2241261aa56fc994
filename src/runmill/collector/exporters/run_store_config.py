"""What the YAML says of the exporter ``run_store``."""

from pydantic import Field

from runmill.collector.values import Duration, Section, Size

__all__ = ["RetentionConfig", "RunStoreConfig"]


class RetentionConfig(Section):
    """What the store removes by itself, whole runs at a time; by default nothing. Runs at work always stay."""

    max_age: Duration | None = Field(default=None, gt=0)
    """Runs silent for longer go, such as `90d`, and log records of no run that are older."""
    max_size_bytes: Size | None = Field(default=None, gt=0)
    """The oldest runs go until the tables take about this, such as `50GB`; files of runs are not counted."""
    check_interval: Duration = Field(default=3600.0, gt=0)
    """How often to look; first at the start."""


class RunStoreConfig(Section):
    """Where the store is, and how batches are grouped into commits."""

    url: str
    """A folder, or what else the run store opens."""
    commit_interval: Duration | None = None
    """The longest pause between two commits; it is shorter where they are quick or few. None: as the store likes."""
    commit_records: int | None = Field(default=None, ge=1)
    """So many waiting records are committed without a pause. None: as the store likes."""
    max_waiting_bytes: Size = 256 * 2**20
    """Beyond this, batches are refused until the store has caught up: senders keep them and wait."""
    memory_limit: Size = 512 * 2**20
    """What the store's engine may hold in memory before it writes to disk; the portal's queries share it."""
    retention: RetentionConfig = RetentionConfig()
