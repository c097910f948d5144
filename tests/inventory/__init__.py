"""The inventory of the model folders."""
