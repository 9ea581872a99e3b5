--- Ctrl-C at random moments: after each, the pool answers, every handle resolves to what it had,
--- and nothing that a broken-off call had made is left.
--
--     build/neap spec/bench/interrupts.lua [interrupts, 1000] [workers, 2] [seed]
local clock = require "host.clock"
local leaks = require "spec.support.leaks"
local neap = require "neap"

local count = math.tointeger(tonumber(arg[1] or 1000))
local workers = math.tointeger(tonumber(arg[2] or 2))
local seed = math.tointeger(tonumber(arg[3] or os.time()))
math.randomseed(seed)

local file = assert(io.open "/proc/self/stat")
local own_pid = file:read "n"
file:close()

local function spin(n)
  local sum = 0
  for i = 1, n do sum = sum + i % 7 end
  return sum
end

-- Never ends by itself: calls of every kind, one after the other.
local function work(pool, pushed, scattered)
  while true do
    local U = neap.VectorArray.random(500, 20)
    pool:apply(function(t, n, f) t.last = f(n) end, pushed, 20000, spin)
    local more <close> = pool:push { U, pushed }
    pool:map(function(i, kw) return kw.spin(200 * i) end, neap.range(1, 60),
      neap.kw { spin = spin })
    local kept <close> = pool:keep(function(V, m) return { V:copy(), m } end, scattered, more)
    pool:apply_only(function(k) k[1]:scal(2) end, 1, kept)
    local future = pool:submit(function(f) return f(50000) end, spin)
    pool:gather_array(scattered)
    future:get()
  end
end

local pool = neap.pool { workers = workers }
local U = neap.VectorArray.random(100, 9, { seed = seed })
local pushed, scattered = pool:push { name = "kept" }, pool:scatter_array(U)
pool:apply(function() end)
local before = leaks.snapshot()
local objects = pool:status()[1].objects

local function check(round)
  assert(pool:apply(function(a) return a + 1 end, round)[1] == round + 1)
  assert(pushed:get(1).name == "kept" and pushed:get(#pool).name == "kept")
  assert(pool:gather_array(scattered):almost_equal(U, { rtol = 0, atol = 0 }))
end

local kinds, slowest, replaced = {}, 0, 0
for round = 1, count do
  -- The sender is nobody's child, so that nothing here waits for it. os.execute would not do to
  -- start it: while that lasts interrupts are ignored.
  local start = clock.now()
  local send = ("(sleep %.3f; kill -INT %d) >/dev/null &"):format(0.03 * math.random(), own_pid)
  local ok, e = pcall(function()
    io.popen(send):close()
    work(pool, pushed, scattered)
  end)
  slowest = math.max(slowest, clock.now() - start)
  local kind = type(e) == "table" and e.kind or tostring(e):match "interrupted!" or tostring(e)
  assert(not ok and (kind == "interrupted" or kind == "interrupted!"), tostring(e))
  kinds[kind] = (kinds[kind] or 0) + 1
  check(round)
end
for _, s in ipairs(pool:status()) do replaced = replaced + s.restarts end

collectgarbage()
collectgarbage()
check(0)
local left = leaks.since(before)
if replaced > 0 then left = {} end -- then processes and pipes are others
assert(#left == 0, table.concat(left, ", "))
assert(pool:status()[1].objects == objects,
  ("%d objects instead of %d"):format(pool:status()[1].objects, objects))
pool:close()
print(("%d interrupts (%d in a wait, %d in Lua code), seed %d: the slowest took %.2f s, "
  .. "%d workers replaced")
  :format(count, kinds.interrupted or 0, kinds["interrupted!"] or 0, seed, slowest, replaced))
