/* Walks the text of a block against the flat tables of its level (guide/scanner.py makes them).
 *
 * `prove` says True where the block is certainly right by the guide, False where that is not sure: the
 * walker decides then. Each index in the tables is checked once, when a scanner is made; the walk relies on
 * it. It reads the text forwards, each character at most four times, and allocates nothing.
 */

#include "native.h"

#include <stdint.h>
#include <string.h>

#define MAX_TEXT 65536    /* characters of a block */
#define MAX_DEPTH 8       /* loops that are open one inside the other */
#define MAX_SLOTS 1024    /* counters: children of all loops of the level */
#define MAX_ELEMENTS 32   /* of a segment, components of a composite: bits of a mask */
#define NO_LOOP 0xFFFF

/* ---- the tables: records of 16-bit numbers, as guide/scanner.py writes them */

enum { NEVER, TEXT, CODE, NUMBER, WHOLE, DAY, TIME, PERIOD, NINE_DIGITS, COMPOSITE, KINDS };
enum { MONEY = 1, THREE_DECIMALS = 2 };

typedef struct { /* an element or a component */
    uint16_t kind, flags, least, most;
    uint16_t list;         /* CODE: of its codes; PERIOD: the element before it says the format */
    uint16_t first, count; /* COMPOSITE: its components */
    uint16_t required[2];  /* COMPOSITE: mask of the components that must be there, low half first */
} Item;

typedef struct { /* a segment at one place of the guide */
    uint16_t slot, most;
    uint16_t first, count; /* its items */
    uint16_t note, notes;
    uint16_t required[2]; /* mask of the elements that must be there */
    uint16_t is_line;     /* LX: lines are numbered from 1 */
} Node;

typedef struct { /* a relational note */
    uint16_t letter, first;
    uint16_t mask[2]; /* the elements of which it speaks; `first` is the bit of the first one named */
} Note;

typedef struct {
    uint16_t slot, most;      /* its counter in the loop around it */
    uint16_t base, count;     /* the counters of its children */
    uint16_t needed, needs;   /* the counters that must not be 0 when it ends */
    uint16_t single;          /* two that begin alike, one behind the other, may be one that was sent twice */
} Loop;

typedef struct { /* from one state to the next: keep so many loops, perhaps open one, count the node */
    uint16_t node, state, keep, loop;
} Step;

typedef struct { /* a segment id of the level */
    uint16_t list;  /* of the codes that tell its nodes apart */
    uint16_t at;    /* the element where these are */
    uint16_t other; /* the token of a segment whose code is none of them */
} Id;

enum { WORDS, VALUES, IDS, MOVES, STEPS, NODES, ITEMS, NOTES, LOOPS, NEEDED, SECTIONS };

static const size_t SIZES[SECTIONS] = {
    sizeof(uint64_t), sizeof(uint16_t), sizeof(Id),   sizeof(uint16_t), sizeof(Step),
    sizeof(Node),     sizeof(Item),     sizeof(Note), sizeof(Loop),     sizeof(uint16_t),
};

typedef struct {
    PyObject_HEAD
    void *sections[SECTIONS];
    size_t counts[SECTIONS];
    uint64_t *words; /* list << 40 | up to five characters; 0 is a free place. A hash table with `values` */
    uint16_t *values;
    Id *ids;
    uint16_t *moves; /* states x tokens: number of a step + 1, or 0 */
    Step *steps;
    Node *nodes;
    Item *items;
    Note *notes;
    Loop *loops; /* the first one is the level itself */
    uint16_t *needed;
    size_t mask, tokens, states, slots;
    unsigned char element, component, terminator;
    unsigned char plain[256]; /* whether a character may stand in a value */
} Scanner;

static uint32_t mask_of(const uint16_t halves[2]) { return halves[0] | (uint32_t)halves[1] << 16; }

/* ---- words: ids of segments and codes */

static uint64_t hash_word(uint64_t word) {
    word *= UINT64_C(0x9E3779B97F4A7C15);
    return word >> 32;
}

/* The value of a word of a list; -1 where the list lacks it. */
static int find_word(const Scanner *self, unsigned list, const unsigned char *text, size_t length) {
    uint64_t word = 0;
    if (length == 0 || length > 5) return -1;
    for (size_t at = 0; at < length; at++) word = word << 8 | text[at];
    word |= (uint64_t)list << 40;
    for (size_t place = hash_word(word) & self->mask;; place = (place + 1) & self->mask) {
        if (self->words[place] == word) return self->values[place];
        if (self->words[place] == 0) return -1; /* there is a free place: `check_tables` has seen it */
    }
}

/* ---- values */

static int is_digit(unsigned char c) { return c >= '0' && c <= '9'; }

static int count_digits(const unsigned char *text, size_t length) {
    size_t at = 0;
    while (at < length && is_digit(text[at])) at++;
    return (int)at;
}

/* CCYYMMDD, a day of the years 1800 to 2999. */
static int is_day(const unsigned char *text, size_t length) {
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (length != 8 || count_digits(text, 8) != 8) return 0;
    int year = (text[0] - '0') * 1000 + (text[1] - '0') * 100 + (text[2] - '0') * 10 + (text[3] - '0');
    int month = (text[4] - '0') * 10 + (text[5] - '0');
    int day = (text[6] - '0') * 10 + (text[7] - '0');
    if (year < 1800 || year > 2999 || month < 1 || month > 12 || day < 1) return 0;
    int leap = month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return day <= days[month - 1] + leap;
}

/* HHMM, HHMMSS, HHMMSSD or HHMMSSDD. */
static int is_time(const unsigned char *text, size_t length) {
    if (length < 4 || length == 5 || length > 8 || count_digits(text, length) != (int)length) return 0;
    return (text[0] - '0') * 10 + (text[1] - '0') < 24 && text[2] < '6' && (length == 4 || text[4] < '6');
}

/* A number without blanks: -12, 12.50, .5; its digits are counted, with the cents that are not written. */
static int is_number(const Item *item, const unsigned char *text, size_t length) {
    size_t at = text[0] == '-';
    size_t whole = (size_t)count_digits(text + at, length - at);
    size_t zeros = 0, decimals = 0;
    while (zeros < whole && text[at + zeros] == '0') zeros++;
    at += whole;
    if (at < length) {
        if (item->kind == WHOLE || text[at] != '.') return 0;
        decimals = (size_t)count_digits(text + at + 1, length - at - 1);
        if (at + 1 + decimals != length) return 0;
    }
    size_t digits = whole + decimals;
    if (digits == 0 || (item->flags & THREE_DECIMALS && decimals > 3)) return 0;
    if (item->flags & MONEY && digits < whole - zeros + 2) digits = whole - zeros + 2;
    return item->least <= digits && digits <= item->most;
}

/* A value that is sent, without separators; `before` is the one of the element before it. */
static int is_value(const Scanner *self, const Item *item, const unsigned char *text, size_t length,
                    const unsigned char *before, size_t before_length) {
    switch (item->kind) {
    case TEXT:
        return item->least <= length && length <= item->most && text[0] != ' ' && text[length - 1] != ' ';
    case CODE:
        return find_word(self, item->list, text, length) >= 0;
    case NUMBER:
    case WHOLE:
        return is_number(item, text, length);
    case DAY:
        return is_day(text, length);
    case TIME:
        return item->least <= length && length <= item->most && is_time(text, length);
    case NINE_DIGITS:
        return length == 9 && count_digits(text, 9) == 9;
    case PERIOD:
        if (before_length == 2 && memcmp(before, "D8", 2) == 0) return is_day(text, length);
        return before_length == 3 && memcmp(before, "RD8", 3) == 0 && length == 17 && text[8] == '-' &&
               is_day(text, 8) && is_day(text + 9, 8);
    default:
        return 0;
    }
}

static const unsigned char *skip_value(const Scanner *self, const unsigned char *at) {
    while (self->plain[*at]) at++; /* the NUL behind the text is not plain */
    return at;
}

/* Behind a composite that is right, whose text is not empty; NULL where it is not. */
static const unsigned char *pass_composite(const Scanner *self, const Item *item, const unsigned char *at) {
    uint32_t sent = 0;
    for (unsigned number = 0;; number++) {
        const unsigned char *end = skip_value(self, at);
        if (end != at) {
            if (number >= item->count) return NULL;
            const Item *part = &self->items[item->first + number];
            if (!is_value(self, part, at, (size_t)(end - at), NULL, 0)) return NULL;
            sent |= UINT32_C(1) << number;
        } else if (*end != self->component) {
            return NULL; /* a separator after the last component */
        }
        if (*end != self->component) {
            at = end;
            break;
        }
        at = end + 1;
    }
    return mask_of(item->required) & ~sent ? NULL : at;
}

static int note_holds(const Note *note, uint32_t sent) {
    uint32_t mask = mask_of(note->mask), there = mask & sent;
    int first = (sent >> note->first) & 1;
    switch (note->letter) {
    case 'P':
        return there == 0 || there == mask;
    case 'R':
        return there != 0;
    case 'E':
        return (there & (there - 1)) == 0;
    case 'C':
        return !first || there == mask;
    case 'L':
        return !first || (there & (there - 1)) != 0;
    default:
        return 0;
    }
}

/* Behind a segment that is right, from the separator behind its id on; NULL where it is not. */
static const unsigned char *pass_elements(const Scanner *self, const Node *node, const unsigned char *at) {
    const unsigned char *value = at, *before;
    size_t length = 0, before_length;
    uint32_t sent = 0;
    for (unsigned number = 0; *at == self->element; number++) {
        before = value;
        before_length = length;
        value = ++at;
        at = skip_value(self, at);
        length = (size_t)(at - value);
        if (length == 0 && *at != self->component) continue;
        if (number >= node->count) return NULL;
        const Item *item = &self->items[node->first + number];
        if (item->kind == COMPOSITE) {
            at = pass_composite(self, item, value);
            if (at == NULL) return NULL;
        } else if (!length || !is_value(self, item, value, length, before, before_length)) {
            return NULL; /* a component separator that is not its own stops the loop below */
        }
        sent |= UINT32_C(1) << number;
    }
    if (at == value || mask_of(node->required) & ~sent) return NULL; /* a separator after the last element */
    for (unsigned number = 0; number < node->notes; number++)
        if (!note_holds(&self->notes[node->note + number], sent)) return NULL;
    return at;
}

/* ---- the walk */

/* The token of a segment: its id, and its qualifier where the guide knows that; -1 for an unknown id.
 * `behind` becomes the place of the first separator. */
static int find_token(const Scanner *self, const unsigned char *at, const unsigned char **behind) {
    const unsigned char *end = skip_value(self, at);
    int id = *end == self->element ? find_word(self, 0, at, (size_t)(end - at)) : -1;
    if (id < 0) return -1;
    *behind = end;
    const Id *known = &self->ids[id];
    for (unsigned number = 1; number <= known->at; number++) {
        if (*end != self->element) return -1;
        at = end + 1;
        end = skip_value(self, at);
    }
    int token = known->at ? find_word(self, known->list, at, (size_t)(end - at)) : -1;
    return token < 0 ? known->other : token;
}

/* Whether the line has this number, written without zeros before it. */
static int is_numbered(const Scanner *self, const unsigned char *at, unsigned number) {
    const unsigned char *end = skip_value(self, at);
    unsigned value = 0;
    if (end == at || end - at > 5 || *at == '0') return 0;
    for (; at < end; at++) {
        if (!is_digit(*at)) return 0;
        value = value * 10 + (unsigned)(*at - '0');
    }
    return value == number;
}

typedef struct {
    uint16_t counts[MAX_SLOTS];
    uint16_t open[MAX_DEPTH]; /* loops, the level first */
    unsigned depth, lines;
    size_t state;
} Walk;

static int has_all(const Scanner *self, const Walk *walk, uint16_t loop) {
    const Loop *ending = &self->loops[loop];
    for (unsigned at = 0; at < ending->needs; at++)
        if (walk->counts[self->needed[ending->needed + at]] == 0) return 0;
    return 1;
}

/* Count one more; whether that is not too many. 0 is no limit. A text has fewer segments than a counter. */
static int add_one(Walk *walk, uint16_t slot, uint16_t most) {
    return ++walk->counts[slot] <= most || most == 0;
}

/* Close and open loops for a step, and count its node. */
static int take_step(const Scanner *self, Walk *walk, const Step *step) {
    if (step->keep > walk->depth) return 0;
    while (walk->depth > step->keep)
        if (!has_all(self, walk, walk->open[--walk->depth])) return 0;
    if (step->loop != NO_LOOP) {
        const Loop *loop = &self->loops[step->loop];
        if (walk->depth == MAX_DEPTH || !add_one(walk, loop->slot, loop->most)) return 0;
        memset(&walk->counts[loop->base], 0, loop->count * sizeof(uint16_t));
        walk->open[walk->depth++] = step->loop;
    }
    walk->state = step->state;
    const Node *node = &self->nodes[step->node];
    return add_one(walk, node->slot, node->most);
}

static int prove(const Scanner *self, const unsigned char *text, size_t length) {
    const unsigned char *at = text, *end = text + length, *last = NULL;
    Walk walk;
    size_t last_length = 0;
    memset(walk.counts, 0, self->slots * sizeof(uint16_t));
    walk.open[0] = 0;
    walk.depth = 1;
    walk.lines = 0;
    walk.state = 0;
    for (;;) {
        const unsigned char *start = at, *behind;
        int token = find_token(self, at, &behind);
        unsigned move = token < 0 ? 0 : self->moves[walk.state * self->tokens + (size_t)token];
        if (move == 0) return 0;
        const Step *step = &self->steps[move - 1];
        /* a block begins with the segment that opens its level: no other leaves state 0 */
        if (!take_step(self, &walk, step)) return 0;
        const Node *node = &self->nodes[step->node];
        at = pass_elements(self, node, behind);
        if (at == NULL) return 0;
        if (node->is_line && !is_numbered(self, behind + 1, ++walk.lines)) return 0;
        size_t this_length = (size_t)(at - start);
        if (step->loop != NO_LOOP && self->loops[step->loop].single && this_length == last_length &&
            memcmp(start, last, last_length) == 0)
            return 0;
        last = start;
        last_length = this_length;
        if (at == end) break;
        if (*at != self->terminator) return 0;
        at++;
    }
    while (walk.depth > 0)
        if (!has_all(self, &walk, walk.open[--walk.depth])) return 0;
    return 1;
}

static PyObject *scanner_prove(PyObject *object, PyObject *text) {
    Scanner *self = (Scanner *)object;
    if (!PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "the text of a block is a str");
        return NULL;
    }
    Py_ssize_t length = PyUnicode_GetLength(text), bytes;
    if (length < 0) return NULL;
    if (length > MAX_TEXT) Py_RETURN_FALSE;
    const char *utf8 = PyUnicode_AsUTF8AndSize(text, &bytes);
    if (utf8 == NULL) { /* half of a surrogate pair */
        if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) return NULL;
        PyErr_Clear();
        Py_RETURN_FALSE;
    }
    if (bytes != length) Py_RETURN_FALSE;
    return PyBool_FromLong(prove(self, (const unsigned char *)utf8, (size_t)length));
}

/* ---- making a scanner */

static int is_within(size_t first, size_t count, size_t all) { return first <= all && count <= all - first; }

/* Whether a word's value is one that `find_token` may use. */
static int is_right_value(const Scanner *self, uint64_t word, uint16_t value) {
    uint64_t list = word >> 40;
    if (list == 0) return value < self->counts[IDS];
    return list > self->counts[IDS] || value < self->tokens; /* lists of codes have no use for a value */
}

static int are_words_right(const Scanner *self) {
    size_t count = self->counts[WORDS], unused = 0;
    if (count == 0 || count & (count - 1) || self->counts[VALUES] != count) return 0;
    for (size_t at = 0; at < count; at++) {
        unused += self->words[at] == 0;
        if (self->words[at] && !is_right_value(self, self->words[at], self->values[at])) return 0;
    }
    for (size_t at = 0; at < self->counts[IDS]; at++) {
        const Id *id = &self->ids[at];
        if (id->list > self->counts[IDS] || (id->list == 0 && id->at) || id->other >= self->tokens) return 0;
    }
    return unused > 0;
}

static int are_segments_right(const Scanner *self) {
    for (size_t at = 0; at < self->counts[NODES]; at++) {
        const Node *node = &self->nodes[at];
        if (node->slot >= self->slots || node->count > MAX_ELEMENTS ||
            !is_within(node->first, node->count, self->counts[ITEMS]) ||
            !is_within(node->note, node->notes, self->counts[NOTES]))
            return 0;
    }
    for (size_t at = 0; at < self->counts[ITEMS]; at++) {
        const Item *item = &self->items[at];
        if (item->kind >= KINDS || item->count > MAX_ELEMENTS ||
            !is_within(item->first, item->count, self->counts[ITEMS]))
            return 0;
    }
    for (size_t at = 0; at < self->counts[NOTES]; at++)
        if (self->notes[at].first >= MAX_ELEMENTS) return 0;
    return 1;
}

static int are_moves_right(const Scanner *self) {
    if (self->tokens == 0 || self->states == 0 || self->counts[MOVES] != self->tokens * self->states) return 0;
    for (size_t at = 0; at < self->counts[MOVES]; at++)
        if (self->moves[at] > self->counts[STEPS]) return 0;
    for (size_t at = 0; at < self->counts[STEPS]; at++) {
        const Step *step = &self->steps[at];
        if (step->node >= self->counts[NODES] || step->state >= self->states || step->keep == 0 ||
            (step->loop != NO_LOOP && step->loop >= self->counts[LOOPS]))
            return 0;
    }
    if (self->counts[LOOPS] == 0 || self->slots > MAX_SLOTS) return 0;
    for (size_t at = 0; at < self->counts[LOOPS]; at++) {
        const Loop *loop = &self->loops[at];
        if (loop->slot >= self->slots || !is_within(loop->base, loop->count, self->slots) ||
            !is_within(loop->needed, loop->needs, self->counts[NEEDED]))
            return 0;
    }
    for (size_t at = 0; at < self->counts[NEEDED]; at++)
        if (self->needed[at] >= self->slots) return 0;
    return 1;
}

/* Copies each section: the memory of a bytes object may not be aligned for its records. */
static int copy_sections(Scanner *self, PyObject *sections) {
    if (!PyTuple_Check(sections) || PyTuple_Size(sections) != SECTIONS) return 0;
    for (int at = 0; at < SECTIONS; at++) {
        char *bytes;
        Py_ssize_t size;
        PyObject *section = PyTuple_GetItem(sections, at);
        if (section == NULL || PyBytes_AsStringAndSize(section, &bytes, &size) < 0) return 0;
        if ((size_t)size % SIZES[at]) return 0;
        self->sections[at] = PyMem_Malloc(size ? (size_t)size : 1);
        if (self->sections[at] == NULL) {
            PyErr_NoMemory();
            return 0;
        }
        memcpy(self->sections[at], bytes, (size_t)size);
        self->counts[at] = (size_t)size / SIZES[at];
    }
    self->words = self->sections[WORDS];
    self->values = self->sections[VALUES];
    self->ids = self->sections[IDS];
    self->moves = self->sections[MOVES];
    self->steps = self->sections[STEPS];
    self->nodes = self->sections[NODES];
    self->items = self->sections[ITEMS];
    self->notes = self->sections[NOTES];
    self->loops = self->sections[LOOPS];
    self->needed = self->sections[NEEDED];
    self->mask = self->counts[WORDS] - 1;
    return 1;
}

static int set_delimiters(Scanner *self, const unsigned char *given, size_t count) {
    if (!are_delimiters(given, count)) return 0;
    for (int c = 32; c < 127; c++) self->plain[c] = 1;
    for (size_t at = 0; at < count; at++) self->plain[given[at]] = 0;
    self->element = given[0];
    self->component = given[1];
    self->terminator = given[2];
    return 1;
}

static PyObject *scanner_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    PyObject *sections;
    const char *delimiters;
    Py_ssize_t count;
    unsigned tokens, slots;
    if (keywords != NULL && PyDict_Size(keywords)) {
        PyErr_SetString(PyExc_TypeError, "a scanner takes no keywords");
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "Oy#II", &sections, &delimiters, &count, &tokens, &slots)) return NULL;
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    Scanner *self = (Scanner *)allocate(type, 0); /* filled with zeros */
    if (self == NULL) return NULL;
    if (copy_sections(self, sections)) {
        self->tokens = tokens;
        self->slots = slots;
        self->states = tokens ? self->counts[MOVES] / tokens : 0;
        if (set_delimiters(self, (const unsigned char *)delimiters, (size_t)count) && are_moves_right(self) &&
            are_segments_right(self) && are_words_right(self))
            return (PyObject *)self;
    }
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "these are no tables of a scanner");
    Py_DECREF(self);
    return NULL;
}

static void scanner_free(PyObject *object) {
    Scanner *self = (Scanner *)object;
    PyTypeObject *type = Py_TYPE(object);
    for (int at = 0; at < SECTIONS; at++) PyMem_Free(self->sections[at]);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"prove", scanner_prove, METH_O,
     "Whether the segments of a block (joined, without the last terminator) certainly have no fault."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "Proves blocks of one level right: Scanner(sections, delimiters, tokens, slots)."},
    {Py_tp_new, (void *)scanner_new},
    {Py_tp_dealloc, (void *)scanner_free},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "edi_checker.guide.native._native.Scanner",
    .basicsize = sizeof(Scanner),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

int add_scanner(PyObject *module) {
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);
    if (type == NULL) return -1;
    int done = PyModule_AddType(module, (PyTypeObject *)type);
    Py_DECREF(type);
    return done;
}
