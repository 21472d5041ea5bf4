"""The report as one HTML page that opens offline; ``page.SECTIONS`` lists what it holds."""
