"""Train one Ridge regression per alpha on scikit-learn's diabetes data; log alpha, error and model of each.

Submitted by submit.py. By hand, ``python train.py`` logs to a run of its own.
"""

from pathlib import Path

import joblib
import mylib
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import train_test_split

from runmill import Run

run = Run.get_context()

features, target = load_diabetes(return_X_y=True)
train_x, test_x, train_y, test_y = train_test_split(features, target, test_size=0.2, random_state=0)

# What is written here is collected when the run ends.
outputs = Path("outputs")
outputs.mkdir(exist_ok=True)

for alpha in mylib.get_alphas():
    model = Ridge(alpha=alpha).fit(train_x, train_y)
    mse = mean_squared_error(test_y, model.predict(test_x))
    run.log("alpha", alpha)
    run.log("mse", mse)

    model_file = outputs / f"ridge_{alpha:.2f}.pkl"
    joblib.dump(model, model_file)

    print(f"alpha is {alpha:.2f}, and mse is {mse:.2f}")
