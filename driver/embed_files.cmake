# Writes a C++ source with the text of files:
#   cmake -D folder=FOLDER -D extensions=md,html -D header=HEADER -D type=TYPE -D function=FUNCTION -D output=FILE
#     -P embed_files.cmake
# HEADER declares `const std::vector<TYPE>& FUNCTION()`; a TYPE is made of a file's name and its text.
string(REPLACE "," ";${folder}/*." patterns "${folder}/*.${extensions}")
file(GLOB files ${patterns})
list(SORT files)
set(source "// Made from ${folder} by driver/embed_files.cmake.\n#include \"${header}\"\n\n")
string(APPEND source "namespace stagemake {\n\nconst std::vector<${type}>& ${function}() {\n")
string(APPEND source "  static const std::vector<${type}> files = {\n")
foreach(file IN LISTS files)
  get_filename_component(name ${file} NAME)
  file(READ ${file} text)
  string(APPEND source "      {\"${name}\", R\"file(${text})file\"},\n")
endforeach()
string(APPEND source "  };\n  return files;\n}\n\n}  // namespace stagemake\n")
file(WRITE ${output} "${source}")
