"""From results to what people are told: state, routing, silence, message. Pure throughout."""
