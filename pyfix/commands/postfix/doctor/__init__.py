"""``postfix check --doctor``: what people really get wrong, found before their users find it.

Nothing here is imported unless it is asked for, and nothing is changed, logged or sent anywhere but to the sockets
that the configuration itself names.  ``checks/`` has one check a module; ``registry.py`` lists them.
"""
