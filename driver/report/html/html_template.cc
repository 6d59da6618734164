#include "report/html/html_template.h"

#include <ctemplate/template.h>

#include <memory>
#include <stdexcept>

namespace stagemake {
namespace {

constexpr ctemplate::Strip kStrip = ctemplate::STRIP_BLANK_LINES;

// Frozen, so that several threads may use it at once.
const ctemplate::TemplateCache& templates() {
  static const std::unique_ptr<const ctemplate::TemplateCache> cache = [] {
    auto made = std::make_unique<ctemplate::TemplateCache>();
    for (const HtmlFile& file : html_files())
      if (file.name.ends_with(".html"))
        made->StringToTemplateCache({file.name.data(), file.name.size()}, file.text.data(), file.text.size(),
                                    kStrip);
    made->Freeze();
    return made;
  }();
  return *cache;
}

}  // namespace

std::string filled_template(const std::function<void(HtmlPart)>& fill) {
  ctemplate::TemplateDictionary values("report.html");
  fill(HtmlPart(values));
  for (const HtmlFile& file : html_files())
    if (file.name == "report.css") values.SetValue("STYLE", {file.text.data(), file.text.size()});
  std::string page;
  if (!templates().ExpandNoLoad("report.html", kStrip, &values, nullptr, &page))
    throw std::logic_error("ctemplate cannot read report.html");
  return page;
}

}  // namespace stagemake
