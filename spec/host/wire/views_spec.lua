local neap = require "neap"
local wire = require "host.wire"
local VectorArray = neap.VectorArray

--- The values as they come out of one message.
local function sent(...) return wire.decode(wire.encode(...)) end

local function numbered(dim, len)
  return VectorArray.from_function(dim, len, function(i, j) return 100 * j + i end)
end

--- Do the views, lists of vectors of base, still show what base shows after it has changed, and
--- base what is written through them?
local function share(base, views)
  base:scal(2)
  for _, pair in ipairs(views) do
    local view, vectors = pair[1], pair[2]
    assert.is_true(view.is_view)
    assert.equal(#vectors, #view)
    for k, j in ipairs(vectors) do
      assert.same(base[j]:to_table(), view[k]:to_table())
      view:set(1, k, 7 * j)
      assert.equal(7.0 * j, base:get(1, j))
    end
  end
end

describe("views in a message", function()
  for _, dim in ipairs { 0, 1, 3, 1000, 40000 } do -- in the message, beside it, in pages
    it(("of dimension %d share vectors with their base before them"):format(dim), function()
      local U = numbered(dim, 5)
      local V, a, b, c, none = sent(U, U[2], U[{ 5, 1 }], U:slice(1, 5, 2), U:slice(3, 2))
      assert.is_true(V:almost_equal(U))
      assert.is_false(V.is_view)
      assert.equal(0, #none)
      if dim > 0 then share(V, { { a, { 2 } }, { b, { 5, 1 } }, { c, { 1, 3, 5 } } }) end
    end)

    it(("of dimension %d share vectors with their base after them"):format(dim), function()
      local U = numbered(dim, 5)
      local a, b, c, none, V, d = sent(U[2], U[{ 5, 1 }], U:slice(5, 3, -1), U:slice(3, 2), U, U[4])
      assert.is_true(V:almost_equal(U))
      assert.equal(0, #none)
      if dim > 0 then
        share(V, { { a, { 2 } }, { b, { 5, 1 } }, { c, { 5, 4, 3 } }, { d, { 4 } } })
      end
    end)

    it(("of dimension %d that overlap share what both show"):format(dim), function()
      local U = numbered(dim, 6)
      local a, b, c = sent(U:slice(1, 4), U[{ 6, 3 }], U:slice(6, 2, -2))
      for i, V in ipairs { U:slice(1, 4), U[{ 6, 3 }], U:slice(6, 2, -2) } do
        assert.is_true(V:almost_equal(({ a, b, c })[i]))
      end
      if dim == 0 then return end
      a:set(1, 3, -3)
      b:set(1, 1, -6)
      c:set(1, 2, -4)
      assert.same({ -3.0, -6.0, -4.0 }, { b:get(1, 2), c:get(1, 1), a:get(1, 4) })
    end)
  end

  it("inside of a view are views of that, until the base comes", function()
    local U = numbered(3, 6)
    local a, b, c = sent(U:slice(2, 6, 2), U[4], U[{ 6, 2, 6 }])
    assert.is_false(a.is_view)
    share(a, { { b, { 2 } }, { c, { 3, 1, 3 } } })
    local d, e, f, V = sent(U:slice(2, 6, 2), U[4], U[{ 6, 2 }], U)
    share(V, { { d, { 2, 4, 6 } }, { e, { 4 } }, { f, { 6, 2 } } })
  end)

  it("alone are arrays of what they show, however many", function()
    local U = numbered(1000, 50)
    local list = {}
    for j, u in ipairs(U) do list[j] = u end
    local views = sent(list)
    for j = 1, 50 do
      assert.is_false(views[j].is_view)
      assert.is_true(views[j]:almost_equal(U[j]))
    end
    assert.is_true(#wire.parcel(U[1]) < 2 * 8000)
    local V = sent(U:slice(1, 3))
    V:append(V:copy())
    assert.equal(6, #V)
  end)

  it("stay what they were in tables, upvalues, complex arrays", function()
    local U = VectorArray.zeros(2, 3, { complex = true })
    U:set(1, 2, neap.complex(1, 2))
    local u = U[2]
    local t, f = sent({ u = u, list = { U, U:slice(2, 3) } }, function() return u end)
    assert.equal(t.u, f())
    assert.equal(neap.complex(1, 2), t.u:get(1, 1))
    t.list[1]:scal(2)
    assert.equal(neap.complex(2, 4), t.u:get(1, 1))
    assert.equal(neap.complex(2, 4), t.list[2]:get(1, 1))
  end)

  it("of a frozen array are arrays of their own", function()
    local U = numbered(2, 3)
    U:freeze()
    local V, u = sent(U, U[2])
    assert.is_true(V:almost_equal(U))
    assert.is_true(u:almost_equal(U[2]))
  end)

  it("do not outlive what they show, nor the other way round", function()
    local U = numbered(3, 4)
    for _ = 1, 20 do
      local a, _, V = sent(U[1], U[{ 2, 1 }], U)
      V = V[3]
      collectgarbage()
      assert.equal(101.0, a:get(1, 1))
      a:close()
      a = nil -- luacheck: ignore
      collectgarbage()
      assert.equal(301.0, V:get(1, 1))
    end
  end)
end)
