"""Tests of moving services and of switching layouts: the plan, what is done, the way back."""
