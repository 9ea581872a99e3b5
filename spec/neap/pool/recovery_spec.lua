-- Workers die, are stuck or are interrupted: the call goes on, or says why it cannot.
local neap = require "neap"
local calls = require "spec.support.calls"
local processes = require "spec.support.processes"

local function kill_self()
  local file <close> = assert(io.open("/proc/self/stat"))
  os.execute("kill -9 " .. file:read("n"))
  while true do end -- until it comes
end

-- Kills the worker that runs it, but only once: the file is the memory of that.
local function kill_once(path)
  local file = io.open(path)
  if file then
    file:close()
    os.remove(path)
    kill_self()
  end
end

local function mark()
  local path = os.tmpname()
  return path
end

describe("a pool whose workers die", function()
  local pool
  before_each(function() pool = neap.pool { workers = 2 } end)
  after_each(function() pool:close() end)

  it("does the lost items of a map again", function()
    local path = mark()
    local results = pool:map(function(i, kw)
      if i == 5 then kw.kill_once(kw.path) end
      return i * i
    end, neap.range(1, 40), neap.kw { kill_once = kill_once, path = path })
    for i = 1, 40 do assert.equal(i * i, results[i]) end
    local restarts = 0
    for _, s in ipairs(pool:status()) do restarts = restarts + s.restarts end
    assert.equal(1, restarts)
  end)

  it("repeats an apply on a new process under the same number", function()
    local path = mark()
    local remote <close> = pool:push { sum = 1 }
    local results = pool:apply(function(r, once, p)
      r.sum = r.sum + 1
      once(p)
      return r.sum
    end, remote, kill_once, path)
    assert.same({ 2, 2 }, { results[1], results[2] })
  end)

  it("brings pushed, scattered and kept objects back as calls have left them", function()
    local pushed <close> = pool:push { 1 }
    local scattered <close> = pool:scatter_list { 1, 2, 3 }
    pool:apply(function(a, b)
      a[#a + 1] = 2
      b[#b + 1] = math.random(1000)
    end, pushed, scattered)
    local kept <close> = pool:keep(function(a) return { #a, math.random() } end, pushed)
    pool:apply_only(function(k) k.only = true end, 2, kept)
    local before = { pushed:get(), scattered:get(), kept:get() }
    for w = 1, 2 do pool:kill(w) end
    local after = { pushed:get(), scattered:get(), kept:get() }
    assert.same(before, after)
    assert.is_true(kept:get(2).only)
    assert.is_nil(kept:get(1).only)
  end)

  it("tells a replay the globals of the first time", function()
    _G.spec_step = 5
    local remote <close> = pool:push { 0 }
    pool:apply(function(r) r[1] = r[1] + spec_step end, remote) -- luacheck: ignore
    _G.spec_step = 7
    pool:kill(1)
    assert.equal(5, remote:get(1)[1])
    _G.spec_step = nil
  end)

  it("does calls again that have met their objects in globals", function()
    _G.spec_object, _G.spec_step = pool:push { sum = 1 }, 2
    pool:apply(function() spec_object.sum = spec_object.sum + spec_step end) -- luacheck: ignore
    _G.spec_step = 30 -- for async calls it is taken when they are made
    local function change() spec_object.sum = spec_object.sum + spec_step end -- luacheck: ignore
    pool:apply_async(change):get()
    _G.spec_step = nil
    for w = 1, 2 do pool:kill(w) end
    assert.same({ { sum = 33 }, { sum = 33 }, n = 2 }, spec_object:get()) -- luacheck: ignore
    _G.spec_object = nil
  end)

  it("replays calls on removed objects as long as live ones depend on them", function()
    local a, b <close> = pool:push { 3 }, pool:push { 0 }
    pool:apply(function(x) x[1] = x[1] + 1 end, a)
    pool:apply(function(x, y) y[1] = x[1] end, a, b)
    a:remove()
    pool:apply(function() end) -- tells the workers
    pool:kill(1)
    assert.equal(4, b:get(1)[1])
  end)

  it("does not hold it against a call that its worker is killed before it has begun", function()
    pool:kill(1, 19) -- what is asked now does not begin
    local future = pool:apply_async(function() return 7 end)
    local s = pool:status()[1]
    for _ = 1, 6 do
      local pid = s.pid
      pool:kill(1)
      repeat s = pool:status()[1] until s.pid ~= pid and s.pid > 0
      pool:kill(1, 19) -- where it is now it stays
      assert.is_true(processes.wait_until(20, function() return processes.state(s.pid) == "T" end))
      s = pool:status()[1]
      if s.state ~= "starting" then break end
    end
    pool:kill(1, 18) -- SIGCONT
    assert.same({ 7, 7, n = 2 }, future:get())
  end)

  it("notices a death between calls", function()
    pool:kill(1)
    pool:kill(2)
    assert.same({ 1, 1 }, { table.unpack(pool:apply(function() return 1 end)) })
  end)

  it("runs setup on the new process", function()
    local other <close> = neap.pool { workers = 1, setup = function() _G.ready = 9 end }
    other:kill(1)
    assert.equal(9, other:apply(function() return _G.ready end)[1])
  end)

  it("names the item that kills its worker again and again", function()
    local ok, e = pcall(pool.map, pool, function(i, kw)
      if i == 7 then kw.kill() end
      return i
    end, neap.range(1, 20), neap.kw { kill = kill_self })
    assert.is_false(ok)
    assert.equal("died", e.kind)
    assert.equal(7, e.item)
    assert.equal(9, e.signal)
    assert.matches("died %(signal 9, Killed%)", e.message)
    assert.same({ 1, 1 }, { table.unpack(pool:apply(function() return 1 end)) })
  end)

  it("raises died when an apply kills its worker again and again", function()
    local ok, e = pcall(pool.apply_only, pool, kill_self, 2)
    assert.is_false(ok)
    assert.equal("died", e.kind)
    assert.equal(2, e.worker)
    local _, exit = pcall(pool.apply_only, pool, function() os.exit(3) end, 1)
    assert.matches("exit code 3", exit.message)
    assert.equal(1, pool:apply_only(function() return 1 end, 2))
  end)

  it("replaces workers that take too long", function()
    local ok, e = pcall(function()
      pool:with { timeout = 0.2 }:apply(function() while true do end end)
    end)
    assert.is_false(ok)
    assert.equal("timeout", e.kind)
    assert.equal(1, pool:apply(function() return 1 end)[1])
    local remote <close> = pool:push { 4 }
    local _, stuck = pcall(function()
        pool:with { timeout = 0.2 }:apply_only(function()
          string.rep("a", 30):find(("a*"):rep(30) .. "b")
        end, 1)
    end)
    assert.equal("timeout", stuck.kind)
    assert.equal(4, remote:get(1)[1])
  end)

  it("ends an item that takes too long, and names it", function()
    local ok, e = pcall(function()
      pool:with { item_timeout = 0.2 }:map(function(i)
        while i == 5 do end
        return i
      end, neap.range(1, 8))
    end)
    assert.is_false(ok)
    assert.equal("timeout", e.kind)
    assert.equal(5, e.item)
    assert.matches("longer than 0.2 s", e.message)
    assert.equal(1, e.results[1][1])
    assert.equal(1, pool:apply(function() return 1 end)[1])
  end)

  it("goes on without the items that take too long or kill, when errors are collected", function()
    local results = pool:with { item_timeout = 0.3, on_error = "collect", retries = 0 }:map(
      function(i, kw)
        while i == 2 do end
        if i == 4 then string.rep("a", 30):find(("a*"):rep(30) .. "b") end -- stuck in C
        if i == 6 then kw.kill() end
        return i
      end, neap.range(1, 8), neap.kw { kill = kill_self })
    local kinds = {}
    for i = 1, 8 do kinds[i] = type(results[i]) == "number" and results[i] or results[i].kind end
    assert.same({ 1, "timeout", 3, "timeout", 5, "died", 7, 8 }, kinds)
    assert.equal(4, results[4].item)
    assert.equal(9, results[6].signal)
  end)

  it("tries as often as the view says", function()
    local path = mark()
    local attempts = function()
      local file <close> = assert(io.open(path))
      return #file:read("a")
    end
    local f = function(p, kill)
      local file <close> = assert(io.open(p, "a"))
      file:write("x")
      file:close()
      kill()
    end
    for _, retries in ipairs { 0, 3, 9 } do
      assert(io.open(path, "w")):close()
      local ok, e = pcall(function()
        pool:with { retries = retries }:apply_only(f, 1, path, kill_self)
      end)
      assert.is_false(ok)
      assert.equal("died", e.kind)
      assert.equal(retries + 1, attempts())
      assert.equal(1, pool:apply_only(function() return 1 end, 1))
    end
    os.remove(path)
  end)

  it("replaces a worker that stays stopped in the middle of a call", function()
    local path = mark()
    local results = pool:with { stopped_grace = 0.2 }:map(function(i, kw)
      local file = i == 3 and io.open(kw.path)
      if file then
        file:close()
        os.remove(kw.path)
        os.execute("kill -19 $PPID")
        while true do end
      end
      return i
    end, neap.range(1, 6), neap.kw { path = path })
    for i = 1, 6 do assert.equal(i, results[i]) end
  end)

  it("raises a timeout with what had finished, and where it was stopped", function()
    calls.in_time(0.1, function(seconds)
      local ok, e = pcall(function()
        pool:with { timeout = seconds, chunk = 1 }:map(function(i)
          while i > 4 do end
          return i
        end, neap.range(1, 8))
      end)
      assert.is_false(ok)
      assert.equal("timeout", e.kind)
      assert.equal(("call took longer than %g s"):format(seconds), e.message)
      assert.same({ 1, 2, 3, 4 }, { table.unpack(e.results[1], 1, 8) })
      assert.matches("recovery_spec.lua:%d+: in function", e.traceback)
      assert.is_true(e.item > 4)
    end)
  end)

  it("closes in bounded time although workers are stopped", function()
    pool:kill(1, 19) -- SIGSTOP
    local start = os.time()
    pool:close()
    assert.is_true(os.time() - start < 8)
  end)
end)
