local neap = require "neap"
local wire = require "host.wire"
local array = require "host.array"
local SparseMatrix, VectorArray = neap.SparseMatrix, neap.VectorArray

local function example(seed)
  math.randomseed(seed or 1)
  local rows, cols, values = {}, {}, {}
  for k = 1, 30 do
    rows[k], cols[k], values[k] = 1 + k * 7 % 11, 1 + k * 5 % 9, math.random()
  end
  return SparseMatrix.from_triplets(11, 9, rows, cols, values)
end

describe("a SparseMatrix that is sent", function()
  it("arrives with the same bits", function()
    local wide = SparseMatrix.from_triplets(2000, 3000, { 1, 2000 }, { 3000, 1 }, { 0.1, -0.0 })
    for _, A in ipairs { example(), SparseMatrix.from_triplets(0, 0, {}, {}, {}),
      SparseMatrix.from_triplets(3, 0, {}, {}, {}), wide } do
      local B = wire.decode(wire.encode(A))
      assert.not_equal(A, B)
      assert.equal(tostring(A), tostring(B))
      assert.same({ A:triplets() }, { B:triplets() })
      local U = VectorArray.ones(A.cols, 2)
      assert.is_true(A:apply(U):almost_equal(B:apply(U), { rtol = 0, atol = 0 }))
    end
  end)

  it("shares its pattern with those that are there, and with those beside it", function()
    local A = example()
    collectgarbage()
    collectgarbage()
    local before = array.blocks()
    local B, C = wire.decode(wire.encode(A, 2 * A))
    collectgarbage()
    collectgarbage()
    assert.equal(before + 2, (array.blocks())) -- the values of both
    local D = SparseMatrix.lincomb({ 1, 1, -1 }, { A, B, C })
    assert.equal(A.nnz, D.nnz)
    assert.equal(0, D:norm("inf"))
  end)

  it("comes without its factorisation", function()
    local I = SparseMatrix.from_triplets(2, 2, { 1, 2 }, { 1, 2 }, { 4, 16 })
    local bytes = wire.encode(I)
    I:factorize()
    assert.equal(bytes, wire.encode(I))
    local U = wire.decode(bytes):apply_inverse(VectorArray.ones(2, 1))
    assert.same({ { 0.25, 0.0625 } }, U:to_table())
  end)

  it("is refused when its pattern is none", function()
    -- Column pointers 0 2 3, rows 0 2 and 1.
    local A = SparseMatrix.from_triplets(3, 2, { 1, 3, 2 }, { 1, 1, 2 }, { 1, 2, 3 })
    local bytes = wire.encode(A)
    local pattern = string.pack("<i8i8i8i8i8i8", 0, 2, 3, 0, 2, 1)
    local first, last = bytes:find(pattern, 1, true)
    assert.is_number(first)
    for reason, wrong in pairs {
      ["column pointers do not begin at 0"] = { 1, 2, 3, 0, 2, 1 },
      ["column pointers are not ascending"] = { 0, -1, 3, 0, 2, 1 },
      ["column pointers exceed the number of entries"] = { 0, 4, 3, 0, 2, 1 },
      ["column pointers do not end at the number of entries"] = { 0, 2, 2, 0, 2, 1 },
      ["row index out of range"] = { 0, 2, 3, 0, 3, 1 },
      ["row indices are not strictly ascending"] = { 0, 2, 3, 2, 2, 1 },
    } do
      local forged = bytes:sub(1, first - 1) .. string.pack("<i8i8i8i8i8i8", table.unpack(wrong))
        .. bytes:sub(last + 1)
      local ok, why = pcall(wire.decode, forged)
      assert.is_false(ok)
      assert.is_string(why:match(reason), why)
    end
    local negative = bytes:sub(1, last - 8) .. string.pack("<i8", -1) .. bytes:sub(last + 1)
    assert.error_matches(function() return wire.decode(negative) end, "row index out of range")
  end)

  it("is refused, or is a matrix, whatever byte is changed", function()
    local bytes = wire.encode(example())
    math.randomseed(3)
    for i = 1, #bytes do
      local forged = bytes:sub(1, i - 1) .. string.char(math.random(0, 255)) .. bytes:sub(i + 1)
      local ok, A = pcall(wire.decode, forged)
      if ok and type(A) == "userdata" and A.cols and A.cols < 1000 then
        tostring(A:apply(VectorArray.ones(A.cols, 1)))
      end
    end
  end)
end)

describe("sparse matrices", function()
  it("leave no block behind", function()
    collectgarbage()
    collectgarbage()
    local count, len = array.blocks()
    do
      local A, B = example(1), example(2)
      local S = SparseMatrix.from_triplets(9, 9, { 1, 2, 3, 9 }, { 1, 2, 4, 9 }, { 1, 2, 3, 4 })
      local N = A:T() * B + S
      local E = SparseMatrix.lincomb({ 1, 2, 3 }, { N, S, N })
      pcall(E.factorize, E)
      pcall(S.factorize, S)
      pcall(SparseMatrix.from_triplets, 2, 2, { 1 }, { 1 }, { "x" })
    end
    collectgarbage()
    collectgarbage()
    local count_now, len_now = array.blocks()
    assert.same({ count, len }, { count_now, len_now })
  end)
end)
