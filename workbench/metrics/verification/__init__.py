"""Verification: every metric on every engine at one token, and what differs."""

from workbench.metrics.verification.run import Difference, Verification, last, save, verify

__all__ = ["Difference", "Verification", "last", "save", "verify"]
