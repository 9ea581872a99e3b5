/* refuse.c - errors about values that cannot be sent: where they are, what they are. */
#include "wire/encoder.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <lauxlib.h>

enum { CHAIN_HEAD = 200, CHAIN_TAIL = 100 }; /* bytes shown of a long path */

/* Where the path is on the Lua stack while it is made: .a.b[3], what that is a field of, and
   the last key in it. */
enum { CHAIN = 1, OWNER = 2, LAST = 3, PATH_SLOTS = 3 };

static bool is_identifier (const char *s, size_t len) {
  if (len == 0 || isdigit((unsigned char)s[0])) return false;
  for (size_t i = 0; i < len; i++) {
    if (!isalnum((unsigned char)s[i]) && s[i] != '_') return false;
  }
  return true;
}

/* Appends the key at index to the chain. */
static void add_key (lua_State *L, int path, int key) {
  size_t len;
  switch (lua_type(L, key)) {
    case LUA_TSTRING: {
      const char *s = lua_tolstring(L, key, &len);
      if (is_identifier(s, len)) lua_pushfstring(L, ".%s", s);
      else lua_pushfstring(L, "[\"%s\"]", s);
      lua_pushvalue(L, key);
      break;
    }
    case LUA_TNUMBER:
    case LUA_TBOOLEAN:
      lua_pushfstring(L, "[%s]", luaL_tolstring(L, key, NULL));
      lua_remove(L, -2);
      lua_pushnil(L);
      break;
    default: lua_pushfstring(L, "[a %s]", luaL_typename(L, key)); lua_pushnil(L);
  }
  lua_replace(L, path + LAST);
  lua_pushvalue(L, path + CHAIN);
  lua_insert(L, -2);
  lua_concat(L, 2);
  lua_tolstring(L, -1, &len);
  if (len > CHAIN_HEAD + CHAIN_TAIL + 8) { /* the middle of it tells nobody anything */
    const char *s = lua_tostring(L, -1);
    lua_pushlstring(L, s, CHAIN_HEAD);
    lua_pushliteral(L, " ... ");
    lua_pushstring(L, s + len - CHAIN_TAIL);
    lua_concat(L, 3);
    lua_remove(L, -2);
  }
  lua_replace(L, path + CHAIN);
}

/* Pushes "field .a.b of <owner>", "<owner>" or "". */
static void push_path (lua_State *L, int path) {
  bool has_chain = lua_rawlen(L, path + CHAIN) > 0, has_owner = lua_rawlen(L, path + OWNER) > 0;
  lua_pushfstring(L, "%s%s%s%s", has_chain ? "field " : "", lua_tostring(L, path + CHAIN),
                  has_chain && has_owner ? " of " : "", lua_tostring(L, path + OWNER));
}

/* The string on top becomes the owner of what comes next, joined to the path so far. */
static void set_owner (lua_State *L, int path, const char *joint) {
  push_path(L, path);
  if (lua_rawlen(L, -1) > 0) {
    lua_pushstring(L, joint);
    lua_insert(L, -2);
    lua_concat(L, 3);
  } else {
    lua_pop(L, 1);
  }
  lua_replace(L, path + OWNER);
  lua_pushliteral(L, "");
  lua_replace(L, path + CHAIN);
  lua_pushnil(L);
  lua_replace(L, path + LAST);
}

static void add_upvalue (lua_State *L, int path, const EncoderFrame *f) {
  lua_Debug ar;
  const char *name = lua_getupvalue(L, f->object, f->upvalue);
  lua_pop(L, 1);
  lua_pushvalue(L, f->object);
  lua_getinfo(L, ">S", &ar);
  if (lua_isstring(L, path + LAST)) {
    lua_pushfstring(L, "upvalue '%s' of function %s (%s:%d)", name,
                    lua_tostring(L, path + LAST), ar.short_src, ar.linedefined);
  } else {
    lua_pushfstring(L, "upvalue '%s' of function <%s:%d>", name, ar.short_src, ar.linedefined);
  }
  set_owner(L, path, " in ");
  lua_pushstring(L, name); /* what a function in it is called */
  lua_replace(L, path + LAST);
}

/* Does the value go from a worker to the driver? */
static bool is_answer (const Encoder *e) {
  return e->context != NULL && e->context->remote_push != NULL && e->context->remote_id == NULL;
}

static void add_frame (lua_State *L, int path, const Encoder *e, const EncoderFrame *f) {
  switch (f->kind) {
    case FRAME_TABLE:
      if (!(f->flags & FRAME_HAS_VALUE)) {
        add_key(L, path, f->object + 1);
      } else { /* the value is not under way while its key is */
        lua_pushliteral(L, "a key");
        set_owner(L, path, " of ");
      }
      break;
    case FRAME_METATABLE:
      lua_pushliteral(L, "the metatable");
      set_owner(L, path, " of ");
      break;
    case FRAME_SLICE:
      if (is_answer(e)) break; /* counted within a chunk, which is nobody's business */
      lua_pushfstring(L, "item %I", f->n_items);
      set_owner(L, path, " of ");
      break;
    default: add_upvalue(L, path, f);
  }
}

/* From the outermost value inwards, through the classes on the way. */
static void add_frames (lua_State *L, int path, const Encoder *e) {
  if (e->parent != NULL) add_frames(L, path, e->parent);
  for (size_t i = 0; i < e->n_frames; i++) add_frame(L, path, e, &e->w.frames[i]);
}

int encode_refuse (lua_State *L, Encoder *e, const char *what, const char *advice) {
  if (!lua_checkstack(L, 20)) return luaL_error(L, "%s: nested too deep to be sent", e->label);
  int path = lua_gettop(L); /* CHAIN is the slot after it */
  lua_pushliteral(L, "");
  lua_pushliteral(L, "");
  lua_pushnil(L);
  add_frames(L, path, e);
  push_path(L, path);
  bool is_root = lua_rawlen(L, -1) == 0;
  lua_pushfstring(L, "%s%s%s is %s and cannot be sent to %s%s%s", e->label, is_root ? "" : ": ",
                  lua_tostring(L, -1), what, is_answer(e) ? "the driver" : "a worker",
                  advice != NULL ? "; " : "", advice != NULL ? advice : "");
  return lua_error(L);
}

/* Pools and futures are refused as what they are, whatever it is in them that cannot be sent. */
static void refuse_handle (lua_State *L, Encoder *e) {
  static const char *const handles[][3] = {
    {"WorkerPool", "a WorkerPool", "only the driver calls it"},
    {"Future", "a Future", "send what its get returns"},
  };
  for (size_t i = 0; i < e->n_frames; i++) {
    const EncoderFrame *f = &e->w.frames[i];
    if (f->kind != FRAME_TABLE || luaL_getmetafield(L, f->object, "__name") == LUA_TNIL)
      continue;
    for (size_t k = 0; k < sizeof handles / sizeof *handles; k++) {
      const char *name = lua_tostring(L, -1);
      if (name == NULL || strcmp(name, handles[k][0]) != 0) continue;
      e->n_frames = i; /* the way to it */
      encode_refuse(L, e, handles[k][1], handles[k][2]);
    }
    lua_pop(L, 1);
  }
}

int encode_refuse_kind (lua_State *L, Encoder *e) {
  refuse_handle(L, e);
  switch (lua_type(L, -1)) {
    case LUA_TTHREAD:
      return encode_refuse(L, e, "a coroutine", "send the function that it runs");
    case LUA_TLIGHTUSERDATA: return encode_refuse(L, e, "a light userdata", NULL);
    case LUA_TFUNCTION:
      return encode_refuse(L, e, "a C function without a name", "call it through its module");
    default: break;
  }
  const luaL_Stream *file = luaL_testudata(L, -1, LUA_FILEHANDLE);
  if (file != NULL && file->closef != NULL) return encode_refuse(L, e, "an open file", NULL);
  if (file != NULL) return encode_refuse(L, e, "a closed file", NULL);
  const char *name = "an unknown type";
  if (luaL_getmetafield(L, -1, "__name") == LUA_TSTRING) name = lua_tostring(L, -1);
  return encode_refuse(L, e, lua_pushfstring(L, "a userdata of %s", name),
                       is_answer(e) ? "pool:keep leaves it there" : "make it on the worker");
}
