"""The services view: what runs and how, what would fit where, and which layouts there are."""
