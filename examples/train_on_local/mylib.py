"""What train.py shares with other scripts of its folder: the whole folder is submitted."""

import numpy as np


def get_alphas():
    """Give the regularisation strengths to try: 0.0, 0.05, ... 0.95."""
    return np.arange(0.0, 1.0, 0.05)
