/* What the parts of the native module share. */

#ifndef EDI_CHECKER_NATIVE_H
#define EDI_CHECKER_NATIVE_H

#ifndef PY_SSIZE_T_CLEAN
#define PY_SSIZE_T_CLEAN
#endif
#include <Python.h>

/* Each adds its types to the module; -1 with an exception set where that fails. */
int add_cutter(PyObject *module);
int add_digests(PyObject *module);
int add_scanner(PyObject *module);

/* Whether these are delimiters (element, component, terminator, perhaps repetition) that are told apart from
 * each other and from all that a value is read for. */
int are_delimiters(const unsigned char *given, size_t count);

#endif
