"""What users can call, set or type is in the documentation."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

import runmill
import runmill.json
import runmill.otel
import runmill.structlog
import runmill.testing
from runmill import columns
from runmill.cli.app import app
from runmill.otlp import runs

ROOT = Path(__file__).parents[1]
DOCS = {path.name: path.read_text() for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]}
EVERYTHING = "\n".join(DOCS.values())


def commands(command: object, *path: str) -> Iterator[tuple[str, object]]:
    below = getattr(command, "commands", {})
    if not below:
        yield " ".join(path), command
    for name, each in below.items():
        yield from commands(each, *path, name)


COMMANDS = dict(commands(typer.main.get_command(app), "runmill"))


@pytest.mark.parametrize("command", COMMANDS)
def test_command_and_its_options_are_documented(command: str):
    """A command has a section in docs/cli.md that names each of its options."""
    heading = re.search(rf"^### `({re.escape(command)}( .*)?)`$", DOCS["cli.md"], re.MULTILINE)
    assert heading, f"{command} has no section"
    options = {option for parameter in COMMANDS[command].params for option in parameter.opts if option.startswith("-")}
    assert {option for option in options - {"--help"} if option not in re.split(r"[\s\[\]|]", heading[1])} == set()


MODULES = [runmill, runmill.json, runmill.otel, runmill.structlog, runmill.testing]


@pytest.mark.parametrize("name", [name for module in MODULES for name in module.__all__])
def test_public_name_is_documented(name: str):
    """Every public name is in the README or in docs/."""
    assert re.search(rf"\b{re.escape(name)}\b", EVERYTHING)


@pytest.mark.parametrize(
    "name", sorted(value for key, value in vars(runs).items() if key.isupper() and isinstance(value, str))
)
def test_wire_name_is_documented(name: str):
    """Every attribute, event and header of a run is in docs/conventions.md."""
    assert f"`{name}`" in DOCS["conventions.md"]


def variables() -> set[str]:
    sources = (path.read_text() for path in (ROOT / "src").rglob("*.py"))
    return {name for source in sources for name in re.findall(r'"((?:RUNMILL|OTEL)_[A-Z_]+[A-Z])"', source)}


def test_environment_variables_are_documented():
    """Every variable the code reads is in docs/configuration.md."""
    assert {name for name in variables() if f"`{name}" not in DOCS["configuration.md"]} == set()


@pytest.mark.parametrize("name", DOCS)
def test_snippet_imports_the_modules_it_uses(name: str):
    """`import runmill` alone brings no `runmill.structlog`; what stands in quotes is imported by who reads it."""
    snippets = re.findall(r"^```python\n(.*?)^```", DOCS[name], re.DOTALL | re.MULTILINE)
    used = [(text, module) for text in snippets for module in re.findall(r'(?<!["\w])runmill\.([a-z]+)\.', text)]
    modules = {module.__name__.removeprefix("runmill.") for module in MODULES}
    assert [
        (text, module) for text, module in used if module in modules and f"import runmill.{module}\n" not in text
    ] == []


@pytest.mark.parametrize("name", DOCS)
def test_links_lead_somewhere(name: str):
    """A relative link in the documentation names a file that is there."""
    folder = ROOT if name == "README.md" else ROOT / "docs"
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", DOCS[name])
    assert [target for target in targets if not (folder / target).exists()] == []


@pytest.mark.parametrize("table", ["LOGS", "POINTS", "EVENTS", "ARTIFACTS", "RESOURCES"])
def test_column_of_the_store_is_documented(table: str):
    """Every column that SQL can ask for is in docs/store.md."""
    assert [name for name in getattr(columns, table).names if f"`{name}`" not in DOCS["store.md"]] == []
