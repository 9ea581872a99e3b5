--- Reductors: from a full-order model and a reduced basis to a reduced-order model.
return {
  StationaryRBReductor = require "neap.reductors.stationary",
  CoerciveRBReductor = require "neap.reductors.coercive",
  ExtensionError = require "neap.reductors.extension_error",
}
