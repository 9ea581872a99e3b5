/* matformat.h - what .mat files of version 5 consist of.

   A header of 128 bytes: text, from byte 124 on the version and the byte order. Then elements: a tag
   (type and length, four bytes each) and data padded to a multiple of 8; data of at most 4 bytes may
   stand in the tag, whose upper half of the type is their length then. A variable is an element of
   type MI_MATRIX, or, through zlib and without padding, MI_COMPRESSED. It consists of elements:
   flags (class and attributes, and the room of a sparse matrix), dimensions, name, and by class

     numbers, text    real parts, imaginary parts if there are
     sparse           rows, starts of the columns, real parts, imaginary parts if there are
     cells            a matrix for each
     struct           length of a name, names, a matrix for each field of each element */
#ifndef MATFORMAT_H
#define MATFORMAT_H

enum { MAT_HEADER = 128, MAT_VERSION_AT = 124, MAT_NAME_MOST = 63 };

/* Types of elements. */
enum {
  MI_INT8 = 1,
  MI_UINT8,
  MI_INT16,
  MI_UINT16,
  MI_INT32,
  MI_UINT32,
  MI_SINGLE,
  MI_DOUBLE = 9,
  MI_INT64 = 12,
  MI_UINT64,
  MI_MATRIX,
  MI_COMPRESSED,
  MI_UTF8,
  MI_UTF16
};

/* Classes of variables, and their attributes. */
enum {
  MX_CELL = 1,
  MX_STRUCT,
  MX_OBJECT,
  MX_CHAR,
  MX_SPARSE,
  MX_DOUBLE,
  MX_UINT8 = 9,
  MX_UINT64 = 15,
  MX_COMPLEX = 0x800,
  MX_LOGICAL = 0x200
};

/* Cells within cells. */
enum { MAT_DEPTH_MOST = 32 };

#endif
