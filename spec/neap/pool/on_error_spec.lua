-- Which calls honour on_error and item_timeout, and what stands in the place of an error.
local neap = require "neap"
local pools = require "spec.support.pools"
local calls = require "spec.support.calls"

local function fail_at(i, worst)
  if i == worst then error("no " .. i, 0) end
  return i, -i
end

for _, kind in ipairs(pools) do
  describe("errors that are collected by " .. kind.name, function()
    local pool, collecting, mending
    local n = kind.workers

    setup(function()
      pool = kind.open()
      collecting = pool:with { on_error = "collect" }
      mending = pool:with { on_error = function(e) return e.message .. "!" end }
    end)
    teardown(function() pool:close() end)

    local function fail(what) error(what, 0) end

    it("stand in the places of workers", function()
      local list = collecting:apply(fail, "none")
      assert.equal(n, list.n)
      for w = 1, n do
        assert.equal("none", list[w].message)
        assert.equal(neap.WorkerError, getmetatable(list[w]))
        assert.equal(w, list[w].worker)
      end
      assert.equal("none!", mending:apply(fail, "none")[n])
      assert.equal("none!", mending:apply_async(fail, "none"):get()[n])
      local parts <close> = pool:scatter_list({ 1, 2, 3, 4, 5 })
      local firsts = mending:apply(function(part)
        if part[1] == 1 then error("one", 0) end
        return part[1]
      end, parts)
      assert.equal("one!", firsts[1])
      if n > 1 then assert.equal("number", type(firsts[n])) end
    end)

    it("stand in the place of the one value", function()
      assert.equal("none!", mending:apply_only(fail, n, "none"))
      assert.equal("none", collecting:apply_only(fail, 1, "none").message)
      assert.equal("none", collecting:submit(fail, "none"):get().message)
      local future = mending:submit(fail, "none")
      neap.wait_all { future }
      assert.equal("none!", future:get())
      assert.same({ 1, -1 }, { mending:submit(fail_at, 1, 2):get() })
    end)

    it("are those of the items whose results cannot be sent, and of no others", function()
      local function open_file_at(i, worst)
        return i ~= worst and i or { log = io.stdout }, -i
      end
      local twelve, worst = neap.range(1, 12), {}
      for i = 1, 12 do worst[i] = i % 5 == 0 and i or 0 end
      local options = { on_error = "collect", chunk = 12 }
      for _, cost in ipairs { false, function(i) return i end } do
        options.cost = cost or nil
        local list, more = pool:with(options):map(open_file_at, twelve, worst)
        assert.equal(12, list.n)
        for i = 1, 12 do
          if i % 5 == 0 then
            assert.equal("result 1: field .log is an open file and cannot be sent to the driver",
              list[i].message)
            assert.equal(i, list[i].item)
            assert.is_nil(more[i])
          else
            assert.equal(i, list[i])
            assert.equal(-i, more[i])
          end
        end
      end
      local ok, e = pcall(pool.map, pool:with { chunk = 12 }, open_file_at, twelve, worst)
      assert.is_false(ok)
      assert.equal(5, e.item)
      assert.same({ 4, -4 }, { e.results[1][4], e.results[2][4] })
      assert.is_nil(e.traceback) -- no function of the caller's was running
    end)

    it("lose nothing that had finished, in the same chunk neither", function()
      local whole = pool:with { chunk = 400 }
      local function failing(values, f)
        local ok, e = pcall(whole.map, whole, f, values)
        assert.is_false(ok)
        return e
      end
      local numbers = failing(neap.range(1, 400), function(i)
        if i == 399 then error("late", 0) end
        return 2 * i
      end)
      assert.same({ 399, 2, 796 }, { numbers.item, numbers.results[1][1], numbers.results[1][398] })
      assert.is_nil(numbers.results[1][399])
      local mixed = failing({ 1, "two", 3.5, 4 }, function(x)
        if x == 4 then error(coroutine.create(print)) end
        return x, { x }
      end)
      assert.same({ 1, "two", 3.5 }, calls.plain(mixed.results[1]))
      assert.same({ 3.5 }, mixed.results[2][3])
      assert.equal(4, mixed.item)
      local first = failing({ 1, 2 }, function() error("at once", 0) end)
      assert.same({ 1, "at once" }, { first.item, first.message })
      local slow = pool:with { chunk = 4, item_timeout = 0.2 }
      local ok, e = pcall(slow.map, slow, function(i)
        while i == 3 do end
        return i
      end, { 1, 2, 3, 4 })
      assert.is_false(ok)
      assert.same({ "timeout", 1, 2 }, { e.kind, e.results[1][1], e.results[1][2] })
    end)

    it("leave the other items alone when what was raised cannot be sent", function()
      local list = pool:with({ on_error = "collect", chunk = 3 }):map(function(i)
        if i == 2 then error(coroutine.create(print)) end
        return i
      end, { 1, 2, 3 })
      assert.equal(1, list[1])
      assert.equal("thread: ", list[2].message:sub(1, 8))
      assert.is_nil(list[2].value)
      assert.equal(3, list[3])
    end)

    it("stand in the places of items, also where those are combined", function()
      local list = mending:map(fail_at, { 1, 2, 3 }, { 2, 2, 2 })
      assert.same({ 1, "no 2!", 3 }, calls.plain(list))
      local function join(a, b) return a .. " " .. tostring(b) end
      local values = neap.range(1, 4)
      assert.equal("1 2 3 4", collecting:reduce(fail_at, values, join))
      local function worst_is_two(i) return fail_at(i, 2) end
      local zero = pool:with { on_error = function() return 0 end }
      assert.equal("1 0 3 4", zero:reduce(function(i)
        return (worst_is_two(i))
      end, values, join))
      local function add(a, b) return a + b end
      assert.equal(8, zero:reduce(worst_is_two, values, add))
      assert.is_nil(zero:reduce(worst_is_two, {}, add))
      assert.equal(4, zero:reduce(function(i, kw) return fail_at(i, kw.worst) end, values, add,
        neap.kw { worst = 4 }) - 2)
      assert.equal("no 2", calls.message_of(pool.reduce, pool, worst_is_two, values, add))
    end)

    it("are raised where there is no place for them, or the function raises", function()
      assert.equal("none", calls.message_of(collecting.keep, collecting, fail, "none"))
      local worse = pool:with { on_error = function(e) error("worse than " .. e.message, 0) end }
      assert.equal("worse than none", calls.message_of(worse.apply, worse, fail, "none"))
    end)
  end)
end

for _, kind in ipairs(pools) do
  describe("what " .. kind.name .. " says of an error", function()
    local pool
    local n = kind.workers
    setup(function() pool = kind.open() end)
    teardown(function() pool:close() end)

    local function error_of(f, ...)
      local ok, e = pcall(pool.apply, pool, f, ...)
      assert.is_false(ok)
      return e
    end

    it("is in words whatever was raised", function()
      assert.equal('{code = 1, what = "x"}',
        error_of(function() error { code = 1, what = "x" } end).message)
      assert.equal("nil", error_of(function() error() end).message)
      assert.equal("7", error_of(function() error(7) end).message)
      local e = error_of(function() error("none", 0) end)
      assert.equal("failed: none", ("failed: " .. e):match "^[^\n]*")
      assert.equal("none", (e .. "!"):match "^[^\n]*")
      assert.equal(pool:status()[1].host, e.host)
      local list = pool:with { on_error = "collect" }:map(function() error { code = 2 } end, { 1 })
      assert.equal("{code = 2}", list[1].message)
      assert.is_string(list[1].host)
    end)

    it("is said once where several have failed in the same way", function()
      local e = error_of(function() error("the same", 0) end)
      assert.equal(n - 1, e.others)
      local more = (" (and %d more like it)"):format(n - 1)
      assert.matches("on worker 1" .. (n > 1 and more or ""), tostring(e), 1, true)
      assert.equal(n > 1, tostring(e):find(more, 1, true) ~= nil)
      local ids = pool:scatter_list(table.move({ 1, 2, 3, 4, 5 }, 1, n, 1, {}))
      e = error_of(function(part) error("not the same: " .. part[1], 0) end, ids)
      assert.equal("not the same: 1", e.message)
      assert.equal(0, e.others)
      assert.is_nil(tostring(e):find("more like it", 1, true))
    end)

    it("tells of a standard global that the driver has replaced", function()
      local e = error_of(function() assert.equal(1, 1) end) -- busted's
      assert.matches("attempt to index a function value (global 'assert') (on a worker 'assert' "
        .. "is Lua's own: bring another one along as an upvalue, as in local assert = assert)",
        e.message, 1, true)
      local upvalue = assert
      assert.equal(1, pool:apply(function()
        upvalue.equal(1, 1)
        return 1
      end)[n])
    end)

    it("names what cannot be sent as what it is, and where it was to go", function()
      local function message(...) return calls.message_of(pool.apply, pool, ...) end
      assert.equal("argument 1: field .pool is a WorkerPool and cannot be sent to a worker; "
        .. "only the driver calls it", message(print, { pool = pool }))
      assert.equal("argument 1 is a Future and cannot be sent to a worker; send what its get "
        .. "returns", message(print, pool:submit(math.abs, 1)))
      assert.equal("result 1: field .file is an open file and cannot be sent to the driver",
        message(function() return { file = io.stdout } end))
      local e = calls.message_of(pool.map, pool, function(i)
        return i < 3 and i or io.stdout
      end, { 1, 2, 3 })
      assert.equal("result 1 is an open file and cannot be sent to the driver", e)
    end)

    it("keeps a value that cannot say what it is, and says why one cannot be sent", function()
      local e = error_of(function()
        error(setmetatable({ code = 3 }, { __tostring = function() error("no words", 0) end }))
      end)
      assert.equal(3, e.value.code)
      assert.equal("table whose __tostring fails: no words", e.message)
      local function raise() error { code = 3, log = { io.stdout } } end
      local why = "^table: 0x%x+ %(error: field %.?v?a?l?u?e?%.log%[1%] is an open file and "
        .. "cannot be sent to the driver%)$"
      e = error_of(raise)
      assert.is_nil(e.value)
      assert.matches(why, e.message)
      local list = pool:with { on_error = "collect" }:map(raise, { 1, 2 })
      assert.matches(why, list[1].message)
      assert.matches(why, list[2].message)
      e = select(2, pcall(pool.map, pool:with { chunk = 2 }, function(i)
        if i == 2 then error { code = 4 } end
        return io.stdout
      end, { 1, 2 }))
      assert.equal(4, e.value.code) -- whatever else of the chunk cannot be sent
    end)

    it("is that os.exit ends a worker, where no process is there to end", function()
      local e = error_of(function() os.exit(3) end)
      if kind.is_inline then
        assert.equal("error", e.kind)
        assert.matches("os.exit was called, which would end a worker process", e.message, 1, true)
      else
        assert.equal("died", e.kind)
      end
      assert.equal(1, pool:apply(function() return 1 end)[n])
    end)
  end)
end

describe("a time limit of items", function()
  it("holds for each worker of apply, keep and submit, and leaves a good pool", function()
    local pool <close> = neap.pool { workers = 2 }
    local short = pool:with { item_timeout = 0.1 }
    local function spin(w)
      while w do end -- luacheck: ignore
      return 1
    end
    local function check(f, ...)
      local ok, e = pcall(f, ...)
      assert.is_false(ok)
      assert.equal("timeout", e.kind)
      assert.equal("call took longer than 0.1 s", e.message)
    end
    check(short.apply, short, spin, true)
    check(short.apply_only, short, spin, 2, true)
    check(short.keep, short, spin, true)
    local future = short:submit(spin, true)
    check(future.get, future)
    assert.same({ n = 2, 1, 1 }, short:apply(spin))
    local list = short:with { on_error = "collect" }:apply(function(deaf)
      while true do pcall(function() while deaf do end end) end -- luacheck: ignore
    end, true)
    assert.equal("timeout", list[1].kind)
    assert.equal("timeout", list[2].kind)
    assert.equal(1, short:submit(spin):get())
  end)
end)
