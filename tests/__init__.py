"""The tests mirror minicnn/: minicnn/ops/pool.py is tested by tests/ops/test_pool.py."""
