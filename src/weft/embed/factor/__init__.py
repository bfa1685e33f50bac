"""Vectors by factorisation: ProNE and LightNE."""

from weft.embed.factor.method import Factor
from weft.embed.factor.plan import METHODS, FactorPlan, Request
from weft.embed.factor.run import factor_plan, factorise

__all__ = ["METHODS", "Factor", "FactorPlan", "Request", "factor_plan", "factorise"]
