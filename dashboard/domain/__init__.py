"""Values and rules of the dashboard's own accounts: users, roles, permissions, sessions, activity. Pure."""
