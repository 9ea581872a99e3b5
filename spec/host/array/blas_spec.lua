describe("blas_threads", function()
  local threads = require "host.array".blas_threads

  it("returns the number of threads, and sets it", function()
    local before = threads()
    assert.equal(before, threads(1))
    assert.equal(1, threads(before))
    assert.equal(before, threads())
  end)

  it("refuses what is no number of threads", function()
    assert.error_matches(function() threads(0) end, "positive number expected", 1, true)
    assert.error_matches(function() threads "all" end, "number expected, got string", 1, true)
  end)
end)

describe("factorisations of small matrices", function()
  local threads = require "host.array".blas_threads
  local VectorArray = require "neap".VectorArray
  local before
  before_each(function() before = threads() end)
  after_each(function() threads(before) end)

  -- On two threads OpenBLAS gives eigh and svd of 120 x 120 other last bits.
  it("run on one thread, whatever is set, which stays", function()
    local all = {}
    for i = 1, 120 do all[i] = i end
    local M = VectorArray.random(120, 120, { seed = 1, low = -1 }):dofs(all)
    local B, S = VectorArray.random(120, 3, { seed = 2 }), M:T() * M
    local calls = {
      qr = function() return M:qr() end,
      svd = function() return M:svd() end,
      eigh = function() return S:eigh() end,
      ["eigh with B"] = function() return S:eigh(S) end,
      eig = function() return M:eig() end,
      lu = function() return M:lu():solve(B) end,
      cholesky = function() return S:cholesky():solve(B) end,
      lstsq = function() return M:lstsq(B) end,
    }
    local function plain(object)
      return type(object) == "userdata" and object:to_table() or object
    end
    for name, call in pairs(calls) do
      threads(1)
      local expected = table.pack(call())
      threads(2)
      local got = table.pack(call())
      assert.equal(2, threads(), name)
      for k = 1, expected.n do assert.same(plain(expected[k]), plain(got[k]), name) end
    end
    assert.is_false(pcall(function() return VectorArray.zeros(4, 4):dofs { 1, 2, 3, 4 }:lu() end))
    assert.equal(2, threads())
  end)
end)

describe("blas_kernels", function()
  local kernels = require "host.array".blas_kernels
  local command = require "spec.support.command"

  it("names the processor that they are for", function()
    assert.matches("^%w+$", kernels())
  end)

  -- Both are kernels that every processor of the kind can run.
  it("are those of the user's OPENBLAS_CORETYPE, on workers too", function()
    local script = [["local neap = require 'neap'
      local function name()
        local kernels = require 'host.array'.blas_kernels()
        return kernels .. ' ' .. tostring(os.getenv 'OPENBLAS_CORETYPE')
      end
      local pool <close> = neap.pool { workers = 2 }
      local names = pool:apply(name)
      print(name() .. ', ' .. names[1] .. ', ' .. names[2])"]]
    for _, core in ipairs { "Prescott", "Nehalem" } do
      local one = ("%s %s"):format(core, core)
      assert.equal(("%s, %s, %s\n"):format(one, one, one),
        command.run(("OPENBLAS_CORETYPE=%s %%neap%% -e %s"):format(core, script)).out)
    end
    local one = kernels() .. " nil"
    if os.getenv "OPENBLAS_CORETYPE" == nil then
      local got = command.run("%neap% -e " .. script)
      assert.equal(("%s, %s, %s\n"):format(one, one, one), got.out)
    end
  end)
end)
