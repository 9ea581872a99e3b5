--- How far a call is: a line for the user, and a table for whoever asks.
local core = require "host.pool"
local clock = require "host.clock".now

local M = {}

---@class Progress
---@field done integer    workers, or items of a map, that have answered
---@field total integer
---@field seconds number  since the call began to be waited for
---@field rate number     done in a second
---@field left number     seconds that the rest will take at this rate; math.huge: not known yet
---@field busy integer    workers that are at it
---@field title string?

local LOOK_SECONDS = 0.1          -- between two looks
local QUIET_SECONDS = 0.5         -- no line on a terminal before that
local LINE_SECONDS = 10           -- between two lines elsewhere

local function duration(seconds)
  if seconds == math.huge then return "?" end
  local s = math.ceil(seconds)
  if s < 3600 then return ("%d:%02d"):format(s // 60, s % 60) end
  return ("%d:%02d:%02d"):format(s // 3600, s // 60 % 60, s % 60)
end

local function line(p)
  local rate = p.rate >= 10 and ("%.0f"):format(p.rate) or ("%.2g"):format(p.rate)
  return ("%s%d of %d (%.0f %%), %s/s, %s left, %d busy"):format(
    p.title and p.title .. ": " or "", p.done, p.total, 100 * p.done / math.max(p.total, 1),
    rate, duration(p.left), p.busy)
end

---@class ProgressView
local View = {}
View.__index = View

local function measure(self, call)
  local done, total, busy = call:progress()
  local seconds = clock() - self.began
  local rate = seconds > 0 and done / seconds or 0
  return { done = done, total = total, seconds = seconds, rate = rate, busy = busy,
    left = rate > 0 and (total - done) / rate or math.huge, title = self.title }
end

--- Shows and tells how far the call is, if it is time to.
function View:look(call)
  local now = clock()
  if now < self.next then return end
  self.next = now + LOOK_SECONDS
  local p = measure(self, call)
  if self.tells then self.tells(p) end
  if not self.shows or now < self.next_line then return end
  if self.on_terminal then
    io.stderr:write("\r", line(p), "\27[K\r")
    self.has_line = true
  else
    io.stderr:write(line(p), "\n")
    self.next_line = now + LINE_SECONDS
  end
end

--- The call is over, or is waited for no more.
function View:stop(call)
  if self.has_line then io.stderr:write("\r\27[K") end
  if self.tells then self.tells(measure(self, call)) end
end

--- Begins to show how far a call is.
---@param o ViewOptions
---@return ProgressView
---@nodiscard
function M.start(o)
  local on_terminal = core.stderr_is_terminal()
  local began = clock()
  local is_wanted = o.progress or o.on_progress
  return setmetatable({
    began = began, on_terminal = on_terminal, tells = o.on_progress,
    shows = o.progress and os.getenv "NEAP_PROGRESS" ~= "0",
    title = type(o.progress) == "string" and o.progress or nil,
    interval = is_wanted and LOOK_SECONDS or math.huge,
    next = is_wanted and began + LOOK_SECONDS or math.huge,
    next_line = began + (on_terminal and QUIET_SECONDS or LINE_SECONDS),
  }, View)
end

--- Waits for a call and shows meanwhile how far it is.
---@param call userdata
---@param o ViewOptions
---@return boolean is_over  false: time is over, or the user has interrupted
function M.wait(call, o)
  local view = M.start(o)
  local limit = o.timeout and view.began + o.timeout or math.huge
  local over
  repeat
    over = call:wait(math.max(math.min(view.interval, limit - clock()), 0))
    view:look(call)
  until over or clock() >= limit or core.is_interrupted()
  view:stop(call)
  return over
end

return M
