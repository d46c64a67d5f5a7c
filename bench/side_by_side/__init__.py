"""Measures holdfast side by side with HAProxy and nginx. Start reading at scenarios.py; bench/run is the command."""
