"""Pure functions from values to inline SVG. They hold no words: titles, labels and texts come in."""
