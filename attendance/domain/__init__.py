"""Values and rules that know nothing of databases, networks or clocks."""
