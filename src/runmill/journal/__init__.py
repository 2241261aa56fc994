"""The app side's only queue: memory-mapped segment files that outlive the process that wrote them."""
