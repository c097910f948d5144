"""Services: which there are, in what state, on which card, with what evidence."""
