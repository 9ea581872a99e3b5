-- What travels with a function, on every kind of pool.
local neap = require "neap"
local pools = require "spec.support.pools"
local calls = require "spec.support.calls"
local message_of = calls.message_of

for _, kind in ipairs(pools) do
  describe(kind.name, function()
    local pool
    local n = kind.workers

    setup(function() pool = kind.open() end)
    teardown(function() pool:close() end)

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

      it("may use types and functions of neap that they have as upvalues", function()
        local VectorArray, zeros = neap.VectorArray, neap.Matrix.zeros
        local lens, rows, types = pool:apply(function()
          return #VectorArray.zeros(3, 2), zeros(4, 5).rows, VectorArray
        end)
        assert.same({ 2, 4 }, { lens[1], rows[1] })
        assert.equal(VectorArray, types[n])
      end)

      it("see an array and its views as one, wherever they stand", function()
        local U = neap.VectorArray.ones(4, 2)
        local u = U[2]
        local function change(V, v)
          V:scal(2)
          return v:get(1, 1)
        end
        assert.equal(2.0, pool:apply(change, U, U[2])[n])
        assert.equal(2.0, pool:apply(function(v, V) return change(V, v) end, u, U)[n])
        assert.equal(2.0, pool:apply(function() return change(U, u) end)[n])
        assert.equal(2.0, pool:map(function(pair) return change(pair[1], pair[2]) end,
          { { U:slice(1, 2), u } })[1])
        local remote <close> = pool:push { v = U[2], U = U }
        assert.equal(2.0, pool:apply(function(t) return change(t.U, t.v) end, remote)[n])
        local back = remote:get(n)
        assert.equal(4.0, change(back.U, back.v))
        local kept <close> = pool:keep(function(t) return { t.v, t.U } end, remote)
        back = kept:get(n)
        assert.equal(4.0, change(back[2], back[1]))
        local parts <close> = pool:scatter_list { { u, U }, { u, U } }
        assert.equal(2.0, pool:apply_only(function(list)
          return change(list[1][2], list[1][1])
        end, 1, parts))
        assert.equal(1.0, U:get(1, 1))
      end)

      it("bring the module that the driver has, whatever a worker has loaded itself", function()
        local folder = os.tmpname()
        local path, name = package.path, "spec_stale"
        os.remove(folder)
        assert(os.execute(("mkdir '%s'"):format(folder)))
        local file = ("%s/%s.lua"):format(folder, name)
        local function write(v)
          local out <close> = assert(io.open(file, "w"))
          out:write("return { v = ", v, " }\n")
        end
        package.path = folder .. "/?.lua;" .. path
        finally(function()
          package.path, package.loaded[name] = path, nil
          os.execute(("rm -r '%s'"):format(folder))
        end)
        write(1)
        assert.equal(1, pool:apply(function() return require "spec_stale".v end)[n])
        write(22)
        local module = require "spec_stale"
        assert.equal(22, module.v)
        assert.equal(22, pool:apply(function() return module.v end)[n])
        write(333) -- which nobody has loaded: the driver's is the one before
        assert.equal(22, pool:apply(function() return module.v end)[n])
      end)

      it("know a module that has two names", function()
        local folder, path, loaded = os.tmpname(), package.path, {}
        os.remove(folder)
        assert(os.execute(("mkdir '%s'"):format(folder)))
        package.path = folder .. "/?.lua;" .. path
        finally(function()
          package.path = path
          for name in pairs(loaded) do package.loaded[name] = nil end
          os.execute(("rm -r '%s'"):format(folder))
        end)
        local function write(name, code)
          local out <close> = assert(io.open(("%s/%s.lua"):format(folder, name), "w"))
          out:write(code)
          loaded[name] = true
        end
        local modules = {}
        for i = 1, 8 do -- which name is met first depends on the seed of a table's order
          local short, long = "spec_twice" .. i, "spec_twice_part" .. i
          write(long, ("return { v = %d }"):format(i))
          write(short, ("return require %q"):format(long))
          modules[i] = require(short)
        end
        for i = 1, 8 do
          local module = modules[i]
          assert.equal(i, pool:apply(function() return module.v end)[n])
        end
      end)

      it("may come from C libraries", function()
        assert.equal(2.0, pool:apply(math.sqrt, 4)[1])
      end)

      it("may be methods of arrays, matrices and numbers", function()
        local U = neap.VectorArray.ones(4, 2)
        local A = neap.SparseMatrix.from_triplets(2, 2, { 1, 2 }, { 1, 2 }, { 5, 6 })
        local z = neap.complex(3, 4)
        assert.same({ { 2, 2 }, n = 1 }, pool:map(U.norm, { U }))
        assert.same({ { 5, 6 }, n = 1 }, pool:map(A.diagonal, { A }))
        assert.same({ 5, n = 1 }, pool:map(z.abs, { z }))
        local M = neap.Matrix.identity(4)
        assert.same({ 2, n = 1 }, pool:map(M.norm, { M }))
        local remote <close> = pool:push(U)
        pool:apply(U.scal, remote, 3)
        assert.equal(3, remote:get(n):get(4, 2))
        local same = pool:apply(function(f, V) return f == V.norm end, U.norm, U)
        assert.is_true(same[n])
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

    it("are seen at once when they are defined anew", function()
      local f = load("return function() return 1 end")()
      assert.equal(1, pool:apply(f)[1])
      f = load("return function() return 2 end")()
      assert.equal(2, pool:apply(f)[1])
    end)

    describe("globals of asynchronous calls", function()
      after_each(function() _G.spec_value, _G.spec_helper, _G.spec_table = nil, nil, nil end)

      it("are those of the moment of the call", function()
        _G.spec_value = 1
        _G.spec_helper = function() return spec_value end -- luacheck: ignore
        local f = function() return spec_helper() end -- luacheck: ignore
        local applied, submitted = pool:apply_async(f), pool:submit(f)
        local mapped = pool:map_async(function() return _G.spec_helper() end, { 1, 2, 3 })
        _G.spec_value, _G.spec_helper = 2, nil
        assert.equal(1, applied:get()[1])
        assert.equal(1, submitted:get())
        assert.same({ n = 3, 1, 1, 1 }, mapped:get())
      end)

      it("are absent when they were", function()
        local f = function() return spec_value == nil end -- luacheck: ignore
        local future = pool:apply_async(f)
        _G.spec_value = 5
        assert.is_true(future:get()[1])
      end)

      it("that cannot cross matter only when they are read", function()
        _G.spec_value = coroutine.create(print)
        local f = function(read) return read and spec_value end -- luacheck: ignore
        assert.is_false(pool:apply_async(f, false):get()[1])
        local ok, e = pcall(pool.apply_async(pool, f, true).get, pool:apply_async(f, true))
        assert.is_false(ok)
        assert.matches("global 'spec_value' is a coroutine", e.message, 1, true)
      end)

      it("do not mix with those of other calls", function()
        _G.spec_value = "a"
        local f = function() return spec_value end -- luacheck: ignore
        local a = pool:with { chunk = 1 }:map_async(f, neap.range(1, 20))
        _G.spec_value = "b"
        local b = pool:apply_async(f)
        _G.spec_value = "c"
        assert.equal("c", pool:apply(f)[1])
        assert.equal("b", b:get()[1])
        for _, value in ipairs(a:get()) do assert.equal("a", value) end
      end)
    end)

    describe("explain", function()
      it("lists what would be sent, the heaviest first", function()
        local text, U = ("x"):rep(5000), neap.VectorArray.ones(1000, 10)
        local helper = function() return #text end
        local e = pool:explain(function(a) return a, U, helper() end, { 1, 2, 3 })
        assert.equal("upvalue text of upvalue helper of f", e.values[1].path)
        assert.equal("string", e.values[1].type)
        assert.is_true(e.values[1].bytes >= 5000 and e.values[1].bytes < 5100)
        local arrays = 0
        for _, value in ipairs(e.values) do
          if value.path == "upvalue U of f" then arrays = value.blocks end
        end
        assert.equal(80000, arrays)
        assert.equal(80000, e.blocks)
        assert.matches("upvalue text of upvalue helper of f", tostring(e), 1, true)
        assert.same({}, e.refused)
      end)

      it("says what could not be sent, and sends nothing", function()
        local co = coroutine.create(print)
        local before = pool:status()[1].bytes_sent
        local e = pool:explain(function() return co end, { f = io.stdout })
        assert.equal(2, #e.refused)
        assert.matches("upvalue co of f is a coroutine", e.refused[1], 1, true)
        assert.matches("argument 1: field .f is an open file", e.refused[2], 1, true)
        assert.equal(before, pool:status()[1].bytes_sent)
      end)

      it("names globals that the code reads", function()
        _G.spec_mesh = { 1, 2 }
        local e = pool:explain(function() return spec_mesh end) -- luacheck: ignore
        _G.spec_mesh = nil
        assert.equal("global 'spec_mesh'", e.values[1].path)
      end)

      it("calls each kind of value by its name", function()
        local remote <close> = pool:push(1)
        local e = pool:explain(print, 1, 1.5, neap.VectorArray.ones(1, 1), remote, nil)
        local types = {}
        for _, value in ipairs(e.values) do types[value.path] = value.type end
        assert.same({ ["argument 1"] = "integer", ["argument 2"] = "float",
          ["argument 3"] = "VectorArray", ["argument 4"] = "RemoteObject",
          ["argument 5"] = "nil" }, types)
      end)
    end)
  end)
end
