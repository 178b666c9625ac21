"""Rules that countries wrote otherwise than the EU's, each behind one question: good or not, from when until when, why.

They are made by :func:`healthcert.rules.national.registry.national_rules`.
"""
