"""Tables made by the scripts in ``tools/`` from published sources. Never edited by hand."""
