"""Vectors by factorisation: ProNE and LightNE."""

from weft.embed.factor.method import Factor
from weft.embed.factor.plan import FactorPlan, Request
from weft.embed.factor.run import factor_plan, factorise

__all__ = ["Factor", "FactorPlan", "Request", "factor_plan", "factorise"]
