--- The options that a pool is opened with.
local core = require "host.pool"
local options = require "neap.options"

local M = {}

local MOST = 4096 -- workers, and threads of one: what is more is a mistake

local DEFAULTS = {
  workers = options.any, seed = 42, blas_threads = 1, setup = options.any,
  memory_limit = options.any,
}

local CHECKS = {
  workers = options.integer(0, MOST, ("an integer from 0 to %d"):format(MOST)),
  seed = options.integer(math.mininteger, math.maxinteger, "an integer"),
  blas_threads = options.integer(1, MOST, ("an integer from 1 to %d"):format(MOST)),
  setup = { options.is_callable, "function" },
  memory_limit = options.integer(0, math.maxinteger, "an integer of at least 0"),
}

---@class PoolOptions
---@field workers integer?       default one per core, 0: inline, in this process
---@field seed integer?          of the random numbers; default 42, within a call on a worker a
---  random number of that
---@field blas_threads integer?  on each worker; default 1
---@field setup function?        run once on every worker, also on one that replaces a dead one;
---  where it fails there, calls of that worker raise its error, and others do maps
---@field memory_limit integer?  bytes that a worker process may have as its own, arrays it has
---  received among them (default: no limit): what asks for more raises there. An inline pool has
---  no process of its own to limit: refused beside workers = 0, without effect where --workers 0
---  or a worker, which has its own limit, makes the pool inline

--- All options, checked; workers as many as there are to be.
---@param given PoolOptions?
---@param level integer  of the function to blame
---@return PoolOptions
---@nodiscard
function M.parse(given, level)
  if type(given) == "number" then
    error(("options: table expected, got number: call neap.pool { workers = %s }"):format(given),
      level + 1)
  end
  local o = options.parse(given, DEFAULTS, level + 1)
  options.check(o, CHECKS, level + 1)
  if o.workers == 0 and (o.memory_limit or 0) > 0 then
    error("memory_limit: no worker process to limit with workers = 0: an inline pool runs in "
      .. "this process", level + 1)
  end
  if o.workers == nil then o.workers = core.default_workers() or core.available_cores() end
  if core.is_worker() then
    o.workers = 0 -- no processes below processes
    if not (given and given.seed) then o.seed = math.random(0) end -- other numbers for each item
  end
  return o
end

return M
