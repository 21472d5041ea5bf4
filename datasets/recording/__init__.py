"""One recording: its file, its events, its windows, and how they are prepared and kept."""
