-- Encoding and decoding, beside Python's pickle (protocol 5) on the same data in the same run.
-- Times are those of the processor, so that others on the machine count less; the collectors of
-- both run between the runs:
--
--     build/neap spec/bench/wire.lua
local measure = require "spec.bench.measure"
local wire = require "host.wire"

local RUNS, N = 30, 1000000
local WARM = 0.3 -- seconds: a processor that has been idle may begin at half of its speed

local pickle = [[
import gc, pickle, time
data = [{"id": i, "x": i / 2, "name": "record %%d" %% i} for i in range(1, 10001)]
warm = time.process_time() + %g
while time.process_time() < warm:
    pickle.loads(pickle.dumps(data, 5))
for _ in range(%d):
    kept = None
    gc.collect()
    start = time.process_time()
    kept = pickle.loads(pickle.dumps(data, 5))
    print(time.process_time() - start)
]]

--- Milliseconds of each run in Python; nil where there is none.
local function python()
  local path = os.tmpname()
  local file <close> = assert(io.open(path, "w"))
  file:write(pickle:format(WARM, RUNS))
  file:close()
  local list = {}
  local pipe = assert(io.popen("python3 " .. path .. " 2>/dev/null"))
  for line in pipe:lines() do list[#list + 1] = tonumber(line) * 1e3 end
  pipe:close()
  os.remove(path)
  return #list > 0 and list or nil
end

local function report(name, n, unit, f, convert, bound)
  local list, warm = {}, os.clock() + WARM
  repeat f() until os.clock() > warm
  for i = 1, n do
    collectgarbage()
    local start = os.clock()
    f()
    list[i] = convert(os.clock() - start)
  end
  measure.report(name, list, unit, bound)
end

local function milliseconds(seconds) return seconds * 1e3 end
local function millions(seconds) return N / seconds / 1e6 end

do
  local records = {}
  for i = 1, 10000 do records[i] = { id = i, x = i / 2, name = ("record %d"):format(i) } end
  report("10,000 records, encode and decode", RUNS, "ms", function()
    wire.decode(wire.parcel(records))
  end, milliseconds, "less than pickle")
  local peer = python()
  if peer then measure.report("the same, pickle protocol 5", peer, "ms") end
end

for _, name in ipairs { "integers", "floats" } do
  local list = {}
  for i = 1, N do list[i] = name == "integers" and i or i / 4 end
  local parcel = wire.parcel(list)
  report("list of " .. name .. ", encode", 10, "million/s", function() wire.parcel(list) end,
    millions)
  report("list of " .. name .. ", decode", 10, "million/s", function() wire.decode(parcel) end,
    millions)
end
