"""``docker``: what containers print, from the Engine API of Docker and podman."""
