"""What is installed: the bare package is light, the wheel is whole, `make` and the entry point say what they need."""

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

HEAVY = {
    "collector or store": {"duckdb", "pyarrow", "google", "obstore"},
    "web": {"fastapi", "starlette", "uvicorn", "httptools", "httpx", "jinja2", "pydantic"},
    "plotting": {"plotly", "matplotlib"},
    "YAML": {"yaml"},
    "command line": {"typer"},  # structlog loads rich where it is installed
    "arrays": {"numpy", "pandas"},
}


def loaded_by(code: str) -> set[str]:
    """Give the top-level names a fresh interpreter has loaded after *code*."""
    report = f"{code}\nimport json, sys\nprint(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("what", HEAVY)
def test_the_app_side_loads_nothing_heavy(what: str, home: Path):
    """A program that logs through runmill pays for no package of the server, not even once it logs."""
    code = (
        "import logging, runmill, runmill.structlog\n"
        "logging.basicConfig(handlers=[runmill.Handler()], level=10)\n"
        "logging.info('hello')"
    )
    assert loaded_by(code) & HEAVY[what] == set()


def test_the_command_without_its_extra_says_what_to_install():
    """Status 2 and the install command, no traceback."""
    code = "import sys\nsys.modules['duckdb'] = sys.modules['typer'] = None\nfrom runmill.__main__ import main\nmain()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    message = (
        "runmill: the command line needs packages that are not installed: duckdb, typer.\n"
        "Install them with: pip install 'runmill[server]'\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (2, "", message)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[set[str], set[str]]:
    """The names in the wheel and in the source archive."""
    hatchling = pytest.importorskip(
        "hatchling.build", reason="hatchling is not installed here; pip builds with its own"
    )
    folder = tmp_path_factory.mktemp("dist")
    before = Path.cwd()
    os.chdir(ROOT)  # build backends build the current directory
    try:
        wheel, archive = hatchling.build_wheel(str(folder)), hatchling.build_sdist(str(folder))
    finally:
        os.chdir(before)
    with zipfile.ZipFile(folder / wheel) as files, tarfile.open(folder / archive) as sources:
        assert files.read("runmill/collector/collector-config.yaml") == (ROOT / "collector-config.yaml").read_bytes()
        return set(files.namelist()), {name.partition("/")[2] for name in sources.getnames()}


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_the_package(built: tuple[set[str], set[str]]):
    """Templates, styles, scripts, the default configuration, the demo's example, the type marker."""
    package = ROOT / "src" / "runmill"
    there = {f"runmill/{path.relative_to(package)}" for path in package.rglob("*") if path.is_file()}
    assert {name for name in there if "__pycache__" not in name} - built[0] == set()
    assert {"runmill/py.typed", "runmill/cli/ridge_diabetes.py"} <= built[0]


@pytest.mark.slow
def test_the_source_archive_builds_alone(built: tuple[set[str], set[str]]):
    """Readme, licence, and what the package's links point to are in it."""
    assert {"README.md", "LICENSE", "collector-config.yaml", "examples/ridge_diabetes.py"} <= built[1]


def test_make_refuses_an_old_python_in_words():
    """Where no candidate is new enough, make says which were tried and how to name another."""
    done = subprocess.run(
        ["make", "VENV=/nonexistent/venv", "PYTHON=no-such-python", "test"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "runmill needs Python 3.11 or newer; none of these is: no-such-python." in done.stderr
