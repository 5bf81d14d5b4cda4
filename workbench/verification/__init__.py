"""Verification: every metric on every engine at one token, and what differs."""

from workbench.verification.record import last, save
from workbench.verification.run import Difference, Verification, verify

__all__ = ["Difference", "Verification", "last", "save", "verify"]
