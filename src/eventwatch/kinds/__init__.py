"""Check kinds, one file each. A kind judges one exposure at one instant and is pure.

To add one: write ``kinds/<name>.py`` with a ``Check`` subclass and a ``judge`` function, add its name
to ``KindName`` and its entry to ``registry.KINDS`` and to the ``AnyCheck`` union.
"""
