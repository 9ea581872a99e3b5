require "spec.support.arrays"
local neap = require "neap"
local VectorArray, Matrix = neap.VectorArray, neap.Matrix

local nan, inf = 0 / 0, math.huge

--- Sums of at most a few hundred products of numbers below 10: far above their rounding.
local rounding = 1e-12

--- Asserts that f(...) raises a message that contains the text.
local function raises(text, f, ...)
  local ok, message = pcall(f, ...)
  assert.is_false(ok)
  assert.is_truthy(tostring(message):find(text, 1, true), tostring(message))
end

describe("VectorArray", function()
  describe("constructors", function()
    it("make arrays of one value", function()
      assert.close_arrays({ { 0, 0 }, { 0, 0 }, { 0, 0 } }, VectorArray.zeros(2, 3))
      assert.close_arrays({ { 1, 1 } }, VectorArray.ones(2, 1))
      assert.close_arrays({ { 2.5 }, { 2.5 } }, VectorArray.full(2.5, 1, 2))
    end)

    it("make arrays without vectors and without components", function()
      for _, shape in ipairs { { 0, 0 }, { 3, 0 }, { 0, 3 } } do
        for _, name in ipairs { "zeros", "ones", "random" } do
          local U = VectorArray[name](shape[1], shape[2])
          assert.equal(shape[1], U.dim)
          assert.equal(shape[2], #U)
        end
      end
      assert.equal(0, #VectorArray.empty(7))
      assert.equal(7, VectorArray.empty(7, { reserve = 100 }).dim)
    end)

    it("take vectors from a table", function()
      local U = VectorArray.from_table { { 1, 2, 3 }, { 4, 5, 6 } }
      assert.equal(3, U.dim)
      assert.equal(2, #U)
      assert.equal(6, U:get(3, 2))
      assert.equal(0, #VectorArray.from_table {})
    end)

    it("call a function vector after vector", function()
      local calls = {}
      local U = VectorArray.from_function(2, 2, function(i, j)
        calls[#calls + 1] = i .. "," .. j
        return 10 * j + i
      end)
      assert.equal("1,1 2,1 1,2 2,2", table.concat(calls, " "))
      assert.close_arrays({ { 11, 12 }, { 21, 22 } }, U)
    end)

    it("join arrays and views", function()
      local U = VectorArray.from_table { { 1, 2 }, { 3, 4 } }
      assert.close_arrays({ { 1, 2 }, { 3, 4 }, { 3, 4 }, { 3, 4 }, { 1, 2 } },
                          VectorArray.cat { U, U[2], U[{ 2, 1 }], VectorArray.empty(2) })
    end)

    it("refuse what is no size", function()
      raises("dim: at least 0 expected, got -1", VectorArray.zeros, -1, 2)
      raises("len: at least 0 expected, got -3", VectorArray.ones, 1, -3)
      raises("bad argument #2 to 'zeros' (number expected, got no value)", function()
        return VectorArray.zeros(1)
      end)
      raises("number has no integer representation", VectorArray.zeros, 1.5, 2)
    end)

    it("refuse sizes that overflow, or that no memory has", function()
      raises("1099511627776 x 1099511627776 is too large", VectorArray.zeros, 1 << 40, 1 << 40)
      raises("is too large", VectorArray.zeros, math.maxinteger, math.maxinteger)
      raises("is too large", VectorArray.empty, math.maxinteger)
      raises("is too large", VectorArray.empty, 1 << 30, { reserve = 1 << 31 })
      raises("not enough memory for an array of", VectorArray.ones, 1 << 50, 1)
    end)

    it("refuse vectors of different lengths and entries that are no numbers", function()
      raises("vector 2 has 1 entries, vector 1 has 2", VectorArray.from_table, { { 1, 2 }, { 3 } })
      raises("entry 2 of vector 1: number expected, got string", VectorArray.from_table,
             { { 1, "2" } })
      raises("vector 2: list of numbers expected, got number", VectorArray.from_table, { {}, 2 })
      raises("f(1, 2): number expected, got nil", VectorArray.from_function, 1, 2,
             function(_, j) return j == 1 and 1 or nil end)
      raises("entry 2: dimension 2 expected, got 3", VectorArray.cat,
             { VectorArray.zeros(2, 1), VectorArray.zeros(3, 1) })
      raises("entry 1: VectorArray expected, got number", VectorArray.cat, { 1 })
      local closed = VectorArray.zeros(2, 1)
      closed:close()
      raises("entry 1: VectorArray expected, got VectorArray (closed)", VectorArray.cat,
        { closed })
      raises("at least one VectorArray expected", VectorArray.cat, {})
    end)

    it("name an option that they do not know", function()
      raises("unknown option 'reverse'", VectorArray.empty, 3, { reverse = 1 })
      raises("unknown option 'lo'", VectorArray.random, 3, 1, { lo = 1 })
      raises("unknown option '1'", VectorArray.random, 3, 1, { "uniform" })
    end)
  end)

  describe("random", function()
    it("repeats with its seed, whatever the length", function()
      local U = VectorArray.random(50, 4, { seed = 7 })
      assert.close_arrays(U, VectorArray.random(50, 4, { seed = 7 }))
      assert.close_arrays(U[{ 1, 2 }], VectorArray.random(50, 2, { seed = 7 }))
      assert.is_false(U:almost_equal(VectorArray.random(50, 4, { seed = 8 })))
    end)

    it("follows math.random without one", function()
      math.randomseed(42)
      local U, V = VectorArray.random(20, 2), VectorArray.random(20, 2)
      math.randomseed(42)
      assert.close_arrays(U, VectorArray.random(20, 2))
      assert.close_arrays(V, VectorArray.random(20, 2))
      assert.is_false(U:almost_equal(V))
    end)

    it("stays within [low, high) and fills it evenly", function()
      local U = VectorArray.random(10000, 1, { low = -1, high = 3, seed = 1 })
      local sum, least, largest = 0, inf, -inf
      for i = 1, 10000 do
        local x = U:get(i, 1)
        sum, least, largest = sum + x, math.min(least, x), math.max(largest, x)
      end
      assert.is_true(least >= -1 and least < -0.99 and largest < 3 and largest > 2.99)
      -- The mean of 10000 has the standard deviation 4 / sqrt(12 * 10000) = 0.0115.
      assert.near(1, sum / 10000, 6 * 0.0115)
    end)

    it("has the mean and the deviation of a normal distribution", function()
      local U = VectorArray.random(10000, 1, { distribution = "normal", loc = 2, scale = 3,
                                               seed = 1 })
      local D = U - VectorArray.full(2, 10000, 1)
      assert.near(0, D:inner(VectorArray.ones(10000, 1)):get(1, 1) / 10000, 6 * 0.03)
      -- The mean square has the standard deviation 9 sqrt(2 / 10000) = 0.13.
      assert.near(9, D:norm2()[1] / 10000, 6 * 0.13)
    end)

    it("never returns high, even where the numbers between are few", function()
      local low, high = 1, 1 + 2 ^ -52
      local U = VectorArray.random(1000, 1, { low = low, high = high, seed = 3 })
      for i = 1, 1000 do assert.equal(low, U:get(i, 1)) end
    end)

    it("refuses parameters that make no distribution", function()
      raises("option high: larger than low expected", VectorArray.random, 1, 1, { low = 1 })
      raises("option scale: at least 0 expected", VectorArray.random, 1, 1,
             { distribution = "normal", scale = -1 })
      raises("option distribution: 'uniform' or 'normal' expected, got cauchy", VectorArray.random,
             1, 1, { distribution = "cauchy" })
      raises("option low does not belong to distribution 'normal'", VectorArray.random, 1, 1,
             { distribution = "normal", low = 1 })
      raises("option scale does not belong to distribution 'uniform'", VectorArray.random, 1, 1,
             { scale = 1 })
      raises("option seed: integer expected", VectorArray.random, 1, 1, { seed = "x" })
      raises("not finite", VectorArray.random, 1, 1, { high = inf })
    end)
  end)

  describe("text and fields", function()
    it("show shape, base and state", function()
      local U = VectorArray.zeros(10000, 40)
      assert.equal("VectorArray 10000 x 40", tostring(U))
      assert.equal("VectorArray 10000 x 12, view of 40", tostring(U:slice(1, 12)))
      assert.equal("VectorArray 2 x 0, frozen", tostring(VectorArray.empty(2):freeze()))
      assert.is_false(U.is_view)
      assert.is_true(U[1].is_view)
      assert.is_false(U.is_frozen)
      assert.is_nil(U.no_such_field)
    end)

    it("are not assigned", function()
      local U = VectorArray.zeros(2, 2)
      raises("vectors are not assigned", function() U[1] = U[2] end)
      raises("vectors are not assigned", function() U.dim = 3 end)
    end)

    it("compare by identity", function()
      local U = VectorArray.zeros(2, 2)
      assert.is_true(U == U) -- luacheck: ignore 571
      assert.is_false(U == U:copy())
    end)
  end)

  describe("get and set", function()
    it("reach single components", function()
      local U = VectorArray.zeros(2, 3)
      assert.equal(U, U:set(2, 3, 7))
      assert.equal(7, U:get(2, 3))
      assert.close_arrays({ { 0, 0 }, { 0, 0 }, { 0, 7 } }, U)
    end)

    it("refuse indices outside", function()
      local U = VectorArray.zeros(2, 3)
      raises("bad argument #1 to 'get' (index 3 out of range 1..2)", function() U:get(3, 1) end)
      raises("bad argument #2 to 'get' (index 0 out of range 1..3)", function() U:get(1, 0) end)
      raises("bad argument #2 to 'set' (index -1 out of range 1..3)", function()
        U:set(1, -1, 0)
      end)
      raises("out of range: there are none", function() VectorArray.empty(2):get(1, 1) end)
    end)
  end)

  describe("views", function()
    local U
    before_each(function()
      U = VectorArray.from_table { { 1, 2 }, { 3, 4 }, { 5, 6 }, { 7, 8 } }
    end)

    it("write through, and see what is written", function()
      local v, w = U[2], U[{ 4, 2 }]
      v:scal(10)
      assert.close_arrays({ { 1, 2 }, { 30, 40 }, { 5, 6 }, { 7, 8 } }, U)
      assert.close_arrays({ { 7, 8 }, { 30, 40 } }, w)
      w:set(1, 2, -1)
      assert.equal(-1, v:get(1, 1))
    end)

    it("of one vector are nil outside 1..#U, so that ipairs ends", function()
      assert.is_nil(U[0])
      assert.is_nil(U[5])
      assert.is_nil(U[-1])
      local n = 0
      for i, v in ipairs(U) do
        n = n + 1
        assert.equal(U:get(1, i), v:get(1, 1))
      end
      assert.equal(4, n)
      assert.equal(3, U[2.0]:get(1, 1))
    end)

    it("take index lists in any order, with repeats, and empty ones", function()
      assert.close_arrays({ { 5, 6 }, { 1, 2 }, { 5, 6 } }, U[{ 3, 1, 3 }])
      assert.equal(0, #U[{}])
      raises("index 5 out of range 1..4", function() return U[{ 1, 5 }] end)
      raises("index -1 out of range 1..4", function() return U[{ -1 }] end)
      raises("entry 2: index expected, got string", function() return U[{ 1, "2" }] end)
      raises("entry 1: index expected, got a fraction", function() return U[{ 1.5 }] end)
      raises("index 1.5 is no integer", function() return U[1.5] end)
      raises("index or list of indices expected, got boolean", function() return U[true] end)
    end)

    it("take slices in both directions", function()
      assert.close_arrays({ { 3, 4 }, { 5, 6 } }, U:slice(2, 3))
      assert.close_arrays({ { 1, 2 }, { 5, 6 } }, U:slice(1, 4, 2))
      assert.close_arrays({ { 7, 8 }, { 3, 4 } }, U:slice(4, 1, -2))
      assert.close_arrays({ { 7, 8 } }, U:slice(4, 4, math.maxinteger))
      assert.close_arrays({ { 2, 1 } }, VectorArray.from_table({ { 2, 1 } }):slice(1, 1, -1))
      for _, ends in ipairs { { 3, 2 }, { 1, 0 }, { 5, 4 } } do
        assert.equal(0, #U:slice(ends[1], ends[2]))
      end
      assert.equal(0, #U:slice(1, 4, -1))
      assert.equal(0, #VectorArray.empty(2):slice(1, 0))
    end)

    it("refuse slices outside", function()
      raises("bad argument #2 to 'slice' (index 5 out of range 1..4)", function()
        return U:slice(1, 5)
      end)
      raises("index 0 out of range 1..4", function() return U:slice(0, 2) end)
      raises("index -1 out of range 1..4", function() return U:slice(-1, -2) end)
      raises("index 6 out of range 1..4", function() return U:slice(6, 5) end)
      raises("step is 0", function() return U:slice(1, 2, 0) end)
    end)

    it("of views refer to the base", function()
      local v = U:slice(4, 1, -1):slice(2, 4, 2)
      assert.equal("VectorArray 2 x 2, view of 4", tostring(v))
      assert.close_arrays({ { 5, 6 }, { 1, 2 } }, v)
      assert.close_arrays({ { 1, 2 }, { 5, 6 }, { 1, 2 } }, v[{ 2, 1, 2 }])
      assert.close_arrays({ { 5, 6 }, { 5, 6 } }, U[{ 1, 3, 2, 3 }]:slice(4, 2, -2))
      assert.close_arrays({ { 1, 2 } }, v[2])
      v[2]:scal(0)
      assert.equal(0, U:get(1, 1))
    end)

    it("keep their base alive", function()
      local v = VectorArray.from_table({ { 1, 2 }, { 3, 4 } })[2]
      collectgarbage()
      collectgarbage()
      assert.close_arrays({ { 3, 4 } }, v)
    end)

    it("keep the base's length fixed while they live", function()
      local v = U[2]
      local message = "VectorArray has views (1 alive)"
      raises(message, function() U:append(U:copy()) end)
      raises(message, function() U:append(v) end)
      raises(message, function() U:delete(1) end)
      raises(message, function() VectorArray.empty(2):append(U, { remove_from_other = true }) end)
      assert.equal(3, v:get(1, 1))
      v = nil -- luacheck: ignore 311
      U:append(VectorArray.zeros(2, 1)) -- what nobody refers to is collected first
      assert.equal(5, #U)
    end)

    it("release the base when they are closed", function()
      do
        local v <close> = U[2]
        assert.equal(3, v:get(1, 1))
      end
      collectgarbage("stop")
      U:delete(1)
      collectgarbage("restart")
      assert.equal(3, #U)
      local v = U[1]
      v:close()
      v:close()
      raises("VectorArray is closed", function() v:norm() end)
    end)

    it("cannot be resized or frozen themselves", function()
      raises("VectorArray is a view, its length is fixed", function() U[1]:append(U:copy()) end)
      raises("VectorArray is a view, its length is fixed", function() U[1]:delete(1) end)
      raises("a view cannot be frozen", function() U[1]:freeze() end)
    end)

    it("are closed with their base", function()
      local v = U[1]
      U:close()
      raises("VectorArray is closed", function() v:get(1, 1) end)
      assert.equal("VectorArray (closed)", tostring(v))
    end)

    it("are known for what they are when their finalizer has been called", function()
      for _, W in ipairs { U[1], U, U:gramian() } do
        getmetatable(W).__gc(W)
        getmetatable(W).__gc(W)
        raises(" is closed", function() W:norm() end)
        assert.matches(" %(closed%)$", tostring(W))
      end
    end)

    it("see the base after it stopped sharing its memory with a copy", function()
      local v, W = U[1], U:copy()
      U:scal(2)
      assert.close_arrays({ { 2, 4 } }, v)
      v:scal(2)
      assert.close_arrays({ { 4, 8 } }, U[1])
      assert.close_arrays({ { 1, 2 } }, W[1])
    end)
  end)

  describe("append", function()
    it("adds vectors of bases and views", function()
      local U = VectorArray.empty(2)
      local V = VectorArray.from_table { { 1, 2 }, { 3, 4 } }
      assert.equal(U, U:append(V))
      U:append(V:slice(2, 1, -1)):append(VectorArray.empty(2))
      assert.close_arrays({ { 1, 2 }, { 3, 4 }, { 3, 4 }, { 1, 2 } }, U)
      assert.equal(2, #V)
    end)

    it("doubles an array that is appended to itself", function()
      local U = VectorArray.from_table { { 1 }, { 2 } }
      U:append(U)
      assert.close_arrays({ { 1 }, { 2 }, { 1 }, { 2 } }, U)
    end)

    it("leaves copies alone", function()
      local U = VectorArray.empty(1, { reserve = 10 }):append(VectorArray.ones(1, 1))
      local V, W = U:copy(), U:copy()
      V:append(VectorArray.full(2, 1, 1))
      W:append(VectorArray.full(3, 1, 1))
      U:append(VectorArray.full(4, 1, 1))
      assert.close_arrays({ { 1 }, { 2 } }, V)
      assert.close_arrays({ { 1 }, { 3 } }, W)
      assert.close_arrays({ { 1 }, { 4 } }, U)
    end)

    it("moves vectors when asked", function()
      for reserve = 0, 4, 4 do
        local U = VectorArray.empty(2, { reserve = reserve })
        local V = VectorArray.from_table { { 1, 2 }, { 3, 4 } }
        U:append(V, { remove_from_other = true })
        assert.close_arrays({ { 1, 2 }, { 3, 4 } }, U)
        assert.equal(0, #V)
        V:append(U[1]:copy()):append(U:copy(), { remove_from_other = true })
        assert.equal(3, #V)
        U:append(V, { remove_from_other = true })
        assert.equal(5, #U)
        assert.equal(0, #V)
      end
    end)

    it("moves an array whose memory a copy shares, and leaves the copy", function()
      local U, V = VectorArray.empty(1), VectorArray.ones(1, 2)
      local W = V:copy()
      U:append(V, { remove_from_other = true }):scal(3)
      assert.close_arrays({ { 3 }, { 3 } }, U)
      assert.close_arrays({ { 1 }, { 1 } }, W)
    end)

    it("allocates rarely: a thousand appends give a few blocks", function()
      local U, x = VectorArray.empty(10), VectorArray.ones(10, 1)
      local before = collectgarbage("count")
      for _ = 1, 1000 do U:append(x) end
      assert.equal(1000, #U)
      assert.is_true(collectgarbage("count") - before < 1000)
      assert.equal(10, U:norm2()[1000])
    end)

    it("refuses other dimensions, itself, frozen arrays and unknown options", function()
      local U, V = VectorArray.zeros(2, 1), VectorArray.zeros(3, 1)
      raises("bad argument #1 to 'append' (dimension 2 expected, got 3)", function()
        U:append(V)
      end)
      raises("a VectorArray cannot be moved into itself", function()
        U:append(U, { remove_from_other = true })
      end)
      raises("unknown option 'remove'", function() U:append(U:copy(), { remove = true }) end)
      raises("option remove_from_other: boolean expected, got number", function()
        U:append(U:copy(), { remove_from_other = 1 })
      end)
      raises("neap.VectorArray expected, got table", function() U:append {} end)
      local F = U:copy():freeze()
      raises("VectorArray is frozen", function() F:append(U) end)
      raises("VectorArray is frozen", function() U:append(F, { remove_from_other = true }) end)
      raises("VectorArray is a view", function()
        U:copy():append(U[{}], { remove_from_other = true })
      end)
    end)
  end)

  describe("delete", function()
    it("removes by index and by list, repeats included", function()
      local U = VectorArray.from_table { { 1 }, { 2 }, { 3 }, { 4 }, { 5 } }
      assert.equal(U, U:delete(2))
      assert.close_arrays({ { 1 }, { 3 }, { 4 }, { 5 } }, U)
      U:delete { 4, 1, 4 }
      assert.close_arrays({ { 3 }, { 4 } }, U)
      U:delete {}
      U:delete { 1, 2 }
      assert.equal(0, #U)
      U:append(VectorArray.ones(1, 1))
      assert.equal(1, #U)
    end)

    it("leaves copies alone", function()
      local U = VectorArray.from_table { { 1 }, { 2 } }
      local V = U:copy()
      U:delete(1)
      assert.close_arrays({ { 2 } }, U)
      assert.close_arrays({ { 1 }, { 2 } }, V)
    end)

    it("refuses indices outside and changes nothing then", function()
      local U = VectorArray.from_table { { 1 }, { 2 } }
      raises("index 3 out of range 1..2", function() U:delete { 1, 3 } end)
      raises("index 0 out of range 1..2", function() U:delete(0) end)
      raises("index or list of indices expected, got string", function() U:delete "x" end)
      assert.equal(2, #U)
    end)
  end)

  describe("copy", function()
    it("of a view has its vectors only", function()
      local U = VectorArray.from_table { { 1 }, { 2 }, { 3 } }
      local V = U[{ 3, 1 }]:copy()
      assert.is_false(V.is_view)
      V:scal(2)
      assert.close_arrays({ { 6 }, { 2 } }, V)
      assert.close_arrays({ { 1 }, { 2 }, { 3 } }, U)
    end)

    it("of a frozen array can be written", function()
      local U = VectorArray.ones(2, 1):freeze()
      local V = U:copy():scal(3)
      assert.close_arrays({ { 3, 3 } }, V)
      assert.close_arrays({ { 1, 1 } }, U)
    end)
  end)

  describe("freeze", function()
    it("ends all writing, through views too", function()
      local U = VectorArray.ones(2, 2)
      local v = U[1]
      assert.equal(U, U:freeze())
      assert.is_true(U.is_frozen)
      assert.is_true(v.is_frozen)
      local message = "VectorArray is frozen and cannot be changed"
      raises(message, function() U:set(1, 1, 2) end)
      raises(message, function() U:scal(2) end)
      raises(message, function() U:axpy(2, U) end)
      raises(message, function() v:scal(2) end)
      raises(message, function() U:delete(1) end)
      assert.close_arrays({ { 1, 1 }, { 1, 1 } }, U)
    end)
  end)

  describe("scal", function()
    it("takes one factor or one for each vector", function()
      local U = VectorArray.ones(2, 3)
      assert.equal(U, U:scal(2))
      U:scal { 1, 2, 3 }
      assert.close_arrays({ { 2, 2 }, { 4, 4 }, { 6, 6 } }, U)
      U:slice(3, 1, -2):scal { 10, 100 }
      assert.close_arrays({ { 200, 200 }, { 4, 4 }, { 60, 60 } }, U)
    end)

    it("keeps NaN and infinity as arithmetic does", function()
      local U = VectorArray.from_table { { nan, inf, 1 } }:scal(0)
      assert.close_arrays({ { nan, nan, 0 } }, U)
    end)

    it("refuses wrong factors, and views that name a vector twice", function()
      local U = VectorArray.ones(2, 3)
      raises("bad argument #1 to 'scal' (list of 3 numbers expected, got 2)", function()
        U:scal { 1, 2 }
      end)
      raises("entry 2: number expected, got string", function() U:scal { 1, "x", 3 } end)
      raises("number or list of numbers expected, got nil", function() U:scal(nil) end)
      raises("vector 2 occurs twice in the view", function() U[{ 2, 1, 2 }]:scal(2) end)
      assert.close_arrays(VectorArray.ones(2, 3), U)
    end)
  end)

  describe("axpy", function()
    it("adds vectors, one for each or one for all", function()
      local U, X = VectorArray.ones(2, 2), VectorArray.from_table { { 1, 2 }, { 3, 4 } }
      assert.equal(U, U:axpy(2, X))
      assert.close_arrays({ { 3, 5 }, { 7, 9 } }, U)
      U:axpy({ 1, -1 }, X[1])
      assert.close_arrays({ { 4, 7 }, { 6, 7 } }, U)
      VectorArray.empty(2):axpy(1, X[1])
      VectorArray.empty(2):axpy({}, VectorArray.empty(2))
    end)

    it("counts the right-hand side as it was before, whatever it shares", function()
      local rows = { { 1, 2 }, { 3, 4 }, { 5, 6 }, { 7, 8 } }
      local function fresh() return VectorArray.from_table(rows) end
      local U = fresh()
      U:axpy(2, U)
      assert.close_arrays(3 * fresh(), U)
      U = fresh()
      U:axpy(1, U:slice(4, 1, -1))
      assert.close_arrays({ { 8, 10 }, { 8, 10 }, { 8, 10 }, { 8, 10 } }, U)
      U = fresh()
      U:axpy(1, U[2])
      assert.close_arrays({ { 4, 6 }, { 6, 8 }, { 8, 10 }, { 10, 12 } }, U)
      U = fresh()
      U:slice(2, 4):axpy(1, U:slice(1, 3))
      assert.close_arrays({ { 1, 2 }, { 4, 6 }, { 8, 10 }, { 12, 14 } }, U)
      U = fresh()
      U[{ 1, 2 }]:axpy(1, U[{ 2, 2 }])
      assert.close_arrays({ { 4, 6 }, { 6, 8 }, { 5, 6 }, { 7, 8 } }, U)
      U = fresh()
      local V = U:copy()
      U:axpy(1, V[{ 4, 3, 2, 1 }])
      assert.close_arrays({ { 8, 10 }, { 8, 10 }, { 8, 10 }, { 8, 10 } }, U)
      assert.close_arrays(rows, V)
    end)

    it("keeps NaN as arithmetic does", function()
      for _, n in ipairs { 1, 70000 } do -- from 65536 on, the BLAS may do it
        local U = VectorArray.zeros(n, 1):axpy(0, VectorArray.full(nan, n, 1))
        assert.close_arrays({ { nan }, { nan } }, U:dofs({ 1, n }))
      end
    end)

    it("adds long vectors with any number of BLAS threads", function()
      local threads = require "host.array".blas_threads
      local before, n = threads(), 65539 -- not a multiple of what is done at once
      local U, X = VectorArray.random(n, 2, { seed = 1 }), VectorArray.random(n, 2, { seed = 2 })
      local V, Y = U:to_table(), X:to_table()
      for k = 1, 2 do
        threads(k)
        local W = U:copy():axpy(0.3, X):to_table()
        threads(before)
        for j = 1, 2 do
          local most = 0
          for i = 1, n do most = math.max(most, math.abs(V[j][i] + 0.3 * Y[j][i] - W[j][i])) end
          assert.near(0, most, 2 ^ -52) -- numbers below 2, a rounding more or less
        end
      end
    end)

    it("refuses other dimensions, lengths and repeated targets", function()
      local U = VectorArray.ones(2, 3)
      raises("bad argument #2 to 'axpy' (dimension 2 expected, got 3)", function()
        U:axpy(1, VectorArray.ones(3, 3))
      end)
      raises("bad argument #2 to 'axpy' (3 vectors expected, got 2)", function()
        U:axpy(1, VectorArray.ones(2, 2))
      end)
      raises("list of 3 numbers expected, got 1", function() U:axpy({ 1 }, U) end)
      raises("vector 1 occurs twice in the view", function() U[{ 1, 1 }]:axpy(1, U[2]) end)
    end)
  end)

  describe("arithmetic", function()
    it("gives new arrays", function()
      local U = VectorArray.from_table { { 1, 2 }, { 3, 4 } }
      local V = VectorArray.from_table { { 10, 20 } }
      assert.close_arrays({ { 11, 22 }, { 13, 24 } }, U + V)
      assert.close_arrays({ { -9, -18 }, { -7, -16 } }, U - V)
      assert.close_arrays({ { 2, 4 }, { 6, 8 } }, 2 * U)
      assert.close_arrays({ { 2, 4 }, { 6, 8 } }, U * 2)
      assert.close_arrays({ { -3, -4 } }, -U[2])
      assert.close_arrays({ { 4, 6 }, { 4, 6 } }, U + U:slice(2, 1, -1))
      assert.close_arrays({ { 1, 2 }, { 3, 4 } }, U)
    end)

    it("refuses shapes that do not fit, and other things", function()
      local U = VectorArray.zeros(2, 3)
      raises("cannot add VectorArrays of 2 x 3 and 3 x 3", function()
        return U + VectorArray.zeros(3, 3)
      end)
      raises("cannot subtract VectorArrays of 2 x 1 and 2 x 3", function() return U[1] - U end)
      raises("cannot add VectorArray 2 x 3 and 1", function() return U + 1 end)
      raises("cannot multiply VectorArray 2 x 3 and VectorArray 2 x 3", function() return U * U end)
      raises("a VectorArray is multiplied by a number", function() return {} * U end)
    end)
  end)

  describe("inner products", function()
    -- Integers below 8, of which every sum is exact: whatever loop adds them up, block by block and
    -- run by run, gives the same.
    it("are exact for integers, whatever the numbers of vectors and their length", function()
      local function entry(i, j) return (i * 5 + j * 3 + i * j) % 8 - 3 end
      local function product(dim, i, j)
        local sum = 0
        for k = 1, dim do sum = sum + entry(k, i) * entry(k, j) end
        return sum
      end
      for _, dim in ipairs { 1, 3, 4, 7, 8, 100, 1023, 1024, 1025, 2051, 6000 } do
        local U = VectorArray.from_function(dim, 14, entry)
        for _, size in ipairs { { 1, 1 }, { 2, 3 }, { 5, 2 }, { 6, 7 }, { 10, 10 }, { 11, 1 },
          { 12, 12 }, { 13, 4 }, { 1, 14 } } do
          local m, n = size[1], size[2]
          local M, G = U:slice(1, m):inner(U:slice(15 - n, 14)), U:slice(1, m):gramian()
          for _, at in ipairs { { 1, 1 }, { m, n }, { (m + 1) // 2, (n + 1) // 2 }, { m, 1 } } do
            local i, j = at[1], at[2]
            assert.equal(product(dim, i, 14 - n + j), M:get(i, j))
            j = math.min(j, m)
            assert.equal(product(dim, i, j), G:get(i, j))
            assert.equal(G:get(i, j), G:get(j, i))
          end
        end
      end
    end)

    local U, V
    before_each(function()
      U = VectorArray.from_table { { 1, 2, 3 }, { 4, 5, 6 } }
      V = VectorArray.from_table { { 1, 0, 1 }, { 0, 1, 0 }, { -1, 1, 2 } }
    end)

    it("are taken of all pairs", function()
      local M = U:inner(V)
      assert.equal(2, M.rows)
      assert.equal(3, M.cols)
      assert.close_arrays({ { 4, 2, 7 }, { 10, 5, 13 } }, M)
      assert.close_arrays({ { 4, 2, 7 } }, U[1]:inner(V))
      assert.close_arrays({ { 2 }, { 5 } }, U:inner(V[2]))
      assert.close_arrays({ { 13, 10 }, { 7, 4 } }, U:slice(2, 1, -1):inner(V[{ 3, 1 }]))
      assert.close_arrays({ { 4, 7 }, { 10, 13 } }, U:inner(V:slice(1, 3, 2)))
    end)

    it("of vectors with themselves make a symmetric matrix", function()
      assert.close_arrays({ { 14, 32 }, { 32, 77 } }, U:gramian())
      local R = VectorArray.random(1000, 20, { seed = 5 })
      local G = R:gramian()
      assert.close_arrays(R:inner(R), G, 1e-10) -- sums of 1000 products below 1
      assert.close_arrays(G, G:T())
      assert.close_arrays({ { 77, 32 }, { 32, 14 } }, U:slice(2, 1, -1):gramian())
    end)

    it("are taken pairwise", function()
      assert.same({ 4, 5 }, U:pairwise_inner(V[{ 1, 2 }]))
      assert.same({}, U[{}]:pairwise_inner(V[{}]))
    end)

    it("of nothing are zero, or of no size", function()
      local M = VectorArray.empty(3):inner(V)
      assert.equal(0, M.rows)
      assert.equal(3, M.cols)
      assert.equal(0, U:inner(VectorArray.empty(3)).cols)
      assert.close_arrays({ { 0, 0 }, { 0, 0 } }, VectorArray.zeros(0, 2):gramian())
      assert.close_arrays({ { 0 }, { 0 } }, VectorArray.zeros(0, 2):inner(VectorArray.zeros(0, 1)))
      assert.equal(0, VectorArray.empty(3):gramian().rows)
    end)

    it("take a Matrix as product", function()
      local P = Matrix.from_table { { 2, 1, 0 }, { 1, 3, 0 }, { 0, 0, 1 } }
      assert.close_arrays({ { 7, 7, 9 }, { 19, 19, 18 } }, U:inner(V, P))
      assert.same({ 7, 19 }, U:pairwise_inner(V[{ 1, 2 }], P))
      assert.close_arrays(U:inner(U, P), U:gramian(P))
      assert.same({ 27, 183 }, U:norm2(P))
      assert.same({ math.sqrt(27), math.sqrt(183) }, U:norm(P))
    end)

    it("take everything with apply2 and pairwise_apply2 as product", function()
      local product = {
        apply2 = function(_, A, B) return 2 * A:inner(B) end,
        pairwise_apply2 = function(_, A, B)
          local list = A:pairwise_inner(B)
          for i, x in ipairs(list) do list[i] = 2 * x end
          return list
        end,
      }
      assert.close_arrays({ { 8, 4, 14 }, { 20, 10, 26 } }, U:inner(V, product))
      assert.same({ 28, 154 }, U:norm2(product))
      assert.same({ math.sqrt(28), math.sqrt(154) }, U:norm(product))
    end)

    it("refuse a product of another size, by the name of the function, in its line", function()
      local W, n = VectorArray.ones(2, 2), 3
      local Own = require "neap.operators".Operator:subclass "my.Own"
      for _, product in ipairs {
        Matrix.identity(n), Own:new { source = n, range = n },
        neap.SparseMatrix.from_triplets(n, n, {}, {}, {}),
      } do
        for name, call in pairs {
          inner = function() local G = W:inner(W, product) return G end,
          pairwise_inner = function() local G = W:pairwise_inner(W, product) return G end,
          gramian = function() local G = W:gramian(product) return G end,
          norm = function() local G = W:norm(product) return G end,
          norm2 = function() local G = W:norm2(product) return G end,
          almost_equal = function()
            local G = W:almost_equal(W, { product = product }) return G
          end,
        } do
          local ok, message = pcall(call)
          assert.is_false(ok)
          local line = debug.getinfo(call, "S").linedefined + (name == "almost_equal" and 1 or 0)
          local arg = ({ inner = 2, pairwise_inner = 2, almost_equal = 2 })[name] or 1
          assert.matches(("vectorarray_spec.lua:%d: bad argument #%d to '%s' (%s 2 x 2 expected, "
            .. "got 3 x 3)"):format(line, arg, name, name == "almost_equal" and "option product:"
            or "product of"), message, 1, true)
        end
      end
    end)

    it("refuse other dimensions, lengths and products", function()
      local W = VectorArray.zeros(2, 2)
      raises("bad argument #1 to 'inner' (dimension 3 expected, got 2)", function() U:inner(W) end)
      raises("bad argument #1 to 'pairwise_inner' (2 vectors expected, got 3)", function()
        U:pairwise_inner(V)
      end)
      raises("product (Operator, SparseMatrix or Matrix) expected, got number", function()
        U:inner(V, 3)
      end)
      raises("a product needs a method 'apply2'", function() U:gramian {} end)
      raises("a product needs a method 'pairwise_apply2'", function() U:norm(V) end)
      raises("pairwise_apply2 returned nil, list of numbers expected", function()
        U:norm { pairwise_apply2 = function() end }
      end)
      raises("entry 2 of pairwise_apply2: number expected, got nil", function()
        U:norm { pairwise_apply2 = function() return { 1 } end }
      end)
    end)
  end)

  describe("norms", function()
    it("are Euclidean", function()
      local U = VectorArray.from_table { { 3, 4 }, { 0, 0 }, { -5, 12 } }
      assert.same({ 5, 0, 13 }, U:norm())
      assert.same({ 25, 0, 169 }, U:norm2())
      assert.same({ 13, 5 }, U[{ 3, 1 }]:norm())
      assert.same({}, VectorArray.empty(3):norm())
      assert.same({ 0, 0 }, VectorArray.zeros(0, 2):norm())
      assert.same({ 0, 0 }, VectorArray.zeros(0, 2):norm2())
    end)

    it("neither overflow nor underflow", function()
      local U = VectorArray.from_table { { 3e200, 4e200 }, { 3e-200, 4e-200 }, { 3e-320, 4e-320 },
                                         { 1e308, 1e308 } }
      local norms = U:norm()
      assert.near(5e200, norms[1], 1e186) -- two roundings of the largest digit
      assert.near(5e-200, norms[2], 1e-214)
      assert.near(5e-320, norms[3], 1e-323) -- numbers there are 5e-324 apart
      assert.near(math.sqrt(2) * 1e308, norms[4], 1e294)
    end)

    it("show NaN and infinity", function()
      local U = VectorArray.from_table { { 1, nan }, { 1, -inf }, { inf, nan } }
      local norms, sups = U:norm(), U:sup_norm()
      assert.is_true(norms[1] ~= norms[1])
      assert.equal(inf, norms[2])
      assert.is_true(norms[3] ~= norms[3])
      assert.is_true(sups[1] ~= sups[1])
      assert.equal(inf, sups[2])
      assert.is_true(sups[3] ~= sups[3])
    end)

    it("do not depend on the vectors beside", function()
      local U = VectorArray.random(1237, 9, { seed = 11, low = -1 })
      local together = U:norm()
      for j = 1, 9 do
        assert.equal(together[j], U[j]:norm()[1])
        assert.equal(together[j], U[j]:copy():norm()[1])
      end
    end)

    it("in a product allow rounding, but no negative squares", function()
      local U = VectorArray.from_table { { 1, 0 }, { 0, 1 } }
      assert.same({ 1, 0 }, U:norm(Matrix.diag { 1, -1e-11 }))
      raises("vector 2 has the squared norm -2.0: the product is not positive semidefinite",
             function() U:norm(Matrix.diag { 1, -2 }) end)
      assert.same({ 1, -2 }, U:norm2(Matrix.diag { 1, -2 }))
    end)
  end)

  describe("sup_norm and amax", function()
    it("find the first entry of largest absolute value", function()
      local U = VectorArray.from_table { { 1, -3, 3, 2 }, { 0, 0, 0, 0 }, { -1, 0, 0, -7 } }
      local indices, values = U:amax()
      assert.same({ 2, 1, 4 }, indices)
      assert.same({ 3, 0, 7 }, values)
      assert.same({ 3, 0, 7 }, U:sup_norm())
      indices = U:slice(3, 1, -1):amax()
      assert.same({ 4, 1, 2 }, indices)
      assert.same({ 1, "integer" }, { indices[2], math.type(indices[1]) })
    end)

    it("let the first NaN win", function()
      local indices, values = VectorArray.from_table({ { 1, nan, inf, nan } }):amax()
      assert.same({ 2 }, indices)
      assert.is_true(values[1] ~= values[1])
      indices, values = VectorArray.from_table({ { 1, -inf, inf } }):amax()
      assert.same({ 2 }, indices)
      assert.same({ inf }, values)
    end)

    it("of nothing are empty; without components there is no index", function()
      local indices, values = VectorArray.empty(2):amax()
      assert.same({}, indices)
      assert.same({}, values)
      assert.same({ 0, 0 }, VectorArray.zeros(0, 2):sup_norm())
      raises("vectors of dimension 0 have no entries", function()
        VectorArray.zeros(0, 2):amax()
      end)
    end)
  end)

  describe("lincomb", function()
    it("is exact for integers, whatever the sizes", function()
      local function entry(i, j) return (i * 5 + j * 3 + i * j) % 8 - 3 end
      for _, dim in ipairs { 1, 5, 7, 8, 9, 15, 100, 3000 } do
        local U = VectorArray.from_function(dim, 13, entry)
        for _, size in ipairs { { 1, 1 }, { 2, 3 }, { 5, 5 }, { 7, 6 }, { 12, 12 }, { 13, 4 } } do
          local k, n = size[1], size[2]
          local rows = {}
          for i = 1, k do
            rows[i] = {}
            for j = 1, n do rows[i][j] = entry(j, i) end
          end
          local W = U:slice(1, k):lincomb(Matrix.from_table(rows))
          for _, i in ipairs { 1, (dim + 1) // 2, dim } do
            for j = 1, n do
              local sum = 0
              for l = 1, k do sum = sum + entry(i, l) * rows[l][j] end
              assert.equal(sum, W:get(i, j))
            end
          end
        end
      end
    end)

    local U = VectorArray.from_table { { 1, 2, 3 }, { 4, 5, 6 } }

    it("takes a Matrix of coefficients, or a list for one vector", function()
      local C = Matrix.from_table { { 1, 0, 2 }, { 0, 1, -1 } }
      assert.close_arrays({ { 1, 2, 3 }, { 4, 5, 6 }, { -2, -1, 0 } }, U:lincomb(C))
      assert.close_arrays({ { 9, 12, 15 } }, U:lincomb { 1, 2 })
      assert.close_arrays({ { 6, 9, 12 } }, U:slice(2, 1, -1):lincomb { 1, 2 })
      assert.close_arrays({ { 8, 10, 12 } }, U[{ 2, 2 }]:lincomb { 1, 1 })
    end)

    it("of nothing is zero, or nothing", function()
      assert.close_arrays({ { 0, 0, 0 } }, VectorArray.empty(3):lincomb {})
      assert.close_arrays({ { 0, 0, 0 }, { 0, 0, 0 } },
                          VectorArray.empty(3):lincomb(Matrix.zeros(0, 2)))
      assert.equal(0, #U:lincomb(Matrix.zeros(2, 0)))
      assert.equal(0, VectorArray.zeros(0, 2):lincomb({ 1, 2 }).dim)
    end)

    it("refuses coefficients of another shape", function()
      raises("bad argument #1 to 'lincomb' (Matrix of 2 rows expected, got 3)", function()
        return U:lincomb(Matrix.zeros(3, 1))
      end)
      raises("list of 2 numbers expected, got 3", function() return U:lincomb { 1, 2, 3 } end)
      raises("Matrix or list of numbers expected, got number", function() return U:lincomb(1) end)
    end)
  end)

  describe("dofs", function()
    it("picks components", function()
      local U = VectorArray.from_table { { 1, 2, 3 }, { 4, 5, 6 } }
      local M = U:dofs { 3, 1, 3 }
      assert.close_arrays({ { 3, 6 }, { 1, 4 }, { 3, 6 } }, M)
      assert.close_arrays({ { 2, 5 } }, U:dofs(2))
      assert.equal(0, U:dofs({}).rows)
      assert.equal(0, VectorArray.empty(3):dofs({ 1 }).cols)
      raises("index 4 out of range 1..3", function() U:dofs { 4 } end)
      raises("index 0 out of range 1..3", function() U:dofs(0) end)
      raises("index 4 out of range 1..3", function() VectorArray.empty(3):dofs(4) end)
    end)
  end)

  describe("almost_equal", function()
    local U = VectorArray.from_table { { 1, 2 }, { 3, 4 } }

    it("compares every vector", function()
      assert.is_true(U:almost_equal(U:copy()))
      local V = U:copy():set(2, 2, 4 + 1e-10)
      assert.is_false(U:almost_equal(V))
      assert.is_true(U:almost_equal(V, { atol = 2e-10 }))
      assert.is_true(U:almost_equal(V, { rtol = 1e-10 }))
      assert.is_true(VectorArray.ones(2, 3):almost_equal(VectorArray.ones(2, 1)))
      assert.is_true(VectorArray.empty(2):almost_equal(VectorArray.empty(2)))
    end)

    it("takes another norm", function()
      local V = U + VectorArray.full(1e-3, 2, 2)
      assert.is_false(U:almost_equal(V, { atol = 1.2e-3, rtol = 0 }))
      assert.is_true(U:almost_equal(V, { atol = 1.2e-3, rtol = 0, sup_norm = true }))
      local product = Matrix.diag { 0.01, 0.01 }
      assert.is_true(U:almost_equal(V, { atol = 2e-4, rtol = 0, product = product }))
      assert.is_true(U:almost_equal(U[{ 1, 2 }], { product = Matrix.identity(2) }))
      assert.is_false(U:almost_equal(V, { product = Matrix.identity(2) }))
    end)

    it("is never true of NaN", function()
      local V = VectorArray.full(nan, 2, 1)
      assert.is_false(V:almost_equal(V))
      assert.is_false(V:almost_equal(V, { sup_norm = true }))
      assert.is_false(V:almost_equal(V, { product = Matrix.identity(2) }))
    end)

    it("refuses other shapes and options", function()
      raises("dimension 2 expected, got 3", function() U:almost_equal(VectorArray.zeros(3, 2)) end)
      raises("2 vectors expected, got 3", function() U:almost_equal(VectorArray.zeros(2, 3)) end)
      raises("unknown option 'tol'", function() U:almost_equal(U, { tol = 1 }) end)
      raises("bad argument #2 to 'almost_equal' (vector 1 has the squared norm -2.0: the product "
        .. "is not positive semidefinite)", function()
        local is = U:almost_equal(2 * U, { product = Matrix.diag { 2, -1 } })
        return is
      end)
      raises("bad argument #2 to 'almost_equal' (a product needs a method 'pairwise_apply2')",
        function()
          local is = U:almost_equal(U, { product = {} })
          return is
        end)
      raises("exclude each other", function()
        U:almost_equal(U, { sup_norm = true, product = Matrix.identity(2) })
      end)
    end)
  end)

  it("names the object in errors about itself", function()
    raises("bad argument #1 to 'norm' (neap.VectorArray expected, got table)", function()
      VectorArray.zeros(1, 1).norm {}
    end)
    raises("bad argument #1 to 'get' (number expected, got table)", function()
      VectorArray.zeros(1, 1):get({}, 1)
    end)
  end)

  it("sums the same way whatever the length of vectors", function()
    for _, n in ipairs { 1, 7, 8, 9, 63, 64, 65 } do
      local U = VectorArray.from_function(n, 1, function(i) return i end)
      assert.near(n * (n + 1) * (2 * n + 1) / 6, U:norm2()[1], rounding)
      assert.near(n * (n + 1) // 2, U:pairwise_inner(VectorArray.ones(n, 1))[1], rounding)
    end
  end)
end)
