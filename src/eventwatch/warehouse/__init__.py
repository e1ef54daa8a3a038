"""The exposure reader, on Ibis. ``reader.IbisWarehouse`` is the entrance, the rest its own business."""
