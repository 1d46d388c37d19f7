"""Slash commands: what Discord sends when a member uses one, and what is answered. `desk` is where it begins."""
