--- Kills a random worker of the process that started this one, again and again, as long as the
--- flag and that process are there; then prints how many it killed, by signal.
--
--     neap storm_killer.lua FLAG SEED SIGNALS LEAST MOST
--
-- SIGNALS: names with commas between; LEAST, MOST: seconds from one to the next.
local flag, seed, signals, least, most = table.unpack(arg)
least, most = tonumber(least), tonumber(most)
math.randomseed(math.tointeger(tonumber(seed)))

local names = {}
for name in signals:gmatch("%u+") do names[#names + 1] = name end

local function read(path)
  local file = io.open(path, "rb")
  local text = file and file:read("a")
  if file then file:close() end
  return text
end

local parent = read("/proc/self/stat"):match("%) %a (%d+)")

local function workers()
  local list = {}
  local children = read(("/proc/%s/task/%s/children"):format(parent, parent)) or ""
  for pid in children:gmatch("%d+") do
    local line = read(("/proc/%s/cmdline"):format(pid))
    if line and line:find("\0--worker\0", 1, true) then list[#list + 1] = pid end
  end
  return list
end

local counts = {}
while read(flag) and read(("/proc/%s/stat"):format(parent)) do
  os.execute(("sleep %.3f"):format(least + math.random() * (most - least)))
  local list = workers()
  if #list > 0 then
    local name = names[math.random(#names)]
    if os.execute(("kill -s %s %s 2>/dev/null"):format(name, list[math.random(#list)])) then
      counts[name] = (counts[name] or 0) + 1
    end
  end
end

local words = {}
for _, name in ipairs(names) do words[#words + 1] = ("%s %d"):format(name, counts[name] or 0) end
print(table.concat(words, ", "))
