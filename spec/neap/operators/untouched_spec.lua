-- What operators are made of and applied to stays as it is, and what they say stays right when it
-- is changed by others.
describe("operators", function()
  local neap = require "neap"
  local ops = require "neap.operators"
  local Matrix, SparseMatrix, VectorArray = neap.Matrix, neap.SparseMatrix, neap.VectorArray

  local Own = ops.Operator:subclass "my.Own"
  function Own:apply(U) return self.value or U end
  Own.apply_adjoint = Own.apply

  local function ones() return VectorArray.ones(2, 1) end

  it("in a combination change neither their argument nor an array of their own", function()
    local same = Own:new { source = 2, range = 2, linear = true }
    local constant = Own:new { source = 2, range = 2, linear = true, value = ones() }
    for _, first in ipairs { same, constant } do
      for _, coefficient in ipairs { 1, 3, neap.complex(0, 1) } do
        local op, U = ops.LincombOperator({ first, Matrix.identity(2) }, { coefficient, 2 }), ones()
        for _ = 1, 2 do
          assert.same(((coefficient + 2) * ones()):to_table(), op:apply(U):to_table())
          op:apply_adjoint(U)
        end
        assert.same({ { 1, 1 } }, U:to_table())
      end
    end
    assert.same({ { 1, 1 } }, constant.value:to_table())
  end)

  it("of matrices that are changed say the same applied, assembled and solved with", function()
    local A, theta = Matrix.identity(2), function(mu) return mu.a[1] end
    local sparse = SparseMatrix.from_triplets(2, 2, { 1, 2 }, { 1, 2 }, { 1, 1 })
    local inner = ops.LincombOperator({ A }, { 1 })
    for _, op in ipairs { inner, ops.LincombOperator({ A, sparse }, { theta, 0 }),
                          ops.LincombOperator({ inner, sparse }, { theta, 0 }) } do
      local mu = { a = { 1 } }
      A:set(1, 1, 1)
      op:assemble(mu)
      A:set(1, 1, 4)
      assert.same({ { 4, 1 } }, op:apply(ones(), mu):to_table())
      assert.same({ { 4, 1 } }, op:assemble(mu):apply(ones()):to_table())
      assert.same({ { 0.25, 1 } }, op:apply_inverse(ones(), mu):to_table())
      op:assemble(mu).matrix:set(1, 1, 7)
      assert.same({ { 4, 1 } }, op:assemble(mu):apply(ones()):to_table())
      assert.equal(4, A:get(1, 1))
    end
  end)

  it("assembled for a mu do not follow it, and see lists where it has numbers", function()
    local Scaled = ops.Operator:subclass "my.Scaled"
    function Scaled:apply(U, mu) return mu.a[1] * mu.t * U end -- luacheck: no self
    local op = Scaled:new { source = 2, range = 2, linear = true, parametric = true }
    local mu = { a = { 2 }, t = 3 }
    local assembled = op:assemble(mu)
    mu.a[1], mu.t = 50, 70
    assert.same({ { 6, 6 } }, assembled:apply(ones()):to_table())
    assert.same({ { 12, 12 } }, op:assemble({ a = 4, t = 3 }):apply(ones()):to_table())
  end)

  it("assembled again for a coefficient of the other zero have its sign", function()
    local same = Own:new { source = 2, range = 2, linear = true }
    local op = ops.LincombOperator({ same }, { function(mu) return mu.a[1] end })
    for _, zero in ipairs { 0.0, -0.0, 0.0 } do
      assert.equal(1 / zero, 1 / op:assemble({ a = { zero } }):apply(ones()):get(1, 1))
    end
  end)

  -- Calls f, which must raise in one of its own lines.
  local function in_line(expected, f)
    local ok, message = pcall(f)
    assert.is_false(ok)
    local info = debug.getinfo(f, "S")
    local line = tonumber(message:match "untouched_spec%.lua:(%d+): ")
    assert.is_true(line and line >= info.linedefined and line <= info.lastlinedefined, message)
    assert.matches(expected, message)
  end

  it("refuse coefficients that are not finite, complex ones too", function()
    local nan, infinite = neap.complex(0 / 0, 1), neap.complex(1, 1 / 0)
    for text, z in pairs { ["%-?nan%+1i$"] = nan, ["1%+infi$"] = infinite } do
      for _, coefficient in ipairs { z, function() return z end } do
        local op = ops.LincombOperator({ Matrix.identity(2) }, { coefficient })
        in_line("coefficients%[1%]: finite number expected, got " .. text, function()
          local X = op:apply(ones(), {}) return X
        end)
      end
    end
  end)

  it("that solve directly refuse options, by name and in the caller's line", function()
    local A, list = ops.MatrixOperator(Matrix.identity(2)), { 1, 2 }
    local sparse = ops.MatrixOperator(SparseMatrix.from_triplets(2, 2, list, list, { 1, 1 }))
    for _, op in ipairs { A, sparse, ops.IdentityOperator(2), ops.InverseOperator(A), A:H(), A + A,
                          A * A, A * sparse } do
      in_line("unknown option 'tol': neap%.%a+ solves directly and has no options$", function()
        local X = op:apply_inverse(ones(), nil, { tol = 1e-3 }) return X
      end)
      in_line("options: table expected, got number$", function()
        local X = op:apply_inverse(ones(), nil, 3) return X
      end)
      assert.same({ { 1, 1 } }, op:apply(op:apply_inverse(ones(), nil, {})):to_table())
    end
  end)
end)
