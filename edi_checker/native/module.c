/* The native module: what reads fast what the Python modules read as well. It knows no rule. */

#include "native.h"

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)add_scanner},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "edi_checker.native._native",
    .m_doc = "Reads fast what the Python modules read as well.",
    .m_size = 0,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__native(void) { return PyModuleDef_Init(&definition); }
