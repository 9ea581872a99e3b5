/* codeglobals.h - which globals the code of a function names. */
#ifndef CODEGLOBALS_H
#define CODEGLOBALS_H

#include <stdbool.h>
#include <stddef.h>
#include "wire/parcel.h"

/* name has no '\0' at its end. is_certain: the code reads the global of this name. Else it may: it uses _G or _ENV as a
   table, and the name is one of its strings. */
typedef void (*CodeGlobalFn)(void *user, const char *name, size_t len, bool is_certain);

/* Calls f for each global that the code of a definition (PARCEL_CODE) names, its inner functions
   included; a name may come several times. Other parcels name none. */
void codeglobals_each (const Parcel *definition, CodeGlobalFn f, void *user);
/* The same for what lua_dump wrote. */
void codeglobals_in_dump (const void *dump, size_t len, CodeGlobalFn f, void *user);

#endif
