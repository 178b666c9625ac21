"""What the published test vectors are made from. It shares no encoder with the library that they test."""
