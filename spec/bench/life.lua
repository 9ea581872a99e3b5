-- A thousand pools, opened, used and closed one after the other: what stays of them. Both counts
-- are to be 0; memory is compared from the hundredth pool on: what is kept for later is there then.
--
--     build/neap spec/bench/life.lua [pools]
local leaks = require "spec.support.leaks"
local measure = require "spec.bench.measure"
local neap = require "neap"

local POOLS, WARM = math.tointeger(arg[1]) or 1000, 100

local function resident_kib()
  collectgarbage()
  collectgarbage()
  local file <close> = assert(io.open "/proc/self/smaps_rollup")
  return tonumber(file:read("a"):match "Rss:%s+(%d+)")
end

local function count(t)
  local n = 0
  for _ in pairs(t) do n = n + 1 end
  return n
end

local function use(workers, i)
  local pool <close> = neap.pool { workers = workers }
  local remote = pool:push { i }
  if i % 2 == 0 then remote:remove() end
  pool:map(function(x) return x end, neap.range(1, 10))
  local _ = pool:submit(function() end)
end

for _, workers in ipairs { 0, 1, 2 } do
  use(workers, 1)
  local children, descriptors = count(leaks.children()), count(leaks.descriptors())
  local before, times = 0, {}
  for i = 1, POOLS do
    times[i] = measure.seconds(function() use(workers, i) end) * 1e3
    if i == math.min(WARM, POOLS) then before = resident_kib() end
  end
  local name = workers == 0 and "inline pools" or ("pools of %d"):format(workers)
  measure.report(name .. ": life of one", times, "ms")
  measure.report(name .. ": processes left", { count(leaks.children()) - children }, "", "0")
  measure.report(name .. ": descriptors left", { count(leaks.descriptors()) - descriptors }, "",
    "0")
  measure.report(name .. ": memory more than after 100", { resident_kib() - before }, "KiB")
end
