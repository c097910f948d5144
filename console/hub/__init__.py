"""The door to the Hugging Face hub: what a file there is, and its bytes."""
