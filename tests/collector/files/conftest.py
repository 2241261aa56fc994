import pytest
from file_reading import Reading


@pytest.fixture
def follow(tmp_path):
    """Give a function that starts to follow ``*.log*`` in tmp_path, from the beginning unless told otherwise."""
    made = []

    def start(**settings):
        made.append(Reading(tmp_path, settings).start())
        return made[-1]

    yield start
    for reading in made:
        reading.stop()


@pytest.fixture
def log(tmp_path):
    """The path of a log file; nothing is there yet."""
    return tmp_path / "app.log"


@pytest.fixture
def append():
    def append(path, text):
        with path.open("ab") as file:
            file.write(text.encode() if isinstance(text, str) else text)

    return append
