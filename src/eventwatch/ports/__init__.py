"""What the pipeline asks of the outside. Adapters implement these; ``tests/conformance`` runs on each."""
