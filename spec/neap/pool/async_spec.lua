-- Calls that are not waited for at once, on every kind of pool.
local neap = require "neap"
local pools = require "spec.support.pools"
local calls = require "spec.support.calls"
local message_of, plain = calls.message_of, calls.plain

for _, kind in ipairs(pools) do
  describe(kind.name, function()
    local pool
    local n = kind.workers

    setup(function() pool = kind.open() end)
    teardown(function() pool:close() end)

    it("gives a Future for apply, map and submit", function()
      local a = pool:apply_async(function(x) return x end, 1)
      local b = pool:map_async(function(x, kw) return x * kw.k end, { 1, 2 }, neap.kw { k = 10 })
      local c = pool:submit(function(...) return select("#", ...), ... end, nil, 5)
      assert.equal(n, #a:get())
      assert.same({ 10, 20 }, plain(b:get()))
      assert.same({ 2, nil, 5 }, { c:get() })
      assert.same({ 2, nil, 5 }, { c:get() }) -- again
      assert.is_true(c:done())
      assert.equal("Future (done)", tostring(c))
    end)

    it("raises what the call raises, every time it is asked", function()
      local future = pool:submit(error, "no luck", 0)
      for _ = 1, 2 do
        local ok, e = pcall(future.get, future)
        assert.is_false(ok)
        assert.equal("no luck", e.message)
      end
    end)

    it("does requests to one worker in the order they were made", function()
      local remote <close> = pool:push {}
      local futures = {}
      for i = 1, 20 do
        futures[i] = pool:apply_async(function(list, k) list[#list + 1] = k end, remote, i)
      end
      local expected = {}
      for i = 1, 20 do expected[i] = i end
      assert.same(expected, remote:get(n))
      neap.wait_all(futures)
      for _, future in ipairs(futures) do assert.is_true(future:done()) end
    end)

    it("waits for any and for all", function()
      local futures = {}
      for i = 1, 3 * n do futures[i] = pool:submit(function() return i end) end
      local i, future = neap.wait_any(futures)
      assert.equal(futures[i], future)
      assert.is_true(future:done())
      neap.wait_all(futures)
      for k = 1, 3 * n do assert.equal(k, futures[k]:get()) end
      assert.matches("at least one expected", message_of(neap.wait_any, {}))
      assert.equal("futures: item 1 is no Future", message_of(neap.wait_all, { 1 }))
    end)

    it("takes the items of a map as they are when it is called", function()
      local U, list, shared = neap.VectorArray.ones(3, 60), {}, { 1 }
      for i = 1, 60 do list[i] = { mu = { i }, U = neap.VectorArray.full(i, 2, 1), s = shared } end
      local class = { __name = "spec.Class" }
      class.__index = class
      list[1].object, list[1].class = setmetatable({}, class), class
      list[2].table, list[2].self = table, list[2]
      local view = pool:with { chunk = 1 }
      local arrays = view:map_async(function(u) return u:get(1, 1) end, U)
      local parts = view:map_async(function(u) return u:get(1, 1) end, U:slice(2, 60))
      local tables = view:map_async(function(t)
        if t.class then assert(getmetatable(t.object) == t.class) end
        if t.self then assert(t.self == t and t.table == table) end
        return t.mu[1], t.U:get(2, 1), t.s[1]
      end, list)
      local strings = { "a", "b", false, n = 4 }
      local named = view:map_async(function(s) return s end, strings)
      U:scal(7)
      shared[1] = 2
      for i = 1, 60 do
        list[i].mu[1] = -1
        list[i].U:scal(0)
      end
      for i = 20, 60 do list[i] = nil end
      strings[2], strings[4] = "c", "d"
      for _, x in ipairs(arrays:get()) do assert.equal(1.0, x) end
      for _, x in ipairs(parts:get()) do assert.equal(1.0, x) end
      local mus, entries, ones = tables:get()
      for i = 1, 60 do assert.same({ i, i, 1 }, { mus[i], entries[i], ones[i] }) end
      assert.same({ "a", "b", false, n = 4 }, named:get())
    end)

    it("keeps what the items of a map refer to until it is over, whatever is removed", function()
      local items, last = {}, 30
      for i = 1, last - 1 do items[i] = { part = pool:push { i } } end
      items[last] = setmetatable({ part = pool:push { last } }, { __name = "Item" })
      local before = pool:status()[1].objects
      local future = pool:with { chunk = 1 }:map_async(function(x) return x.part[1] end, items)
      for i = 1, last do items[i].part:remove() end
      assert.equal(before, pool:status()[1].objects)
      local list = future:get()
      for i = 1, last do assert.equal(i, list[i]) end
      pool:apply(function() end)
      assert.equal(before - last, pool:status()[1].objects)
      assert.error_matches(function() pool:map(print, items) end,
        "sequence 1: field .part of item 1 is a RemoteObject that was removed at ", 1, true)
    end)

    it("lets go of what items refer to when a map is cancelled or fails", function()
      collectgarbage()
      collectgarbage("stop") -- nothing is left to it
      pool:apply(function() end)
      local before = pool:status()[1].objects
      local remote = pool:push { 1 }
      local future = pool:map_async(function(x) return x[1] end, { remote, remote })
      remote:remove()
      future:cancel()
      remote = pool:push { 2 }
      assert.is_false(pcall(pool.map, pool, function() error "no" end, { remote }))
      assert.is_false(pcall(pool.map, pool, print, { remote, io.stdout }))
      assert.is_false(pcall(pool.map, pool, coroutine.wrap(print), { remote }))
      remote:remove()
      pool:apply(function() end)
      collectgarbage("restart")
      assert.equal(before, pool:status()[1].objects)
    end)

    it("gives what is submitted to the worker that is free", function()
      if n < 2 then return end
      -- One worker is busy until the others have done all the rest.
      local path = os.tmpname()
      local busy = pool:submit(function(p)
        while io.open(p) do end
      end, path)
      local futures = {}
      for i = 1, 20 do futures[i] = pool:submit(function() return i end) end
      neap.wait_all(futures)
      assert.is_false(busy:done())
      os.remove(path)
      busy:get()
    end)

    it("cancels a call", function()
      local future = pool:apply_async(function() while true do end end)
      future:cancel()
      assert.is_true(future:done())
      local ok, e = pcall(future.get, future)
      assert.is_false(ok)
      assert.equal("interrupted", e.kind)
      assert.equal(1, pool:apply(function() return 1 end)[1])
    end)

    it("cancels what has not begun", function()
      local path = os.tmpname()
      local busy = pool:apply_async(function(p) while io.open(p) do end end, path)
      local waiting = pool:submit(function() end)
      waiting:cancel()
      os.remove(path)
      busy:get()
      assert.matches("cancelled", message_of(waiting.get, waiting))
    end)

    it("keeps nothing of a Future that was dropped", function()
      local dropped = setmetatable({}, { __mode = "k" })
      for i = 1, 20 do
        dropped[pool:apply_async(function() return { i } end)._call] = true
        dropped[pool:map_async(function(x) return x end, { 1, 2, 3 })._call] = true
        dropped[pool:submit(error, "x")._call] = true
      end
      local busy
      repeat -- all has been answered at last
        pool:apply(function() end)
        busy = false
        for _, status in ipairs(pool:status()) do busy = busy or status.state ~= "idle" end
      until not busy
      collectgarbage()
      collectgarbage()
      assert.is_nil(next(dropped))
    end)

    it("ends when the pool is closed", function()
      local other = kind.open()
      local futures = {
        other:apply_async(function() while true do end end),
        other:map_async(function() while true do end end, neap.range(1, 100)),
        other:submit(print),
      }
      local start = os.time()
      other:close()
      assert.is_true(os.time() - start < 4)
      for _, future in ipairs(futures) do
        assert.is_true(future:done())
        local ok, e = pcall(future.get, future)
        assert.is_false(ok)
        assert.equal("interrupted", e.kind)
        assert.matches("the pool was closed before the call was over", e.message)
        future:cancel()
      end
      neap.wait_all(futures)
      assert.equal(1, (neap.wait_any(futures)))
    end)
  end)
end
