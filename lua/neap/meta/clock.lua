---@meta host.clock

local clock = {}

--- The time that passes.
---@return number  seconds since some point in the past; never goes back
---@nodiscard
function clock.now() end

return clock
