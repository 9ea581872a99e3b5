/* request.h - methods of a pool that ask each worker, or one, for one thing. */
#ifndef REQUEST_H
#define REQUEST_H

#include <lua.h>

int request_apply (lua_State *L);       /* pool:apply(f, ...) -> call */
int request_apply_async (lua_State *L); /* the same, taking along the globals that it names */
int request_apply_only (lua_State *L);  /* pool:apply_only(worker, f, ...) -> call */
int request_submit (lua_State *L);      /* pool:submit(f, ...) -> call, on any worker */
int request_keep (lua_State *L);        /* pool:keep(f, ...) -> call, remote */
/* pool:push(object, is_immutable) -> call or nil, remote. An immutable that is on the workers
   already is not sent again. */
int request_push (lua_State *L);
int request_scatter (
  lua_State *L);                /* pool:scatter(parts) -> call, remote: part w to worker w */
int request_get (lua_State *L); /* pool:get(remote [, worker]) -> call: of all, or of one */
/* pool:set_setup(f) -> call: runs f on each worker, and on each that replaces one */
int request_set_setup (lua_State *L);

#endif
