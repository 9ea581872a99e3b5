require "spec.support.arrays"
local wire = require "host.wire"
local neap = require "neap"
local VectorArray, Matrix = neap.VectorArray, neap.Matrix

--- What arrives of the values.
local function sent(...)
  return wire.decode(wire.encode(...))
end

describe("arrays on the wire", function()
  local U
  before_each(function()
    U = VectorArray.from_table { { 1, 2 }, { 3, 4 }, { 5, 6 }, { 7, 8 } }
  end)

  it("keep shape and components", function()
    assert.close_arrays(U, (sent(U)))
    for _, shape in ipairs { { 0, 0 }, { 3, 0 }, { 0, 3 }, { 1, 1 }, { 1000, 7 } } do
      local V = VectorArray.random(shape[1], shape[2], { seed = 1 })
      local W = sent(V)
      assert.equal(V.dim, W.dim)
      assert.close_arrays(V, W)
    end
    local M = Matrix.from_table { { 1, 2, 3 }, { 4, 5, 6 } }
    assert.close_arrays(M, (sent(M)))
    assert.equal("Matrix 0 x 3", tostring(sent(Matrix.zeros(0, 3))))
  end)

  it("are copies: neither side sees what the other writes", function()
    local V = sent(U)
    V:scal(2)
    U:set(1, 1, -1)
    assert.equal(2, V:get(1, 1))
    assert.equal(-1, U:get(1, 1))
    V:append(U)
    assert.equal(8, #V)
  end)

  it("carry of a view what it shows, as a base", function()
    for _, view in ipairs { U[3], U:slice(2, 3), U:slice(4, 1, -1), U:slice(1, 4, 2), U:slice(3, 2),
                            U[{ 4, 1, 4 }], U[{}] } do
      local V = sent(view)
      assert.is_false(V.is_view)
      assert.equal(2, V.dim)
      assert.close_arrays(view, V)
    end
    assert.is_true(#wire.encode(VectorArray.zeros(1000, 100)[7]) < 9000)
  end)

  it("carry of an array with room to grow only its vectors", function()
    local V = VectorArray.empty(1000, { reserve = 1000 }):append(VectorArray.ones(1000, 1))
    assert.is_true(#wire.encode(V) < 9000)
    assert.close_arrays(V, (sent(V)))
  end)

  it("stay frozen", function()
    assert.is_true(sent(U:copy():freeze()).is_frozen)
    assert.is_true(sent(Matrix.identity(2):freeze()).is_frozen)
    assert.is_false(sent(U).is_frozen)
  end)

  it("refuse what is no encoding, and arrive whole or not at all", function()
    local A = neap.SparseMatrix.from_triplets(2, 2, { 1, 2 }, { 1, 2 }, { 1, 1 })
    local message = wire.encode(U, Matrix.identity(2), A)
    math.randomseed(1)
    local refused = 0
    for at = 1, #message do
      local byte = message:byte(at)
      for _, other in ipairs { byte ~ 1, byte ~ 128, math.random(0, 255) } do
        local bad = message:sub(1, at - 1) .. string.char(other) .. message:sub(at + 1)
        local list = table.pack(pcall(wire.decode, bad))
        if not list[1] then refused = refused + 1 end
        for i = 2, list.n do
          if type(list[i]) == "userdata" and list[i].to_table then
            assert.equal("table", type(list[i]:to_table()))
          end
        end
      end
    end
    assert.is_true(refused > 50)
  end)
end)
