-- Where neap.save writes: what the name leads to, with the permissions that are there.
local neap = require "neap"
local lfs = require "lfs"
local command = require "spec.support.command"
local leaks = require "spec.support.leaks"
local Matrix = neap.Matrix

describe("neap.save", function()
  leaks.watch(before_each, after_each)
  local folder, remove
  before_each(function() folder, remove = command.folder() end)
  after_each(function() remove() end)

  local function write(name, text)
    local file <close> = assert(io.open(folder .. "/" .. name, "w"))
    file:write(text)
  end

  local function link(target, name) assert(lfs.link(target, folder .. "/" .. name, true)) end

  it("writes through symbolic links, and leaves them", function()
    assert(lfs.mkdir(folder .. "/data"))
    assert(lfs.mkdir(folder .. "/links"))
    write("data/there.npy", "old")
    link(folder .. "/data/there.npy", "links/absolute.npy")
    link("../data/there.npy", "links/relative.npy")
    link("relative.npy", "links/chain.npy")
    link("../data/new.npy", "links/dangling.npy")
    for k, name in ipairs { "absolute", "relative", "chain", "dangling" } do
      local path = ("%s/links/%s.npy"):format(folder, name)
      neap.save(path, Matrix.identity(k))
      assert.equal("link", lfs.symlinkattributes(path, "mode"))
      assert.equal(k, neap.load(path).dim)
    end
    assert.equal(3, neap.load(folder .. "/data/there.npy").dim)
    assert.equal(4, neap.load(folder .. "/data/new.npy").dim)
    assert.same({ "new.npy", "there.npy" }, command.names(folder .. "/data"))
    assert.same({ "absolute.npy", "chain.npy", "dangling.npy", "relative.npy" },
      command.names(folder .. "/links"))
  end)

  it("refuses links that lead in a circle or to nowhere", function()
    link("b.npy", "a.npy")
    link("a.npy", "b.npy")
    link("missing/x.npy", "c.npy")
    assert.has_error(function() neap.save(folder .. "/a.npy", Matrix.identity(1)) end,
      folder .. "/a.npy: Too many levels of symbolic links")
    assert.has_error(function() neap.save(folder .. "/c.npy", Matrix.identity(1)) end,
      folder .. "/c.npy: No such file or directory")
    assert.same({ "a.npy", "b.npy", "c.npy" }, command.names(folder))
  end)

  it("keeps the permissions of a file that is there", function()
    local path = folder .. "/private.npy"
    write("private.npy", "old")
    assert(os.execute("chmod 600 " .. command.quote(path)))
    neap.save(path, Matrix.identity(2))
    assert.equal("rw-------", lfs.attributes(path, "permissions"))
    assert.equal(2, neap.load(path).dim)
  end)

  it("writes to devices and pipes themselves", function()
    link("/dev/full", "full.csv")
    link("/dev/null", "null.csv")
    assert.has_error(function() neap.save(folder .. "/full.csv", Matrix.identity(2)) end,
      folder .. "/full.csv: No space left on device")
    neap.save(folder .. "/null.csv", Matrix.identity(2))
    assert.equal("char device", lfs.attributes("/dev/full", "mode"))
    assert.equal("char device", lfs.attributes("/dev/null", "mode"))
    local path = command.quote(folder .. "/pipe.csv")
    assert(os.execute("mkfifo " .. path))
    local reader <close> = assert(io.popen("timeout 60 cat " .. path))
    neap.save(folder .. "/pipe.csv", Matrix.from_table { { 1, 2 } })
    assert.equal("1,2\n", reader:read "a")
    assert.same({ "full.csv", "null.csv", "pipe.csv" }, command.names(folder))
  end)

  it("says of an array that it is closed, and of a path that it is none", function()
    local A = Matrix.identity(2)
    A:close()
    assert.has_error(function() neap.save(folder .. "/a.npy", A) end, "bad argument #2 to 'save' "
      .. "(VectorArray, Matrix or SparseMatrix expected, got Matrix (closed))")
    for _, f in ipairs { neap.save, neap.load } do
      assert.has_error(function() f(folder .. "/a.npy\0.csv", A) end,
        "bad argument #1 to 'f' (path has a 0 byte in it)")
    end
    assert.same({}, command.names(folder))
  end)

  it("and neap.load show no more of a bad line than fits, and no control characters", function()
    local function message_of(text)
      write("x.csv", text)
      local ok, message = pcall(neap.load, folder .. "/x.csv")
      assert.is_false(ok)
      return (message:gsub("^.-x.csv: ", ""))
    end
    assert.equal("line 100: number expected, got '2\\x0D3,\\x1B[31m'",
      message_of(("1,2\n"):rep(99) .. "1,2\r3,\27[31m"))
    local long = message_of("1," .. ("\u{E4}"):rep(100000))
    assert.is_true(#long < 250 and utf8.len(long) ~= nil)
    assert.matches("%.%.%.$", long)
  end)

  it("and neap.load know decimal numbers only, and integers where a file has them", function()
    local head = "%%MatrixMarket matrix "
    for text, complaint in pairs {
      ["0x10,1\n"] = "line 1: number expected, got '0x10,1'",
      ["1,0X1P3\n"] = "line 1: number expected, got '0X1P3'",
      ["1,nan(1)\n"] = "line 1: number expected, got 'nan(1)'",
      [head .. "coordinate real general\n1 1 1\n1 1 0x10\n"] =
        "line 3: number expected, got '0x10'",
      [head .. "coordinate integer general\n1 1 1\n1 1 1.5\n"] =
        "line 3: integer expected, got 1.5",
      [head .. "array integer general\n1 1\ninf\n"] = "line 3: integer expected, got inf",
    } do
      write("x.csv", text)
      assert.has_error(function() return neap.load(folder .. "/x.csv") end,
        folder .. "/x.csv: " .. complaint)
    end
    write("x.mtx", head .. "coordinate integer general\n1 1 1\n1 1 9007199254740993\n")
    assert.equal(9007199254740992, neap.load(folder .. "/x.mtx"):get(1, 1))
  end)

  it("and neap.load stand in the caller's line, for a .mat file too", function()
    neap.save(folder .. "/x.mat", { x = Matrix.identity(3) })
    local file = assert(io.open(folder .. "/x.mat", "rb"))
    local bytes = file:read "a"
    file:close()
    write("x.mat", bytes:sub(1, -9))
    local ok, message = pcall(function()
      local x = neap.load(folder .. "/x.mat") return x
    end)
    assert.is_false(ok)
    assert.matches("^[^:]*save_spec.lua:%d+: .*x%.mat: byte %d+: ", message)
  end)
end)
