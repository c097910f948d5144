"""Tests of workflows: what is built, what is found in a graph, what a check says."""
