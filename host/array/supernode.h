/* supernode.h - solves with a supernodal factor of CHOLMOD, for one right-hand side. No Lua; nothing
   here can fail. */
#ifndef SUPERNODE_H
#define SUPERNODE_H

#include <cholmod.h>

/* X = A^-1 B, from the real factor L L^T of A with rows and columns permuted. work has 2 n
   doubles. */
void supernode_solve (const cholmod_factor *L, double *X, const double *B, double *work);

#endif
