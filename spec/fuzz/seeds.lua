-- Writes the seeds of the fuzzers; run it when a format changes:
--
--     build/neap spec/fuzz/seeds.lua
--     cmake --preset fuzz && cmake --build build-fuzz
--     mkdir -p /tmp/corpus && build-fuzz/fuzz_decode -max_total_time=60 -timeout=10 \
--       -rss_limit_mb=2048 /tmp/corpus spec/fuzz/corpus/decode
local neap = require "neap"
local wire = require "host.wire"

local folder = arg[0]:match("^(.*)/") .. "/corpus"

local function write(name, bytes)
  local path = folder .. "/" .. name
  local file = assert(io.open(path, "wb"))
  file:write(bytes)
  file:close()
end

local Class = { __name = "Class" }
Class.__index = Class
local n = 0
function Class.count()
  n = n + 1
  return n, Class
end
local shared = { "shared" }
local cycle = { shared, shared, name = "cycle" }
cycle.self = cycle
local U = neap.VectorArray.ones(3, 2)

local seeds = {
  plain = { nil, true, false, 1, -1, 1 << 60, 1.5, "", "text", ("long"):rep(20), n = 10 },
  tables = { cycle, { 1, 2, 3, y = "z" }, { 1.5, 2.5 }, { [true] = 1, [2.5] = {} } },
  functions = { function() return n end, function() n = n + 1 end, math.sin, string, _G },
  classes = { setmetatable({}, Class), { setmetatable({ 1 }, Class) }, Class },
  immutables = { neap.immutable { 1, { x = 2 } }, setmetatable({ 1 }, { __mode = "k" }) },
  arrays = { { U, U, U[1] }, neap.Matrix.identity(2) },
  sparse = { neap.SparseMatrix.from_triplets(3, 3, { 1, 2, 3 }, { 1, 2, 3 }, { 1, 2, 3 }) },
  blocks = { neap.VectorArray.zeros(600, 1), neap.VectorArray.zeros(700, 1) },
}

for name, values in pairs(seeds) do
  local frame = wire.encode(table.unpack(values, 1, values.n or #values))
  local reader <close> = wire.reader()
  assert(reader:feed(frame))
  write("decode/" .. name, reader:next().bytes)
  write("frame/" .. name, string.char(#name) .. frame)
end

-- A message with two descriptors: a range of the first, and its written pages from the second.
write("frame/descriptors", "\3" .. ("<c4BBI2I8I8I4I4"):pack("neap", 3, 0, 2, 7, 4, 2, 0)
  .. ("<I8I8I4I4"):pack(8192, 4096, 1, 1) .. ("<I8I8I4I4"):pack(4096 + 16, 0, 2, 0) .. "four")

-- Files; the first byte says what they are to be read as.
local function write_kinds(name, bytes)
  for kind = 0, 3 do write(("%s-%d"):format(name, kind), string.char(kind) .. bytes) end
end

local function npy(descr, order, shape, data, version)
  local head = ("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }"):format(descr, order, shape)
  local long = (version or 1) > 1
  head = head .. (" "):rep(-(#head + 11 + (long and 2 or 0)) % 64) .. "\n"
  return "\x93NUMPY" .. string.char(version or 1) .. "\0"
    .. (long and "<I4" or "<I2"):pack(#head) .. head .. data
end
write_kinds("npy/f8", npy("<f8", "False", "(2, 2)", ("<dddd"):pack(1, 2, 3, 4)))
write("npy/fortran", "\0" .. npy("<f8", "True", "(2, 1)", ("<dd"):pack(1, 2), 2))
write("npy/f4", "\0" .. npy(">f4", "False", "(3,)", (">fff"):pack(1, 2, 3), 3))
write("npy/i4", "\0" .. npy("<i4", "False", "(1, 2)", ("<i4i4"):pack(1, 2)))
write("npy/i8", "\0" .. npy(">i8", "False", "(1, 2)", (">i8i8"):pack(1, 2)))
write("npy/c16", "\0" .. npy("<c16", "False", "(1, 1)", ("<dd"):pack(1, 2)))

local mtx = "%%MatrixMarket matrix "
write_kinds("mtx/coordinate", mtx .. "coordinate real general\n% text\n2 2 2\n1 1 1.5\n2 2 -3e2\n")
write_kinds("mtx/array", mtx .. "array real general\n2 2\n1\n2\n3\n4\n")
write("mtx/symmetric", "\0" .. mtx .. "coordinate real symmetric\n2 2 2\n1 1 1\n2 1 2\n")
write("mtx/skew", "\0" .. mtx .. "coordinate integer skew-symmetric\n2 2 1\n2 1 2\n")
write("mtx/pattern", "\0" .. mtx .. "coordinate pattern general\n2 3 1\n2 3\n")
write("mtx/hermitian", "\0" .. mtx .. "coordinate complex hermitian\n1 1 1\n1 1 1 0\n")
write("mtx/integer", "\0" .. mtx .. "array integer symmetric\n2 2\n1\n2\n3\n")

write("mtx/complex", "\0" .. mtx .. "coordinate complex symmetric\n2 2 2\n1 1 1 0\n2 1 -2e9 nan\n")
write("mtx/complex-array", "\2" .. mtx .. "array complex general\n2 1\n1 0\n0 -1\n")
write("mtx/complex-skew", "\2" .. mtx .. "array complex skew-symmetric\n2 2\n1 1\n")
write("mtx/skew-diagonal", "\0" .. mtx .. "array real skew-symmetric\n2 2\n0\n1\n0\n")
write("mtx/wide", "\2" .. mtx .. "coordinate real general\n88888888 2 1\n1 1 1.5\n")
write("npy/c16-big", "\0" .. npy(">c16", "False", "(2, 1)", (">dddd"):pack(1, 2, 3, 4), 3))
write("npy/c16-rows", "\2" .. npy("<c16", "False", "(1, 2)", ("<dddd"):pack(1, 2, 3, 4)))
write("npy/c8", "\1" .. npy("<c8", "True", "(1, 2)", ("<ffff"):pack(1, 2, 3, 4), 2))

-- .mat: a file for each kind of variable, and what SciPy has written.
local function mat(variables)
  local path = os.tmpname()
  neap.save(path .. ".mat", variables)
  local file <close> = assert(io.open(path .. ".mat", "rb"))
  os.remove(path .. ".mat")
  os.remove(path)
  return file:read("a")
end
local i = neap.complex(0, 1)
write_kinds("mat/dense", mat { A = neap.Matrix.from_table { { 1, 2 }, { 3, 4 } } })
write("mat/complex", "\0" .. mat { z = i, Z = neap.Matrix.from_table { { i, 2 } } })
write("mat/sparse", "\0" .. mat { A = seeds.sparse[1] })
write("mat/complex-sparse", "\0" .. mat { A = i * seeds.sparse[1] })
write("mat/text", "\0" .. mat { a_long_name = "text", b = "" })
write("mat/cells", "\0" .. mat { c = { 1, "two", { true } } })
write("mat/struct", "\0" .. mat { s = { a = 1, b = { c = "x" } } })
write("mat/several", "\2" .. mat { a = 1, b = U, c = {} })
for _, name in ipairs { "plain", "compressed" } do
  local path = arg[0]:match("^(.*)/fuzz/") .. "/host/array/files/" .. name .. ".mat"
  local file <close> = assert(io.open(path, "rb"))
  write("mat/" .. name, "\0" .. file:read("a"))
end

write_kinds("csv/commas", "1,2,3\n4,5,6\n")
write("csv/names", "\0a;b\n1.5;2\n\n")
write("csv/blanks", "\0 1e3\t-inf\n nan\t0x10\n")
