--- Models: problems that can be solved for a parameter value.
return {
  StationaryModel = require "neap.models.stationary",
}
