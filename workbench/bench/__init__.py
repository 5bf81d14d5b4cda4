"""What `workbench bench` measures: figures, pages and saves, on servers of its own, beside baselines of one run."""

from workbench.bench.kinds import KINDS, Kind, judged
from workbench.bench.page import written
from workbench.bench.run import Measured, bench

__all__ = ["KINDS", "Kind", "Measured", "bench", "judged", "written"]
