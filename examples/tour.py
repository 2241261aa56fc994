"""Every kind of thing a run can log, once: open the run's page beside this file."""

from pathlib import Path

from runmill import Experiment, Workspace

run = Experiment(Workspace.from_config(), "tour").start_logging()

# A value, a curve, a curve at once.
run.log("samples", 442)
for step in range(1, 11):
    run.log("loss", 1 / step, "mean squared error", step=step * 100)
run.log_list("fibonacci", [0, 1, 1, 2, 3, 5, 8])

# Text is a value too; it can be searched for and grouped by.
run.log("optimizer", "adam")

# Rows and tables of one name append to each other; of two numeric columns one is drawn over the other.
for epoch in range(3):
    run.log_row("accuracy", epoch=epoch, train=0.7 + 0.1 * epoch, test=0.65 + 0.08 * epoch)
run.log_table("sine", {"angle": [0.0, 1.57, 3.14], "sine": [0.0, 1.0, 0.0]})
run.log_table("answers", {"question": ["2 + 2", "capital of France"], "answer": ["4", "Paris"], "right": [True, True]})

# An image: a file, or a Matplotlib figure given as plot=.
Path("outputs/square.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"><rect width="90" height="90"/></svg>')
run.log_image("square", path="outputs/square.svg")

# Documents that are drawn for what they are.
run.log_confusion_matrix(
    "errors",
    {
        "schema_type": "confusion_matrix",
        "schema_version": "1.0.0",
        "data": {"class_labels": ["cat", "dog"], "matrix": [[21, 4], [3, 22]]},
    },
)
run.log_residuals(
    "residuals",
    {
        "schema_type": "residuals",
        "schema_version": "1.0.0",
        "data": {"bin_edges": [-2, -1, 0, 1, 2], "bin_counts": [3, 20, 18, 4]},
    },
)

# What belongs to the run as a whole. What is in ./outputs when it ends is kept.
run.tag("kind", "tour")
run.add_properties({"author": "examples"})
run.description = "One of each."
Path("outputs/notes.txt").write_text("kept with the run\n")
run.complete()

for name, value in run.get_metrics().items():
    print(f"{name}: {value}")
print(f"files: {', '.join(run.get_file_names())}")
