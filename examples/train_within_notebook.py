"""Log a run from a notebook: each part of this file is a cell.

Nothing is submitted: the run is started, logged to and completed where the cells run.
"""

# %% The workspace, and a run in an experiment of it
from pathlib import Path

import joblib
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import train_test_split

from runmill import Experiment, Workspace

workspace = Workspace.from_config()
experiment = Experiment(workspace, "train-within-notebook")
run = experiment.start_logging()

# %% The data
features, target = load_diabetes(return_X_y=True)
train_x, test_x, train_y, test_y = train_test_split(features, target, test_size=0.2, random_state=0)

# %% Train, and log what went in and what came out
ALPHA = 0.03
run.log("alpha", ALPHA)
run.tag("data", "diabetes")

model = Ridge(alpha=ALPHA).fit(train_x, train_y)
mse = mean_squared_error(test_y, model.predict(test_x))
print("Mean squared error is", mse)
run.log("mse", mse)

# %% Keep the model with the run
model_file = Path("outputs") / "model.pkl"  # start_logging made the folder
joblib.dump(model, model_file)
run.upload_file(name=str(model_file), path_or_stream=str(model_file))

# %% Done
run.complete()
print(run.get_metrics(), run.get_file_names())
print(run.get_portal_url())
