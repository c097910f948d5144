"""The door to what lies in model folders: what each file is, by its header, place and name."""
