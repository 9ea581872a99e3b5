--- Every kind of pool: the contract specs (those below neap/pool that go through this list) run on
--- each. A new transport adds its lines here.
local command = require "spec.support.command"
local neap = require "neap"

---@class PoolKind
---@field name string
---@field workers integer    of a pool of this kind
---@field is_inline boolean  in the driver's own process
---@field open fun(options: PoolOptions?): WorkerPool
---@field run fun(script: string): Outcome  of a driver of its own, in which `pool` is such a pool

-- What comes of a driver of its own, in which `pool` is one of that many processes.
local function run(workers, script)
  return command.run("%neap% -e " .. command.quote(([[
    local neap = require "neap"
    local pool <close> = neap.pool { workers = %d }
    %s]]):format(workers, script)))
end

---@return PoolKind
local function kind(name, workers)
  return {
    name = name,
    workers = math.max(workers, 1),
    is_inline = workers == 0,
    open = function(options)
      local o = { workers = workers }
      for key, value in pairs(options or {}) do o[key] = value end
      return neap.pool(o)
    end,
    run = function(script) return run(workers, script) end,
  }
end

return {
  kind("an inline pool", 0),
  kind("a pool of 1 process", 1),
  kind("a pool of 2 processes", 2),
  kind("a pool of 5 processes", 5),
  run = run,
}
