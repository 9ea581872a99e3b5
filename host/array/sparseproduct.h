/* sparseproduct.h - the product of two sparse matrices. */
#ifndef SPARSEPRODUCT_H
#define SPARSEPRODUCT_H

#include "array/sparse.h"

/* Pushes A B; their inner dimensions agree. The pattern has every entry that a product of two
   entries contributes to, cancelled or not. */
SparseMatrix *sparse_push_product (lua_State *L, const SparseMatrix *A, const SparseMatrix *B);

#endif
