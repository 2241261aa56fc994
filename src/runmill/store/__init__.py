"""Where runs live: append-only tables, a run's state as a fold over its events. Engines sit behind one protocol."""
