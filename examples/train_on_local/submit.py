"""Submit train.py, with everything in its folder, as a run of its own; watch it, and find the best model."""

from pathlib import Path

from runmill import Environment, Experiment, ScriptRunConfig, Workspace

workspace = Workspace.from_config()
experiment = Experiment(workspace, "train-on-local")

# The Python that submits runs the script, with what is installed there; interpreter_path names another one.
environment = Environment("user-managed-env")
environment.python.user_managed_dependencies = True

config = ScriptRunConfig(source_directory=Path(__file__).parent, script="train.py")
config.run_config.environment = environment

run = experiment.submit(config)  # returns at once
print(run)
run.wait_for_completion(show_output=True)

metrics = run.get_metrics()
best_mse, best_alpha = min(zip(metrics["mse"], metrics["alpha"], strict=True))
print(f"the best alpha is {best_alpha:.2f}, with an mse of {best_mse:.2f}")

run.download_file(f"outputs/ridge_{best_alpha:.2f}.pkl", "best_model.pkl")
print(f"its model is best_model.pkl; the run is at {run.get_portal_url()}")
