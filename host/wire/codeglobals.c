/* codeglobals.c - reads what lua_dump wrote (Lua 5.4), as far as globals are concerned. */
#include "wire/codeglobals.h"

#include <stdint.h>
#include <string.h>
#include <lua.h>
#include "wire/format.h"

/* Instructions that read a global, or _ENV itself; a name is a constant. Fields of 32 bits:
   opcode 7, A 8, k 1, B 8, C 8. */
enum { READ_UPVALUE = 9, READ_GLOBAL = 11 };
enum { MAX_UPVALUES = 255, MAX_DEPTH = 200 };
/* Tags of constants. */
enum {
  K_NIL = 0x00,
  K_FALSE = 0x01,
  K_INTEGER = 0x03,
  K_SHORT = 0x04,
  K_TRUE = 0x11,
  K_FLOAT = 0x13,
  K_LONG = 0x14
};

typedef struct Reader {
  const uint8_t *at, *end; /* at == NULL: cut short or unknown, and the rest is left alone */
  CodeGlobalFn f;          /* NULL: only pass over it */
  void *user;
} Reader;

static const uint8_t *take (Reader *r, size_t n) {
  const uint8_t *p = r->at;
  if (p == NULL || (size_t)(r->end - p) < n) {
    r->at = NULL;
    return NULL;
  }
  r->at = p + n;
  return p;
}

static uint8_t take_byte (Reader *r) {
  const uint8_t *p = take(r, 1);
  return p != NULL ? *p : 0;
}

/* Seven bits a byte, the highest first; the last one is marked. */
static size_t take_size (Reader *r) {
  size_t x = 0;
  for (int i = 0; i < 10; i++) {
    const uint8_t *p = take(r, 1);
    if (p == NULL) return 0;
    x = x << 7 | (*p & 0x7fu);
    if (*p & 0x80) return x;
  }
  r->at = NULL;
  return 0;
}

/* n things of size bytes each. */
static const uint8_t *take_vector (Reader *r, size_t n, size_t size) {
  if (r->at == NULL || n > (size_t)(r->end - r->at) / size) {
    r->at = NULL;
    return NULL;
  }
  return take(r, n * size);
}

typedef struct Text {
  const char *s; /* NULL: no string */
  size_t len;
} Text;

static Text take_string (Reader *r) {
  size_t size = take_size(r); /* one more than its length; 0: none */
  if (size == 0) return (Text){0};
  const uint8_t *p = take_vector(r, size - 1, 1);
  return (Text){.s = (const char *)p, .len = size - 1};
}

static Text take_constant (Reader *r) {
  switch (take_byte(r)) {
    case K_NIL:
    case K_FALSE:
    case K_TRUE: break;
    case K_INTEGER: take(r, sizeof(lua_Integer)); break;
    case K_FLOAT: take(r, sizeof(lua_Number)); break;
    case K_SHORT:
    case K_LONG: return take_string(r);
    default: r->at = NULL;
  }
  return (Text){0};
}

static bool is (Text t, const char *s) {
  return t.s != NULL && t.len == strlen(s) && memcmp(t.s, s, t.len) == 0;
}

typedef struct Code {
  const uint8_t *instructions;
  size_t n;
  Reader constants; /* where they begin */
  size_t n_constants;
} Code;

static uint32_t instruction (const Code *c, size_t i) {
  uint32_t x; /* as lua_dump wrote it: in the order of this machine */
  memcpy(&x, c->instructions + 4 * i, 4);
  return x;
}

/* Tells f about the constants: all of them, or the one at index. Returns that one. */
static Text tell (const Code *c, const Reader *r, size_t index, bool all) {
  Reader k = c->constants;
  for (size_t i = 0; i < c->n_constants && k.at != NULL; i++) {
    Text t = take_constant(&k);
    if (t.s != NULL && (all || i == index)) r->f(r->user, t.s, t.len, !all);
    if (!all && i == index) return t;
  }
  return (Text){0};
}

static void look (const Code *c, const Reader *r, const bool *is_env) {
  bool has_table = false; /* _G or _ENV is used as a table */
  for (size_t i = 0; i < c->n; i++) {
    uint32_t x = instruction(c, i), op = x & 0x7f, b = x >> 16 & 0xff;
    if ((op != READ_GLOBAL && op != READ_UPVALUE) || !is_env[b]) continue;
    if (op == READ_UPVALUE || is(tell(c, r, x >> 24, false), "_G")) has_table = true;
  }
  if (has_table) tell(c, r, 0, true);
}

static void take_function (Reader *r, const bool *outer, int depth);

/* What of the debug information comes before the names of upvalues. */
static void skip_lines (Reader *r) {
  take_vector(r, take_size(r), 1);
  for (size_t n = take_size(r); n > 0 && r->at != NULL; n--) {
    take_size(r);
    take_size(r);
  }
  for (size_t n = take_size(r); n > 0 && r->at != NULL; n--) {
    take_string(r);
    take_size(r);
    take_size(r);
  }
}

/* outer: which upvalues of the function around it are _ENV; NULL: there is none around it, and
   its own names tell. */
static void take_function (Reader *r, const bool *outer, int depth) {
  bool is_env[MAX_UPVALUES + 1] = {false};
  if (depth > MAX_DEPTH) r->at = NULL;
  take_string(r);
  take_size(r);
  take_size(r);
  take(r, 3);
  Code c = {.n = take_size(r)};
  c.instructions = take_vector(r, c.n, 4);
  c.n_constants = take_size(r);
  c.constants = *r;
  for (size_t i = 0; i < c.n_constants && r->at != NULL; i++) take_constant(r);
  size_t n_upvalues = take_size(r);
  const uint8_t *upvalues = take_vector(r, n_upvalues, 3);
  if (upvalues == NULL || n_upvalues > MAX_UPVALUES) return;
  if (outer != NULL) {
    for (size_t i = 0; i < n_upvalues; i++) {
      is_env[i] = upvalues[3 * i] == 0 && outer[upvalues[3 * i + 1]];
    }
  } else {
    Reader names = *r; /* they come last: past the inner functions first */
    names.f = NULL;
    for (size_t n = take_size(&names); n > 0 && names.at != NULL; n--) {
      take_function(&names, is_env, depth + 1);
    }
    skip_lines(&names);
    size_t n = take_size(&names);
    for (size_t i = 0; i < n && i < n_upvalues; i++) {
      is_env[i] = is(take_string(&names), "_ENV");
    }
  }
  if (r->f != NULL && c.instructions != NULL) look(&c, r, is_env);
  for (size_t n = take_size(r); n > 0 && r->at != NULL; n--)
    take_function(r, is_env, depth + 1);
  skip_lines(r);
  for (size_t n = take_size(r); n > 0 && r->at != NULL; n--) take_string(r);
}

void codeglobals_in_dump (const void *dump, size_t len, CodeGlobalFn f, void *user) {
  static const uint8_t head[] = {0x1b, 'L', 'u', 'a', 0x54, 0x00};
  const uint8_t *bytes = dump;
  Reader r = {.at = bytes, .end = bytes + len, .f = f, .user = user};
  const uint8_t *p = take(&r, sizeof head);
  if (p == NULL || memcmp(p, head, sizeof head) != 0) return;
  take(&r, 6 + 3 + sizeof(lua_Integer) + sizeof(lua_Number)); /* LUAC_DATA, sizes, samples */
  take_byte(&r);                                              /* how many upvalues */
  take_function(&r, NULL, 0);
}

void codeglobals_each (const Parcel *definition, CodeGlobalFn f, void *user) {
  if (definition->len < HEAD_CODE || definition->bytes[0] != PARCEL_CODE) return;
  codeglobals_in_dump(definition->bytes + HEAD_CODE, definition->len - HEAD_CODE, f, user);
}
