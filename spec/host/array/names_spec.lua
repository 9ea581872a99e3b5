-- What messages call the functions of arrays, and where they stand, however they were called.
local neap = require "neap"
local ops = require "neap.operators"
local VectorArray, Matrix, SparseMatrix = neap.VectorArray, neap.Matrix, neap.SparseMatrix

describe("messages of arrays", function()
  local U, A = VectorArray.zeros(3, 2), Matrix.identity(2)
  local S = SparseMatrix.from_triplets(2, 2, { 1, 2 }, { 1, 2 }, { 1, 1 })

  it("name functions that are called through others", function()
    for _, case in ipairs {
      { VectorArray.zeros, -1, message = "#1 to 'neap.VectorArray.zeros' "
        .. "(dim: at least 0 expected, got -1)" },
      { U.inner, U, 3, message = "#2 to 'neap.VectorArray.inner' "
        .. "(neap.VectorArray expected, got number)" },
      { Matrix.identity, -1, message = "#1 to 'neap.Matrix.identity' (" },
      { A.solve, A, { 1 }, message = "#2 to 'neap.Matrix.solve' (" },
      { A.apply_inverse, A, { 1 }, message = "#2 to 'neap.Matrix.apply_inverse' (" },
      { A.apply_inverse_adjoint, A, {}, message = "to 'neap.Matrix.apply_inverse_adjoint' (" },
      { SparseMatrix.from_triplets, 1, -1, message = "#2 to 'neap.SparseMatrix.from_triplets' (" },
      { S.apply, S, 3, message = "#2 to 'neap.SparseMatrix.apply' (" },
    } do
      local ok, message = pcall(table.unpack(case))
      assert.is_false(ok)
      assert.equal(1, message:find("bad argument " .. case.message, 1, true)
        or message:find(case.message, 1, true) and 1, message)
    end
  end)

  it("say of a product that it is closed, in the caller's line", function()
    local closed = Matrix.identity(3)
    closed:close()
    for _, f in ipairs {
      function() local x = U:norm(closed) return x end,
      function() local x = U:inner(U, closed) return x end,
      function() local x = U:almost_equal(U, { product = closed }) return x end,
    } do
      local ok, message = pcall(f)
      assert.is_false(ok)
      assert.matches("names_spec.lua:%d+: bad argument #%d to '[%a_]+' "
        .. "%(product: Matrix is closed%)", message)
    end
  end)

  it("have the line of the expression that has a string in it", function()
    local op, z, tall = ops.MatrixOperator(A), neap.complex(1, 2), neap.Matrix.zeros(3, 2)
    for message, f in pairs {
      ['cannot multiply "2" and VectorArray 3 x 2; a VectorArray is multiplied by a number'] =
        function() return "2" * U end,
      ['cannot add "2" and VectorArray 3 x 2'] = function() return "2" + U end,
      ["cannot multiply VectorArray 3 x 2 and Matrix 2 x 2; a VectorArray is multiplied by a "
        .. "number"] = function() return U * A end,
      ['cannot subtract VectorArray 3 x 2 and "x"'] = function() return U - "x" end,
      ['cannot multiply a Matrix 2 x 2 and "2"'] = function() return "2" * A end,
      ['cannot add a Matrix 2 x 2 and "2"'] = function() return "2" + A end,
      ["SparseMatrix and string cannot be combined by mul"] = function() return "2" * S end,
      ["cannot combine a complex number and a string by mul"] = function() return "2" * z end,
      ["left operand: Operator, SparseMatrix or Matrix expected, got string"] =
        function() return "2" * op end,
      ["right operand: Operator, SparseMatrix or Matrix expected, got string"] =
        function() return op + "2" end,
      ["cannot combine SparseMatrix 2 x 2, 2 entries and Matrix 3 x 2"] =
        function() return S + tall end,
      ["cannot combine Matrix 3 x 2 and SparseMatrix 2 x 2, 2 entries"] =
        function() return tall - S end,
      ["cannot multiply Matrix 2 x 3 and SparseMatrix 2 x 2, 2 entries"] =
        function() return tall:T() * S end,
    } do
      local ok, text = pcall(f)
      assert.is_false(ok)
      local info = debug.getinfo(f, "S")
      assert.equal(("%s:%d: %s"):format(info.short_src, info.linedefined, message), text)
    end
  end)
end)
