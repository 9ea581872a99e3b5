-- What lives on the workers, on every kind of pool: push, scatter, keep and their handles.
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
        assert.matches("argument 1 is a RemoteObject that was removed at .*objects_spec.lua:%d+",
          message_of(pool.apply, pool, print, remote))
        assert.matches("has no object", message_of(remote.get, remote))
        assert.matches("removed at", tostring(remote))
      end)

      it("says so of one that a scope or a manager has removed", function()
        local by_scope, by_manager
        assert(load([[
          local pool, manager, note = ...
          do
            local remote <close> = pool:push(1)
            note(remote)
          end
          manager:manage(pool:push(2))
          note(manager[1])
          manager:remove_objects()
        ]], "=user.lua"))(pool, neap.RemoteObjectManager(), function(remote)
          if by_scope then by_manager = remote else by_scope = remote end
        end)
        assert.equal("RemoteObject (removed at user.lua:4)", tostring(by_scope))
        assert.equal("RemoteObject (removed at user.lua:8)", tostring(by_manager))
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

      it("are one object as a part of another, too, where the part was pushed first", function()
        local part = neap.immutable { 1 }
        local whole = neap.immutable { part = part }
        local is_part = function(x, y) return x.part == y end
        assert.is_true(pool:apply(is_part, whole, part)[n]) -- in one call anyway
        local a <close> = pool:push(part)
        assert.is_true(pool:apply(is_part, whole, part)[n])
        local b <close> = pool:push(whole)
        assert.is_true(pool:apply(is_part, b, a)[n])
        assert.is_true(pool:apply(is_part, whole, part)[n])
        a:remove()
        assert.equal(1, pool:apply(function(x) return x.part[1] end, b)[n])
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

      it("refuses to empty what cannot be, in the caller's line, and leaves it whole", function()
        local in_line = require "spec.support.refusals".in_line
        local U = neap.VectorArray.random(4, 5, { seed = 1 })
        local view = U:slice(2, 3)
        for _, p in ipairs { pool, require "neap.direct".pool } do
          in_line("U: copy = false cannot empty it: VectorArray is a view, its length is fixed",
            function()
              p:scatter_array(view, { copy = false }):remove()
            end)
          in_line("U: copy = false cannot empty it: VectorArray has views (1 alive), its length is "
            .. "fixed while they exist; copy what they show, or close them", function()
              p:scatter_array(U, { copy = false }):remove()
            end)
          in_line("U: copy = false cannot empty it: VectorArray is frozen and cannot be changed",
            function()
              p:scatter_array(view:copy():freeze(), { copy = false }):remove()
            end)
          local remote <close> = p:scatter_array(view)
          assert.is_true(p:gather_array(remote):almost_equal(view, { rtol = 0, atol = 0 }))
        end
        assert.same({ 5, 2 }, { #U, #view })
        view:close()
        for _, p in ipairs { pool, require "neap.direct".pool } do
          local V = U:copy()
          local remote <close> = p:scatter_array(V, { copy = false })
          assert.equal(0, #V)
          assert.is_true(p:gather_array(remote):almost_equal(U, { rtol = 0, atol = 0 }))
        end
      end)

      it("refuses what is no list or array", function()
        assert.equal("list: table expected, got neap.VectorArray",
          message_of(pool.scatter_list, pool, neap.VectorArray.ones(2, 2)))
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

    describe("immutable arrays", function()
      local diagonal = { 1, 2, 3 }
      local makers = {
        ["a frozen VectorArray"] = function()
          local U = neap.VectorArray.from_table { diagonal }
          U:freeze()
          return U
        end,
        ["a SparseMatrix"] = function()
          return neap.SparseMatrix.from_triplets(3, 3, diagonal, diagonal, diagonal)
        end,
      }
      for name, make in pairs(makers) do
        it(name .. " is pushed once", function()
          local before = pool:status()[1].objects
          local object = make()
          local a, b = pool:push(object), pool:push(object)
          assert.equal(before + 1, pool:status()[1].objects)
          assert.is_true(pool:apply(function(x, y, z) return x == y and y == z end,
            a, b, object)[1])
          a:remove()
          assert.is_true(pool:apply(function(x, y) return x == y end, b, object)[1])
          b:remove()
          assert.equal(before, pool:status()[1].objects)
        end)
      end

      it("are not sent again when they were pushed", function()
        local U = neap.VectorArray.ones(100, 5)
        U:freeze()
        local remote <close> = pool:push(U)
        local before = pool:status()[1].bytes_sent
        assert.equal(5, pool:apply(function(V) return #V end, U)[1])
        assert.is_true(pool:status()[1].bytes_sent - before < 1000)
        assert.equal(5, #remote:get(1))
      end)

      it("are gone after the call when they were never pushed", function()
        local before = pool:status()[1].objects
        local t = neap.immutable { 1 }
        pool:apply(function() end, t)
        assert.equal(before, pool:status()[1].objects)
      end)
    end)

    describe("reduce", function()
      it("combines in the items' order, with the same bits as one after the other", function()
        local expected
        for i = 1, 1000 do
          local x = 1 / (i * i)
          expected = expected and expected + x or x
        end
        for _, options in ipairs { {}, { chunk = 7 }, { schedule = "static" } } do
          assert.equal(expected, pool:with(options):reduce(function(i) return 1 / (i * i) end,
            neap.range(1, 1000), function(a, b) return a + b end))
        end
        assert.equal("abcde", pool:reduce(function(s) return s end, { "a", "b", "c", "d", "e" },
          function(a, b) return a .. b end))
      end)

      it("gives nothing for no item, and the result of a single one", function()
        assert.is_nil(pool:reduce(print, {}, print))
        assert.equal(5, pool:reduce(function(x, kw) return x + kw.y end, { 2 }, error,
          neap.kw { y = 3 }))
      end)

      it("ends the call when combining fails", function()
        assert.matches("cannot combine", message_of(pool.reduce, pool, function(i) return i end,
          neap.range(1, 100), function() error("cannot combine") end))
        assert.equal(1, pool:apply(function() return 1 end)[1])
      end)

      it("raises what an item raises", function()
        local ok, e = pcall(pool.reduce, pool, function(i) if i == 3 then error "three" end end,
          neap.range(1, 5), print)
        assert.is_false(ok)
        assert.equal(3, e.item)
      end)

      it("refuses what is no function, and no keyword arguments", function()
        assert.equal("combine: function expected, got number",
          message_of(pool.reduce, pool, print, {}, 1))
        assert.equal("kw: a neap.kw expected, got table",
          message_of(pool.reduce, pool, print, {}, print, {}))
      end)
    end)

    it("gathers in the order of the scatter, also when workers got nothing", function()
      local remote <close> = pool:keep(function() return {} end)
      assert.same({ n = 0 }, pool:gather_list(remote))
    end)
  end)
end
