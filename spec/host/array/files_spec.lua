local neap = require "neap"
local lfs = require "lfs"
local command = require "spec.support.command"
local leaks = require "spec.support.leaks"
local Matrix, VectorArray = neap.Matrix, neap.VectorArray

describe("neap.load and neap.save", function()
  leaks.watch(before_each, after_each)
  local folder, remove
  before_each(function() folder, remove = command.folder() end)
  after_each(function() remove() end)

  it("go by the content when reading, by the name when writing", function()
    local U = VectorArray.from_table { { 1, 2 }, { 3, 4 } }
    for _, name in ipairs { "a.npy", "a.mtx", "a.mtx.gz", "a.csv" } do
      local path = folder .. "/" .. name
      neap.save(path, U)
      assert(os.rename(path, folder .. "/any"))
      local V = neap.load(folder .. "/any", { as = "VectorArray" })
      assert.same({ { 1, 2 }, { 3, 4 } }, V:to_table())
      local M = neap.load(folder .. "/any", { as = "Matrix" })
      assert.same({ { 1, 3 }, { 2, 4 } }, M:to_table())
    end
  end)

  it("raise what the system says, with the path", function()
    local missing = folder .. "/missing"
    assert.has_error(function() return neap.load(missing) end,
      missing .. ": No such file or directory")
    assert.has_error(function() return neap.load(folder) end, folder .. ": Is a directory")
    local into = missing .. "/x.npy"
    assert.has_error(function() neap.save(into, Matrix.identity(2)) end,
      into .. ": No such file or directory")
  end)

  it("leave what was there, and nothing else, when writing fails", function()
    local path = folder .. "/x.npy"
    neap.save(path, Matrix.identity(2))
    assert(lfs.mkdir(folder .. "/d.npy"))
    assert(lfs.mkdir(folder .. "/d.npy/full"))
    assert.has_error(function() neap.save(folder .. "/d.npy", Matrix.identity(3)) end,
      folder .. "/d.npy: Is a directory")
    assert.same({ "d.npy", "x.npy" }, command.names(folder))
    assert.equal(2, neap.load(path).dim)
    neap.save(path, Matrix.identity(3))
    assert.equal(3, neap.load(path).dim)
    assert.same({ "d.npy", "x.npy" }, command.names(folder))
  end)

  it("say that a full disk is full", function()
    -- A file that may not grow: the limit on file sizes of the shell. Its signal is ignored.
    local outcome = command.run(([[cd %s && trap '' XFSZ && ulimit -f 8 && %%neap%% -e '
      local neap = require "neap"
      local ok, why = pcall(neap.save, "x.npy", neap.VectorArray.zeros(100000, 1))
      print(ok, why)']]):format(command.quote(folder)))
    assert.equal("false\tx.npy: File too large\n", outcome.out)
    assert.same({}, command.names(folder))
  end)

  it("refuse what they do not know", function()
    local M = Matrix.identity(2)
    local function message(f, ...)
      local ok, why = pcall(f, ...)
      assert.is_false(ok)
      return why
    end
    assert.matches("path that ends in .npy, .mtx, .mtx.gz, .csv or .mat expected",
      message(neap.save, folder .. "/x.txt", M))
    assert.matches("VectorArray, Matrix or SparseMatrix expected, got table",
      message(neap.save, folder .. "/x.npy", {}))
    local A = neap.SparseMatrix.from_triplets(1, 1, { 1 }, { 1 }, { 1 })
    assert.matches("a SparseMatrix is saved as .mtx, .mtx.gz or in a .mat",
      message(neap.save, folder .. "/x.npy", A))
    assert.matches("unknown option 'az'", message(neap.load, folder .. "/x.npy", { az = 1 }))
    assert.matches("option as: 'VectorArray', 'Matrix' or 'SparseMatrix' expected, got 'List'",
      message(neap.load, folder .. "/x.npy", { as = "List" }))
    local other = command.write("\1\2\3\4", folder .. "/other")
    assert.equal(other .. ": neither a .npy, a .mtx, a .mat nor a .csv file",
      message(neap.load, other))
    command.write("MATLAB 5.0 MAT-file, Platform", other)
    assert.matches("^" .. other:gsub("%p", "%%%0") .. ":", message(neap.load, other))
    assert.same({ "other" }, command.names(folder))
  end)
end)

describe(".csv files", function()
  leaks.watch(before_each, after_each)
  local path
  before_each(function() path = os.tmpname() end)
  after_each(function() os.remove(path) end)

  local function load(text)
    command.write(text, path)
    return neap.load(path)
  end

  local function message(text)
    command.write(text, path)
    local ok, why = pcall(neap.load, path)
    assert.is_false(ok)
    return (why:sub(#path + 3))
  end

  it("are tables of numbers with any common separator", function()
    for _, text in ipairs {
      "1,2,3\n4,5,-6e1\n", "1;2;3\r\n4;5;-60\r\n", "1\t2\t3\n4\t5\t-60", " 1 , 2, 3\n\n4  5 -60 \n",
      "# title\n1,2,3\n# more\n4,5,-60\n", "a,b,c\n1,2,3\n4,5,-60\n",
    } do
      assert.same({ { 1, 2, 3 }, { 4, 5, -60 } }, load(text):to_table())
    end
    assert.same({ { 1 } }, load("1"):to_table())
  end)

  it("lose no row that is not all numbers", function()
    assert.same({ { 1, 2 }, { 3, 4 } }, load("\xef\xbb\xbf1,2\n3,4\n"):to_table())
    assert.same({ { 1, 2 } }, load("\xef\xbb\xbfx,y\n1,2\n"):to_table())
    assert.same({ { 1, 2 } }, load("run 5 of day,u (m/s)\n1,2\n"):to_table())
    assert.equal("line 1: number expected, got ',2'", message("1,,2\n3,4,5\n"))
    assert.equal("line 1: number expected, got 'NA,2'", message("1,NA,2\n3,4,5\n"))
    assert.equal("line 1: number expected, got 'NA 2'", message("NA 2\n4 5\n"))
    assert.equal([[line 1: number expected, got '"1","2"']], message('"1","2"\n3,4\n'))
  end)

  it("have one separator, so that a decimal comma is seen", function()
    assert.equal("line 1: number expected, got '5;2,5'", message("1,5;2,5\n"))
    assert.equal("line 2: number expected, got '1,5;2'", message("1;2\n1,5;2\n"))
    assert.equal("line 2: number expected, got '2 ;5'", message("1,2\n2 ;5\n"))
  end)

  it("are written and read again without a change", function()
    local rows = {}
    for i = 1, 40 do rows[i] = { math.sin(i) / 3, 10.0 ^ -i, i } end
    local M = Matrix.from_table(rows)
    neap.save(path .. ".csv", M)
    finally(function() os.remove(path .. ".csv") end)
    assert.same(rows, neap.load(path .. ".csv"):to_table())
  end)

  it("hold arrays without numbers", function()
    finally(function() os.remove(path .. ".csv") end)
    for _, shape in ipairs { { 3, 0 }, { 0, 3 }, { 0, 0 }, { 1, 0 } } do
      local m, n = table.unpack(shape)
      for _, object in ipairs { Matrix.zeros(m, n), VectorArray.zeros(m, n) } do
        neap.save(path .. ".csv", object)
        local M = neap.load(path .. ".csv")
        assert.same(shape, { M.rows, M.cols })
        local U = neap.load(path .. ".csv", { as = "VectorArray" })
        assert.same(shape, { U.dim, #U })
      end
    end
    -- Only where there are no numbers, and only if it is the shape of nothing.
    assert.same({ { 1, 2 } }, load("# 3 x 0\n1,2\n"):to_table())
    for _, text in ipairs { "# 3 x 2\n", "# 3 x 0 y\n", "# -3 x 0\n",
                            "# 9999999999999999999999 x 0\n" } do
      assert.equal("line 1: file has no numbers", message(text))
    end
  end)

  it("are refused with the line and the reason", function()
    assert.equal("line 3: 2 numbers expected, got 1", message("1,2\n3,4\n5\n"))
    assert.equal("line 2: number expected, got 'x'", message("1,2\n3,x\n"))
    assert.equal("line 2: number expected, got ''", message("1,2\n3,\n"))
    assert.equal("line 2: number expected, got ',4'", message("1,2\n,4\n"))
    assert.equal("line 2: number expected, got '4x'", message("1,2\n3,4x\n"))
    assert.matches("file has no numbers", message("a,b\n"))
  end)
end)
