"""Plots of measured series for reports: the one door to matplotlib, and text where it is not."""
