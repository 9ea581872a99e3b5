/* matrix.h - Matrix: small and dense, column-major, the leading dimension is the number of rows.
   A complex matrix has two doubles for each entry, the real and the imaginary part. For C code that
   reads, makes or fills matrices. */
#ifndef MATRIX_H
#define MATRIX_H

#include <stdbool.h>
#include <stddef.h>
#include <lua.h>
#include "array/args.h"

extern const ArgsKind matrix_kind; /* "neap.Matrix" */

/* A userdata: it lives as long as Lua can see it, so keep it on the stack while in use. */
typedef struct Matrix Matrix;

Matrix *matrix_check (lua_State *L, int arg);  /* the Matrix at arg; raises an argument error */
Matrix *matrix_test (lua_State *L, int index); /* NULL for any other value */
Matrix *matrix_check_real (lua_State *L, int arg); /* refuses complex ones too */

/* Pushes a new real matrix, zero or with undefined contents. Raises when the size overflows or there
   is no memory. */
Matrix *matrix_push (lua_State *L, size_t rows, size_t cols);
Matrix *matrix_push_raw (lua_State *L, size_t rows, size_t cols);

/* The same, real or complex. */
Matrix *matrix_push_kind (lua_State *L, size_t rows, size_t cols, bool is_complex, bool zero);

/* Pushes M, which stands at index, or a complex copy of it where it is real. */
Matrix *matrix_push_complex (lua_State *L, int index, const Matrix *M);

bool matrix_is_complex (const Matrix *M);
size_t matrix_rows (const Matrix *M);
size_t matrix_cols (const Matrix *M);

/* The entries, to be read until the next write to M. Never NULL. */
const double *matrix_read (const Matrix *M);

/* The entries, to be written until the next call into Lua. Raises when M is frozen, or when there
   is no memory for the copy that a shared block needs. */
double *matrix_write (lua_State *L, Matrix *M);

#endif
