/* sparseproduct.h - the product of two sparse matrices. */
#ifndef SPARSEPRODUCT_H
#define SPARSEPRODUCT_H

#include "array/sparse.h"

/* Pushes A B, which are arguments 1 and 2; their inner dimensions agree. The pattern has every entry that a product of two
   entries contributes to, cancelled or not. */
SparseMatrix *sparse_push_product (lua_State *L, SparseMatrix *A, SparseMatrix *B);

#endif
