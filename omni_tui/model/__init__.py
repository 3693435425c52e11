"""The nouns: frozen, typed values with no I/O.

Times are UTC seconds since the epoch (`float`), durations seconds, sizes bytes, unless a name says otherwise.
"""
