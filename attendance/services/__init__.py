"""What Rollcall does. A service is a frozen dataclass of ports and owns its transaction."""
