-- apply and apply_only, on every kind of pool.
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
        assert.matches("apply_spec.lua", e.traceback, 1, true)
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

      local one = neap.Matrix.identity(1)
      local affine_norms = require "host.array".affine({ one }, { one }).norms

      it("names a function of C that refuses its arguments, though no Lua code calls it", function()
        local function refusal(...) return message_of(pool.apply_only, pool, ...) end
        assert.equal("bad argument #1 to 'neap.VectorArray.zeros' (dim: at least 0 expected, "
          .. "got -1)", refusal(neap.VectorArray.zeros, 1, -1))
        assert.equal("bad argument #1 to 'neap.AffineSystem.__index.norms' (neap.AffineSystem "
          .. "expected, got number)", refusal(affine_norms, 1, -1))
        assert.equal("bad argument #1 to 'string.rep' (string expected, got table)",
          refusal(string.rep, n, {}))
        assert.equal("bad argument #2 to 'neap.VectorArray.ones' (number expected, got string)",
          message_of(pool.map, pool, neap.VectorArray.ones, { 1, 2 }, { 3, "x" }))
        assert.equal("bad argument #1 to 'neap.load' (string expected, got table)",
          refusal(neap.load, 1, {}))
        local _, e = pcall(pool.apply_only, pool, neap.load, 1, "/nowhere.npy")
        assert.matches("in function 'neap.load'", e.traceback, 1, true)
      end)

      it("refuses a worker that is not there", function()
        for _, w in ipairs { 0, n + 1, 1.5, "1" } do
          local came = type(w) == "string" and ("%q"):format(w) or tostring(w)
          assert.equal(("worker: an integer from 1 to %d expected, got %s"):format(n, came),
            message_of(pool.apply_only, pool, print, w))
        end
      end)
    end)
  end)
end
