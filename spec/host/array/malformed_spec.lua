-- Every file that is there loads; every file that is not what it says is refused, with its name,
-- the place and the reason, and nothing partial is ever left.
local neap = require "neap"
local lfs = require "lfs"
local command = require "spec.support.command"
local leaks = require "spec.support.leaks"
require "spec.support.arrays"
local Matrix, SparseMatrix = neap.Matrix, neap.SparseMatrix

local i = neap.complex(0, 1)
local has_mat = lfs.attributes(command.neap:match("^(.*)/") .. "/neap_mat.so") ~= nil
local is_root = command.run("test $(id -u) = 0").code == 0

local function plain(text) return (text:gsub("%p", "%%%0")) end

--- Calls f with the path and the ending of each file of arrays below folder.
local function each_file(folder, f)
  for name in lfs.dir(folder) do
    local path = folder .. "/" .. name
    if lfs.attributes(path, "mode") == "directory" then
      if name:sub(1, 1) ~= "." then each_file(path, f) end
    else
      local ending = name:match("%.(%a+)$")
      if ending == "mat" and not has_mat then ending = nil end
      if ending == "npy" or ending == "mtx" or ending == "mat" then f(path, ending) end
    end
  end
end

describe("files of arrays", function()
  leaks.watch(before_each, after_each)
  local folder, remove, path
  before_each(function()
    folder, remove = command.folder()
    path = folder .. "/file"
  end)
  after_each(function() remove() end)

  -- A fresh file each time: some file systems wait for the disk when one is overwritten.
  local function write(bytes)
    os.remove(path)
    command.write(bytes, path)
  end

  local function load(bytes)
    write(bytes)
    return neap.load(path)
  end

  local function message(bytes)
    write(bytes)
    local ok, why = pcall(neap.load, path)
    assert.is_false(ok)
    assert.equal(path .. ": ", why:sub(1, #path + 2))
    return (why:sub(#path + 3))
  end

  it("of the references all load, and are the same when they have been saved", function()
    local count = 0
    local function check(name, ending)
      if name:find("version4") then return end
      local object = neap.load(name)
      count = count + 1
      if ending == "mat" then return end -- mat_spec.lua and scipy_spec.lua compare these
      local copy = folder .. "/copy." .. ending
      neap.save(copy, object)
      local again = neap.load(copy)
      os.remove(copy)
      if ending == "npy" then
        assert.close_arrays(object, again)
      else
        assert.equal(tostring(object), tostring(again))
        local difference = object - again
        assert.equal(0, difference:norm())
      end
      local M = neap.load(name, { as = "Matrix" })
      assert.same({ object.rows or object.dim, object.cols or #object }, { M.rows, M.cols })
    end
    each_file("spec/reference", check)
    assert.is_true(count >= 30)
    each_file("spec/host/array/files", check)
    assert.is_true(count >= 54)
  end)

  -- One small file of each kind. lasts: how many bytes may be missing at the end of a text that
  -- cannot tell; texts of rows cannot tell at all.
  local kinds = {
    ["npy"] = { object = Matrix.from_table { { 1, i }, { 2, 3 } }, lasts = 0 },
    ["mtx"] = {
      object = SparseMatrix.from_triplets(2, 1, { 1, 2 }, { 1, 1 }, { i, 3 }),
      lasts = 1,
    },
    ["mtx.gz"] = { object = Matrix.from_table { { 1.5, 2 }, { 3, 4 } }, lasts = 0 },
    ["csv"] = { object = Matrix.from_table { { 1, 2 }, { 3, 4 } }, lasts = math.huge },
  }
  if has_mat then kinds["mat"] = { object = { A = Matrix.from_table { { 1, i } } }, lasts = 0 } end

  for ending, kind in pairs(kinds) do
    it("are refused when they are cut short: ." .. ending, function()
      local name = folder .. "/whole." .. ending
      neap.save(name, kind.object)
      local whole = command.slurp(name)
      for len = 0, #whole - 1 do
        -- The header of a .mat alone is a file of no variables.
        local may_load = #whole - len <= kind.lasts or (ending == "mat" and len == 128)
        write(whole:sub(1, len))
        local ok, why = pcall(neap.load, path)
        if not ok then assert.equal(path .. ": ", why:sub(1, #path + 2))
        else assert.is_true(may_load, ("%d bytes of %d"):format(len, #whole)) end
      end
    end)

    it("are refused when something follows: ." .. ending, function()
      local name = folder .. "/whole." .. ending
      neap.save(name, kind.object)
      if ending == "mtx.gz" then return end -- gzip lets anything follow
      assert.is_string(message(command.slurp(name) .. "x"))
    end)

    it("leave nothing when the disk is full: ." .. ending, function()
      local where = folder .. "/disk"
      assert(lfs.mkdir(where))
      if command.run("unshare -m mount -t tmpfs -o size=64k none " .. where).code ~= 0 then
        return pending("where a small file system can be mounted")
      end
      local outcome = command.run(([=[unshare -m sh -c "
        mount -t tmpfs -o size=64k none %s && cd %s && %%neap%% -e '
          local neap = require [[neap]]
          local U = neap.VectorArray.random(20000, 1, { seed = 1 })
          local ok, why = pcall(neap.save, [[x.%s]], [[%s]] == [[mat]] and { U = U } or U)
          print(ok, why)' && ls -A"]=]):format(where, where, ending, ending))
      assert.equal("", outcome.err)
      assert.equal(("false\tx.%s: No space left on device\n"):format(ending), outcome.out)
    end)
  end

  it("are refused when they are empty, folders, missing or not to be read", function()
    assert.equal("file is empty", message(""))
    assert.has_error(function() return neap.load(folder) end, folder .. ": Is a directory")
    local missing = folder .. "/missing.mat"
    assert.has_error(function() return neap.load(missing) end,
      missing .. ": No such file or directory")
    command.write("1,2\n", path)
    assert(os.execute("chmod 000 " .. path))
    local run = "%neap%"
    if is_root then -- for whom nothing is forbidden
      run = "setpriv --reuid 65534 --clear-groups %neap%"
      if command.run(run .. " -e 'require [[neap]]'").code ~= 0 then
        return pending("nobody else can run neap from here")
      end
      assert(os.execute("chmod 755 " .. folder))
    end
    local outcome = command.run(run .. " -e 'print(pcall(require [[neap]].load, [[" .. path
      .. "]]))'")
    assert.equal("false\t" .. path .. ": Permission denied\n", outcome.out)
  end)

  it("are known by their first bytes", function()
    local unknown = "neither a .npy, a .mtx, a .mat nor a .csv file"
    assert.equal(unknown, message("\x93NUMPX\1\0v\0{'descr': '<f8'}"))
    assert.equal(unknown, message("\x7fELF\2\1\1\0\0\0\0\0"))
    assert.equal(unknown, message("PK\3\4" .. ("\0"):rep(30))) -- a .npz, say
    assert.matches("^line 2: number expected, got '%%%%matrixmarke", message(
      "a,b\n%%matrixmarke matrix array real general\n"))
    if has_mat then
      assert.matches("^byte %d+: file ends in the header", message("MATLAB 5.0 MAT-file"))
    end
  end)

  it("may have lines that end as DOS's do", function()
    local mtx = "%%MatrixMarket matrix coordinate complex general\r\n%\r\n1 2 1\r\n1 2 3 -4\r\n"
    assert.close_arrays({ { 0, 3 - 4 * i } }, load(mtx):to_matrix())
    assert.close_arrays({ { 1, 2 }, { 3, 4 } }, load("x,y\r\n1,2\r\n3,4\r\n"))
  end)

  it("may have NaN and infinities", function()
    local nan, inf = 0 / 0, math.huge
    local M = Matrix.from_table { { nan, inf }, { -inf, 0 } }
    local Z = M + i * M
    for ending in pairs(kinds) do
      local name = folder .. "/nan." .. ending
      neap.save(name, ending == "mat" and { M = M } or M)
      local again = neap.load(name, { as = "Matrix" })
      assert.close_arrays(M, ending == "mat" and again.M or again)
      if ending ~= "csv" then
        neap.save(name, ending == "mat" and { M = Z } or Z)
        again = neap.load(name, { as = "Matrix" })
        again = ending == "mat" and again.M or again
        assert.close_arrays(Z:real(), again:real())
        assert.close_arrays(Z:imag(), again:imag())
      end
    end
    local A = SparseMatrix.from_triplets(2, 2, { 1, 2 }, { 1, 2 }, { nan, inf })
    neap.save(folder .. "/a.mtx", A)
    assert.close_arrays(A:to_matrix(), neap.load(folder .. "/a.mtx"):to_matrix())
  end)

  it("leave what had the name, when what should replace it cannot be written", function()
    for ending, kind in pairs(kinds) do
      local name = folder .. "/x." .. ending
      neap.save(name, kind.object)
      local before = command.slurp(name)
      local big = neap.VectorArray.random(20000, 1, { seed = 1 })
      neap.save(folder .. "/big.npy", big)
      local outcome = command.run(([[cd %s && trap '' XFSZ && ulimit -f 8 && %%neap%% -e '
        local neap = require "neap"
        local U = neap.load "big.npy"
        print(pcall(neap.save, "x.%s", "%s" == "mat" and { U = U } or U))']])
        :format(folder, ending, ending))
      os.remove(folder .. "/big.npy")
      assert.matches("^false\tx%." .. plain(ending) .. ": File too large\n$", outcome.out)
      assert.equal(before, command.slurp(name))
      os.remove(name)
      assert.same({}, command.names(folder))
    end
  end)
end)
