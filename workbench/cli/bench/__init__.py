"""`workbench bench`: figures, pages and saves, on servers of its own, beside baselines of one run."""
