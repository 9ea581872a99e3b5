/* format.h - the bytes of a parcel. All numbers are little-endian.

   A parcel of values: u8 PARCEL_VALUES, u8 flags, u16 zero, u32 how many, u64 where the values
   end; the values; in a self-contained parcel a u32 count of definitions follows, each a u64
   length, a u32 count of slices and the bytes of its parcel.
   The code of a function: u8 PARCEL_CODE, 3 zeros, u32 number, u32 version, u64 hash of the
   code, the code.
   A class: u8 PARCEL_CLASS, 3 zeros, u32 number, u32 version, 16 bytes that name the class in
   the whole world, its table as a value.

   A value is an op and what follows it. What is met again later carries OP_SHARED on its first
   op, and is then referred to by the offset of that op in the parcel. */
#ifndef FORMAT_H
#define FORMAT_H

enum { PARCEL_VALUES = 1, PARCEL_CODE = 2, PARCEL_CLASS = 3 };
enum { PARCEL_CONTAINED = 1 }; /* flag: definitions are inside */
enum { HEAD_VALUES = 16, HEAD_DEFINITION = 12, HEAD_CODE = 20, HEAD_CLASS = 28 };
enum { UID_LEN = 16 };

enum {
  OP_NIL,
  OP_FALSE,
  OP_TRUE,
  OP_INTEGER,  /* zigzag varint */
  OP_FLOAT,    /* u64, the bits */
  OP_STRING,   /* varint length, bytes */
  OP_REF,      /* varint offset */
  OP_GLOBALS,  /* the receiver's */
  OP_TABLE,    /* u32 items, u32 fields; items 1, 2, ...; keys and values [; metatable] */
  OP_RECORD,   /* u32 fields; the same without items */
  OP_INTEGERS, /* as OP_TABLE, the items being u64 each */
  OP_FLOATS,
  OP_META = 4,     /* added to one of the four: the metatable comes last */
  OP_UPVALUE = 16, /* the value; only in functions */
  OP_FUNCTION,     /* varint number of the code, u8 upvalues; each OP_UPVALUE, OP_REF to one, or
                     OP_GLOBALS */
  OP_NAMED,        /* a string value (see names.h), u64 hash of the module's source or 0 */
  OP_CLASS,        /* varint number (0: the class that this parcel defines), UID_LEN bytes */
  OP_REMOTE,       /* varint id */
  OP_IMMUTABLE,    /* the table that it was, one of OP_TABLE... */
  OP_ARRAY,        /* u8 kind, u8 flags, 3 varint shape, u8 slices; each slice as below */
  OP_VIEW,         /* an array (OP_REF, OP_ARRAY or OP_BASE), what is shown of it as below */
  OP_BASE,    /* an OP_ARRAY, varint n; n times a varint offset of an array that has come, and
                     what that shows of this one: from now on it is a view */
  OP_COMPLEX, /* u64 and u64, the bits of the real and the imaginary part */
  OP_SHORT = 32, /* + length: a string of less than 32 bytes */
  OP_SMALL = 64, /* + value: an integer in 0..63 */
  OP_SHARED = 128
};

enum {
  VIEW_STEP,   /* varint vectors, varint first one from 0, zigzag varint step */
  VIEW_INDICES /* varint vectors, a varint each, from 0 */
};

enum {
  SLICE_INLINE,   /* varint length, bytes; may carry OP_SHARED */
  SLICE_ATTACHED, /* u32 slice of the parcel, u64 offset in it, u64 length */
  SLICE_REF       /* varint offset of a SLICE_INLINE */
};

enum {
  INLINE_MAX = 4096, /* longer slices travel beside the bytes */
  SHORT_END = 32,
  SMALL_END = 64,
  FRAME_SLOTS = 8,  /* Lua stack that one level of nesting may take, with what it calls */
  CLASS_DEPTH = 100 /* classes inside classes: this one is recursion in C */
};

#endif
