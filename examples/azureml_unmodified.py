"""A script as it was written for Azure ML SDK v1, which need not be installed: not a line of it knows runmill.

Run it with ``runmill run --azureml -- python azureml_unmodified.py``.
"""
# ruff: noqa: PTH103, PTH118, UP030, UP032 - as such scripts are written

import os

import joblib
import numpy as np
from azureml.core.run import Run
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import train_test_split

os.makedirs("./outputs", exist_ok=True)

X, y = load_diabetes(return_X_y=True)

run = Run.get_context()

X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=0)
data = {"train": {"X": X_train, "y": y_train}, "test": {"X": X_test, "y": y_test}}

for alpha in np.arange(0.0, 1.0, 0.05):
    reg = Ridge(alpha=alpha)
    reg.fit(data["train"]["X"], data["train"]["y"])

    preds = reg.predict(data["test"]["X"])
    mse = mean_squared_error(preds, data["test"]["y"])
    run.log("alpha", alpha)
    run.log("mse", mse)

    model_file_name = "ridge_{0:.2f}.pkl".format(alpha)
    joblib.dump(value=reg, filename=os.path.join("outputs", model_file_name))
    run.upload_file(name="outputs/" + model_file_name, path_or_stream="./outputs/" + model_file_name)

    print("alpha is {0:.2f}, and mse is {1:0.2f}".format(alpha, mse))
