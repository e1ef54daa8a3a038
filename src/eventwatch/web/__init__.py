"""What the daemon shows over HTTP: whether it lives, whether it is ready, its metrics."""
