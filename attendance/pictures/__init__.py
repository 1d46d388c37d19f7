"""Pictures that Discord shows. Drawn by Pillow, off the event loop."""
