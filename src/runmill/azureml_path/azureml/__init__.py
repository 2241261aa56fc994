"""Stands where a program looks for Azure ML's package, in a process started with this folder on PYTHONPATH."""

from runmill.azureml import install

install(replace=True)
