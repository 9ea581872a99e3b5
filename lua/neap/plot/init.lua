--- Pictures, drawn by gnuplot into a file or on the terminal.
local gnuplot = require "neap.plot.gnuplot"
local options_ = require "neap.options"

local M = {}

local COMMON = {
  file = options_.any, title = "", width = 800, height = 560, xlabel = "", ylabel = "",
}

local function with(extra)
  local spec = {}
  for name, default in pairs(COMMON) do spec[name] = default end
  for name, default in pairs(extra) do spec[name] = default end
  return spec
end

local COLORS = { "#1f6fb4", "#d95f02", "#2a9d4e", "#7b4fa3", "#b8860b", "#555555" }

-- What all pictures with two axes share.
local function axes(o, level)
  local lines = gnuplot.terminal(o, level + 1)
  table.move({
    "set title " .. gnuplot.quote(o.title),
    "set xlabel " .. gnuplot.quote(o.xlabel),
    "set ylabel " .. gnuplot.quote(o.ylabel),
    "set grid lc rgb '#d8d8d8' lw 0.8",
    "set border 3 lc rgb '#444444'",
    "set tics nomirror",
  }, 1, 6, #lines + 1, lines)
  return lines
end

local function check_numbers(list, what, level)
  if type(list) ~= "table" then
    error(("%s: list of numbers expected, got %s"):format(what, type(list)), level + 1)
  end
  for i = 1, #list do
    if type(list[i]) ~= "number" then
      error(("%s: entry %d is a %s; number expected"):format(what, i, type(list[i])), level + 1)
    end
  end
end

-- Curves over counts, with a logarithmic axis. A value that such an axis cannot show is left out.
local function curves(series, o, level)
  if type(series) ~= "table" or #series == 0 then
    error("series: list of numbers, or of {label =, values =}, expected", level + 1)
  end
  if type(series[1]) == "number" then series = { { values = series } } end
  local lines, plots, shown = axes(o, level + 1), {}, 0
  for s, curve in ipairs(series) do
    check_numbers(curve.values, ("series[%d].values"):format(s), level + 1)
    local rows, first = {}, curve.first or o.first
    for i, y in ipairs(curve.values) do
      if y > 0 and y < math.huge then rows[#rows + 1] = { first + i - 1, y } end
    end
    shown = shown + #rows
    if #rows > 0 then
      gnuplot.data(lines, "series" .. s, rows)
      plots[#plots + 1] = ("$series%d using 1:2 with linespoints lw 1.8 pt %d ps 0.9 "
        .. "lc rgb '%s' %s"):format(s, ({ 7, 5, 9, 13, 11, 6 })[(s - 1) % 6 + 1],
        COLORS[(s - 1) % #COLORS + 1],
        curve.label and "title " .. gnuplot.quote(curve.label) or "notitle")
    end
  end
  if shown == 0 then error("series: no positive finite value to show", level + 1) end
  lines[#lines + 1] = "set logscale y"
  lines[#lines + 1] = "set format y '%.0e'"
  lines[#lines + 1] = "set key top right"
  lines[#lines + 1] = "set xtics 0, " .. o.xstep
  lines[#lines + 1] = "plot " .. table.concat(plots, ", ")
  gnuplot.run(lines, level + 1)
end

-- A step of the tics that leaves about ten.
local function count_step(series)
  local longest = 0
  if type(series) == "table" then
    if type(series[1]) == "number" then longest = #series end
    for _, curve in ipairs(series) do
      if type(curve) == "table" and type(curve.values) == "table" then
        longest = math.max(longest, #curve.values)
      end
    end
  end
  for _, step in ipairs { 1, 2, 5, 10, 20, 50, 100 } do
    if longest <= 20 * step then return step end
  end
  return 10 ^ (math.floor(math.log(longest, 10))) // 1 | 0
end

--- Decaying quantities on a logarithmic axis, such as errors over the size of a basis.
---
--- Options: `file` ("x.png", "x.svg"; else the terminal), `title`, `xlabel`, `ylabel`, `width`,
--- `height` (pixels), `first` (the count that the first value belongs to, default 0).
---@param series number[]|{ label?: string, values: number[], first?: integer }[]
---@param options? table
function M.decay(series, options)
  local o = options_.parse(options, with { first = 0, xlabel = "basis size", ylabel = "error" },
    2)
  o.xstep = count_step(series)
  curves(series, o, 2)
end

--- Singular values on a logarithmic axis.
---@param s number[]|{ label?: string, values: number[] }[]
---@param options? table  as for decay
function M.singular_values(s, options)
  local o = options_.parse(options,
    with { first = 1, xlabel = "index", ylabel = "singular value" }, 2)
  o.xstep = count_step(s)
  curves(s, o, 2)
end

--- A finite element function as a map.
---
--- Options: `file`, `title`, `xlabel`, `ylabel`, `width`, `height`, `label` (of the colours).
---@param U VectorArray  one vector
---@param grid table     with raster(U) -> rows from the bottom, as the problems return it
---@param options? table
function M.field(U, grid, options)
  local o = options_.parse(options,
    with { xlabel = "x", ylabel = "y", label = "", width = 680, height = 620 }, 2)
  if type(grid) ~= "table" or type(grid.raster) ~= "function" then
    error("grid: a grid with the method raster expected", 2)
  end
  if #U ~= 1 then error(("U: one vector expected, got %d"):format(#U), 2) end
  local raster = grid:raster(U)
  local step = 1 / (#raster - 1)
  local lines = gnuplot.terminal(o, 2)
  gnuplot.data(lines, "field", raster)
  local using = ("($1*%.17g):($2*%.17g):3"):format(step, step)
  table.move({
    "set title " .. gnuplot.quote(o.title),
    "set xlabel " .. gnuplot.quote(o.xlabel),
    "set ylabel " .. gnuplot.quote(o.ylabel),
    "set cblabel " .. gnuplot.quote(o.label),
    "set size ratio -1",
    "set xrange [0:1]",
    "set yrange [0:1]",
    ("set tmargin at screen %.3f"):format(math.max(0.6, 1 - 48 / o.height)),
    ("set bmargin at screen %.3f"):format(math.min(0.4, 84 / o.height)), -- tics and label: pixels
    "set lmargin at screen 0.1",
    "set rmargin at screen 0.83",
    "set xtics 0.2 out nomirror",
    "set ytics 0.2 out nomirror",
    "set border 3 lc rgb '#444444'",
  }, 1, 14, #lines + 1, lines)
  if o.file then
    lines[#lines + 1] = "set palette defined (0 '#0d0887', 0.25 '#7e03a8', 0.5 '#cc4778', "
      .. "0.75 '#f89540', 1 '#f0f921')"
    lines[#lines + 1] = "set view map"
    lines[#lines + 1] = "splot $field matrix using " .. using .. " with pm3d notitle"
  else
    lines[#lines + 1] = "set view map"
    lines[#lines + 1] = "unset surface"
    lines[#lines + 1] = "set contour base"
    lines[#lines + 1] = "splot $field matrix using " .. using .. " with lines notitle"
  end
  gnuplot.run(lines, 2)
end

--- Effectivities (estimate over error) of test parameters over the size of the basis: the range
--- from the least to the greatest, and the median.
---@param data { effectivities: number[][], basis_sizes?: integer[] }  a list by test parameter
---  for each basis size; sizes default to 1, 2, ...
---@param options? table  as for decay
function M.effectivities(data, options)
  local o = options_.parse(options,
    with { xlabel = "basis size", ylabel = "effectivity: estimate / error" }, 2)
  if type(data) ~= "table" or type(data.effectivities) ~= "table" then
    error("data: table with a list 'effectivities' expected", 2)
  end
  local lines, rows = axes(o, 2), {}
  for k, list in ipairs(data.effectivities) do
    check_numbers(list, ("data.effectivities[%d]"):format(k), 2)
    local sorted = {}
    for _, x in ipairs(list) do
      if x < math.huge then sorted[#sorted + 1] = x end -- an error of 0 has none
    end
    table.sort(sorted)
    if #sorted > 0 then
      rows[#rows + 1] = { data.basis_sizes and data.basis_sizes[k] or k, sorted[1],
                          sorted[(#sorted + 1) // 2], sorted[#sorted] }
    end
  end
  if #rows == 0 then error("data: no finite effectivity to show", 2) end
  gnuplot.data(lines, "range", rows)
  table.move({
    "set yrange [0:*]",
    "set xtics 0, " .. count_step(data.effectivities),
    "set key outside top center horizontal",
    o.file and "plot $range using 1:2:4 with filledcurves lc rgb '#c6dbef' "
      .. "title 'least to greatest', $range using 1:3 with linespoints lw 1.8 pt 7 ps 0.9 "
      .. "lc rgb '#1f6fb4' title 'median', 1 with lines dt 2 lc rgb '#444444' notitle"
      or "plot $range using 1:4 with linespoints title 'greatest', "
      .. "$range using 1:2 with linespoints title 'least'",
  }, 1, 4, #lines + 1, lines)
  gnuplot.run(lines, 2)
end

return M
