--- Every kind of pool: the contract spec runs on each. A new transport adds its lines here.
local neap = require "neap"

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
  }
end

return {
  kind("an inline pool", 0),
  kind("a pool of 1 process", 1),
  kind("a pool of 2 processes", 2),
  kind("a pool of 5 processes", 5),
}
