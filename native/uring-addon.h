#pragma once
#include "arguments.h"

namespace caltrop {

/** Adds openRing and probeRing to the exports. */
void defineUring(napi_env env, napi_value exports);

} // namespace caltrop
