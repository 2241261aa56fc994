"""MLflow's tracking API over the run store: what its client logs is a run like any other."""
