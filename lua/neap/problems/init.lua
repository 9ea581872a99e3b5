--- Full-order models that are assembled here.
return {
  thermal_block = require "neap.problems.thermal_block",
  CrisscrossGrid = require "neap.problems.crisscross",
}
