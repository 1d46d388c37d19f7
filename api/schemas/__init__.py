"""What goes over the wire: msgspec structs, one file a noun."""
