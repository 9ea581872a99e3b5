describe("plot", function()
  local command = require "spec.support.command"
  local neap = require "neap"
  local plot = require "neap.plot"
  local thermal_block = require "neap.problems".thermal_block

  local folder, remove
  before_each(function() folder, remove = command.folder() end)
  after_each(function() remove() end)

  local errors = { 1.8, 0.4, 1e-2, 1e-3, 0, 1e-5 }

  it("draws a decay as PNG and as SVG", function()
    plot.decay(errors, { file = folder .. "/x.png" })
    assert.equal("\137PNG\r\n\26\n", command.slurp(folder .. "/x.png"):sub(1, 8))
    plot.decay({ { label = "it's <an> error", values = errors }, { values = { 1, 0.1 } } },
      { file = folder .. "/x.svg", title = "a_b 'quoted'", ylabel = "norm" })
    local svg = command.slurp(folder .. "/x.svg")
    assert.matches("<svg", svg, 1, true)
    assert.matches("a_b 'quoted'", svg, 1, true)
    assert.matches("it's &lt;an> error", svg, 1, true)
  end)

  it("draws singular values, effectivities and fields", function()
    plot.singular_values({ 3, 2, 1e-8 }, { file = folder .. "/s.svg" })
    assert.matches("singular value", command.slurp(folder .. "/s.svg"), 1, true)
    plot.effectivities({ effectivities = { { 1.5, 2 }, { 1.1, 1 / 0, 3 } } },
      { file = folder .. "/e.svg" })
    assert.matches("least to greatest", command.slurp(folder .. "/e.svg"), 1, true)
    local fom, _, grid = thermal_block { blocks = { 1, 1 }, n = 4 }
    plot.field(fom:solve { diffusion = 1 }, grid, { file = folder .. "/f.png", label = "u" })
    assert.is_true(#command.slurp(folder .. "/f.png") > 5000)
  end)

  it("leaves room for the labels of a field, whatever its size", function()
    local fom, _, grid = thermal_block { blocks = { 1, 1 }, n = 4 }
    for _, height in ipairs { 300, 620, 1000 } do
      plot.field(fom:solve { diffusion = 1 }, grid,
        { file = folder .. "/f.svg", xlabel = "first", height = height, width = height })
      local baseline = command.slurp(folder .. "/f.svg")
        :match('translate%([%d.]+,([%d.]+)%)"[^\n]*\n%s*<text>first</text>')
      assert.is_true(tonumber(baseline) < height - 4) -- descenders of a font of 13 pixels
    end
  end)

  it("draws on the terminal without a file", function()
    local run = command.run([[%neap% -e 'require "neap.plot".decay({1, 0.1, 0.01},
      { title = "errors" })']])
    assert.equal(0, run.code)
    assert.matches("errors", run.out, 1, true)
    assert.matches("1e%-02", run.out)
  end)

  it("says what to install when there is no gnuplot", function()
    local run = command.run([[PATH=/nowhere %neap% -e 'require "neap.plot".decay {1, 2}']])
    assert.equal(1, run.code)
    assert.matches("gnuplot was not found; install it (on Debian: apt-get install gnuplot-nox)",
      run.err, 1, true)
  end)

  it("names a file that cannot be written", function()
    assert.error_matches(function() plot.decay({ 1, 2 }, { file = "/nowhere/x.png" }) end,
      "option 'file': /nowhere/x.png: No such file or directory", 1, true)
  end)

  it("passes on what gnuplot has to say", function()
    assert.error_matches(function()
      require "neap.plot.gnuplot".run({ "plot nonsense(x)" }, 1)
    end, "gnuplot: .*undefined function: nonsense")
  end)

  it("checks its arguments", function()
    assert.error_matches(function() plot.decay {} end,
      "series: list of numbers, or of {label =, values =}, expected", 1, true)
    assert.error_matches(function() plot.decay { 0, -1 } end,
      "series: no positive finite value to show", 1, true)
    assert.error_matches(function() plot.decay { { values = { 1, "2" } } } end,
      "series[1].values: entry 2 is a string; number expected", 1, true)
    assert.error_matches(function() plot.decay({ 1 }, { file = "x.pdf" }) end,
      "option 'file': a name that ends in .png or .svg expected, got x.pdf", 1, true)
    assert.error_matches(function() plot.decay({ 1 }, { color = "red" }) end,
      "unknown option 'color'", 1, true)
    assert.error_matches(function() plot.field(neap.VectorArray.ones(5, 1), {}) end,
      "grid: a grid with the method raster expected", 1, true)
    assert.error_matches(function() plot.effectivities { 1, 2 } end,
      "data: table with a list 'effectivities' expected", 1, true)
  end)
end)
