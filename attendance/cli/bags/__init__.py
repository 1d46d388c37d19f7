"""``rollcall verify`` of a period export: a folder or an archive that anybody may have written (docs/formats.md)."""
