--- A program at a pseudo-terminal, made by script(1): keys go in, what it shows comes out.
local command = require "spec.support.command"

---@class Terminal
---@field folder string  holds the pipe that the screen comes through
local Terminal = { __name = "Terminal" }
Terminal.__index = Terminal
local M = {}

local LIMIT = 20 -- seconds that a session may take; then it is killed and the spec fails

--- Starts a shell command, in which %neap% stands for the executable, at a terminal.
---@param line string
---@return Terminal
---@nodiscard
function M.open(line)
  local folder, remove = command.folder()
  assert(os.execute("mkfifo " .. folder .. "/screen"))
  line = line:gsub("%%neap%%", (command.quote(command.neap):gsub("%%", "%%%%")))
  local keys = assert(io.popen(("timeout %d script -qefc %s /dev/null >%s/screen 2>&1")
    :format(LIMIT, command.quote("exec env TERM=xterm " .. line), folder), "w"))
  keys:setvbuf("no")
  local screen = assert(io.open(folder .. "/screen", "rb"))
  return setmetatable({ folder = folder, keys = keys, screen = screen, seen = "", remove = remove },
    Terminal)
end

--- Types the text; "\r" is the Enter key, "\3" Ctrl-C, "\4" Ctrl-D, "\27[A" the up arrow.
---@param text string
function Terminal:type(text)
  assert(self.keys:write(text))
end

--- Reads on until the text has been shown. What came up to there is forgotten.
---@param text string  plain, as one reads it: without the sequences that move the cursor
---@return string      what was shown before it
function Terminal:expect(text)
  while true do
    local plain = self.seen:gsub("\27%[[%d;?]*%a", ""):gsub("\r", "")
    local first, last = plain:find(text, 1, true)
    if first then
      self.seen = plain:sub(last + 1)
      return plain:sub(1, first - 1)
    end
    local byte = self.screen:read(1)
    if not byte then error(("%q was not shown, but %q"):format(text, plain), 2) end
    self.seen = self.seen .. byte
  end
end

--- Waits for the program's end.
---@return string  what it showed last
---@return integer code
function Terminal:close()
  local rest = self.seen .. self.screen:read("a")
  self.screen:close()
  local _, _, code = self.keys:close()
  self.remove()
  return rest, code
end

return M
