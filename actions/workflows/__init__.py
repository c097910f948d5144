"""Workflows: graphs of nodes, made for a variant and checked before a server is sent one."""
