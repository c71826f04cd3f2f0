"""What `manage.py bench` measures, one subject per file: each has `measure()`."""
