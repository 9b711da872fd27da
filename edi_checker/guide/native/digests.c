/* Numbers by digest: a table that grows with what stands in it, 24 to 48 bytes for each. */

#include "native.h"

#include <stdint.h>

enum { FIRST_BITS = 9 };

/* A digest of 0 is a free place. */
typedef struct {
    uint64_t digest;
    int64_t number;
} Entry;

typedef struct {
    PyObject_HEAD
    Entry *entries; /* 1 << bits of them, of which a third at least is free */
    unsigned bits;
    Py_ssize_t count;
    uint64_t odd; /* the secret: nobody can choose digests that stand in each other's way */
} Digests;

/* Where a digest stands, or the free place where it would. */
static Entry *find_entry(const Digests *self, uint64_t digest) {
    size_t last = ((size_t)1 << self->bits) - 1;
    size_t at = (size_t)(digest * self->odd >> (64 - self->bits));
    while (self->entries[at].digest && self->entries[at].digest != digest) at = (at + 1) & last;
    return &self->entries[at];
}

static int grow(Digests *self) {
    Entry *old = self->entries;
    size_t size = old ? (size_t)1 << self->bits : 0;
    unsigned bits = old ? self->bits + 1 : FIRST_BITS;
    Entry *entries = bits < 48 ? PyMem_Calloc((size_t)1 << bits, sizeof(Entry)) : NULL;
    if (entries == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    self->entries = entries;
    self->bits = bits;
    for (size_t at = 0; at < size; at++)
        if (old[at].digest) *find_entry(self, old[at].digest) = old[at];
    PyMem_Free(old);
    return 0;
}

/* The digest that is given; 0 with an exception set where it is none. */
static uint64_t take_digest(PyObject *given) {
    uint64_t digest = PyLong_AsUnsignedLongLong(given);
    if (digest == 0 && !PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "a digest is never 0");
    return PyErr_Occurred() ? 0 : digest;
}

static PyObject *digests_get(PyObject *object, PyObject *given) {
    uint64_t digest = take_digest(given);
    if (digest == 0) return NULL;
    const Entry *entry = find_entry((Digests *)object, digest);
    if (entry->digest == 0) Py_RETURN_NONE;
    return PyLong_FromLongLong(entry->number);
}

static PyObject *digests_put(PyObject *object, PyObject *const *given, Py_ssize_t count) {
    Digests *self = (Digests *)object;
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "put takes a digest and a number");
        return NULL;
    }
    uint64_t digest = take_digest(given[0]);
    if (digest == 0) return NULL;
    int64_t number = PyLong_AsLongLong(given[1]);
    if (number == -1 && PyErr_Occurred()) return NULL;
    Entry *entry = find_entry(self, digest);
    if (entry->digest) {
        int64_t before = entry->number;
        entry->number = number;
        return PyLong_FromLongLong(before);
    }
    if (3 * (size_t)(self->count + 1) > (size_t)2 << self->bits) {
        if (grow(self) < 0) return NULL;
        entry = find_entry(self, digest);
    }
    *entry = (Entry){digest, number};
    self->count++;
    Py_RETURN_NONE;
}

static Py_ssize_t digests_length(PyObject *object) { return ((Digests *)object)->count; }

static PyObject *digests_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    unsigned long long secret;
    (void)keywords;
    if (!PyArg_ParseTuple(args, "K", &secret)) return NULL;
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    Digests *self = (Digests *)allocate(type, 0); /* filled with zeros */
    if (self == NULL) return NULL;
    self->odd = secret | 1;
    if (grow(self) == 0) return (PyObject *)self;
    Py_DECREF(self);
    return NULL;
}

static void digests_free(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    PyMem_Free(((Digests *)object)->entries);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"get", digests_get, METH_O, "The number under a digest; None where there is none."},
    {"put", (PyCFunction)(void (*)(void))digests_put, METH_FASTCALL,
     "Put a number under a digest; the one that stood there."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "Numbers by digests of 8 bytes, which are never 0: Digests(secret)."},
    {Py_tp_new, (void *)digests_new},
    {Py_tp_dealloc, (void *)digests_free},
    {Py_sq_length, (void *)digests_length},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "edi_checker.guide.native._native.Digests",
    .basicsize = sizeof(Digests),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

int add_digests(PyObject *module) {
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);
    if (type == NULL) return -1;
    int done = PyModule_AddType(module, (PyTypeObject *)type);
    Py_DECREF(type);
    return done;
}
