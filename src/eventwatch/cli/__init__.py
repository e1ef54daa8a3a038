"""The commands: each parses, calls the app, prints, and maps what happened to an exit code."""
