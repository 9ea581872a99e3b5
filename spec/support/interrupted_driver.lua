--- Makes one call, in which Ctrl-C is pressed, and looks what is left: what is wrong is an error.
---
---     neap spec/support/interrupted_driver.lua CALL WORKERS
---
--- The signal comes from a worker that is at the call, or at one that it waits for, so that no time
--- has to be guessed. It goes to the driver alone, as at a terminal: workers are in other groups.
local clock = require "host.clock".now
local neap = require "neap"
local processes = require "spec.support.processes"
local name, workers = arg[1], math.tointeger(tonumber(arg[2]))

local file = assert(io.open "/proc/self/stat")
local own_pid = file:read "n"
file:close()

-- On a worker, when the driver sleeps: it has come to wait. os.execute would not do for an inline
-- one: while that lasts SIGINT is ignored.
local state = processes.state
local function press()
  while workers > 0 and state(own_pid) ~= "S" do end
  io.popen("kill -INT " .. own_pid):close()
end

local function press_and_loop()
  press()
  while true do end
end

local pool <close> = neap.pool { workers = workers }
local U = neap.VectorArray.random(50000, 7, { seed = 1 }) -- memory that processes share
local pushed, scattered = pool:push { name = "kept" }, pool:scatter_array(U)
local numbers = pool:scatter_list(workers == 2 and { 1, 2 } or { 1 })
_G.defined = 5

local calls, behind = {}, {}

-- --- calls that take too long ------------------------------------------------------------------

-- Worker 1 presses when worker 2 has answered, and sleeps; not before it has come to the call.
function calls.apply()
  local path, other = os.tmpname(), pool:status()[2]
  local ok, e = pcall(pool.apply, pool, function(part, pid)
    if part[1] == 2 then
      os.remove(path)
      return "done"
    end
    while pid and (io.open(path) or state(pid) ~= "S") do end
    press_and_loop()
  end, numbers, other and other.pid)
  os.remove(path)
  assert(not ok and (not other or e.results[1][2] == "done"), "what had finished is lost")
  error(e, 0)
end

function calls.apply_only() pool:apply_only(press_and_loop, #pool) end

local function first_presses(part)
  if part[1] == 1 then press_and_loop() end
end

function calls.keep() return pool:keep(first_presses, numbers) end

local function item(i)
  if i == 5 then press_and_loop() end
  return i * i
end

function calls.map()
  local ok, e = pcall(function() pool:with { chunk = 1 }:map(item, neap.range(1, 8)) end)
  assert(not ok and e.item == 5 and e.traceback, "where it was is not told: " .. tostring(e))
  for i, x in pairs(e.results[1] or {}) do assert(i == "n" or x == i * i) end
  if #pool == 1 then assert(e.results[1][4] == 16, "what had finished is lost") end
  error(e, 0)
end

-- Item 3, which waits behind item 1, is taken back and done by the other worker.
function calls.map_taken_back()
  local path = os.tmpname()
  local ok, e = pcall(function()
    pool:with { chunk = 1 }:map(function(i)
      if i == 3 then os.remove(path) end
      if i == 1 then
        while io.open(path) do collectgarbage() end
        press_and_loop()
      end
      return i
    end, neap.range(1, 4))
  end)
  assert(not ok and e.results[1][2] == 2, "what had finished is lost")
  error(e, 0)
end

function calls.reduce() pool:reduce(item, neap.range(1, 8), math.max) end
function calls.submit() pool:submit(press_and_loop):get() end
function calls.apply_async() pool:apply_async(first_presses, numbers):get() end
function calls.map_async() pool:map_async(item, neap.range(1, 8)):get() end

-- The call has been asked for, and is not waited for yet.
function calls.in_between()
  debug.sethook(function()
    if not debug.getinfo(2, "S").source:find("/pool/finish.lua", 1, true) then return end
    debug.sethook()
    io.popen("kill -INT " .. own_pid):close()
  end, "", 1)
  pool:apply_only(function() while true do end end, 1)
end

-- One that is done, one that presses, and others that wait for it.
local function futures()
  local done = pool:submit(function() return 42 end)
  done:get()
  return done, pool:apply_async(function(part)
    if part[1] == 1 then press() end
    while true do end
  end, numbers), pool:submit(function() end),
    pool:map_async(function(i) return i end, neap.range(1, 8))
end

-- What waited may have come to its end before it was stopped; nothing is waited for any more.
local function check_futures(ok, e, done, ...)
  assert(not ok and done:get() == 42)
  for i, future in ipairs { ... } do
    local ended, own = pcall(future.get, future)
    assert(ended and i > 1 or own.kind == "interrupted", tostring(own))
  end
  error(e, 0)
end

function calls.wait_any()
  local list = { futures() }
  local ok, e = pcall(neap.wait_any, { table.unpack(list, 2) })
  check_futures(ok, e, table.unpack(list))
end

function calls.wait_all()
  local list = { futures() }
  local ok, e = pcall(neap.wait_all, list)
  check_futures(ok, e, table.unpack(list))
end

-- --- workers that do not stop when they are asked to ---------------------------------------------

local function stuck_in_c() string.rep("a", 40):find(("a*"):rep(40) .. "b") end

-- The driver has asked this worker to stop when the protected call is over: what is pressed
-- afterwards comes while it waits for that.
local function wait_for_interrupt() pcall(press_and_loop) end

function calls.stuck_in_lua()
  pool:apply_only(function()
    wait_for_interrupt()
    if workers == 0 then press() end
    while true do end
  end, 1)
end

function calls.stuck_in_c()
  pool:apply_only(function()
    wait_for_interrupt()
    stuck_in_c()
  end, 1)
end

function calls.pressed_twice()
  pool:apply_only(function()
    wait_for_interrupt()
    press()
    stuck_in_c()
  end, 1)
end

-- --- the life of a pool -------------------------------------------------------------------------

function calls.open()
  neap.pool { workers = workers, setup = press_and_loop }
end

-- The worker would be waited for: it hears of nothing, or goes on.
local function never_end(path)
  local function in_c() while true do pcall(stuck_in_c) end end
  os.remove(path)
  while true do pcall(in_c) end
end

function calls.close()
  local other = neap.pool { workers = 2 }
  local path = os.tmpname()
  other:submit(never_end, path)
  assert(processes.wait_until(20, function() return not require "lfs".attributes(path) end))
  local sender <close> = io.popen("sleep 0.1; kill -INT " .. own_pid) -- luacheck: ignore
  other:close()
end

-- --- calls that wait for another ---------------------------------------------------------------

function behind.push() return pool:push { 1 } end
function behind.push_array() return pool:push(U) end
function behind.scatter_array() return pool:scatter_array(U) end
function behind.scatter_list() return pool:scatter_list { 1, 2, 3 } end
function behind.get() pushed:get() end
function behind.get_one() pushed:get(1) end
function behind.gather_array() return pool:gather_array(scattered) end
function behind.gather_list() return pool:gather_list(numbers) end
function behind.apply() pool:apply(function(t) t.name = "changed" end, pushed) end
function behind.apply_only() pool:apply_only(function(t) t.name = "changed" end, 1, pushed) end
function behind.keep() return pool:keep(function() end) end
function behind.map() pool:map(function(i) return i end, neap.range(1, 9)) end
function behind.reduce() pool:reduce(function(i) return i end, neap.range(1, 9), math.max) end
function behind.submit() pool:submit(function() end):get() end

for what, f in pairs(behind) do
  calls["behind_" .. what] = function()
    local endless = pool:apply_async(first_presses, numbers)
    local other = workers == 2 and pool:apply_async(function(part)
      while part[1] == 2 do end
    end, numbers)
    local ok, e = pcall(f)
    if workers > 0 then assert(not endless:done(), "another call was stopped as well") end
    endless:cancel()
    if other then other:cancel() end
    assert(not ok, "nothing was raised")
    error(e, 0)
  end
end

-- --- and what is left ---------------------------------------------------------------------------

local replaces = { stuck_in_lua = math.min(workers, 1), stuck_in_c = 1, pressed_twice = 1 }
local start = clock()
local ok, e = pcall(calls[name])
local seconds = clock() - start
assert(not ok, "nothing was raised")
assert(type(e) == "table" and e.kind == "interrupted" and e.message == "interrupted", tostring(e))
print(("%s: %.3f s"):format(name, seconds))

assert(defined == 5) -- luacheck: ignore
assert(pushed:get(1).name == "kept" and pushed:get(#pool).name == "kept")
assert(pool:gather_array(scattered):almost_equal(U, { rtol = 0, atol = 0 }))
assert(pool:gather_list(numbers)[#pool] == #pool)
local more <close> = pool:push { 7 }
assert(pool:apply(function(t) return t[1] end, more)[#pool] == 7)
assert(pool:map(function(i) return i end, neap.range(1, 30))[30] == 30)
local replaced = 0
for _, s in ipairs(pool:status()) do
  replaced = replaced + s.restarts
  assert(s.state == "idle", s.state)
end
assert(replaced == (replaces[name] or 0), replaced .. " workers were replaced")
for pid in pairs(require "spec.support.leaks".children()) do
  local is_ours = false
  for _, s in ipairs(pool:status()) do is_ours = is_ours or s.pid == pid end
  assert(is_ours or workers == 0, "a process is left behind")
end
