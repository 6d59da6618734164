#include "base/caught_error.h"

#include <exception>
#include <new>

#include "base/text/text.h"

namespace stagemake {

std::string caught_text() {
  try {
    throw;
  } catch (const Error& error) {
    return error.what();
  } catch (const std::bad_alloc&) {
    return "out of memory";
  } catch (const std::exception& error) {
    return printable(error.what());
  } catch (...) {
    return "an error of unknown type";
  }
}

ExitStatus caught_status() {
  try {
    throw;
  } catch (const Error& error) {
    return error.status();
  } catch (...) {
    return ExitStatus::EngineUnusable;
  }
}

}  // namespace stagemake
