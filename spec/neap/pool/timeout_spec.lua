-- Time limits, Ctrl-C and cancelling, of what can be stopped, on every kind of pool. What cannot
-- be is killed: see recovery_spec.
local neap = require "neap"
local pools = require "spec.support.pools"
local calls = require "spec.support.calls"

local function spin() while true do end end

-- The error that f(...) raises.
local function error_of(f, ...)
  local ok, e = pcall(f, ...)
  assert.is_false(ok)
  return e
end

for _, kind in ipairs(pools) do
  describe("what takes too long on " .. kind.name, function()
    local pool
    local n = kind.workers
    setup(function() pool = kind.open() end)
    teardown(function() pool:close() end)
    after_each(function() -- it is in step
      assert.same({ 1, 2, 3 }, calls.plain(pool:map(function(i) return i end, { 1, 2, 3 })))
    end)

    it("is stopped when its call may take no longer", function()
      local short = pool:with { timeout = 0.1 }
      local function later(method, ...)
        local future = method(short, ...)
        return error_of(future.get, future)
      end
      for name, e in pairs {
        apply = error_of(short.apply, short, spin),
        apply_only = error_of(short.apply_only, short, spin, n),
        keep = error_of(short.keep, short, spin),
        map = error_of(short.map, short, spin, { 1 }),
        reduce = error_of(short.reduce, short, spin, { 1 }, math.max),
        apply_async = later(short.apply_async, spin),
        submit = later(short.submit, spin),
        map_async = later(short.map_async, spin, { 1 }),
      } do
        assert.equal("timeout", e.kind, name)
        assert.equal("call took longer than 0.1 s", e.message, name)
      end
    end)

    it("holds up no call behind it for longer than that may take", function()
      local first = pool:apply_async(spin)
      local e = error_of(pool.apply, pool:with { timeout = 0.1 }, function() end)
      assert.equal("timeout", e.kind)
      first:cancel()
      assert.equal("interrupted", error_of(first.get, first).kind)
    end)

    it("says where it was, and what had finished", function()
      local function work(i)
        while i == 1 do end -- luacheck: ignore
        return i
      end
      calls.in_time(0.05, function(seconds)
        local short = pool:with { timeout = seconds, chunk = 1, cost = function(i) return i end }
        local e = error_of(short.map, short, work, { 3, 2, 1 })
        assert.equal(3, e.item)
        assert.matches("timeout_spec.lua:%d+: in function", e.traceback)
        assert.same({ 3, 2 }, { e.results[1][1], e.results[1][2] })
      end)
    end)

    it("is stopped alone when an item may take no longer", function()
      calls.in_time(0.1, function(seconds)
        local short = pool:with { item_timeout = seconds, on_error = "collect" }
        local results = short:map(function(i)
          while i % 3 == 2 do end -- luacheck: ignore
          return i
        end, neap.range(1, 6))
        for i = 1, 6 do
          local result = results[i]
          if i % 3 ~= 2 then
            assert.equal(i, result)
          else
            assert.equal("timeout", result.kind)
            assert.equal(("item took longer than %g s"):format(seconds), result.message)
            assert.equal(i, result.item)
          end
        end
      end)
      local e = error_of(pool.apply, pool:with { item_timeout = 0.1 }, spin)
      assert.equal("call took longer than 0.1 s", e.message)
    end)

    it("is stopped although it catches errors", function()
      if not kind.is_inline then return end -- where it is killed in the end: see recovery_spec
      local e = error_of(pool.apply, pool:with { timeout = 0.1 }, function()
        pcall(function() while true do end end)
        while true do end
      end)
      assert.equal("timeout", e.kind)
      e = error_of(pool.map, pool:with { timeout = 0.1 }, function()
        while true do
          pcall(coroutine.wrap(function() while true do end end))
          xpcall(spin, function(message) return message .. "" end)
        end
      end, { 1, 2 })
      assert.equal("timeout", e.kind)
    end)

    it("is stopped in a coroutine", function()
      local e = error_of(pool.apply, pool:with { timeout = 0.1 }, function()
        coroutine.wrap(function() while true do end end)()
      end)
      assert.equal("timeout", e.kind)
    end)

    it("is stopped in a call of a pool that it has opened itself", function()
      local e = error_of(pool.apply, pool:with { timeout = 0.1 }, function()
        local inner <close> = require("neap").pool()
        inner:apply(function() while true do end end)
      end)
      assert.equal("timeout", e.kind)
      assert.matches("timeout_spec.lua:%d+: in function", e.traceback) -- it was not killed
    end)

    it("is stopped where its pool was opened in a coroutine that is gone", function()
      local own <close> = coroutine.wrap(kind.open)()
      collectgarbage()
      collectgarbage()
      local e = error_of(own.apply, own:with { timeout = 0.1 }, spin)
      assert.equal("timeout", e.kind)
    end)

    it("is not stopped because somebody looks how far it is", function()
      local looks = 0
      local view = pool:with { timeout = 60, on_progress = function() looks = looks + 1 end }
      local function work(i)
        local start = os.clock()
        repeat until os.clock() - start > 0.15
        return i
      end
      assert.same({ 5 }, calls.plain(view:map(work, { 5 })))
      assert.equal(5, view:reduce(work, { 5 }, math.max))
      assert.is_true(looks > 1)
    end)

    it("does not count the time before it has begun", function()
      calls.in_time(0.1, function(seconds)
        local future = pool:with { item_timeout = seconds }:submit(function(x) return x end, 5)
        pool:apply(function(all)
          local start = os.clock()
          repeat until os.clock() - start > all
        end, 1.25 * seconds)
        assert.equal(5, future:get())
      end)
    end)

    it("is no reason to stop what is in time, or has an error of its own", function()
      local ample = pool:with { timeout = 60, item_timeout = 60 }
      assert.equal(1, ample:apply(function() return 1 end)[n])
      local e = error_of(ample.map, ample, function() error("no luck", 0) end, { 1 })
      assert.equal("error", e.kind)
      assert.equal("no luck", e.message)
    end)

    it("is never begun when it was cancelled before", function()
      local remote <close> = pool:push { count = 0 }
      local function count(t) t.count = t.count + 1 end
      local path = os.tmpname()
      local first = pool:apply_async(function(p) while io.open(p) do end end, path)
      local second = pool:apply_async(count, remote)
      local third = pool:map_async(function(_, kw) count(kw.t) end, neap.range(1, 9),
        neap.kw { t = remote })
      second:cancel()
      third:cancel()
      os.remove(path)
      first:get()
      assert.equal(0, remote:get(1).count)
      assert.equal("interrupted", error_of(second.get, second).kind)
    end)

    it("is stopped by Ctrl-C", function()
      local file <close> = assert(io.open "/proc/self/stat")
      local pid = file:read "n"
      calls.in_time(0.1, function(seconds) -- item 1 is over by then
        local e = error_of(pool.map, pool, function(i, kw)
          if i == 2 then -- by a process of its own: a shell that is waited for takes the signal
            os.execute(("(sleep %g; kill -INT %d) &"):format(kw.seconds, kw.pid))
            while true do end
          end
        end, { 1, 2, 3 }, neap.kw { pid = pid, seconds = seconds })
        assert.equal("interrupted", e.kind)
        assert.equal(2, e.item)
      end)
    end)
  end)
end
