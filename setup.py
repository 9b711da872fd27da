"""The native module, which setup.cfg cannot name. Without a compiler the package is installed without it."""

import sysconfig

from setuptools import Extension, setup

# One file for each Python from 3.11 on; a build without the global lock has no such interface yet.
STABLE = not sysconfig.get_config_var("Py_GIL_DISABLED")

setup(
    ext_modules=[
        Extension(
            "edi_checker.guide.native._native",
            sources=[
                f"edi_checker/guide/native/{name}.c" for name in ("cutter", "digests", "module", "scanner")
            ],
            depends=["edi_checker/guide/native/native.h"],
            define_macros=[("Py_LIMITED_API", "0x030B0000")] if STABLE else [],
            py_limited_api=STABLE,
            optional=True,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if STABLE else {},
)
