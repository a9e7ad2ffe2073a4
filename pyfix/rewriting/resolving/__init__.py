"""The rules by which trivial-rewrite(8) completes addresses and finds where their mail goes.

They stand apart from the daemon because ``postfix check --doctor`` asks them too, while nothing runs.
"""
