/* files.h - reading and writing the files of arrays. What is read is never trusted; what is
   written appears under its name only when it is complete. */
#ifndef FILES_H
#define FILES_H

#include <stdbool.h>
#include <stdint.h>
#include <lua.h>

/* A file open for reading, plain or compressed by gzip: a userdata, so that whatever raises the
   collector closes it. */
typedef struct Reader Reader;

/* What the caller of neap.load wants: FILES_ANY is what suits the content. */
typedef enum FilesKind { FILES_ANY, FILES_VECTORARRAY, FILES_MATRIX, FILES_SPARSE } FilesKind;

/* Opens the file at path, a string that stays on the stack longer; pushes the reader. */
Reader *reader_push (lua_State *L, const char *path);

/* The first bytes of the file, at most len of them; reading begins before them again. */
size_t reader_peek (lua_State *L, Reader *r, char *head, size_t len);

/* Raises "<path>: byte <offset>: <message>", or with the line if lines were read. */
_Noreturn void reader_fail (lua_State *L, const Reader *r, const char *format, ...);

/* Reads len bytes, or raises that the file ends. */
void reader_bytes (lua_State *L, Reader *r, void *target, size_t len, const char *what);

/* Is the file at its end? If not, a byte is lost. Raises when it cannot be read. */
bool reader_at_end (lua_State *L, Reader *r);

/* The next line without its end, terminated by 0 and valid until the next call, or NULL at the end
   of the file. Raises for lines that hold a 0 byte and for what cannot be read. */
char *reader_line (lua_State *L, Reader *r);

/* The reader at arg; for matload.c. */
Reader *reader_check (lua_State *L, int arg);

/* Bytes of the file that have not been read. Raises for files that are compressed as a whole or
   whose size is not known. */
uint64_t reader_left (lua_State *L, const Reader *r);

/* Raises unless a file of this size can hold n items of at least len bytes each. Comes before any
   memory is taken because of a number in the file. */
void reader_check_room (lua_State *L, const Reader *r, uint64_t n, uint64_t len,
                        const char *what);

/* Raises where a x b numbers of len bytes each can never be held, which a file may ask for in a few
   bytes. */
void reader_check_memory (lua_State *L, const Reader *r, size_t a, size_t b, size_t len);

/* The number at *text, in the notation of C whatever the locale; moves *text behind it. false: no
   number there. */
bool reader_number (const Reader *r, char **text, double *x);

/* Pushes a VectorArray [rows, cols] or a Matrix and returns its column-major memory; NULL when it
   has none. preferred: what FILES_ANY means. Raises for FILES_SPARSE. */
double *reader_push_dense (lua_State *L, const Reader *r, FilesKind kind, FilesKind preferred,
                           size_t rows, size_t cols, bool is_complex);

/* A file being written under a temporary name: a userdata; if it is collected before
   writer_finish, the file is removed. */
typedef struct Writer Writer;

/* Creates a temporary file beside path, a string that stays on the stack longer; pushes the writer.
   compress: through gzip. */
Writer *writer_push (lua_State *L, const char *path, bool compress);

/* Ends the file and gives it its name, or raises and leaves what had the name before. */
void writer_finish (lua_State *L, Writer *w);

void writer_bytes (lua_State *L, Writer *w, const void *source, size_t len);
void writer_format (lua_State *L, Writer *w, const char *format, ...)
  __attribute__((format(printf, 3, 4)));
void writer_number (lua_State *L, Writer *w,
                    double x); /* the shortest text that reads the same */

/* What neap.save is given: a VectorArray or a Matrix as a panel, its columns ld apart. Complex
   numbers have two doubles each. */
typedef struct FilesDense {
  size_t rows, cols, ld;
  bool is_complex;
  const double *x;
} FilesDense;

/* The VectorArray or Matrix at index as a panel, which lives as long as it; pushes what keeps its
   memory. false: it is something else. */
bool files_dense (lua_State *L, int index, FilesDense *M);

/* One file format each: the load functions push what they read. */
void npy_load (lua_State *L, Reader *r, FilesKind kind);
void npy_save (lua_State *L, Writer *w, const FilesDense *M);
void mtx_load (lua_State *L, Reader *r, FilesKind kind);
void mtx_save (lua_State *L, Writer *w, const FilesDense *M);
struct SparseMatrix;
void mtx_save_sparse (lua_State *L, Writer *w, struct SparseMatrix *A);
void csv_load (lua_State *L, Reader *r, FilesKind kind);
void csv_save (lua_State *L, Writer *w, const FilesDense *M);

/* .mat: matload.c is a module of its own, with matio; mat_open pushes its load function. */
void mat_open (lua_State *L, const char *path);
void mat_load (lua_State *L, Reader *r, FilesKind kind);
/* Pushes a copy of the table at index, of what is to be saved; raises argument errors about argument
   2, which it is. mat_save writes such a copy. */
void mat_push_checked (lua_State *L, int index);
void mat_save (lua_State *L, Writer *w, int index);

/* Adds load and save to the table on top of the stack. */
void files_open (lua_State *L);

#endif
