-- Lists and options may have metamethods; those are Lua code and may do anything to the arrays.
local neap = require "neap"
local VectorArray, Matrix = neap.VectorArray, neap.Matrix

--- A list of n ones whose first entry calls f when it is read.
local function list(n, f)
  return setmetatable({}, {
    __len = function() return n end,
    __index = function(_, k)
      if k == 1 then f() end
      return 1
    end,
  })
end

--- Options that call f when one of them is read.
local function options(f)
  return setmetatable({}, { __index = function() f() end })
end

describe("a list or options that close the array they are for", function()
  local calls = {
    scal = function(U, close) U:scal(list(3, close)) end,
    axpy = function(U, close) U:axpy(list(3, close), VectorArray.ones(2, 3)) end,
    lincomb = function(U, close) return U:lincomb(list(3, close)) end,
    dofs = function(U, close) return U:dofs(list(2, close)) end,
    delete = function(U, close) U:delete(list(1, close)) end,
    index = function(U, close) return U[list(2, close)] end,
    append = function(U, close) U:append(VectorArray.ones(2, 1), options(close)) end,
    almost_equal = function(U, close)
      return U:almost_equal(VectorArray.ones(2, 3), options(close))
    end,
  }
  for name, call in pairs(calls) do
    it("raise in " .. name, function()
      local U = VectorArray.ones(2, 3)
      assert.error_matches(function() call(U, function() U:close() end) end,
        "VectorArray is closed", 1, true)
    end)
  end

  it("raise where it is the second array", function()
    local U, V = VectorArray.ones(2, 3), VectorArray.ones(2, 3)
    assert.error_matches(function() U:axpy(list(3, function() V:close() end), V) end,
      "bad argument #2 to 'axpy' (VectorArray is closed)", 1, true)
    assert.error_matches(function() U:append(V, options(function() V:close() end)) end,
      "bad argument #1 to 'append' (VectorArray is closed)", 1, true)
    assert.same({ { 1, 1 }, { 1, 1 }, { 1, 1 } }, U:to_table())
  end)

  it("raise in methods of a Matrix", function()
    local M = Matrix.identity(2)
    local function close() M:close() end
    assert.error_matches(function() return M:lstsq(list(2, close)) end, "is closed", 1, true)
    M = Matrix.identity(2)
    assert.error_matches(function() return M:qr(options(close)) end, "is closed", 1, true)
  end)
end)

describe("a list that shortens the array it is for", function()
  it("is held against the length that is left", function()
    local U = VectorArray.ones(2, 3)
    local function shorten() U:delete { 2, 3 } end
    assert.error_matches(function() return U[setmetatable({}, {
      __len = function() return 1 end,
      __index = function()
        shorten()
        return 3
      end,
    })] end, "index 3 out of range 1..1", 1, true)
    U = VectorArray.ones(2, 3)
    assert.error_matches(function() U:scal(list(3, shorten)) end,
      "list of 1 numbers expected, got 3", 1, true)
  end)
end)

describe("a list with metamethods", function()
  it("is read like a plain one", function()
    local U = VectorArray.from_table { { 1, 2 }, { 3, 4 }, { 5, 6 } }
    local two = neap.immutable { 3, 1 }
    assert.same({ { 5, 6 }, { 1, 2 } }, U[two]:to_table())
    local twice = U:copy():scal(neap.immutable { 2, 2, 2 })
    assert.same({ { 2, 4 }, { 6, 8 }, { 10, 12 } }, twice:to_table())
    assert.same({ { 9, 12 } }, U:lincomb(list(3, function() end)):to_table())
    assert.equal(0, #U:copy():delete(neap.immutable { 1, 2, 3 }))
    local V = U:copy():axpy(neap.immutable { 1, 0, 1 }, U)
    assert.same({ { 2, 4 }, { 3, 4 }, { 10, 12 } }, V:to_table())
  end)
end)

describe("from_function", function()
  it("refuses what cannot be called, also where nothing is to be computed", function()
    for _, len in ipairs { 0, 1 } do
      assert.error_matches(function() return VectorArray.from_function(2, len, 5) end,
        "bad argument #3 to 'from_function' (function expected, got number)", 1, true)
    end
    local callable = setmetatable({}, { __call = function(_, i) return i end })
    assert.same({ { 1, 2 } }, VectorArray.from_function(2, 1, callable):to_table())
  end)
end)
