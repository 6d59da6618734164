#include "report/log_scan.h"
namespace stagemake {}
