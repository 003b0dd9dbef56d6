"""Exchange the Debian package for another version, and take it back where that one does not run.

Of the standard library alone: all of it, with the few modules it uses, is also the program that
mends after a power cut, when the installed files may be half of one version and half of another.
"""
