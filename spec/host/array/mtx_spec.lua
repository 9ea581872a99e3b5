local neap = require "neap"
local command = require "spec.support.command"
local leaks = require "spec.support.leaks"
local SparseMatrix = neap.SparseMatrix
require "spec.support.arrays"

describe(".mtx files", function()
  leaks.watch(before_each, after_each)
  local path
  before_each(function() path = os.tmpname() end)
  after_each(function()
    for _, suffix in ipairs { "", ".mtx", ".mtx.gz" } do os.remove(path .. suffix) end
  end)

  local function load(text, options)
    command.write(text, path)
    return neap.load(path, options)
  end

  local function message(text, options)
    command.write(text, path)
    local ok, why = pcall(neap.load, path, options)
    assert.is_false(ok)
    assert.equal(path .. ": ", why:sub(1, #path + 2))
    return (why:sub(#path + 3))
  end

  it("with coordinates are SparseMatrices", function()
    local A = load [[
%%MatrixMarket matrix coordinate real general
% a comment

  2 3   3
1 1 1.5
% another
2 3 -2e-3
 2 1	0
]]
    assert.equal(3, A.nnz)
    assert.same({ { 1.5, 0, 0 }, { 0, 0, -2e-3 } }, A:to_matrix():to_table())
  end)

  it("are refused where nothing could hold them", function()
    local head = "%%MatrixMarket matrix coordinate real general\n"
    for _, size in ipairs { "2 888888888882", "888888888882 2" } do
      assert.matches("more than this machine can hold",
        message(head .. size .. " 1\n1 1 1.5\n", { as = "Matrix" }))
    end
    assert.matches("line 2.*: 1 x 888888888882 numbers of 8 bytes: more than this machine",
      message(head .. "2 888888888882 1\n1 1 1.5\n"))
    assert.equal(888888888882, load(head .. "888888888882 2 1\n1 1 1.5\n").rows)
  end)

  it("may be symmetric, skew-symmetric, patterns, integers", function()
    local function both(kind, entries)
      return load("%%MatrixMarket MATRIX Coordinate " .. kind .. "\n2 2 2\n" .. entries)
        :to_matrix():to_table()
    end
    assert.same({ { 1, 3 }, { 3, 0 } }, both("real symmetric", "1 1 1\n2 1 3"))
    assert.same({ { 1, 1 }, { 1, 0 } }, both("pattern symmetric", "1 1\r\n2 1\r\n"))
    assert.same({ { 0, 1 }, { 1, 0 } }, both("pattern general", "1 2\n2 1\n"))
    assert.same({ { -7, 0 }, { 0, 2 } }, both("integer general", "1 1 -7\n2 2 2\n"))
    local skew = load("%%MatrixMarket matrix coordinate real skew-symmetric\n2 2 1\n2 1 3\n")
    assert.same({ { 0, -3 }, { 3, 0 } }, skew:to_matrix():to_table())
  end)

  it("without coordinates are Matrices", function()
    local function array(kind, values)
      return load("%%MatrixMarket matrix array " .. kind .. "\n2 2\n" .. values):to_table()
    end
    assert.same({ { 1, 3 }, { 2, 4 } }, array("real general", "1\n2\n3\n4\n"))
    assert.same({ { 1, 2 }, { 2, 3 } }, array("integer symmetric", "1\n2\n3"))
    assert.same({ { 0, -5 }, { 5, 0 } }, array("real skew-symmetric", "5\n"))
    local U = load("%%MatrixMarket matrix array real general\n2 1\n1\n2\n", { as = "VectorArray" })
    assert.same({ { 1, 2 } }, U:to_table())
    local M = load(
      "%%MatrixMarket matrix coordinate real general\n2 2 1\n1 2 5\n", { as = "Matrix" })
    assert.same({ { 0, 5 }, { 0, 0 } }, M:to_table())
  end)

  it("may have no rows, columns or entries", function()
    for _, size in ipairs { "0 0 0", "3 0 0", "0 3 0", "3 3 0" } do
      assert.equal(0, load("%%MatrixMarket matrix coordinate real general\n" .. size).nnz)
    end
    for _, kind in ipairs { "general", "symmetric", "skew-symmetric" } do
      assert.equal(0, load("%%MatrixMarket matrix array real " .. kind .. "\n0 0\n").rows)
    end
  end)

  it("are written and read again without a change, compressed too", function()
    local numbers = { 0.1, -1 / 3, 1e-320, 5e300, 2 ^ 53 + 2, 0, 1 }
    local rows, cols = {}, {}
    for i = 1, #numbers do rows[i], cols[i] = i, 1 + i // 2 end
    local A = SparseMatrix.from_triplets(#numbers, 5, rows, cols, numbers)
    for _, suffix in ipairs { ".mtx", ".mtx.gz" } do
      neap.save(path .. suffix, A)
      local B = neap.load(path .. suffix)
      assert.same({ A:triplets() }, { B:triplets() })
      neap.save(path .. suffix, A:to_matrix())
      assert.same(A:to_matrix():to_table(), neap.load(path .. suffix):to_table())
    end
    assert.equal("\x1f\x8b", command.slurp(path .. ".mtx.gz"):sub(1, 2))
    assert.is_nil(command.slurp(path .. ".mtx"):find("\x1f\x8b", 1, true))
  end)

  it("of symmetric matrices hold the lower half", function()
    local S = SparseMatrix.from_triplets(2, 2, { 1, 1, 2 }, { 1, 2, 1 }, { 4, 0.5, 0.5 })
    neap.save(path .. ".mtx", S)
    assert.equal("%%MatrixMarket matrix coordinate real symmetric\n2 2 2\n1 1 4\n2 1 0.5\n",
      command.slurp(path .. ".mtx"))
    assert.same(S:to_matrix():to_table(), neap.load(path .. ".mtx"):to_matrix():to_table())
  end)

  it("may be complex, of every symmetry", function()
    local i = neap.complex(0, 1)
    local function both(kind, entries)
      return load("%%MatrixMarket matrix coordinate complex " .. kind .. "\n2 2 2\n" .. entries)
        :to_matrix()
    end
    assert.close_arrays({ { 1 + 2 * i, 0 }, { 0, -i } }, both("general", "1 1 1 2\n2 2 0 -1\n"))
    assert.close_arrays({ { 1, 3 + i }, { 3 + i, 0 } }, both("symmetric", "1 1 1 0\n2 1 3 1\n"))
    assert.close_arrays({ { 1, 3 - i }, { 3 + i, 0 } }, both("Hermitian", "1 1 1 0\n2 1 3 1\n"))
    local skew = load("%%MatrixMarket matrix coordinate complex skew-symmetric\n2 2 1\n2 1 3 1\n")
    assert.close_arrays({ { 0, -3 - i }, { 3 + i, 0 } }, skew:to_matrix())
    local function array(kind, values)
      return load("%%MatrixMarket matrix array complex " .. kind .. "\n2 2\n" .. values)
    end
    assert.close_arrays({ { i, 3 }, { 2 - i, 4 } }, array("general", "0 1\n2 -1\n3 0\n4 0\n"))
    assert.close_arrays({ { 1, 2 - i }, { 2 + i, 3 } }, array("hermitian", "1 0\n2 1\n3 0\n"))
    assert.close_arrays({ { i, 2 }, { 2, 3 } }, array("symmetric", "0 1\n2 0\n3 0\n"))
    assert.close_arrays({ { 0, -5 - i }, { 5 + i, 0 } }, array("skew-symmetric", "5 1\n"))
    local U = load("%%MatrixMarket matrix array complex general\n2 1\n1 1\n2 0\n",
      { as = "VectorArray" })
    assert.close_arrays({ { 1 + i, 2 } }, U)
  end)

  it("of complex matrices are read as they were written", function()
    local i = neap.complex(0, 1)
    local A = SparseMatrix.from_triplets(3, 2, { 1, 3, 2 }, { 1, 1, 2 },
      { 0.1 + i / 3, -i, 5e-320 })
    neap.save(path .. ".mtx", A)
    assert.equal("%%MatrixMarket matrix coordinate complex general",
      command.slurp(path .. ".mtx"):match("^[^\n]*"))
    assert.same({ A:triplets() }, { neap.load(path .. ".mtx"):triplets() })
    neap.save(path .. ".mtx.gz", A:to_matrix())
    assert.close_arrays(A:to_matrix(), neap.load(path .. ".mtx.gz"))
    local S = SparseMatrix.from_triplets(2, 2, { 1, 2 }, { 2, 1 }, { i, i })
    neap.save(path .. ".mtx", S)
    assert.equal("%%MatrixMarket matrix coordinate complex symmetric\n2 2 1\n2 1 0 1\n",
      command.slurp(path .. ".mtx"))
    assert.close_arrays(S:to_matrix(), neap.load(path .. ".mtx"):to_matrix())
  end)

  it("of Hermitian matrices hold the lower half", function()
    local i = neap.complex(0, 1)
    local H = SparseMatrix.from_triplets(2, 2, { 1, 1, 2 }, { 1, 2, 1 }, { 4, 1 - i, 1 + i })
    neap.save(path .. ".mtx", H)
    assert.equal("%%MatrixMarket matrix coordinate complex hermitian\n2 2 2\n1 1 4 0\n2 1 1 1\n",
      command.slurp(path .. ".mtx"))
    assert.close_arrays(H:to_matrix(), neap.load(path .. ".mtx"):to_matrix())
  end)

  it("of the reference data have the entries that they say", function()
    local fom = require "spec.support.reference".json("thermalblock/fom.json")
    for name, facts in pairs(fom.operator.matrices) do
      local A = neap.load("spec/reference/thermalblock/" .. name)
      assert.same({ facts.shape[1], facts.shape[2], facts.nnz }, { A.rows, A.cols, A.nnz })
      assert.equal(facts.storage == "symmetric", A:T() == A)
    end
  end)

  it("are refused when they are cut short, with the line", function()
    local whole = "%%MatrixMarket matrix coordinate real general\n3 3 3\n1 1 1\n2 2 2\n3 3 3\n"
    assert.equal("line 4: file ends after 2 of 3 entries", message(whole:sub(1, -7)))
    assert.equal("line 5: number expected, got the end of the line", message(whole:sub(1, -4)))
    for len = 1, #whole - 3 do assert.is_string(message(whole:sub(1, len))) end
    assert.equal("line 1: file ends before the size of the matrix",
      message("%%MatrixMarket matrix coordinate real general\n"))
    local A = SparseMatrix.from_triplets(200, 200, { 1, 7, 200 }, { 5, 6, 7 }, { 0.1, 0.2, 0.3 })
    neap.save(path .. ".mtx.gz", A)
    local compressed = command.slurp(path .. ".mtx.gz")
    for len = 14, #compressed - 1, 7 do
      assert.matches("compressed data end too early", message(compressed:sub(1, len)))
    end
    local broken = compressed:sub(1, 30) .. "\0\0\0\0" .. compressed:sub(35)
    assert.is_string(message(broken))
  end)

  it("are refused with the line and the reason", function()
    local function refused(format, text, kind)
      kind = kind or "real general"
      return message(("%%%%MatrixMarket matrix %s %s\n%s"):format(format, kind, text))
    end
    local function sparse(text, kind) return refused("coordinate", text, kind) end
    local function dense(text, kind) return refused("array", text, kind) end
    assert.equal("line 1: 'matrix' expected, got 'vector'",
      message("%%MatrixMarket vector coordinate real general\n1 1 0\n"))
    assert.equal("line 1: 'coordinate' or 'array' expected, got the end of the line",
      message("%%MatrixMarket matrix\n"))
    assert.equal("line 1: only a complex matrix is Hermitian", sparse("1 1 0", "real hermitian"))
    assert.equal("line 3: number expected, got the end of the line",
      sparse("1 1 1\n1 1 1\n", "complex general"))
    assert.equal("line 3: end of the line expected, got '3'",
      dense("1 1\n1 2 3\n", "complex general"))
    local diagonal = "diagonal of a Hermitian matrix: real number expected in column 2"
    assert.equal("line 4: " .. diagonal,
      sparse("2 2 2\n1 1 1 0\n2 2 1 1\n", "complex hermitian"))
    assert.equal("line 5: " .. diagonal,
      message("%%MatrixMarket matrix array complex hermitian\n2 2\n1 0\n2 1\n3 4\n"))
    assert.equal("line 3: entry above the diagonal in a Hermitian matrix",
      sparse("2 2 1\n1 2 1 0\n", "complex hermitian"))
    assert.equal("line 1: end of the line expected", sparse("1 1 0", "real general x"))
    assert.equal("line 1: an array has no pattern", dense("1 1", "pattern general"))
    assert.equal("line 2: number of rows expected, got '-1'", sparse("-1 1 0"))
    assert.equal("line 2: number of entries expected, got the end of the line", sparse("1 1"))
    assert.equal("line 2: end of the line expected", sparse("1 1 0 0"))
    assert.matches("^line 2: number of rows: at most %d+ expected, got 99999999999999999999$",
      sparse("99999999999999999999 1 0"))
    assert.equal("line 2: number of entries: more than a file of this size can hold",
      sparse("1 1 1000000000000"))
    assert.equal("line 2: a symmetric matrix is square, got 1 x 2",
      sparse("1 2 0", "real symmetric"))
    assert.equal("line 3: row: at most 2 expected, got 3", sparse("2 2 1\n3 1 1\n"))
    assert.equal("line 3: column: at most 2 expected, got 30", sparse("2 2 1\n1 30 1\n"))
    assert.equal("line 3: indices count from 1", sparse("2 2 1\n0 1 1\n"))
    assert.equal("line 3: number expected, got 'x'", sparse("2 2 1\n1 1 x\n"))
    assert.equal("line 3: number expected, got '1,5'", sparse("2 2 1\n1 1 1,5\n"))
    assert.equal("line 3: end of the line expected, got '7'", sparse("2 2 1\n1 1 1 7\n"))
    assert.equal("line 3: end of the line expected, got '1'",
      sparse("2 2 1\n1 1 1\n", "pattern general"))
    assert.equal("line 4: end of the file expected after 1 entries",
      sparse("2 2 1\n1 1 1\n2 2 2\n"))
    assert.equal("line 3: entry above the diagonal in a symmetric matrix",
      sparse("2 2 1\n1 2 1\n", "real symmetric"))
    assert.equal("line 3: entry on or above the diagonal in a skew-symmetric matrix",
      sparse("2 2 1\n1 1 1\n", "real skew-symmetric"))
    assert.equal("line 3: text expected, got a 0 byte", sparse("2 2 1\n1 1 \0\n"))
    assert.equal("line 3: end of the line expected, got '2'", dense("2 1\n1 2\n"))
    assert.equal("line 3: file ends after 1 of 2 entries", dense("2 1\n1\n"))
    assert.equal("holds a dense array and cannot be loaded as a SparseMatrix",
      message("%%MatrixMarket matrix array real general\n1 1\n1\n", { as = "SparseMatrix" }))
  end)
end)
