"""What was withdrawn: asked by identifier, answered from lists that were fetched before, never over the network."""
