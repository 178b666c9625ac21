"""Text to barcode and back. Nothing here knows what the text says."""
