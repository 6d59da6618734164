#include "report/verdict.h"
namespace stagemake {}
