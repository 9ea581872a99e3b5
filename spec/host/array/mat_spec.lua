local neap = require "neap"
local lfs = require "lfs"
local command = require "spec.support.command"
local leaks = require "spec.support.leaks"
require "spec.support.arrays"
local Matrix, SparseMatrix, VectorArray = neap.Matrix, neap.SparseMatrix, neap.VectorArray
local complex = neap.complex
local i = complex(0, 1)

-- Elements of .mat files, in the byte order "<" or ">".
local function builder(order)
  local B = {}
  function B.element(type, data)
    return (order .. "I4I4"):pack(type, #data) .. data .. ("\0"):rep(-#data % 8)
  end
  function B.small(type, data)
    return (order .. "I4"):pack(#data << 16 | type) .. data .. ("\0"):rep(4 - #data)
  end
  function B.numbers(type, format, ...)
    local parts = {}
    for k, x in ipairs { ... } do parts[k] = (order .. format):pack(x) end
    return B.element(type, table.concat(parts))
  end
  function B.head(flags, dims, name, nzmax)
    return B.numbers(6, "I4", flags, nzmax or 0) .. B.numbers(5, "i4", table.unpack(dims))
      .. (#name <= 4 and #name > 0 and B.small(1, name) or B.element(1, name))
  end
  function B.matrix(flags, dims, name, ...)
    return B.element(14, B.head(flags, dims, name) .. table.concat { ... })
  end
  function B.file(...)
    return ("MATLAB 5.0 MAT-file" .. (" "):rep(97) .. ("\0"):rep(8))
      .. (order == "<" and "\0\1IM" or "\1\0MI") .. table.concat { ... }
  end
  return B
end

-- zlib's format without compression.
local function stored(data)
  local a, b = 1, 0
  for k = 1, #data do
    a = (a + data:byte(k)) % 65521
    b = (b + a) % 65521
  end
  return "\x78\x01\1" .. ("<I2I2"):pack(#data, ~#data & 0xffff) .. data
    .. (">I4"):pack(b << 16 | a)
end

local function compressed(data)
  local z = stored(data)
  return ("<I4I4"):pack(15, #z) .. z
end

local has_mat = lfs.attributes(command.neap:match("^(.*)/") .. "/neap_mat.so") ~= nil
local B = builder "<"
local double, single, uint8, sparse, char, cell, struct = 6, 7, 9, 5, 4, 1, 2

describe("loading a .mat file", function()
  leaks.watch(before_each, after_each)
  if not has_mat then
    pending("works where matio is installed")
    return
  end
  local path
  before_each(function() path = os.tmpname() end)
  after_each(function() os.remove(path) end)

  -- A fresh file each time: some file systems wait for the disk when one is overwritten.
  local function write(bytes)
    os.remove(path)
    command.write(bytes, path)
  end

  local function load(bytes, options)
    write(bytes)
    return neap.load(path, options)
  end

  local function message(bytes, options)
    write(bytes)
    local ok, why = pcall(neap.load, path, options)
    assert.is_false(ok)
    assert.equal(path .. ": ", why:sub(1, #path + 2))
    return (why:sub(#path + 3))
  end

  local two = B.matrix(double, { 1, 2 }, "pair", B.numbers(9, "d", 1, 2))

  it("gives a table by name, in both byte orders", function()
    for _, order in ipairs { "<", ">" } do
      local C = builder(order)
      local t = load(C.file(
        C.matrix(double, { 2, 2 }, "A", C.numbers(9, "d", 1, 2, 3, 4)),
        C.matrix(double | 0x800, { 1, 2 }, "a_longer_name", C.numbers(9, "d", 1, 2),
          C.numbers(3, "i2", -1, 300)),
        C.matrix(single, { 2, 1 }, "s", C.numbers(7, "f", 0.5, -1)),
        C.matrix(uint8 | 0x200, { 1, 1 }, "flag", C.small(2, "\1")),
        C.matrix(sparse, { 3, 2 }, "S", C.numbers(5, "i4", 2, 0), C.numbers(5, "i4", 0, 1, 2),
          C.numbers(9, "d", 5, 6)),
        C.matrix(char, { 1, 3 }, "text", C.numbers(4, "I2", 0x61, 0x3b1, 0xd7ff)),
        C.matrix(char, { 1, 3 }, "pair", C.numbers(17, "I2", 0xd835, 0xdefd, 0xd800)),
        C.matrix(char, { 1, 2 }, "utf8", C.small(16, "αz")),
        C.matrix(char, { 2, 2 }, "rows", C.small(2, "acbd")),
        C.matrix(char, { 1, 1 }, "byte", C.small(2, "\xe9"))))
      assert.same({ { 1, 3 }, { 2, 4 } }, t.A:to_table())
      assert.close_arrays({ { 1 - i, 2 + 300 * i } }, t.a_longer_name)
      assert.same({ { 0.5 }, { -1 } }, t.s:to_table())
      assert.is_true(t.flag)
      assert.same({ { 0, 6 }, { 0, 0 }, { 5, 0 } }, t.S:to_matrix():to_table())
      assert.equal("a\u{3b1}\u{d7ff}", t.text)
      assert.equal("\u{1d6fd}\u{fffd}", t.pair)
      assert.equal("αz", t.utf8)
      assert.same({ "ab", "cd" }, t.rows)
      assert.equal("é", t.byte)
    end
  end)

  it("makes of 1 x 1 what Lua has for it, unless as says what", function()
    local file = B.file(
      B.matrix(double, { 1, 1 }, "x", B.numbers(9, "d", 0.1)),
      B.matrix(double | 0x800, { 1, 1 }, "z", B.small(1, "\1"), B.small(1, "\2")), two)
    local t = load(file)
    assert.same({ 0.1, complex(1, 2) }, { t.x, t.z })
    assert.equal("float", math.type(load(B.file(
      B.matrix(uint8, { 1, 1 }, "n", B.small(2, "\7")))).n))
    t = load(file, { as = "Matrix" })
    assert.close_arrays({ { 0.1 } }, t.x)
    assert.close_arrays({ { complex(1, 2) } }, t.z)
    t = load(file, { as = "VectorArray" })
    assert.same({ 1, 2 }, { t.pair.dim, #t.pair })
    assert.same({ { 1 }, { 2 } }, t.pair:to_table())
    assert.equal(1, t.x.dim)
    assert.matches("a .mat is loaded as a table", message(file, { as = "SparseMatrix" }))
  end)

  it("gives lists for cells, tables for structs", function()
    local empty = B.element(14, "")
    local x = B.matrix(double, { 1, 1 }, "", B.small(1, "\5"))
    local function fields(names, ...)
      return B.small(5, ("<I4"):pack(8)) .. B.element(1, names) .. table.concat { ... }
    end
    local t = load(B.file(
      B.matrix(cell, { 2, 2 }, "c", x, empty, B.matrix(cell, { 1, 1 }, "", x), x),
      B.matrix(struct, { 1, 1 }, "s", fields("a\0\0\0\0\0\0\0name\0\0\0\0", x, empty)),
      B.matrix(struct, { 2, 1 }, "list", fields("a\0\0\0\0\0\0\0", x, empty)),
      B.matrix(struct, { 1, 1 }, "bare", fields("")),
      B.matrix(struct, { 0, 5 }, "none", fields("a\0\0\0\0\0\0\0")),
      B.matrix(cell, { 0, 0 }, "nil")))
    assert.same({ 5, 5, 5 }, { t.c[1], t.c[3][1], t.c[4] })
    assert.same({ 0, 0 }, { t.c[2].rows, t.c[2].cols })
    assert.equal(5, t.s.a)
    assert.equal(0, t.s.name.cols)
    assert.same({ 2, 5 }, { #t.list, t.list[1].a })
    assert.same({ {}, {}, {} }, { t.bare, t.none, t["nil"] })
  end)

  it("may be compressed, variable by variable", function()
    local x, more = B.matrix(double, { 1, 1 }, "x", B.small(1, "\3")), two:gsub("pair", "more")
    local t = load(B.file(two, compressed(x), more))
    assert.same({ { 1, 2 } }, t.pair:to_table())
    assert.same({ { 1, 2 } }, t.more:to_table())
    assert.equal(3, t.x)
    assert.same({}, load(B.file()))
  end)

  it("keeps NaN and infinities, and sums entries that come twice", function()
    local t = load(B.file(
      B.matrix(double, { 1, 3 }, "x", B.numbers(9, "d", 0 / 0, 1 / 0, -1 / 0)),
      B.matrix(sparse, { 2, 1 }, "S", B.numbers(5, "i4", 1, 0, 1), B.numbers(5, "i4", 0, 3),
        B.numbers(9, "d", 1, 0 / 0, 2))))
    assert.close_arrays({ { 0 / 0, 1 / 0, -1 / 0 } }, t.x)
    assert.close_arrays({ { 0 / 0 }, { 3 } }, t.S:to_matrix())
  end)

  it("loads matio with the first file and not before, and prints nothing", function()
    write(B.file(two))
    local outcome = command.run(([[%%neap%% -e '
      local neap = require "neap"
      local function has() return io.open("/proc/self/maps"):read("a"):find("matio") ~= nil end
      local before = has()
      neap.load("%s")
      print(before, has())
      local pool <close> = neap.pool { workers = 2 }
      local sums = pool:map(function(path) return neap.load(path).pair:get(1, 2) end,
        { "%s", "%s", "%s" })
      print(sums[1], sums[3])
    ']]):format(path, path, path, path))
    assert.equal("", outcome.err)
    assert.equal("false\ttrue\n2.0\t2.0\n", outcome.out)
  end)

  it("says so when neap has no matio", function()
    write(B.file(two))
    local folder, remove = command.folder()
    finally(remove)
    local outcome = command.run(("cp %%neap%% %s/neap && %s/neap -e 'require [[neap]].load [[%s]]'")
      :format(folder, folder, path))
    assert.matches(path .. ": this neap was built without matio, which reads .mat files",
      outcome.err, 1, true)
  end)

  describe("refuses", function()
    it("what is cut short, wherever", function()
      local file <close> = assert(io.open("spec/host/array/files/compressed.mat", "rb"))
      local whole, passed = file:read("a"), 0
      for len = 19, #whole - 1 do
        write(whole:sub(1, len))
        local ok, why = pcall(neap.load, path)
        if ok then passed = passed + 1
        else assert.matches("^" .. path:gsub("%p", "%%%0") .. ": byte %d+: ", why) end
      end
      assert.equal(29, passed) -- behind the header and its 29 variables, but for the last
    end)

    it("or loads what has a byte changed, and never more", function()
      local S = neap.SparseMatrix.from_triplets(2, 2, { 1, 2 }, { 2, 1 }, { 1, i })
      neap.save(path .. ".mat", { A = Matrix.identity(2), c = { 1, "x", { a = true } }, S = S })
      finally(function() os.remove(path .. ".mat") end)
      local file <close> = assert(io.open(path .. ".mat", "rb"))
      local whole = file:read("a")
      math.randomseed(1)
      for at = 117, #whole do
        local byte = string.char(math.random(0, 255))
        write(whole:sub(1, at - 1) .. byte .. whole:sub(at + 1))
        local ok, why = pcall(neap.load, path)
        if not ok then assert.equal(path .. ": ", why:sub(1, #path + 2)) end
      end
    end)

    it("other versions, saying what to do", function()
      assert.equal(".mat of version 7.3 (HDF5) expected in version 5: save it with -v7",
        message("MATLAB 7.3 MAT-file, Platform" .. (" "):rep(95) .. "\0\2IM"))
      assert.equal(".mat of version 7.3 (HDF5) expected in version 5: save it with -v7",
        message("\x89HDF\r\n\x1a\n\0\0"))
      for _, order in ipairs { "<", ">" } do
        assert.equal(".mat of version 4 expected in version 5: save it with -v7",
          message((order .. "i4i4i4i4i4"):pack(0, 1, 1, 0, 2) .. "x\0" .. ("d"):pack(1)))
      end
      assert.equal("byte 128: header: version 1.0 expected, got 2.0",
        message((B.file(two):gsub("\0\1IM", "\0\2IM"))))
      assert.equal("byte 128: header: byte order 'IM' or 'MI' expected",
        message((B.file(two):gsub("\0\1IM", "\0\1XX"))))
    end)

    it("files that are compressed as a whole", function()
      write(B.file(two))
      assert(os.execute(("gzip -c %s >%s.gz && mv %s.gz %s"):format(path, path, path, path)))
      local ok, why = pcall(neap.load, path)
      assert.is_false(ok)
      assert.matches("file is compressed as a whole: unpack it first", why, 1, true)
    end)

    it("sizes that contradict the file, before it takes memory", function()
      local data = B.numbers(9, "d", 1, 2)
      assert.equal("byte 196: variable 'A': numbers: 2500000000 numbers of 8 bytes expected, got "
        .. "16 bytes", message(B.file(B.matrix(double, { 50000, 50000 }, "A", data)))
        :gsub("byte %d+", "byte 196"))
      assert.matches("imaginary parts: more bytes than the variable has",
        message(B.file(B.matrix(double | 0x800, { 1, 2 }, "A", data))))
      assert.matches("variable 'A': numbers: 400 bytes expected, there are 16", message(B.file(
        B.matrix(double, { 1, 50 }, "A", ("<I4I4"):pack(9, 400) .. ("d"):rep(16)))))
      assert.matches("variable of 1000 bytes expected, there are 64",
        message(B.file(("<I4I4"):pack(14, 1000) .. two:sub(9))))
      assert.matches("variable 'pair': 8 bytes too many", message(B.file(
        ("<I4I4"):pack(14, #two) .. two:sub(9) .. ("\0"):rep(8))))
      assert.matches("'A': more cells or fields than its bytes can hold",
        message(B.file(B.matrix(cell, { 100000, 100000 }, "A"))))
      assert.matches("negative dimension", message(B.file(B.matrix(double, { -1, 2 }, "A", data))))
      assert.matches("2 dimensions expected, got 3",
        message(B.file(B.matrix(double, { 1, 1, 2 }, "A", data))))
      assert.matches("dimensions: 99996 bytes expected, there are", message(B.file(B.element(14,
        B.numbers(6, "I4", double, 0) .. ("<I4I4"):pack(5, 99996) .. ("\0"):rep(16)))))
    end)

    it("compressed data that are damaged, too short or too long", function()
      local x = B.matrix(double, { 1, 1 }, "x", B.small(1, "\3"))
      local whole = compressed(x)
      assert.matches("compressed data are damaged", message(B.file(whole:sub(1, 8), "??", whole
        :sub(11))))
      assert.matches("compressed data are damaged: incorrect data check", message(B.file(
        whole:sub(1, -5), "\0\0\0\0")))
      assert.matches("compressed data end in", message(B.file(
        ("<I4I4"):pack(15, #whole - 8 - 24) .. whole:sub(9, -25))))
      assert.matches("compressed data go on behind the variable",
        message(B.file(compressed(x .. x))))
      assert.matches("bytes behind the compressed data",
        message(B.file(("<I4I4"):pack(15, #whole) .. whole:sub(9) .. ("\0"):rep(8))))
      -- 22 GB in 100 bytes.
      local huge = ("<I4I4"):pack(14, 0x7fffffff) .. x:sub(9)
      assert.matches("variable: 2147483647 bytes expected, there are %d+",
        message(B.file(compressed(huge))))
      assert.matches("matrix expected, got type 15", message(B.file(compressed(whole))))
    end)

    it("sparse matrices whose indices lie", function()
      local function S(rows, starts, values, dims)
        return message(B.file(B.matrix(sparse, dims or { 3, 2 }, "S", B.numbers(5, "i4", table
          .unpack(rows)), B.numbers(5, "i4", table.unpack(starts)), values)))
      end
      local data = B.numbers(9, "d", 5, 6)
      assert.matches("variable 'S': row 4 of 3", S({ 3, 0 }, { 0, 1, 2 }, data))
      assert.matches("variable 'S': row 4294967296 of 3", S({ -1, 0 }, { 0, 1, 2 }, data))
      assert.matches("starts of columns are not ascending", S({ 1, 0 }, { 0, 3, 2 }, data))
      assert.matches("starts of columns do not begin at 0", S({ 1, 0 }, { 1, 1, 2 }, data))
      assert.matches("3 entries expected, there are 2", S({ 1, 0 }, { 0, 1, 3 }, data))
      assert.matches("entries: as many as row indices expected %(3%), got 16 bytes",
        S({ 1, 0, 2 }, { 0, 1, 2 }, data))
      assert.matches("starts of columns: 12 bytes expected, got 8", S({ 1, 0 }, { 0, 2 }, data))
      assert.matches("starts of columns: 8589934592 bytes expected, got 12",
        S({ 1, 0 }, { 0, 1, 2 }, data, { 3, 0x7fffffff }))
    end)

    it("what it does not know, with the variable's name", function()
      local function refused(...) return message(B.file(B.matrix(...))) end
      local data = B.numbers(9, "d", 1, 2)
      assert.matches("'f': arrays, text, cells and structs can be loaded, got an object, a func",
        refused(16, { 1, 1 }, "f", data))
      assert.matches("'A': numbers: numbers of an unknown type 8", refused(double, { 1, 2 }, "A",
        B.element(8, ("\0"):rep(16))))
      assert.matches("'t': text of an unknown type 9", refused(char, { 1, 2 }, "t", data))
      assert.matches("'t': text: 4 bytes expected, got 2", refused(char, { 1, 2 }, "t",
        B.small(4, "ab")))
      assert.matches("'c': complex, and no numbers", refused(cell | 0x800, { 0, 0 }, "c"))
      assert.matches("variable without a name", refused(double, { 1, 2 }, "", data))
      assert.matches("name has a 0 byte", refused(double, { 1, 2 }, "a\0", data))
      assert.matches("name of 64 bytes is too long", refused(double, { 1, 2 }, ("a"):rep(64), data))
      assert.matches("cell or field with a name of its own", refused(cell, { 1, 1 }, "c", two))
      assert.matches("cell or field: matrix expected, got type 9",
        refused(cell, { 1, 1 }, "c", data))
      assert.matches("length of field names is malformed", refused(struct, { 1, 1 }, "s",
        B.small(5, "\0\0\0\0"), B.element(1, "")))
      assert.matches("field names are malformed", refused(struct, { 1, 1 }, "s",
        B.small(5, "\8\0\0\0"), B.element(1, "abc")))
      assert.matches("variable expected, got an element of type 9", message(B.file(data)))
      assert.matches("variable 'pair': comes twice", message(B.file(two, two)))
      local deep = B.matrix(double, { 1, 1 }, "", B.small(1, "\1"))
      for _ = 1, 40 do deep = B.matrix(cell, { 1, 1 }, "", deep) end
      assert.matches("cells in cells, more than 32 deep",
        refused(cell, { 1, 1 }, "c", deep))
    end)
  end)
end)

describe("saving a .mat file", function()
  leaks.watch(before_each, after_each)
  local folder, remove
  before_each(function() folder, remove = command.folder() end)
  after_each(function() remove() end)

  local function refused(object)
    local ok, why = pcall(neap.save, folder .. "/x.mat", object)
    assert.is_false(ok)
    assert.same({}, command.names(folder))
    return why
  end

  it("writes what the format says, the variables by name", function()
    local path = folder .. "/x.mat"
    neap.save(path, {
      later = Matrix.from_table { { 1, 3 }, { 2, complex(4, -1) } }, flag_1 = true, greek = "αz",
      sparse = SparseMatrix.from_triplets(3, 2, { 3, 1 }, { 1, 2 }, { 5, 6 }),
    })
    local file <close> = assert(io.open(path, "rb"))
    local bytes = file:read("a")
    assert.equal("MATLAB 5.0 MAT-file, written by neap" .. (" "):rep(80) .. ("\0"):rep(8)
      .. "\0\1IM", bytes:sub(1, 128))
    local written = B.matrix(uint8 | 0x200, { 1, 1 }, "flag_1", B.element(2, "\1"))
      .. B.matrix(char, { 1, 2 }, "greek", B.element(16, "αz"))
      .. B.matrix(double | 0x800, { 2, 2 }, "later", B.numbers(9, "d", 1, 2, 3, 4),
        B.numbers(9, "d", 0, 0, 0, -1))
      .. B.element(14, B.head(sparse, { 3, 2 }, "sparse", 2) .. B.numbers(5, "i4", 2, 0)
        .. B.numbers(5, "i4", 0, 1, 2) .. B.numbers(9, "d", 5, 6))
    assert.equal(written, bytes:sub(129))
  end)

  it("is loaded as it was", function()
    if not has_mat then return pending("where matio is installed") end
    local path = folder .. "/x.MAT"
    local U = VectorArray.from_table { { 1, 2, 3 }, { 4, 5, 6 + i } }
    local S = SparseMatrix.from_triplets(3, 2, { 1, 3, 2 }, { 1, 1, 2 }, { 1.5, 0, 0.25 })
    local object = {
      A = S, Z = S * i, E = SparseMatrix.from_triplets(2, 3, {}, {}, {}), M = Matrix.identity(3),
      U = U, view = U[{ 2, 1 }], none = Matrix.zeros(0, 3), x = 0.1, n = 5, z = complex(1, -2),
      flag = true, no = false, text = "α𝛽γ\n\0", empty = "", nan = 0 / 0,
      wide = { 1, "two", { 3 } },
      nothing = {}, a_name_that_is_longer = -1, deep = { a = 1, b = { c = S, d = { e = "x" } } },
    }
    neap.save(path, object)
    for _ = 1, 2 do
      local t = neap.load(path)
      assert.same({ S:triplets() }, { t.A:triplets() })
      assert.same({ (S * i):triplets() }, { t.Z:triplets() })
      assert.same({ 2, 3, 0 }, { t.E.rows, t.E.cols, t.E.nnz })
      assert.close_arrays(object.M, t.M)
      assert.close_arrays({ { 1, 4 }, { 2, 5 }, { 3, 6 + i } }, t.U)
      assert.close_arrays({ { 4, 1 }, { 5, 2 }, { 6 + i, 3 } }, t.view)
      assert.same({ 0, 3 }, { t.none.rows, t.none.cols })
      assert.is_true(t.nan ~= t.nan)
      for _, name in ipairs { "x", "n", "z", "flag", "no", "text", "empty", "wide", "nothing",
                              "a_name_that_is_longer" } do
        assert.same(object[name], t[name])
      end
      assert.same({ 1, "x" }, { t.deep.a, t.deep.b.d.e })
      assert.same({ S:triplets() }, { t.deep.b.c:triplets() })
      if not neap.is_immutable(object) then
        object.U, object.view = U:copy(), U[{ 2, 1 }]:copy() -- views cannot be frozen
        neap.save(path, neap.immutable(object))
      end
    end
    neap.save(path, {})
    assert.same({}, neap.load(path))
  end)

  it("names what cannot be saved, and leaves nothing", function()
    assert.matches("'f': array, number, string, boolean or table expected, got function",
      refused { f = print }, 1, true)
    assert.matches("'a.b[2]': array, number, string, boolean or table expected, got thread",
      refused { a = { b = { 1, coroutine.create(print) } } }, 1, true)
    assert.matches("'a b': a name is a letter, then letters, digits and _, at most 63",
      refused { ["a b"] = 1 }, 1, true)
    assert.matches("'s._x': a name is a letter", refused { s = { _x = 1 } }, 1, true)
    assert.matches("a name is a letter", refused { [("a"):rep(64)] = 1 }, 1, true)
    assert.matches("name expected, got 1", refused { 1 }, 1, true)
    assert.matches("'s': list without gaps or table of fields by name expected",
      refused { s = { [2] = 1 } }, 1, true)
    assert.matches("'s': list", refused { s = { 1, x = 2 } }, 1, true)
    assert.matches("'t': text in UTF-8 expected, got other bytes", refused { t = "\xff" }, 1, true)
    assert.matches("'t': text in UTF-8", refused { t = "\xed\xa0\x80" }, 1, true)
    local cycle = {}
    cycle.again = cycle
    assert.matches("tables in tables, more than 32 deep", refused(cycle), 1, true)
    local tall = SparseMatrix.from_triplets(1 << 31, 1, {}, {}, {})
    assert.matches("'A.b': 2147483648 x 1 is more than a .mat file of version 5 can hold",
      refused { A = { b = tall } }, 1, true)
    assert.matches("table expected, got neap.Matrix", refused(Matrix.identity(2)), 1, true)
  end)

  it("says when the disk is full, and leaves nothing", function()
    local outcome = command.run(([[cd %s && trap '' XFSZ && ulimit -f 8 && %%neap%% -e '
      local neap = require "neap"
      local ok, why = pcall(neap.save, "x.mat", { U = neap.VectorArray.zeros(100000, 1) })
      print(ok, why)']]):format(command.quote(folder)))
    assert.equal("false\tx.mat: File too large\n", outcome.out)
    assert.same({}, command.names(folder))
  end)
end)
