/* args.h - arguments of array functions: sizes, indices, lists of numbers, options. Every function
   raises an argument error that names what was expected and what came. */
#ifndef ARGS_H
#define ARGS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <lua.h>

/* A kind of userdata, known by its metatable. That stands in the registry under the address of the
   kind as well as under its name: there it is found faster. Still faster is the mark with which
   every userdata of a kind begins: what has it is of the kind. */
typedef struct ArgsKind {
  const char *name;
} ArgsKind;

typedef struct ArgsMark {
  uintptr_t value; /* follows from the kind and from where the mark lies; 0: none */
} ArgsMark;

void args_new_kind (lua_State *L, const ArgsKind *kind); /* pushes a new metatable */

/* Pushes a userdata of that kind and size. It has its mark, which stays as it is; what follows is
   undefined and to be filled before the next call into Lua. */
void *args_push (lua_State *L, const ArgsKind *kind, size_t size, int user_values);

/* The userdata is about to go: who gets its memory shall not find a mark there. */
void args_unmark (void *userdata);

/* The userdata of this kind at index; NULL, or an argument error, where it is something else. */
void *args_test (lua_State *L, int index, const ArgsKind *kind);
void *args_check (lua_State *L, int arg, const ArgsKind *kind);

/* Raises the message (lua_pushfstring's format) about argument arg; about the object itself where
   that is the array whose method was called. Never returns. */
int args_fail (lua_State *L, int arg, const char *format, ...);

/* Raises the message as luaL_error does, with the line of the innermost Lua code: between that and
   an operator there may be functions of C, as those that strings have for their arithmetic. */
int args_raise (lua_State *L, const char *format, ...);

/* The value at index as messages show an operand: a string in quotes, of a Matrix no entries. Pushes
   the text. */
const char *args_operand (lua_State *L, int index);

/* What the value at index is, by the name of its type: "neap.VectorArray", "number". Pushes the
   string. */
const char *args_kind (lua_State *L, int index);

size_t args_size (lua_State *L, int arg, const char *name); /* an integer, at least 0 */
size_t args_index (lua_State *L, int arg, size_t n);        /* 1..n, returned as 0..n-1 */

/* Raises that the value at the top of the stack is no number; format and args name it. */
int args_fail_number (lua_State *L, int arg, const char *format, va_list args);
/* The number at the top of the stack, which is popped; what names it in the message, as in
   "entry 2 of vector 3". */
double args_pop_number (lua_State *L, int arg, const char *format, ...)
  __attribute__((format(printf, 3, 4)));

/* Length of the list at arg; it may have metamethods. */
size_t args_list_len (lua_State *L, int arg);

/* Has the list at arg no metamethods? Then its items are read faster. Pushes item k, from 0, and
   returns its type. */
bool args_is_raw (lua_State *L, int arg);
int args_item (lua_State *L, int arg, bool raw, size_t k);

/* Puts a plain copy in the place of a list with metamethods at arg. Those are Lua code, which may
   close an array or change its length: so this comes before arrays are checked. Anything else at
   arg stays. */
void args_plain (lua_State *L, int arg);

/* The list of numbers at arg, n of them, into x. */
void args_read_numbers (lua_State *L, int arg, size_t n, double *x);
/* The same; pushes the scratch userdata that holds them. */
double *args_numbers (lua_State *L, int arg, size_t n);

/* The index at arg, or the list of them, each in 1..limit, counted from 0: in few where they fit, or
   else in a scratch userdata. Pushes one value. */
enum { ARGS_FEW = 64 };
size_t *args_indices (lua_State *L, int arg, size_t limit, size_t *n, size_t few[ARGS_FEW]);

/* A scratch userdata of n elements of the given size, pushed; contents undefined. */
void *args_scratch (lua_State *L, size_t n, size_t size);

/* Options are a table at arg, or nothing. An option that is not among names (ended by NULL) is an
   error that names it. Afterwards arg holds a table or nil. */
void args_options (lua_State *L, int arg, const char *const names[]);

/* Pushes an option, nil where it is not given, and returns its type. */
int args_option (lua_State *L, int arg, const char *name);
bool args_option_boolean (lua_State *L, int arg, const char *name, bool standard);
double args_option_number (lua_State *L, int arg, const char *name, double standard);

/* Both sizes in one message: "dimension 10 expected, got 12". */
void args_check_dim (lua_State *L, int arg, size_t expected, size_t got);
void args_check_len (lua_State *L, int arg, size_t expected, size_t got);

#endif
