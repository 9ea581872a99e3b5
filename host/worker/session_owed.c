/* session_owed.c - what a worker could not do for want of memory, and nobody waits for: it is done
   later, since what comes afterwards builds on it. */
#include <string.h>
#include <lauxlib.h>
#include "worker/protocol.h"
#include "worker/session_internal.h"

bool session_may_owe (const Message *m) {
  return m->type == REQUEST_CONFIGURE || m->type == REQUEST_DEFINE || m->type == REQUEST_GIVE ||
         m->type == REQUEST_FREE || m->type == REQUEST_MAP_END;
}

bool session_lacked_memory (lua_State *L, int status) {
  if (status == LUA_ERRMEM || status == LUA_ERRERR) return true;
  if (!lua_istable(L, -1)) return false;
  lua_getfield(L, -1, "message"); /* the name is there, since the field is */
  const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
  bool found = strstr(text, "not enough memory") != NULL;
  lua_pop(L, 1);
  return found;
}

void session_pay (Session *s) {
  int n = s->n_owed, left = 0;
  bool lacks_definition = false;
  for (int i = 0; i < n; i++) {
    Message m = s->owed[i];
    bool is_definition = m.type == REQUEST_DEFINE;
    if ((is_definition && lacks_definition) || session_serve(s, &m) != LUA_OK) {
      lacks_definition = lacks_definition || is_definition;
      s->owed[left++] = m;
    } else {
      message_fini(&m);
    }
  }
  s->n_owed = left;
  lua_settop(s->L, 0);
}

int session_owe (Session *s, const Message *m) {
  if (s->n_owed == SESSION_OWED) return UV_ENOMEM;
  s->owed[s->n_owed] = *m;
  if (m->parcel != NULL) parcel_retain(m->parcel);
  s->n_owed++;
  session_pay(s);
  return 0;
}

void session_drop_owed (Session *s) {
  for (int i = 0; i < s->n_owed; i++) message_fini(&s->owed[i]);
  s->n_owed = 0;
}
