/* The native module: what does fast what Python modules do as well. It knows no rule. */

#include "native.h"

#include <string.h>

int are_delimiters(const unsigned char *given, size_t count) {
    if (count < 3 || count > 4) return 0;
    for (size_t at = 0; at < count; at++) {
        unsigned char c = given[at];
        if (c == 0 || c > 127 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
            memchr(" -.", c, 3) || memchr(given, c, at))
            return 0;
    }
    return 1;
}

/* As FORM in __init__.py. */
static int add_form(PyObject *module) { return PyModule_AddIntConstant(module, "FORM", 4); }

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)add_form},
    {Py_mod_exec, (void *)add_scanner},
    {Py_mod_exec, (void *)add_cutter},
    {Py_mod_exec, (void *)add_digests},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "edi_checker.guide.native._native",
    .m_doc = "Does fast what Python modules do as well.",
    .m_size = 0,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__native(void) { return PyModuleDef_Init(&definition); }
