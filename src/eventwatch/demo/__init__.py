"""A marketplace that was made up, with a stated list of things that go wrong in it."""

from eventwatch.demo.incidents import Planted
from eventwatch.demo.write import DemoSummary, demo_files, write

__all__ = ["DemoSummary", "Planted", "demo_files", "write"]
