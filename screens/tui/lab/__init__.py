"""The lab: a test edit chosen, checked, sent, watched and looked at."""
