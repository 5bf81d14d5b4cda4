"""Accounts: who may log in, what a role may do, and who it is that acts here."""

from workbench.accounts.actor import ROLES, Actor, Role, current_actor

__all__ = ["ROLES", "Actor", "Role", "current_actor"]
