"""The dashboard: an application of its own that reaches the API over HTTP only."""
