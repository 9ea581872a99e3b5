-- What goes to which worker when, and what status says of it meanwhile.
local neap = require "neap"
local pools = require "spec.support.pools"
local leaks = require "spec.support.leaks"

-- The number of the process that runs it.
local function process()
  local file <close> = assert(io.open "/proc/self/stat")
  return file:read "n"
end

-- Waits until the file is gone.
local function wait_for(path)
  repeat
    local file = io.open(path)
    if file then file:close() end
  until not file
end

-- Calls f again and again until it returns something, for at most ten seconds.
local function eventually(f)
  local clock = require "host.clock".now
  local limit = clock() + 10
  repeat
    local x = f()
    if x then return x end
  until clock() > limit
  error("it never came to that", 2)
end

for _, kind in ipairs(pools) do
  describe(kind.name, function()
    local pool
    setup(function() pool = kind.open() end)
    teardown(function() pool:close() end)

    it("gives each worker one share in order where the schedule is static", function()
      local pids = pool:with { schedule = "static" }:map(process, neap.range(1, 23))
      local shares, at = {}, 0
      for i = 1, 23 do
        if pids[i] ~= pids[i - 1] then at = at + 1 end
        shares[at] = (shares[at] or 0) + 1
      end
      assert.equal(kind.workers, at)
      for w = 1, at do
        assert.equal(23 // at + (w <= 23 % at and 1 or 0), shares[w])
      end
      assert.equal(1, pool:with { schedule = "static" }:map(process, { 1 }).n)
    end)

    it("keeps the items of a chunk together", function()
      local pids = pool:with { chunk = 22 }:map(process, neap.range(1, 22))
      for i = 2, 22 do assert.equal(pids[1], pids[i]) end
    end)

    it("does the most costly items first", function()
      local path = os.tmpname()
      pool:with { chunk = 1, cost = function(i) return -(i - 5) ^ 2 end }:map(function(i, kw)
        local file <close> = assert(io.open(kw.path, "a"))
        file:write(i, "\n")
      end, neap.range(1, 9), neap.kw { path = path })
      local order = {}
      for line in io.lines(path) do order[#order + 1] = math.tointeger(line) end
      os.remove(path)
      assert.equal(9, #order)
      if kind.workers == 1 then assert.same({ 5, 4, 6, 3, 7, 2, 8, 1, 9 }, order) end
      -- With more of them the last items are not begun before the first have been handed out.
      for place, i in ipairs(order) do
        if place <= 9 - 2 * kind.workers - 1 then assert.is_true(i ~= 9) end
      end
    end)

    it("has a bounded part of a long map on its way", function()
      if kind.is_inline then return end
      local path = os.tmpname()
      local list = {}
      for i = 1, 300000 do list[i] = 2 ^ 40 + i end
      local before = pool:status()
      local future = pool:map_async(function(_, kw) kw.wait_for(kw.path) end, list,
        neap.kw { wait_for = wait_for, path = path })
      for w, status in ipairs(pool:status()) do
        assert.is_true(status.bytes_sent - before[w].bytes_sent < 100000)
      end
      future:cancel()
      os.remove(path)
      assert.equal(1, pool:apply(function() return 1 end)[1])
    end)

    it("sends the code of a function once", function()
      local f = assert(load("local s = 0 " .. ("s = s + 1 "):rep(2000) .. "return s"))
      local sent = {}
      for i = 1, 3 do
        local before = pool:status()[1].bytes_sent
        assert.equal(2000, pool:apply(f)[1])
        sent[i] = pool:status()[1].bytes_sent - before
      end
      assert.is_true(sent[1] > 2000)
      assert.is_true(sent[2] < 300)
      assert.equal(sent[2], sent[3])
    end)

    it("asks for a global once in a call, on each worker", function()
      local asked, before = 0, getmetatable(_G)
      setmetatable(_G, { __index = function(_, name)
        if name ~= "asked_global" then return nil end
        asked = asked + 1
        return asked
      end })
      local ok, results = pcall(pool.map, pool, function()
        return _G.asked_global == _G.asked_global
      end, neap.range(1, 100))
      setmetatable(_G, before)
      assert(ok, results)
      for i = 1, 100 do assert.is_true(results[i]) end
      assert.is_true(asked >= 1 and asked <= kind.workers)
    end)

    it("says what each worker is at", function()
      local before = pool:status()
      local data = ("x"):rep(10000)
      assert.equal(kind.workers, pool:apply(function(s) return s .. s end, data).n)
      for w, status in ipairs(pool:status()) do
        assert.is_true(status.bytes_sent - before[w].bytes_sent >= 10000)
        assert.is_true(status.bytes_received - before[w].bytes_received >= 20000)
        assert.equal("idle", status.state)
        assert.is_nil(status.item)
        assert.equal(before[w].restarts, status.restarts)
      end
      if kind.is_inline then return end
      local path = os.tmpname()
      local future = pool:with { chunk = 1, cost = function(i) return i end }:map_async(
        function(_, kw) kw.wait_for(kw.path) end, neap.range(1, kind.workers),
        neap.kw { wait_for = wait_for, path = path })
      local list = pool:status()
      for w, status in ipairs(list) do
        assert.equal("busy", status.state)
        assert.equal(kind.workers + 1 - w, status.item)
      end
      assert.is_false(future:done())
      os.remove(path)
      future:get()
      pool:kill(1)
      eventually(function() return pool:status()[1].restarts == before[1].restarts + 1 end)
      eventually(function() return pool:status()[1].state == "idle" end)
      assert.is_true(list[1].pid ~= pool:status()[1].pid)
    end)
  end)
end

describe("status", function()
  it("has the number of threads that were asked for", function()
    local pool <close> = neap.pool { workers = 1, blas_threads = 2 }
    assert.equal(2, pool:status()[1].blas_threads)
    local threads = pool:apply(function() return require("host.array").blas_threads() end)[1]
    assert.equal(2, threads)
  end)
end)

describe("what the driver starts", function()
  it("inherits nothing of a pool", function()
    local before = io.popen "ls -l /proc/self/fd | wc -l"
    local count = before:read "n"
    before:close()
    local pool <close> = neap.pool { workers = 2 }
    local U = neap.VectorArray.ones(1000000, 1)
    local remote <close> = pool:push(U)
    pool:apply(function(V) V:set(1, 1, 2) end, remote)
    local after = io.popen "ls -l /proc/self/fd | wc -l"
    assert.equal(count, after:read "n")
    after:close()
    U:close()
  end)
end)

describe("a pool that is used and closed again and again", function()
  it("takes no more memory than one", function()
    if os.getenv("ASAN_OPTIONS") then return pending("the sanitizers keep what is freed") end
    local function resident()
      collectgarbage()
      collectgarbage()
      local file <close> = assert(io.open "/proc/self/smaps_rollup")
      return tonumber(file:read("a"):match "Rss:%s+(%d+)")
    end
    local function use(workers, times)
      for i = 1, times do
        local pool <close> = neap.pool { workers = workers }
        local _ = pool:push { i }
        local _ = pool:submit(function() end)
      end
    end
    for workers, times in pairs { [0] = 300, [1] = 40 } do
      use(workers, times)
      local snapshot, before = leaks.snapshot(), resident()
      use(workers, times)
      assert.is_true(resident() - before < 1000) -- KiB: a pool keeps more than 4, an inline one 100
      assert.same({}, leaks.since(snapshot))
    end
  end)
end)
