/* What the parts of the native module share. */

#ifndef EDI_CHECKER_NATIVE_H
#define EDI_CHECKER_NATIVE_H

#ifndef PY_SSIZE_T_CLEAN
#define PY_SSIZE_T_CLEAN
#endif
#include <Python.h>

/* Each adds its types to the module; -1 with an exception set where that fails. */
int add_scanner(PyObject *module);

#endif
