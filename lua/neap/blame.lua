--- Errors that stand where the user's code does, however deep in the library a mistake is seen.

local ROOT = debug.getinfo(1, "S").source:match "^(.*)blame%.lua$" -- of neap's own modules

-- Up from here: the first function that is neither C nor one of neap's own. On a worker there may
-- be none.
local function level_of_user()
  local level = 3 -- 1 is this function, 2 blame
  while true do
    local info = debug.getinfo(level, "S")
    if info == nil then return 0 end
    if info.what ~= "C" and info.source:sub(1, #ROOT) ~= ROOT then return level - 1 end
    level = level + 1
  end
end

--- Raises the message, with the position of the innermost caller outside of neap.
---@param message string
return function(message)
  error(message, level_of_user())
end
