// Code that all fuzz targets share. A target is one file that defines answer_to() and add_seeds();
// fuzz_main.cc makes a libFuzzer program of it.
//
// The targets do not only look for crashes, but check properties: each input is answered twice, with equal
// answers; no exception but Error is thrown; faults are printable and name a file of the tree; nothing from
// the files beside the tree (FuzzTree::secret) appears anywhere.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/files/files.h"

namespace stagemake {

// Everything that the code under test makes of `input`, as text. Each target defines it.
std::string answer_to(std::string_view input);

// Receives the initial inputs.
using SeedSink = std::function<void(std::string_view)>;
// Takes seeds from a distribution's tree; missing files give none. Each target defines it.
void add_seeds(const fs::path& tree, const SeedSink& seed);

// Ends the process if a property does not hold; libFuzzer then keeps the input.
void require(bool holds, std::string_view property, std::string_view shown = {});

// Splits an input that contains several texts. They are separated by zero bytes, and cannot contain any.
std::vector<std::string_view> pieces(std::string_view input);
std::string joined_pieces(const std::vector<std::string>& pieces);

// Appends a field to an answer; fields cannot run into each other.
void tell(std::string& answer, std::string_view field);
void tell(std::string& answer, const std::vector<std::string>& fields);

// Appends faults to an answer, and checks them: each names one of `files` or a path below it, perhaps with a
// line, or, if `files` is empty, any place.
void tell_faults(std::string& answer, const std::vector<Fault>& faults,
                 std::initializer_list<std::string_view> files);

// Calls `read`; the faults of an Error are appended to the answer.
void tell_errors(std::string& answer, std::initializer_list<std::string_view> files,
                 const std::function<void()>& read);

// A file of a real tree, unchanged; empty if it is missing.
std::string seed_file(const fs::path& path);
// A seed that means `head`, very many times `part`, and `tail`.
std::string repeated(std::string_view head, std::string_view part, std::string_view tail);
// The folders TREE/build/pkgs/*, sorted.
std::vector<fs::path> seed_packages(const fs::path& tree);

}  // namespace stagemake
