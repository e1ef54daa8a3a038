"""One cycle, one file a step: plan, scan, judge, track, deliver, report."""
