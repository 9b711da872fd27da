/* Cuts the text of a claim into its pieces, as check/cutting.py says; that module is the authority.
 *
 * Strings by which something is looked up come from a table of those met before: equal ones are mostly the
 * same object, so that a dictionary finds them by identity. Each place of the table holds the last string
 * whose hash led there; the hash is keyed, so nobody can choose texts that drive each other out.
 */

#include "native.h"

#include <stdint.h>
#include <string.h>

#define PLACES 4096       /* of the table of strings */
#define LONGEST_KEPT 256  /* characters of a string in it: at most 1.5 MB in all */
#define PLANS 64          /* segments with columns */
#define QUALIFIERS 16     /* of diagnoses */
#define ON_STACK 8192     /* characters of keys for which no memory is asked for */
#define COLUMN '\r'       /* stands for what is in a column */
#define DESCRIPTION 6     /* of the parts of SV101, from 0 */
#define SHORT 2           /* characters of a description that is part of a key */

enum { TELLING = 1, ADDRESS = 2, REFERENCE = 4, NAME = 8 };

typedef struct { /* how a segment is cut */
    uint32_t name;    /* its id, packed */
    uint32_t columns; /* mask of the elements that are columns */
    unsigned flags;
    unsigned last; /* the one column, where there is just one; else 0 */
} Plan;

typedef struct {
    PyObject *text;
    const char *data; /* of `text` */
    size_t length;
} Kept;

typedef struct {
    PyObject_HEAD
    PyTypeObject *made; /* the tuple that `cut` gives */
    Kept *kept;
    uint64_t secret[2];
    Plan plans[PLANS];
    size_t plan_count;
    uint32_t person;   /* mask of the elements of NM1 that are the name of a person */
    char looked_at[8]; /* the reference whose number is no column */
    char qualifiers[QUALIFIERS][8];
    size_t qualifier_count;
    char element, component, terminator;
} Cutter;

typedef struct {
    const char *at, *end;
} Span;

static size_t length_of(Span span) { return (size_t)(span.end - span.at); }

/* ---- strings */

#define ROTATE(x, by) ((x) << (by) | (x) >> (64 - (by)))
#define ROUND                                                                                                 \
    do {                                                                                                      \
        v0 += v1, v2 += v3, v1 = ROTATE(v1, 13), v3 = ROTATE(v3, 16), v1 ^= v0, v3 ^= v2;                     \
        v0 = ROTATE(v0, 32), v2 += v1, v0 += v3, v1 = ROTATE(v1, 17), v3 = ROTATE(v3, 21), v1 ^= v2, v3 ^= v0; \
        v2 = ROTATE(v2, 32);                                                                                  \
    } while (0)

/* SipHash-1-3 */
static uint64_t hash_text(const uint64_t secret[2], const char *text, size_t length) {
    uint64_t v0 = secret[0] ^ UINT64_C(0x736f6d6570736575), v1 = secret[1] ^ UINT64_C(0x646f72616e646f6d);
    uint64_t v2 = secret[0] ^ UINT64_C(0x6c7967656e657261), v3 = secret[1] ^ UINT64_C(0x7465646279746573);
    uint64_t word, last = (uint64_t)length << 56;
    size_t at = 0;
    for (; at + 8 <= length; at += 8) {
        memcpy(&word, text + at, 8);
        v3 ^= word;
        ROUND;
        v0 ^= word;
    }
    for (unsigned shift = 0; at < length; at++, shift += 8) last |= (uint64_t)(unsigned char)text[at] << shift;
    v3 ^= last;
    ROUND;
    v0 ^= last;
    v2 ^= 0xff;
    ROUND;
    ROUND;
    ROUND;
    return v0 ^ v1 ^ v2 ^ v3;
}

static PyObject *plain_text(Span span) { return PyUnicode_FromStringAndSize(span.at, span.end - span.at); }

/* A string from the table of those met before; a new reference. */
static PyObject *known_text(Cutter *self, Span span) {
    size_t length = length_of(span);
    if (length < 2 || length > LONGEST_KEPT) return plain_text(span); /* Python keeps the shortest itself */
    Kept *kept = &self->kept[hash_text(self->secret, span.at, length) % PLACES];
    if (kept->length == length && memcmp(kept->data, span.at, length) == 0) {
        Py_INCREF(kept->text);
        return kept->text;
    }
    PyObject *text = plain_text(span);
    const char *data = text ? PyUnicode_AsUTF8AndSize(text, NULL) : NULL;
    if (data == NULL) {
        Py_XDECREF(text);
        return NULL;
    }
    PyObject *old = kept->text;
    Py_INCREF(text);
    *kept = (Kept){text, data, length};
    Py_XDECREF(old);
    return text;
}

/* ---- segments */

static const char *find(const char *at, const char *end, char c) {
    const char *found = at < end ? memchr(at, c, (size_t)(end - at)) : NULL;
    return found ? found : end;
}

/* The first place where a terminator is followed by the segment of this name; NULL where there is none. */
static const char *find_segment(const Cutter *self, const char *at, const char *end, const char *name) {
    size_t length = strlen(name);
    for (; (at = find(at, end, self->terminator)) < end; at++)
        if ((size_t)(end - at) > length + 1 && memcmp(at + 1, name, length) == 0 &&
            at[length + 1] == self->element)
            return at;
    return NULL;
}

/* Up to the next element separator or terminator. */
static const char *skip_element(const Cutter *self, const char *at, const char *end) {
    while (at < end && *at != self->element && *at != self->terminator) at++;
    return at;
}

/* An id of at most three characters as a number, 0 for others; the 1 before it counts the NULs at its begin. */
static uint32_t pack(const char *at, size_t length) {
    uint32_t packed = 1;
    if (length == 0 || length > 3) return 0;
    while (length--) packed = packed << 8 | (unsigned char)*at++;
    return packed;
}

static const Plan *find_plan(const Cutter *self, Span name) {
    uint32_t packed = pack(name.at, length_of(name));
    for (size_t at = 0; packed && at < self->plan_count; at++)
        if (self->plans[at].name == packed) return &self->plans[at];
    return NULL;
}

static int is_text(Span span, const char *text) {
    return length_of(span) == strlen(text) && memcmp(span.at, text, length_of(span)) == 0;
}

/* Behind the copy. */
static char *copy(char *out, Span span) {
    memcpy(out, span.at, length_of(span));
    return out + length_of(span);
}

static int add_to(PyObject *list, PyObject *item) {
    int done = item ? PyList_Append(list, item) : -1;
    Py_XDECREF(item);
    return done;
}

/* As Python, where a segment ends before an element that must be looked at. */
static void *too_short(void) {
    PyErr_SetString(PyExc_IndexError, "list index out of range");
    return NULL;
}

/* Write the key of a segment to `out`, and add what stands in its columns to a list, if there is one; behind
 * what was written, NULL with an exception. A key is longer than its segment by one for each empty name of a person at most. */
static char *cut_segment(const Cutter *self, Span segment, char *out, PyObject *columns) {
    Span cell = {segment.at, find(segment.at, segment.end, self->element)};
    const Plan *plan = find_plan(self, cell);
    if (plan && plan->flags & ADDRESS) segment.end = cell.end; /* an address is a piece of its own */
    if (plan && plan->flags & REFERENCE) {
        if (cell.end == segment.end) return too_short();
        Span kind = {cell.end + 1, find(cell.end + 1, segment.end, self->element)};
        if (is_text(kind, self->looked_at)) plan = NULL;
    }
    if (plan == NULL || plan->flags & ADDRESS) {
        return copy(out, segment);
    }
    int person = 0;
    for (unsigned number = 0;; number++) {
        int column = number < 32 && plan->columns >> number & 1;
        if (number == 2) person = plan->flags & NAME && is_text(cell, "1");
        if (column && (cell.at < cell.end || (person && self->person >> number & 1))) {
            if (columns && add_to(columns, plain_text(cell)) < 0) return NULL;
            *out++ = COLUMN;
        } else {
            out = copy(out, cell);
        }
        if (cell.end == segment.end) return number < 2 && plan->flags & NAME ? too_short() : out;
        *out++ = self->element;
        cell.at = cell.end + 1;
        cell.end = find(cell.at, segment.end, self->element);
    }
}

/* ---- the pieces of a claim */

typedef struct {
    const char *start, *end;
    char *scratch; /* room for the key of any piece */
} Claim;

/* (key, columns, number) of a segment of the head. */
static int add_head(PyObject *head, PyObject *key, PyObject *columns, long number) {
    PyObject *item = key && columns ? Py_BuildValue("(OOl)", key, columns, number) : NULL;
    Py_XDECREF(key);
    Py_XDECREF(columns);
    return add_to(head, item);
}

/* Cut a segment of the head that may tell something. Where its one column is its last element, the key is
 * what stands before that. */
static int cut_head(Cutter *self, Claim *claim, Span segment, const Plan *plan, PyObject *head, long number) {
    const char *cell = segment.at;
    unsigned count = 0;
    for (const char *at = segment.at; at < segment.end; at++)
        if (*at == self->element) count++, cell = at + 1;
    PyObject *columns = PyList_New(0);
    if (columns == NULL) return -1;
    Span last = {cell, segment.end};
    int looked_at = plan && plan->flags & REFERENCE && length_of(segment) >= 4 + strlen(self->looked_at) &&
                    memcmp(segment.at + 4, self->looked_at, strlen(self->looked_at)) == 0;
    if (plan && plan->last && count == plan->last && last.at < last.end && !looked_at) {
        if (add_to(columns, plain_text(last)) < 0) {
            Py_DECREF(columns);
            return -1;
        }
        return add_head(head, known_text(self, (Span){segment.at, cell}), columns, number);
    }
    char *end = cut_segment(self, segment, claim->scratch, columns);
    PyObject *key = end ? known_text(self, (Span){claim->scratch, end}) : NULL;
    return add_head(head, key, columns, number);
}

static int has_qualifier(const Cutter *self, Span text) {
    for (size_t at = 0; at < self->qualifier_count; at++) {
        size_t length = strlen(self->qualifiers[at]);
        if (length_of(text) >= length && memcmp(text.at, self->qualifiers[at], length) == 0) return 1;
    }
    return 0;
}

/* The segments behind CLM and before the providers; their number, -1 with an exception. */
static long cut_segments_of_head(Cutter *self, Claim *claim, Span own, PyObject *head, PyObject *composites) {
    long number = 0;
    while (own.at < own.end) { /* at a terminator */
        Span segment = {own.at + 1, find(own.at + 1, own.end, self->terminator)};
        own.at = segment.end;
        number++;
        if (length_of(segment) > 3 && memcmp(segment.at, "HI", 2) == 0 && segment.at[2] == self->element &&
            has_qualifier(self, (Span){segment.at + 3, segment.end})) {
            for (const char *at = segment.at + 2; at < segment.end;) {
                Span cell = {at + 1, find(at + 1, segment.end, self->element)};
                if (has_qualifier(self, cell) && add_to(composites, known_text(self, cell)) < 0) return -1;
                at = cell.end;
            }
            continue;
        }
        Span name = {segment.at, length_of(segment) > 3 ? segment.at + 3 : segment.end};
        while (name.end > name.at && name.end[-1] == self->element) name.end--;
        const Plan *plan = find_plan(self, name);
        if (plan && plan->flags & TELLING) {
            int whole = find(segment.at, segment.end, self->element) == name.end;
            if (cut_head(self, claim, segment, whole ? plan : NULL, head, number) < 0) return -1;
        }
    }
    return number;
}

/* (key, columns, NPI, text behind the name) of a provider, whose loop begins behind `NM1*`. */
static PyObject *cut_party(Cutter *self, Claim *claim, Span loop) {
    PyObject *columns = PyList_New(0), *npi = NULL, *key = NULL, *rest = NULL, *party = NULL;
    if (columns == NULL) return NULL;
    const char *named = find(loop.at, loop.end, self->terminator);
    const Plan *plan = find_plan(self, (Span){"NM1", "NM1" + 3});
    char *out = claim->scratch;
    int person = 0, coded = 0;
    Span cell = {loop.at, find(loop.at, named, self->element)};
    for (unsigned number = 1;; number++) {
        int column = number < 32 && plan->columns >> number & 1;
        if (number == 2) person = is_text(cell, "1");
        if (number == 8) coded = is_text(cell, "XX");
        if (number == 9 && coded && (npi = plain_text(cell)) == NULL) goto done;
        if (column && (cell.at < cell.end || (person && self->person >> number & 1))) {
            if (add_to(columns, plain_text(cell)) < 0) goto done;
            *out++ = COLUMN;
        } else {
            out = copy(out, cell);
        }
        if (cell.end == named) {
            if (number < 2) too_short();
            if (number < 2) goto done;
            break;
        }
        *out++ = self->element;
        cell.at = cell.end + 1;
        cell.end = find(cell.at, named, self->element);
    }
    Span behind = {named < loop.end ? named + 1 : named, loop.end};
    for (const char *at = behind.at; behind.at < behind.end;) {
        Span segment = {at, find(at, behind.end, self->terminator)};
        *out++ = self->terminator;
        if ((out = cut_segment(self, segment, out, columns)) == NULL) goto done;
        if (segment.end == behind.end) break;
        at = segment.end + 1;
    }
    key = known_text(self, (Span){claim->scratch, out});
    rest = plain_text(behind);
    if (npi == NULL) npi = plain_text((Span){"", ""});
    if (key && rest && npi) party = PyTuple_Pack(4, key, columns, npi, rest);
done:
    Py_XDECREF(key);
    Py_XDECREF(columns);
    Py_XDECREF(npi);
    Py_XDECREF(rest);
    return party;
}

static int cut_parties(Cutter *self, Claim *claim, const char *at, const char *end, PyObject *parties) {
    while (at) {
        const char *next = find_segment(self, at + 1, end, "NM1");
        if (add_to(parties, cut_party(self, claim, (Span){at + 5, next ? next : end})) < 0) return -1;
        at = next;
    }
    return 0;
}

/* SBR01 of each other payer. */
static PyObject *cut_payers(const Cutter *self, const char *at, const char *end) {
    PyObject *found = PyList_New(0);
    while (found && at) {
        Span order = {at + 5, skip_element(self, at + 5, end)};
        if (add_to(found, plain_text(order)) < 0) {
            Py_DECREF(found);
            return NULL;
        }
        at = find_segment(self, order.end, end, "SBR");
    }
    PyObject *payers = found ? PyList_AsTuple(found) : NULL;
    Py_XDECREF(found);
    return payers;
}

/* ---- numbers */

#define DIGITS 18        /* of a number before its point */
#define DIGITS_BEHIND 8  /* its point */
#define CENTS 2          /* decimals of an amount */
#define MOST_OF_CENTS 10 /* digits of an amount in cents */

static int is_digit(char c) { return c >= '0' && c <= '9'; }

/* A number with its point moved by so many decimals, as x12/money.py reads it: an amount that is not too much,
 * any other that is not below zero. None where it is no such number. */
static PyObject *read_number(Span span, int decimals) {
    const char *at = span.at;
    char digits[DIGITS + DIGITS_BEHIND]; /* without zeros before them */
    int count = 0, whole = 0, part = 0, below = at < span.end && *at == '-';
    for (at += below; at < span.end && is_digit(*at) && whole < DIGITS; whole++, at++)
        if (count || *at != '0') digits[count++] = *at;
    if (at < span.end && *at == '.') {
        for (at++; at < span.end && is_digit(*at) && part < DIGITS_BEHIND; part++, at++) {
            if (part >= decimals && *at != '0') Py_RETURN_NONE;
            if (part < decimals && (count || *at != '0')) digits[count++] = *at;
        }
    }
    if (at < span.end || whole + part == 0) Py_RETURN_NONE;
    for (; count && part < decimals; part++) digits[count++] = '0';
    if (decimals == CENTS ? count > MOST_OF_CENTS : below && count) Py_RETURN_NONE;
    if (count > DIGITS) { /* perhaps more than a number of C holds */
        digits[count] = 0;
        return PyLong_FromString(digits, NULL, 10);
    }
    long long number = 0;
    for (int each = 0; each < count; each++) number = 10 * number + (digits[each] - '0');
    return PyLong_FromLongLong(below ? -number : number);
}

/* ---- lines */

enum { ORDER, SAID, PROCEDURE, CHARGE, UNIT, COUNTED, PLACE, POINTERS, REST, DATE, CONTROL, MORE, PARTS };

/* Behind a text that stands here, `*` and `~` in it for the separators; NULL where it does not. */
static const char *pass(const Cutter *self, const char *at, const char *end, const char *text) {
    for (; *text; text++, at++) {
        char c = *text == '*' ? self->element : *text == '~' ? self->terminator : *text;
        if (at >= end || *at != c) return NULL;
    }
    return at;
}

/* `element, value` here; behind it, NULL where there is no separator. */
static const char *pass_element(const Cutter *self, const char *at, const char *end, Span *value) {
    if (at >= end || *at != self->element) return NULL;
    *value = (Span){at + 1, skip_element(self, at + 1, end)};
    return value->end;
}

/* Behind the eight digits that stand here; NULL where they do not. */
static const char *pass_day(const char *at, const char *end) {
    int digits = 0;
    while (digits < 8 && at + digits < end && is_digit(at[digits])) digits++;
    return digits == 8 ? at + 8 : NULL;
}

static const char *pass_range(const char *at, const char *end) {
    at = pass_day(at, end);
    return at && at < end && *at == '-' ? pass_day(at + 1, end) : NULL;
}

/* A line that begins here: its parts; behind it, NULL where none does. */
static const char *read_line(const Cutter *self, const char *at, const char *end, Span parts[PARTS]) {
    const char *next;
    if ((at = pass(self, at, end, "LX")) == NULL || (at = pass_element(self, at, end, &parts[ORDER])) == NULL ||
        (at = pass(self, at, end, "~SV1")) == NULL)
        return NULL;
    parts[SAID].at = at - 3;
    for (int part = PROCEDURE; part <= COUNTED; part++)
        if ((at = pass_element(self, at, end, &parts[part])) == NULL) return NULL;
    parts[PLACE] = parts[POINTERS] = (Span){at, at};
    for (int part = 0; part < 2; part++) {
        Span value;
        if ((next = pass_element(self, at, end, &value)) != NULL) at = parts[PLACE].end = next;
    }
    if ((next = pass_element(self, at, end, &parts[POINTERS])) != NULL) at = next;
    parts[REST] = (Span){at, find(at, end, self->terminator)};
    at = parts[SAID].end = parts[REST].end;
    parts[DATE] = parts[CONTROL] = (Span){at, at};
    if ((next = pass(self, at, end, "~DTP*472*")) != NULL) {
        const char *said = pass(self, next, end, "D8*"), *range = pass(self, next, end, "RD8*");
        if ((said = said ? pass_day(said, end) : range ? pass_range(range, end) : NULL) != NULL)
            parts[DATE] = (Span){next, at = said};
    }
    if ((next = pass(self, at, end, "~REF*6R*")) != NULL) {
        Span control = {next, skip_element(self, next, end)};
        if (control.at < control.end) {
            parts[CONTROL] = control;
            at = control.end;
        }
    }
    parts[MORE] = (Span){at, at};
    while (at < end && *at == self->terminator && pass(self, at, end, "~LX*") == NULL)
        at = parts[MORE].end = find(at + 1, end, self->terminator);
    return at;
}

/* SV101 with a mark in place of a description that is none of a modifier's length. */
static char *copy_procedure(const Cutter *self, char *out, Span procedure) {
    Span part = {procedure.at, find(procedure.at, procedure.end, self->component)};
    for (int number = 0; number < DESCRIPTION && part.end < procedure.end; number++) {
        part.at = part.end + 1;
        part.end = find(part.at, procedure.end, self->component);
        if (number == DESCRIPTION - 1 && length_of(part) != 0 && length_of(part) != SHORT) {
            out = copy(out, (Span){procedure.at, part.at});
            *out++ = '-';
            return copy(out, (Span){part.end, procedure.end});
        }
    }
    return copy(out, procedure);
}

/* The key of the service of a line. */
static PyObject *service_key(Cutter *self, Claim *claim, const Span parts[PARTS]) {
    char *out = copy_procedure(self, claim->scratch, parts[PROCEDURE]);
    *out++ = self->element;
    out = copy(copy(out, parts[UNIT]), parts[PLACE]);
    *out++ = self->terminator;
    if (length_of(parts[POINTERS])) *out++ = COLUMN;
    return known_text(self, (Span){claim->scratch, copy(out, parts[REST])});
}

/* The key of what follows it: whether there is a date, of one day or a range, and a number, and the key of
 * each other segment. */
static PyObject *following_key(Cutter *self, Claim *claim, const Span parts[PARTS]) {
    char *out = claim->scratch;
    if (length_of(parts[DATE])) *out++ = *parts[DATE].at;
    if (length_of(parts[CONTROL])) *out++ = 'C';
    for (Span segment = parts[MORE]; segment.at < parts[MORE].end; segment.at = segment.end) {
        *out++ = *segment.at++;
        segment.end = find(segment.at, parts[MORE].end, self->terminator);
        if ((out = cut_segment(self, segment, out, NULL)) == NULL) return NULL;
    }
    return known_text(self, (Span){claim->scratch, out});
}

#define OF_LINE 10

static PyObject *make_line(Cutter *self, Claim *claim, const Span parts[PARTS]) {
    PyObject *fields[OF_LINE] = {
        known_text(self, parts[ORDER]),    plain_text(parts[SAID]),
        service_key(self, claim, parts),   following_key(self, claim, parts),
        known_text(self, parts[POINTERS]), known_text(self, parts[DATE]),
        plain_text(parts[CONTROL]),        plain_text(parts[MORE]),
        read_number(parts[CHARGE], CENTS), read_number(parts[COUNTED], CENTS + 1),
    };
    PyObject *line = PyTuple_New(OF_LINE);
    for (int each = 0; each < OF_LINE; each++) {
        if (line == NULL || fields[each] == NULL) {
            Py_CLEAR(line);
            Py_XDECREF(fields[each]);
        } else {
            PyTuple_SetItem(line, each, fields[each]); /* takes it */
        }
    }
    return line;
}

/* The lines from here on. */
static int cut_lines(Cutter *self, Claim *claim, const char *at, PyObject *lines) {
    Span parts[PARTS];
    while ((at = find(at, claim->end, 'L')) < claim->end) {
        const char *next = read_line(self, at, claim->end, parts);
        if (next && add_to(lines, make_line(self, claim, parts)) < 0) return -1;
        at = next ? next : at + 1; /* what looks like a line may begin within a segment */
    }
    return 0;
}

/* ---- a level above claims */

static int add_address(PyObject *addresses, long number, Span segment) {
    PyObject *text = plain_text(segment);
    PyObject *item = text ? Py_BuildValue("(lO)", number, text) : NULL;
    Py_XDECREF(text);
    return add_to(addresses, item);
}

/* (key, columns, addresses): the key of all segments, what stands in their columns, number and text of each address. */
static PyObject *cut_level(Cutter *self, Claim *level) {
    PyObject *columns = PyList_New(0), *addresses = PyList_New(0), *key = NULL, *made = NULL;
    char *out = level->scratch;
    const char *at = level->start;
    if (!columns || !addresses) goto done;
    for (long number = 0;; number++) {
        Span segment = {at, find(at, level->end, self->terminator)};
        Span name = {at, find(at, segment.end, self->element)};
        const Plan *plan = find_plan(self, name);
        if (plan && plan->flags & ADDRESS && name.end < segment.end && add_address(addresses, number, segment) < 0)
            goto done;
        if ((out = cut_segment(self, segment, out, columns)) == NULL) goto done;
        if (segment.end == level->end) break;
        *out++ = self->terminator;
        at = segment.end + 1;
    }
    key = known_text(self, (Span){level->scratch, out});
    if (key) made = PyTuple_Pack(3, key, columns, addresses);
done:
    Py_XDECREF(key);
    Py_XDECREF(columns);
    Py_XDECREF(addresses);
    return made;
}

/* ---- the whole */

static PyObject *cut(Cutter *self, Claim *claim) {
    const char *lines_at = find_segment(self, claim->start, claim->end, "LX");
    const char *at = pass(self, claim->start, claim->end, "CLM");
    Span id, charge;
    if (lines_at == NULL || at == NULL || (at = pass_element(self, at, claim->end, &id)) == NULL ||
        (at = pass_element(self, at, claim->end, &charge)) == NULL)
        Py_RETURN_NONE;
    Span terms = {at, find(at, claim->end, self->terminator)};
    const char *payers_at = find_segment(self, claim->start, lines_at, "SBR");
    const char *own_end = payers_at ? payers_at : lines_at;
    const char *parties_at = find_segment(self, claim->start, own_end, "NM1");
    long before = 1;
    for (at = claim->start; (at = find(at, lines_at, self->terminator)) < lines_at; at++) before++;

    PyObject *made = NULL, *payers = NULL;
    PyObject *head = PyList_New(0), *composites = PyList_New(0), *parties = PyList_New(0), *lines = PyList_New(0);
    if (!head || !composites || !parties || !lines) goto done;
    Span own = {terms.end, parties_at ? parties_at : own_end};
    long number = cut_segments_of_head(self, claim, own, head, composites);
    if (number < 0) goto done;
    if (PyList_Size(composites) == 0) {
        /* without a fault that says so, HI stands elsewhere */
        Py_INCREF(Py_None);
        made = Py_None;
        goto done;
    }
    if (cut_parties(self, claim, parties_at, own_end, parties) < 0 ||
        (payers = cut_payers(self, payers_at, lines_at)) == NULL ||
        cut_lines(self, claim, lines_at + 1, lines) < 0)
        goto done;
    PyObject *texts[5] = {plain_text(id), plain_text(charge), read_number(charge, CENTS), known_text(self, terms),
                          plain_text(payers_at ? (Span){payers_at, lines_at} : (Span){"", ""})};
    PyObject *fields = NULL;
    if (texts[0] && texts[1] && texts[2] && texts[3] && texts[4])
        fields = Py_BuildValue("((OOOOOOOlOOOl))", texts[0], texts[1], texts[2], texts[3], head, composites,
                               parties, number + 1, payers, texts[4], lines, before);
    for (int each = 0; each < 5; each++) Py_XDECREF(texts[each]);
    if (fields) {
        newfunc make = (newfunc)PyType_GetSlot(&PyTuple_Type, Py_tp_new);
        made = make(self->made, fields, NULL);
        Py_DECREF(fields);
    }
done:
    Py_XDECREF(head);
    Py_XDECREF(composites);
    Py_XDECREF(parties);
    Py_XDECREF(lines);
    Py_XDECREF(payers);
    return made;
}

/* Give a text to one of the two above, with room for its keys. */
static PyObject *cut_text(PyObject *object, PyObject *text, PyObject *(*way)(Cutter *, Claim *)) {
    Cutter *self = (Cutter *)object;
    Py_ssize_t length;
    const char *utf8 = PyUnicode_Check(text) ? PyUnicode_AsUTF8AndSize(text, &length) : NULL;
    if (utf8 == NULL || length != PyUnicode_GetLength(text)) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "the text of a claim or level is a str of ASCII");
        return NULL;
    }
    char small[ON_STACK];
    size_t room = 2 * (size_t)length + 64; /* each empty name may take a character */
    Claim claim = {utf8, utf8 + length, room <= ON_STACK ? small : PyMem_Malloc(room)};
    if (claim.scratch == NULL) return PyErr_NoMemory();
    PyObject *made = way(self, &claim);
    if (claim.scratch != small) PyMem_Free(claim.scratch);
    return made;
}

static PyObject *cutter_cut(PyObject *object, PyObject *text) { return cut_text(object, text, cut); }
static PyObject *cutter_cut_level(PyObject *object, PyObject *text) { return cut_text(object, text, cut_level); }

/* ---- making a cutter */

static int add_plan(Cutter *self, PyObject *given) {
    const char *name;
    Plan *plan = &self->plans[self->plan_count];
    if (self->plan_count == PLANS || !PyArg_ParseTuple(given, "sIII", &name, &plan->columns, &plan->flags, &plan->last))
        return -1;
    plan->name = pack(name, strlen(name));
    self->plan_count++;
    return plan->name ? 0 : -1;
}

static int take_text(char *to, size_t size, PyObject *given) {
    const char *text = PyUnicode_Check(given) ? PyUnicode_AsUTF8AndSize(given, NULL) : NULL;
    if (text == NULL || strlen(text) >= size) return -1;
    memcpy(to, text, strlen(text) + 1);
    return 0;
}

static int set_up(Cutter *self, PyObject *plans, PyObject *qualifiers) {
    for (Py_ssize_t at = 0; at < PyTuple_Size(plans); at++)
        if (add_plan(self, PyTuple_GetItem(plans, at)) < 0) return -1;
    if (find_plan(self, (Span){"NM1", "NM1" + 3}) == NULL) return -1;
    for (Py_ssize_t at = 0; at < PyTuple_Size(qualifiers); at++, self->qualifier_count++)
        if (at == QUALIFIERS || take_text(self->qualifiers[at], sizeof self->qualifiers[at],
                                          PyTuple_GetItem(qualifiers, at)) < 0)
            return -1;
    self->kept = PyMem_Calloc(PLACES, sizeof(Kept));
    if (self->kept == NULL) PyErr_NoMemory();
    return self->kept ? 0 : -1;
}

static PyObject *cutter_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    PyObject *made, *plans, *qualifiers, *looked_at;
    const char *delimiters, *secret;
    Py_ssize_t count, length;
    unsigned person;
    if (keywords != NULL && PyDict_Size(keywords)) {
        PyErr_SetString(PyExc_TypeError, "a cutter takes no keywords");
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "O!y#O!O!OIy#", &PyType_Type, &made, &delimiters, &count, &PyTuple_Type, &plans,
                          &PyTuple_Type, &qualifiers, &looked_at, &person, &secret, &length))
        return NULL;
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    Cutter *self = (Cutter *)allocate(type, 0); /* filled with zeros */
    if (self == NULL) return NULL;
    Py_INCREF(made);
    self->made = (PyTypeObject *)made;
    self->person = person;
    if (PyType_IsSubtype(self->made, &PyTuple_Type) && are_delimiters((const unsigned char *)delimiters, (size_t)count) &&
        length == sizeof self->secret && take_text(self->looked_at, sizeof self->looked_at, looked_at) == 0 &&
        set_up(self, plans, qualifiers) == 0) {
        memcpy(self->secret, secret, sizeof self->secret);
        self->element = delimiters[0];
        self->component = delimiters[1];
        self->terminator = delimiters[2];
        return (PyObject *)self;
    }
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "a cutter cannot be made of this");
    Py_DECREF(self);
    return NULL;
}

static int cutter_visit(PyObject *object, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(((Cutter *)object)->made);
    return 0;
}

static int cutter_clear(PyObject *object) {
    Py_CLEAR(((Cutter *)object)->made);
    return 0;
}

static void cutter_free(PyObject *object) {
    Cutter *self = (Cutter *)object;
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    Py_CLEAR(self->made);
    for (size_t at = 0; self->kept && at < PLACES; at++) Py_XDECREF(self->kept[at].text);
    PyMem_Free(self->kept);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"cut", cutter_cut, METH_O, "A claim's text, of ASCII, in pieces; None where `Cutter.cut` of Python gives None."},
    {"cut_level", cutter_cut_level, METH_O, "As `Cutter.cut_level` of Python, of a text of ASCII."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "Cuts claims: Cutter(made, delimiters, plans, qualifiers, looked_at, person, secret)."},
    {Py_tp_new, (void *)cutter_new},
    {Py_tp_dealloc, (void *)cutter_free},
    {Py_tp_traverse, (void *)cutter_visit},
    {Py_tp_clear, (void *)cutter_clear},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "edi_checker.guide.native._native.Cutter",
    .basicsize = sizeof(Cutter),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

int add_cutter(PyObject *module) {
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);
    if (type == NULL) return -1;
    int done = PyModule_AddType(module, (PyTypeObject *)type);
    Py_DECREF(type);
    return done;
}
