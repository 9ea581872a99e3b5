-- Writes the seeds of the fuzzers frame and decode; run it when the format changes:
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
