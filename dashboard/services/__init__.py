"""Use cases: frozen dataclasses of ports, and all of them together as the app gets them."""

from __future__ import annotations

from dashboard.services.all_services import DashboardServices, services_of

__all__ = ["DashboardServices", "services_of"]
