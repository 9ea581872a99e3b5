/* failing.c - an allocator that fails when it is told to, for specs: preloaded before libc's, and a
   Lua module. */
#include <stdbool.h>
#include <stddef.h>
#include <errno.h>
#include <malloc.h>
#include <lua.h>
#include <lauxlib.h>

/* libc's own, under the names by which it exports them for this. */
extern void *__libc_malloc (size_t size);
extern void *__libc_calloc (size_t n, size_t size);
extern void *__libc_realloc (void *old, size_t size);
extern void *__libc_memalign (size_t alignment, size_t size);
extern void __libc_free (void *p);

int luaopen_failing (lua_State *L);
void *aligned_alloc (size_t alignment, size_t size);
int posix_memalign (void **p, size_t alignment, size_t size);

/* Only the thread that has armed it is watched. */
static __thread struct {
  bool is_armed;
  long long count;       /* requests since then */
  long long first, last; /* those that fail, */
  size_t least;          /* if they ask for so many bytes */
} watch;

static long long live; /* allocations of all threads that have not been freed */

static bool fails (size_t size) {
  if (!watch.is_armed || size < watch.least) return false;
  watch.count++;
  if (watch.count < watch.first || watch.count > watch.last) return false;
  errno = ENOMEM;
  return true;
}

static void *counted (void *p) {
  if (p != NULL) __atomic_add_fetch(&live, 1, __ATOMIC_RELAXED);
  return p;
}

void *malloc (size_t size) {
  return fails(size) ? NULL : counted(__libc_malloc(size));
}

void *calloc (size_t n, size_t size) {
  return fails(n * size) ? NULL : counted(__libc_calloc(n, size));
}

void free (void *p) {
  if (p != NULL) __atomic_sub_fetch(&live, 1, __ATOMIC_RELAXED);
  __libc_free(p);
}

void *realloc (void *old, size_t size) {
  if (old == NULL) return malloc(size);
  if (size == 0) {
    free(old);
    return NULL;
  }
  /* Lua takes for granted that memory can be made smaller. */
  if (size > malloc_usable_size(old) && fails(size)) return NULL;
  return __libc_realloc(old, size);
}

void *memalign (size_t alignment, size_t size) {
  return fails(size) ? NULL : counted(__libc_memalign(alignment, size));
}

void *aligned_alloc (size_t alignment, size_t size) {
  return memalign(alignment, size);
}

int posix_memalign (void **p, size_t alignment, size_t size) {
  int before = errno;
  void *fresh = memalign(alignment, size);
  errno = before;
  if (fresh == NULL) return ENOMEM;
  *p = fresh;
  return 0;
}

/* arm(first, last, least): from now on, of the requests for at least so many bytes, number first to
   last fail. */
static int l_arm (lua_State *L) {
  watch.first = luaL_checkinteger(L, 1);
  watch.last = luaL_checkinteger(L, 2);
  watch.least = (size_t)luaL_optinteger(L, 3, 0);
  watch.count = 0;
  watch.is_armed = true;
  return 0;
}

/* disarm() -> how many requests there were */
static int l_disarm (lua_State *L) {
  watch.is_armed = false;
  lua_pushinteger(L, watch.count);
  return 1;
}

/* live() -> allocations that have not been freed */
static int l_live (lua_State *L) {
  lua_pushinteger(L, __atomic_load_n(&live, __ATOMIC_RELAXED));
  return 1;
}

int luaopen_failing (lua_State *L) {
  static const luaL_Reg functions[] = {{"arm", l_arm},
                                       {"disarm", l_disarm},
                                       {"live", l_live},
                                       {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
