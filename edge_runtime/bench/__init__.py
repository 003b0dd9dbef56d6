"""Measure this machine: models, frame loop, memory and start. Nothing here is a test."""
