-- What control groups grant, read from a tree of files as the kernel shows it.
local command = require "spec.support.command"
local lfs = require "lfs"

package.cpath = command.neap:match "^(.*)/" .. "/?.so;" .. package.cpath -- for kernel
local kernel = require "kernel"

local MIB = 1 << 20

describe("the memory that control groups leave", function()
  local root

  local function write(path, text)
    local folder = root
    for part in path:gmatch "([^/]+)/" do
      folder = folder .. "/" .. part
      lfs.mkdir(folder)
    end
    local file = assert(io.open(root .. "/" .. path, "w"))
    file:write(text)
    file:close()
  end

  before_each(function()
    root = os.tmpname()
    os.remove(root)
    assert(lfs.mkdir(root))
  end)

  after_each(function()
    os.execute(("rm -r '%s'"):format(root))
  end)

  --- Limit and what is left of it, in MiB, of the groups that text names.
  local function available(text)
    write("groups", text)
    local limit, left = kernel.available(root .. "/groups", root)
    return limit and limit / MIB, left and left / MIB
  end

  local function group(path, max, current, stat)
    write(path .. "memory.max", max .. "\n")
    write(path .. "memory.current", current .. "\n")
    if stat then write(path .. "memory.stat", stat) end
  end

  it("is what is not used, but for file cache that can be dropped", function()
    group("jobs/one/", 512 * MIB, 400 * MIB,
      ("anon 1\nfile 2\ninactive_anon 7\ninactive_file %d\nslab 3\n"):format(100 * MIB))
    assert.same({ 512, 212 }, { available "0::/jobs/one\n" })
    group("jobs/one/", 512 * MIB, 600 * MIB)
    write("jobs/one/memory.stat", "anon 1\n")
    assert.same({ 512, 0 }, { available "0::/jobs/one\n" })
  end)

  it("is the least of all groups above the process", function()
    group("jobs/", 1000 * MIB, 990 * MIB)
    group("jobs/one/", 512 * MIB, 100 * MIB)
    assert.same({ 512, 10 }, { available "0::/jobs/one\n" })
    write("jobs/memory.high", ("%d\n"):format(300 * MIB))
    assert.same({ 300, 0 }, { available "0::/jobs/one\n" })
  end)

  it("is that of the mount where a container does not see its own path", function()
    group("", 256 * MIB, 56 * MIB)
    assert.same({ 256, 200 }, { available "0::/machine/container\n" })
    assert.same({ 256, 200 }, { available "0::/\n" })
  end)

  it("is read from groups of the first version as well", function()
    write("memory/docker/a/memory.limit_in_bytes", ("%d\n"):format(128 * MIB))
    write("memory/docker/a/memory.usage_in_bytes", ("%d\n"):format(100 * MIB))
    write("memory/docker/a/memory.stat",
      ("cache 1\ninactive_file 5\ntotal_inactive_file %d\n"):format(30 * MIB))
    write("memory/memory.limit_in_bytes", "9223372036854771712\n")
    assert.same({ 128, 58 }, { available "5:cpu:/x\n4:memory:/docker/a\n0::/docker/a\n" })
  end)

  it("has no limit where nothing is said, or what is no number", function()
    assert.same({}, { available "0::/jobs\n" })
    assert.same({}, { available "" })
    assert.same({}, { available "nonsense\n::\n0:memory\n" })
    group("jobs/", "max", 5)
    assert.same({}, { available "0::/jobs\n" })
    write("memory/memory.limit_in_bytes", "9223372036854771712\n")
    assert.same({}, { available "4:memory:/\n" })
    local limit = kernel.available(root .. "/nowhere", root)
    assert.is_nil(limit)
  end)
end)

describe("the memory that can be filled at most", function()
  local function of(name)
    local file <close> = assert(io.open "/proc/meminfo")
    return tonumber(file:read("a"):match("\n?" .. name .. ":%s*(%d+) kB")) * 1024
  end

  it("is that of the machine, or of the control group, and what is swapped to", function()
    local swap = of "SwapTotal"
    assert.equal(of "MemTotal" + swap, kernel.at_most())
    assert.equal(300 * MIB + swap, kernel.at_most(300 * MIB))
    assert.equal(swap, kernel.at_most(0))
    assert.equal(of "MemTotal" + swap, kernel.at_most(of "MemTotal" + 1))
  end)
end)
