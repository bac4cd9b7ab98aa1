// How the results of administrative requests carry an error: the code, and a message where the version has
// one.
#pragma once

#include "broker/controller/topic_assign.h"

namespace tandem::broker::api {

template <class Result>
void set_error(Result& result, const controller::AdminError& error) {
  result.error_code = error.code;
  if (!error.message.empty()) result.error_message = error.message;
}

}  // namespace tandem::broker::api
