-- The loops of arrays go through vectors in steps of several numbers, and what is left one by one:
-- every length up to some steps is seen. All numbers are integers, so that results are exact.
local neap = require "neap"
local VectorArray = neap.VectorArray

local function entry(i, j) return (i * 5 + j * 3 + i * j) % 8 - 3 end
local function other(i, j) return (i * 3 + j + i * i * j) % 7 - 2 end

--- Whether M, a Matrix or a VectorArray, has the entries f(i, j).
local function has_entries(M, rows, cols, f)
  for j = 1, cols do
    for i = 1, rows do
      if M:get(i, j) ~= f(i, j) then return false end
    end
  end
  return true
end

describe("loops over vectors", function()
  it("reach each component once, whatever the length", function()
    for dim = 0, 75 do
      local U = VectorArray.from_function(dim, 1, entry)
      local V = VectorArray.from_function(dim, 1, other)
      local function is(W, f) assert.is_true(has_entries(W, dim, 1, f), "dimension " .. dim) end
      is(U - V, function(i, j) return entry(i, j) - other(i, j) end)
      is(3 * U, function(i, j) return 3 * entry(i, j) end)
      is(V:copy():scal(-2), function(i, j) return -2 * other(i, j) end)
      is(U:copy():axpy(5, V), function(i, j) return entry(i, j) + 5 * other(i, j) end)
    end
  end)

  it("reach each component of large vectors, wherever in memory they begin", function()
    for rest = 0, 3 do
      local dim = 800000 + rest -- written past the caches
      local U = VectorArray.from_function(dim, 1, entry)
      local one = VectorArray.from_function(dim, 1, other)
      local V = U:copy()
      V:append(one)
      V:append(U)
      assert.same({ 0, 0, 0 }, (V + one - V:copy():axpy(1, one)):sup_norm(), "dimension " .. dim)
      assert.same({ 0, 0, 0 }, (V * -3 - V:copy():scal(-3)):sup_norm(), "dimension " .. dim)
      assert.same({ 12, 12, 12 }, (3 * (V - one) + 3 * one):sup_norm())
    end
  end)

  it("find the first of the largest components wherever it stands", function()
    for dim = 1, 35 do
      for place = 1, dim do
        local U = VectorArray.from_function(dim, 1, entry)
        U:set(place, 1, -9)
        U:set(dim, 1, -9)
        local indices, values = U:amax()
        assert.same({ { place }, { 9 } }, { indices, values })
        assert.same({ 9 }, U:sup_norm())
      end
    end
  end)
end)

describe("products of small arrays", function()
  local function products(dim, m, n)
    local U, V = VectorArray.from_function(dim, m, entry), VectorArray.from_function(dim, n, other)
    local C = VectorArray.from_function(m, n, other)
    local function is(expected, M, rows, cols, what)
      assert.is_true(has_entries(M, rows, cols, expected),
        ("%s of %d, %d, %d"):format(what, dim, m, n))
    end
    local function sum(f, k)
      local s = 0
      for l = 1, k do s = s + f(l) end
      return s
    end
    is(function(i, j)
      return sum(function(l) return entry(l, i) * other(l, j) end, dim)
    end, U:inner(V), m, n, "inner")
    is(function(i, j)
      return sum(function(l) return entry(l, i) * entry(l, j) end, dim)
    end, U:gramian(), m, m, "gramian")
    local rows = {}
    for l = 1, m do rows[l] = l end
    is(function(i, j)
      return sum(function(l) return entry(i, l) * other(l, j) end, m)
    end, U:lincomb(C:dofs(rows)), dim, n, "lincomb")
  end

  it("are exact for every shape", function()
    for dim = 0, 13 do
      for m = 1, 11 do products(dim, m, 1 + (dim + 5 * m) % 11) end
    end
    for n = 1, 12 do products(17, 12, n) end
  end)
end)
