"""How workspaces, experiments and runs show themselves: lines in a terminal, a one-row table in a notebook."""

from collections.abc import Mapping
from html import escape

__all__ = ["html_table", "text_form"]


def text_form(kind: str, facts: Mapping[str, object]) -> str:
    """Give ``Run(Experiment: x,`` and a line for each further fact."""
    return f"{kind}(" + ",\n".join(f"{name}: {fact}" for name, fact in facts.items()) + ")"


def html_table(facts: Mapping[str, object], links: Mapping[str, tuple[str, str]]) -> str:
    """Give a table of one row; *links* are column -> (text, address). Everything is escaped: names are users' text."""
    cells = [escape(str(fact)) for fact in facts.values()]
    cells += [
        f'<a href="{escape(address)}" target="_blank" rel="noopener">{escape(text)}</a>'
        for text, address in links.values()
    ]
    heads = "".join(f"<th>{escape(name)}</th>" for name in (*facts, *links))
    return f'<table style="width:100%"><tr>{heads}</tr><tr>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr></table>'
