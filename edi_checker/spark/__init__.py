"""Spark: claims of a lake as DataFrames, and the crew of a batch. Needs pyspark."""

from edi_checker.spark.lake import Tables, check

__all__ = ["Tables", "check"]
