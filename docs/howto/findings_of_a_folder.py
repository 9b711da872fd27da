"""Findings of a folder of claim files, as a notebook: once through Parquet and DuckDB, once through Spark.

Its cells begin with `# %%`: VS Code, PyCharm and Spyder run them one by one, jupytext makes a notebook of it,
and `python docs/howto/findings_of_a_folder.py` runs it as a whole. Put the folder of your claims in CLAIMS.

    pip install 'edi-checker[parquet,spark]' duckdb
"""

# %%
import os
import subprocess
import sys

CLAIMS = "samples/837p/faulty"  # for Spark also s3a://..., hdfs://...
TABLES = "tables"  # where the Parquet files go
RECEIVED = "2026-09-30"  # the date of receipt

# %% [markdown]
# ## Through Parquet
#
# `edi-checker facts` checks the files on this machine and writes tables, without what names patients.

# %%
words = ["facts", CLAIMS, "--received", RECEIVED, "--to", "parquet", "--out-dir", TABLES]
done = subprocess.run([sys.executable, "-m", "edi_checker", *words], check=False)
# 0: everything is in the tables; 2: a file could not be checked, and the table `files` says why.
print("exit code", done.returncode)

# %% [markdown]
# What is found most, and in how many files:

# %%
import duckdb

most = duckdb.sql(f"""
    SELECT rule, severity, count(*) AS findings, count(DISTINCT file) AS files
    FROM '{TABLES}/findings.parquet'
    GROUP BY ALL ORDER BY findings DESC, rule, severity LIMIT 10
""")
most.show()

# %% [markdown]
# Which payer's claims would be rejected, and how much money is that:

# %%
duckdb.sql(f"""
    SELECT payer_name, count(*) AS claims, sum(charge) AS dollars
    FROM '{TABLES}/claims.parquet'
    WHERE outcome = 'rejected'
    GROUP BY ALL ORDER BY dollars DESC LIMIT 5
""").show()

# %% [markdown]
# ## Through Spark
#
# The same tables as DataFrames, made by the executors. In a notebook of a cluster `spark` is there already.

# %%
from pyspark.sql import SparkSession
from pyspark.sql import functions as f

from edi_checker.run.setting import CheckSetting
from edi_checker.spark import check

os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # executors need the Python of this notebook
spark = SparkSession.builder.appName("findings").getOrCreate()
tables = check(spark, CLAIMS, CheckSetting(received=int(RECEIVED.replace("-", ""))))

# %%
counted = (
    tables.findings.groupBy("rule", "severity")
    .agg(f.count("*").alias("findings"), f.countDistinct("file").alias("files"))
    .orderBy(f.desc("findings"), "rule", "severity")
    .limit(10)
)
counted.show(truncate=False)

# %% [markdown]
# Files that could not be checked, with the reason. Spark takes every file of the folder for a claim file:

# %%
tables.files.where(f.col("outcome") == "not_checked").select("file", "reason").show(truncate=False)

# %% [markdown]
# Both ways say the same:

# %%
print("the same:", [tuple(row) for row in counted.collect()] == most.fetchall())
tables.source.unpersist()
spark.stop()
