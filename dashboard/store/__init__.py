"""The dashboard's own database: users, sessions, roles, bans, activity. Nothing of any guild."""
