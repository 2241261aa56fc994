"""The pages: HTML that is complete without script, then small modules that keep it alive."""
