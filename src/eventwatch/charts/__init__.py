"""Pictures of a trace: one specification for PNG, SVG and JSON, and a plot for terminals."""
