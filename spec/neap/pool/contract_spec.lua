-- What every kind of pool does alike.
local command = require "spec.support.command"
local neap = require "neap"
local pools = require "spec.support.pools"

-- The message of the error that f raises, which must be one.
local function message_of(f, ...)
  local ok, e = pcall(f, ...)
  assert.is_false(ok)
  return type(e) == "table" and e.message or e
end

local function plain(list)
  local copy = {}
  for i = 1, list.n or #list do copy[i] = list[i] end
  return copy
end

for _, kind in ipairs(pools) do
  describe(kind.name, function()
    local pool
    local n = kind.workers

    setup(function() pool = kind.open() end)
    teardown(function() pool:close() end)

    it("says how many workers it has", function()
      assert.equal(n, #pool)
      assert.equal(n, pool.workers)
      assert.equal(kind.is_inline and "inline" or "local", pool.transport)
      assert.equal(n, #pool:status())
      assert.matches("^WorkerPool of %d", tostring(pool))
    end)

    describe("apply", function()
      it("calls the function on each worker and lists the results by worker", function()
        local results = pool:apply(function(a, b) return a + b end, 1, 2)
        assert.equal(n, results.n)
        for w = 1, n do assert.equal(3, results[w]) end
      end)

      it("gives a list for each value", function()
        local a, b, c = pool:apply(function() return 1, nil, "c" end)
        assert.same({ 1, nil, "c" }, { a[1], b[1], c[1] })
        assert.equal(n, b.n)
      end)

      it("gives one list of nils where nothing is returned", function()
        local results, more = pool:apply(function() end)
        assert.equal(n, results.n)
        assert.is_nil(results[1])
        assert.is_nil(more)
      end)

      it("raises what a worker raises, with its traceback", function()
        local ok, e = pcall(pool.apply, pool, function() error("no luck", 0) end)
        assert.is_false(ok)
        assert.equal("no luck", e.message)
        assert.equal("error", e.kind)
        assert.equal(1, e.worker)
        assert.equal(n - 1, e.others)
        assert.matches("contract_spec.lua", e.traceback, 1, true)
        assert.matches("no luck\non worker 1", tostring(e), 1, true)
        assert.equal(neap.WorkerError, getmetatable(e))
      end)

      it("keeps the value of an error", function()
        local _, e = pcall(pool.apply, pool, function() error({ code = 7 }) end)
        assert.equal(7, e.value.code)
      end)

      it("works after an error", function()
        pcall(pool.apply, pool, error, "x")
        assert.equal(1, pool:apply(function() return 1 end)[1])
      end)

      it("refuses what is no function", function()
        assert.equal("f: function expected, got number", message_of(pool.apply, pool, 1))
      end)

      it("copies its arguments", function()
        local t = { 1 }
        pool:apply(function(x) x[1] = 2 end, t)
        assert.equal(1, t[1])
      end)
    end)

    describe("apply_only", function()
      it("calls the function on one worker and returns what it returns", function()
        local a, b = pool:apply_only(function(x) return x, 2 end, n, 1)
        assert.equal(1, a)
        assert.equal(2, b)
        assert.equal(0, select("#", pool:apply_only(function() end, 1)))
      end)

      it("refuses a worker that is not there", function()
        for _, w in ipairs { 0, n + 1, 1.5, "1" } do
          assert.equal(("worker: an integer from 1 to %d expected, got %s"):format(n, w),
            message_of(pool.apply_only, pool, print, w))
        end
      end)
    end)

    describe("map", function()
      local square = function(x) return x * x end

      it("gives the results in the items' order", function()
        for _, count in ipairs { 0, 1, n - 1, n, n + 1, 100 } do
          local items, expected = {}, {}
          for i = 1, count do items[i], expected[i] = i, i * i end
          local results = pool:map(square, items)
          assert.equal(count, results.n)
          assert.same(expected, plain(results))
        end
      end)

      it("runs over ranges, integers staying integers", function()
        local results = pool:map(function(x) return x end, neap.range(3, 9, 2))
        assert.same({ 3, 5, 7, 9 }, plain(results))
        assert.equal("integer", math.type(results[1]))
        assert.same({ 1.0, 0.5, 0.0 }, plain(pool:map(function(x) return x end,
          neap.range(1, 0, -0.5))))
        assert.equal(0, pool:map(square, neap.range(1, 0)).n)
      end)

      it("runs over VectorArrays, an item being one vector", function()
        local U = neap.VectorArray.from_function(3, 7, function(i, j) return 10 * j + i end)
        local results = pool:map(function(u) return #u, u:get(2, 1) end, U)
        assert.same({ 1, 1, 1, 1, 1, 1, 1 }, plain(results))
        local _, second = pool:map(function(u) return #u, u:get(2, 1) end, U)
        assert.same({ 12.0, 22.0, 32.0, 42.0, 52.0, 62.0, 72.0 }, plain(second))
      end)

      it("takes several sequences and keyword arguments", function()
        local results = pool:map(function(a, b, kw) return a * b + kw.c end,
          { 1, 2, 3 }, neap.range(4, 6), neap.kw { c = 100 })
        assert.same({ 104, 110, 118 }, plain(results))
      end)

      it("keeps nil results and lists of several values", function()
        local a, b = pool:map(function(i)
          if i % 2 == 0 then return nil, i end
          return i
        end, neap.range(1, 5))
        assert.equal(5, a.n)
        assert.equal(5, b.n)
        assert.same({ 1, nil, 3, nil, 5 }, { table.unpack(a, 1, 5) })
        assert.same({ nil, 2, nil, 4, nil }, { table.unpack(b, 1, 5) })
      end)

      it("names the item that fails", function()
        local ok, e = pcall(pool.map, pool, function(i)
          if i == 7 then error "seven" end
          return i
        end, neap.range(1, 20))
        assert.is_false(ok)
        assert.equal(7, e.item)
        assert.matches("seven$", e.message)
        assert.matches("item 7", tostring(e), 1, true)
        assert.equal(3, pool:map(square, { 1, 2, 3 }).n)
      end)

      it("collects errors on request", function()
        local results = pool:with { on_error = "collect" }:map(function(i)
          if i % 3 == 0 then error("three", 0) end
          return i
        end, neap.range(1, 10))
        assert.equal(10, results.n)
        for i = 1, 10 do
          if i % 3 == 0 then
            assert.equal("three", results[i].message)
            assert.equal(i, results[i].item)
          else
            assert.equal(i, results[i])
          end
        end
        local handled = pool:with { on_error = function(e) return -e.item end }:map(function(i)
          if i == 2 then error "two" end
          return i
        end, { 1, 2, 3 })
        assert.same({ 1, -2, 3 }, plain(handled))
      end)

      it("cuts statically or in chunks on request", function()
        for _, options in ipairs { { schedule = "static" }, { chunk = 1 }, { chunk = 1000 } } do
          local results = pool:with(options):map(square, neap.range(1, 50))
          for i = 1, 50 do assert.equal(i * i, results[i]) end
        end
      end)

      it("refuses sequences of different lengths, and what is no sequence", function()
        assert.equal("sequence 2: length 2 expected as of sequence 1, got 1",
          message_of(pool.map, pool, square, { 1, 2 }, { 1 }))
        assert.equal("sequence 1: list, VectorArray or neap.range expected, got number",
          message_of(pool.map, pool, square, 5))
        assert.equal("sequence 1: list, VectorArray or neap.range expected",
          message_of(pool.map, pool, square))
      end)

      it("draws random numbers that depend on seed, call and item only", function()
        local draw = function() return math.random(), math.random(1000) end
        local one <close> = kind.open { seed = 5 }
        local other <close> = neap.pool { workers = 2, seed = 5 }
        local a, b = one:map(draw, neap.range(1, 9))
        local c, d = other:with { chunk = 2 }:map(draw, neap.range(1, 9))
        assert.same(plain(a), plain(c))
        assert.same(plain(b), plain(d))
        assert.is_true(a[1] ~= a[2])
        local again = one:map(draw, neap.range(1, 9))
        assert.is_true(again[1] ~= a[1])
      end)
    end)

    describe("push", function()
      it("puts a copy on every worker that calls can change", function()
        local t = { 1, 2 }
        local remote <close> = pool:push(t)
        pool:apply(function(x) x[3] = 3 end, remote)
        assert.same({ 1, 2 }, t)
        for w = 1, n do assert.same({ 1, 2, 3 }, remote:get(w)) end
        assert.equal(n, #remote:get())
      end)

      it("resolves the handle wherever it stands", function()
        local remote <close> = pool:push { value = 5 }
        assert.equal(5, pool:apply(function(x) return x.value end, remote)[1])
        assert.equal(5, pool:apply(function(x) return x.deep[1].value end,
          { deep = { remote } })[1])
        assert.equal(5, pool:apply(function() return remote.value end)[1])
        assert.equal(5, pool:map(function(_, kw) return kw.r.value end, { 1 },
          neap.kw { r = remote })[1])
        assert.is_true(pool:apply(function(x, y) return x == y[1] end, remote, { remote })[1])
      end)

      it("takes nil and false", function()
        local remote <close> = pool:push(nil)
        assert.is_nil(remote:get(1))
        local other <close> = pool:push(false)
        assert.is_false(other:get(1))
      end)

      it("says where a removed object was removed", function()
        local remote = pool:push { 1 }
        assert.is_false(remote.removed)
        remote:remove()
        remote:remove()
        assert.is_true(remote.removed)
        assert.matches("argument 1 is a RemoteObject that was removed at .*contract_spec.lua:%d+",
          message_of(pool.apply, pool, print, remote))
        assert.matches("has no object", message_of(remote.get, remote))
        assert.matches("removed at", tostring(remote))
      end)

      it("refuses a handle of another pool", function()
        local other <close> = neap.pool { workers = 0 }
        local remote <close> = other:push(1)
        assert.matches("argument 2: field .r is a RemoteObject of another pool",
          message_of(pool.apply, pool, print, 1, { r = remote }), 1, true)
      end)

      it("leaves nothing behind once its handles are gone", function()
        collectgarbage()
        local before = pool:status()[1].objects
        do
          local manager <close> = neap.RemoteObjectManager()
          for i = 1, 50 do manager:manage(pool:push(i)) end
          assert.equal(before + 50, pool:status()[1].objects)
        end
        assert.equal(before, pool:status()[1].objects)
        for i = 1, 50 do pool:push(i) end -- luacheck: ignore
        collectgarbage()
        collectgarbage()
        assert.equal(before, pool:status()[1].objects)
      end)
    end)

    describe("immutables", function()
      it("are pushed once, whatever the order of removal", function()
        local t = neap.immutable { 1, 2, 3 }
        local before = pool:status()[1].objects
        local a, b = pool:push(t), pool:push(t)
        assert.equal(before + 1, pool:status()[1].objects)
        a:remove()
        local c = pool:push(t)
        assert.equal(before + 1, pool:status()[1].objects)
        b:remove()
        assert.equal(2, pool:apply(function(x) return x[2] end, t)[1])
        c:remove()
        assert.equal(before, pool:status()[1].objects)
        local d <close> = pool:push(t)
        assert.equal(before + 1, pool:status()[1].objects)
        assert.is_true(pool:apply(function(x, y) return x == y end, d, t)[1])
      end)

      it("are not sent when they have changed since they were pushed", function()
        local operators = require "neap.operators"
        local A = operators.MatrixOperator(neap.Matrix.identity(2))
        local B = operators.LincombOperator({ A, A }, { 1, 2 })
        local function push(x) pool:push(x):remove() end
        local there = pool:push(B)
        assert.equal(3, pool:apply(function(x) return x.operators[2].range + 1 end, B)[1])
        B.coefficients[2] = 3
        assert.matches("an immutable in which field '2' of a table has changed since it was "
          .. "pushed", message_of(pool.apply, pool, print, { B }), 1, true)
        B.coefficients[2] = 2
        push(B)
        A.matrix = neap.Matrix.identity(3)
        assert.equal("object is an immutable in which field 'matrix' of a neap.MatrixOperator "
          .. "has changed since it was pushed", message_of(push, B))
        there:remove()
        push(B)
      end)

      it("travel with a call when they were not pushed, and stay read-only", function()
        local t = neap.immutable { 1 }
        assert.is_false(pool:apply(function(x) return (pcall(function() x[1] = 2 end)) end, t)[1])
      end)
    end)

    describe("scatter", function()
      it("gives parts that differ by at most one, in order", function()
        for _, count in ipairs { 0, 1, n - 1, n, n + 1, 3 * n + 1 } do
          local list = {}
          for i = 1, count do list[i] = i end
          local remote <close> = pool:scatter_list(list)
          local sizes = pool:apply(function(part) return #part end, remote)
          for w = 1, n do
            assert.equal(count // n + (w <= count % n and 1 or 0), sizes[w])
          end
          assert.same(list, plain(pool:gather_list(remote)))
        end
      end)

      it("scatters and gathers arrays", function()
        for _, count in ipairs { 0, 1, n, 2 * n + 1 } do
          local U = neap.VectorArray.from_function(4, count, function(i, j) return i + 10 * j end)
          local remote <close> = pool:scatter_array(U)
          pool:apply(function(V) V:scal(2) end, remote)
          local V = pool:gather_array(remote)
          assert.same((2 * U):to_table(), V:to_table())
          assert.equal(count, #U)
        end
      end)

      it("empties the array when it need not be copied", function()
        local U = neap.VectorArray.ones(4, 5)
        local remote <close> = pool:scatter_array(U, { copy = false })
        assert.equal(0, #U)
        assert.equal(5, #pool:gather_array(remote))
      end)

      it("refuses what is no list or array", function()
        assert.equal("list: table expected, got number",
          message_of(pool.scatter_list, pool, 1))
        assert.equal("U: VectorArray expected, got table",
          message_of(pool.scatter_array, pool, {}))
        assert.matches("unknown option 'cpoy'",
          message_of(pool.scatter_array, pool, neap.VectorArray.ones(1, 1), { cpoy = true }))
      end)
    end)

    describe("keep", function()
      it("leaves the results on the workers", function()
        local remote <close> = pool:keep(function(x) return { x } end, 3)
        pool:apply(function(t) t[2] = 4 end, remote)
        assert.same({ 3, 4 }, remote:get(n))
      end)
    end)

    describe("functions", function()
      it("bring their upvalues, shared ones shared", function()
        local count = 0
        local function increase() count = count + 1 end
        local function get() return count end
        local results = pool:apply(function()
          increase()
          increase()
          return get()
        end)
        assert.equal(2, results[1])
        assert.equal(0, count)
      end)

      it("may call themselves and each other", function()
        local function fib(i) return i < 2 and i or fib(i - 1) + fib(i - 2) end
        assert.equal(55, pool:apply(fib, 10)[1])
      end)

      it("find globals of the driver, for one call", function()
        _G.spec_global = { value = 1 }
        _G.spec_function = function() return _G.spec_global.value end
        local f = function() return spec_function() end -- luacheck: ignore
        assert.equal(1, pool:apply(f)[1])
        _G.spec_global.value = 2
        assert.equal(2, pool:apply(f)[1])
        _G.spec_global, _G.spec_function = nil, nil
        assert.is_false((pcall(pool.apply, pool, f)))
      end)

      it("may come from C libraries", function()
        assert.equal(2.0, pool:apply(math.sqrt, 4)[1])
      end)

      it("may use types and functions of neap that they have as upvalues", function()
        local VectorArray, zeros = neap.VectorArray, neap.Matrix.zeros
        local lens, rows, types = pool:apply(function()
          return #VectorArray.zeros(3, 2), zeros(4, 5).rows, VectorArray
        end)
        assert.same({ 2, 4 }, { lens[1], rows[1] })
        assert.equal(VectorArray, types[n])
      end)
    end)

    describe("what cannot cross", function()
      it("is refused with its path, before anything is sent", function()
        local file <close> = assert(io.open("/dev/null"))
        assert.equal("argument 2: field .model.solver.log is an open file and cannot be sent to a "
          .. "worker", message_of(pool.apply, pool, print, 1,
          { model = { solver = { log = file } } }):match("^[^\n;]*worker"))
        local ran = pool:push { false }
        assert.is_false((pcall(pool.apply, pool, function(r) r[1] = true end, ran,
          coroutine.create(print))))
        assert.is_false(ran:get(1)[1])
      end)

      it("is an error with its path when it is a result", function()
        assert.matches("result 2", message_of(pool.apply, pool, function()
          return 1, coroutine.create(print)
        end))
        assert.equal(1, pool:apply(function() return 1 end)[1])
      end)
    end)

    it("reduces in the items' order", function()
      assert.equal("abcde", pool:reduce(function(s) return s end, { "a", "b", "c", "d", "e" },
        function(a, b) return a .. b end))
      assert.is_nil(pool:reduce(print, {}, print))
    end)

    it("refuses unknown options and calls once it is closed", function()
      assert.matches("unknown option 'tiemout'",
        message_of(pool.with, pool, { tiemout = 1 }))
      local other = kind.open()
      other:close()
      other:close()
      assert.equal("pool is closed", message_of(other.apply, other, print))
      assert.equal("WorkerPool (closed)", tostring(other))
    end)

    it("ends the calls under way when it is closed", function()
      local other = kind.open()
      local call = other:apply_async(function() return 1 end)
      other:close()
      assert.is_true(call:done())
      assert.equal("the pool was closed before the call was over", message_of(call.get, call))
    end)

    it("refuses calls from what computes a global that a worker waits for", function()
      local other <close> = kind.open()
      local before = getmetatable(_G)
      local function with(compute)
        setmetatable(_G, { __index = function(_, name)
          if name == "computed_global" then return compute() end
        end })
        local ok, e = pcall(other.apply, other, function() return _G.computed_global end)
        setmetatable(_G, before)
        return ok and "no error" or tostring(e)
      end
      assert.matches("the pool cannot be called while a worker waits for a global",
        with(function() return other:apply(function() return 1 end)[1] end), 1, true)
      assert.equal(2, other:apply(function() return 2 end)[1])
      assert.matches("the pool cannot be closed while a worker waits for a global",
        with(function() other:close() end))
    end)

    it("finds modules where the driver finds them, also when that has changed", function()
      local folder, remove = command.folder()
      local file = assert(io.open(folder .. "/found_late.lua", "w"))
      file:write("return 7")
      file:close()
      local path = package.path
      package.path = folder .. "/?.lua;" .. path
      local results = pool:map(function() return (require "found_late") end, { 1 })
      package.path = path
      remove()
      assert.equal(7, results[1])
    end)

    it("runs setup on each worker", function()
      local other <close> = kind.open { setup = function() _G.prepared = 5 end }
      assert.equal(5, other:apply(function() return _G.prepared end)[1])
      local ok, e = pcall(kind.open, { setup = function() error "not today" end })
      assert.is_false(ok)
      assert.matches("not today", tostring(e))
    end)

    it("is inline on a worker", function()
      local transport = pool:apply(function()
        local inner <close> = require("neap").pool { workers = 3 }
        return inner.transport .. #inner .. inner:apply(function() return "!" end)[1]
      end)
      assert.equal("inline1!", transport[1])
    end)
  end)
end
