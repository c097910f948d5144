"""The door to pictures: what a file is, a small one of it, one to send; Pillow stays in here."""
