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
