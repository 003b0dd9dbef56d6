"""Builds the rooms from one Config, connects them, runs them and closes them.

The only room that knows every other; threads are made here and nowhere else.
"""
